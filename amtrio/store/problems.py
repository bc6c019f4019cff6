"""Why a store cannot be opened, and which SQLite errors are the disk's fault rather than the unit's.

Texts here are for the operator: they name the file and what to do. Clients hear `StorageUnavailable` alone.
"""

from __future__ import annotations

import sqlite3

from amtrio.errors import StorageUnavailable


class CannotOpen(Exception):
    """The server must not start on this data; the text says which file and what to do."""


class StoreLocked(CannotOpen):
    """Another process has this database open."""


class ReadOnlyStore(CannotOpen):
    """The file or its directory cannot be written."""


class CorruptStore(CannotOpen):
    """The file is damaged or no SQLite database at all."""


class ForeignStore(CannotOpen):
    """A healthy SQLite database that belongs to another program."""


class MissingWal(CannotOpen):
    """The last run did not end cleanly and the part of its data that was still in the WAL file is gone."""


class MigrationRefused(CannotOpen):
    """The database and this program do not agree on the history of the schema."""


# Primary result codes (https://sqlite.org/rescode.html) that say something about the machine. All others blame the SQL.
_DISK = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOLFS,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_NOTADB,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_READONLY,
    }
)
_CORRUPT = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


def primary_code(error: BaseException) -> int | None:
    """The low byte of SQLite's result code, None when the error did not come from SQLite."""
    code: int | None = getattr(error, "sqlite_errorcode", None) if isinstance(error, sqlite3.Error) else None
    return None if code is None else code & 0xFF


def is_disk_failure(error: BaseException) -> bool:
    """Whether trying again later may help and the unit is not to blame."""
    return primary_code(error) in _DISK


def is_corruption(error: BaseException) -> bool:
    """Whether the file itself is damaged: only a restore helps."""
    return primary_code(error) in _CORRUPT


def refusal(cause: BaseException) -> StorageUnavailable:
    """What the waiter of a unit hears: one exception each, because raising one adds to its traceback."""
    error = StorageUnavailable("the server's disk refused; nothing was stored")
    error.__cause__ = cause
    return error


def describe(error: BaseException) -> str:
    """One line for health and logs."""
    name = getattr(error, "sqlite_errorname", None)
    return f"{error} ({name})" if name else f"{error}"
