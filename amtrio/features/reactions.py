"""Reactions: one emoji of one member on one message, any number of different ones up to a bound.

Knows frames and SQL. Knows nothing of sockets, HTTP or who is online.
"""

from __future__ import annotations

from typing import ClassVar

import msgspec

from amtrio.clock import rfc3339
from amtrio.context import Context, Services, id_of, kind_of
from amtrio.errors import Conflict, Malformed
from amtrio.feature import command, delete, get, on_removal, post, put, replay
from amtrio.model.message import HAS_REACTIONS, Reaction, reactions_of, visible_message
from amtrio.model.message_view import ReactionView, reaction_view
from amtrio.protocol.frames import ClientId, Command, Event, Kind, Reply
from amtrio.store.database import ReadTx, Row, Tx
from amtrio.store.log import LogRow
from amtrio.text.emoji import one_emoji

# Slack stops at 23 a person, Discord at 20 a message; with ten nobody has run out yet.
MAX_EMOJIS = 10
_COLUMNS = "id, emoji, account_key, created_us"


class ReactionChanged(Event, frozen=True, kw_only=True):
    """
    What both kinds of news share.

    Attributes:
        user_id: COMPAT, `account_id` under its older name.
    """

    message_id: str
    conversation_id: str
    emoji: str
    account_kind: Kind
    account_id: str
    user_id: str

    @property
    def log_conversation(self) -> str:
        return self.conversation_id

    @property
    def log_subject(self) -> str:
        """What is left to say of one that is gone; ids have no spaces, and neither has an emoji."""
        return f"{self.message_id} {self.account_kind[0]}:{self.account_id} {self.emoji}"


class ReactionAdded(ReactionChanged, frozen=True, kw_only=True):
    """This member has this emoji on this message."""

    type: ClassVar[str] = "reaction_added"
    log_kind: ClassVar[str] = "reaction_added"
    id: str
    created_at: str


class ReactionRemoved(ReactionChanged, frozen=True, kw_only=True):
    """It has it no longer."""

    type: ClassVar[str] = "reaction_removed"
    log_kind: ClassVar[str] = "reaction_removed"


class React(Command, frozen=True, kw_only=True):
    """
    Put an emoji on a message, or take it off.

    Attributes:
        on: what shall be. COMPAT: left out it becomes what it was not, and who sends that twice undoes it.
    """

    message_id: str
    emoji: str
    on: bool | None = None
    client_id: ClientId | None = None


class Reacted(Reply, frozen=True, kw_only=True, omit_defaults=False):
    """
    What is true now, whether it was so before or not. COMPAT: it carries both words for it.

    Attributes:
        status: `reaction_added` or `reaction_removed`. action: `added` or `removed`.
    """

    status: str
    action: str
    emoji: str
    message_id: str
    conversation_id: str
    reaction: ReactionView | msgspec.UnsetType = msgspec.UNSET


@post("/messages/<message_id>/reactions")
@command("react")
def react(tx: Tx, ctx: Context, frame: React) -> Reacted:
    """
    Set one's own reaction.

    Raises:
        NotFound: no such message in a conversation of the asker. Malformed: not one emoji.
        Conflict: deleted, or one emoji too many.
    """
    account = ctx.principal.account
    row, accounts = visible_message(tx, frame.message_id, account)
    emoji = _checked_emoji(frame.emoji)
    present = _mine(tx, frame.message_id, account, emoji)
    wanted = present is None if frame.on is None else frame.on
    if wanted and present is None:
        present = _add(tx, ctx, row, emoji)
        tx.announce(_added(row.conversation_id, frame.message_id, present), accounts, device=ctx.principal.device)
    elif not wanted and present is not None:
        tx.run("DELETE FROM reaction WHERE id = :id", id=present[0])
        tx.announce(
            _removed(row.conversation_id, frame.message_id, account, emoji), accounts, device=ctx.principal.device
        )
    return Reacted(
        status="reaction_added" if wanted else "reaction_removed",
        action="added" if wanted else "removed",
        emoji=emoji,
        message_id=frame.message_id,
        conversation_id=row.conversation_id,
        reaction=reaction_view(_shown(present), frame.message_id) if wanted and present else msgspec.UNSET,
    )


def _checked_emoji(text: str) -> str:
    emoji = one_emoji(text)
    if emoji is None:
        text = "emoji must be exactly one emoji"
        raise Malformed(text)
    return emoji


