"""Brings the schema up to date: numbered SQL files, each in one transaction, never edited once applied.

Knows SQLite; knows nothing of what the tables mean.
"""

from __future__ import annotations

import hashlib
import re
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources

from amtrio.clock import Clock
from amtrio.store.problems import MigrationRefused

_NAME = re.compile(r"(?P<number>\d{4})_[a-z0-9_]+\.sql")

_TABLE = (
    "CREATE TABLE IF NOT EXISTS schema_migration ("
    "number INTEGER PRIMARY KEY, name TEXT NOT NULL, sha256 TEXT NOT NULL, applied_us BIGINT NOT NULL)"
)


@dataclass(frozen=True, slots=True)
class Migration:
    """One file: `0007_tags.sql` has number 7."""

    number: int
    name: str
    sql: str

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


def load_migrations() -> list[Migration]:
    """The migrations that this program brings along, in order."""
    return arrange(
        {
            each.name: each.read_text(encoding="utf-8")
            for each in resources.files("amtrio.store").joinpath("migrations").iterdir()
            if each.name.endswith(".sql")
        }
    )


def arrange(files: dict[str, str]) -> list[Migration]:
    """
    File names and texts as a list without gaps.

    Raises:
        MigrationRefused: a name that is none, a number that is missing or there twice.
    """
    migrations = []
    for position, name in enumerate(sorted(files), start=1):
        match = _NAME.fullmatch(name)
        if match is None:
            raise MigrationRefused(f"'{name}' is no name of a migration: four digits, '_', lower-case words, '.sql'")
        if int(match["number"]) != position:
            raise MigrationRefused(f"migration {position:04d} is missing or there twice; found '{name}' in its place")
        migrations.append(Migration(position, name, files[name]))
    return migrations


def migrate(conn: sqlite3.Connection, migrations: Sequence[Migration], clock: Clock) -> int:
    """
    Apply what is missing.

    Returns:
        How many were applied.

    Raises:
        MigrationRefused: the database is newer than the program, or was made by a file that has changed since.
    """
    conn.execute(_TABLE)
    applied: list[tuple[int, str, str]] = conn.execute(
        "SELECT number, name, sha256 FROM schema_migration ORDER BY number"
    ).fetchall()
    for position, (number, name, sha256) in enumerate(applied, start=1):
        if number != position:
            raise MigrationRefused(f"the database lacks migration {position:04d} but has '{name}'; restore a backup")
        if position > len(migrations):
            text = (
                f"the database was made by a newer amtrio: it has '{name}', this program ends at {len(migrations):04d}"
            )
            raise MigrationRefused(f"{text}. Start the newer program, or restore a backup from before the upgrade.")
        if sha256 != migrations[position - 1].sha256:
            text = f"'{migrations[position - 1].name}' is not the file that was applied to this database ('{name}')"
            raise MigrationRefused(f"{text}. An applied migration is never edited: add another one.")
    for migration in migrations[len(applied) :]:
        _apply(conn, migration, clock)
    return len(migrations) - len(applied)


def _apply(conn: sqlite3.Connection, migration: Migration, clock: Clock) -> None:
    # Not executescript: it commits before it begins, so a failure half-way would leave half a schema.
    conn.execute("BEGIN IMMEDIATE")
    try:
        for statement in split_statements(migration.sql):
            conn.execute(statement)
        conn.execute(
            "INSERT INTO schema_migration (number, name, sha256, applied_us) VALUES (:number, :name, :sha256, :at_us)",
            {
                "number": migration.number,
                "name": migration.name,
                "sha256": migration.sha256,
                "at_us": clock.now_us(),
            },
        )
        conn.execute("COMMIT")
    except sqlite3.Error as error:
        if conn.in_transaction:
            conn.execute("ROLLBACK")
        error.add_note(f"while applying migration '{migration.name}'; nothing of it was kept")
        raise


def split_statements(sql: str) -> list[str]:
    """The statements of a script. SQLite itself says where one is complete, so triggers and strings may hold `;`."""
    statements = []
    *pieces, rest = sql.split(";")
    pending = ""
    for piece in pieces:
        pending += piece + ";"
        if sqlite3.complete_statement(pending):
            statements.append(pending.strip())
            pending = ""
    pending += rest
    if any(line.strip() and not line.lstrip().startswith("--") for line in pending.splitlines()):
        statements.append(pending.strip())  # a last statement without its `;`
    return statements
