"""Sending, editing, deleting and reading messages.

Knows frames and SQL. Knows nothing of sockets, HTTP or who is online.
"""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from amtrio.clock import MICROS_PER_SECOND, rfc3339
from amtrio.conversation import (
    MAX_CONTENT_BYTES,
    MESSAGE_COLUMNS,
    MESSAGE_FROM,
    Message,
    MessageDeleted,
    MessageEdited,
    MessagePosted,
    find_or_create,
    members,
    message,
    message_row,
    no_conversation,
    sender_type,
)
from amtrio.errors import ClientIdReused, Conflict, Forbidden, Malformed, NotFound, TooLarge
from amtrio.feature import Answer, Context, account_key, command, delete, get, on_removal, patch, post, replay
from amtrio.feature import Services as Services  # noqa: PLC0414 - read by type hints of removals
from amtrio.protocol.codec import encode
from amtrio.protocol.frames import CLIENT_ID_PATTERN, Command, Json, Reply
from amtrio.store.database import ReadTx, Row, Tx
from amtrio.store.log import LogRow, head

ClientId = Annotated[str, Meta(pattern=CLIENT_ID_PATTERN)]
MAX_METADATA_BYTES = 16_384
MAX_PAGE = 200
DEFAULT_PAGE = 50


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
@post("/messages/edit")  # COMPAT
@command("edit")
def edit(tx: Tx, ctx: Context, frame: EditMessage) -> Edited:
    """
    Replace the text of one's own message; the older text stays in its history.

    Raises:
        NotFound: no such message in a conversation of the asker. Forbidden: somebody else's. Conflict: deleted.
    """
    content = _checked_content(frame.content)
    row, accounts = _own_row(tx, ctx, frame.message_id)
    shown = message(Message, row)
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
    edited = message(MessageEdited, _row(tx, frame.message_id))
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
@post("/messages/delete")  # COMPAT
@command("delete")
def delete_message(tx: Tx, ctx: Context, frame: DeleteMessage) -> Deleted:
    """
    Delete one's own message, or any message in a conversation one owns; what it said before is gone too.

    Raises:
        NotFound: no such message in a conversation of the asker. Forbidden: an agent may delete its own only.
        Conflict: deleted already.
    """
    row, accounts = _own_row(tx, ctx, frame.message_id)
    shown = message(Message, row)
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
    tx.announce(message(MessageDeleted, _row(tx, frame.message_id)), accounts, device=ctx.principal.device)
    return Deleted(message_id=frame.message_id, conversation_id=shown.conversation_id, deleted_at=rfc3339(tx.at_us))


def _row(tx: ReadTx, message_id: str) -> Row:
    row = message_row(tx, message_id)
    if row is None:
        text = f"message not found: {message_id[:64]!r}"
        raise NotFound(text)
    return row


def _own_row(tx: ReadTx, ctx: Context, message_id: str) -> tuple[Row, list[str]]:
    """A message that the asker may see, and who else may."""
    row = _row(tx, message_id)
    try:
        return row, members(tx, row[1], ctx.principal.account)
    except NotFound:
        text = f"message not found: {message_id[:64]!r}"
        raise NotFound(text) from None


class AskMessage(msgspec.Struct, frozen=True, kw_only=True):
    """Which one."""

    message_id: str


@get("/messages/<message_id>")
def one_message(tx: ReadTx, ctx: Context, request: AskMessage) -> Json:
    """One message as it is now."""
    row, _ = _own_row(tx, ctx, request.message_id)
    return shown_message(row, None, ctx)


class AskHistory(Command, frozen=True, kw_only=True):
    """
    A page of a conversation.

    Attributes:
        before, after: a message id, a conversation_seq or a time; only what is strictly older or newer.
        limit: 1 to 200; anything else means 50, as older clients expect.
    """

    conversation_id: str
    before: str | int | None = None
    after: str | int | None = None
    limit: int | None = None


class History(Reply, frozen=True, kw_only=True, omit_defaults=False):
    """Messages in ascending order, true at `{epoch, seq}` of the account's log."""

    type = "history"
    conversation_id: str
    messages: list[Message]
    has_more: bool
    epoch: str
    seq: int


@command("history", reads=True)
def history(tx: ReadTx, ctx: Context, frame: AskHistory) -> History:
    """The newest page, or the one next to a cursor."""
    rows, has_more = _page(tx, ctx, frame)
    return History(
        conversation_id=frame.conversation_id,
        messages=[message(Message, row, viewer=ctx.principal.account) for row in rows],
        has_more=has_more,
        epoch=ctx.store.epoch,
        seq=head(tx, ctx.principal.account)[1],
    )


@get("/conversations/<conversation_id>/messages")
@get("/conversations/messages")  # COMPAT
def list_messages(tx: ReadTx, ctx: Context, request: AskHistory) -> Answer:
    """The same page for REST, as the bare array that older clients read."""
    rows, has_more = _page(tx, ctx, request)
    read = {
        account: (up_to, read_us)
        for account, up_to, read_us in tx.all(
            "SELECT account_key, read_up_to, read_us FROM member WHERE conversation_id = :id",
            id=request.conversation_id,
        )
    }
    return Answer(
        [shown_message(row, read, ctx) for row in rows],
        headers={
            "X-Amtrio-Epoch": ctx.store.epoch,
            "X-Amtrio-Seq": str(head(tx, ctx.principal.account)[1]),
            "X-Amtrio-Has-More": "true" if has_more else "false",
        },
    )


