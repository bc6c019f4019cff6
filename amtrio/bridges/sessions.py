"""A program that goes on from one message to the next: one process per conversation.

Where an answer ends, a line tells, or silence, or (among JSON lines) `{"type":"end"}`. Knows programs and their output.
Knows nothing of how processes are ended.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Final

import anyio
from anyio.abc import TaskGroup, TaskStatus
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from amtrio.bridges.children import CannotStart, Child, Children
from amtrio.bridges.command import Program, environment, verdict
from amtrio.bridges.dialect import Event, Output, Speaker
from amtrio.bridges.files import Files
from amtrio.bridges.groups import unwrapped
from amtrio.bridges.turn import Incoming, Run
from amtrio.client import RunFailed

# A stopped answer may come to its end by itself, and the process live on; the run waits 5 s at most.
_INTERRUPTED_WITHIN_S: Final = 2.0

Heard = MemoryObjectReceiveStream[str | Event]


@dataclass(frozen=True, slots=True)
class Ending:
    """
    How the end of an answer is known; at least one of them, or the program speaks JSON lines.

    Attributes:
        marker: a line that is this and nothing else.
        quiet_s: this long without output, once there was some.
    """

    marker: str | None = None
    quiet_s: float | None = None


class MarkedText:
    """Text up to the line that ends an answer. What may become that line is held back until it is another."""

    def __init__(self, marker: str | None) -> None:
        self._marker = marker
        self._line = ""
        self._is_shown = False

    def feed(self, text: str) -> tuple[str, bool]:
        """The text to show, and whether the marker came; what follows it belongs to no answer."""
        if self._marker is None:
            return text, False
        shown = ""
        for piece in text.splitlines(keepends=True):
            self._line += piece
            is_whole = piece.endswith("\n")
            if is_whole and self._line.rstrip("\r\n") == self._marker:
                return shown, True
            if self._is_shown:
                shown += piece
            elif is_whole or not f"{self._marker}\r".startswith(self._line):
                shown += self._line
                self._is_shown = True
            if is_whole:
                self._line, self._is_shown = "", False
        return shown, False


class Session:
    """One process and the conversation it has. Made by `Sessions`."""

    def __init__(self, child: Child, output: Output) -> None:
        self.child = child
        self.has_ended = anyio.Event()
        self.life = anyio.CancelScope()
        self._output = output
        self._listener: MemoryObjectSendStream[str | Event] | None = None
        self._is_silent = False

    async def pump(self) -> None:
        """Read on for ever: a program that nobody listens to must not get stuck in a full pipe."""
        while data := await self.child.receive():
            await self._hand_on(self._output.feed(data))
        await self._hand_on(self._output.end())
        self._is_silent = True
        if self._listener is not None:
            self._listener.close()

    async def _hand_on(self, items: Sequence[str | Event]) -> None:
        for item in items:
            if self._listener is not None:
                # The answer may end while we wait: nobody needs the rest.
                with contextlib.suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
                    await self._listener.send(item)

    async def end(self) -> None:
        """End the process now, and wait until it is gone."""
        self.life.cancel()
        await self.has_ended.wait()

    @contextmanager
    def listening(self) -> Iterator[Heard]:
        """All output within the block; ends with the process."""
        self._listener, heard = anyio.create_memory_object_stream[str | Event](0)
        try:
            with self._listener, heard:
                if self._is_silent:
                    self._listener.close()
                yield heard
        finally:
            self._listener = None


class Sessions:
    """Answers each message with the process of its conversation. See `open_sessions`."""

    def __init__(
        self,
        program: Program,
        ending: Ending,
        children: Children,
        files: Files,
        tasks: TaskGroup,
        *,
        idle_s: float,
        report: Callable[[str], None],
    ) -> None:
        self._program = program
        self._ending = ending
        self._children = children
        self._files = files
        self._tasks = tasks
        self._idle_s = idle_s
        self._report = report
        self._sessions: dict[str, Session] = {}

    async def handle(self, message: Incoming, run: Run) -> None:
        """
        Hand the message over, and stream what is printed until the answer ends.

        When the run is stopped, the program is interrupted; it lives on if it then ends its answer.

        Raises:
            RunFailed: it could not be started, failed, or took too long.
        """
        try:
            session = await self._session(message)
        except CannotStart as exc:
            raise RunFailed(str(exc)) from exc
        session.life.deadline = math.inf
        try:
            async with self._files.of(message) as paths:
                with session.listening() as heard:
                    await self._converse(session, heard, self._program.line(message, paths), Speaker(run))
        finally:
            session.life.deadline = anyio.current_time() + self._idle_s

    async def _converse(self, session: Session, heard: Heard, line: bytes, speaker: Speaker) -> None:
        is_over = has_died = False
        try:
            with anyio.move_on_after(self._program.timeout_s) as in_time:
                has_died = not await self._exchange(session, heard, line, speaker)
                is_over = True
        except RunFailed:
            is_over = True  # an error that the program tells of is its whole answer
            raise
        finally:
            if not is_over:
                await self._break_off(session, heard)
        if in_time.cancelled_caught:
            raise RunFailed(f"{session.child.name} took longer than {self._program.timeout_s:g} s")
        if has_died and await session.child.wait():
            raise RunFailed(await verdict(session.child))

    async def _exchange(self, session: Session, heard: Heard, line: bytes, speaker: Speaker) -> bool:
        """Say the line and hear the answer at once: a program may print before it has read all. As `_answer`."""
        with unwrapped():
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(session.child.send, line)
                lives_on = await self._answer(heard, speaker)
                tasks.cancel_scope.cancel()
        return lives_on

    async def _answer(self, heard: Heard, speaker: Speaker | None, *, has_begun: bool = False) -> bool:
        """Until the answer ends; False if the process did instead. Without a speaker nobody is told."""
        text = MarkedText(self._ending.marker)
        while True:
            with anyio.move_on_after(self._ending.quiet_s if has_begun else None) as silence:
                try:
                    item = await heard.receive()
                except anyio.EndOfStream:
                    return False
            if silence.cancelled_caught:
                return True
            has_begun = True
            is_over = False
            if isinstance(item, str):
                item, is_over = text.feed(item)
            elif item.get("type") == "end":
                return True
            if speaker is not None:
                await speaker.say(item)
            if is_over:
                return True

    async def _break_off(self, session: Session, heard: Heard) -> None:
        with anyio.CancelScope(shield=True):
            session.child.interrupt()
            lives_on = False
            with anyio.move_on_after(_INTERRUPTED_WITHIN_S):
                lives_on = await self._answer(heard, None, has_begun=True)
            if not lives_on:
                await session.end()

    async def _session(self, message: Incoming) -> Session:
        session = self._sessions.get(message.conversation_id)
        if session is not None and not session.child.has_ended and not session.life.cancel_called:
            return session
        if session is not None:
            await session.end()
        found: Session = await self._tasks.start(self._live, message)
        return found

    async def _live(self, message: Incoming, *, task_status: TaskStatus[Session]) -> None:
        argv, env = list(self._program.argv), environment(message, ())
        async with self._children.open(argv, env=env, cwd=self._program.cwd, on_stderr=self._report) as child:
            session = Session(child, Output(on_noise=self._report))
            self._sessions[message.conversation_id] = session
            task_status.started(session)
            with session.life:
                await session.pump()
            if self._sessions.get(message.conversation_id) is session:
                del self._sessions[message.conversation_id]
        session.has_ended.set()


@asynccontextmanager
async def open_sessions(
    program: Program,
    ending: Ending,
    children: Children,
    files: Files,
    *,
    idle_s: float = 900.0,
    report: Callable[[str], None] = lambda _line: None,
) -> AsyncIterator[Sessions]:
    """
    Sessions that last as long as the block.

    Args:
        idle_s: a process whose last answer is this long ago is ended; the next message gets a new one.
        report: gets what the programs say that is not for the person, line by line.
    """
    with unwrapped():
        async with anyio.create_task_group() as tasks:
            yield Sessions(program, ending, children, files, tasks, idle_s=idle_s, report=report)
            tasks.cancel_scope.cancel()
