"""Reading messages: pages of a conversation, one message, its earlier texts, and the log's rows as messages again.

Knows frames and SQL. Knows nothing of sockets, HTTP or who is online.
"""

from __future__ import annotations

from typing import Any

import msgspec

from amtrio.clock import rfc3339
from amtrio.context import Answer, Context
from amtrio.context import Services as Services  # noqa: PLC0414 - read by type hints of removals
from amtrio.feature import command, get, replay
from amtrio.model.conversation import members
from amtrio.model.message import (
    Message,
    MessageDeleted,
    MessageEdited,
    MessagePosted,
    message,
    message_row,
    visible_message,
)
from amtrio.model.message_view import MessageView, message_view, read_marks
from amtrio.model.pages import MAX_FRAME_PAGE_BYTES, MAX_REST_PAGE_BYTES, AskPage, page, page_size
from amtrio.protocol.frames import Reply
from amtrio.store.database import ReadTx
from amtrio.store.log import LogRow, head

_NO_END = 2**62


class AskMessage(msgspec.Struct, frozen=True, kw_only=True):
    """Which one."""

    message_id: str


@get("/messages/<message_id>")
def one_message(tx: ReadTx, ctx: Context, request: AskMessage) -> MessageView:
    """One message as it is now."""
    row, _ = visible_message(tx, request.message_id, ctx.principal.account)
    return message_view(tx, row, viewer=ctx.principal.account)


class AskEdits(msgspec.Struct, frozen=True, kw_only=True):
    """
    Which of a message's earlier texts.

    Attributes:
        before: a `version`; only what was said before it. limit: 1 to 200, else 50.
    """

    message_id: str
    before: int | None = None
    limit: int | None = None


class Edit(msgspec.Struct, frozen=True, kw_only=True):
    """
    What a message said until it was edited.

    Attributes:
        version: 1 is the first text.
        at: when it was written.
    """

    version: int
    content: str
    at: str


class Edits(msgspec.Struct, frozen=True, kw_only=True):
    """
    Oldest first; what the message says now is not among them.

    Attributes:
        has_more: there are older ones; ask with `before` = the first one's `version`.
    """

    edits: list[Edit]
    has_more: bool


_EDITS = "FROM message_version WHERE message_id = :id AND version < :before ORDER BY version DESC LIMIT :limit"


@get("/messages/<message_id>/edits")
def list_edits(tx: ReadTx, ctx: Context, request: AskEdits) -> Edits:
    """
    The texts that a message had before; none if it was never edited, or is deleted: they went with it.

    Raises:
        NotFound: no such message in a conversation of the asker.
    """
    visible_message(tx, request.message_id, ctx.principal.account)
    before = request.before if request.before is not None and 0 < request.before < _NO_END else _NO_END
    limit = page_size(request.limit)
    # Some agents edit what they say while they say it: there may be thousands, each as long as a message may be.
    sized = tx.all(
        f"SELECT length(CAST(json_quote(content) AS BLOB)) {_EDITS}",
        id=request.message_id,
        before=before,
        limit=limit + 1,
    )
    count = size = 0
    for (each,) in sized[:limit]:
        size += each
        if count and size > MAX_REST_PAGE_BYTES:
            break
        count += 1
    rows = tx.all(
        f"SELECT version, content, written_us {_EDITS}",
        id=request.message_id,
        before=before,
        limit=count,
    )
    return Edits(
        edits=[Edit(version=version, content=content, at=rfc3339(at_us)) for version, content, at_us in rows[::-1]],
        has_more=len(sized) > count,
    )


class AskHistory(AskPage, frozen=True, kw_only=True):
    """A page of a conversation."""


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
    members(tx, frame.conversation_id, ctx.principal.account)
    found = page(tx, frame, most_bytes=MAX_FRAME_PAGE_BYTES)
    return History(
        conversation_id=frame.conversation_id,
        messages=[message(tx, Message, row, viewer=ctx.principal.account) for row in found.rows],
        has_more=found.has_more,
        epoch=ctx.store.epoch,
        seq=head(tx, ctx.principal.account)[1],
    )


@get("/conversations/<conversation_id>/messages")
def list_messages(tx: ReadTx, ctx: Context, request: AskHistory) -> Answer[list[MessageView]]:
    """The same page for REST, as the bare array that older clients read."""
    members(tx, request.conversation_id, ctx.principal.account)
    found = page(tx, request, most_bytes=MAX_REST_PAGE_BYTES)
    read = read_marks(tx, request.conversation_id)
    # COMPAT: the Android app knows this route alone; programs built on the same library know the older one.
    is_alias = ctx.request is not None and ctx.request.path.rstrip("/") == "/conversations/messages"
    who, user_agent = ctx.principal.account, "" if is_alias else ctx.user_agent
    return Answer(
        [message_view(tx, row, viewer=who, user_agent=user_agent, read=read) for row in found.rows],
        headers={
            "X-Amtrio-Epoch": ctx.store.epoch,
            "X-Amtrio-Seq": str(head(tx, ctx.principal.account)[1]),
            "X-Amtrio-Has-More": "true" if found.has_more else "false",
        },
    )


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
