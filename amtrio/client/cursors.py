"""Where a client keeps its place in its account's log between two runs.

Knows files. Knows nothing of sockets.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Protocol

import anyio.to_thread
import msgspec

from amtrio.client.stream import Position


class Cursors(Protocol):
    """Keeps one position. A save that returned must survive what the caller wants to survive."""

    async def load(self) -> Position | None:
        """The position saved last; None on the very first run."""
        ...

    async def save(self, position: Position, /) -> None:
        """Keep this one instead."""
        ...


class MemoryCursors:
    """Forgets with the process; the server then goes on from what the device confirmed last."""

    def __init__(self, position: Position | None = None) -> None:
        self.position = position

    async def load(self) -> Position | None:
        """The position of this process."""
        return self.position

    async def save(self, position: Position, /) -> None:
        """Keep it as long as the process lives."""
        self.position = position


class FileCursors:
    """
    One small JSON file per account and device, replaced as a whole, mode 0600.

    A file that cannot be read as a position counts as none: the server knows where to go on, or says `resync`.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    async def load(self) -> Position | None:
        """The position in the file; None if there is no such file or it holds something else."""
        return await anyio.to_thread.run_sync(self._read)

    async def save(self, position: Position, /) -> None:
        """
        Replace the file; on disk afterwards.

        Raises:
            OSError: the disk refuses.
        """
        await anyio.to_thread.run_sync(self._write, position)

    def _read(self) -> Position | None:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=Position)
        except (FileNotFoundError, msgspec.DecodeError):
            return None

    def _write(self, position: Position) -> None:
        write_private(self._path, msgspec.json.encode(position))


def write_private(path: Path, content: bytes) -> None:
    """
    Replace a file so that a crash leaves the old or the new one, readable by its owner only.

    Raises:
        OSError: the folder cannot be made or the disk refuses.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    # In the same folder, since a rename is atomic only within one file system; mkstemp makes it 0600.
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
