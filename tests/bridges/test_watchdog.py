"""The process that ends what a killed bridge leaves behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import anyio
import anyio.to_thread
import pytest

from amtrio.bridges import watchdog
from tests.bridges.conftest import Lifeline, Play
from tests.bridges.families import stubborn


def start(command: list[str], mark: str) -> subprocess.Popen[bytes]:
    environment = {**os.environ, watchdog.MARK: mark}
    family = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, start_new_session=True)
    assert family.stdout is not None
    assert family.stdout.readline() == b"ready\n"
    return family


@pytest.mark.parametrize("told", ["groups", "marks", "both"])
def test_it_ends_whole_families_when_the_pipe_closes(play: Play, lifeline: Lifeline, told: str) -> None:
    """
    Those whose group it was told of, and those who carry the mark; who ignores SIGTERM gets SIGKILL.
    """
    if told == "groups":
        command = ["sh", "-c", f"exec 3>{lifeline.path}; trap '' TERM; echo ready; sleep 600 & sleep 600"]
    else:
        command = stubborn(lifeline.path)
    mark = "0123/1/" if told != "groups" else "other/1/"

    async def scene() -> None:
        with start(command, mark) as family:
            script = [sys.executable, "-I", "-S", watchdog.__file__, "0123/", "0.1"]
            with subprocess.Popen(script, stdin=subprocess.PIPE) as dog:
                assert dog.stdin is not None
                dog.stdin.write(f"+{family.pid}\n".encode() if told != "marks" else b"+999999999\n-999999999\n")
                dog.stdin.close()
                await lifeline.all_gone()
                assert await anyio.to_thread.run_sync(dog.wait) == 0
            assert await anyio.to_thread.run_sync(family.wait) == -signal.SIGKILL

    play(scene)


def test_it_leaves_alone_what_has_been_let_go() -> None:
    """
    And whoever carries another mark.
    """
    with start(["sh", "-c", "echo ready; exec sleep 600"], "other/1/") as bystander:
        script = [sys.executable, "-I", "-S", watchdog.__file__, "0123/", "0.1"]
        told = f"+{bystander.pid}\n-{bystander.pid}\n"
        subprocess.run(script, input=told.encode(), check=True)
        assert bystander.poll() is None
        bystander.kill()


def test_signals_do_not_end_it() -> None:
    """
    Ctrl-C in its terminal or the end of that must not come before the end of the bridge.
    """
    script = [sys.executable, "-I", "-S", watchdog.__file__, "0123/", "0.1"]
    with subprocess.Popen(script, stdin=subprocess.PIPE) as dog:
        assert dog.stdin is not None
        while b"SigIgn" not in (status := Path(f"/proc/{dog.pid}/status").read_bytes()) or not _ignores(status):
            pass
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            dog.send_signal(number)
        dog.stdin.close()
        assert dog.wait(10) == 0


def _ignores(status: bytes) -> bool:
    """All three of them, by the mask of ignored signals."""
    mask = int(status.partition(b"SigIgn:")[2].split()[0], 16)
    return all(mask & (1 << (number - 1)) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP))


def test_the_dead_do_not_count() -> None:
    """
    One that nobody has waited for yet is no life; a living one is found by its group or its mark.
    """
    with start(["sh", "-c", "echo ready; exec sleep 600"], "0123/1/") as child:
        assert watchdog.living({child.pid}, "no mark")
        assert watchdog.living(set(), "0123/")
        assert not watchdog.living(set(), "0123/2/")
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert not watchdog.living({child.pid}, "0123/")


def test_without_proc_groups_are_all_there_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """
    As on systems other than Linux.
    """
    monkeypatch.setattr(watchdog, "_PROC", tmp_path)
    with start(["sh", "-c", "echo ready; exec sleep 600"], "0123/1/") as child:
        assert watchdog.living({child.pid}, "no mark")
        assert not watchdog.living(set(), "0123/")
        watchdog.send_signal(signal.SIGKILL, {child.pid}, "0123/")
        assert child.wait(10) == -signal.SIGKILL
        assert not watchdog.living({child.pid}, "0123/")
        watchdog.send_signal(signal.SIGKILL, {child.pid}, "0123/")
