"""Group commit: many units, one transaction, one fsync; a unit that fails takes nobody with it.

Runs on the writer's thread and blocks there. Knows SQLite and the account log; knows nothing of waiting tasks.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain
from typing import Any

import msgspec
import outcome

from amtrio.clock import Clock
from amtrio.store.connection import Announcement, SqliteTx
from amtrio.store.database import Committed, Done
from amtrio.store.problems import describe, is_corruption, is_disk_failure, refusal
from amtrio.store.thread import waiting_for_disk

# Python lets go of its global lock around every statement and has to win it back from a busy Trio thread each time, so
# numbering takes one statement for all accounts of a batch and a few for its rows.
_ADVANCE = (
    "UPDATE account SET head = head + news.value FROM json_each(:counts) AS news"
    " WHERE account.key = news.key AND account.removed_us IS NULL RETURNING account.key, account.number, account.head"
)
_EVENT = ("event", ("kind", "conversation_id", "subject_id", "device", "at_us"))
_LOG = ("account_log", ("account", "seq", "event"))
# Rows per INSERT: powers of two up to this, so that a handful of prepared statements serves batches of any size.
_MOST_ROWS = 128


@dataclass(slots=True)
class Unit:
    """One call of a unit of work, who wants to hear its outcome, and what caused it if that is to be told."""

    call: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    done: Done
    cause: object = None


@dataclass(slots=True)
class Settled:
    """What became of a batch: everything that may be told, in commit order."""

    committed: list[Committed] = field(default_factory=list)
    calls: list[Callable[[], object]] = field(default_factory=list)
    answers: list[tuple[Done, outcome.Outcome[Any]]] = field(default_factory=list)


class _Lost(Exception):
    """The transaction is gone, nothing in it happened."""

    def __init__(self, cause: BaseException) -> None:
        super().__init__(cause)
        self.cause = cause


class GroupCommit:
    """
    The one write connection.

    Attributes:
        trouble: what is wrong with the disk, empty while commits succeed. Written here, read by anybody.
        wants_wal_reset: set it to have the WAL emptied before the next batch. Only the writer can do that under load: a
            checkpoint elsewhere never finds a moment in which nothing was appended.
    """

    def __init__(self, connect: Callable[[], sqlite3.Connection], clock: Clock) -> None:
        self.trouble = ""
        self.wants_wal_reset = False
        self._connect = connect
        self._clock = clock
        self._conn: sqlite3.Connection | None = connect()
        self._corruption: BaseException | None = None

    def __call__(self, batch: Sequence[Unit]) -> Settled:
        """Run the units in order. Never raises for what a unit or the disk did; the outcome of each unit tells."""
        settled = Settled()
        try:
            if not self._transact(self._usable(), batch, settled, is_careful=False):
                self._transact(self._usable(), batch, settled, is_careful=True)
            self.trouble = ""
        except _Lost as lost:
            self._recover(lost.cause)
            # A full disk may have room for the small ones, and one unit's broken promise is not the others' fault. Any
            # other failure of the disk would only repeat, once per unit.
            if len(batch) > 1 and (not is_disk_failure(lost.cause) or _is_full(lost.cause)):
                for unit in batch:
                    self._alone(unit, settled)
            else:
                settled.answers += [(unit.done, _verdict(lost.cause)) for unit in batch]
        return settled

    def close(self) -> None:
        if self._conn is not None:
            self._conn.close()
            self._conn = None

    def _usable(self) -> sqlite3.Connection:
        if self._corruption is not None:
            raise _Lost(self._corruption)
        try:
            if self._conn is None:
                self._conn = self._connect()
            if self.wants_wal_reset:
                self.wants_wal_reset = False
                _reset_wal(self._conn)
        except sqlite3.Error as error:
            raise _Lost(error) from error
        return self._conn

    def _transact(self, conn: sqlite3.Connection, batch: Sequence[Unit], settled: Settled, *, is_careful: bool) -> bool:
        """
        One transaction around the batch; `settled` grows only if it commits.

        Nearly every unit that fails does so before it wrote anything, and then there is nothing to undo. So the first
        try has no savepoints, which cost as much as a statement each.

        Args:
            is_careful: every unit in a savepoint of its own.

        Returns:
            False when a unit failed that had written, and no savepoint stood before it: everything was rolled back,
            try again with care.

        Raises:
            _Lost: nothing of it happened.
        """
        announced: list[Announcement] = []
        calls: list[Callable[[], object]] = []
        answers: list[tuple[Done, outcome.Outcome[Any]]] = []
        try:
            conn.execute("BEGIN IMMEDIATE")
            for unit in batch:
                if is_careful:
                    conn.execute("SAVEPOINT unit")
                changes = conn.total_changes
                tx = SqliteTx(conn, self._clock.now_us(), unit.cause)
                result = outcome.capture(unit.call, tx, *unit.args, **unit.kwargs)
                # SQLite answers some failures (a full disk is one) by rolling back everything, units before this one
                # included. It says so only here; the unit may even have swallowed the error.
                if not conn.in_transaction:
                    raise _Lost(_failure_of(result))
                if isinstance(result, outcome.Error):
                    if is_disk_failure(result.error):
                        raise _Lost(result.error)
                    if is_careful:
                        conn.execute("ROLLBACK TO unit")
                    elif tx.has_run or conn.total_changes != changes:
                        conn.execute("ROLLBACK")
                        return False
                else:
                    announced += tx.announced
                    calls += tx.calls
                if is_careful:
                    conn.execute("RELEASE unit")
                answers.append((unit.done, result))
            numbered = outcome.capture(_number, conn, announced)
            if isinstance(numbered, outcome.Error):  # an event that cannot be written down: its unit is found alone
                raise _Lost(numbered.error)
            with waiting_for_disk():
                conn.execute("COMMIT")
        except sqlite3.Error as error:
            raise _Lost(error) from error
        settled.committed += numbered.unwrap()
        settled.calls += calls
        settled.answers += answers
        return True

    def _alone(self, unit: Unit, settled: Settled) -> None:
        try:
            self._transact(self._usable(), [unit], settled, is_careful=True)
            self.trouble = ""
        except _Lost as lost:
            self._recover(lost.cause)
            settled.answers.append((unit.done, _verdict(lost.cause)))

    def _recover(self, cause: BaseException) -> None:
        """Leave a connection without a transaction, or none; the next batch opens another."""
        if is_disk_failure(cause):
            self.trouble = describe(cause)
        if is_corruption(cause):
            # Writing on would spread the damage; what is in the file now is what a restore can start from.
            self._corruption = cause
            self.trouble = f"the database file is damaged, restore a backup: {describe(cause)}"
        conn, self._conn = self._conn, None
        if conn is None:
            return
        try:
            if conn.in_transaction:
                conn.execute("ROLLBACK")
        except sqlite3.Error as error:
            self.trouble = describe(error)
        if is_disk_failure(cause) or conn.in_transaction:
            # Another connection of this process stays open all the while, so SQLite keeps its index of the WAL: frames
            # of a COMMIT that failed lie behind the end that it knows, and do not come back to life.
            conn.close()
        else:
            self._conn = conn


def _number(conn: sqlite3.Connection, announced: Sequence[Announcement]) -> list[Committed]:
    """Give every announcement its number in each account's log and write the rows."""
    counts: dict[str, int] = {}
    for each in announced:
        if each.event.log_kind:
            for account in each.accounts:
                counts[account] = counts.get(account, 0) + 1
    # In key order, as every adapter does it, so that those with row locks cannot block each other.
    last: dict[str, tuple[int, int]] = {}
    if counts:
        ordered = msgspec.json.encode(dict(sorted(counts.items()))).decode()
        for key, number, head in conn.execute(_ADVANCE, {"counts": ordered}).fetchall():
            last[key] = (number, head - counts[key])
    committed: list[Committed] = []
    events: list[tuple[object, ...]] = []
    heard: list[tuple[int, int, int]] = []  # account, its number, which of `events`
    for each in announced:
        event = each.event
        kind = event.log_kind
        if not kind:
            unlogged = [(account, 0) for account in each.accounts]
            committed.append(Committed(event, each.device, each.at_us, unlogged, each.cause))
            continue
        seqs: list[tuple[str, int]] = []
        for account in each.accounts:
            place = last.get(account)
            if place is None:  # no such account, or a tombstone
                continue
            if not seqs:
                events.append((kind, event.log_conversation, event.log_subject, each.device, each.at_us))
            number, seq = place[0], place[1] + 1
            last[account] = (number, seq)
            seqs.append((account, seq))
            heard.append((number, seq, len(events)))
        committed.append(Committed(event, each.device, each.at_us, seqs, each.cause))
    if events:
        # SQLite numbers the rows of an INTEGER PRIMARY KEY one after the other; nobody else inserts meanwhile.
        before = _insert(conn, _EVENT, events) - len(events)
        _insert(conn, _LOG, [(number, seq, before + nth) for number, seq, nth in heard])
    return committed


