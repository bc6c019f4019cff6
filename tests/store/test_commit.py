"""Group commit: what a message costs, and what a batch is. Disks that fail are in tests/faults/test_store_disk.py."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import outcome
import pytest

from amtrio.errors import NotFound
from amtrio.store.commit import GroupCommit, Settled, Unit
from amtrio.store.connection import connect
from amtrio.store.database import Done, Tx
from amtrio.store.migrate import load_migrations, migrate
from tests.store.ledger import ALICE, Posted, StandingClock, post, prepare


def ignore(_: object) -> None:
    """Nobody waits."""


def unit(call: object, *args: object, done: Done = ignore) -> Unit:
    assert callable(call)
    return Unit(call, args, {}, done)


@pytest.fixture
def commit(path: Path) -> Iterator[GroupCommit]:
    first = connect(path)
    first.execute("PRAGMA journal_mode = WAL")
    migrate(first, load_migrations(), StandingClock())
    commit = GroupCommit(partial(connect, path), StandingClock())
    commit([unit(prepare)])
    yield commit
    commit.close()
    first.close()


def trace(commit: GroupCommit) -> list[str]:
    """Every statement from now on, as SQLite sees it; the callback is SQLite's own."""
    statements: list[str] = []
    assert commit._conn is not None
    commit._conn.set_trace_callback(statements.append)
    return statements


CONTROL = ("BEGIN", "SAVEPOINT", "RELEASE", "COMMIT")


def test_numbering_costs_a_handful_of_statements_for_a_whole_batch(commit: GroupCommit) -> None:
    """However many units announce to however many accounts: the accounts advance, and rows go in by powers of two."""
    statements = trace(commit)
    commit([unit(post) for _ in range(64)])
    work = [each for each in statements if not each.startswith(CONTROL)]
    # Two accounts hear each of the 64 events: one statement for the events, one for the 128 rows of the log.
    assert len(work) == 64 + 3
    assert [each.split()[0] for each in statements if each.startswith(CONTROL)] == ["BEGIN", "COMMIT"]


def test_a_unit_that_failed_after_writing_is_undone_alone(commit: GroupCommit) -> None:
    """The batch is tried again with savepoints, in which only that unit is rolled back."""

    def write_and_fail(tx: Tx) -> None:
        tx.run("UPDATE account SET pruned = 7")
        raise NotFound("no")

    statements = trace(commit)
    settled = commit([unit(post), unit(write_and_fail), unit(post)])
    assert [type(answer).__name__ for _, answer in settled.answers] == ["Value", "Error", "Value"]
    assert statements.count("ROLLBACK TO unit") == 1
    assert [each.event for each in settled.committed] == [Posted(1), Posted(2)]
    pruned: list[object] = []
    commit([unit(lambda tx: pruned.extend(tx.all("SELECT DISTINCT pruned FROM account")))])
    assert pruned == [(0,)]


def test_a_unit_that_failed_before_writing_costs_nothing(commit: GroupCommit) -> None:
    """Most refusals are found out by reading: no savepoint, no second try."""

    def look_and_fail(tx: Tx) -> None:
        tx.one("SELECT 1")
        raise NotFound("no")

    statements = trace(commit)
    commit([unit(post), unit(look_and_fail), unit(post)])
    assert [each.split()[0] for each in statements if each.startswith((*CONTROL, "ROLLBACK"))] == ["BEGIN", "COMMIT"]


def test_a_batch_that_announces_nothing_numbers_nothing(commit: GroupCommit) -> None:
    """Cursor writes, for example."""
    statements = trace(commit)
    commit([unit(lambda tx: tx.run("UPDATE account SET pruned = 0"))])
    assert not [each for each in statements if "json_each" in each]


def test_a_failed_unit_is_rolled_back_to_its_savepoint(commit: GroupCommit) -> None:
    """One transaction still, not one more per failure."""
    statements = trace(commit)
    settled = commit([unit(post), unit(lambda tx: post(tx, fail=NotFound("no"))), unit(post)])
    assert statements.count("ROLLBACK TO unit") == 1
    assert statements.count("COMMIT") == 1
    assert [each.event for each in settled.committed] == [Posted(1), Posted(2)]


def test_answers_come_in_order_with_their_own_done(commit: GroupCommit) -> None:
    """Nobody hears another's outcome."""
    dones: list[Done] = [lambda _: 1, lambda _: 2]
    settled = commit([unit(post, done=dones[0]), unit(post, done=dones[1])])
    assert [(done, answer.unwrap()) for done, answer in settled.answers] == [(dones[0], 1), (dones[1], 2)]


def test_a_unit_takes_arguments_by_position_and_by_name(commit: GroupCommit) -> None:
    """As they were given to `write`."""

    def echo(tx: Tx, first: int, *, second: int) -> tuple[int, int]:
        return first, second

    settled = commit([Unit(echo, (1,), {"second": 2}, ignore)])
    assert settled.answers[0][1].unwrap() == (1, 2)


def test_the_wal_is_written_from_its_beginning_on_request(commit: GroupCommit, path: Path) -> None:
    """The file keeps its size, since a file that grows is slow to sync, and is used again."""
    wal = path.with_name("t.db-wal")
    size = wal.stat().st_size
    assert size > 0
    commit.wants_wal_reset = True
    commit([unit(post)])
    assert wal.stat().st_size == size
    assert not commit.wants_wal_reset


def test_a_reader_in_the_way_only_delays_the_reset(commit: GroupCommit, path: Path) -> None:
    """The writer does not wait for it."""
    reader = sqlite3.connect(path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM account").fetchone()
    commit([unit(post)])
    commit.wants_wal_reset = True
    settled = commit([unit(post)])
    assert settled.answers[0][1].unwrap() == 2
    assert path.with_name("t.db-wal").stat().st_size > 0
    reader.close()


def test_a_disk_that_does_not_let_us_back_in_refuses_everything(commit: GroupCommit, path: Path) -> None:
    """Opening anew fails: each unit is refused, and the next batch tries again."""
    working = commit._connect
    attempts: list[int] = []

    def failing() -> sqlite3.Connection:
        attempts.append(1)
        return sqlite3.connect(path.with_name("nowhere") / "t.db")

    commit._connect = failing
    commit.close()
    settled = commit([unit(post), unit(post)])
    assert [type(answer) for _, answer in settled.answers] == [outcome.Error, outcome.Error]
    assert commit.trouble == "unable to open database file (SQLITE_CANTOPEN)"
    commit._connect = working
    assert commit([unit(post)]).answers[0][1].unwrap() == 1
    assert commit.trouble == ""
    assert len(attempts) == 1


def test_the_settled_are_empty_at_first() -> None:
    """Nothing is shared between batches."""
    Settled().committed.append(None)  # type: ignore[arg-type]
    assert Settled().committed == []


def test_numbers_are_read_from_rows_every_time(commit: GroupCommit, path: Path) -> None:
    """Nothing is cached: what another connection did to the head counts."""
    commit([unit(post)])
    other = connect(path)
    other.execute("UPDATE account SET head = 41 WHERE key = 'u:alice'")
    other.close()
    settled = commit([unit(post)])
    assert dict(settled.committed[0].seqs)[ALICE] == 42
