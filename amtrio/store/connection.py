"""Opens SQLite connections the one way this program uses them, and runs units on them.

Knows pragmas and parameters; knows nothing of batches, logs or files beside the database.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from amtrio.store.database import Loggable, Row, Value

# Statements kept prepared per connection. A whole server has some two hundred different ones; preparing one again
# costs more than running it.
CACHED_STATEMENTS = 512

# How long SQLite itself waits for a lock, milliseconds. No other amtrio has the file open (lock file); within the
# process only a checkpoint that finishes can be met.
BUSY_MS = 2000


def connect(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
    """
    A connection in autocommit mode: transactions are spelled out by whoever uses it.

    Raises:
        sqlite3.Error: as SQLite reports it.
    """
    conn = sqlite3.connect(
        path,
        timeout=BUSY_MS / 1000,
        isolation_level=None,
        check_same_thread=False,  # opened here, used by one thread at a time elsewhere
        cached_statements=CACHED_STATEMENTS,
    )
    try:
        conn.execute("PRAGMA foreign_keys = ON")
        # FULL: every COMMIT is an fsync of the WAL. NORMAL would acknowledge what a power cut can take back.
        conn.execute("PRAGMA synchronous = FULL")
        # A checkpoint inside COMMIT would make one sender in a thousand wait for all the others' pages.
        conn.execute("PRAGMA wal_autocheckpoint = 0")
        conn.execute("PRAGMA cache_size = -16384")  # KiB
        conn.execute("PRAGMA temp_store = MEMORY")
        # What is deleted is overwritten, not only forgotten; some builds of SQLite do it by default, others do not.
        conn.execute("PRAGMA secure_delete = ON")
        if read_only:
            conn.execute("PRAGMA query_only = ON")
    except BaseException:
        conn.close()
        raise
    return conn


class SqliteReadTx:
    """`ReadTx` on one connection."""

    __slots__ = ("_execute",)

    def __init__(self, conn: sqlite3.Connection) -> None:
        self._execute = conn.execute

    def one(self, sql: str, /, **params: Value) -> Row | None:
        row: Row | None = self._execute(sql, params).fetchone()
        return row

    def all(self, sql: str, /, **params: Value) -> list[Row]:
        return self._execute(sql, params).fetchall()


@dataclass(slots=True)
class Announcement:
    """What a unit wants to be told once it is on disk."""

    event: Loggable
    accounts: tuple[str, ...]
    device: str | None
    at_us: int
    cause: object


class SqliteTx(SqliteReadTx):
    """`Tx` for one attempt of one unit: what it announced dies with it unless the attempt is kept."""

    __slots__ = ("_cause", "announced", "at_us", "calls", "has_run")

    def __init__(self, conn: sqlite3.Connection, at_us: int, cause: object = None) -> None:
        super().__init__(conn)
        self.at_us = at_us
        self._cause = cause
        self.announced: list[Announcement] = []
        self.calls: list[Callable[[], object]] = []
        self.has_run = False

    def run(self, sql: str, /, **params: Value) -> int:
        self.has_run = True
        return self._execute(sql, params).rowcount

    def announce(self, event: Loggable, accounts: Iterable[str], /, *, device: str | None = None) -> None:
        # An account that is named twice hears it once.
        self.announced.append(Announcement(event, tuple(dict.fromkeys(accounts)), device, self.at_us, self._cause))

    def on_commit(self, call: Callable[[], object], /) -> None:
        self.calls.append(call)
