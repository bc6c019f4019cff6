"""Handing out files: to the members of their conversation, and to whoever holds a link that one of them made.

Knows SQL, files and headers. Knows no socket and no framework.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
import structlog
from msgspec import Meta

from amtrio.clock import MICROS_PER_SECOND, rfc3339
from amtrio.context import Answer, Chunks, Context
from amtrio.errors import Malformed, Unauthorized
from amtrio.feature import get, post
from amtrio.media.downloads import disposition, plan
from amtrio.media.files import THUMBNAIL
from amtrio.media.images import THUMBNAIL_TYPE
from amtrio.media.sniffing import SHOWN_INLINE, TEXT
from amtrio.model.attachment import files, no_attachment
from amtrio.model.conversation import members
from amtrio.model.message import ATTACHMENT_COLUMNS, attachment, attachments_of, visible_message
from amtrio.model.message_view import AttachmentView, attachment_view
from amtrio.model.pages import MAX_PAGE, page_size
from amtrio.store.database import ReadTx, Row
from amtrio.tokens import link_signature, same

log = structlog.stdlib.get_logger(__name__)

# Long enough for a page to load its pictures and a film to begin; each look at a page makes new ones.
LINK_SECONDS = 900
_COLUMNS = ", ".join(f"a.{name.strip()}" for name in ATTACHMENT_COLUMNS.split(","))
_FILE = f"SELECT {_COLUMNS} FROM attachment a WHERE a.id = :id AND a.state = 'stored'"  # noqa: S608 - our own columns
# The uploader, and whoever is in the conversation of the message that carries it.
_MINE = f"""
{_FILE} AND (a.owner_key = :account OR EXISTS (
    SELECT 1 FROM message m JOIN member r ON r.conversation_id = m.conversation_id AND r.account_key = :account
    WHERE m.id = a.message_id AND r.left_at_seq IS NULL))"""  # noqa: S608
_HEADERS = {
    # What is in a file is a stranger's: whatever a browser makes of it, it may run nothing and load nothing.
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
    # A file never changes; who is asked again after an hour still may see it.
    "Cache-Control": "private, max-age=3600",
    "Vary": "Authorization, X-Agent-ID",
}


class Download(msgspec.Struct, frozen=True, kw_only=True):
    """
    Which one.

    Attributes:
        expires, signature: of a link made by `POST /attachments/<id>/link`; then no credential is needed.
    """

    attachment_id: str
    expires: int | None = None
    signature: str | None = None


@get("/attachments/<attachment_id>", who="guest", produces="*/*", answers=(200, 206, 304, 416))
async def download(ctx: Context, request: Download) -> Answer[Chunks | bytes]:
    """
    The file itself, or the range of it that is asked for.

    Raises:
        NotFound: no such file, or none of the asker's conversations. Unauthorized: no proof, or a link past its time.
    """
    row = await _allowed(ctx, request, f"/attachments/{request.attachment_id}")
    kind, filename = row[3], row[2]
    shown = f"{TEXT}; charset=utf-8" if kind == TEXT else kind
    named = disposition(filename, is_inline=kind in SHOWN_INLINE)
    return await _sent(ctx, row, row[0], shown, named, sha256=row[5])


@get("/attachments/<attachment_id>/thumbnail", who="guest", produces=THUMBNAIL_TYPE, answers=(200, 206, 304, 416))
async def thumbnail(ctx: Context, request: Download) -> Answer[Chunks | bytes]:
    """
    A small copy of a picture, at most 512 pixels wide and high.

    Raises:
        NotFound: as above, or there is none of this file.
    """
    row = await _allowed(ctx, request, f"/attachments/{request.attachment_id}/thumbnail")
    if not row[8]:
        raise no_attachment(request.attachment_id)
    stem = row[2].rpartition(".")[0] or row[2]
    named = disposition(f"{stem}.webp", is_inline=True)
    return await _sent(ctx, row, row[0] + THUMBNAIL, THUMBNAIL_TYPE, named, sha256=f"{row[5]}-t")


async def _allowed(ctx: Context, request: Download, path: str) -> Row:
    id_ = request.attachment_id
    if request.signature is not None and request.expires is not None:
        expected = link_signature(ctx.config.secrets.jwt.reveal(), path, request.expires)
        is_good = same(expected, request.signature)
        if not is_good or ctx.clock.now_us() >= request.expires * MICROS_PER_SECOND:
            raise Unauthorized("the link is expired" if is_good else "the link's signature is invalid")
        row = await ctx.store.read(lambda tx: tx.one(_FILE, id=id_))
    elif not ctx.principal.account:
        raise Unauthorized("unauthorized")
    else:
        row = await ctx.store.read(lambda tx: tx.one(_MINE, id=id_, account=ctx.principal.account))
    if row is None:
        raise no_attachment(id_)
    return row


async def _sent(
    ctx: Context, row: Row, name: str, content_type: str, named: str, *, sha256: str
) -> Answer[Chunks | bytes]:
    assert ctx.request is not None
    store = files(ctx.services)
    size = await store.size(name)
    if size is None:
        log.warning("file_missing", name=name)
        raise no_attachment(row[0])
    wanted = plan(ctx.request.header, size=size, sha256=sha256, changed_us=row[9])
    headers = {**_HEADERS, **wanted.headers, "Content-Disposition": named}
    body = store.read(name, wanted.start, wanted.stop) if wanted.start < wanted.stop else b""
    return Answer(body, wanted.status, headers, content_type)


class MakeLink(msgspec.Struct, frozen=True, kw_only=True):
    """Which one."""

    attachment_id: str


class AttachmentLink(msgspec.Struct, frozen=True, kw_only=True):
    """
    Addresses that need no credential: for a picture in a page.

    Attributes:
        thumbnail_url: of pictures. expires_at: of both; a download that has begun goes on.
    """

    attachment_id: str
    url: str
    thumbnail_url: str | None
    expires_at: str


@post("/attachments/<attachment_id>/link", reads=True)
def make_link(tx: ReadTx, ctx: Context, request: MakeLink) -> AttachmentLink:
    """
    Make links that are good for a quarter of an hour.

    Raises:
        NotFound: no such file, or none of the asker's conversations.
    """
    row = tx.one(_MINE, id=request.attachment_id, account=ctx.principal.account)
    if row is None:
        raise no_attachment(request.attachment_id)
    expires_s = ctx.clock.now_us() // MICROS_PER_SECOND + LINK_SECONDS
    secret = ctx.config.secrets.jwt.reveal()

    def signed(path: str) -> str:
        return f"{path}?expires={expires_s}&signature={link_signature(secret, path, expires_s)}"

    path = f"/attachments/{row[0]}"
    return AttachmentLink(
        attachment_id=row[0],
        url=signed(path),
        thumbnail_url=signed(f"{path}/thumbnail") if row[8] else None,
        expires_at=rfc3339(expires_s * MICROS_PER_SECOND),
    )


class ListAttachments(msgspec.Struct, frozen=True, kw_only=True):
    """
    A page of a conversation's files.

    Attributes:
        before: an attachment id; only those that were uploaded earlier. limit: 1 to 200, else 50.
    """

    conversation_id: str
    before: Annotated[str, Meta(max_length=64)] | None = None
    limit: int | None = None


@get("/conversations/<conversation_id>/attachments")
def list_attachments(tx: ReadTx, ctx: Context, request: ListAttachments) -> Answer[list[AttachmentView]]:
    """The files of a conversation's messages, newest first."""
    members(tx, request.conversation_id, ctx.principal.account)
    limit = page_size(request.limit)
    rows = tx.all(
        f"""
        SELECT {ATTACHMENT_COLUMNS} FROM attachment
        WHERE conversation_id = :conversation AND message_id IS NOT NULL AND state = 'stored' AND id < :before
        ORDER BY id DESC LIMIT :limit""",  # noqa: S608 - our own column list
        conversation=request.conversation_id,
        before=request.before or "~",  # above every id there is
        limit=limit + 1,
    )
    shown = [attachment_view(attachment(row)) for row in rows[:limit]]
    return Answer(shown, headers={"X-Amtrio-Has-More": "true" if len(rows) > limit else "false"})


