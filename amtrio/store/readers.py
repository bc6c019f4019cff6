"""A small pool of read-only connections, each on a thread of its own; a read that takes too long is cut off.

Knows SQLite; knows nothing of writing.
"""

from __future__ import annotations

import sqlite3
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import outcome
import trio

from amtrio.errors import Overloaded, StorageUnavailable
from amtrio.store.connection import SqliteReadTx
from amtrio.store.problems import primary_code
from amtrio.store.thread import Runner, run_in

# SQLite asks about the time limit once in so many of its instructions: about every 0.1 ms.
_INSTRUCTIONS_PER_LOOK = 10_000

_RETRY_AFTER_MS = 1000


class Reader:
    """One connection; used by one thread at a time."""

    def __init__(self, connect: Callable[[], sqlite3.Connection], limit_seconds: float) -> None:
        self._conn = connect()
        self._limit_seconds = limit_seconds
        self._deadline = 0.0
        self._conn.set_progress_handler(self._is_late, _INSTRUCTIONS_PER_LOOK)

    def read(self, unit: Callable[[SqliteReadTx], Any]) -> Any:
        """
        Run `unit` on one snapshot.

        Raises:
            Overloaded: it took longer than a reader may.
        """
        self._deadline = time.monotonic() + self._limit_seconds
        self._conn.execute("BEGIN")
        try:
            return unit(SqliteReadTx(self._conn))
        except sqlite3.OperationalError as error:
            if primary_code(error) == sqlite3.SQLITE_INTERRUPT:
                text = f"reading took longer than {self._limit_seconds:g} s"
                raise Overloaded(text, retry_after_ms=_RETRY_AFTER_MS) from error
            raise
        finally:
            self._deadline = float("inf")
            # An open read transaction keeps the WAL from being emptied.
            if self._conn.in_transaction:
                self._conn.execute("ROLLBACK")

    def close(self) -> None:
        self._conn.close()

    def _is_late(self) -> bool:
        return time.monotonic() > self._deadline


@dataclass(slots=True, eq=False)
class _Request:
    unit: Callable[[SqliteReadTx], Any]
    task: trio.lowlevel.Task | None = field(default=None)  # None once it has an answer or gave up

    def answer(self, result: outcome.Outcome[Any]) -> None:
        task, self.task = self.task, None
        if task is not None:
            trio.lowlevel.reschedule(task, result)


class Readers:
    """Gives each read the next free connection, in order of arrival."""

    def __init__(self, *, max_waiting: int) -> None:
        self._pairs: list[tuple[Runner, Reader]] = []
        self._free: list[tuple[Runner, Reader]] = []
        self._waiting: deque[_Request] = deque()
        self._max_waiting = max_waiting
        self._is_closed = False

    def add(self, runner: Runner, reader: Reader) -> None:
        """One more that reads, on a runner of its own."""
        self._pairs.append((runner, reader))
        self._free.append((runner, reader))

    async def read(self, unit: Callable[[SqliteReadTx], Any]) -> Any:
        """
        Run `unit` and wait. Cancelling gives up the answer; the thread finishes for itself.

        Raises:
            Overloaded: too many wait already, or this one took too long.
            StorageUnavailable: the store is closed.
        """
        await trio.lowlevel.checkpoint_if_cancelled()
        if self._is_closed:
            raise _closed()
        if len(self._waiting) >= self._max_waiting:
            raise Overloaded("too many reads are waiting", retry_after_ms=_RETRY_AFTER_MS)
        request = _Request(unit, trio.lowlevel.current_task())
        if self._free:
            self._start(self._free.pop(), request)
        else:
            self._waiting.append(request)

        def give_up(_: Callable[[], None]) -> trio.lowlevel.Abort:
            request.task = None
            return trio.lowlevel.Abort.SUCCEEDED

        return await trio.lowlevel.wait_task_rescheduled(give_up)

    async def close(self) -> None:
        """Close every connection once its thread is through."""
        self._is_closed = True
        while self._waiting:
            self._waiting.popleft().answer(outcome.Error(_closed()))
        for runner, reader in self._pairs:
            await run_in(runner, reader.close)
            await runner.close()

    def _start(self, pair: tuple[Runner, Reader], request: _Request) -> None:
        runner, reader = pair

        def finished(result: outcome.Outcome[Any]) -> None:
            following = self._next()
            if following is None:
                self._free.append(pair)
            else:
                self._start(pair, following)
            request.answer(result)

        runner.start(lambda: reader.read(request.unit), finished)

    def _next(self) -> _Request | None:
        while self._waiting:
            request = self._waiting.popleft()
            if request.task is not None:
                return request
        return None


def _closed() -> StorageUnavailable:
    return StorageUnavailable("the store is closed")
