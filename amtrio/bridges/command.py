"""Any program as an agent: it gets the message, and what it prints is the answer.

One process per message. Knows programs and their output; how they are kept from one message to the next stands in
`sessions`.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import anyio

from amtrio.bridges.children import CannotStart, Child, Children
from amtrio.bridges.dialect import Ended, Output, Speaker
from amtrio.bridges.files import Files
from amtrio.bridges.groups import unwrapped
from amtrio.bridges.turn import Incoming, Run
from amtrio.client import RunFailed

PLACEHOLDER: Final = "{message}"
# Standard error ends with the program, unless something that it started holds it open.
_LAST_WORDS_WITHIN_S: Final = 1.0
# The error of a run has 500 characters in all.
_LAST_CHARACTERS_AT_MOST: Final = 400


@dataclass(frozen=True, slots=True)
class Program:
    """
    What to run.

    Attributes:
        argv: the program and its arguments; `{message}` in one of them stands for the message, which else goes to the
            program's standard input. No shell reads it.
        cwd: where it runs; None: where the bridge does.
        sends_json: the standard input is one JSON object with all that is known of the message, not only its text.
        timeout_s: a longer answer is broken off; None: only the person does that.
    """

    argv: Sequence[str]
    cwd: Path | None = None
    sends_json: bool = False
    timeout_s: float | None = None

    @property
    def takes_argument(self) -> bool:
        return any(PLACEHOLDER in argument for argument in self.argv)

    def command(self, content: str) -> list[str]:
        """The arguments for one message."""
        return [self.argv[0], *(_filled(argument, content) for argument in self.argv[1:])]

    def line(self, message: Incoming, paths: Sequence[Path]) -> bytes:
        """What the standard input gets for one message."""
        if self.sends_json:
            return json.dumps(as_json(message, paths)).encode() + b"\n"
        return message.content.removesuffix("\n").encode() + b"\n"


def _filled(argument: str, content: str) -> str:
    if PLACEHOLDER not in argument:
        return argument
    if argument.startswith(PLACEHOLDER) and content.startswith("-"):
        content = f" {content}"  # or whoever writes to the agent could set the options of the program
    return argument.replace(PLACEHOLDER, _without_nul(content))


def _without_nul(text: str) -> str:
    """The system ends arguments and environment variables at NUL."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")


def as_json(message: Incoming, paths: Sequence[Path]) -> dict[str, Any]:
    """A message as programs read it: one line of standard input."""
    return {
        "type": "message",
        "message_id": message.message_id,
        "conversation_id": message.conversation_id,
        "user_id": message.user_id,
        "text": message.content,
        "created_at": message.created_at,
        "reply_to": message.reply_to,
        "metadata": message.metadata,
        "attachments": [str(path) for path in paths],
    }


def environment(message: Incoming, paths: Sequence[Path]) -> dict[str, str]:
    """AMTRIO_ATTACHMENTS has the path of one file per line."""
    return {
        "AMTRIO_CONVERSATION_ID": message.conversation_id,
        "AMTRIO_USER_ID": message.user_id,
        "AMTRIO_MESSAGE_ID": message.message_id,
        "AMTRIO_ATTACHMENTS": "\n".join(map(str, paths)),
    }


def check(program: Program) -> None:
    """
    See whether there is such a program at all.

    Raises:
        CannotStart: there is none.
    """
    name = program.argv[0]
    # A name with a folder in it is meant from where the program runs.
    path = os.path.join(program.cwd or "", name) if os.path.dirname(name) else name  # noqa: PTH118, PTH120
    if shutil.which(path) is None:
        raise CannotStart(f"cannot start {name}: there is no such program, or it may not be run")


class Command:
    """
    Answers each message with a run of the program.

    Args:
        report: gets what the program says on standard error, line by line.
    """

    def __init__(self, program: Program, children: Children, files: Files, report: Callable[[str], None]) -> None:
        self._program = program
        self._children = children
        self._files = files
        self._report = report

    async def handle(self, message: Incoming, run: Run) -> None:
        """
        Run it, and stream what it prints.

        Raises:
            RunFailed: it could not be started, failed, or took too long.
        """
        argv = self._program.command(message.content)
        async with self._files.of(message) as paths:
            try:
                await self._run(argv, message, paths, run)
            except CannotStart as exc:
                raise RunFailed(str(exc)) from exc

    async def _run(self, argv: Sequence[str], message: Incoming, paths: Sequence[Path], run: Run) -> None:
        env = environment(message, paths)
        with anyio.move_on_after(self._program.timeout_s) as in_time:
            async with self._children.open(argv, env=env, cwd=self._program.cwd, on_stderr=self._report) as child:
                with unwrapped():
                    async with anyio.create_task_group() as tasks:
                        tasks.start_soon(self._feed, child, message, paths)
                        await self._answer(child, run)
                        tasks.cancel_scope.cancel()
        if in_time.cancelled_caught:
            raise RunFailed(f"{child.name} took longer than {self._program.timeout_s:g} s and was ended")

    async def _feed(self, child: Child, message: Incoming, paths: Sequence[Path]) -> None:
        if self._program.sends_json or not self._program.takes_argument:
            await child.send(self._program.line(message, paths))
        await child.close_input()

    async def _answer(self, child: Child, run: Run) -> None:
        output, speaker = Output(on_noise=self._report), Speaker(run)
        try:
            while data := await child.receive():
                for item in output.feed(data):
                    await speaker.say(item)
            for item in output.end():
                await speaker.say(item)
        except Ended:
            return
        if await child.wait():
            raise RunFailed(await verdict(child))


async def verdict(child: Child) -> str:
    """How a program failed, with its last words on standard error."""
    code = await child.wait()
    with anyio.move_on_after(_LAST_WORDS_WITHIN_S):
        await child.errors_read.wait()
    how = f"failed with exit code {code}" if code >= 0 else f"was ended by {_signal_name(-code)}"
    words = _tail(child.last_words(), _LAST_CHARACTERS_AT_MOST)
    return f"{child.name} {how}:\n{words}" if words else f"{child.name} {how}"


def _tail(text: str, characters_at_most: int) -> str:
    """The last whole lines that fit, since the last ones say most."""
    if len(text) <= characters_at_most:
        return text
    cut = text[-characters_at_most:]
    return cut.partition("\n")[2] or cut


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
