"""Conversations: begin, list by activity, delete; their title and what members keep is in `conversation_state`.

Knows frames and SQL. Knows nothing of sockets, HTTP or who is online.
"""

from __future__ import annotations

import unicodedata
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from amtrio.context import Answer, Context, Services, account_key
from amtrio.errors import Forbidden, Malformed
from amtrio.feature import command, delete, get, on_removal, post, replay
from amtrio.idempotency import forget_answers
from amtrio.model.attachment import let_go_of_conversation
from amtrio.model.conversation import (
    ARCHIVED,
    MAX_TITLE,
    Conversation,
    ConversationCreated,
    ConversationDeleted,
    ConversationUpdated,
    ConversationView,
    Title,
    checked_line,
    conversation,
    conversation_row,
    conversation_view,
    conversation_views,
    create,
    find_or_create,
    members,
)
from amtrio.model.run_end import let_go_of_conversation as let_go_of_runs
from amtrio.protocol.frames import ClientId, Command, Reply
from amtrio.store.database import ReadTx, Tx
from amtrio.store.log import LogRow, head

MAX_LISTED = 200


class CreateConversation(Command, frozen=True, kw_only=True):
    """With a title a new conversation each time; without one the default conversation with that agent."""

    agent_id: Annotated[str, Meta(extra_json_schema={"minLength": 1})]
    title: Title | None = None
    client_id: ClientId | None = None


@post("/conversations", who="user")
@command("create_conversation", who="user")
def create_conversation(tx: Tx, ctx: Context, frame: CreateConversation) -> ConversationView:
    """
    Begin a conversation, or find the default one.

    Raises:
        NotFound: no such agent for this person.
    """
    if not frame.agent_id:
        text = "missing agent_id"
        raise Malformed(text)
    if ctx.principal.kind != "user":
        text = "only people begin conversations"
        raise Forbidden(text)
    agent_key = account_key("agent", frame.agent_id)
    who = ctx.principal
    if frame.title is None:
        id_ = find_or_create(tx, ctx.clock, who.account, agent_key, device=who.device)
    else:
        title = checked_line("title", frame.title, MAX_TITLE)
        id_ = create(tx, ctx.clock, who.account, agent_key, title=title, device=who.device)
    return conversation_view(tx, who.account, id_)


class AskConversation(msgspec.Struct, frozen=True, kw_only=True):
    """Which one."""

    conversation_id: str


@get("/conversations/<conversation_id>")
def one_conversation(tx: ReadTx, ctx: Context, request: AskConversation) -> ConversationView:
    """One conversation with its last message and unread count."""
    members(tx, request.conversation_id, ctx.principal.account)
    return conversation_view(tx, ctx.principal.account, request.conversation_id)


class ListConversations(msgspec.Struct, frozen=True, kw_only=True):
    """
    A page of the list.

    Attributes:
        before: a conversation id; only those whose latest activity is older.
        offset: COMPAT, for clients that page by number.
        archived: those in one's archive, those that are not, or both. Left out, the archive stays away.
        pinned, tag, agent_id: only those.
    """

    limit: int | None = None
    before: str | None = None
    offset: int = 0
    archived: Literal["false", "true", "all"] = "false"
    pinned: bool | None = None
    tag: str | None = None
    agent_id: str | None = None


# A filter that is not asked for is NULL.
_FILTERS = f"""
AND (:archived IS NULL OR :archived = {ARCHIVED})
AND (:pinned IS NULL OR mine.pinned = :pinned)
AND (:agent IS NULL OR c.agent_key = :agent)
AND (:tag IS NULL OR EXISTS (
    SELECT 1 FROM conversation_tag t
    WHERE t.conversation_id = c.id AND t.account_key = mine.account_key AND t.tag = :tag))"""  # noqa: S608 - our own words
# Above every number there is, and within the 64 bits that a database compares.
_NO_END = 2**62