class AskAttachments(msgspec.Struct, frozen=True, kw_only=True):
    """Which message's."""

    message_id: str


@get("/messages/<message_id>/attachments")
def message_attachments(tx: ReadTx, ctx: Context, request: AskAttachments) -> list[AttachmentView]:
    """The files of one message, in its order."""
    visible_message(tx, request.message_id, ctx.principal.account)
    return [attachment_view(each) for each in attachments_of(tx, request.message_id)]


class AskOldAttachments(msgspec.Struct, frozen=True, kw_only=True):
    """COMPAT: of a conversation or of a message."""

    conversation_id: str | None = None
    message_id: str | None = None
    before: Annotated[str, Meta(max_length=64)] | None = None
    limit: int | None = None


@get("/messages/attachments")
def old_attachments(tx: ReadTx, ctx: Context, request: AskOldAttachments) -> Answer[list[AttachmentView]]:
    """The older path of both lists."""
    if request.message_id:
        return Answer(message_attachments(tx, ctx, AskAttachments(message_id=request.message_id)))
    if not request.conversation_id:
        raise Malformed("conversation_id is required")
    asked = ListAttachments(
        conversation_id=request.conversation_id, before=request.before, limit=request.limit or MAX_PAGE
    )
    return list_attachments(tx, ctx, asked)
