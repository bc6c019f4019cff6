"""Files on their way to the server encrypted: each under a key of its own, a chunk at a time.

Knows the disk, REST and how a file is sealed. Knows nothing of messages; they carry the keys.
"""

from __future__ import annotations

import codecs
import mimetypes
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import anyio

from amtrio.client.envelope import KEY_BYTES, spelt
from amtrio.client.file_encryption import CHUNK_BYTES, FileSealer, sealed_size
from amtrio.client.rest import Rest
from amtrio.client.shapes import SealedAttachment

# All that the server learns of a file's name.
STORED_NAME: Final = "encrypted"
# What comes with Python, not what the machine has beside it: the same name means the same everywhere.
_BY_NAME: Final = mimetypes.MimeTypes()
_BINARY: Final = "application/octet-stream"
_TEXT: Final = "text/plain"


async def upload(
    rest: Rest,
    content: Path | str | bytes,
    *,
    filename: str | None = None,
    content_type: str | None = None,
    conversation_id: str | None = None,
) -> SealedAttachment:
    """
    Encrypt a file and put it on the server, which learns its size.

    Args:
        content: its bytes, or the path of a file.
        filename: that of the path if None. content_type: told from the name, or from its beginning, if None.

    Raises:
        Refused: too large, or no room. Unreachable: nobody answered; nothing was stored. OSError: no such file.
    """
    key = os.urandom(KEY_BYTES)
    if isinstance(content, bytes):
        name, size, head = filename or "file", len(content), content[:CHUNK_BYTES]
        body = _sealed(key, _pieces(content))
    else:
        path = anyio.Path(content)
        name, size = filename or path.name, (await path.stat()).st_size
        async with await path.open("rb") as file:
            head = await file.read(CHUNK_BYTES)
        body = _sealed(key, _chunks(path, size))
    stored = await rest.post_file(
        body, sealed_size(size), filename=STORED_NAME, conversation_id=conversation_id, encrypted=True
    )
    return SealedAttachment(
        attachment_id=stored.attachment_id,
        filename=name,
        content_type=content_type or _BY_NAME.guess_type(name)[0] or (_TEXT if _is_text(head) else _BINARY),
        size=size,
        url=stored.url,
        created_at=stored.created_at,
        key=spelt(key),
    )


async def _sealed(key: bytes, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    sealer = FileSealer(key)
    async for piece in pieces:
        if sealed := sealer.feed(piece):
            yield sealed
    yield sealer.finish()


async def _pieces(content: bytes) -> AsyncIterator[bytes]:
    for at in range(0, len(content), CHUNK_BYTES):
        yield content[at : at + CHUNK_BYTES]


async def _chunks(path: anyio.Path, size: int) -> AsyncIterator[bytes]:
    """As much as was there when its size was told: a log may grow meanwhile."""
    async with await path.open("rb") as file:
        while size and (chunk := await file.read(min(size, CHUNK_BYTES))):
            size -= len(chunk)
            yield chunk


def _is_text(head: bytes) -> bool:
    try:
        # It may end in the middle of a character.
        return "\0" not in codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
