"""What every feature that touches a message shares: its shape as event and over REST, and how it is read.

Knows SQL and wire names. Knows no command, no route, no socket.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeVar

import msgspec

from amtrio.clock import rfc3339
from amtrio.errors import Malformed, NotFound, TooLarge
from amtrio.model.conversation import members
from amtrio.model.question import Question, question_of
from amtrio.model.run import Run, run_of_message
from amtrio.protocol.frames import Event, Json, Kind
from amtrio.store.database import ReadTx, Row

# 64 KiB of text is a long article; what is longer belongs into an attachment.
MAX_CONTENT_BYTES = 65_536
SenderType = Literal["client", "agent"]
M = TypeVar("M", bound="Message")

# Bits of message.extras: where to look for more. Most messages have none and cost no further query.
HAS_ATTACHMENTS = 1
HAS_REACTIONS = 2
HAS_RUN = 4
HAS_QUESTION = 8
# message.queue_state of one that waits for its agent.
QUEUED = "queued"


class Attachment(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """
    A file that is part of a message, or will be.

    Attributes:
        url: path on this server; needs a credential, or a signed link made from it.
        width, height: of images, pixels as shown (after rotation).
    """

    attachment_id: str
    filename: str
    content_type: str
    size: int
    sha256: str
    url: str
    created_at: str
    message_id: str | None = None
    width: int | None = None
    height: int | None = None
    thumbnail_url: str | None = None


class Reaction(msgspec.Struct, frozen=True, kw_only=True):
    """One emoji of one member on one message."""

    id: str
    emoji: str
    account_kind: Kind
    account_id: str
    created_at: str


class Encryption(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """
    How `content` of an encrypted message was made; the server keeps it and understands none of it.

    Attributes:
        iv: base64, as the sender gave it. sender_device_id, message_type: of clients that number their ratchets.
    """

    algorithm: str
    iv: str = ""
    recipient_key_id: str | None = None
    sender_key_id: str | None = None
    sender_device_id: str | None = None
    message_type: str | None = None


class Message(Event, frozen=True, kw_only=True):
    """
    One message as it is now.

    Attributes:
        conversation_seq: 1, 2, 3 ... within the conversation, without gaps.
        kind: `text`, or `encrypted`: then `content` is ciphertext and `encryption` says how it was made.
        client_id: what its sender called it; shown to the sender's own account only by v2, of use to nobody else.
        run: the live answer that it is the end of.
        question: what it asks.
        queued: it waits for its agent, which is busy with an earlier one, and can still be taken back.
        steers: the run that it was said into.
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
    attachments: tuple[Attachment, ...] = ()
    reactions: tuple[Reaction, ...] = ()
    encryption: Encryption | None = None
    run: Run | None = None
    question: Question | None = None
    queued: bool = False
    steers: str | None = None
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


MESSAGE_COLUMNS = """m.id, m.conversation_id, m.seq, c.user_key, c.agent_key, m.sender_key, m.content, m.created_us,
m.kind, m.content_format, m.client_id, m.reply_to_id, m.metadata, m.edited_us, m.deleted_us, m.deleted_by_key,
m.extras, m.envelope, m.queue_state, m.steers_run_id"""


class MessageRow(NamedTuple):
    """`MESSAGE_COLUMNS` by their names."""

    id: str
    conversation_id: str
    seq: int
    user_key: str
    agent_key: str
    sender_key: str
    content: str
    created_us: int
    kind: str
    content_format: str
    client_id: str | None
    reply_to: str | None
    metadata: str | None
    edited_us: int | None
    deleted_us: int | None
    deleted_by_key: str | None
    extras: int
    envelope: str | None
    queue_state: str | None
    steers: str | None


MESSAGE_FROM = "message m JOIN conversation c ON c.id = m.conversation_id"
ATTACHMENT_COLUMNS = (
    "id, message_id, filename, content_type, size_bytes, sha256, width, height, has_thumbnail, created_us"
)


def sender_type(account: str) -> SenderType:
    """COMPAT: the wire calls people `client` where messages say who sent them."""
    return "agent" if account[0] == "a" else "client"


