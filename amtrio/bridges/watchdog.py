"""Ends a bridge's programs when the bridge itself was killed: a process of its own that waits for a pipe to close.

Also what the bridge and it both need to know about processes. Standard library only, since it runs as a bare script;
knows processes and signals, nothing of anyio or of bridges.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Collection
from pathlib import Path
from typing import Final

# Carried by every program of a bridge and, since environments are inherited, by all that it starts, even in sessions
# of their own.
MARK: Final = "AMTRIO_BRIDGE_ID"
_PROC: Final = Path("/proc")
_LOOK_AGAIN_S: Final = 0.05


def living(groups: Collection[int], mark: str) -> bool:
    """Whether anything lives in these process groups or carries a mark that begins so; the dead but unreaped do not."""
    if _has_proc():
        return bool(_members(groups, mark))
    return any(_reached(os.killpg, group, 0) for group in groups)


def send_signal(number: int, groups: Collection[int], mark: str) -> None:
    """Signal the process groups, and beyond them whatever carries a mark that begins so."""
    strays = {pid for pid, group in _members(groups, mark).items() if group not in groups} if _has_proc() else set()
    for group in groups:
        _reached(os.killpg, group, number)
    for pid in strays:
        _reached(os.kill, pid, number)


def _has_proc() -> bool:
    return (_PROC / "self" / "environ").exists()


def _members(groups: Collection[int], mark: str) -> dict[int, int]:
    """Process to process group."""
    wanted = f"{MARK}={mark}".encode()
    found = {}
    for folder in _PROC.iterdir():
        if not folder.name.isdecimal():
            continue
        # It may end while we look, or belong to somebody else.
        with contextlib.suppress(OSError):
            # The name, in parentheses, may hold anything; after it: state, parent, group.
            state, _parent, group, *_ = (folder / "stat").read_bytes().rpartition(b")")[2].split()
            if state in {b"Z", b"X"}:
                continue
            if int(group) in groups or _carries((folder / "environ").read_bytes(), wanted):
                found[int(folder.name)] = int(group)
    return found


def _carries(environment: bytes, wanted: bytes) -> bool:
    return environment.startswith(wanted) or b"\0" + wanted in environment


def _reached(send: object, target: int, number: int) -> bool:
    assert callable(send)
    try:
        send(target, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def watch(mark: str, grace_s: float) -> None:
    """
    Read `+GROUP` and `-GROUP`, a line each, until the pipe closes; then end what is left.

    Args:
        mark: what the marks of the bridge's programs begin with.
        grace_s: seconds between the polite signal and SIGKILL.
    """
    groups: set[int] = set()
    for line in sys.stdin:
        change, group = line[:1], int(line[1:])
        (groups.add if change == "+" else groups.discard)(group)
    for number, patience_s in ((signal.SIGTERM, grace_s), (signal.SIGKILL, grace_s)):
        end = time.monotonic() + patience_s
        if not living(groups, mark):
            return
        send_signal(number, groups, mark)
        while living(groups, mark) and time.monotonic() < end:
            time.sleep(_LOOK_AGAIN_S)


if __name__ == "__main__":
    # The pipe is what ends it: a Ctrl-C or the end of the terminal must not come first.
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    watch(sys.argv[1], float(sys.argv[2]))
