"""Disks that fill up, commits that fail, files that rot: nobody is told what did not happen."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import outcome
import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st

from amtrio.errors import NotFound, StorageUnavailable
from amtrio.store.chores import ChoreSettings
from amtrio.store.commit import GroupCommit, Settled, Unit
from amtrio.store.connection import connect
from amtrio.store.database import Tx
from amtrio.store.migrate import load_migrations, migrate
from amtrio.store.sqlite import StoreSettings, open_sqlite
from amtrio.store.thread import Inline
from tests.store.ledger import ALICE, Listener, StandingClock, bodies, logged, numbers, post, prepare

HUGE = "x" * 4_000_000


class Disk:
    """A database file with a limit on its size, and the writer on it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.max_pages = 0
        first = self.connect()
        first.execute("PRAGMA journal_mode = WAL")
        migrate(first, load_migrations(), StandingClock())
        self.first = first  # stays open, as in open_sqlite
        self.commit = GroupCommit(self.connect, StandingClock())
        assert not self.batch((prepare,)).committed

    def connect(self) -> sqlite3.Connection:
        conn = connect(self.path)
        if self.max_pages:
            conn.execute(f"PRAGMA max_page_count = {self.max_pages}")
        return conn

    def limit(self, spare_pages: int | None) -> None:
        """So many pages more, or all one wants."""
        used = self.first.execute("PRAGMA page_count").fetchone()[0]
        self.max_pages = 2**30 if spare_pages is None else used + spare_pages
        self.commit.close()
        # The next batch connects anew, under the new limit.

    def batch(self, *units: tuple[Any, ...]) -> Settled:
        return self.commit([Unit(call, tuple(args), {}, lambda _: None) for call, *args in units])

    def see(self, unit: Callable[..., Any], *args: Any) -> Any:
        from amtrio.store.connection import SqliteReadTx  # noqa: PLC0415 - one use

        return unit(SqliteReadTx(self.first), *args)

    def close(self) -> None:
        self.commit.close()
        self.first.close()


@pytest.fixture
def disk(tmp_path: Path) -> Any:
    disk = Disk(tmp_path / "t.db")
    yield disk
    disk.close()


def verdicts(settled: Settled) -> list[str]:
    return [type(answer.error).__name__ if isinstance(answer, outcome.Error) else "ok" for _, answer in settled.answers]


def assert_told_is_stored(disk: Disk, told: list[int]) -> None:
    stored = disk.see(numbers)
    assert stored == list(range(1, len(stored) + 1))
    assert told == stored
    assert disk.see(logged, ALICE) == [(n, str(n)) for n in stored]


def told_by(*settled: Settled) -> list[int]:
    return [each.event.number for one in settled for each in one.committed]  # type: ignore[attr-defined]


def test_a_disk_that_fills_in_the_middle_of_a_batch(disk: Disk) -> None:
    """
    The second of three units does not fit: it alone is refused, the others are stored, numbers have no gap.
    """
    disk.limit(20)
    settled = disk.batch((post, "a"), (post, HUGE), (post, "b"))
    assert verdicts(settled) == ["ok", "StorageUnavailable", "ok"]
    assert disk.see(bodies) == ["a", "b"]
    assert_told_is_stored(disk, told_by(settled))


def test_a_unit_that_swallows_the_failure_takes_nobody_with_it(disk: Disk) -> None:
    """
    SQLite rolled back everything when the disk was full; the writer sees it even if the unit keeps quiet.
    """

    def quiet(tx: Tx) -> str:
        try:
            post(tx, HUGE)
        except sqlite3.OperationalError:
            return "nothing happened"
        return "stored"

    disk.limit(20)
    settled = disk.batch((post, "a"), (quiet,), (post, "b"))
    assert verdicts(settled)[0] == verdicts(settled)[2] == "ok"
    assert disk.see(bodies) == ["a", "b"]
    assert_told_is_stored(disk, told_by(settled))


def test_a_full_disk_refuses_and_recovers(disk: Disk) -> None:
    """
    While it is full health says so and everything acknowledged stays; with room again the next write works.
    """
    disk.limit(10)
    rounds = [disk.batch((post, "y" * 3000), (post, "y" * 3000)) for _ in range(20)]
    assert verdicts(rounds[-1]) == ["StorageUnavailable", "StorageUnavailable"]
    assert "full" in disk.commit.trouble
    assert_told_is_stored(disk, told_by(*rounds))
    disk.limit(None)
    rounds.append(disk.batch((post, "again")))
    assert verdicts(rounds[-1]) == ["ok"]
    assert disk.commit.trouble == ""
    assert_told_is_stored(disk, told_by(*rounds))


def break_at_commit(tx: Tx) -> None:
    """Unit: a promise to be checked at COMMIT, and broken."""
    tx.one("PRAGMA defer_foreign_keys = ON")
    post(tx, "never")
    tx.run("INSERT INTO ledger_child (entry) VALUES (999)")


@pytest.mark.parametrize("around", [0, 1, 3])
def test_a_commit_that_fails_is_nobody_elses_fault(disk: Disk, around: int) -> None:
    """
    The whole transaction is rolled back; alone, the culprit hears why and the others are stored.
    """
    others = [(post, f"{n}") for n in range(around)]
    settled = disk.batch(*others, (break_at_commit,), *others)
    assert verdicts(settled) == ["ok"] * around + ["IntegrityError"] + ["ok"] * around
    assert_told_is_stored(disk, told_by(settled))
    assert disk.commit.trouble == ""