def _page(tx: ReadTx, ctx: Context, frame: AskHistory) -> tuple[list[Row], bool]:
    members(tx, frame.conversation_id, ctx.principal.account)
    limit = frame.limit if frame.limit is not None and 1 <= frame.limit <= MAX_PAGE else DEFAULT_PAGE
    low = _seq_at_or_before(tx, frame.conversation_id, frame.after, is_before=False)
    high = _seq_at_or_before(tx, frame.conversation_id, frame.before, is_before=True)
    ascending = frame.after is not None and frame.before is None
    rows = tx.all(
        f"""
        SELECT {MESSAGE_COLUMNS} FROM {MESSAGE_FROM}
        WHERE m.conversation_id = :id AND m.seq > :low AND m.seq < :high
        ORDER BY m.seq {"ASC" if ascending else "DESC"} LIMIT :limit""",  # noqa: S608 - our own words
        id=frame.conversation_id,
        low=low,
        high=high,
        limit=limit + 1,
    )
    has_more, rows = len(rows) > limit, rows[:limit]
    return (rows if ascending else rows[::-1]), has_more


_NO_END = 2**62
_MANY_DIGITS = 20
_TIME = re.compile(r"^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:?\d\d)?$")


def _seq_at_or_before(tx: ReadTx, conversation_id: str, cursor: str | int | None, *, is_before: bool) -> int:
    """
    The number a cursor stands for: exclusive bound of the page.

    A time is resolved to a number first, since clocks jump and numbers do not: the newest message that is older
    (`before`) or not newer (`after`).
    """
    if cursor is None or cursor == "":
        return _NO_END if is_before else 0
    if isinstance(cursor, str) and cursor.isdecimal():
        # Python refuses to read thousands of digits, SQLite to compare with more than 64 bits.
        cursor = int(cursor) if len(cursor) < _MANY_DIGITS else _NO_END
    if isinstance(cursor, int):
        return max(0, min(cursor, _NO_END))
    row = tx.one("SELECT seq FROM message WHERE id = :id AND conversation_id = :c", id=cursor, c=conversation_id)
    if row is not None:
        return int(row[0])
    at_us = _micros(cursor)
    if at_us is None:
        text = "cursor must be a message id, a conversation_seq or an RFC 3339 time"
        raise Malformed(text)
    if not is_before:
        # Times are shown to the millisecond: what was shown at this one is not newer than it.
        at_us += 999 - at_us % 1000
    row = tx.one(
        f"""
        SELECT seq FROM message WHERE conversation_id = :c AND created_us {"<" if is_before else "<="} :at
        ORDER BY seq DESC LIMIT 1""",  # noqa: S608 - our own words
        c=conversation_id,
        at=at_us,
    )
    seq = int(row[0]) if row is not None else 0
    return seq + 1 if is_before else seq


def _micros(text: str) -> int | None:
    """RFC 3339 with any fraction, or the older server's spelling with a space; None if neither."""
    match = _TIME.match(text.replace(" ", "+") if "+" not in text and text.count(" ") == 1 and "T" in text else text)
    if match is None:
        return None
    day, time_, fraction, zone = match.groups()
    try:
        moment = datetime.fromisoformat(f"{day}T{time_}{'+00:00' if zone in (None, 'Z') else zone}")
        return int(moment.astimezone(UTC).timestamp()) * MICROS_PER_SECOND + int((fraction or "0").ljust(6, "0")[:6])
    except (ValueError, OverflowError):
        return None


def shown_message(row: Row, read: dict[str, tuple[int, int | None]] | None, ctx: Context) -> Json:
    """COMPAT: a message over REST carries every name that a shipped client reads."""
    shown = message(Message, row)
    sender = row[5]
    read_at = None
    for account, (up_to, read_us) in (read or {}).items():
        if account != sender and shown.conversation_seq <= up_to and read_us is not None:
            read_at = rfc3339(read_us)
    word: str = shown.sender_type
    if word == "client" and ctx.user_agent.startswith("okhttp"):
        word = "user"  # COMPAT: the Android app marks its own messages so
    own = {"client_id": shown.client_id} if sender == ctx.principal.account else {}
    return {
        "id": shown.message_id,
        "message_id": shown.message_id,
        "conversation_id": shown.conversation_id,
        "conversation_seq": shown.conversation_seq,
        "user_id": shown.user_id,
        "agent_id": shown.agent_id,
        "sender_type": word,
        "sender_id": shown.sender_id,
        "kind": shown.kind,
        "content": "[deleted]" if shown.deleted else shown.content,
        "content_format": shown.content_format,
        "reply_to": shown.reply_to,
        "metadata": shown.metadata,
        "created_at": shown.created_at,
        "timestamp": shown.created_at,
        "edited_at": shown.edited_at,
        "edited": shown.edited_at is not None,
        "is_deleted": shown.deleted,
        "deleted": shown.deleted,
        "deleted_at": shown.deleted_at,
        "read_at": read_at,
        **own,
    }


@replay("message")
def replay_posted(tx: ReadTx, account: str, row: LogRow) -> Message | None:
    """Today's truth: the new text of an edited message, a tombstone of a deleted one."""
    return _replayed(tx, account, row, MessagePosted)


@replay("message_edited")
def replay_edited(tx: ReadTx, account: str, row: LogRow) -> Message | None:
    return _replayed(tx, account, row, MessageEdited)


@replay("message_deleted")
def replay_deleted(tx: ReadTx, account: str, row: LogRow) -> Message | None:
    return _replayed(tx, account, row, MessageDeleted)


def _replayed(tx: ReadTx, account: str, row: LogRow, shape: type[Any]) -> Message | None:
    del account
    found = message_row(tx, row.subject_id or "")
    if found is None:
        return None
    event: Message = message(shape, found)
    return event


@on_removal
def remove_messages(tx: Tx, services: Services, account: str) -> None:
    """Conversations go with the account (see `conversations`), and their messages with them."""
    del services
    tx.run("DELETE FROM command_done WHERE account_key = :account", account=account)
