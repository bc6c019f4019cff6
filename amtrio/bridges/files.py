"""What a message brings along: its files, fetched from the server for as long as they are needed.

Knows HTTP, temporary folders, and that some files have to be opened. Knows nothing of who reads the files.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Protocol

import anyio
import anyio.to_thread
import httpx

from amtrio.bridges.streams import open_pieces
from amtrio.bridges.turn import Incoming
from amtrio.client import Attachment, RunFailed, SealedAttachment, Unreadable

_NAME_CHARACTERS_AT_MOST = 120


class Files:
    """
    Fetches attachments as the agent.

    Args:
        url: of the server. token, agent_id: the agent's credential.
        http: stays the caller's to close.
    """

    def __init__(self, http: httpx.AsyncClient, url: str, token: str, agent_id: str) -> None:
        self._http = http
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}", "X-Agent-ID": agent_id}

    @asynccontextmanager
    async def of(self, message: Incoming) -> AsyncIterator[list[Path]]:
        """
        The message's files in a folder that only we can read, gone after the block.

        Raises:
            RunFailed: one cannot be fetched.
        """
        if not message.attachments:
            yield []
            return
        folder = Path(await anyio.to_thread.run_sync(lambda: tempfile.mkdtemp(prefix="amtrio-")))
        try:
            yield [
                await self._save(each, folder / str(number)) for number, each in enumerate(message.attachments, start=1)
            ]
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(lambda: shutil.rmtree(folder, ignore_errors=True))

    async def read(self, attachment: Attachment) -> bytes:
        """
        One file in memory.

        Raises:
            RunFailed: it cannot be fetched.
        """
        try:
            response = await self._http.get(self._address(attachment), headers=self._headers)
            response.raise_for_status()
        except httpx.HTTPError as exc:
            raise _not_fetched(attachment, exc) from exc
        opener = _opener(attachment)
        with _told_if_tampered(attachment):
            return opener.feed(response.content) + opener.finish()

    async def _save(self, attachment: Attachment, folder: Path) -> Path:
        path = folder / safe_name(attachment.filename)
        await anyio.Path(folder).mkdir()
        try:
            async with self._http.stream("GET", self._address(attachment), headers=self._headers) as response:
                response.raise_for_status()
                opener = _opener(attachment)
                async with await anyio.open_file(path, "wb") as file, open_pieces(response) as pieces:
                    with _told_if_tampered(attachment):
                        async for piece in pieces:
                            await file.write(opener.feed(piece))
                        await file.write(opener.finish())
        except httpx.HTTPError as exc:
            raise _not_fetched(attachment, exc) from exc
        return path

    def _address(self, attachment: Attachment) -> str:
        return f"{self._url}/attachments/{attachment.attachment_id}"


def safe_name(filename: str) -> str:
    """The last part of a name without what a shell, a terminal or a file system could stumble over."""
    last = filename.replace("\\", "/").rpartition("/")[2]
    kept = "".join(c if c.isalnum() or c in " ._-+()" else "_" for c in last).strip(" .")
    if len(kept) > _NAME_CHARACTERS_AT_MOST:
        kept = f"{Path(kept).stem[: _NAME_CHARACTERS_AT_MOST - 10]}{Path(kept).suffix[:10]}"
    return f"_{kept}" if kept.startswith("-") else kept or "file"


def pictures(attachments: Sequence[Attachment]) -> list[Attachment]:
    return [each for each in attachments if each.content_type.startswith("image/")]


class _Opener(Protocol):
    """What comes off the wire becomes the file."""

    def feed(self, piece: bytes, /) -> bytes: ...
    def finish(self) -> bytes: ...


class _Clear:
    """It is the file already."""

    def feed(self, piece: bytes, /) -> bytes:
        return piece

    def finish(self) -> bytes:
        return b""


def _opener(attachment: Attachment) -> _Opener:
    if not isinstance(attachment, SealedAttachment):
        return _Clear()
    from amtrio.client.file_encryption import opener_of  # noqa: PLC0415 - loaded by who is written to encrypted

    return opener_of(attachment.key)


@contextmanager
def _told_if_tampered(attachment: Attachment) -> Iterator[None]:
    try:
        yield
    except Unreadable as exc:
        raise RunFailed(f"{attachment.filename} is not what was sent: {exc}") from exc


def _not_fetched(attachment: Attachment, exc: httpx.HTTPError) -> RunFailed:
    return RunFailed(f"cannot fetch {attachment.filename} from the server: {str(exc) or type(exc).__name__}")
