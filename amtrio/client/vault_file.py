"""The file in which an account's private keys stand, and what belongs to them.

Knows SQLite and file modes. Knows nothing of what a key is for. One file, replaced in transactions: a crash leaves what
was there before or what is there now, and two programs that share it see the same.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

_VERSION: Final = 1
_SCHEMA: Final = """
-- The private halves of the identity, and the public half of the prekey in force.
CREATE TABLE own (account TEXT NOT NULL, identity BLOB NOT NULL, signing BLOB NOT NULL, prekey BLOB NOT NULL);
CREATE TABLE prekey (public BLOB PRIMARY KEY, private BLOB NOT NULL) WITHOUT ROWID;
-- opening: what the other side needs to begin it, with every message until it has answered.
CREATE TABLE session (
    id BLOB PRIMARY KEY, conversation_id TEXT NOT NULL, peer TEXT NOT NULL, peer_identity BLOB NOT NULL,
    role TEXT NOT NULL, root BLOB NOT NULL, opening BLOB) WITHOUT ROWID;
-- The session in which is sent.
CREATE TABLE conversation (id TEXT PRIMARY KEY, session_id BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE peer (account TEXT PRIMARY KEY, identity BLOB NOT NULL, signing BLOB NOT NULL) WITHOUT ROWID;
-- Which message a salt came with: the same again in another message is a replay.
CREATE TABLE seen (
    session_id BLOB NOT NULL, salt BLOB NOT NULL, message_id TEXT NOT NULL,
    PRIMARY KEY (session_id, salt)) WITHOUT ROWID;
"""


class VaultFile:
    """
    Args:
        path: made with mode 0600, in folders of mode 0700, when it is used first.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """
        All or nothing, one at a time; blocks for a write of the disk.

        Raises:
            OSError, sqlite3.Error: the disk refuses, or it is no such file.
        """
        with self._lock:
            connection = self._connection = self._connection or self._opened()
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    def close(self) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _opened(self) -> sqlite3.Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Made before SQLite would make it, which asks nobody who may read it; its journals get the same mode.
        os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))
        self._path.chmod(0o600)
        # Used from threads of a pool, by one at a time.
        connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
        try:
            connection.execute("PRAGMA synchronous = FULL")
            # A one-time key that has served shall be gone from the disk, too.
            connection.execute("PRAGMA secure_delete = ON")
            connection.execute("BEGIN IMMEDIATE")
            self._prepare(connection)
            connection.execute("COMMIT")
        except BaseException:
            connection.close()
            raise
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version > _VERSION:
            raise sqlite3.DatabaseError(f"{self._path} is of a newer version of this program")
        if version == 0:
            for statement in _SCHEMA.split(";"):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {_VERSION}")


def row(connection: sqlite3.Connection, sql: str, /, *values: Any) -> Any:
    """The one row, or None."""
    return connection.execute(sql, values).fetchone()
