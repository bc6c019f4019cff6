"""Taking one's data along: everything an account has, as one archive that is made while it is sent.

Knows SQL, page by page. Making the archive is `amtrio.media.archive`.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from typing import Any

import msgspec
import trio

from amtrio.clock import rfc3339
from amtrio.context import Answer, Chunks, Context, Nothing
from amtrio.errors import Conflict, RateLimited
from amtrio.feature import get
from amtrio.media.archive import Archive
from amtrio.model.attachment import files
from amtrio.model.conversation import conversation_views, is_member
from amtrio.model.message import (
    ATTACHMENT_COLUMNS,
    Attachment,
    Message,
    attachment,
    message,
)
from amtrio.model.pages import AskPage, page
from amtrio.model.people import open_sessions
from amtrio.protocol.codec import encode
from amtrio.store.database import ReadTx, Row

# What is in memory at a time: so many rows, and of texts about so many bytes.
PAGE_ROWS = 50
PAGE_BYTES = 1024 * 1024
# These are not measured first: a conversation brings its last message, of 512 KiB at most, an older text has 64 KiB
# except the first.
CONVERSATION_ROWS = 4
VERSION_ROWS = 10
MIN_CHUNK_BYTES = 32 * 1024
MAX_NAME_BYTES = 150

_README = """\
Everything that {username} has on this server, {at}.

account.json                      the account
sessions.json                     where it is signed in
notification_preferences.json     when it wants to be woken
push_devices.json                 which devices can be woken
public_keys.json                  public keys for encryption; the server holds no private ones
conversations.json                conversations with their titles, tags and how far they are read
conversations/ID/messages.jsonl   one message per line, oldest first, with reactions and attached files' names
conversations/ID/edits.jsonl      what edited messages said before; only where there are any
attachments.json                  files that were uploaded or received
attachments/ID/NAME               these files

