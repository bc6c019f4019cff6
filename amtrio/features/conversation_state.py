"""The state of a conversation: its title, which both sides share, and what each member keeps for itself.

Knows frames and SQL. Knows nothing of sockets, HTTP or who is online.
"""

from __future__ import annotations

from msgspec import UNSET, UnsetType

from amtrio.context import Context
from amtrio.errors import Conflict, Malformed
from amtrio.feature import command, patch, replay
from amtrio.model.conversation import (
    MAX_TITLE,
    ConversationUpdated,
    ConversationView,
    Title,
    checked_line,
    conversation,
    conversation_row,
    conversation_view,
    members,
)
from amtrio.model.own_state import (
    ConversationState,
    TagText,
    announce_change,
    archive,
    find_own_state,
    own_state,
    pin,
    set_tags,
)
from amtrio.protocol.frames import ClientId, Command
from amtrio.store.database import ReadTx, Tx
from amtrio.store.log import LogRow


class UpdateConversation(Command, frozen=True, kw_only=True):
    """
    What is to change; what is left out stays.

    Attributes:
        title: for both sides; null takes the title of a default conversation away.
        pinned, archived, tags: the asker's own. `tags` are all of them, in any order.
    """

    conversation_id: str
    title: Title | UnsetType | None = UNSET
    pinned: bool | UnsetType = UNSET
    archived: bool | UnsetType = UNSET
    tags: tuple[TagText, ...] | UnsetType = UNSET
    client_id: ClientId | None = None


@patch("/conversations/<conversation_id>")
@command("update_conversation")
def update_conversation(tx: Tx, ctx: Context, frame: UpdateConversation) -> ConversationView:
    """
    Change title or own state of a conversation; either member may.

    Raises:
        NotFound: no such conversation, or not the asker's. Malformed: nothing to change, or a line that is none.
        Conflict: a titled conversation keeps a title; too many tags.
    """
    account, device = ctx.principal.account, ctx.principal.device
    accounts = members(tx, frame.conversation_id, account)
    if frame.title is frame.pinned is frame.archived is frame.tags is UNSET:
        text = "nothing to change: name at least one of title, pinned, archived, tags"
        raise Malformed(text)
    before = own_state(tx, account, frame.conversation_id)
    if frame.title is not UNSET:
        _rename(tx, frame.conversation_id, frame.title, accounts, device=device)
    if frame.pinned is not UNSET:
        pin(tx, account, frame.conversation_id, on=frame.pinned)
    if frame.archived is not UNSET:
        archive(tx, account, frame.conversation_id, on=frame.archived)
    if frame.tags is not UNSET:
        set_tags(tx, ctx.clock, account, frame.conversation_id, frame.tags)
    announce_change(tx, account, before, device=device)
    return conversation_view(tx, account, frame.conversation_id)


class RenameConversation(Command, frozen=True, kw_only=True):
    """A new title."""

    conversation_id: str
    title: Title
    client_id: ClientId | None = None


@command("rename")
def rename(tx: Tx, ctx: Context, frame: RenameConversation) -> ConversationView:
    """
    Give a conversation another title; either member may.

    Raises:
        NotFound: no such conversation, or not the asker's. Malformed: no title at all.
    """
    accounts = members(tx, frame.conversation_id, ctx.principal.account)
    _rename(tx, frame.conversation_id, frame.title, accounts, device=ctx.principal.device)
    return conversation_view(tx, ctx.principal.account, frame.conversation_id)


def _rename(tx: Tx, conversation_id: str, title: str | None, accounts: list[str], *, device: str | None) -> None:
    line = checked_line("title", title, MAX_TITLE) if title is not None else None
    row = conversation_row(tx, conversation_id)
    if row is None or row[3] == line:
        return
    is_default = row[4]
    if line is None and not is_default:
        text = "a conversation that began with a title keeps one: only the default conversation may have none"
        raise Conflict(text)
    tx.run(
        "UPDATE conversation SET title = :title, updated_us = :at WHERE id = :id",
        title=line,
        at=tx.at_us,
        id=conversation_id,
    )
    renamed = conversation_row(tx, conversation_id)
    if renamed is not None:
        tx.announce(conversation(ConversationUpdated, renamed), accounts, device=device)


@replay("conversation_state")
def replay_state(tx: ReadTx, account: str, row: LogRow) -> ConversationState | None:
    """What the account keeps about it now."""
    return find_own_state(tx, account, row.subject_id or "")
