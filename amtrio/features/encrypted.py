"""Messages whose text only the members can read: ciphertext in, ciphertext out.

They are messages like all others: the same numbers, log, receipts and deletion. Knows frames and SQL; knows no key and
no plaintext, and takes what the sender says of its ciphertext for granted.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from amtrio.context import Answer, Context
from amtrio.errors import Malformed, TooLarge
from amtrio.feature import command, get, post
from amtrio.model.conversation import members
from amtrio.model.message import MAX_CONTENT_BYTES, Encryption, Message, message
from amtrio.model.pages import MAX_REST_PAGE_BYTES, AskPage, page
from amtrio.model.posting import MessageSent, Post, store_message
from amtrio.protocol.frames import Kind
from amtrio.store.database import ReadTx, Row, Tx

# What an SDK says that has its ciphertext, and all that belongs to it, from a library of the application's choice.
OPAQUE = "opaque"
ALGORITHMS = ("aes-256-gcm", "x25519-aes-256-gcm", "x25519-chacha20-poly1305")

# Longer than any nonce; a key may name itself by its 32 bytes in any spelling, a device by a UUID.
Nonce = Annotated[str, Meta(max_length=128)]
Name = Annotated[str, Meta(max_length=256)]


class SendEncrypted(Post, frozen=True, kw_only=True):
    """
    Say something that this server cannot read.

    Attributes:
        ciphertext: text of at most 64 KiB, usually base64.
        algorithm: one of `aes-256-gcm`, `x25519-aes-256-gcm` and `x25519-chacha20-poly1305`, with its `iv`; or
            `opaque`: the members know. COMPAT: left out, with a `sender_device_id`, it is `opaque`.
        recipient_key_id, sender_key_id: which keys it was made with, in the members' own terms.
        sender_device_id, message_type: of clients whose sessions are between devices.
        attachment_ids: as of `message`; what is in them is the members' own affair, too.
    """

    ciphertext: str | None = None
    attachment_ids: tuple[str, ...] | None = None
    iv: Nonce | None = None
    algorithm: Name | None = None
    recipient_key_id: Name | int | None = None
    sender_key_id: Name | int | None = None
    sender_device_id: Name | None = None
    message_type: Name | int | None = None


@command("encrypted_message", budget="message")
def send_encrypted(tx: Tx, ctx: Context, frame: SendEncrypted) -> MessageSent:
    """
    Store one encrypted message and give it the next number of its conversation.

    Raises:
        NotFound: no such conversation, or the sender is not in it; an attachment that is not the sender's to send.
        ClientIdReused: the same client_id came with another message.
        Malformed, TooLarge: something is missing, the algorithm is unknown, or it is longer than 64 KiB.
    """
    ciphertext = frame.ciphertext
    algorithm = frame.algorithm or (OPAQUE if not frame.iv and frame.sender_device_id else None)
    if not (ciphertext and algorithm):
        text = "ciphertext and algorithm are required (or ciphertext and sender_device_id)"
        raise Malformed(text)
    if algorithm not in ALGORITHMS and algorithm != OPAQUE:
        text = f"unsupported algorithm {algorithm[:64]!r}: one of {', '.join((*ALGORITHMS, OPAQUE))}"
        raise Malformed(text)
    if not frame.iv and algorithm != OPAQUE:
        text = f"iv is required with {algorithm}"
        raise Malformed(text)
    if len(ciphertext) > MAX_CONTENT_BYTES or len(ciphertext.encode()) > MAX_CONTENT_BYTES:
        text = f"ciphertext must have at most {MAX_CONTENT_BYTES} bytes; send longer text as an encrypted attachment"
        raise TooLarge(text)
    encryption = Encryption(
        algorithm=algorithm,
        iv=frame.iv or "",
        recipient_key_id=_text(frame.recipient_key_id),
        sender_key_id=_text(frame.sender_key_id),
        sender_device_id=frame.sender_device_id or None,
        message_type=_text(frame.message_type),
    )
    return store_message(
        tx,
        ctx,
        frame,
        ciphertext,
        kind="encrypted",
        encryption=encryption,
        attachment_ids=frame.attachment_ids or (),
    )


def _text(value: str | int | None) -> str | None:
    """Ids may be numbers in a client's own terms."""
    return str(value) if value not in (None, "") else None


class EncryptedSent(MessageSent, frozen=True, kw_only=True, omit_defaults=False):
    """COMPAT: over REST it carries both names of its id, and a text."""

    id: str
    message: str = "encrypted message stored"


@post("/conversations/<conversation_id>/messages/encrypted", budget="message")
def post_encrypted(tx: Tx, ctx: Context, frame: SendEncrypted) -> EncryptedSent:
    """The same for REST."""
    sent = send_encrypted(tx, ctx, frame)
    return EncryptedSent(id=sent.message_id, **msgspec.structs.asdict(sent))


class EncryptedView(msgspec.Struct, frozen=True, kw_only=True):
    """
    An encrypted message over REST. COMPAT: under the names of the older server and of its SDKs.

    Attributes:
        iv: empty where the algorithm is `opaque`.
    """

    id: str
    message_id: str
    conversation_id: str
    conversation_seq: int
    sender_id: str
    sender_type: Kind
    ciphertext: str
    iv: str
    algorithm: str
    recipient_key_id: str
    sender_key_id: str | None
    sender_device_id: str | None
    message_type: str | None
    created_at: str
    timestamp: str


class AskEncrypted(AskPage, frozen=True, kw_only=True):
    """
    A page of a conversation's ciphertext.

    Attributes:
        device_id: COMPAT, SDKs name the asking device; every device is shown the same.
    """

    device_id: str | None = None


@get("/conversations/<conversation_id>/messages/encrypted")
def list_encrypted(tx: ReadTx, ctx: Context, request: AskEncrypted) -> Answer[list[EncryptedView]]:
    """
    The encrypted messages that are not deleted, in ascending order: the newest page, or the one next to a cursor.

    Raises:
        NotFound: no such conversation, or the asker is not in it.
    """
    members(tx, request.conversation_id, ctx.principal.account)
    condition = "AND m.kind = 'encrypted' AND m.deleted_us IS NULL"
    found = page(tx, request, condition, most_bytes=MAX_REST_PAGE_BYTES)
    has_more = "true" if found.has_more else "false"
    return Answer([_view(tx, row) for row in found.rows], headers={"X-Amtrio-Has-More": has_more})


def _view(tx: ReadTx, row: Row) -> EncryptedView:
    shown = message(tx, Message, row)
    how = shown.encryption or Encryption(algorithm=OPAQUE)
    kind: Literal["user", "agent"] = "agent" if shown.sender_type == "agent" else "user"
    return EncryptedView(
        id=shown.message_id,
        message_id=shown.message_id,
        conversation_id=shown.conversation_id,
        conversation_seq=shown.conversation_seq,
        sender_id=shown.sender_id,
        sender_type=kind,
        ciphertext=shown.content,
        iv=how.iv,
        algorithm=how.algorithm,
        recipient_key_id=how.recipient_key_id or "",
        sender_key_id=how.sender_key_id,
        sender_device_id=how.sender_device_id,
        message_type=how.message_type,
        created_at=shown.created_at,
        timestamp=shown.created_at,
    )
