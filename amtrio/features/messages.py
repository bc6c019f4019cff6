"""Sending, editing and deleting messages; reading them is in `history`.

Knows frames and SQL. Knows nothing of sockets, HTTP or who is online.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from amtrio.clock import rfc3339
from amtrio.context import Context
from amtrio.context import Services as Services  # noqa: PLC0414 - read by type hints of removals
from amtrio.errors import Conflict, Forbidden, TooLarge
from amtrio.feature import command, delete, on_removal, patch, post
from amtrio.model.deletion import delete as erase
from amtrio.model.message import (
    Message,
    MessageEdited,
    checked_content,
    message,
    visible_message,
)
from amtrio.model.posting import MessageSent, Post, store_message
from amtrio.model.question import AskedQuestion, checked_question
from amtrio.protocol.codec import encode
from amtrio.protocol.frames import ClientId, Command, Json, Reply
from amtrio.store.database import Tx

MAX_METADATA_BYTES = 16_384


class SendMessage(Post, frozen=True, kw_only=True):
    """
    Say something.

    Attributes:
        attachment_ids: uploads of the sender's that become part of it, at most 10; `content` may then be empty.
        question: of agents only: what may be chosen from in answer to it; `content` is the text of the question.
    """

    content: str | None = None
    attachment_ids: tuple[str, ...] | None = None
    metadata: Json | None = None
    question: AskedQuestion | None = None


@post("/conversations/<conversation_id>/messages", budget="message")
@command("message", budget="message")
def send(tx: Tx, ctx: Context, frame: SendMessage) -> MessageSent:
    """
    Store one message and give it the next number of its conversation.

    Raises:
        NotFound: no such conversation, or the sender is not in it; an attachment that is not the sender's to send.
        ClientIdReused: the same client_id came with another content.
        Malformed, TooLarge: the content is missing or above 64 KiB. Forbidden: a person's question with options.

    Source: docs/protocol.md, "Resending".
    """
    attachment_ids = frame.attachment_ids or ()
    if frame.question is not None and ctx.principal.kind != "agent":
        text = "question: only agents ask with options"
        raise Forbidden(text)
    content = checked_content(frame.content, has_more=bool(attachment_ids) and frame.question is None)
    metadata_text = _checked_metadata(frame.metadata)
    return store_message(
        tx,
        ctx,
        frame,
        content,
        metadata=frame.metadata,
        metadata_text=metadata_text,
        attachment_ids=attachment_ids,
        question=checked_question(frame.question) if frame.question is not None else None,
    )


def _checked_metadata(metadata: Json | None) -> str | None:
    if metadata is None:
        return None
    raw = encode(metadata)
    if len(raw) > MAX_METADATA_BYTES:
        text = f"metadata must have at most {MAX_METADATA_BYTES} bytes of JSON"
        raise TooLarge(text)
    return raw.decode()


class EditMessage(Command, frozen=True, kw_only=True):
    """A new text for one's own message."""

    message_id: str
    # The description alone says how long it is: our own words for that are better than a schema's.
    content: Annotated[str, Meta(extra_json_schema={"minLength": 1})]
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
        NotFound: no such message in a conversation of the asker. Forbidden: somebody else's.
        Conflict: deleted, or encrypted.
    """
    content = checked_content(frame.content)
    row, accounts = visible_message(tx, frame.message_id, ctx.principal.account)
    shown = message(tx, Message, row)
    if row.sender_key != ctx.principal.account:
        text = "can only edit your own messages"
        raise Forbidden(text)
    if shown.deleted:
        text = "cannot edit a deleted message"
        raise Conflict(text)
    if shown.kind == "encrypted":
        # A plain text in its place would look as if it had been encrypted.
        text = "cannot edit an encrypted message; delete it and send another one"
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
    if ctx.principal.account not in (row.sender_key, row.user_key):
        text = "can only delete your own messages or messages in your conversations"
        raise Forbidden(text)
    if shown.deleted:
        text = "message already deleted"
        raise Conflict(text)
    erase(tx, ctx, row, accounts)
    return Deleted(message_id=frame.message_id, conversation_id=shown.conversation_id, deleted_at=rfc3339(tx.at_us))


@on_removal
def remove_messages(tx: Tx, services: Services, account: str) -> None:
    """Conversations go with the account (see `conversations`), and their messages with them."""
    del services
    tx.run("DELETE FROM command_done WHERE account_key = :account", account=account)