def test_an_event_that_cannot_be_written_down_fails_its_unit_only(disk: Disk) -> None:
    """
    An announcement that the log cannot hold is its unit's bug.
    """

    def odd(tx: Tx) -> None:
        post(tx, "never")
        tx.announce(object(), [ALICE])  # type: ignore[arg-type]

    settled = disk.batch((post, "a"), (odd,), (post, "b"))
    assert verdicts(settled) == ["ok", "AttributeError", "ok"]
    assert_told_is_stored(disk, told_by(settled))


def test_a_unit_that_ends_the_transaction_is_found_out(disk: Disk) -> None:
    """
    Whatever a unit does to the transaction, the others of its batch are stored once.
    """

    def rollback(tx: Tx) -> None:
        post(tx, "never")
        tx.run("ROLLBACK")

    settled = disk.batch((post, "a"), (rollback,), (post, "b"))
    assert verdicts(settled) == ["ok", "OperationalError", "ok"]
    assert disk.see(bodies) == ["a", "b"]
    assert_told_is_stored(disk, told_by(settled))


def raise_first(tx: Tx) -> None:
    raise NotFound("before anything")


def raise_last(tx: Tx) -> None:
    post(tx, "never", fail=NotFound("after everything"))


def keep_quiet(tx: Tx) -> None:
    """Unit: runs into a constraint, minds it not, goes on."""
    post(tx, "kept")
    with pytest.raises(sqlite3.IntegrityError):
        tx.run("INSERT INTO ledger_entry (number, body) VALUES (1, 'twice')")


def two(tx: Tx) -> None:
    post(tx, "one")
    post(tx, "two")


UNITS: dict[str, tuple[Any, ...]] = {
    "post": (post, "text"),
    "large": (post, "z" * 9000),
    "huge": (post, HUGE),
    "first": (raise_first,),
    "last": (raise_last,),
    "commit": (break_at_commit,),
    "quiet": (keep_quiet,),
    "two": (two,),
}


@settings(max_examples=60, deadline=None)
@given(
    batches=st.lists(
        st.tuples(st.sampled_from([None, 0, 3, 30]), st.lists(st.sampled_from(sorted(UNITS)), min_size=1, max_size=8)),
        min_size=1,
        max_size=8,
    )
)
def test_units_that_fail_at_random_leave_no_gap_and_no_rumour(
    tmp_path_factory: pytest.TempPathFactory, batches: list[tuple[int | None, list[str]]]
) -> None:
    """
    Whatever fails in whichever order on however full a disk: each unit has one verdict, what was told is what is
    stored, numbers have no gap, calls are made for what was kept and nothing else.
    """
    disk = Disk(tmp_path_factory.mktemp("disk") / "t.db")
    calls: list[str] = []

    def with_call(tx: Tx, unit: Callable[..., Any], *args: Any) -> None:
        unit(tx, *args)
        tx.on_commit(partial(calls.append, "call"))

    try:
        rounds = []
        for spare_pages, names in batches:
            disk.limit(spare_pages)
            settled = disk.batch(*[(with_call, *UNITS[name]) for name in names])
            assert len(settled.answers) == len(names)
            assert len(settled.calls) == verdicts(settled).count("ok")
            for name, verdict in zip(names, verdicts(settled), strict=True):
                expected = {"first": "NotFound", "last": "NotFound", "commit": "IntegrityError"}.get(name, "ok")
                assert verdict in ({expected, "StorageUnavailable"} if spare_pages is not None else {expected})
            rounds.append(settled)
            assert_told_is_stored(disk, told_by(*rounds))
    finally:
        disk.close()


def rot(path: Path) -> None:
    """Overwrite everything behind the first pages, as a dying disk might."""
    with path.open("r+b") as file:
        size = path.stat().st_size
        file.seek(size // 4096 // 2 * 4096)
        file.write(b"\xa5" * (size - file.tell()))


async def test_a_file_that_rots_while_it_is_open(tmp_path: Path) -> None:
    """
    Units are refused, health tells the operator what to do, nothing is told or acknowledged from then on.
    """
    path = tmp_path / "t.db"
    listener = Listener()
    start = partial(open_sqlite, path, clock=StandingClock(), publish=listener.publish, run=Inline)
    async with start() as store:
        await store.write(prepare)
        for _ in range(100):
            await store.write(post, "y" * 3000)
    told = len(listener.heard)
    rot(path)
    async with start() as store:
        with pytest.raises(StorageUnavailable):
            await store.write(lambda tx: tx.all("SELECT sum(length(body)) FROM ledger_entry"))
        assert "restore a backup" in store.health()
        with pytest.raises(StorageUnavailable):
            await store.write(post, "never")
        with pytest.raises(StorageUnavailable):
            await store.read(bodies)
    assert len(listener.heard) == told


async def test_a_broken_disk_is_tried_again_though_nobody_writes(tmp_path: Path, autojump_clock: Any) -> None:
    """
    With /health at 503 no traffic comes; the store itself finds out that the disk works again.
    """
    quick = StoreSettings(chores=ChoreSettings(pause_seconds=5))

    def fill(tx: Tx) -> None:
        pages = (tx.one("PRAGMA page_count") or [0])[0]
        tx.one(f"PRAGMA max_page_count = {pages}")
        post(tx, HUGE)

    async with open_sqlite(
        tmp_path / "t.db", clock=StandingClock(), publish=Listener().publish, run=Inline, settings=quick
    ) as store:
        await store.write(prepare)
        with pytest.raises(StorageUnavailable):
            await store.write(fill)
        assert "full" in store.health()
        await trio.sleep(6)
        assert store.health() == "ok"
