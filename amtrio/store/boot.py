"""Tells whether the database is the one that this directory saw last, or a copy from another time or place.

A boot mark is a random word kept twice: in the database and in a file beside it. Each switch to a new mark goes
through three steps, so that a kill leaves both sides agreeing:

    file {old, new}  ->  database new (one transaction)  ->  file {new}

A database whose mark is not in the file was restored or copied: numbers handed out since then may be handed out
again with another meaning, so it gets a new epoch. Marks change at each start, at each clean stop and now and then
in between, because a copy made since the last change cannot be told from the original.

The file also says `running`. While it does, the WAL file must exist: it holds what no checkpoint has moved yet.

Where a kill can come, and what the next start finds:

1. first start, before the file is written: no file, new epoch; nothing was acknowledged yet.
2. start after {old, new}, before the commit: the database has `old`, which counts.
3. start after the commit, before {new}: the database has `new`, which counts.
4. after {new, running}: an unclean stop; the WAL must be there, and is, because the commit before made it.
5. start on a restored database, after the file: it names only `new`, the database still has a stranger: new epoch.
6. start on a restored database, after the commit: epoch and mark went in together; same epoch as in the commit.
7. clean stop after {old, new, running}: as 4; the WAL goes only when the last connection closes.
8. clean stop after the commit: as 4.
9. clean stop after {new}, before the last connection closes: not running; the WAL is read if it is still there.
10. start that is refused (a migration, say): says not running before it closes, for closing removes the WAL.

Knows the `meta` table and its file; knows nothing of logs or units.
"""

from __future__ import annotations

import os
import sqlite3
from dataclasses import dataclass
from pathlib import Path

import msgspec

from amtrio.clock import Clock
from amtrio.store.database import Tx
from amtrio.store.problems import CorruptStore, MissingWal

_GET = "SELECT value FROM meta WHERE key = :key"
_PUT = "INSERT INTO meta (key, value) VALUES (:key, :value) ON CONFLICT (key) DO UPDATE SET value = excluded.value"


class _State(msgspec.Struct, frozen=True):
    marks: list[str]
    running: bool


@dataclass(frozen=True, slots=True)
class Switch:
    """One change of mark under way."""

    new: str


class Boot:
    """The file beside the database, and the two rows in it."""

    def __init__(self, database: Path, clock: Clock) -> None:
        self._database = database
        self._path = database.with_name(database.name + ".boot")
        self._clock = clock
        self._state = self._load()

    def check_files(self) -> None:
        """
        Look before SQLite does: opening a database that has lost a part would make the loss final.

        Raises:
            MissingWal: the last run did not end cleanly and its WAL is gone.
            CorruptStore: there is a WAL but no database.
        """
        wal = self._database.with_name(self._database.name + "-wal")
        has_database = self._database.exists() and self._database.stat().st_size > 0
        if not has_database and wal.exists() and wal.stat().st_size > 0:
            text = f"{wal} holds data, but {self._database} is missing or empty. Put the database file back beside it"
            raise CorruptStore(f"{text}, or move the WAL file away to start empty.")
        if has_database and self._state is not None and self._state.running and not wal.exists():
            text = f"amtrio did not stop cleanly and {wal} is missing: what was stored last is not in {self._database}"
            remedy = f"Put the file back or restore a backup. To go on without it, remove {self._path}"
            raise MissingWal(f"{text}. {remedy}; clients will then be told to fetch everything again.")

    def begin(self, conn: sqlite3.Connection) -> str:
        """
        Take a new mark, and a new epoch if the database is not the one this directory saw last.

        Returns:
            The epoch.
        """
        old = _get(conn, "boot_mark")
        epoch = _get(conn, "epoch")
        known = self._state.marks if self._state is not None else []
        new = self._clock.new_secret()
        if old is None or epoch is None or old not in known:
            epoch = self._clock.new_id("epoch")
            marks = [new]
        else:
            marks = [old, new]
        self._save(_State(marks, running=self._state is not None and self._state.running))
        conn.execute("BEGIN IMMEDIATE")
        conn.execute(_PUT, {"key": "epoch", "value": epoch})
        conn.execute(_PUT, {"key": "boot_mark", "value": new})
        conn.execute("COMMIT")
        self._save(_State([new], running=True))
        return epoch

    def start_switch(self) -> Switch:
        """First step while the server runs; `put_mark` is the second, `finish_switch` the third."""
        known = self._state.marks if self._state is not None else []
        if len(known) > 1:
            return Switch(known[-1])  # the commit of the last one failed, or so it seemed: both may be in the database
        new = self._clock.new_secret()
        self._save(_State([*known, new], running=True))
        return Switch(new)

    def finish_switch(self, switch: Switch, *, running: bool = True) -> None:
        """Last step, after the commit."""
        self._save(_State([switch.new], running=running))

    def end(self, conn: sqlite3.Connection) -> None:
        """
        The last thing before the last connection closes: a new mark, and no longer running.

        Never raises for what the disk does: there is nobody left who could mend it.
        """
        try:
            switch = self.start_switch()
            conn.execute(_PUT, {"key": "boot_mark", "value": switch.new})
            self.finish_switch(switch, running=False)
        except (OSError, sqlite3.Error):
            self.say_stopped()

    def say_stopped(self) -> None:
        """Keep the marks; closing may now remove the WAL."""
        if self._state is None or not self._state.running:
            return
        try:
            self._save(_State(self._state.marks, running=False))
        except OSError:
            # A full disk still removes files. Without this one the next start takes a new epoch, which is safe; with it
            # the next start would miss a WAL that was closed in good order.
            self._path.unlink(missing_ok=True)

    def _load(self) -> _State | None:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=_State)
        except (FileNotFoundError, msgspec.DecodeError):
            return None  # unreadable is as good as missing: a new epoch

    def _save(self, state: _State) -> None:
        """Replace the file in one step and on disk, with its name."""
        temporary = self._path.with_name(self._path.name + ".new")
        fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            os.write(fd, msgspec.json.encode(state) + b"\n")
            os.fsync(fd)
        finally:
            os.close(fd)
        temporary.replace(self._path)
        directory = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
        self._state = state


def put_mark(tx: Tx, switch: Switch) -> None:
    """Unit: second step of a switch."""
    tx.run(_PUT, key="boot_mark", value=switch.new)


def _get(conn: sqlite3.Connection, key: str) -> str | None:
    row = conn.execute(_GET, {"key": key}).fetchone()
    return None if row is None else str(row[0])
