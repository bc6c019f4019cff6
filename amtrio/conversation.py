"""What every feature that touches a conversation shares: the access check, and the shape of conversation and message.

Knows SQL and wire names. Knows no command, no route, no socket.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import Meta

from amtrio.clock import Clock, rfc3339
from amtrio.errors import Conflict, NotFound
from amtrio.protocol.frames import Event, Json
from amtrio.store.database import ReadTx, Row, Tx

# 64 KiB of text is a long article; what is longer belongs into an attachment.
MAX_CONTENT_BYTES = 65_536
MAX_TITLE = 200
# Counting further would cost more than anybody reads out of it: clients show 999+.
MAX_UNREAD = 1000
Title = Annotated[str, Meta(min_length=1, max_length=MAX_TITLE)]
SenderType = Literal["client", "agent"]
M = TypeVar("M", bound="Message")
C = TypeVar("C", bound="Conversation")


class Message(Event, frozen=True, kw_only=True):
    """
    One message as it is now.

    Attributes:
        conversation_seq: 1, 2, 3 ... within the conversation, without gaps.
        client_id: what its sender called it; shown to the sender's own account only by v2, of use to nobody else.
        deleted: the text is gone; `content` is empty then.
    """

    message_id: str
    conversation_id: str
    conversation_seq: int
    user_id: str
    agent_id: str
    sender_type: SenderType
    sender_id: str
    content: str
    created_at: str
    kind: str = "text"
    content_format: str = "markdown"
    client_id: str | None = None
    reply_to: str | None = None
    metadata: Json | None = None
    edited_at: str | None = None
    deleted: bool = False
    deleted_at: str | None = None
    deleted_by: str | None = None

    @property
    def log_conversation(self) -> str:
        return self.conversation_id

    @property
    def log_subject(self) -> str:
        return self.message_id


class MessagePosted(Message, frozen=True, kw_only=True):
    """A message was stored."""

    type = "message"
    log_kind = "message"


class MessageEdited(Message, frozen=True, kw_only=True):
    """A message has a new text."""

    type = "message_edited"
    log_kind = "message_edited"


class MessageDeleted(Message, frozen=True, kw_only=True):
    """A message's text is gone; its place and number stay."""

    type = "message_deleted"
    log_kind = "message_deleted"


class Conversation(Event, frozen=True, kw_only=True, omit_defaults=False):
    """A conversation as it is now."""

    conversation_id: str
    user_id: str
    agent_id: str
    title: str | None
    is_default: bool
    created_at: str
    updated_at: str

    @property
    def log_conversation(self) -> str:
        return self.conversation_id

    @property
    def log_subject(self) -> str:
        return self.conversation_id


class ConversationCreated(Conversation, frozen=True, kw_only=True, omit_defaults=False):
    """A conversation began."""

    type = "conversation_created"
    log_kind = "conversation_created"


class ConversationUpdated(Conversation, frozen=True, kw_only=True, omit_defaults=False):
    """Title or state changed."""

    type = "conversation_updated"
    log_kind = "conversation_updated"


MESSAGE_COLUMNS = """m.id, m.conversation_id, m.seq, c.user_key, c.agent_key, m.sender_key, m.content, m.created_us,
m.kind, m.content_format, m.client_id, m.reply_to_id, m.metadata, m.edited_us, m.deleted_us, m.deleted_by_key"""
MESSAGE_FROM = "message m JOIN conversation c ON c.id = m.conversation_id"
CONVERSATION_COLUMNS = "c.id, c.user_key, c.agent_key, c.title, c.is_default, c.created_us, c.updated_us"

_MEMBERS = "SELECT account_key FROM member WHERE conversation_id = :id AND left_at_seq IS NULL"


def sender_type(account: str) -> SenderType:
    """COMPAT: the wire calls people `client` where messages say who sent them."""
    return "agent" if account[0] == "a" else "client"


def message(shape: type[M], row: Row, *, viewer: str | None = None) -> M:
    """
    `MESSAGE_COLUMNS` as an event of the given class.

    Args:
        viewer: account key of the one reader, who is told the client_id of own messages alone; None for an event,
            whose dialect sees to that.
    """
    (
        id_, conversation_id, seq, user_key, agent_key, sender, content, created_us,
        kind, content_format, client_id, reply_to, metadata, edited_us, deleted_us, deleted_by,
    ) = row  # fmt: skip
    return shape(
        message_id=id_,
        conversation_id=conversation_id,
        conversation_seq=seq,
        user_id=user_key[2:],
        agent_id=agent_key[2:],
        sender_type=sender_type(sender),
        sender_id=sender[2:],
        content=content,
        created_at=rfc3339(created_us),
        kind=kind,
        content_format=content_format,
        client_id=client_id if viewer in (None, sender) else None,
        reply_to=reply_to,
        metadata=msgspec.json.decode(metadata) if metadata is not None else None,
        edited_at=rfc3339(edited_us) if edited_us is not None else None,
        deleted=deleted_us is not None,
        deleted_at=rfc3339(deleted_us) if deleted_us is not None else None,
        deleted_by=deleted_by[2:] if deleted_by is not None else None,
    )


def conversation(shape: type[C], row: Row) -> C:
    """`CONVERSATION_COLUMNS` as an event of the given class."""
    id_, user_key, agent_key, title, is_default, created_us, updated_us = row
    return shape(
        conversation_id=id_,
        user_id=user_key[2:],
        agent_id=agent_key[2:],
        title=title,
        is_default=bool(is_default),
        created_at=rfc3339(created_us),
        updated_at=rfc3339(updated_us),
    )


def shown_conversation(row: Row) -> Json:
    """COMPAT: a conversation over REST carries both names of its id."""
    shown: Json = msgspec.to_builtins(conversation(Conversation, row))
    return {"id": row[0], **shown}


