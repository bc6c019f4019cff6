"""Taking in files: streamed to disk, looked at, stored; and their life until they are part of a message.

The row is made first and the file is whole before the row says so, so that a crash at any point leaves nothing that
`leftover_files` would not find. Knows SQL and files; knows no socket and no framework.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
import structlog
import trio
from msgspec import Meta

from amtrio.context import Context, Nothing, Services
from amtrio.errors import (
    AmtrioError,
    Conflict,
    Forbidden,
    Malformed,
    QuotaExceeded,
    StorageUnavailable,
    TooLarge,
)
from amtrio.feature import delete, get, on_removal, post
from amtrio.media.files import THUMBNAIL, Incoming
from amtrio.media.images import examine, is_picture
from amtrio.media.multipart import FRAMING_BYTES, Upload
from amtrio.media.sniffing import BINARY, content_type
from amtrio.model.attachment import (
    COLLECT,
    MAX_PER_MESSAGE,
    Uploading,
    check_ids,
    files,
    let_go_of_account,
    let_go_of_upload,
    link,
    no_attachment,
)
from amtrio.model.conversation import members
from amtrio.model.message import (
    ATTACHMENT_COLUMNS,
    HAS_ATTACHMENTS,
    Attachment,
    MessageEdited,
    attachment,
    attachments_of,
    message,
    visible_message,
)
from amtrio.model.message_view import AttachmentView, attachment_view
from amtrio.protocol.frames import Reply
from amtrio.store.database import ReadTx, Tx

log = structlog.stdlib.get_logger(__name__)

_FORGET_SECONDS = 5.0
_USED = "SELECT coalesce(sum(size_bytes), 0) FROM attachment WHERE owner_key = :account AND state <> 'removing'"
_FORM_FIELDS = ("conversation_id", "message_id", "keep_metadata", "encrypted")
Id = Annotated[str, Meta(max_length=64)]


class UploadFile(msgspec.Struct, frozen=True, kw_only=True):
    """
    A file, as `multipart/form-data` with a field `file`, or as the bare body under its own Content-Type.

    The other fields may stand in the form or in the query.

    Attributes:
        conversation_id: where it is going to be sent. message_id: one's own message that it becomes part of at once.
        filename: of a bare body; a Content-Disposition header with one does as well.
        keep_metadata: leave place, camera and time in a photo.
        encrypted: these bytes are ciphertext: they are kept as they are, whatever they happen to look like.
    """

    conversation_id: Id | None = None
    message_id: Id | None = None
    filename: str = ""
    keep_metadata: bool = False
    encrypted: bool = False


@post("/attachments", streams=True)
async def upload(ctx: Context, request: UploadFile) -> AttachmentView:
    """
    Store a file, which a message can then carry.

    Raises:
        Malformed: no file, or several. TooLarge: the file, or its owner's files together. NotFound: the conversation
        or message, or not the asker's. StorageUnavailable: the disk refused; nothing is left of it.
    """
    asked, max_bytes = ctx.request, ctx.config.limits.max_upload_bytes
    assert asked is not None
    too_large = TooLarge(f"a file must have at most {max_bytes} bytes")
    if asked.length is not None and asked.length > max_bytes + FRAMING_BYTES:
        raise too_large
    body = Upload(
        content_type=asked.header("Content-Type") or "",
        disposition=asked.header("Content-Disposition") or "",
        filename=request.filename,
    )
    attachment_id = ctx.clock.new_id("att")
    uploading = ctx.services.own(Uploading).ids
    uploading.add(attachment_id)
    is_begun = is_stored = False
    try:
        # Who does not say how long it is may be about to send the longest there is.
        room = max_bytes if asked.length is None else min(asked.length, max_bytes)
        await ctx.store.write(_begin, ctx, attachment_id, request, room)
        is_begun = True
        async with files(ctx.services).incoming(attachment_id) as part:
            async for piece in asked.body:
                for found in body.feed(piece):
                    if part.size + len(found) > max_bytes:
                        raise too_large
                    await part.write(found)
            body.finish()
            request = _completed(request, body.fields)
            facts = await _look(part, request)
            await part.keep()
        made = await ctx.store.write(_finish, ctx, attachment_id, request, body.filename, facts)
        is_stored = True
    except OSError as exc:
        log.warning("upload_refused_by_disk", error=str(exc))
        raise StorageUnavailable("the server's disk refused the file; nothing was stored") from exc
    finally:
        if is_begun and not is_stored:
            with trio.move_on_after(_FORGET_SECONDS, shield=True):
                await _forget(ctx.services, attachment_id)
        uploading.discard(attachment_id)
    ctx.services.metrics.uploads += 1
    ctx.services.metrics.uploaded_bytes += made.size
    return attachment_view(made)


def _completed(request: UploadFile, fields: dict[str, str]) -> UploadFile:
    """Those of the form count before those of the query; an empty one is none."""
    known = {name: fields[name] for name in _FORM_FIELDS if fields.get(name)}
    try:
        return msgspec.convert({**msgspec.structs.asdict(request), **known}, UploadFile, strict=False)
    except msgspec.ValidationError as exc:
        raise Malformed(f"upload: {exc}") from exc


class _Facts(msgspec.Struct, frozen=True):
    """What was found out about a file that is about to be kept."""

    content_type: str
    size: int
    sha256: str
    width: int | None = None
    height: int | None = None
    has_thumbnail: bool = False


async def _look(part: Incoming, request: UploadFile) -> _Facts:
    # Of random bytes one file in two thousand begins like an MP3, and a short one is easily a text.
    kind = BINARY if request.encrypted else content_type(part.head)
    if not is_picture(kind):
        return _Facts(kind, part.size, part.sha256)
    stripped = None if request.keep_metadata else part.stripped_path
    picture = await examine(part.path, kind, thumbnail=part.thumbnail_path, stripped=stripped)
    if picture.is_stripped:
        await trio.to_thread.run_sync(part.take_stripped)
    # What could not be read as a picture is not shown as one.
    kind = kind if picture.is_whole else BINARY
    return _Facts(kind, part.size, part.sha256, picture.width, picture.height, picture.has_thumbnail)


def _begin(tx: Tx, ctx: Context, attachment_id: str, request: UploadFile, room: int) -> None:
    account = ctx.principal.account
    _check_place(tx, account, request)
    tx.run(
        """
        INSERT INTO attachment (id, owner_key, conversation_id, state, filename, size_bytes, created_us)
        VALUES (:id, :account, :conversation, 'uploading', '', :room, :at)""",
        id=attachment_id,
        account=account,
        conversation=request.conversation_id,
        room=room,
        at=tx.at_us,
    )
    _check_quota(tx, ctx)


def _finish(tx: Tx, ctx: Context, attachment_id: str, request: UploadFile, filename: str, facts: _Facts) -> Attachment:
    account = ctx.principal.account
    _check_place(tx, account, request)
    row = tx.one(
        f"""
        UPDATE attachment SET state = 'stored', filename = :filename, content_type = :content_type, size_bytes = :size,
            sha256 = :sha256, width = :width, height = :height, has_thumbnail = :has_thumbnail,
            conversation_id = :conversation, created_us = :at
        WHERE id = :id AND state = 'uploading' RETURNING {ATTACHMENT_COLUMNS}""",  # noqa: S608 - our own column list
        id=attachment_id,
        filename=filename,
        content_type=facts.content_type,
        size=facts.size,
        sha256=facts.sha256,
        width=facts.width,
        height=facts.height,
        has_thumbnail=int(facts.has_thumbnail),
        conversation=request.conversation_id,
        at=tx.at_us,
    )
    if row is None:  # its conversation or its owner was removed in the meantime
        raise no_attachment(attachment_id)
    _check_quota(tx, ctx)
    return attachment(row) if request.message_id is None else _link(tx, ctx, request.message_id, attachment_id)


def _check_place(tx: Tx, account: str, request: UploadFile) -> None:
    if request.conversation_id is not None:
        members(tx, request.conversation_id, account)
    if request.message_id is not None:
        row, _accounts = visible_message(tx, request.message_id, account)
        if row.sender_key != account:
            raise Forbidden("files can be added to one's own messages only")


def _check_quota(tx: Tx, ctx: Context) -> None:
    quota = ctx.config.limits.upload_quota_bytes
    used = tx.one(_USED, account=ctx.principal.account)
    if quota and used is not None and used[0] > quota:
        raise QuotaExceeded(f"your files together may have at most {quota} bytes; delete some first")


def _link(tx: Tx, ctx: Context, message_id: str, attachment_id: str) -> Attachment:
    row, accounts = visible_message(tx, message_id, ctx.principal.account)
    if row.deleted_us is not None:
        raise Conflict("cannot add a file to a deleted message")
    before = attachments_of(tx, message_id)
    check_ids([each.attachment_id for each in before] + [attachment_id])
    (linked,) = link(
        tx,
        ctx.principal.account,
        [attachment_id],
        message_id=message_id,
        conversation_id=row.conversation_id,
        first=len(before),
    )
    tx.run(
        "UPDATE message SET extras = extras | :bit WHERE id = :id",
        bit=HAS_ATTACHMENTS,
        id=message_id,
    )
    shown = message(tx, MessageEdited, visible_message(tx, message_id, ctx.principal.account)[0])
    tx.announce(shown, accounts, device=ctx.principal.device)
    return linked


async def _forget(services: Services, attachment_id: str) -> None:
    """Nothing is left of an upload that failed; if the disk refuses even that, `leftover_files` tries again."""
    try:
        state = await services.store.write(_give_up, attachment_id)
        if state is None:  # its conversation was deleted, its row collected, and only then the file was whole
            await files(services).remove(attachment_id, attachment_id + THUMBNAIL)
        elif state == "removing":
            services.wake(COLLECT)
    except (OSError, AmtrioError) as exc:
        log.warning("upload_not_forgotten", attachment=attachment_id, error=str(exc))


def _give_up(tx: Tx, attachment_id: str) -> str | None:
    """Its state from now on. It is `stored` if the sender left between the commit and our hearing of it."""
    tx.run("UPDATE attachment SET state = 'removing' WHERE id = :id AND state = 'uploading'", id=attachment_id)
    row = tx.one("SELECT state FROM attachment WHERE id = :id", id=attachment_id)
    return row[0] if row is not None else None


class AttachmentGone(Reply, frozen=True, kw_only=True, omit_defaults=False):
    """It is gone."""

    status: str = "deleted"
    attachment_id: str


class DeleteAttachment(msgspec.Struct, frozen=True, kw_only=True):
    """Which one."""

    attachment_id: str


@delete("/attachments/<attachment_id>")
def delete_attachment(tx: Tx, ctx: Context, request: DeleteAttachment) -> AttachmentGone:
    """
    Take back an upload that is in no message yet; what is in one goes with the message.

    Raises:
        NotFound: no such one, or not the asker's. Conflict: part of a message.
    """
    account, id_ = ctx.principal.account, request.attachment_id
    if not let_go_of_upload(tx, ctx.services, account, id_):
        sql = "SELECT 1 FROM attachment WHERE id = :id AND owner_key = :account AND state = 'stored'"
        if tx.one(sql, id=id_, account=account) is None:
            raise no_attachment(id_)
        raise Conflict("the attachment is part of a message; delete the message")
    return AttachmentGone(attachment_id=id_)


class UploadRoom(msgspec.Struct, frozen=True, kw_only=True):
    """
    What one may still upload.

    Attributes:
        max_file_bytes: of one file. quota_bytes: of all of one's files together, 0 if there is no limit.
        used_bytes: of them, uploads that are going on included. max_per_message: attachments of one message.
    """

    max_file_bytes: int
    quota_bytes: int
    used_bytes: int
    max_per_message: int = MAX_PER_MESSAGE


@get("/attachments/room")
def upload_room(tx: ReadTx, ctx: Context, request: Nothing) -> UploadRoom:
    """The limits, for a client that wants to say no before it sends."""
    del request
    used = tx.one(_USED, account=ctx.principal.account)
    limits = ctx.config.limits
    return UploadRoom(
        max_file_bytes=limits.max_upload_bytes,
        quota_bytes=limits.upload_quota_bytes,
        used_bytes=used[0] if used is not None else 0,
    )


@on_removal
def remove_uploads(tx: Tx, services: Services, account: str) -> None:
    """Whatever the account has uploaded goes with it."""
    let_go_of_account(tx, services, account)