def _insert(conn: sqlite3.Connection, into: tuple[str, tuple[str, ...]], rows: Sequence[tuple[object, ...]]) -> int:
    """Many rows with few statements; answers the number of the last one."""
    start, last = 0, 0
    while start < len(rows):
        size = min(1 << ((len(rows) - start).bit_length() - 1), _MOST_ROWS)
        values = list(chain.from_iterable(rows[start : start + size]))
        last = conn.execute(_insertion(*into, size), values).lastrowid or 0
        start += size
    return last


@lru_cache(maxsize=64)
def _insertion(table: str, columns: tuple[str, ...], rows: int) -> str:
    row = f"({', '.join('?' * len(columns))})"
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES {', '.join([row] * rows)}"  # noqa: S608 - the names above


def _reset_wal(conn: sqlite3.Connection) -> None:
    """
    Write the WAL from its beginning again if no reader is in it; otherwise the next request comes soon enough.

    The file keeps its size: fsync of a file that grows costs twice as much as of one that does not.
    """
    timeout_ms = conn.execute("PRAGMA busy_timeout").fetchone()[0]
    conn.execute("PRAGMA busy_timeout = 0")
    try:
        conn.execute("PRAGMA wal_checkpoint(RESTART)").fetchall()
    finally:
        conn.execute(f"PRAGMA busy_timeout = {timeout_ms}")


def _is_full(error: BaseException) -> bool:
    return isinstance(error, sqlite3.Error) and getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL


def _failure_of(result: outcome.Outcome[Any]) -> BaseException:
    if isinstance(result, outcome.Error):
        return result.error
    return sqlite3.OperationalError("the transaction ended inside a unit")


def _verdict(cause: BaseException) -> outcome.Error:
    """The disk's failures become one answer; a unit's own (a constraint checked at COMMIT) stay what they are."""
    return outcome.Error(refusal(cause) if is_disk_failure(cause) else cause)
