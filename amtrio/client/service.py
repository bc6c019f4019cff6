"""What an agent does with what its connection tells: which message is handled when, and what is told to whom.

Knows events and turns. What happens in a turn stands in `turn`.
"""

from __future__ import annotations

import logging
import re
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import anyio
from anyio.abc import TaskGroup

from amtrio.client.card import Card
from amtrio.client.connection import Connection
from amtrio.client.errors import ClientError, Refused, Unreadable
from amtrio.client.events import (
    Event,
    Gone,
    Message,
    MessageDeleted,
    MessageEdited,
    MessagePosted,
    Offline,
    OneTimeKeysLow,
    Online,
    QuestionAnswered,
    QuestionClosed,
    RunEnded,
    Snapshot,
)
from amtrio.client.outgoing_run import Control, RunEnd
from amtrio.client.questions import Questions
from amtrio.client.shapes import Question
from amtrio.client.turn import Handler, OnError, Turn
from amtrio.client.turns import Turns

if TYPE_CHECKING:  # what is encrypted is loaded by who encrypts
    from amtrio.client.vault import Opened, Vault

log = logging.getLogger("amtrio.client")

# What was said into a run comes by two ways: ids of what was read, for when the log is late. A run is steered a few
# times at most.
_READ_AT_MOST: Final = 1000
# The largest page of history that there is.
_PAGE: Final = 200


@dataclass(frozen=True, slots=True)
class _Job:
    message: Message
    when_done: Callable[[], None]


