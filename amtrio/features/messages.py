"""Sending, editing and deleting messages; reading them is in `history`.

Knows frames and SQL. Knows nothing of sockets, HTTP or who is online.
"""

from __future__ import annotations

import hashlib
from typing import Annotated

from msgspec import Meta

from amtrio.clock import rfc3339
from amtrio.conversation import find_or_create, members, no_conversation
from amtrio.errors import ClientIdReused, Conflict, Forbidden, Malformed, NotFound, TooLarge
from amtrio.feature import Context, account_key, command, delete, on_removal, patch, post
from amtrio.feature import Services as Services  # noqa: PLC0414 - read by type hints of removals
from amtrio.message import (
    MAX_CONTENT_BYTES,
    Message,
    MessageDeleted,
    MessageEdited,
    MessagePosted,
    message,
    sender_type,
    visible_message,
)
from amtrio.protocol.codec import encode
from amtrio.protocol.frames import CLIENT_ID_PATTERN, Command, Json, Reply
from amtrio.store.database import Tx

ClientId = Annotated[str, Meta(pattern=CLIENT_ID_PATTERN)]
MAX_METADATA_BYTES = 16_384


class SendMessage(Command, frozen=True, kw_only=True):
    """
    Say something.

    Attributes:
        conversation_id: where. Without it `agent_id` (from a person) or `user_id` (from an agent) names the other
            side of the default conversation, which is made if need be.
        client_id: the sender's own name for this message; sent again with the same one it is stored once.
    """

    conversation_id: str | None = None
    agent_id: str | None = None
    user_id: str | None = None
    content: str | None = None
    client_id: ClientId | None = None
    reply_to: str | None = None
    metadata: Json | None = None


class MessageSent(Reply, frozen=True, kw_only=True, omit_defaults=False):
    """
    It is on disk.

    Attributes:
        repeated: it was stored before under the same client_id.
    """

    type = "message_sent"
    message_id: str
    conversation_id: str
    conversation_seq: int
    user_id: str
    agent_id: str
    created_at: str
    client_id: str | None = None
    status: str = "stored"
    repeated: bool = False


_SENT = """
SELECT m.id, m.conversation_id, m.seq, c.user_key, c.agent_key, m.created_us, m.digest
FROM message m JOIN conversation c ON c.id = m.conversation_id
WHERE m.sender_key = :account AND m.client_id = :client_id"""
_NEXT = """
UPDATE conversation SET last_seq = last_seq + 1, updated_us = :at,
    activity = (SELECT coalesce(max(activity), 0) + 1 FROM conversation)
WHERE id = :id RETURNING last_seq, user_key, agent_key"""
# Looking for an earlier message under the same client_id and storing this one is one statement: a resend is rare, and
# each statement costs as much as what it does.
_STORE = """
INSERT INTO message
    (id, conversation_id, seq, sender_key, client_id, digest, content, metadata, reply_to_id, created_us)
SELECT :id, c.id, c.last_seq + 1, :account, :client_id, :digest, :content, :metadata, :reply_to, :at
FROM conversation c WHERE c.id = :conversation_id
ON CONFLICT (sender_key, client_id) WHERE client_id IS NOT NULL DO NOTHING"""


