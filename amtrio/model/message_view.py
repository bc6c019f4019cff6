"""A message as REST shows it. COMPAT: under every name that a shipped client reads.

Knows SQL and wire names; the message itself is in `message`. Knows no route and no socket.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from amtrio.clock import rfc3339
from amtrio.model.message import Attachment, Encryption, Message, Reaction, message
from amtrio.model.question import Question
from amtrio.model.run import Run
from amtrio.protocol.frames import Json
from amtrio.store.database import ReadTx, Row


class AttachmentView(Attachment, frozen=True, kw_only=True, omit_defaults=False):
    """COMPAT: a file over REST carries both names of its id."""

    id: str


def attachment_view(shown: Attachment) -> AttachmentView:
    """A file as REST shows it."""
    return AttachmentView(id=shown.attachment_id, **msgspec.structs.asdict(shown))


class ReactionView(Reaction, frozen=True, kw_only=True):
    """COMPAT: a reaction over REST names message and person as older clients read them."""

    message_id: str
    user_id: str


def reaction_view(shown: Reaction, message_id: str) -> ReactionView:
    """A reaction as REST shows it."""
    return ReactionView(message_id=message_id, user_id=shown.account_id, **msgspec.structs.asdict(shown))


class MessageView(msgspec.Struct, frozen=True, kw_only=True):
    """
    A message over REST. COMPAT: it carries every name that a shipped client reads.

    Attributes:
        client_id: only in one's own messages.
        deleted_by, run, question, queued, steers: as in the event; absent unless so.
    """

    id: str
    message_id: str
    conversation_id: str
    conversation_seq: int
    user_id: str
    agent_id: str
    sender_type: Literal["client", "agent", "user"]
    sender_id: str
    kind: str
    content: str
    content_format: str
    reply_to: str | None
    metadata: Json | None
    created_at: str
    timestamp: str
    edited_at: str | None
    edited: bool
    is_deleted: bool
    deleted: bool
    deleted_at: str | None
    read_at: str | None
    attachments: tuple[AttachmentView, ...]
    attachment_ids: tuple[str, ...]
    reactions: tuple[ReactionView, ...]
    encryption: Encryption | None
    client_id: str | msgspec.UnsetType | None = msgspec.UNSET
    deleted_by: str | msgspec.UnsetType = msgspec.UNSET
    run: Run | msgspec.UnsetType = msgspec.UNSET
    question: Question | msgspec.UnsetType = msgspec.UNSET
    queued: bool | msgspec.UnsetType = msgspec.UNSET
    steers: str | msgspec.UnsetType = msgspec.UNSET


Read = Mapping[str, tuple[int, int | None]]


def message_view(tx: ReadTx, row: Row, *, viewer: str, user_agent: str = "", read: Read | None = None) -> MessageView:
    """
    `MESSAGE_COLUMNS` as REST shows them.

    Args:
        viewer: account key of who asks.
        user_agent: COMPAT, the Android app calls people `user`.
        read: member to how far and when it has read; see `read_marks`.
    """
    shown = message(tx, Message, row, viewer=viewer)
    sender = row[5]
    read_at = None
    for account, (up_to, read_us) in (read or {}).items():
        if account != sender and shown.conversation_seq <= up_to and read_us is not None:
            read_at = rfc3339(read_us)
    word: Literal["client", "agent", "user"] = shown.sender_type
    if word == "client" and user_agent.startswith("okhttp"):
        word = "user"
    return MessageView(
        id=shown.message_id,
        message_id=shown.message_id,
        conversation_id=shown.conversation_id,
        conversation_seq=shown.conversation_seq,
        user_id=shown.user_id,
        agent_id=shown.agent_id,
        sender_type=word,
        sender_id=shown.sender_id,
        kind=shown.kind,
        content="[deleted]" if shown.deleted else shown.content,
        content_format=shown.content_format,
        reply_to=shown.reply_to,
        metadata=shown.metadata,
        created_at=shown.created_at,
        timestamp=shown.created_at,
        edited_at=shown.edited_at,
        edited=shown.edited_at is not None,
        is_deleted=shown.deleted,
        deleted=shown.deleted,
        deleted_at=shown.deleted_at,
        read_at=read_at,
        attachments=tuple(attachment_view(each) for each in shown.attachments),
        attachment_ids=tuple(each.attachment_id for each in shown.attachments),
        reactions=tuple(reaction_view(each, shown.message_id) for each in shown.reactions),
        encryption=shown.encryption,
        client_id=shown.client_id if sender == viewer else msgspec.UNSET,
        deleted_by=shown.deleted_by or msgspec.UNSET,
        run=shown.run or msgspec.UNSET,
        question=shown.question or msgspec.UNSET,
        queued=shown.queued or msgspec.UNSET,
        steers=shown.steers or msgspec.UNSET,
    )


def read_marks(tx: ReadTx, conversation_id: str) -> Read:
    """How far each member of a conversation has read, and when that was."""
    rows = tx.all("SELECT account_key, read_up_to, read_us FROM member WHERE conversation_id = :id", id=conversation_id)
    return {account: (up_to, read_us) for account, up_to, read_us in rows}
