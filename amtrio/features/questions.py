"""Questions with buttons: a person answers what an agent asked, the agent lets go of it, or its time is over.

Asking is part of saying something, in `messages`. Knows frames and SQL. Knows nothing of sockets, HTTP or who is
online.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, TypeVar

from msgspec import Meta

from amtrio.context import Context, Services
from amtrio.errors import Closed, NotFound
from amtrio.feature import chore, command, post, replay
from amtrio.model.message import MessageRow, visible_message
from amtrio.model.question import MAX_ANSWER_TEXT, Question, answer, close, expire, next_expiry_us, question_of
from amtrio.protocol.frames import ClientId, Command, Event, Reply
from amtrio.store.database import ReadTx, Tx
from amtrio.store.log import LogRow


class QuestionChanged(Event, frozen=True, kw_only=True):
    """What both kinds of news share: the question as it is now, for good."""

    message_id: str
    conversation_id: str
    question: Question

    @property
    def log_conversation(self) -> str:
        return self.conversation_id

    @property
    def log_subject(self) -> str:
        return self.message_id


class QuestionAnswered(QuestionChanged, frozen=True, kw_only=True):
    """A person has answered."""

    type: ClassVar[str] = "question_answered"
    log_kind: ClassVar[str] = "question_answered"


class QuestionClosed(QuestionChanged, frozen=True, kw_only=True):
    """It takes no answer any more: its time is over, or the agent has no need of one."""

    type: ClassVar[str] = "question_closed"
    log_kind: ClassVar[str] = "question_closed"


Q = TypeVar("Q", bound=QuestionChanged)


class AnswerQuestion(Command, frozen=True, kw_only=True):
    """
    What a person chooses.

    Attributes:
        option_ids: one, or at least one of a question that takes more; none if a text says it all.
        text: of a question that takes one.
    """

    message_id: str
    option_ids: tuple[str, ...] = ()
    text: Annotated[str, Meta(max_length=MAX_ANSWER_TEXT)] | None = None
    client_id: ClientId | None = None


class AnswerTaken(Reply, frozen=True, kw_only=True, omit_defaults=False):
    """This is the answer; nobody else can give another one."""

    status: str = "answered"
    message_id: str
    conversation_id: str
    question: Question


@post("/messages/<message_id>/answer", who="user")
@command("answer", who="user")
def answer_question(tx: Tx, ctx: Context, frame: AnswerQuestion) -> AnswerTaken:
    """
    Answer what an agent asked.

    Raises:
        NotFound: no such message in a conversation of the asker, or it asks nothing.
        Malformed: the question takes no such answer.
        Answered: somebody was faster. Closed: it is closed, expired, or deleted.
    """
    row, accounts = _asking(tx, ctx, frame.message_id)
    question = answer(tx, frame.message_id, ctx.principal.account, frame.option_ids, frame.text)
    event = QuestionAnswered(message_id=frame.message_id, conversation_id=row.conversation_id, question=question)
    tx.announce(event, accounts, device=ctx.principal.device)
    return AnswerTaken(message_id=frame.message_id, conversation_id=row.conversation_id, question=question)


class CloseQuestion(Command, frozen=True, kw_only=True):
    """Nobody needs to answer any more."""

    message_id: str
    client_id: ClientId | None = None


class CloseDone(Reply, frozen=True, kw_only=True, omit_defaults=False):
    """The question takes no answer."""

    status: str = "closed"
    message_id: str
    conversation_id: str


@post("/messages/<message_id>/question/close", who="agent")
@command("question_close", who="agent")
def close_question(tx: Tx, ctx: Context, frame: CloseQuestion) -> CloseDone:
    """
    Let go of a question; one that is closed or expired already stays as it is.

    Only agents ask, and there is one in a conversation: what is asked there is the asker's own.

    Raises:
        NotFound: no such message in a conversation of the agent, or it asks nothing.
        Answered: somebody was faster. Closed: the message is deleted.
    """
    row, accounts = _asking(tx, ctx, frame.message_id)
    question = close(tx, frame.message_id)
    if question is not None:
        event = QuestionClosed(message_id=frame.message_id, conversation_id=row.conversation_id, question=question)
        tx.announce(event, accounts, device=ctx.principal.device)
    return CloseDone(message_id=frame.message_id, conversation_id=row.conversation_id)


def _asking(tx: ReadTx, ctx: Context, message_id: str) -> tuple[MessageRow, list[str]]:
    """A message that asks something, and the members."""
    row, accounts = visible_message(tx, message_id, ctx.principal.account)
    if row.deleted_us is not None:
        text = "the message is deleted"
        raise Closed(text)
    if question_of(tx, message_id) is None:
        text = f"message {message_id!r} asks nothing"
        raise NotFound(text)
    return row, accounts


# An answer that comes too late is refused by the clock, however late this is.
@chore(every_seconds=2)
async def expire_questions(services: Services) -> None:
    """Tell who asked and who was asked that the time is over."""
    while True:
        next_us = await services.store.read(next_expiry_us)
        if next_us is None or next_us > services.clock.now_us():
            return
        await services.store.write(_expire)


def _expire(tx: Tx) -> None:
    for message_id, question in expire(tx):
        rows = tx.all(
            """
            SELECT m.conversation_id, who.account_key FROM message m
            JOIN member who ON who.conversation_id = m.conversation_id AND who.left_at_seq IS NULL
            WHERE m.id = :id""",
            id=message_id,
        )
        if rows:
            event = QuestionClosed(message_id=message_id, conversation_id=rows[0][0], question=question)
            tx.announce(event, [account for _, account in rows])


@replay("question_answered")
def replay_answered(tx: ReadTx, account: str, row: LogRow) -> QuestionAnswered | None:
    """Nothing of one whose message was deleted since; that has a number of its own."""
    del account
    return _replayed(tx, row, QuestionAnswered)


@replay("question_closed")
def replay_closed(tx: ReadTx, account: str, row: LogRow) -> QuestionClosed | None:
    """Likewise."""
    del account
    return _replayed(tx, row, QuestionClosed)


def _replayed(tx: ReadTx, row: LogRow, shape: type[Q]) -> Q | None:
    message_id = row.subject_id or ""
    question = question_of(tx, message_id)
    if question is None:
        return None
    return shape(message_id=message_id, conversation_id=row.conversation_id or "", question=question)