def message(tx: ReadTx, shape: type[M], row: Row, *, viewer: str | None = None) -> M:
    """
    `MESSAGE_COLUMNS` as an event of the given class, with what hangs on the message.

    Args:
        viewer: account key of the one reader, who is told the client_id of own messages alone; None for an event,
            whose dialect sees to that.
    """
    (
        id_, conversation_id, seq, user_key, agent_key, sender, content, created_us,
        kind, content_format, client_id, reply_to, metadata, edited_us, deleted_us, deleted_by, extras, envelope,
        queue_state, steers,
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
        attachments=attachments_of(tx, id_) if extras & HAS_ATTACHMENTS else (),
        reactions=reactions_of(tx, id_) if extras & HAS_REACTIONS else (),
        encryption=msgspec.json.decode(envelope, type=Encryption) if envelope is not None else None,
        run=run_of_message(tx, id_) if extras & HAS_RUN else None,
        question=question_of(tx, id_) if extras & HAS_QUESTION else None,
        queued=queue_state == QUEUED,
        steers=steers,
        edited_at=rfc3339(edited_us) if edited_us is not None else None,
        deleted=deleted_us is not None,
        deleted_at=rfc3339(deleted_us) if deleted_us is not None else None,
        deleted_by=deleted_by[2:] if deleted_by is not None else None,
    )


def attachments_of(tx: ReadTx, message_id: str) -> tuple[Attachment, ...]:
    """The files of a message, in the order of the message."""
    rows = tx.all(
        f"SELECT {ATTACHMENT_COLUMNS} FROM attachment"  # noqa: S608 - our own column list
        " WHERE message_id = :id AND state = 'stored' ORDER BY position",
        id=message_id,
    )
    return tuple(attachment(row) for row in rows)


def attachment(row: Row) -> Attachment:
    """`ATTACHMENT_COLUMNS` as the wire shows them."""
    id_, message_id, filename, content_type, size, sha256, width, height, has_thumbnail, created_us = row
    url = f"/attachments/{id_}"
    return Attachment(
        attachment_id=id_,
        message_id=message_id,
        filename=filename,
        content_type=content_type,
        size=size,
        sha256=sha256,
        url=url,
        width=width,
        height=height,
        thumbnail_url=f"{url}/thumbnail" if has_thumbnail else None,
        created_at=rfc3339(created_us),
    )


def reactions_of(tx: ReadTx, message_id: str) -> tuple[Reaction, ...]:
    """Who reacted to a message and how, oldest first."""
    rows = tx.all(
        "SELECT id, emoji, account_key, created_us FROM reaction WHERE message_id = :id ORDER BY created_us, id",
        id=message_id,
    )
    return tuple(
        Reaction(
            id=id_,
            emoji=emoji,
            account_kind="agent" if account[0] == "a" else "user",
            account_id=account[2:],
            created_at=rfc3339(created_us),
        )
        for id_, emoji, account, created_us in rows
    )


def checked_content(content: str | None, *, has_more: bool = False) -> str:
    """
    A text that somebody wants to say.

    Args:
        has_more: files go with it, so it may be empty.

    Raises:
        Malformed: there is none. TooLarge: it is above 64 KiB.
    """
    if not content and has_more:
        return ""
    if not content:
        text = "content is required"
        raise Malformed(text)
    if len(content) > MAX_CONTENT_BYTES or len(content.encode()) > MAX_CONTENT_BYTES:
        text = f"content must have at most {MAX_CONTENT_BYTES} bytes; send longer text as an attachment"
        raise TooLarge(text)
    return content


def message_row(tx: ReadTx, message_id: str) -> MessageRow | None:
    """One message."""
    row = tx.one(
        f"SELECT {MESSAGE_COLUMNS} FROM {MESSAGE_FROM} WHERE m.id = :id",  # noqa: S608 - our own column list
        id=message_id,
    )
    return None if row is None else MessageRow(*row)


def no_message(message_id: str) -> NotFound:
    return NotFound(f"message not found: {message_id[:64]!r}")


def visible_message(tx: ReadTx, message_id: str, account: str) -> tuple[MessageRow, list[str]]:
    """
    A message that `account` may see, and who may see it.

    Raises:
        NotFound: no such message, or in a conversation of others: one answer for both.
    """
    row = message_row(tx, message_id)
    try:
        if row is not None:
            return row, members(tx, row.conversation_id, account)
    except NotFound:
        pass
    raise no_message(message_id)
