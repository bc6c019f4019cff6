"""Which session of an ACP program a conversation has, over lives of the program and of the bridge.

Knows one small file. Knows nothing of the protocol.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

import anyio
import anyio.to_thread
import msgspec

from amtrio.client import write_private


class SessionFile:
    """One small JSON file, mode 0600; without a path, the memory of this process."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._ids: dict[str, str] = {}

    async def load(self) -> None:
        """A file that cannot be read counts as none: sessions begin anew."""
        if self._path is not None:
            with contextlib.suppress(OSError, msgspec.DecodeError):
                self._ids = msgspec.json.decode(await anyio.Path(self._path).read_bytes(), type=dict[str, str])

    def get(self, conversation_id: str) -> str | None:
        return self._ids.get(conversation_id)

    async def put(self, conversation_id: str, session_id: str | None) -> None:
        if session_id is None:
            self._ids.pop(conversation_id, None)
        else:
            self._ids[conversation_id] = session_id
        if self._path is not None:
            await anyio.to_thread.run_sync(write_private, self._path, msgspec.json.encode(self._ids))