@post("/conversations/<conversation_id>/messages", budget="message")
@command("message", budget="message")
def send(tx: Tx, ctx: Context, frame: SendMessage) -> MessageSent:
    """
    Store one message and give it the next number of its conversation.

    Raises:
        NotFound: no such conversation, or the sender is not in it.
        ClientIdReused: the same client_id came with another content.
        Malformed, TooLarge: the content is missing or above 64 KiB.

    Source: docs/protocol.md, "Resending".
    """
    who = ctx.principal
    content = _checked_content(frame.content)
    metadata = _checked_metadata(frame.metadata)
    digest = _digest(frame) if frame.client_id is not None else None
    conversation_id = frame.conversation_id or _default_conversation(tx, ctx, frame)
    accounts = members(tx, conversation_id, who.account)
    if frame.reply_to is not None:
        _check_reply_to(tx, conversation_id, frame.reply_to)
    message_id = ctx.clock.new_id("msg")
    stored = tx.run(
        _STORE,
        id=message_id,
        conversation_id=conversation_id,
        account=who.account,
        client_id=frame.client_id,
        digest=digest,
        content=content,
        metadata=metadata,
        reply_to=frame.reply_to,
        at=tx.at_us,
    )
    if not stored:
        return _sent_before(tx, ctx, frame, digest)
    numbered = tx.one(_NEXT, id=conversation_id, at=tx.at_us)
    if numbered is None:
        raise no_conversation(conversation_id)
    seq, user_key, agent_key = numbered
    created_at = rfc3339(tx.at_us)
    posted = MessagePosted(
        message_id=message_id,
        conversation_id=conversation_id,
        conversation_seq=seq,
        user_id=user_key[2:],
        agent_id=agent_key[2:],
        sender_type=sender_type(who.account),
        sender_id=who.id,
        content=content,
        created_at=created_at,
        client_id=frame.client_id,
        reply_to=frame.reply_to,
        metadata=frame.metadata,
    )
    tx.announce(posted, accounts, device=who.device)
    return MessageSent(
        message_id=message_id,
        conversation_id=conversation_id,
        conversation_seq=seq,
        user_id=user_key[2:],
        agent_id=agent_key[2:],
        created_at=created_at,
        client_id=frame.client_id,
    )


def _sent_before(tx: Tx, ctx: Context, frame: SendMessage, digest: str | None) -> MessageSent:
    """The answer of the first time."""
    sent = tx.one(_SENT, account=ctx.principal.account, client_id=frame.client_id)
    if sent is None:
        raise no_conversation(frame.conversation_id or "")
    message_id, conversation_id, seq, user_key, agent_key, created_us, stored_digest = sent
    if frame.conversation_id is not None:
        is_same_place = frame.conversation_id == conversation_id
    elif ctx.principal.kind == "user":
        is_same_place = frame.agent_id == agent_key[2:]
    else:
        is_same_place = frame.user_id == user_key[2:]
    if stored_digest != digest or not is_same_place:
        text = f"client_id {frame.client_id!r} was used for another message"
        raise ClientIdReused(text)
    return MessageSent(
        message_id=message_id,
        conversation_id=conversation_id,
        conversation_seq=seq,
        user_id=user_key[2:],
        agent_id=agent_key[2:],
        created_at=rfc3339(created_us),
        client_id=frame.client_id,
        repeated=True,
    )


def _digest(frame: SendMessage) -> str:
    """Tells another command under the same client_id apart from the same one."""
    said = encode((frame.content, frame.reply_to, frame.metadata))
    return hashlib.blake2b(said, digest_size=12).hexdigest()


def _checked_content(content: str | None) -> str:
    if not content:
        text = "content is required"
        raise Malformed(text)
    if len(content) > MAX_CONTENT_BYTES or len(content.encode()) > MAX_CONTENT_BYTES:
        text = f"content must have at most {MAX_CONTENT_BYTES} bytes; send longer text as an attachment"
        raise TooLarge(text)
    return content


def _checked_metadata(metadata: Json | None) -> str | None:
    if metadata is None:
        return None
    raw = encode(metadata)
    if len(raw) > MAX_METADATA_BYTES:
        text = f"metadata must have at most {MAX_METADATA_BYTES} bytes of JSON"
        raise TooLarge(text)
    return raw.decode()


def _default_conversation(tx: Tx, ctx: Context, frame: SendMessage) -> str:
    who = ctx.principal
    if who.kind == "user" and frame.agent_id:
        other = account_key("agent", frame.agent_id)
    elif who.kind == "agent" and frame.user_id:
        other = account_key("user", frame.user_id)
    else:
        text = "conversation_id is required"
        raise Malformed(text)
    return find_or_create(tx, ctx.clock, who.account, other, device=who.device)


