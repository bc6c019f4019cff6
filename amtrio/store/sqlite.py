"""Opens a SQLite database as the server's store, and closes it in order.

The only file that puts the parts of the store together. Knows nothing of what features keep in it.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import trio

from amtrio.clock import Clock
from amtrio.store.boot import Boot
from amtrio.store.chores import Chores, ChoreSettings
from amtrio.store.commit import GroupCommit, Unit
from amtrio.store.connection import SqliteReadTx, connect
from amtrio.store.database import Committed, Done, ReadTx, Tx
from amtrio.store.lockfile import hold_lock
from amtrio.store.migrate import load_migrations, migrate
from amtrio.store.problems import (
    CannotOpen,
    CorruptStore,
    ForeignStore,
    ReadOnlyStore,
    StoreLocked,
    describe,
    is_corruption,
    is_disk_failure,
    primary_code,
    refusal,
)
from amtrio.store.readers import Reader, Readers
from amtrio.store.thread import OpenRunner, Thread, never_abort, run_in
from amtrio.store.writer import Writer

P = ParamSpec("P")
T = TypeVar("T")

# "amtr": tells our files from those of other programs (https://sqlite.org/pragma.html#pragma_application_id).
APPLICATION_ID = 0x616D7472

_OLDEST_SQLITE = (3, 35, 0)  # RETURNING

_MAGIC = b"SQLite format 3\0"


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """
    How much the store does at once.

    Attributes:
        readers: threads that read, each with a connection.
        max_batch: units that share one fsync. More gains nothing and makes all of them wait.
        read_seconds: a read that takes longer is cut off.
        max_waiting_reads: further ones are refused as `Overloaded`.
    """

    readers: int = 3
    max_batch: int = 512
    read_seconds: float = 1
    max_waiting_reads: int = 1000
    chores: ChoreSettings = field(default_factory=ChoreSettings)


class SqliteDatabase:
    """`Database` on one SQLite file; made by `open_sqlite` alone."""

    def __init__(
        self,
        epoch: str,
        writer: Writer,
        readers: Readers,
        commit: GroupCommit,
        cause: Callable[[], object] | None = None,
    ) -> None:
        self._epoch = epoch
        self._cause = cause
        self._writer = writer
        self._readers = readers
        self._commit = commit
        self._read_trouble = ""
        self._is_corrupt = False
        self._chores: Chores | None = None

    @property
    def epoch(self) -> str:
        return self._epoch

    @property
    def waiting(self) -> int:
        """Units that wait for their batch."""
        return self._writer.waiting

    @property
    def batches(self) -> int:
        """Transactions tried since the start."""
        return self._writer.batches

    async def write(self, unit: Callable[Concatenate[Tx, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        await trio.lowlevel.checkpoint_if_cancelled()
        done = partial(trio.lowlevel.reschedule, trio.lowlevel.current_task())
        self._writer.put(Unit(unit, args, kwargs, done, None if self._cause is None else self._cause()))
        result: T = await trio.lowlevel.wait_task_rescheduled(never_abort)
        return result

    def submit(
        self, unit: Callable[..., Any], args: tuple[object, ...], done: Done, /, *, cause: object = None
    ) -> None:
        self._writer.put(Unit(unit, args, {}, done, cause))

    async def read(self, unit: Callable[Concatenate[ReadTx, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        def on_reader(tx: SqliteReadTx) -> T:
            return unit(tx, *args, **kwargs)

        try:
            result: T = await self._readers.read(on_reader)
        except sqlite3.Error as error:
            # A unit that tries to write on a reader is a bug, not a disk that went read-only.
            if not is_disk_failure(error) or primary_code(error) == sqlite3.SQLITE_READONLY:
                raise
            self._is_corrupt = self._is_corrupt or is_corruption(error)
            self._read_trouble = f"cannot read the database: {describe(error)}"
            raise refusal(error) from error
        if not self._is_corrupt:
            self._read_trouble = ""
        return result

    def health(self) -> str:
        troubles = (self._commit.trouble, self._read_trouble, self._chores.trouble if self._chores else "")
        return "; ".join(each for each in troubles if each) or "ok"

    def attend(self, chores: Chores) -> None:
        """Their troubles are the store's."""
        self._chores = chores


