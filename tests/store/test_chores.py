"""Chores: the WAL stays small, the boot mark young, and an idle store sleeps."""

# ruff: noqa: ASYNC240 - these tests look at files, and nothing runs meanwhile
from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing

from amtrio.store.chores import ChoreSettings
from amtrio.store.connection import connect
from amtrio.store.database import ReadTx
from amtrio.store.sqlite import SqliteDatabase, StoreSettings, open_sqlite
from amtrio.store.thread import Inline
from tests.store.ledger import Listener, StandingClock, post, prepare


def open_with(path: Path, **chores: Any) -> AbstractAsyncContextManager[SqliteDatabase]:
    settings = StoreSettings(chores=ChoreSettings(**chores))
    return open_sqlite(path, clock=StandingClock(), publish=Listener().publish, run=Inline, settings=settings)


async def fill(store: SqliteDatabase, count: int = 30) -> None:
    """About 4 KiB of WAL each, and more for the indexes."""
    for _ in range(count):
        await store.write(post, "x" * 3000)


def wal_bytes(path: Path) -> int:
    return path.with_name(path.name + "-wal").stat().st_size


async def test_the_wal_moves_into_the_database_while_the_server_runs(path: Path, autojump_clock: Any) -> None:
    """
    After a pause, without the writer: its file grows by what was written.
    """
    async with open_with(path, pause_seconds=1, checkpoint_bytes=10_000) as store:
        await store.write(prepare)
        before = path.stat().st_size
        await fill(store)
        assert path.stat().st_size == before
        await trio.sleep(1.5)
        assert path.stat().st_size > before + 90_000


async def test_a_small_wal_is_left_alone(path: Path, autojump_clock: Any) -> None:
    """
    Each checkpoint syncs the database file: not for a handful of messages.
    """
    async with open_with(path, pause_seconds=1, checkpoint_bytes=10_000_000) as store:
        await store.write(prepare)
        before = path.stat().st_size
        await fill(store)
        await trio.sleep(5)
        assert path.stat().st_size == before


async def test_a_large_wal_is_used_again_from_its_beginning(path: Path, autojump_clock: Any) -> None:
    """
    The writer does it before its next batch: it alone can find a moment without appends.
    """
    async with open_with(path, pause_seconds=1, checkpoint_bytes=10_000, reset_bytes=50_000) as store:
        await store.write(prepare)
        await fill(store)
        size = wal_bytes(path)
        assert size > 50_000
        await trio.sleep(1.5)
        await fill(store, 10)
        assert wal_bytes(path) == size


async def test_a_wal_that_a_reader_holds_alarms(path: Path, autojump_clock: Any, journal: Any) -> None:
    """
    It cannot be emptied; the operator should know before the disk is full.
    """
    async with open_with(
        path, pause_seconds=1, checkpoint_bytes=10_000, reset_bytes=10_000, alarm_bytes=50_000
    ) as store:
        await store.write(prepare)
        holder = connect(path, read_only=True)
        holder.execute("BEGIN")
        holder.execute("SELECT count(*) FROM ledger_entry").fetchone()
        await fill(store)
        await trio.sleep(1.5)
        await fill(store)
        await trio.sleep(1.5)
        holder.close()
    alarms = [entry for entry in journal.entries if entry["event"] == "wal_large"]
    assert alarms
    assert alarms[-1]["wal_bytes"] > alarms[-1]["alarm_bytes"] == 50_000


def get_mark(tx: ReadTx) -> str:
    row = tx.one("SELECT value FROM meta WHERE key = 'boot_mark'")
    assert row is not None
    return str(row[0])


async def test_the_boot_mark_changes_now_and_then_while_something_is_written(path: Path, autojump_clock: Any) -> None:
    """
    A copy made before the change is recognised as one.
    """
    async with open_with(path, pause_seconds=1, mark_seconds=600) as store:
        await store.write(prepare)
        first = await store.read(get_mark)
        await trio.sleep(590)
        await store.write(post)
        await trio.sleep(5)
        assert await store.read(get_mark) == first
        await trio.sleep(20)
        await store.write(post)
        await trio.sleep(5)
        second = await store.read(get_mark)
        assert second != first
        assert second in path.with_name("t.db.boot").read_text()
        epoch = store.epoch
    async with open_with(path) as store:
        assert store.epoch == epoch


async def test_an_idle_store_sleeps(path: Path, autojump_clock: Any) -> None:
    """
    Nothing is written for a year: no batch, and no wake-up that a virtual clock would have to step through.
    """
    async with open_with(path, pause_seconds=1) as store:
        await store.write(prepare)
        await trio.sleep(5)
        batches = store.batches
        await trio.sleep(365 * 86_400)
        assert store.batches == batches


async def test_a_boot_file_that_cannot_be_written_is_a_warning(path: Path, autojump_clock: Any, journal: Any) -> None:
    """
    The mark stays as it is; messages go on.
    """
    async with open_with(path, pause_seconds=1, mark_seconds=10) as store:
        await store.write(prepare)
        obstacle = path.with_name("t.db.boot.new")
        obstacle.mkdir()
        await trio.sleep(11)
        await store.write(post)
        await trio.sleep(2)
        assert await store.write(post) == 2
        obstacle.rmdir()
    assert [entry["level"] for entry in journal.entries if entry["event"] == "boot_mark_kept"] == ["warning"]


async def test_a_checkpoint_that_fails_shows_in_health_until_one_succeeds(
    path: Path, autojump_clock: Any, journal: Any
) -> None:
    """
    Here the connection of the chores is not allowed to checkpoint inside a transaction that somebody left open.
    """
    async with open_with(path, pause_seconds=1, checkpoint_bytes=1) as store:
        assert store._chores is not None
        conn = store._chores._conn
        await store.write(prepare)
        conn.execute("BEGIN")
        conn.execute("SELECT count(*) FROM account").fetchone()
        await trio.sleep(2)
        assert "cannot move the WAL" in store.health()
        conn.execute("ROLLBACK")
        await trio.sleep(2)
        assert store.health() == "ok"
    assert [entry for entry in journal.entries if entry["event"] == "checkpoint_failed"]


@pytest.fixture(autouse=True)
def _no_real_time(request: pytest.FixtureRequest) -> None:
    """Every test here moves a virtual clock."""
    assert "autojump_clock" in request.fixturenames
