"""Migrations: applied once, in order, whole or not at all; a history that does not match is refused."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator

import pytest

from amtrio.store.migrate import arrange, load_migrations, migrate, split_statements
from amtrio.store.problems import MigrationRefused
from tests.store.ledger import StandingClock

ONE = {"0001_one.sql": "CREATE TABLE one (id INTEGER);"}
TWO = ONE | {"0002_two.sql": "CREATE TABLE two (id INTEGER);\nINSERT INTO one VALUES (2);"}


@pytest.fixture
def conn() -> Iterator[sqlite3.Connection]:
    conn = sqlite3.connect(":memory:", isolation_level=None)
    yield conn
    conn.close()


def tables(conn: sqlite3.Connection) -> set[str]:
    return {name for (name,) in conn.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def test_what_is_missing_is_applied_once(conn: sqlite3.Connection) -> None:
    """A second start finds nothing to do; a newer program adds what is new."""
    assert migrate(conn, arrange(ONE), StandingClock()) == 1
    assert migrate(conn, arrange(ONE), StandingClock()) == 0
    assert migrate(conn, arrange(TWO), StandingClock()) == 1
    assert tables(conn) == {"schema_migration", "one", "two"}
    assert conn.execute("SELECT number, name FROM schema_migration ORDER BY number").fetchall() == [
        (1, "0001_one.sql"),
        (2, "0002_two.sql"),
    ]


def test_a_migration_that_fails_leaves_nothing_of_itself(conn: sqlite3.Connection) -> None:
    """The ones before it stay, and the error names the file."""
    broken = ONE | {"0002_two.sql": "CREATE TABLE two (id INTEGER); INSERT INTO nowhere VALUES (1);"}
    with pytest.raises(sqlite3.OperationalError, match="nowhere") as error:
        migrate(conn, arrange(broken), StandingClock())
    assert "0002_two.sql" in error.value.__notes__[0]
    assert tables(conn) == {"schema_migration", "one"}
    assert migrate(conn, arrange(TWO), StandingClock()) == 1


def test_an_applied_file_that_was_edited_is_refused(conn: sqlite3.Connection) -> None:
    """Two databases of the same number must be the same."""
    migrate(conn, arrange(ONE), StandingClock())
    edited = {"0001_one.sql": ONE["0001_one.sql"] + " -- edited"}
    with pytest.raises(MigrationRefused, match=r"'0001_one.sql' is not the file that was applied"):
        migrate(conn, arrange(edited), StandingClock())


def test_a_database_from_a_newer_program_is_refused(conn: sqlite3.Connection) -> None:
    """Going back needs a backup; the text says so."""
    migrate(conn, arrange(TWO), StandingClock())
    with pytest.raises(MigrationRefused, match=r"newer amtrio.*0002_two.sql.*backup"):
        migrate(conn, arrange(ONE), StandingClock())


def test_a_database_with_a_hole_in_its_history_is_refused(conn: sqlite3.Connection) -> None:
    """Nobody knows what such a database looks like."""
    migrate(conn, arrange(TWO), StandingClock())
    conn.execute("DELETE FROM schema_migration WHERE number = 1")
    with pytest.raises(MigrationRefused, match="lacks migration 0001"):
        migrate(conn, arrange(TWO), StandingClock())


@pytest.mark.parametrize(
    ("names", "complaint"),
    [
        (["0001_one.sql", "0003_three.sql"], "migration 0002 is missing"),
        (["0001_one.sql", "0001_other.sql"], "there twice"),
        (["0002_two.sql"], "migration 0001 is missing"),
        (["1_one.sql"], "no name of a migration"),
        (["0001_One.sql"], "no name of a migration"),
    ],
)
def test_files_that_make_no_sequence_are_refused(names: list[str], complaint: str) -> None:
    """Gaps, twins and odd names are found before anything is touched."""
    with pytest.raises(MigrationRefused, match=complaint):
        arrange(dict.fromkeys(names, ""))


def test_the_migrations_of_this_program_work(conn: sqlite3.Connection) -> None:
    """All of them apply to an empty database, and foreign keys point somewhere."""
    migrate(conn, load_migrations(), StandingClock())
    assert {"account", "account_log", "cursor", "meta"} <= tables(conn)
    assert conn.execute("PRAGMA foreign_key_check").fetchall() == []
    assert conn.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_script_is_split_where_sqlite_says() -> None:
    """Semicolons in triggers, strings and comments end nothing."""
    script = (
        "-- first; still a comment\nCREATE TABLE t (a TEXT DEFAULT ';'); INSERT INTO t VALUES ('x;y');\n"
        "CREATE TRIGGER r AFTER INSERT ON t BEGIN DELETE FROM t; DELETE FROM t; END;\nSELECT 1\n-- the end\n"
    )
    statements = split_statements(script)
    assert [re.sub(r"--.*\n", "", each).split()[0] for each in statements] == ["CREATE", "INSERT", "CREATE", "SELECT"]
    assert split_statements("-- nothing\n\n") == []
