"""How long a page is, in messages and in bytes, and pages of a conversation's messages, next to a cursor.

Knows SQL and what clients take for a place in a conversation. Knows no route, and not who may read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from msgspec import json

from amtrio.clock import micros_of
from amtrio.errors import NotFound
from amtrio.model.message import (
    HAS_ATTACHMENTS,
    HAS_QUESTION,
    HAS_REACTIONS,
    HAS_RUN,
    MESSAGE_COLUMNS,
    MESSAGE_FROM,
)
from amtrio.protocol.frames import Command
from amtrio.store.database import ReadTx, Row

MAX_PAGE = 200
DEFAULT_PAGE = 50
# Of JSON. No frame is longer than 900 KiB, and beside its page it may repeat a ref of nearly 64 KiB.
MAX_FRAME_PAGE_BYTES = 768 * 1024
# Over REST 50 messages of the longest text that can be sent, as most texts are, still fit into one page.
MAX_REST_PAGE_BYTES = 4 * 1024 * 1024


class Page(NamedTuple):
    """
    A page of messages.

    Attributes:
        rows: `MESSAGE_COLUMNS`, in ascending order. has_more: there are more behind its end.
        size: bytes of JSON, at most.
    """

    rows: list[Row]
    has_more: bool
    size: int


def page_size(limit: int | None, *, most: int = MAX_PAGE) -> int:
    """How many a page holds that was asked for with this limit; one that cannot be had is as good as none."""
    return limit if limit is not None and 1 <= limit <= most else DEFAULT_PAGE


class AskPage(Command, frozen=True, kw_only=True):
    """
    Which page.

    Attributes:
        before, after: a message id, a conversation_seq or a time; only what is strictly older or newer.
        limit: 1 to 200; anything else means 50, as older clients expect. A page that would be too long ends earlier.
    """

    conversation_id: str
    before: str | int | None = None
    after: str | int | None = None
    limit: int | None = None


def page(tx: ReadTx, frame: AskPage, condition: str = "", *, most_bytes: int) -> Page:
    """
    The page in ascending order: begun next to the cursor, it ends on the side on which there may be more.

    Args:
        frame: of a conversation that the asker may see.
        condition: SQL that goes on behind the WHERE clause, about `m` (message); never anything that a client said.
        most_bytes: of JSON, all messages together; it ends before it would be longer, unless it is a single message.

    Raises:
        NotFound: the cursor names no message of the conversation, and no time.
    """
    limit = page_size(frame.limit)
    low = _seq_at_or_before(tx, frame.conversation_id, frame.after, is_before=False)
    high = _seq_at_or_before(tx, frame.conversation_id, frame.before, is_before=True)
    ascending = frame.after is not None and frame.before is None
    bounds: dict[str, str | int] = {"id": frame.conversation_id, "low": low, "high": high}
    where = f"""
        WHERE m.conversation_id = :id AND m.seq > :low AND m.seq < :high {condition}
        ORDER BY m.seq {"ASC" if ascending else "DESC"} LIMIT :limit"""
    sized = tx.all(f"SELECT {SIZED} FROM message m {where}", **bounds, limit=limit + 1)  # noqa: S608 - our own words
    count, size = fitting(tx, sized[:limit], most_bytes=most_bytes)
    sql = f"SELECT {MESSAGE_COLUMNS} FROM {MESSAGE_FROM} {where}"  # noqa: S608 - our own words
    rows = tx.all(sql, **bounds, limit=count)
    return Page(rows if ascending else rows[::-1], len(sized) > count, size)


def _octets(column: str) -> str:
    """Bytes of a text that is JSON; `length` of a text counts characters."""
    return f"coalesce(length(CAST({column} AS BLOB)), 0)"


def _json_octets(column: str) -> str:
    """Bytes of a text that becomes JSON: a control character is six."""
    return f"length(CAST(json_quote({column}) AS BLOB))"


# At most so many bytes is a message as JSON, in an event or over REST. The fixed numbers are for names, ids and times,
# with ids of 64 characters wherever an agent may have chosen them.
_SIZE = f"""(1152 + {_json_octets("m.content")} + {_octets("m.metadata")} + {_octets("m.envelope")}
    + CASE WHEN m.extras = 0 THEN 0 ELSE
        CASE WHEN m.extras & {HAS_RUN} THEN coalesce((
            SELECT 256 + {_octets("body")} + {_octets("usage")} + {_json_octets("error")}
            FROM run WHERE message_id = m.id), 0) ELSE 0 END
        + CASE WHEN m.extras & {HAS_ATTACHMENTS} THEN coalesce((
            SELECT sum(640 + {_json_octets("filename")} + {_json_octets("content_type")})
            FROM attachment WHERE message_id = m.id), 0) ELSE 0 END
        + CASE WHEN m.extras & {HAS_REACTIONS} THEN coalesce((
            SELECT sum(384 + {_json_octets("emoji")}) FROM reaction WHERE message_id = m.id), 0) ELSE 0 END
        + CASE WHEN m.extras & {HAS_QUESTION} THEN coalesce((
            SELECT 320 + {_octets("options")} + {_octets("option_ids")} + {_json_octets("answer_text")}
            FROM question WHERE message_id = m.id), 0) ELSE 0 END
    END)"""  # noqa: S608 - our own words
# For `fitting`. A message with a run is not looked at yet: 200 of those may be 100 MB, of which one fits.
SIZED = f"m.rowid, CASE WHEN m.extras & {HAS_RUN} THEN NULL ELSE {_SIZE} END"
# They are looked at in slices, of about 8 MB at most.
_SLICE = 16
_LISTED = "json_each(:rowids) AS listed CROSS JOIN message m ON m.rowid = listed.value"
_SIZES = f"SELECT m.rowid, {_SIZE} FROM {_LISTED}"  # noqa: S608 - our own words
_MESSAGES = f"""
SELECT {MESSAGE_COLUMNS} FROM {_LISTED} CROSS JOIN conversation c ON c.id = m.conversation_id
ORDER BY listed.key"""  # noqa: S608 - our own words


def fitting(tx: ReadTx, sized: Sequence[Row], *, most_bytes: int, bytes_beside: int = 0) -> tuple[int, int]:
    """
    How many of these messages, from the first on, fit into a page, and the bytes of JSON that they are at most.

    At least one, however large it is. Asked before they are fetched: those which do not fit never leave the database.

    Args:
        sized: `SIZED` of each, in the order of the page.
        most_bytes: of JSON, all together. bytes_beside: of what stands beside each message.
    """
    count = total = 0
    for size in _sizes(tx, sized):
        if count and total + bytes_beside + size > most_bytes:
            break
        count += 1
        total += bytes_beside + size
    return count, total


def _sizes(tx: ReadTx, sized: Sequence[Row]) -> Iterator[int]:
    for first in range(0, len(sized), _SLICE):
        part = sized[first : first + _SLICE]
        unknown = [rowid for rowid, size in part if size is None]
        known: dict[int, int] = dict(tx.all(_SIZES, rowids=json.encode(unknown).decode())) if unknown else {}
        for rowid, size in part:
            yield known[rowid] if size is None else size


def messages(tx: ReadTx, rowids: Sequence[int]) -> list[Row]:
    """`MESSAGE_COLUMNS` of these messages, in this order; those that are gone are left out."""
    return tx.all(_MESSAGES, rowids=json.encode(rowids).decode())


_UNREAD = """
SELECT m.rowid FROM message m JOIN member mine ON mine.conversation_id = m.conversation_id
WHERE mine.account_key = :account AND mine.left_at_seq IS NULL AND m.seq > mine.read_up_to
    AND m.sender_key <> :account AND m.deleted_us IS NULL
ORDER BY m.created_us DESC, m.conversation_id, m.seq DESC LIMIT :limit"""


def unread(tx: ReadTx, account: str, limit: int) -> list[int]:
    """The newest messages of others that `account` has not read, oldest first: for `messages`, a few at a time."""
    return [rowid for (rowid,) in reversed(tx.all(_UNREAD, account=account, limit=limit))]


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