def _mine(tx: ReadTx, message_id: str, account: str, emoji: str) -> Row | None:
    return tx.one(
        f"SELECT {_COLUMNS} FROM reaction"  # noqa: S608 - our own column list
        " WHERE message_id = :id AND account_key = :account AND emoji = :emoji",
        id=message_id,
        account=account,
        emoji=emoji,
    )


def _add(tx: Tx, ctx: Context, message: Row, emoji: str) -> Row:
    message_id, deleted_us, account = message[0], message[14], ctx.principal.account
    if deleted_us is not None:
        text = "cannot react to a deleted message"
        raise Conflict(text)
    (count,) = tx.one(
        "SELECT count(*) FROM reaction WHERE message_id = :id AND account_key = :account",
        id=message_id,
        account=account,
    ) or (0,)
    if count >= MAX_EMOJIS:
        text = f"a member may put at most {MAX_EMOJIS} different emojis on a message"
        raise Conflict(text)
    added: Row = (ctx.clock.new_id("react"), emoji, account, tx.at_us)
    tx.run(
        f"INSERT INTO reaction (message_id, {_COLUMNS}) VALUES (:message, :id, :emoji, :account, :at)",  # noqa: S608
        message=message_id,
        id=added[0],
        emoji=emoji,
        account=account,
        at=tx.at_us,
    )
    tx.run("UPDATE message SET extras = extras | :bit WHERE id = :id", bit=HAS_REACTIONS, id=message_id)
    return added


def _shown(row: Row) -> Reaction:
    id_, emoji, account, created_us = row
    return Reaction(
        id=id_,
        emoji=emoji,
        account_kind=kind_of(account),
        account_id=id_of(account),
        created_at=rfc3339(created_us),
    )


def _added(conversation_id: str, message_id: str, row: Row) -> ReactionAdded:
    shown = _shown(row)
    return ReactionAdded(
        message_id=message_id,
        conversation_id=conversation_id,
        user_id=shown.account_id,
        **msgspec.structs.asdict(shown),
    )


def _removed(conversation_id: str, message_id: str, account: str, emoji: str) -> ReactionRemoved:
    return ReactionRemoved(
        message_id=message_id,
        conversation_id=conversation_id,
        emoji=emoji,
        account_kind=kind_of(account),
        account_id=id_of(account),
        user_id=id_of(account),
    )


class NameReaction(msgspec.Struct, frozen=True, kw_only=True):
    """Which emoji on which message."""

    message_id: str
    emoji: str


@put("/messages/<message_id>/reactions/<emoji>")
def put_reaction(tx: Tx, ctx: Context, request: NameReaction) -> Reacted:
    """Put an emoji on a message; once more changes nothing."""
    return react(tx, ctx, React(message_id=request.message_id, emoji=request.emoji, on=True))


@delete("/messages/<message_id>/reactions/<emoji>")
def delete_reaction(tx: Tx, ctx: Context, request: NameReaction) -> Reacted:
    """Take one's own emoji off a message; once more changes nothing."""
    return react(tx, ctx, React(message_id=request.message_id, emoji=request.emoji, on=False))


class AskReactions(msgspec.Struct, frozen=True, kw_only=True):
    """Of which message."""

    message_id: str


@get("/messages/<message_id>/reactions")
def list_reactions(tx: ReadTx, ctx: Context, request: AskReactions) -> list[ReactionView]:
    """Who reacted to a message and how, oldest first."""
    visible_message(tx, request.message_id, ctx.principal.account)
    return [reaction_view(each, request.message_id) for each in reactions_of(tx, request.message_id)]


@replay("reaction_added")
def replay_added(tx: ReadTx, account: str, row: LogRow) -> ReactionAdded | None:
    """Only one that is still there; its going has a number of its own."""
    del account
    message_id, who, emoji = (row.subject_id or "").split(" ")
    found = _mine(tx, message_id, who, emoji)
    return _added(row.conversation_id or "", message_id, found) if found is not None else None


@replay("reaction_removed")
def replay_removed(tx: ReadTx, account: str, row: LogRow) -> ReactionRemoved | None:
    """Only one that has not come back; its coming back has a number of its own."""
    del account
    message_id, who, emoji = (row.subject_id or "").split(" ")
    if _mine(tx, message_id, who, emoji) is not None:
        return None
    return _removed(row.conversation_id or "", message_id, who, emoji)


@on_removal
def remove_reactions(tx: Tx, services: Services, account: str) -> None:
    """Those in conversations that outlive the account go with it."""
    del services
    tx.run("DELETE FROM reaction WHERE account_key = :account", account=account)
