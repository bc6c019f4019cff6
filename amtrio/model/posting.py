"""Storing one message and giving it the next number of its conversation: what every command that posts one shares.

Knows SQL and wire names. Knows no route, no socket, and not what a content means.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from amtrio.clock import rfc3339
from amtrio.context import Context, account_key
from amtrio.errors import ClientIdReused, Malformed, NotFound
from amtrio.model.attachment import check_ids, link
from amtrio.model.conversation import find_or_create, members, no_conversation
from amtrio.model.message import (
    HAS_ATTACHMENTS,
    HAS_QUESTION,
    HAS_RUN,
    QUEUED,
    Attachment,
    Encryption,
    MessagePosted,
    sender_type,
)
from amtrio.model.open_runs import OpenRuns
from amtrio.model.question import AskedQuestion, Question, ask
from amtrio.model.run import Run
from amtrio.protocol.codec import encode
from amtrio.protocol.frames import ClientId, Command, Json, Reply
from amtrio.store.database import Tx, Value


class Post(Command, frozen=True, kw_only=True):
    """
    Where a message goes and what its sender calls it.

    Attributes:
        conversation_id: where. Without it `agent_id` (from a person) or `user_id` (from an agent) names the other
            side of the default conversation, which is made if need be.
        client_id: the sender's own name for this message; sent again with the same one it is stored once.
    """

    conversation_id: str | None = None
    agent_id: str | None = None
    user_id: str | None = None
    client_id: ClientId | None = None
    reply_to: str | None = None


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
INSERT INTO message (id, conversation_id, seq, sender_key, client_id, digest, content, created_us{columns})
SELECT :id, c.id, c.last_seq + 1, :account, :client_id, :digest, :content, :at{values}
FROM conversation c WHERE c.id = :conversation_id
ON CONFLICT (sender_key, client_id) WHERE client_id IS NOT NULL DO NOTHING"""
# Binding a value costs a tenth of a microsecond: what most messages do not have is not named for them.
_STORE_PLAIN = _STORE.format(columns="", values="")
_STORE_WHOLE = _STORE.format(
    columns=", kind, metadata, envelope, reply_to_id, extras, queue_state, steers_run_id",
    values=", :kind, :metadata, :envelope, :reply_to, :extras, :queue_state, :steers",
)


def store_message(
    tx: Tx,
    ctx: Context,
    frame: Post,
    content: str,
    *,
    kind: str = "text",
    metadata: Json | None = None,
    metadata_text: str | None = None,
    encryption: Encryption | None = None,
    attachment_ids: Sequence[str] = (),
    question: AskedQuestion | None = None,
    run: Run | None = None,
    steers: str | None = None,
    is_queued: bool = False,
) -> MessageSent:
    """
    Store one message, number it and tell the members.

    Args:
        content: checked by the caller, and the metadata too.
        metadata_text: `metadata` as JSON.
        encryption: of kind `encrypted`.
        attachment_ids: the sender's own uploads, which become part of it.
        question: what it asks; checked by the caller too.
        run: it is the end of this one. steers: it is said into this one.
        is_queued: it waits for its agent, whatever else; see `queued`.

    Raises:
        NotFound: no such conversation, or the sender is not in it; no such message to reply to; an attachment that is
            not the sender's to send.
        Malformed: too many attachments, or one of them twice.
        ClientIdReused: the same client_id came with another message.

    Source: docs/protocol.md, "Resending".
    """
    who = ctx.principal
    if attachment_ids:
        check_ids(attachment_ids)
    envelope = encode(encryption).decode() if encryption is not None else None
    digest = None
    if frame.client_id is not None:
        said: tuple[object, ...] = (content, frame.reply_to, metadata)
        if envelope is not None:
            said = (*said, envelope)
        if steers is not None:
            said = (*said, "steers", steers)
        if question is not None:
            said = (*said, "question", question)
        digest = _digest((*said, tuple(attachment_ids)) if attachment_ids else said)
    conversation_id = frame.conversation_id or _default_conversation(tx, ctx, frame)
    accounts = members(tx, conversation_id, who.account)
    if frame.reply_to is not None:
        _check_reply_to(tx, conversation_id, frame.reply_to)
    message_id = ctx.clock.new_id("msg")
    # What is said to an agent that is busy waits for it, if it keeps a queue.
    is_queued = is_queued or (
        steers is None and who.kind == "user" and ctx.services.own(OpenRuns).has_queue(conversation_id)
    )
    extras = (HAS_ATTACHMENTS if attachment_ids else 0) | (HAS_RUN if run is not None else 0)
    extras |= HAS_QUESTION if question is not None else 0
    is_plain = (
        kind == "text"
        and extras == 0
        and not is_queued
        and envelope is None
        and metadata_text is None
        and frame.reply_to is None
        and steers is None
    )
    more: dict[str, Value] = {}
    if not is_plain:
        more = {
            "kind": kind,
            "metadata": metadata_text,
            "envelope": envelope,
            "reply_to": frame.reply_to,
            "extras": extras,
            "queue_state": QUEUED if is_queued else None,
            "steers": steers,
        }
    stored = tx.run(
        _STORE_PLAIN if is_plain else _STORE_WHOLE,
        id=message_id,
        conversation_id=conversation_id,
        account=who.account,
        client_id=frame.client_id,
        digest=digest,
        content=content,
        at=tx.at_us,
        **more,
    )
    if not stored:
        return _sent_before(tx, ctx, frame, digest)
    files: tuple[Attachment, ...] = ()
    if attachment_ids:
        files = link(tx, who.account, attachment_ids, message_id=message_id, conversation_id=conversation_id)
    asked: Question | None = ask(tx, message_id, question) if question is not None else None
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
        kind=kind,
        client_id=frame.client_id,
        reply_to=frame.reply_to,
        metadata=metadata,
        attachments=files,
        encryption=encryption,
        run=run,
        question=asked,
        queued=is_queued,
        steers=steers,
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


def _sent_before(tx: Tx, ctx: Context, frame: Post, digest: str | None) -> MessageSent:
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


def _digest(said: tuple[object, ...]) -> str:
    """Tells another command under the same client_id apart from the same one."""
    return hashlib.blake2b(encode(said), digest_size=12).hexdigest()


def _default_conversation(tx: Tx, ctx: Context, frame: Post) -> str:
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
