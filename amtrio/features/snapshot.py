"""Everything a device needs to start from nothing, read in one transaction with its place in the log.

A client that was told to `resync` rebuilds from this and then applies events above `seq`. Pages are ordered by
conversation id, which never changes, so a page turned later misses nothing that the log does not tell.
"""

from __future__ import annotations

import msgspec

from amtrio.context import Context
from amtrio.feature import get
from amtrio.model.conversation import CONVERSATION_COLUMNS, UNREAD, Conversation, conversation
from amtrio.model.message import Message, message
from amtrio.model.own_state import own_state
from amtrio.model.pages import MAX_PAGE, MAX_REST_PAGE_BYTES, AskPage, Page, page
from amtrio.protocol.codec import encode
from amtrio.protocol.frames import Json
from amtrio.store.database import ReadTx, Row
from amtrio.store.log import head

MAX_CONVERSATIONS = 100
DEFAULT_CONVERSATIONS = 20
RECENT_MESSAGES = 50
# Of each conversation, so that one which is full of long answers does not take the page from all others.
MAX_RECENT_BYTES = 256 * 1024


# In the order of `member_by_account`, so that a page costs what is on it, however many conversations there are.
CONVERSATIONS = f"""
SELECT {CONVERSATION_COLUMNS}, c.last_seq, {UNREAD}
FROM member mine JOIN conversation c ON c.id = mine.conversation_id
WHERE mine.account_key = :account AND mine.left_at_seq IS NULL AND mine.conversation_id > :after
ORDER BY mine.conversation_id LIMIT :limit"""  # noqa: S608 - our own columns


class AskSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """
    A page.

    Attributes:
        after: `next` of the page before. seq: `seq` of the first page, which all pages of a snapshot share.
    """

    after: str | None = None
    seq: int | None = None
    limit: int | None = None
    messages: int | None = None


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """
    A page of the account's state.

    Attributes:
        next: ask for the next page with this as `after`; None on the last one.
    """

    epoch: str
    seq: int
    conversations: list[Json]
    next: str | None


@get("/snapshot")
def snapshot(tx: ReadTx, ctx: Context, request: AskSnapshot) -> Snapshot:
    """One's conversations with own state, members' watermarks and recent messages, true at `{epoch, seq}` or later."""
    account = ctx.principal.account
    limit = request.limit if request.limit and 1 <= request.limit <= MAX_CONVERSATIONS else DEFAULT_CONVERSATIONS
    recent = RECENT_MESSAGES if request.messages is None else max(0, min(request.messages, MAX_PAGE))
    newest = head(tx, account)[1]
    rows = tx.all(CONVERSATIONS, account=account, after=request.after or "", limit=limit + 1)
    shown: list[Json] = []
    bytes_left = MAX_REST_PAGE_BYTES
    for row in rows[:limit]:
        one, size = _one(tx, account, row, recent)
        bytes_left -= size
        if bytes_left < 0 and shown:
            break
        shown.append(one)
    return Snapshot(
        epoch=ctx.store.epoch,
        seq=newest if request.seq is None else min(request.seq, newest),
        conversations=shown,
        next=shown[-1]["conversation_id"] if len(shown) < len(rows) else None,
    )


def _one(tx: ReadTx, account: str, row: Row, recent: int) -> tuple[Json, int]:
    """A conversation, and how many bytes of JSON it is at most."""
    *columns, last_seq, unread_count = row
    shown: Json = msgspec.to_builtins(conversation(Conversation, tuple(columns)))
    shown |= {"last_seq": last_seq, "unread_count": unread_count}
    shown |= msgspec.to_builtins(own_state(tx, account, row[0]))
    receipts = [
        {
            "account_kind": "agent" if key[0] == "a" else "user",
            "account_id": key[2:],
            "read_up_to": read_up_to,
            "delivered_up_to": delivered_up_to,
        }
        for key, read_up_to, delivered_up_to in tx.all(
            "SELECT account_key, read_up_to, delivered_up_to FROM member WHERE conversation_id = :id", id=row[0]
        )
    ]
    shown["receipts"] = receipts
    size = len(encode(shown))
    messages = Page([], has_more=False, size=0)
    if recent:
        messages = page(tx, AskPage(conversation_id=row[0], limit=recent), most_bytes=MAX_RECENT_BYTES)
    shown["messages"] = [message(tx, Message, each, viewer=account) for each in messages.rows]
    return shown, size + messages.size