Times are UTC. Encrypted messages are as they were sent: only the devices can read them. Passwords and tokens are
not part of this. The parts were read one after the other while the server went on.
"""

Members = AsyncGenerator[tuple[str | None, bytes], None]


class _Running(set[str]):
    """Accounts of which an archive is being made."""


@get("/account/export", who="user", produces="application/zip")
async def export_account(ctx: Context, request: Nothing) -> Answer[Chunks]:
    """
    One ZIP archive of everything the account has: JSON, and files as they are.

    Raises:
        Conflict: one is being made already. RateLimited: five in an hour are enough.
    """
    del request
    account = ctx.principal.account
    if account in ctx.services.own(_Running):
        text = "an export of this account is being made already"
        raise Conflict(text)
    is_wanted = ctx.request is None or ctx.request.method != "HEAD"
    bucket = ctx.services.limits.exports.of(account)
    if is_wanted and not bucket.take():
        text = f"rate limit exceeded: at most {bucket.limit} exports an hour"
        raise RateLimited(text, retry_after_ms=int(bucket.wait_seconds() * 1000) + 1)
    name = f"amtrio-{ctx.principal.name}-{rfc3339(ctx.clock.now_us())[:10]}.zip"
    return Answer(
        _archive(ctx),
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
        content_type="application/zip",
    )


async def _archive(ctx: Context) -> Chunks:
    """Closed early it leaves nothing behind."""
    running, account = ctx.services.own(_Running), ctx.principal.account
    if account in running:
        text = "an export of this account is being made already"
        raise Conflict(text)
    running.add(account)
    archive = Archive(at_us=ctx.clock.now_us())
    try:
        waiting = bytearray()
        async with aclosing(_members(ctx)) as members:
            async for name, data in members:
                waiting += await trio.to_thread.run_sync(_put, archive, name, data)
                if len(waiting) >= MIN_CHUNK_BYTES:
                    yield bytes(waiting)
                    waiting.clear()
        archive.close()
        yield bytes(waiting) + archive.take()
    finally:
        archive.close()
        running.discard(account)


def _put(archive: Archive, name: str | None, data: bytes) -> bytes:
    if name is not None:
        archive.begin(name)
    archive.write(data)
    return archive.take()


async def _members(ctx: Context) -> Members:
    """What goes into the archive: a name begins a member, None goes on with it."""
    account, store = ctx.principal.account, ctx.store
    at = rfc3339(ctx.clock.now_us())
    yield "README.txt", _README.format(username=ctx.principal.name, at=at).encode()
    for name, unit in (
        ("account.json", _account),
        ("sessions.json", _sessions),
        ("notification_preferences.json", _preferences),
        ("push_devices.json", _push_devices),
        ("public_keys.json", _keys),
    ):
        yield name, _pretty(await store.read(unit, ctx, account))
    yield "conversations.json", b""
    ids: list[str] = []
    async with aclosing(_listed(_conversations(ctx, ids))) as lines:
        async for line in lines:
            yield None, line
    found: dict[str, Attachment] = {}
    for conversation_id in ids:
        async with aclosing(_conversation(ctx, conversation_id, found)) as members:
            async for member in members:
                yield member
    await _add_own_files(ctx, found)
    yield "attachments.json", _pretty(list(found.values()))
    for each in found.values():
        if await files(ctx.services).size(each.attachment_id) is not None:
            yield f"attachments/{each.attachment_id}/{_safe(each.filename)}", b""
            async with aclosing(_pieces(ctx, each)) as pieces:
                async for piece in pieces:
                    yield None, piece


def _pretty(value: object) -> bytes:
    return msgspec.json.format(encode(value), indent=2) + b"\n"


async def _listed(items: AsyncGenerator[object, None]) -> AsyncGenerator[bytes, None]:
    """A JSON array, item by item."""
    before = b"[\n"
    async with aclosing(items):
        async for item in items:
            yield before + encode(item)
            before = b",\n"
    yield b"\n]\n" if before == b",\n" else b"[]\n"


def _account(tx: ReadTx, ctx: Context, account: str) -> dict[str, Any]:
    row = tx.one("SELECT tier, is_admin, created_us FROM user_account WHERE account_key = :account", account=account)
    tier, is_admin, created_us = row if row is not None else ("", 0, 0)
    return {
        "user_id": ctx.principal.id,
        "username": ctx.principal.name,
        "tier": tier,
        "is_admin": bool(is_admin),
        "created_at": rfc3339(created_us),
    }


def _sessions(tx: ReadTx, ctx: Context, account: str) -> object:
    return open_sessions(tx, account, now_us=ctx.clock.now_us(), current=ctx.principal.session)


def _preferences(tx: ReadTx, ctx: Context, account: str) -> object:
    del ctx
    row = tx.one(
        """
        SELECT muted_until_us, quiet_from_minute, quiet_to_minute, time_zone FROM notification_preference
        WHERE account_key = :account""",
        account=account,
    )
    if row is None:
        return None
    muted_until_us, quiet_from, quiet_to, zone = row
    return {
        "muted_until": rfc3339(muted_until_us) if muted_until_us is not None else None,
        "quiet_from_minute": quiet_from,
        "quiet_to_minute": quiet_to,
        "time_zone": zone,
    }


def _push_devices(tx: ReadTx, ctx: Context, account: str) -> object:
    """Without the tokens and endpoints, which are credentials of a kind."""
    del ctx
    rows = tx.all(
        """
        SELECT id, platform, device_id, session_id, created_us, updated_us FROM push_device
        WHERE account_key = :account ORDER BY created_us, id""",
        account=account,
    )
    return [
        {
            "id": id_,
            "platform": platform,
            "device_id": device_id,
            "session_id": session_id,
            "created_at": rfc3339(created_us),
            "updated_at": rfc3339(updated_us),
        }
        for id_, platform, device_id, session_id, created_us, updated_us in rows
    ]


def _keys(tx: ReadTx, ctx: Context, account: str) -> object:
    del ctx
    rows = tx.all(
        """
        SELECT id, kind, key_id, public_key, signing_key, signature, version, created_us FROM public_key
        WHERE account_key = :account ORDER BY kind, created_us, id""",
        account=account,
    )
    names = ("id", "kind", "key_id", "public_key", "signing_key", "signature", "version")
    return [dict(zip(names, row, strict=False)) | {"created_at": rfc3339(row[-1])} for row in rows]


async def _conversations(ctx: Context, ids: list[str]) -> AsyncGenerator[object, None]:
    """By id, which never changes; `ids` is told each."""
    after = ""
    while True:
        views = await ctx.store.read(
            conversation_views,
            ctx.principal.account,
            "AND c.id > :after ORDER BY c.id LIMIT :limit",
            after=after,
            limit=CONVERSATION_ROWS,
        )
        for view in views:
            ids.append(after := view.conversation_id)
            yield view
        if len(views) < CONVERSATION_ROWS:
            return


async def _conversation(ctx: Context, conversation_id: str, found: dict[str, Attachment]) -> Members:
    """Its messages, and what the edited ones said before; `found` is told what hangs on them."""
    yield f"conversations/{conversation_id}/messages.jsonl", b""
    edited: list[str] = []
    after = 0
    while messages := await ctx.store.read(_messages, ctx.principal.account, conversation_id, after):
        yield None, b"".join(encode(each) + b"\n" for each in messages)
        after = messages[-1].conversation_seq
        edited += [each.message_id for each in messages if each.edited_at is not None]
        found |= {each.attachment_id: each for shown in messages for each in shown.attachments}
    name: str | None = f"conversations/{conversation_id}/edits.jsonl"
    for message_id in edited:
        version = 0
        while rows := await ctx.store.read(_versions, message_id, version):
            yield name, b"".join(_edit(message_id, row) for row in rows)
            name, version = None, rows[-1][0]


def _messages(tx: ReadTx, account: str, conversation_id: str, after: int) -> list[Message]:
    if not is_member(tx, conversation_id, account):
        return []
    found = page(tx, AskPage(conversation_id=conversation_id, after=after, limit=PAGE_ROWS), most_bytes=PAGE_BYTES)
    return [message(tx, Message, row, viewer=account) for row in found.rows]


def _versions(tx: ReadTx, message_id: str, after: int) -> list[Row]:
    return tx.all(
        """
        SELECT version, content, written_us FROM message_version
        WHERE message_id = :id AND version > :after ORDER BY version LIMIT :limit""",
        id=message_id,
        after=after,
        limit=VERSION_ROWS,
    )


def _edit(message_id: str, row: Row) -> bytes:
    version, content, written_us = row
    line = {"message_id": message_id, "version": version, "content": content, "written_at": rfc3339(written_us)}
    return encode(line) + b"\n"


async def _add_own_files(ctx: Context, found: dict[str, Attachment]) -> None:
    """What the account uploaded, whether it was sent or not."""
    after = ""
    while rows := await ctx.store.read(_uploads, ctx.principal.account, after):
        for shown in map(attachment, rows):
            found[shown.attachment_id] = shown
        after = rows[-1][0]


def _uploads(tx: ReadTx, account: str, after: str) -> list[Row]:
    return tx.all(
        f"""
        SELECT {ATTACHMENT_COLUMNS} FROM attachment
        WHERE owner_key = :account AND state = 'stored' AND id > :after ORDER BY id LIMIT :limit""",  # noqa: S608
        account=account,
        after=after,
        limit=PAGE_ROWS,
    )


def _safe(filename: str) -> str:
    """A name that unpacks into its own folder, whatever its sender called it."""
    plain = "".join(each if each.isprintable() and each not in '/\\:*?"<>|' else "_" for each in filename).strip(". ")
    return plain.encode("utf-8", "replace")[:MAX_NAME_BYTES].decode("utf-8", "ignore") or "file"


async def _pieces(ctx: Context, file: Attachment) -> AsyncGenerator[bytes, None]:
    with suppress(FileNotFoundError):  # removed since it was listed
        async with aclosing(files(ctx.services).read(file.attachment_id, 0, file.size)) as pieces:
            async for piece in pieces:
                yield piece
