"""Labels that a member puts on conversations: its own alone, seen on all its devices.

Knows frames and SQL. Knows nothing of sockets, HTTP or who is online.
"""

from __future__ import annotations

import msgspec

from amtrio.clock import rfc3339
from amtrio.context import Context, Nothing, Services
from amtrio.errors import Conflict, NotFound
from amtrio.feature import command, delete, get, on_removal, post, put
from amtrio.model.conversation import members
from amtrio.model.own_state import (
    ConversationState,
    TagText,
    add_tag,
    announce_change,
    checked_tag,
    own_state,
    remove_tag,
)
from amtrio.protocol.frames import ClientId, Command, Reply
from amtrio.store.database import ReadTx, Tx


class TagConversation(Command, frozen=True, kw_only=True):
    """Put a label on a conversation, or take it off; done before is no error."""

    conversation_id: str
    tag: TagText
    on: bool = True
    client_id: ClientId | None = None


@command("tag")
def tag_conversation(tx: Tx, ctx: Context, frame: TagConversation) -> ConversationState:
    """
    Set one label.

    Returns:
        What the account keeps about the conversation now.

    Raises:
        NotFound: no such conversation, or not the asker's. Malformed: no label. Conflict: too many.
    """
    account = ctx.principal.account
    before = own_state(tx, account, frame.conversation_id)
    tag = checked_tag(frame.tag)
    if frame.on:
        add_tag(tx, ctx.clock, account, frame.conversation_id, tag)
    else:
        remove_tag(tx, account, frame.conversation_id, tag)
    return announce_change(tx, account, before, device=ctx.principal.device)


class Tag(msgspec.Struct, frozen=True, kw_only=True):
    """A label on a conversation."""

    id: str
    tag: str
    created_at: str


class TagAdded(Reply, frozen=True, kw_only=True, omit_defaults=False):
    """It has that label."""

    status: str = "tag_added"
    conversation_id: str
    tag: Tag


class TagRemoved(Reply, frozen=True, kw_only=True, omit_defaults=False):
    """It has that label no longer."""

    status: str = "tag_removed"
    conversation_id: str
    tag: str


class NameTag(msgspec.Struct, frozen=True, kw_only=True):
    """Which label of which conversation."""

    conversation_id: str
    tag: TagText


@put("/conversations/<conversation_id>/tags/<tag>")
def put_tag(tx: Tx, ctx: Context, request: NameTag) -> TagAdded:
    """Label a conversation; once more changes nothing."""
    tag_conversation(tx, ctx, TagConversation(conversation_id=request.conversation_id, tag=request.tag))
    return _added(tx, ctx.principal.account, request.conversation_id, checked_tag(request.tag))


@delete("/conversations/<conversation_id>/tags/<tag>")
def delete_tag(tx: Tx, ctx: Context, request: NameTag) -> TagRemoved:
    """Take a label off; once more changes nothing."""
    tag_conversation(tx, ctx, TagConversation(conversation_id=request.conversation_id, tag=request.tag, on=False))
    return TagRemoved(conversation_id=request.conversation_id, tag=checked_tag(request.tag))


class AddTag(NameTag, frozen=True, kw_only=True):
    """COMPAT: a label that must be new there."""

    client_id: ClientId | None = None


@post("/conversations/tags/add")  # COMPAT
def add_new_tag(tx: Tx, ctx: Context, request: AddTag) -> TagAdded:
    """
    Label a conversation.

    Raises:
        Conflict: it has that label.
    """
    account = ctx.principal.account
    before, tag = own_state(tx, account, request.conversation_id), checked_tag(request.tag)
    if not add_tag(tx, ctx.clock, account, request.conversation_id, tag):
        text = "tag already exists"
        raise Conflict(text)
    announce_change(tx, account, before, device=ctx.principal.device)
    return _added(tx, account, request.conversation_id, tag)


class RemoveTag(NameTag, frozen=True, kw_only=True):
    """COMPAT: a label that must be there."""

    client_id: ClientId | None = None


@post("/conversations/tags/remove")  # COMPAT
def remove_present_tag(tx: Tx, ctx: Context, request: RemoveTag) -> TagRemoved:
    """
    Take a label off.

    Raises:
        NotFound: it has no such label.
    """
    account = ctx.principal.account
    before, tag = own_state(tx, account, request.conversation_id), checked_tag(request.tag)
    if not remove_tag(tx, account, request.conversation_id, tag):
        text = f"tag not found: {tag!r}"
        raise NotFound(text)
    announce_change(tx, account, before, device=ctx.principal.device)
    return TagRemoved(conversation_id=request.conversation_id, tag=tag)


class AskTags(msgspec.Struct, frozen=True, kw_only=True):
    """Of which conversation."""

    conversation_id: str


@get("/conversations/<conversation_id>/tags")
def list_tags(tx: ReadTx, ctx: Context, request: AskTags) -> list[Tag]:
    """One's own labels of a conversation, by name."""
    account = ctx.principal.account
    members(tx, request.conversation_id, account)
    return _tags(tx, account, request.conversation_id)


class CountedTag(msgspec.Struct, frozen=True, kw_only=True):
    """A label and how many conversations have it, archived ones included."""

    tag: str
    count: int


@get("/tags")
def list_all_tags(tx: ReadTx, ctx: Context, request: Nothing) -> list[CountedTag]:
    """Every label that one uses, by name."""
    del request
    rows = tx.all(
        "SELECT tag, count(*) FROM conversation_tag WHERE account_key = :account GROUP BY tag ORDER BY tag",
        account=ctx.principal.account,
    )
    return [CountedTag(tag=tag, count=count) for tag, count in rows]


def _tags(tx: ReadTx, account: str, conversation_id: str) -> list[Tag]:
    rows = tx.all(
        """
        SELECT id, tag, created_us FROM conversation_tag
        WHERE conversation_id = :id AND account_key = :account ORDER BY tag""",
        id=conversation_id,
        account=account,
    )
    return [Tag(id=id_, tag=tag, created_at=rfc3339(created_us)) for id_, tag, created_us in rows]


def _added(tx: ReadTx, account: str, conversation_id: str, tag: str) -> TagAdded:
    (shown,) = (each for each in _tags(tx, account, conversation_id) if each.tag == tag)
    return TagAdded(conversation_id=conversation_id, tag=shown)


@on_removal
def remove_tags(tx: Tx, services: Services, account: str) -> None:
    """Nobody else sees them."""
    del services
    tx.run("DELETE FROM conversation_tag WHERE account_key = :account", account=account)
