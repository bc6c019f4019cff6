"""What the store does for itself: moves the WAL into the database, changes the boot mark, tries a broken disk again.

Sleeps while nothing is written. Knows SQLite and the writer; knows nothing of units of features.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import structlog
import trio

from amtrio.errors import StorageUnavailable
from amtrio.store.boot import Boot, put_mark
from amtrio.store.commit import GroupCommit
from amtrio.store.database import Tx
from amtrio.store.problems import describe
from amtrio.store.thread import Runner, run_in, waiting_for_disk

log = structlog.get_logger()

_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class ChoreSettings:
    """
    When the store looks after itself.

    Attributes:
        pause_seconds: between a write and the look at what it left; also between two tries of a broken disk.
        checkpoint_bytes: a WAL file smaller than this is left alone. 4 MiB are SQLite's own 1000 pages.
        reset_bytes: from here on the writer is asked to stop for a moment and empty the file.
        alarm_bytes: an operator should know. Readers that never end, or a disk that cannot keep up.
        mark_seconds: how old a boot mark may grow while the server writes; a copy made since passes for the original.
    """

    pause_seconds: float = 1
    checkpoint_bytes: int = 4 * _MIB
    reset_bytes: int = 32 * _MIB
    alarm_bytes: int = 256 * _MIB
    mark_seconds: float = 600


class Chores:
    """
    Attributes:
        trouble: what is wrong with checkpoints, empty while they succeed.
    """

    def __init__(
        self,
        *,
        database: Path,
        conn: sqlite3.Connection,
        runner: Runner,
        commit: GroupCommit,
        boot: Boot,
        write: Callable[..., Awaitable[object]],
        settings: ChoreSettings,
    ) -> None:
        self.trouble = ""
        self._wal = database.with_name(database.name + "-wal")
        self._conn = conn
        self._runner = runner
        self._commit = commit
        self._boot = boot
        self._write = write
        self._settings = settings
        self._has_news = trio.Event()

    def notice(self) -> None:
        """Something was written, or refused."""
        self._has_news.set()

    async def run(self) -> None:
        """Serve until cancelled."""
        marked = trio.current_time()
        while True:
            await self._has_news.wait()
            self._has_news = trio.Event()
            await trio.sleep(self._settings.pause_seconds)
            await self._checkpoint()
            if self._commit.trouble:
                await self._try_again()
            elif trio.current_time() - marked >= self._settings.mark_seconds:
                marked = trio.current_time()
                await self._change_mark()

    async def _checkpoint(self) -> None:
        size = self._wal_bytes()
        if size < self._settings.checkpoint_bytes and not self.trouble:
            return
        try:
            used = await run_in(self._runner, self._passive_checkpoint)
            self.trouble = ""
        except sqlite3.Error as error:
            self.trouble = f"cannot move the WAL into the database: {describe(error)}"
            log.warning("checkpoint_failed", error=describe(error), wal_bytes=size)
            self.notice()
            return
        # Of the file only so much is in use: it keeps its size when it is written from the beginning again.
        if used >= self._settings.reset_bytes:
            self._commit.wants_wal_reset = True
        if used >= self._settings.alarm_bytes:
            log.warning("wal_large", wal_bytes=used, alarm_bytes=self._settings.alarm_bytes)

    def _passive_checkpoint(self) -> int:
        """Move what can be moved; answers how many bytes of the WAL are in use."""
        with waiting_for_disk():
            _, frames, moved = self._conn.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        # Everything moved: the next transaction begins at the front by itself.
        page_bytes: int = self._conn.execute("PRAGMA page_size").fetchone()[0]
        return 0 if frames == moved else frames * page_bytes

    async def _change_mark(self) -> None:
        try:
            switch = await run_in(self._runner, self._boot.start_switch)
            await self._write(put_mark, switch)
            await run_in(self._runner, lambda: self._boot.finish_switch(switch))
        except (OSError, StorageUnavailable) as error:
            log.warning("boot_mark_kept", error=describe(error))

    async def _try_again(self) -> None:
        """Nobody may be writing any more because health says that it is no use: find out whether it is again."""
        trouble = self._commit.trouble
        try:
            await self._write(_touch)
        except StorageUnavailable:
            self.notice()
        else:
            log.info("store_recovered", trouble=trouble)

    def _wal_bytes(self) -> int:
        try:
            return self._wal.stat().st_size
        except FileNotFoundError:
            return 0


def _touch(tx: Tx) -> None:
    """Unit: changes nothing, but has to be written."""
    tx.run("UPDATE meta SET value = value WHERE key = 'boot_mark'")
