"""`amtrio chat --once`: say one thing, hand on the answer as it comes.

Knows the connection and where text goes. Knows no screen and no exit codes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import anyio
from anyio.abc import TaskGroup

from amtrio.cli.chat_drawing import safe
from amtrio.cli.chat_requests import open_conversation, picture_of_run, stop_run
from amtrio.cli.chat_runs import LiveRun, Runs
from amtrio.client import ClientError, Connection, MessageSent
from amtrio.client.events import (
    Event,
    Message,
    MessagePosted,
    Offline,
    RunDelta,
    RunEnded,
    RunSnapshot,
    TypingChanged,
)

# An agent that does not answer live may send several messages: it is done when it neither types nor writes for so long.
_ANSWER_SETTLES_S: Final = 1.0
_TYPING_LASTS_S: Final = 6.0


@dataclass(slots=True)
class Reply:
    """
    What comes back for one message. Pure state.

    Attributes:
        sent: ours, once the server has it. outcome: how the run that answers it ended, once it has; error: why.
        has_begun: there is something of the answer. has_messages: some of it is stored. has_written: there was news.
    """

    conversation_id: str
    sent: MessageSent | None = None
    runs: Runs = field(default_factory=Runs)
    outcome: str | None = None
    error: str | None = None
    typing_until: float = 0.0
    _messages: dict[int, Message] = field(default_factory=dict)
    _ended_empty: list[tuple[LiveRun, str]] = field(default_factory=list)
    _printed: dict[str, str] = field(default_factory=dict)
    _last: str | None = None

    def apply(self, event: Event, now: float) -> None:
        """Take in one event; what is said before the server has ours is kept until it is known what it belongs to."""
        match event:
            case MessagePosted():
                self._posted(event.message)
            case RunSnapshot() if event.conversation_id == self.conversation_id:
                self.runs.snapshot(event)
            case RunDelta() if event.conversation_id == self.conversation_id:
                self.runs.delta(event)
            case RunEnded():
                run = self.runs.end(event.run_id)
                if run is not None:
                    self._ended_empty.append((run, event.outcome))
            case TypingChanged() if event.conversation_id == self.conversation_id and event.sender_type == "agent":
                self.typing_until = now + _TYPING_LASTS_S if event.typing else 0.0
            case Offline():
                self.runs.lost()
            case _:
                pass
        self._look_for_end()

    def was_sent(self, sent: MessageSent) -> None:
        self.sent = sent
        self._look_for_end()

    def run(self) -> LiveRun | None:
        """The run that answers ours and goes on."""
        return next((run for run in self.runs.live.values() if self._is_ours(run.view.reply_to)), None)

    @property
    def has_begun(self) -> bool:
        return bool(self.run() or self._answers() or self.outcome)

    @property
    def has_written(self) -> bool:
        return self._last is not None

    @property
    def has_messages(self) -> bool:
        return bool(self._answers())

    def news(self) -> str:
        """What is to be written now, behind what was before; what terminals would obey is taken out."""
        if self.sent is None:
            return ""
        found = []
        for message in self._answers():
            if message.run is None:
                found.append(self._entry(message.message_id, _spoken(message)))
            elif any(part.kind == "text" for part in message.run.parts) or message.run.outcome == "done":
                found.append(self._entry(message.run.run_id, message.content))
        run = self.run()
        if run is not None:
            found.append(self._entry(run.run_id, run.text))
        return safe("".join(found))

    def _entry(self, key: str, text: str) -> str:
        """What is new of one message; a blank line stands between two of them."""
        before = self._printed.get(key, "")
        if text == before:
            return ""
        new = text[len(before) :] if text.startswith(before) else f"\n\n{text}"
        gap = "\n\n" if self._last not in {None, key} else ""
        self._printed[key], self._last = text, key
        return gap + new

    def _posted(self, message: Message) -> None:
        if message.conversation_id == self.conversation_id and message.sender_type == "agent" and not message.deleted:
            self.runs.posted(message)
            self._messages[message.conversation_seq] = message
            self.typing_until = 0.0

    def _answers(self) -> list[Message]:
        """The agent's messages after ours, but the ends of runs that answer somebody else's."""
        if self.sent is None:
            return []
        return [
            message
            for seq, message in sorted(self._messages.items())
            if seq > self.sent.conversation_seq
            and (message.run is None or message.reply_to is None or self._is_ours(message.reply_to))
        ]

    def _is_ours(self, reply_to: str | None) -> bool:
        return self.sent is not None and reply_to == self.sent.message_id

    def _look_for_end(self) -> None:
        for message in self._answers():
            if message.run is not None and self._is_ours(message.reply_to):
                self.outcome, self.error = message.run.outcome, message.run.error
        for run, outcome in self._ended_empty:
            if self._is_ours(run.view.reply_to):
                self.outcome = outcome


class Once:
    """
    One question and its answer.

    Args:
        write: gets the answer in pieces.
    """

    def __init__(self, connection: Connection, conversation_id: str, write: Callable[[str], None]) -> None:
        self.reply = Reply(conversation_id)
        self.was_interrupted = False
        self._connection = connection
        self._write = write
        self._changed = anyio.Event()
        self._over = anyio.Event()
        self._failure: ClientError | None = None

    async def ask(self, text: str, *, timeout_s: float) -> Reply:
        """
        Say it and write the answer until it is whole, or was interrupted before it began.

        Args:
            timeout_s: how long to wait for the answer to begin.

        Raises:
            ClientError: the connection has ended, or the server refused what was said.
        """
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._follow, tasks)
            tasks.start_soon(self._until_interrupted, tasks)
            with anyio.move_on_after(timeout_s) as waiting:
                await self._say(text)
                while not self.reply.has_begun and self._failure is None:
                    await self._changed.wait()
            if not waiting.cancelled_caught:
                await self._until_whole()
            tasks.cancel_scope.cancel()
        if self._failure is not None:
            raise self._failure
        return self.reply

    def interrupt(self) -> None:
        """Ctrl-C: stop the run; again, or if there is none, end without."""
        if self.was_interrupted or self.reply.run() is None:
            self._over.set()
        self.was_interrupted = True
        self._look_again()

    async def _say(self, text: str) -> None:
        try:
            self.reply.was_sent(await self._connection.send_message(text, conversation_id=self.reply.conversation_id))
        except ClientError as exc:
            self._failure = exc
        self._take_note()

    async def _follow(self, tasks: TaskGroup) -> None:
        try:
            async for event in self._connection:
                self.reply.apply(event, anyio.current_time())
                for run_id in self.reply.runs.take_missing():
                    tasks.start_soon(self._attach, run_id)
                self._take_note()
        except ClientError as exc:
            self._failure = exc
            self._look_again()

    async def _attach(self, run_id: str) -> None:
        try:
            picture = await picture_of_run(self._connection, run_id)
        except ClientError:
            return  # the connection has ended; _follow says so
        if picture is not None:
            self.reply.apply(picture, anyio.current_time())
            self._take_note()

    async def _until_interrupted(self, tasks: TaskGroup) -> None:
        is_told = False
        while not self._over.is_set():
            changed = self._changed
            run = self.reply.run()
            if self.was_interrupted and run is not None and not is_told:
                is_told = True
                tasks.start_soon(self._stop, run.run_id)
            await changed.wait()
        tasks.cancel_scope.cancel()

    async def _stop(self, run_id: str) -> None:
        try:
            await stop_run(self._connection, run_id)
        except ClientError:
            self._over.set()
            self._look_again()

    async def _until_whole(self) -> None:
        while self._failure is None and self.reply.outcome is None:
            changed = self._changed
            if self.reply.run() is not None or not self.reply.has_messages:
                await changed.wait()
                continue
            # Messages of an agent that does not answer live: nobody says that the last one has come.
            wait_s = max(self.reply.typing_until - anyio.current_time(), _ANSWER_SETTLES_S)
            with anyio.move_on_after(wait_s) as quiet:
                await changed.wait()
            if quiet.cancelled_caught:
                return

    def _take_note(self) -> None:
        news = self.reply.news()
        if news:
            self._write(news)
        self._look_again()

    def _look_again(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()


async def open_once(connection: Connection, agent_id: str, write: Callable[[str], None]) -> Once:
    """For the default conversation with an agent."""
    conversation = await open_conversation(connection, agent_id)
    return Once(connection, conversation.conversation_id, write)


def _spoken(message: Message) -> str:
    if message.question is None:
        return message.content
    return "\n".join([message.content, *(f"- {option.label}" for option in message.question.options)])
