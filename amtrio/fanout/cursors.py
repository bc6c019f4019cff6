"""How far each device has confirmed the log, until it is written down.

Several sockets may share one cursor (two programs with one token and no device id): what is stored is the smallest
position of those open, so that none misses what another has seen. Knows numbers only, no sockets and no SQL.
"""

from __future__ import annotations

import trio

from amtrio.store.log import Cursor

# A socket that went behind its sisters holds the shared cursor back this long: whoever comes back in that time on the
# same token is told again what it missed.
ABSENCE_SECONDS = 600.0


class Handle:
    """One socket's share in a cursor."""

    __slots__ = ("_shared", "confirmed")

    def __init__(self, shared: _Shared, confirmed: int) -> None:
        self._shared = shared
        self.confirmed = confirmed

    def confirm(self, seq: int) -> None:
        """Everything up to `seq` has arrived here."""
        if seq > self.confirmed:
            self.confirmed = seq
            self._shared.mark()

    def close(self) -> None:
        """The socket is gone; what it has not confirmed waits for its return."""
        self._shared.close(self)


class _Shared:
    """One device's cursor."""

    __slots__ = ("_absent", "_cursors", "handles", "key", "stored")

    def __init__(self, cursors: Cursors, key: tuple[str, str], stored: int) -> None:
        self._cursors = cursors
        self.key = key
        self.stored = stored
        self.handles: list[Handle] = []
        self._absent: list[tuple[int, float]] = []

    def open(self) -> Handle:
        position = self.position()
        # The new socket starts at the smallest position and so takes over what every absent one missed.
        self._absent.clear()
        handle = Handle(self, position)
        self.handles.append(handle)
        return handle

    def position(self) -> int:
        now = trio.current_time()
        self._absent = [(seq, until) for seq, until in self._absent if until > now]
        known = [handle.confirmed for handle in self.handles] + [seq for seq, _ in self._absent]
        return min(known, default=self.stored)

    def mark(self) -> None:
        self._cursors.dirty[self.key] = self

    def close(self, handle: Handle) -> None:
        self.handles.remove(handle)
        if self.handles:
            self._absent.append((handle.confirmed, trio.current_time() + ABSENCE_SECONDS))
        else:
            self.stored = min([handle.confirmed, *(seq for seq, _ in self._absent)])
            self._absent.clear()
        self.mark()


class Cursors:
    """Every cursor in use; `take_dirty` hands over what has to be written."""

    def __init__(self) -> None:
        self._shared: dict[tuple[str, str], _Shared] = {}
        self.dirty: dict[tuple[str, str], _Shared] = {}

    def open(self, account: str, device: str, stored: int) -> Handle:
        """
        A socket starts on a device's cursor.

        Args:
            stored: what the database says; a newer position that is not written yet counts instead.
        """
        key = (account, device)
        shared = self._shared.get(key)
        if shared is None:
            shared = self._shared[key] = _Shared(self, key, stored)
            shared.mark()
        return shared.open()

    def position(self, account: str, device: str, stored: int) -> int:
        """Where a socket opened now would start."""
        shared = self._shared.get((account, device))
        return stored if shared is None else shared.position()

    def take_dirty(self) -> list[Cursor]:
        """What changed since the last call; to be followed by `written` or `failed`."""
        taken = [Cursor(*key, shared.position()) for key, shared in self.dirty.items()]
        self.dirty.clear()
        return taken

    def written(self, cursors: list[Cursor]) -> None:
        """The database knows them now, so those that nobody uses need not be remembered here."""
        for cursor in cursors:
            key = (cursor.account, cursor.device)
            shared = self._shared.get(key)
            if shared is not None and not shared.handles and key not in self.dirty:
                del self._shared[key]

    def failed(self, cursors: list[Cursor]) -> None:
        """They are still to be written."""
        for cursor in cursors:
            key = (cursor.account, cursor.device)
            self.dirty[key] = self._shared[key]