class Service:
    """
    One agent on one connection.

    Everything the log tells is taken at once, so that what a handler waits for never stands behind messages that wait
    for their turn. What people wrote meanwhile is kept here; their budgets bound how much that is.
    """

    def __init__(
        self,
        connection: Connection,
        handler: Handler,
        *,
        card: Card,
        concurrency: int,
        shows_typing: bool,
        accepts_encrypted: bool,
        on_error: OnError,
        report: Callable[[str], None],
        vault: Vault | None = None,
    ) -> None:
        self._connection = connection
        self._handler = handler
        self._card = card
        self._shows_typing = shows_typing
        self._accepts_encrypted = accepts_encrypted
        self._on_error = on_error
        self._report = report
        self._vault = vault
        self._questions = Questions(connection.rest.message)
        self._turns: Turns[_Job] = Turns(concurrency)
        self._active: dict[str, Turn] = {}
        self._read: OrderedDict[str, None] = OrderedDict()
        self._introducing: anyio.CancelScope | None = None
        self._takers: Mapping[type[Event], Callable[[Any], None]] = {
            Online: self._online,
            Offline: self._offline,
            Snapshot: self._catch_up,
            Gone: self._gone,
            MessagePosted: self._posted,
            MessageEdited: self._edited,
            MessageDeleted: self._deleted,
            QuestionAnswered: self._question_settled,
            QuestionClosed: self._question_settled,
            RunEnded: self._run_ended,
            OneTimeKeysLow: self._keys_low,
        }
        self._tasks: TaskGroup

    async def run(self) -> None:
        """
        Until cancelled.

        Raises:
            ClientError: the connection has ended for good.
        """
        failure: ClientError | None = None
        async with anyio.create_task_group() as self._tasks:
            try:
                async for event in self._connection:
                    self._takers.get(type(event), self._connection.done)(event)
            except ClientError as exc:
                failure = exc  # raised outside of the group, which would wrap it
                self._tasks.cancel_scope.cancel()
        if failure is not None:
            raise failure

    # ---------------------------------------------------------------------------------------------- the connection

    def _online(self, event: Online) -> None:
        self._report(f"{event.id} is online")
        if self._introducing is not None:
            self._introducing.cancel()
        self._introducing = anyio.CancelScope()
        self._tasks.start_soon(self._introduce, self._introducing)

    def _offline(self, event: Offline) -> None:
        self._report(f"connection lost ({event.reason}), trying again")

    async def _introduce(self, scope: anyio.CancelScope) -> None:
        with scope:
            try:
                await self._connection.send("card", **self._card.fields())
            except Refused as exc:
                self._report(f"the server did not take the card: {exc}")
            except ClientError:
                return  # whoever iterates hears of it
            await self._publish()

    def _keys_low(self, event: OneTimeKeysLow) -> None:
        self._tasks.start_soon(self._publish)
        self._connection.done(event)

    async def _publish(self) -> None:
        """Also after a reconnect: the server may be one from before these keys, out of a backup."""
        if self._vault is None:
            return
        try:
            await self._vault.publish(self._connection.rest, f"agent:{self._connection.rest.agent_id}")
        except ClientError as exc:
            self._report(f"the keys for encryption were not published: {exc}")

    def _catch_up(self, snapshot: Snapshot) -> None:
        """The log could not tell all: handle what was not taken, or written after our last word."""
        waiting = [
            message for conversation in snapshot.conversations for message in self._unanswered(conversation.messages)
        ]
        left = len(waiting)

        def one_less() -> None:
            nonlocal left
            left -= 1
            if left <= 0:
                self._connection.done(snapshot)

        for message in waiting:
            self._queue(message, one_less)
        if not waiting:
            one_less()
        for message_id in self._questions.missed():
            self._tasks.start_soon(self._questions.look_at, message_id)

    def _unanswered(self, messages: list[Message]) -> list[Message]:
        last = max((each.conversation_seq for each in messages if each.sender_type == "agent"), default=0)
        return [each for each in messages if self._is_for_us(each) and (each.queued or each.conversation_seq > last)]

    def _gone(self, event: Gone) -> None:
        if event.skipped and event.conversation_id is not None:
            # Connections that broke early, several times, look to the server like a message that kills its reader.
            self._tasks.start_soon(self._fetch_what_was_skipped, event, event.conversation_id)
        else:
            self._connection.done(event)

    async def _fetch_what_was_skipped(self, event: Gone, conversation_id: str) -> None:
        try:
            page = await self._connection.history(conversation_id, limit=_PAGE)
        except Refused:
            pass  # the conversation is gone
        except ClientError:
            return  # whoever iterates hears of it
        else:
            for message in self._unanswered(page.messages):
                self._queue(message, _nothing)
        self._connection.done(event)

    # ---------------------------------------------------------------------------------------------------- messages

    def _posted(self, event: MessagePosted) -> None:
        message, when_done = event.message, partial(self._connection.done, event)
        if not self._is_for_us(message):
            if message.run is not None:
                end = RunEnd(
                    outcome=message.run.outcome,
                    message_id=message.message_id,
                    conversation_seq=message.conversation_seq,
                )
                self._connection.runs.heard_end(message.run.run_id, end)
            when_done()
        elif message.message_id in self._read:
            when_done()
        elif message.steers is not None and message.steers in self._active:
            turn = self._active[message.steers]
            turn.said_into[message.message_id] = (message, when_done)
            control = Control(
                control_id=message.message_id, action="steer", text=message.content, message_id=message.message_id
            )
            turn.run.steer(control)
        else:
            self._queue(message, when_done)

    def _is_for_us(self, message: Message) -> bool:
        is_readable = message.kind != "encrypted" or self._accepts_encrypted or self._vault is not None
        return message.sender_type == "client" and not message.deleted and is_readable

    def _edited(self, event: MessageEdited) -> None:
        """What waits is handled as it reads then."""
        job = self._turns.get(event.message.message_id)
        if job is not None:
            self._turns.replace(event.message.message_id, replace(job, message=event.message))
        self._connection.done(event)

    def _deleted(self, event: MessageDeleted) -> None:
        """Withdrawn or deleted before its turn: never handled."""
        job = self._turns.withdraw(event.message_id)
        if job is not None:
            job.when_done()
        # A deleted message asks nothing, and nothing else is told of it.
        self._questions.heard(event.message_id, Question(state="closed"))
        self._connection.done(event)

    def _question_settled(self, event: QuestionAnswered | QuestionClosed) -> None:
        self._questions.heard(event.message_id, event.question)
        self._connection.done(event)

    def _run_ended(self, event: RunEnded) -> None:
        self._connection.runs.heard_end(event.run_id, RunEnd(outcome=event.outcome))
        self._connection.done(event)

    # ------------------------------------------------------------------------------------------------------- turns

    def _queue(self, message: Message, when_done: Callable[[], None]) -> None:
        if not self._turns.add(message.conversation_id, message.message_id, _Job(message, when_done)):
            when_done()
        self._begin()

    def _begin(self) -> None:
        while (begun := self._turns.begin()) is not None:
            self._tasks.start_soon(self._play, *begun)

    async def _play(self, conversation_id: str, job: _Job) -> None:
        await anyio.lowlevel.checkpoint()  # an agent that is being ended begins nothing
        try:
            opened = await self._opened(job.message)
        except Unreadable as exc:
            if not self._accepts_encrypted:
                self._pass_over(conversation_id, job, exc)
                return
            opened = None
        turn = Turn(
            self._connection,
            job.message,
            self._handler,
            questions=self._questions,
            shows_typing=self._shows_typing,
            on_error=self._on_error,
            opened=opened,
        )
        self._active[turn.run_id] = turn
        try:
            await turn.play()
        finally:
            del self._active[turn.run_id]
            if turn.is_settled:
                job.when_done()
                self._settle_what_was_read(turn)
        self._turns.end(conversation_id)
        # What nobody read is a message like others, so that it is not lost.
        for control in turn.unread:
            if control.message_id in turn.said_into:
                self._queue(*turn.said_into[control.message_id])
        self._begin()

    async def _opened(self, message: Message) -> tuple[Vault, Opened] | None:
        """
        What an encrypted message says, and who could tell; None if it came in the clear, or nobody can.

        Raises:
            Unreadable: it says why.
        """
        if self._vault is None or message.kind != "encrypted":
            return None
        opened = await self._vault.open(message)
        if opened.peer_is != "known":
            number = await self._vault.safety_number(opened.peer) or ""
            news = (
                "has other keys than before" if opened.peer_is == "changed" else "writes encrypted for the first time"
            )
            self._report(f"{opened.peer} {news}; safety number {' '.join(re.findall('.{5}', number))}")
        if opened.missing:
            self._report(f"the server lacks {len(opened.missing)} files of message {message.message_id}")
        return self._vault, opened

    def _pass_over(self, conversation_id: str, job: _Job, reason: Unreadable) -> None:
        """Nothing is answered to what nobody can read; whoever runs the agent hears of it."""
        message = job.message
        log.warning("message %s of %s: %s", message.message_id, message.sender_id, reason)
        self._report(f"an encrypted message of {message.sender_id} was passed over: {reason}")
        if message.queued:
            self._connection.post("message_take", message_id=message.message_id)
        job.when_done()
        self._turns.end(conversation_id)
        self._begin()

    def _settle_what_was_read(self, turn: Turn) -> None:
        for message_id in turn.run.steered_by - {control.message_id for control in turn.unread}:
            if message_id in turn.said_into:
                _, when_done = turn.said_into[message_id]
                when_done()
            else:
                self._read[message_id] = None
                if len(self._read) > _READ_AT_MOST:
                    self._read.popitem(last=False)


def _nothing() -> None: ...
