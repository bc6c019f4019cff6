"""Files on the local disk: written whole or not at all, read in pieces, found again after a crash.

Knows paths, names and threads. Knows no database, no HTTP and nothing of what is in a file.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from io import FileIO
from pathlib import Path

import trio

# One read or write of this size costs less than the hop to the thread that does it.
PIECE_BYTES = 256 * 1024
_NAME = re.compile(r"[a-z]+_[0-9a-f]{32}(\.thumbnail)?")
_INCOMING = "incoming"
THUMBNAIL = ".thumbnail"


class Files:
    """
    A folder of files by name, spread over folders by the last digits of the name, which are random.

    What is being written stands under `incoming` until it is whole; whatever is there at a start is left from a crash.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, name: str) -> Path:
        """Where a file is, if it is."""
        digits = name.partition(".")[0]
        return self.root / digits[-2:] / digits[-4:-2] / name

    @asynccontextmanager
    async def incoming(self, name: str) -> AsyncIterator[Incoming]:
        """A file to be written; gone again on leaving unless it was kept."""
        part = Incoming(self, name)
        try:
            await trio.to_thread.run_sync(part.open)
            yield part
        finally:
            with trio.CancelScope(shield=True):
                await trio.to_thread.run_sync(part.discard)

    def read(self, name: str, start: int, stop: int) -> AsyncGenerator[bytes, None]:
        """The bytes from `start` to before `stop`; a reader may take as long as it likes."""
        return _pieces(self.path(name), start, stop)

    async def size(self, name: str) -> int | None:
        """How long it is, None if it is not there."""
        try:
            return (await trio.Path(self.path(name)).stat()).st_size
        except FileNotFoundError:
            return None

    async def remove(self, *names: str) -> None:
        """Delete, for good once this returns; what is not there is no failure."""
        await trio.to_thread.run_sync(self._remove, names)

    def _remove(self, names: tuple[str, ...]) -> None:
        folders = set()
        for name in names:
            path = self.path(name)
            path.unlink(missing_ok=True)
            if path.parent.is_dir():
                folders.add(path.parent)
        for folder in folders:
            sync_folder(folder)

    async def clear_incoming(self) -> int:
        """Delete what a crash left half written; only for a start, when nothing is being written. How many."""
        return await trio.to_thread.run_sync(self._clear_incoming)

    def _clear_incoming(self) -> int:
        left = [path for path in self._incoming.glob("*") if _NAME.match(path.name)]
        for path in left:
            path.unlink(missing_ok=True)
        return len(left)

    async def names(self) -> list[str]:
        """Every file that is whole. Others' files in our folder are not ours to name."""
        return await trio.to_thread.run_sync(self._names)

    def _names(self) -> list[str]:
        found = (path for path in self.root.glob("??/??/*") if _NAME.fullmatch(path.name))
        return [path.name for path in found if path == self.path(path.name)]

    @property
    def _incoming(self) -> Path:
        return self.root / _INCOMING


class Incoming:
    """
    A file on its way.

    Attributes:
        size: bytes so far. head: the first of them, to tell what it is.
        path: where it is while it is not kept; a file made beside it is discarded with it.
    """

    HEAD_BYTES = 4096

    def __init__(self, files: Files, name: str) -> None:
        self.size = 0
        self.head = b""
        self.path = files._incoming / name  # noqa: SLF001 - two halves of one thing
        self._final = files.path(name)
        self._digest = hashlib.sha256()
        self._file: FileIO | None = None

    @property
    def stripped_path(self) -> Path:
        """Room for the same without what it should not say; see `take_stripped`."""
        return self.path.with_name(self.path.name + ".stripped")

    @property
    def thumbnail_path(self) -> Path:
        """Room for a small picture of it, which is kept with it."""
        return self.path.with_name(self.path.name + THUMBNAIL)

    @property
    def sha256(self) -> str:
        """Of all bytes, in hexadecimal."""
        return self._digest.hexdigest()

    async def write(self, piece: bytes) -> None:
        """
        Append.

        Raises:
            OSError: the disk refused.
        """
        await trio.to_thread.run_sync(self._write, piece)

    def open(self) -> None:
        """Begin; in a thread."""
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._file = FileIO(os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")

    def _write(self, piece: bytes) -> None:
        assert self._file is not None
        if len(self.head) < self.HEAD_BYTES:
            self.head += piece[: self.HEAD_BYTES - len(self.head)]
        self._digest.update(piece)
        self.size += len(piece)
        rest = memoryview(piece)
        while rest:
            rest = rest[self._file.write(rest) :]

    def take_stripped(self) -> None:
        """What stands at `stripped_path` replaces what was written; in a thread."""
        self.stripped_path.replace(self.path)
        self.close()
        self._file = FileIO(os.open(self.path, os.O_RDWR), "r+b")
        self._digest, self.size = hashlib.sha256(), 0
        while piece := self._file.read(PIECE_BYTES):
            self._digest.update(piece)
            self.size += len(piece)

    async def keep(self) -> None:
        """
        Make it last: on disk under its name, with its thumbnail, before this returns.

        Raises:
            OSError: the disk refused.
        """
        await trio.to_thread.run_sync(self._keep)

    def _keep(self) -> None:
        assert self._file is not None
        os.fsync(self._file.fileno())
        folder = self._final.parent
        missing = [each for each in (folder, folder.parent) if not each.is_dir()]
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if self.thumbnail_path.exists():
            with self.thumbnail_path.open("rb") as small:
                os.fsync(small.fileno())
            self.thumbnail_path.replace(self._final.with_name(self._final.name + THUMBNAIL))
        self.path.replace(self._final)
        # A name lasts when its folder is on disk, a new folder when the one above it is.
        for each in (folder, *(one.parent for one in missing)):
            sync_folder(each)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def discard(self) -> None:
        """Leave nothing that was not kept; in a thread."""
        self.close()
        for path in (self.path, self.stripped_path, self.thumbnail_path):
            path.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Make what happened to the names in a folder last."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


async def _pieces(path: Path, start: int, stop: int) -> AsyncGenerator[bytes, None]:
    async with await trio.open_file(path, "rb", buffering=0) as file:
        await file.seek(start)
        while start < stop and (piece := await file.read(min(PIECE_BYTES, stop - start))):
            start += len(piece)
            yield piece
