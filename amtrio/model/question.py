"""Questions: what may be chosen from in answer to a message, and what was chosen.

A question is open until it is answered, closed by the agent, or expired; each is for good, and whichever comes first in
the one write transaction has won. Knows SQL and wire names. Knows no command, no route, no socket.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from amtrio.clock import MICROS_PER_SECOND, rfc3339
from amtrio.context import id_of
from amtrio.errors import Answered, Closed, Malformed
from amtrio.model.conversation import checked_line
from amtrio.protocol.codec import encode
from amtrio.protocol.frames import ID_PATTERN
from amtrio.store.database import ReadTx, Row, Tx

# What fits on a button, and below it. Discord has 80 and 100, Slack 75 and none.
MAX_LABEL = 100
MAX_DESCRIPTION = 300
MAX_ANSWER_TEXT = 4000
MAX_EXPIRY_SECONDS = 30 * 24 * 3600
EXPIRED_AT_ONCE = 100

State = Literal["open", "answered", "expired", "closed"]
OptionId = Annotated[str, Meta(pattern=ID_PATTERN)]
Label = Annotated[str, Meta(extra_json_schema={"minLength": 1, "maxLength": MAX_LABEL})]


class Option(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """
    One of the buttons.

    Attributes:
        id: the agent's own name for it, which the answer repeats.
        style: how weighty it looks; `danger` for what cannot be undone.
    """

    id: OptionId
    label: Label
    description: Annotated[str, Meta(max_length=MAX_DESCRIPTION)] | None = None
    style: Literal["default", "primary", "danger"] = "default"


class AskedQuestion(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """
    What an agent wants to know; the text of the question is the message's content.

    Attributes:
        multiple: more than one may be chosen. free_text: a text may be said instead, or besides.
        expires_in_s: from when it is stored; without it the question stays open.
    """

    options: Annotated[tuple[Option, ...], Meta(min_length=1, max_length=25)]
    multiple: bool = False
    free_text: bool = False
    expires_in_s: Annotated[int, Meta(ge=1, le=MAX_EXPIRY_SECONDS)] | None = None


class Chosen(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """
    The answer.

    Attributes:
        option_ids: in the order of the options.
        answered_by: user id.
    """

    option_ids: tuple[str, ...]
    text: str | msgspec.UnsetType = msgspec.UNSET
    answered_by: str
    answered_at: str


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """
    A question as it is now.

    Attributes:
        expires_at: no answer is taken from then on.
        state: `expired` and `closed` (by the agent) take no answer any more.
    """

    options: tuple[Option, ...]
    multiple: bool
    free_text: bool
    state: State
    expires_at: str | msgspec.UnsetType = msgspec.UNSET
    answer: Chosen | msgspec.UnsetType = msgspec.UNSET


_COLUMNS = """options, is_multiple, takes_text, state, expires_us, option_ids, answer_text, answered_by_key,
answered_us"""
_OPTIONS = msgspec.json.Decoder(tuple[Option, ...])
_IDS = msgspec.json.Decoder(tuple[str, ...])
# Whether it still takes an answer: the moment counts, not when somebody gets round to closing it.
_TAKES_ANSWER = "state = 'open' AND (expires_us IS NULL OR expires_us > :at)"


def checked_question(asked: AskedQuestion) -> AskedQuestion:
    """
    A question as it is stored.

    Raises:
        Malformed: two options of one id, or a label that is no line.
    """
    ids = [each.id for each in asked.options]
    for id_ in ids:
        if ids.count(id_) > 1:
            text = f"question.options: the id {id_!r} twice"
            raise Malformed(text)
    labels = [checked_line("question.options: a label", each.label, MAX_LABEL) for each in asked.options]
    options = (msgspec.structs.replace(each, label=label) for each, label in zip(asked.options, labels, strict=True))
    return msgspec.structs.replace(asked, options=tuple(options))


def ask(tx: Tx, message_id: str, asked: AskedQuestion) -> Question:
    """Let a message that is stored already ask this, as `checked_question` returned it."""
    expires_us = tx.at_us + asked.expires_in_s * MICROS_PER_SECOND if asked.expires_in_s is not None else None
    tx.run(
        """
        INSERT INTO question (message_id, options, is_multiple, takes_text, expires_us)
        VALUES (:id, :options, :is_multiple, :takes_text, :expires_us)""",
        id=message_id,
        options=encode(asked.options).decode(),
        is_multiple=int(asked.multiple),
        takes_text=int(asked.free_text),
        expires_us=expires_us,
    )
    return Question(
        options=asked.options,
        multiple=asked.multiple,
        free_text=asked.free_text,
        state="open",
        expires_at=rfc3339(expires_us) if expires_us is not None else msgspec.UNSET,
    )


def question_of(tx: ReadTx, message_id: str) -> Question | None:
    """What a message asks; None if it asks nothing."""
    row = tx.one(f"SELECT {_COLUMNS} FROM question WHERE message_id = :id", id=message_id)  # noqa: S608 - our own list
    return _shown(row) if row is not None else None


def _shown(row: Row) -> Question:
    options, is_multiple, takes_text, state, expires_us, option_ids, text, answered_by, answered_us = row
    return Question(
        options=_OPTIONS.decode(options),
        multiple=bool(is_multiple),
        free_text=bool(takes_text),
        state=state,
        expires_at=rfc3339(expires_us) if expires_us is not None else msgspec.UNSET,
        answer=Chosen(
            option_ids=_IDS.decode(option_ids),
            text=text if text is not None else msgspec.UNSET,
            answered_by=id_of(answered_by),
            answered_at=rfc3339(answered_us),
        )
        if state == "answered"
        else msgspec.UNSET,
    )


def answer(tx: Tx, message_id: str, account: str, option_ids: Sequence[str], text: str | None) -> Question:
    """
    Answer a question; the first valid answer is the answer.

    Args:
        message_id: of a message that asks something. account: key of who answers.

    Returns:
        The question as it is now.

    Raises:
        Malformed: nothing that it asks for was chosen. Answered: somebody was faster. Closed: closed or expired.
    """
    before = _present(tx, message_id)
    if before.state == "open":
        _check_answer(before, option_ids, text)
    chosen = tuple(each.id for each in before.options if each.id in option_ids)
    is_first = tx.run(
        f"""
        UPDATE question SET state = 'answered', option_ids = :chosen, answer_text = :text, answered_by_key = :account,
            answered_us = :at
        WHERE message_id = :id AND {_TAKES_ANSWER}""",  # noqa: S608 - our own words
        chosen=encode(chosen).decode(),
        text=text if text and text.strip() else None,
        account=account,
        at=tx.at_us,
        id=message_id,
    )
    if not is_first:
        _refuse_if_answered(before)
        text = "the question takes no answer any more"
        raise Closed(text)
    return _present(tx, message_id)


def _present(tx: ReadTx, message_id: str) -> Question:
    found = question_of(tx, message_id)
    assert found is not None, "the caller has looked"
    return found


def _check_answer(asked: Question, option_ids: Sequence[str], text: str | None) -> None:
    known = {each.id for each in asked.options}
    problem = None
    if unknown := [each for each in option_ids if each not in known]:
        problem = f"option_ids: there is no option {unknown[0][:64]!r}"
    elif len(set(option_ids)) < len(option_ids):
        problem = "option_ids: the same option twice"
    elif len(option_ids) > 1 and not asked.multiple:
        problem = "option_ids: this question takes one"
    elif text and not asked.free_text:
        problem = "text: this question takes options alone"
    elif not option_ids and not (text and text.strip()):
        problem = "option_ids or text: an answer is needed" if asked.free_text else "option_ids: an answer is needed"
    if problem is not None:
        raise Malformed(problem)


def _refuse_if_answered(asked: Question) -> None:
    if asked.answer is not msgspec.UNSET:
        text = "somebody has answered already"
        raise Answered(text, details={"answer": msgspec.to_builtins(asked.answer)})


def close(tx: Tx, message_id: str) -> Question | None:
    """
    Let a question take no answer any more.

    Args:
        message_id: of a message that asks something.

    Returns:
        The question as it is now; None if it took none before.

    Raises:
        Answered: somebody was faster.
    """
    before = _present(tx, message_id)
    _refuse_if_answered(before)
    is_changed = tx.run("UPDATE question SET state = 'closed' WHERE message_id = :id AND state = 'open'", id=message_id)
    return _present(tx, message_id) if is_changed else None


def next_expiry_us(tx: ReadTx) -> int | None:
    """When the next open question expires; None if none does."""
    row = tx.one("SELECT min(expires_us) FROM question WHERE state = 'open' AND expires_us IS NOT NULL")
    return row[0] if row is not None else None


def expire(tx: Tx) -> list[tuple[str, Question]]:
    """Let some of the questions whose time is over take no answer any more: message id and question of each."""
    rows = tx.all(
        f"""
        UPDATE question SET state = 'expired' WHERE message_id IN (
            SELECT message_id FROM question WHERE state = 'open' AND expires_us IS NOT NULL AND expires_us <= :at
            ORDER BY expires_us LIMIT :limit)
        RETURNING message_id, {_COLUMNS}""",  # noqa: S608 - our own column list
        at=tx.at_us,
        limit=EXPIRED_AT_ONCE,
    )
    return [(message_id, _shown(tuple(row))) for message_id, *row in rows]


def forget(tx: Tx, message_id: str) -> None:
    """A question goes with its message, and so does its answer; nobody is told twice."""
    tx.run("DELETE FROM question WHERE message_id = :id", id=message_id)
