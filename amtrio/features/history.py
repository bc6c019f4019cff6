"""Reading messages: pages of a conversation, one message, and the log's rows as messages again.

Knows frames and SQL. Knows nothing of sockets, HTTP or who is online.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import msgspec

from amtrio.clock import MICROS_PER_SECOND
from amtrio.conversation import members
from amtrio.errors import NotFound
from amtrio.feature import Answer, Context, command, get, replay
from amtrio.feature import Services as Services  # noqa: PLC0414 - read by type hints of removals
from amtrio.message import (
    MESSAGE_COLUMNS,
    MESSAGE_FROM,
    Message,
    MessageDeleted,
    MessageEdited,
    MessagePosted,
    MessageView,
    message,
    message_row,
    message_view,
    read_marks,
    visible_message,
)
from amtrio.protocol.frames import Command, Reply
from amtrio.store.database import ReadTx, Row
from amtrio.store.log import LogRow, head

MAX_PAGE = 200
DEFAULT_PAGE = 50


class AskMessage(msgspec.Struct, frozen=True, kw_only=True):
    """Which one."""

    message_id: str


@get("/messages/<message_id>")
def one_message(tx: ReadTx, ctx: Context, request: AskMessage) -> MessageView:
    """One message as it is now."""
    row, _ = visible_message(tx, request.message_id, ctx.principal.account)
    return message_view(tx, row, viewer=ctx.principal.account, user_agent=ctx.user_agent)


class AskHistory(Command, frozen=True, kw_only=True):
    """
    A page of a conversation.

    Attributes:
        before, after: a message id, a conversation_seq or a time; only what is strictly older or newer.
        limit: 1 to 200; anything else means 50, as older clients expect.
    """

    conversation_id: str
    before: str | int | None = None
    after: str | int | None = None
    limit: int | None = None


class History(Reply, frozen=True, kw_only=True, omit_defaults=False):
    """Messages in ascending order, true at `{epoch, seq}` of the account's log."""

    type = "history"
    conversation_id: str
    messages: list[Message]
    has_more: bool
    epoch: str
    seq: int


@command("history", reads=True)
def history(tx: ReadTx, ctx: Context, frame: AskHistory) -> History:
    """The newest page, or the one next to a cursor."""
    rows, has_more = _page(tx, ctx, frame)
    return History(
        conversation_id=frame.conversation_id,
        messages=[message(tx, Message, row, viewer=ctx.principal.account) for row in rows],
        has_more=has_more,
        epoch=ctx.store.epoch,
        seq=head(tx, ctx.principal.account)[1],
    )


@get("/conversations/<conversation_id>/messages")
def list_messages(tx: ReadTx, ctx: Context, request: AskHistory) -> Answer[list[MessageView]]:
    """The same page for REST, as the bare array that older clients read."""
    rows, has_more = _page(tx, ctx, request)
    read = read_marks(tx, request.conversation_id)
    who, user_agent = ctx.principal.account, ctx.user_agent
    return Answer(
        [message_view(tx, row, viewer=who, user_agent=user_agent, read=read) for row in rows],
        headers={
            "X-Amtrio-Epoch": ctx.store.epoch,
            "X-Amtrio-Seq": str(head(tx, ctx.principal.account)[1]),
            "X-Amtrio-Has-More": "true" if has_more else "false",
        },
    )


def _page(tx: ReadTx, ctx: Context, frame: AskHistory) -> tuple[list[Row], bool]:
    members(tx, frame.conversation_id, ctx.principal.account)
    limit = frame.limit if frame.limit is not None and 1 <= frame.limit <= MAX_PAGE else DEFAULT_PAGE
    low = _seq_at_or_before(tx, frame.conversation_id, frame.after, is_before=False)
    high = _seq_at_or_before(tx, frame.conversation_id, frame.before, is_before=True)
    ascending = frame.after is not None and frame.before is None
    rows = tx.all(
        f"""
        SELECT {MESSAGE_COLUMNS} FROM {MESSAGE_FROM}
        WHERE m.conversation_id = :id AND m.seq > :low AND m.seq < :high
        ORDER BY m.seq {"ASC" if ascending else "DESC"} LIMIT :limit""",  # noqa: S608 - our own words
        id=frame.conversation_id,
        low=low,
        high=high,
        limit=limit + 1,
    )
    has_more, rows = len(rows) > limit, rows[:limit]
    return (rows if ascending else rows[::-1]), has_more


_NO_END = 2**62
_MANY_DIGITS = 20
_TIME = re.compile(r"^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:?\d\d)?$")


def _seq_at_or_before(tx: ReadTx, conversation_id: str, cursor: str | int | None, *, is_before: bool) -> int:
    """
    The number a cursor stands for: exclusive bound of the page.

    A time is resolved to a number first, since clocks jump and numbers do not: the newest message that is older
    (`before`) or not newer (`after`).
    """
    if cursor is None or cursor == "":
        return _NO_END if is_before else 0
    if isinstance(cursor, str) and cursor.isdecimal():
        # Python refuses to read thousands of digits, SQLite to compare with more than 64 bits.
        cursor = int(cursor) if len(cursor) < _MANY_DIGITS else _NO_END
    if isinstance(cursor, int):
        return max(0, min(cursor, _NO_END))
    row = tx.one("SELECT seq FROM message WHERE id = :id AND conversation_id = :c", id=cursor, c=conversation_id)
    if row is not None:
        return int(row[0])
    at_us = _micros(cursor)
    if at_us is None:
        text = f"no message {cursor[:64]!r} here; a cursor is a message id, a conversation_seq or an RFC 3339 time"
        raise NotFound(text)
    if not is_before:
        # Times are shown to the millisecond: what was shown at this one is not newer than it.
        at_us += 999 - at_us % 1000
    row = tx.one(
        f"""
        SELECT seq FROM message WHERE conversation_id = :c AND created_us {"<" if is_before else "<="} :at
        ORDER BY seq DESC LIMIT 1""",  # noqa: S608 - our own words
        c=conversation_id,
        at=at_us,
    )
    seq = int(row[0]) if row is not None else 0
    return seq + 1 if is_before else seq


def _micros(text: str) -> int | None:
    """RFC 3339 with any fraction, or the older server's spelling with a space; None if neither."""
    match = _TIME.match(text.replace(" ", "+") if "+" not in text and text.count(" ") == 1 and "T" in text else text)
    if match is None:
        return None
    day, time_, fraction, zone = match.groups()
    try:
        moment = datetime.fromisoformat(f"{day}T{time_}{'+00:00' if zone in (None, 'Z') else zone}")
        return int(moment.astimezone(UTC).timestamp()) * MICROS_PER_SECOND + int((fraction or "0").ljust(6, "0")[:6])
    except (ValueError, OverflowError):
        return None


@replay("message")
def replay_posted(tx: ReadTx, account: str, row: LogRow) -> Message | None:
    """Today's truth: the new text of an edited message, a tombstone of a deleted one."""
    return _replayed(tx, account, row, MessagePosted)


@replay("message_edited")
def replay_edited(tx: ReadTx, account: str, row: LogRow) -> Message | None:
    return _replayed(tx, account, row, MessageEdited)


@replay("message_deleted")
def replay_deleted(tx: ReadTx, account: str, row: LogRow) -> Message | None:
    return _replayed(tx, account, row, MessageDeleted)


def _replayed(tx: ReadTx, account: str, row: LogRow, shape: type[Any]) -> Message | None:
    del account
    found = message_row(tx, row.subject_id or "")
    if found is None:
        return None
    event: Message = message(tx, shape, found)
    return event