def members(tx: ReadTx, conversation_id: str, account: str) -> list[str]:
    """
    The accounts in a conversation.

    Raises:
        NotFound: no such conversation, or `account` is not in it: one answer for both.
    """
    found = [row[0] for row in tx.all(_MEMBERS, id=conversation_id)]
    if account not in found:
        raise no_conversation(conversation_id)
    return found


def no_conversation(conversation_id: str) -> NotFound:
    return NotFound(f"conversation not found: {conversation_id[:64]!r}")


def find_or_create(tx: Tx, clock: Clock, account: str, other: str, *, device: str | None = None) -> str:
    """
    The default conversation of a person and an agent, made now if there is none.

    Args:
        account: who asks, a person or an agent. other: whom with.

    Raises:
        NotFound: no such agent for this person; no such person for this agent.
    """
    user_key, agent_key = (account, other) if account[0] == "u" else (other, account)
    row = tx.one(
        "SELECT id FROM conversation WHERE user_key = :user AND agent_key = :agent AND is_default = 1",
        user=user_key,
        agent=agent_key,
    )
    if row is not None:
        return str(row[0])
    if account[0] == "a":
        # An agent may go on with people who began to talk with it; it may not accost strangers.
        text = f"no conversation with user {other[2:]!r}"
        raise NotFound(text)
    return create(tx, clock, user_key, agent_key, title=None, device=device)


_AGENT = """
SELECT 1 FROM agent WHERE account_key = :agent AND (
    visibility = 'everyone' OR owner_key = :viewer
    OR (visibility = 'listed' AND EXISTS (
        SELECT 1 FROM agent_reader r WHERE r.agent_key = agent.account_key AND r.account_key = :viewer)))"""


def create(tx: Tx, clock: Clock, user_key: str, agent_key: str, *, title: str | None, device: str | None) -> str:
    """
    Begin a conversation; without a title it is the default one of the two.

    Raises:
        NotFound: no such agent for this person.
    """
    if tx.one(_AGENT, agent=agent_key, viewer=user_key) is None:
        text = f"agent not found: {agent_key[2:]!r}"
        raise NotFound(text)
    id_ = clock.new_id("conv")
    created = tx.one(
        f"""
        INSERT INTO conversation AS c (id, user_key, agent_key, title, is_default, activity, created_us, updated_us)
        VALUES (:id, :user, :agent, :title, :is_default,
            (SELECT coalesce(max(activity), 0) + 1 FROM conversation), :at, :at)
        RETURNING {CONVERSATION_COLUMNS.replace("c.", "")}""",  # noqa: S608 - our own column list
        id=id_,
        user=user_key,
        agent=agent_key,
        title=title,
        is_default=int(title is None),
        at=tx.at_us,
    )
    if created is None:
        text = "the conversation could not be made"
        raise Conflict(text)
    for account, role in ((user_key, "owner"), (agent_key, "member")):
        tx.run(
            "INSERT INTO member (conversation_id, account_key, role) VALUES (:id, :account, :role)",
            id=id_,
            account=account,
            role=role,
        )
    tx.announce(conversation(ConversationCreated, created), (user_key, agent_key), device=device)
    return id_


def conversation_row(tx: ReadTx, conversation_id: str) -> Row | None:
    """`CONVERSATION_COLUMNS` of one conversation."""
    return tx.one(
        f"SELECT {CONVERSATION_COLUMNS} FROM conversation c WHERE c.id = :id",  # noqa: S608 - our own column list
        id=conversation_id,
    )


def message_row(tx: ReadTx, message_id: str) -> Row | None:
    """`MESSAGE_COLUMNS` of one message."""
    return tx.one(
        f"SELECT {MESSAGE_COLUMNS} FROM {MESSAGE_FROM} WHERE m.id = :id",  # noqa: S608 - our own column list
        id=message_id,
    )


def others(accounts: Iterable[str], account: str) -> tuple[str, ...]:
    """Everybody but one."""
    return tuple(other for other in accounts if other != account)


def visible_message(tx: ReadTx, message_id: str, account: str) -> tuple[Row, list[str]]:
    """
    `MESSAGE_COLUMNS` of a message that `account` may see, and who else may.

    Raises:
        NotFound: no such message, or in a conversation of others: one answer for both.
    """
    row = message_row(tx, message_id)
    try:
        if row is not None:
            return row, members(tx, row[1], account)
    except NotFound:
        pass
    text = f"message not found: {message_id[:64]!r}"
    raise NotFound(text)


def is_member(tx: ReadTx, conversation_id: str, account: str) -> bool:
    """Whether `account` is in the conversation now."""
    row = tx.one(
        "SELECT 1 FROM member WHERE conversation_id = :id AND account_key = :account AND left_at_seq IS NULL",
        id=conversation_id,
        account=account,
    )
    return row is not None


def unread_messages(tx: ReadTx, account: str, limit: int) -> list[MessagePosted]:
    """The newest messages of others that `account` has not read, oldest first."""
    rows = tx.all(
        f"""
        SELECT {MESSAGE_COLUMNS} FROM {MESSAGE_FROM}
        JOIN member mine ON mine.conversation_id = m.conversation_id AND mine.account_key = :account
        WHERE mine.left_at_seq IS NULL AND m.seq > mine.read_up_to AND m.sender_key <> :account
            AND m.deleted_us IS NULL
        ORDER BY m.created_us DESC, m.conversation_id, m.seq DESC LIMIT :limit""",  # noqa: S608 - our own column list
        account=account,
        limit=limit,
    )
    return [message(MessagePosted, row) for row in reversed(rows)]
