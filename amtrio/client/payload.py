"""What is sealed in an encrypted message that brings files: its text, and of each file what opens it and what it is.

Knows JSON. Knows no cipher. Source: docs/discussion/encryption.md, "Messages with files".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from amtrio.client.envelope import MAX_TEXT_BYTES, key_of, pieces
from amtrio.client.errors import Unreadable
from amtrio.client.shapes import Attachment, SealedAttachment

# Of one message. Source: docs/protocol.md, `attachment_ids`.
MAX_FILES: Final = 10
_Size = Annotated[int, Meta(ge=0)]
_Pixels = Annotated[int, Meta(gt=0)]


class _File(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    attachment_id: str
    key: str
    name: str
    media_type: str
    size: _Size
    width: _Pixels | None = None
    height: _Pixels | None = None


class _Payload(msgspec.Struct, frozen=True, kw_only=True):
    text: str
    files: list[_File]


def packed(text: str, files: Sequence[SealedAttachment]) -> str:
    """A text and files as one text, to be sealed."""
    described = [
        _File(
            attachment_id=each.attachment_id,
            key=each.key,
            name=each.filename,
            media_type=each.content_type,
            size=each.size,
            width=each.width,
            height=each.height,
        )
        for each in files
    ]
    return msgspec.json.encode(_Payload(text=text, files=described)).decode()


def parcels(text: str, files: Sequence[SealedAttachment] = ()) -> list[tuple[str, Sequence[SealedAttachment]]]:
    """What fits into one message each: the text, cut where it is too long, and the files with its end if they can."""
    texts = pieces(text)
    groups = [files[at : at + MAX_FILES] for at in range(0, len(files), MAX_FILES)]
    found: list[tuple[str, Sequence[SealedAttachment]]] = [(piece, ()) for piece in texts]
    if texts and groups and len(packed(texts[-1], groups[0]).encode()) <= MAX_TEXT_BYTES:
        found[-1] = (texts[-1], groups.pop(0))
    return [*found, *(("", group) for group in groups)]


def unpacked(payload: str, stored: Sequence[Attachment]) -> tuple[str, list[SealedAttachment], list[str]]:
    """
    What was packed.

    Args:
        stored: the files that the server says the message has. Those that the payload does not name are none of it.

    Returns:
        The text, the files in the order of the payload, and the names of those that the server does not have.

    Raises:
        Unreadable: `malformed`.
    """
    try:
        said = msgspec.json.decode(payload, type=_Payload)
    except msgspec.DecodeError as exc:
        raise Unreadable("malformed") from exc
    if any(key_of(each.key) is None for each in said.files):
        raise Unreadable("malformed")
    there = {each.attachment_id: each for each in stored}
    files = [_sealed(each, there[each.attachment_id]) for each in said.files if each.attachment_id in there]
    return said.text, files, [each.name for each in said.files if each.attachment_id not in there]


def _sealed(file: _File, stored: Attachment) -> SealedAttachment:
    return SealedAttachment(
        attachment_id=file.attachment_id,
        filename=file.name,
        content_type=file.media_type,
        size=file.size,
        url=stored.url,
        created_at=stored.created_at,
        message_id=stored.message_id,
        width=file.width,
        height=file.height,
        key=file.key,
    )
