"""Programs as children of a bridge: each in a session of its own, ended together with all that it started.

Knows processes, pipes and signals. Knows nothing of messages or of what the programs say.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import subprocess
import sys
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import anyio
import anyio.abc
import anyio.to_thread

from amtrio.bridges import watchdog
from amtrio.bridges.groups import unwrapped
from amtrio.bridges.text import Utf8Lines

# The bridge's own credentials are nobody else's business.
_KEPT_BACK: Final = frozenset({"AMTRIO_AGENT_TOKEN", "AMTRIO_WEBHOOK_SECRET"})
# A program that ended may leave its last words in the pipe for a moment; what it started may hold the pipe for ever.
_LINGER_S: Final = 0.5
_LOOK_AGAIN_S: Final = 0.02
_LAST_LINES: Final = 8
_LAST_LINE_CHARACTERS: Final = 300


class CannotStart(Exception):
    """A program that is not there, or that the system refuses to run; the text says which and why."""


class Child:
    """
    One running program. Made by `Children.open`.

    Attributes:
        name: how to call it in sentences.
        pid: also the id of its process group and session.
        errors_read: set when its standard error has ended: `last_words` says all from then on.
    """

    def __init__(
        self, process: anyio.abc.Process, name: str, mark: str, grace_s: float, on_stderr: Callable[[str], None]
    ) -> None:
        self.name = name
        self.pid = process.pid
        self.errors_read = anyio.Event()
        self._process = process
        self._mark = mark
        self._grace_s = grace_s
        self._on_stderr = on_stderr
        self._last_lines: deque[str] = deque(maxlen=_LAST_LINES)
        self._stopping = anyio.Lock()
        self._reading: anyio.CancelScope | None = None
        self._is_silent = False

    async def send(self, data: bytes) -> bool:
        """Write to its standard input; False if it does not listen any more."""
        assert self._process.stdin is not None
        try:
            await self._process.stdin.send(data)
        except (anyio.BrokenResourceError, anyio.ClosedResourceError, OSError):
            return False
        return True

    async def close_input(self) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(anyio.BrokenResourceError, OSError):  # it has ended without reading all
            await self._process.stdin.aclose()

    async def receive(self) -> bytes:
        """Some of its standard output; empty at the end, which comes soon after the program's own end. One reader."""
        assert self._process.stdout is not None
        if self._is_silent:
            return b""
        with anyio.CancelScope() as self._reading:
            with contextlib.suppress(anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
                return await self._process.stdout.receive()
        return b""

    async def wait(self) -> int:
        """Its exit code; minus the number of the signal that ended it."""
        return await self._process.wait()

    @property
    def has_ended(self) -> bool:
        return self._process.returncode is not None

    def last_words(self) -> str:
        """The last lines of its standard error."""
        return "\n".join(self._last_lines).strip()

    def interrupt(self) -> None:
        """What Ctrl-C does, to it and all that it started."""
        if not self.has_ended:
            watchdog.send_signal(signal.SIGINT, {self.pid}, self._mark)

    async def stop(self) -> None:
        """
        End it and all that it started: SIGINT, then SIGTERM, then SIGKILL, within the grace it was opened with.

        Not to be cancelled: when this returns, nothing is left.
        """
        half_s = self._grace_s / 2
        with anyio.CancelScope(shield=True):
            async with self._stopping:
                for number, patience_s in ((signal.SIGINT, half_s), (signal.SIGTERM, half_s), (signal.SIGKILL, 1.0)):
                    if not await self._anyone_left():
                        break
                    await anyio.to_thread.run_sync(watchdog.send_signal, number, {self.pid}, self._mark)
                    with anyio.move_on_after(patience_s):
                        await self._nobody_left()

    async def _nobody_left(self) -> None:
        # Of the end of a program that is not our own child the system tells nobody.
        while await self._anyone_left():  # noqa: ASYNC110
            await anyio.sleep(_LOOK_AGAIN_S)

    async def _anyone_left(self) -> bool:
        return not self.has_ended or await anyio.to_thread.run_sync(watchdog.living, {self.pid}, self._mark)

    async def read_errors(self) -> None:
        """Keep the last lines of standard error."""
        assert self._process.stderr is not None
        lines = Utf8Lines()
        with contextlib.suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
            async for data in self._process.stderr:
                self._note(lines.feed(data))
        self._note(lines.end())
        self.errors_read.set()

    def _note(self, lines: Sequence[str]) -> None:
        for line in lines:
            if line.strip():
                self._last_lines.append(line.rstrip()[:_LAST_LINE_CHARACTERS])
                self._on_stderr(line.rstrip())

    async def see_it_out(self) -> None:
        """When the program has ended, end what it left behind, and the wait for more of its output."""
        await self._process.wait()
        await anyio.sleep(_LINGER_S)
        await self.stop()
        await anyio.sleep(_LINGER_S)
        self._is_silent = True
        if self._reading is not None:
            self._reading.cancel()

    async def release(self) -> None:
        """Close the pipes and collect the process; it has been stopped before."""
        with anyio.move_on_after(1.0, shield=True):
            for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
                if pipe is not None:
                    with contextlib.suppress(anyio.BrokenResourceError, OSError):
                        await pipe.aclose()
            await self._process.wait()
            # asyncio of Python 3.11 logs an error for a broken pipe that nobody has asked about.
            wait_closed = getattr(getattr(self._process.stdin, "_stream", None), "wait_closed", None)
            if wait_closed is not None:
                with contextlib.suppress(OSError):
                    await wait_closed()


class Children:
    """Starts programs and sees to it that none outlives the bridge, even one that is killed. See `open_children`."""

    def __init__(self, leash: int, mark: str, grace_s: float) -> None:
        self._leash = leash
        self._mark = mark
        self._grace_s = grace_s
        self._count = 0

    @asynccontextmanager
    async def open(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        on_stderr: Callable[[str], None] = lambda _line: None,
    ) -> AsyncIterator[Child]:
        """
        Run a program; leaving the block ends it and all that it started.

        Args:
            env: added to the bridge's own environment, which is passed on without its credentials.
            on_stderr: gets each line that the program says on standard error.

        Raises:
            CannotStart: the system refuses.
        """
        self._count += 1
        mark = f"{self._mark}{self._count}/"
        process = await self._start(argv, {**_inherited(), **(env or {}), watchdog.MARK: mark}, cwd)
        child = Child(process, Path(argv[0]).name, mark, self._grace_s, on_stderr)
        self._tell(f"+{child.pid}")
        try:
            with unwrapped():
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(child.read_errors)
                    tasks.start_soon(child.see_it_out)
                    try:
                        yield child
                    finally:
                        await child.stop()
                        tasks.cancel_scope.cancel()
        finally:
            await child.release()
            self._tell(f"-{child.pid}")

    @staticmethod
    async def _start(argv: Sequence[str], env: Mapping[str, str], cwd: Path | None) -> anyio.abc.Process:
        try:
            return await anyio.open_process(
                argv,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=cwd,
                env=env,
                start_new_session=True,
            )
        except OSError as exc:
            # The name is that of the folder, if it is the folder that is not there.
            raise CannotStart(f"cannot start {exc.filename or argv[0]}: {exc.strerror or exc}") from exc

    def _tell(self, line: str) -> None:
        """A few bytes into an empty pipe: does not block. The watchdog may be gone; the programs are ended as ever."""
        with contextlib.suppress(OSError):
            os.write(self._leash, f"{line}\n".encode())


def _inherited() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in _KEPT_BACK}


@asynccontextmanager
async def open_children(grace_s: float = 3.0) -> AsyncIterator[Children]:
    """
    A keeper of programs, with a watchdog process that ends them should this process be killed.

    Args:
        grace_s: seconds that a program gets between the first signal and SIGKILL. A stopped run waits 5 s at most.
    """
    mark = f"{secrets.token_hex(8)}/"
    # In a session of its own: what ends the bridge must not end it as well.
    command = [sys.executable, "-I", "-S", str(Path(watchdog.__file__)), mark, str(grace_s)]
    hand, leash = os.pipe()
    try:
        dog = await anyio.open_process(command, stdin=hand, stdout=None, stderr=None, start_new_session=True)
        os.close(hand)
        yield Children(leash, mark, grace_s)
    finally:
        os.close(leash)
        with anyio.move_on_after(2 * grace_s + 1.0, shield=True):
            await dog.wait()