@get("/conversations")
def list_conversations(tx: ReadTx, ctx: Context, request: ListConversations) -> Answer[list[ConversationView]]:
    """
    One's conversations, latest activity first.

    Pinned ones stand among the others, so that one cursor pages through them all; a client that shows them on top asks
    for `pinned=true` once.
    """
    account = ctx.principal.account
    limit = request.limit if request.limit is not None and 1 <= request.limit <= MAX_LISTED else MAX_LISTED
    older_than = _NO_END
    if request.before:
        members(tx, request.before, account)
        row = tx.one("SELECT activity FROM conversation WHERE id = :id", id=request.before)
        older_than = row[0] if row else 0
    views = conversation_views(
        tx,
        account,
        f"{_FILTERS} AND c.activity < :older_than ORDER BY c.activity DESC, c.id DESC LIMIT :limit OFFSET :offset",
        older_than=older_than,
        limit=limit,
        offset=max(0, min(request.offset, _NO_END)),
        archived={"false": 0, "true": 1, "all": None}[request.archived],
        pinned=None if request.pinned is None else int(request.pinned),
        tag=None if not request.tag else unicodedata.normalize("NFC", request.tag.strip()),
        agent=account_key("agent", request.agent_id) if request.agent_id else None,
    )
    return Answer(
        views,
        headers={"X-Amtrio-Epoch": ctx.store.epoch, "X-Amtrio-Seq": str(head(tx, account)[1])},
    )


class ConversationGone(Reply, frozen=True, kw_only=True, omit_defaults=False):
    """It is gone for both sides."""

    status: str = "deleted"
    conversation_id: str


class DeleteConversation(Command, frozen=True, kw_only=True):
    """Which one."""

    conversation_id: str
    client_id: ClientId | None = None


@delete("/conversations/<conversation_id>")
@command("delete_conversation")
def delete_conversation(tx: Tx, ctx: Context, frame: DeleteConversation) -> ConversationGone:
    """
    Remove a conversation with everything in it, for both sides.

    Raises:
        NotFound: no such conversation, or not the asker's. Forbidden: only its owner may.
    """
    accounts = members(tx, frame.conversation_id, ctx.principal.account)
    if ctx.principal.kind != "user":
        text = "only the owner deletes a conversation"
        raise Forbidden(text)
    _delete(tx, ctx.services, frame.conversation_id, accounts, device=ctx.principal.device)
    return ConversationGone(conversation_id=frame.conversation_id)


def _delete(tx: Tx, services: Services, conversation_id: str, accounts: list[str], *, device: str | None) -> None:
    let_go_of_conversation(tx, services, conversation_id)
    let_go_of_runs(tx, services, conversation_id)
    forget_answers(tx, conversation_id)
    tx.run("DELETE FROM conversation WHERE id = :id", id=conversation_id)  # members and messages go with it
    tx.announce(ConversationDeleted(conversation_id=conversation_id), accounts, device=device)


@replay("conversation_created")
def replay_created(tx: ReadTx, account: str, row: LogRow) -> Conversation | None:
    del account
    found = conversation_row(tx, row.subject_id or "")
    return conversation(ConversationCreated, found) if found is not None else None


@replay("conversation_updated")
def replay_updated(tx: ReadTx, account: str, row: LogRow) -> Conversation | None:
    del account
    found = conversation_row(tx, row.subject_id or "")
    return conversation(ConversationUpdated, found) if found is not None else None


@replay("conversation_deleted")
def replay_deleted(tx: ReadTx, account: str, row: LogRow) -> ConversationDeleted:
    del tx, account
    return ConversationDeleted(conversation_id=row.subject_id or "")


@on_removal
def remove_conversations(tx: Tx, services: Services, account: str) -> None:
    """The other members learn that the conversation is gone."""
    rows = tx.all("SELECT conversation_id FROM member WHERE account_key = :account", account=account)
    for (conversation_id,) in rows:
        accounts = [
            row[0] for row in tx.all("SELECT account_key FROM member WHERE conversation_id = :id", id=conversation_id)
        ]
        _delete(tx, services, conversation_id, [key for key in accounts if key != account], device=None)
