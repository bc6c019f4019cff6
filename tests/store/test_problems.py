"""Telling the disk's failures from the unit's."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from amtrio.errors import StorageUnavailable
from amtrio.store.problems import describe, is_corruption, is_disk_failure, primary_code, refusal


def error_of(sql: str, path: str | Path = ":memory:") -> sqlite3.Error:
    conn = sqlite3.connect(path)
    with pytest.raises(sqlite3.Error) as caught:
        conn.executescript(sql)
    conn.close()
    return caught.value


def test_a_broken_constraint_and_bad_sql_are_the_units_fault() -> None:
    """So are errors that SQLite never saw."""
    constraint = error_of("CREATE TABLE t (a UNIQUE); INSERT INTO t VALUES (1), (1)")
    assert primary_code(constraint) == sqlite3.SQLITE_CONSTRAINT
    for error in (constraint, error_of("SELEC"), ValueError("no"), sqlite3.ProgrammingError("no code")):
        assert not is_disk_failure(error)
        assert not is_corruption(error)


def test_a_full_disk_is_the_machines_fault_and_a_damaged_file_is_corruption(tmp_path: Path) -> None:
    """Extended result codes count by their low byte."""
    full = error_of("PRAGMA max_page_count = 1; CREATE TABLE t (a); CREATE TABLE u (a)")
    assert is_disk_failure(full)
    assert not is_corruption(full)
    assert describe(full) == "database or disk is full (SQLITE_FULL)"
    (tmp_path / "bad").write_bytes(b"no database, but long enough to be asked about" * 100)
    damaged = error_of("SELECT * FROM t", tmp_path / "bad")
    assert is_disk_failure(damaged)
    assert is_corruption(damaged)


def test_each_waiter_gets_an_exception_of_its_own() -> None:
    """They grow tracebacks; the cause is shared."""
    cause = ValueError("disk")
    first, second = refusal(cause), refusal(cause)
    assert first is not second
    assert isinstance(first, StorageUnavailable)
    assert first.__cause__ is cause
    assert describe(cause) == "disk"
