"""Connections: the settings on which the promises rest, read back from SQLite."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from amtrio.store.connection import SqliteReadTx, SqliteTx, connect
from tests.store.ledger import ALICE, Typing


def test_every_commit_is_synced_and_checkpoints_are_a_chore(path: Path) -> None:
    """`synchronous` FULL is 2; foreign keys hold; COMMIT never checkpoints."""
    conn = connect(path)
    pragmas = {name: conn.execute(f"PRAGMA {name}").fetchone()[0] for name in PRAGMAS}
    conn.close()
    assert pragmas == PRAGMAS


PRAGMAS = {"synchronous": 2, "foreign_keys": 1, "wal_autocheckpoint": 0, "busy_timeout": 2000, "query_only": 0}


def test_a_reader_cannot_write(path: Path) -> None:
    """Not even by mistake."""
    conn = connect(path, read_only=True)
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        conn.execute("CREATE TABLE t (a)")
    conn.close()


def test_what_is_deleted_leaves_the_file(path: Path) -> None:
    """Whatever the library was built with: the text is overwritten, in the log and in the database."""
    conn = connect(path)
    conn.execute("CREATE TABLE t (a TEXT)")
    conn.execute("INSERT INTO t VALUES (:a)", {"a": "a most remarkable word"})
    conn.execute("DELETE FROM t")
    conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    conn.close()
    assert b"remarkable" not in path.read_bytes()


def test_rows_come_as_tuples(path: Path) -> None:
    """`one` is the first row or None, `all` every row."""
    conn = connect(path)
    tx = SqliteReadTx(conn)
    assert tx.one("SELECT :a, :b", a=1, b="x") == (1, "x")
    assert tx.one("SELECT 1 WHERE 0") is None
    assert tx.all("SELECT value FROM json_each('[1, 2]')") == [(1,), (2,)]
    conn.close()


def test_announcements_are_kept_with_their_attempt(path: Path) -> None:
    """Each account once, in the order named, with the time of the unit."""
    conn = connect(path)
    tx = SqliteTx(conn, 7)
    event = Typing()
    tx.announce(event, iter([ALICE, "a:helper", ALICE]), device="phone")
    (announced,) = tx.announced
    assert announced.accounts == (ALICE, "a:helper")
    assert (announced.event, announced.device, announced.at_us) == (event, "phone", 7)
    conn.close()


def test_a_file_that_cannot_be_opened_leaves_no_connection(tmp_path: Path) -> None:
    """The error is SQLite's; warnings about connections left open would fail this test."""
    with pytest.raises(sqlite3.OperationalError):
        connect(tmp_path / "nowhere" / "t.db")