def _check_reply_to(tx: Tx, conversation_id: str, message_id: str) -> None:
    found = tx.one("SELECT conversation_id FROM message WHERE id = :id", id=message_id)
    if found is None or found[0] != conversation_id:
        text = f"reply_to: no message {message_id[:64]!r} in this conversation"
        raise NotFound(text)


class EditMessage(Command, frozen=True, kw_only=True):
    """A new text for one's own message."""

    message_id: str
    content: str | None = None
    client_id: ClientId | None = None


class Edited(Reply, frozen=True, kw_only=True, omit_defaults=False):
    """The message has the new text."""

    status: str = "edited"
    message_id: str
    conversation_id: str
    content: str
    edited_at: str


@patch("/messages/<message_id>")
@command("edit")
def edit(tx: Tx, ctx: Context, frame: EditMessage) -> Edited:
    """
    Replace the text of one's own message; the older text stays in its history.

    Raises:
        NotFound: no such message in a conversation of the asker. Forbidden: somebody else's. Conflict: deleted.
    """
    content = _checked_content(frame.content)
    row, accounts = visible_message(tx, frame.message_id, ctx.principal.account)
    shown = message(tx, Message, row)
    if row[5] != ctx.principal.account:
        text = "can only edit your own messages"
        raise Forbidden(text)
    if shown.deleted:
        text = "cannot edit a deleted message"
        raise Conflict(text)
    tx.run(
        """
        INSERT INTO message_version (message_id, version, content, written_us)
        SELECT id, (SELECT count(*) + 1 FROM message_version WHERE message_id = :id), content,
            coalesce(edited_us, created_us) FROM message WHERE id = :id""",
        id=frame.message_id,
    )
    tx.run(
        "UPDATE message SET content = :content, edited_us = :at WHERE id = :id",
        content=content,
        at=tx.at_us,
        id=frame.message_id,
    )
    edited = message(tx, MessageEdited, visible_message(tx, frame.message_id, ctx.principal.account)[0])
    tx.announce(edited, accounts, device=ctx.principal.device)
    return Edited(
        message_id=frame.message_id,
        conversation_id=shown.conversation_id,
        content=content,
        edited_at=rfc3339(tx.at_us),
    )


class DeleteMessage(Command, frozen=True, kw_only=True):
    """Take a message's text away."""

    message_id: str
    client_id: ClientId | None = None


class Deleted(Reply, frozen=True, kw_only=True, omit_defaults=False):
    """The text is gone."""

    status: str = "deleted"
    message_id: str
    conversation_id: str
    deleted_at: str


@delete("/messages/<message_id>")
@command("delete")
def delete_message(tx: Tx, ctx: Context, frame: DeleteMessage) -> Deleted:
    """
    Delete one's own message, or any message in a conversation one owns; what it said before is gone too.

    Raises:
        NotFound: no such message in a conversation of the asker. Forbidden: an agent may delete its own only.
        Conflict: deleted already.
    """
    row, accounts = visible_message(tx, frame.message_id, ctx.principal.account)
    shown = message(tx, Message, row)
    if ctx.principal.account not in (row[5], row[3]):
        text = "can only delete your own messages or messages in your conversations"
        raise Forbidden(text)
    if shown.deleted:
        text = "message already deleted"
        raise Conflict(text)
    tx.run("DELETE FROM message_version WHERE message_id = :id", id=frame.message_id)
    tx.run(
        "UPDATE message SET content = '', metadata = NULL, deleted_us = :at, deleted_by_key = :who WHERE id = :id",
        at=tx.at_us,
        who=ctx.principal.account,
        id=frame.message_id,
    )
    tx.announce(
        message(tx, MessageDeleted, visible_message(tx, frame.message_id, ctx.principal.account)[0]),
        accounts,
        device=ctx.principal.device,
    )
    return Deleted(message_id=frame.message_id, conversation_id=shown.conversation_id, deleted_at=rfc3339(tx.at_us))


@on_removal
def remove_messages(tx: Tx, services: Services, account: str) -> None:
    """Conversations go with the account (see `conversations`), and their messages with them."""
    del services
    tx.run("DELETE FROM command_done WHERE account_key = :account", account=account)
