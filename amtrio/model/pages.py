"""How long a page is, and pages of a conversation's messages, next to a cursor.

Knows SQL and what clients take for a place in a conversation. Knows no route, and not who may read.
"""

from __future__ import annotations

from amtrio.clock import micros_of
from amtrio.errors import NotFound
from amtrio.model.message import MESSAGE_COLUMNS, MESSAGE_FROM
from amtrio.protocol.frames import Command
from amtrio.store.database import ReadTx, Row

MAX_PAGE = 200
DEFAULT_PAGE = 50


def page_size(limit: int | None, *, most: int = MAX_PAGE) -> int:
    """How many a page holds that was asked for with this limit; one that cannot be had is as good as none."""
    return limit if limit is not None and 1 <= limit <= most else DEFAULT_PAGE


class AskPage(Command, frozen=True, kw_only=True):
    """
    Which page.

    Attributes:
        before, after: a message id, a conversation_seq or a time; only what is strictly older or newer.
        limit: 1 to 200; anything else means 50, as older clients expect.
    """

    conversation_id: str
    before: str | int | None = None
    after: str | int | None = None
    limit: int | None = None


def page(tx: ReadTx, frame: AskPage, condition: str = "") -> tuple[list[Row], bool]:
    """
    `MESSAGE_COLUMNS` in ascending order, and whether there is more on that side.

    Args:
        frame: of a conversation that the asker may see.
        condition: SQL that goes on behind the WHERE clause, about `m` (message); never anything that a client said.

    Raises:
        NotFound: the cursor names no message of the conversation, and no time.
    """
    limit = page_size(frame.limit)
    low = _seq_at_or_before(tx, frame.conversation_id, frame.after, is_before=False)
    high = _seq_at_or_before(tx, frame.conversation_id, frame.before, is_before=True)
    ascending = frame.after is not None and frame.before is None
    rows = tx.all(
        f"""
        SELECT {MESSAGE_COLUMNS} FROM {MESSAGE_FROM}
        WHERE m.conversation_id = :id AND m.seq > :low AND m.seq < :high {condition}
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
    at_us = micros_of(cursor)
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