@asynccontextmanager
async def open_sqlite(
    path: Path,
    *,
    clock: Clock,
    publish: Callable[[Sequence[Committed]], None],
    run: OpenRunner = Thread,
    observe: Callable[[Sequence[Unit], float], object] | None = None,
    cause: Callable[[], object] | None = None,
    settings: StoreSettings | None = None,
) -> AsyncIterator[SqliteDatabase]:
    """
    The database in `path`, made if it is not there, brought up to date and held alone.

    Leaving commits everything that was handed over, then closes. If telling what was committed fails, the failure
    comes out of here and everything inside is cancelled: the server must not go on.

    Args:
        path: beside it lie `-wal`, `-shm`, `.lock` and `.boot`. After a clean stop the file alone is everything; while
            it is open a copy needs file and `-wal` of the same moment.
        publish: hears what a batch announced, on the Trio thread, after the commit and in commit order. Must not raise.
        observe: hears of every batch which units it had and how many seconds it took, for metrics and traces.
        cause: asked by every `write`, in the task that waits for it; the answer goes with the unit.
        run: opens the runner of each connection; `Inline` keeps everything on the Trio thread.

    Raises:
        CannotOpen: the text says which file and what to do.
    """
    settings = settings or StoreSettings()
    async with AsyncExitStack() as stack:
        with _clear_errors(path):
            stack.enter_context(_locked(path))
            boot = Boot(path, clock)
            boot.check_files()
            # The first connection to open is the last to close: while it lives SQLite keeps the WAL and its index.
            first, epoch = _open_first(path, boot, clock)
            chores_runner = run("store-chores")

            async def close_first() -> None:
                def close() -> None:
                    boot.end(first)
                    first.close()

                await run_in(chores_runner, close)
                await chores_runner.close()

            stack.push_async_callback(close_first)
            readers = Readers(max_waiting=settings.max_waiting_reads)
            stack.push_async_callback(readers.close)
            for number in range(settings.readers):
                reader = Reader(partial(connect, path, read_only=True), settings.read_seconds)
                readers.add(run(f"store-reader-{number}"), reader)
            commit = GroupCommit(partial(connect, path), clock)
            writer_runner = run("store-writer")

            async def close_writer() -> None:
                await run_in(writer_runner, commit.close)
                await writer_runner.close()

            stack.push_async_callback(close_writer)
        writer = Writer(writer_runner, commit, publish, max_batch=settings.max_batch, observe=observe)
        database = SqliteDatabase(epoch, writer, readers, commit, cause)
        chores = Chores(
            database=path,
            conn=first,
            runner=chores_runner,
            commit=commit,
            boot=boot,
            write=database.write,
            settings=settings.chores,
        )
        writer.on_batch = chores.notice
        database.attend(chores)
        with _unwrapped():
            async with trio.open_nursery() as nursery:
                nursery.start_soon(writer.run, name="store writer")
                async with trio.open_nursery() as looking_after:
                    looking_after.start_soon(chores.run, name="store chores")
                    try:
                        yield database
                    finally:
                        looking_after.cancel_scope.cancel()
                        writer.close()


@contextmanager
def _unwrapped() -> Iterator[None]:
    """Two nurseries are how the store is built, not what happened: a single exception leaves without their groups."""
    try:
        yield
    except BaseExceptionGroup as group:
        only: BaseException = group
        while isinstance(only, BaseExceptionGroup) and len(only.exceptions) == 1:
            only = only.exceptions[0]
        if isinstance(only, BaseExceptionGroup):
            raise
        raise only from only.__cause__


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with hold_lock(path.with_name(path.name + ".lock")):
        yield


def _open_first(path: Path, boot: Boot, clock: Clock) -> tuple[sqlite3.Connection, str]:
    _check_header(path)
    if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
        oldest = ".".join(map(str, _OLDEST_SQLITE))
        raise CannotOpen(f"Python was built with SQLite {sqlite3.sqlite_version}; amtrio needs {oldest} or newer")
    # Made here, so that nobody else may read it; SQLite gives the WAL the same mode.
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    conn = connect(path)
    try:
        _claim(path, conn)
        migrate(conn, load_migrations(), clock)
        epoch = boot.begin(conn)
    except BaseException:
        boot.say_stopped()
        conn.close()
        raise
    return conn, epoch


def _claim(path: Path, conn: sqlite3.Connection) -> None:
    owner = conn.execute("PRAGMA application_id").fetchone()[0]
    has_tables = conn.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] > 0
    if owner != APPLICATION_ID and (owner != 0 or has_tables):
        text = f"{path} is a database of another program. Give amtrio a file of its own"
        raise ForeignStore(f"{text}; it does not change what it did not make.")
    mode = conn.execute("PRAGMA journal_mode = WAL").fetchone()[0]
    if mode != "wal":
        raise CannotOpen(f"the file system of {path} does not support SQLite's WAL; use a local disk")
    if owner != APPLICATION_ID:
        conn.execute(f"PRAGMA application_id = {APPLICATION_ID}")


def _check_header(path: Path) -> None:
    try:
        with path.open("rb") as file:
            start = file.read(len(_MAGIC))
    except FileNotFoundError:
        return
    if start and start != _MAGIC:
        raise CorruptStore(f"{path} is no SQLite database. Restore a backup, or give amtrio a file of its own.")


@contextmanager
def _clear_errors(path: Path) -> Iterator[None]:
    """What SQLite and the kernel say while opening, as a sentence with a remedy."""
    try:
        yield
    except PermissionError as error:
        text = f"cannot write {error.filename or path}: {error.strerror}. The user that runs amtrio must own it."
        raise ReadOnlyStore(text) from error
    except OSError as error:
        raise CannotOpen(f"cannot open {path}: {error.strerror} ({error.filename or path})") from error
    except sqlite3.Error as error:
        raise _clear_error(path, error) from error


def _clear_error(path: Path, error: sqlite3.Error) -> CannotOpen:
    said = "; ".join([describe(error), *getattr(error, "__notes__", [])])
    match primary_code(error):
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM:
            return ReadOnlyStore(
                f"cannot write {path}: {said}. The user that runs amtrio must own it and its directory."
            )
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return CorruptStore(f"{path} is damaged: {said}. Restore a backup; keep the damaged file for rescue.")
        case sqlite3.SQLITE_FULL:
            return CannotOpen(f"no space left for {path}: {said}. Free some and start again.")
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return StoreLocked(f"another program has {path} open: {said}. Close it and start again.")
        case _:
            return CannotOpen(f"cannot open {path}: {said}")
