"""The account log read back as events: what a session that fell behind still has to be told.

A row becomes today's truth, not a copy of what was said then. Membership is checked in the same read transaction.
Knows rows and the table of renderers; knows no socket and no dialect.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from amtrio.model.conversation import is_member
from amtrio.model.message import MessagePosted, message
from amtrio.model.pages import messages, unread
from amtrio.protocol.codec import encode
from amtrio.protocol.frames import Event
from amtrio.store.database import ReadTx
from amtrio.store.log import LogRow, get_cursor, head, read_after

# A page is held in memory for one session: at most so many rows, and no more rows once they hold so much text.
PAGE_ROWS = 200
PAGE_BYTES = 96 * 1024
# What a v1 device is shown of a past that the log no longer holds, and how many of it are in memory at once.
MAX_UNREAD = 1000
UNREAD_AT_ONCE = 16

Replays = Mapping[str, Callable[[ReadTx, str, LogRow], Event | None]]


class Item(NamedTuple):
    """Number, the device that caused it, and the event; None if nothing is left of it."""

    seq: int
    device: str | None
    event: Event | None


@dataclass(frozen=True, slots=True)
class Page:
    """The next rows of a log, which at this moment held the numbers pruned + 1 to head."""

    pruned: int
    head: int
    items: list[Item]


def read_page(tx: ReadTx, account: str, after: int, replays: Replays) -> Page:
    """The rows after number `after`, as events."""
    pruned, newest = head(tx, account)
    items: list[Item] = []
    is_member: dict[str, bool] = {}
    size = 0
    for row in read_after(tx, account, after, PAGE_ROWS):
        event = None
        if _may_see(tx, account, row.conversation_id, is_member):
            render = replays.get(row.kind)
            event = render(tx, account, row) if render is not None else None
        items.append(Item(row.seq, row.device, event))
        size += _size(event)
        if size > PAGE_BYTES:
            break
    return Page(pruned, newest, items)


def _size(event: Event | None) -> int:
    """About how much text it holds."""
    run = getattr(event, "run", None)
    return len(getattr(event, "content", "")) + (len(encode(run)) if run is not None else 0)


def _may_see(tx: ReadTx, account: str, conversation_id: str | None, known: dict[str, bool]) -> bool:
    if conversation_id is None:
        return True
    if conversation_id not in known:
        known[conversation_id] = is_member(tx, conversation_id, account)
    return known[conversation_id]


class Position(NamedTuple):
    """
    What the database knows when a socket opens.

    Attributes:
        cursor: the device's stored position; for a device never seen the one its login began with, else the head.
    """

    pruned: int
    head: int
    cursor: int


def read_position(tx: ReadTx, account: str, device: str, login_session: str) -> Position:
    """Where a device goes on from."""
    pruned, newest = head(tx, account)
    cursor = get_cursor(tx, account, device)
    if cursor is None:
        cursor = get_cursor(tx, account, login_session)
    if cursor is None:
        # An agent's cursor begins with its account: what was said before its first connection is still for it.
        cursor = 0 if account[0] == "a" else newest
    return Position(pruned, newest, cursor)


def read_unread(tx: ReadTx, account: str) -> tuple[int, list[int]]:
    """
    COMPAT(v1): for a device whose place in the log is pruned and that cannot be told to fetch a snapshot.

    Returns:
        The head of the log, and the account's unread messages for `read_messages`, oldest first.
    """
    return head(tx, account).head, unread(tx, account, MAX_UNREAD)


def read_messages(tx: ReadTx, numbers: Sequence[int]) -> list[MessagePosted]:
    """COMPAT(v1): some of what `read_unread` found, as it is now; without what is gone meanwhile."""
    found = (message(tx, MessagePosted, row) for row in messages(tx, numbers))
    return [each for each in found if not each.deleted]
