"""Readers: several at once, each on one snapshot, none for ever."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest
import trio
import trio.testing

from amtrio.errors import Overloaded, StorageUnavailable
from amtrio.store.connection import SqliteReadTx, connect
from amtrio.store.readers import Reader, Readers
from amtrio.store.thread import Thread

ENDLESS = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"


@pytest.fixture
def filled(path: Path) -> Path:
    conn = connect(path)
    conn.execute("PRAGMA journal_mode = WAL")
    conn.execute("CREATE TABLE t (a)")
    conn.close()
    return path


@pytest.fixture
async def readers(filled: Path) -> AsyncIterator[Readers]:
    readers = Readers(max_waiting=2)
    for number in range(2):
        reader = Reader(partial(connect, filled, read_only=True), limit_seconds=0.05)
        readers.add(Thread(f"reader-{number}"), reader)
    yield readers
    await readers.close()


def count(tx: SqliteReadTx) -> int:
    row = tx.one("SELECT count(*) FROM t")
    assert row is not None
    return int(row[0])


async def test_two_read_at_once_and_the_third_waits_its_turn(readers: Readers) -> None:
    """
    Each runs on a thread of its own; whoever comes later gets the first that is free.
    """
    together = threading.Barrier(2, timeout=10)
    finished: list[str] = []

    def meet(tx: SqliteReadTx) -> None:
        together.wait()

    async def read(name: str, unit: object) -> None:
        assert callable(unit)
        await readers.read(unit)
        finished.append(name)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(read, "first", meet)
        nursery.start_soon(read, "second", meet)
        await trio.testing.wait_all_tasks_blocked()
        nursery.start_soon(read, "third", count)
    assert sorted(finished) == ["first", "second", "third"]


async def test_a_read_that_takes_too_long_is_cut_off(readers: Readers) -> None:
    """
    It is told to come back later, and its reader serves the next one.
    """
    for _ in range(3):
        with pytest.raises(Overloaded, match=r"longer than 0.05 s") as refused:
            await readers.read(lambda tx: tx.one(ENDLESS))
        assert refused.value.retry_after_ms == 1000
    assert await readers.read(count) == 0


async def test_too_many_are_refused_at_once(readers: Readers) -> None:
    """
    Two read, two wait, the fifth is told so.
    """
    gate = threading.Event()

    def wait(tx: SqliteReadTx) -> None:
        gate.wait(10)

    async with trio.open_nursery() as nursery:
        for _ in range(4):
            nursery.start_soon(readers.read, wait)
        await trio.testing.wait_all_tasks_blocked()
        with pytest.raises(Overloaded, match="too many"):
            await readers.read(count)
        gate.set()


async def test_who_gives_up_while_waiting_is_passed_over(readers: Readers) -> None:
    """
    Cancelled reads cost no turn, and a unit that was not begun is never run.
    """
    gate = threading.Event()
    ran: list[str] = []

    def wait(tx: SqliteReadTx) -> None:
        gate.wait(10)

    async with trio.open_nursery() as nursery:
        for _ in range(2):
            nursery.start_soon(readers.read, wait)
        await trio.testing.wait_all_tasks_blocked()
        async with trio.open_nursery() as impatient:
            impatient.start_soon(readers.read, lambda _: ran.append("impatient"))
            await trio.testing.wait_all_tasks_blocked()
            impatient.cancel_scope.cancel()
        nursery.start_soon(readers.read, lambda _: ran.append("patient"))
        await trio.testing.wait_all_tasks_blocked()
        gate.set()
    assert ran == ["patient"]


async def test_who_gives_up_while_reading_leaves_at_once(readers: Readers) -> None:
    """
    The thread finishes for itself and is free again.
    """
    gate = threading.Event()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(readers.read, lambda _: gate.wait(10))
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    gate.set()
    assert [await readers.read(count) for _ in range(5)] == [0] * 5


async def test_errors_of_a_unit_are_its_own(readers: Readers) -> None:
    """
    No transaction is left open by them.
    """
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        await readers.read(lambda tx: tx.all("SELECT * FROM nowhere"))
    with pytest.raises(ZeroDivisionError):
        await readers.read(lambda _: 1 / 0)
    assert await readers.read(count) == 0


async def test_no_snapshot_outlives_its_read(readers: Readers, filled: Path) -> None:
    """
    A reader that kept one would keep the WAL from being emptied, and see nothing new.
    """
    assert await readers.read(count) == 0
    conn = connect(filled)
    conn.execute("INSERT INTO t VALUES (1)")
    assert conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
    conn.close()
    assert await readers.read(count) == 1


async def test_after_closing_reads_are_refused(filled: Path) -> None:
    """
    Nobody waits for a thread that is gone.
    """
    readers = Readers(max_waiting=2)
    readers.add(Thread("reader"), Reader(partial(connect, filled, read_only=True), limit_seconds=1))
    await readers.close()
    with pytest.raises(StorageUnavailable, match="closed"):
        await readers.read(count)
