"""The account log: which events an account has still to hear, and how far each of its devices has come.

Plain functions on a transaction. Knows nothing of SQLite, frames or sockets; appending is `tx.announce`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from amtrio.errors import NotFound
from amtrio.store.database import ReadTx, Tx

AGENT_PREFIX = "a:"


class Head(NamedTuple):
    """The kept part of a log: numbers `pruned + 1` to `head`."""

    pruned: int
    head: int


@dataclass(frozen=True, slots=True)
class LogRow:
    """One event of one account. It names what changed; what it looks like today is read from the feature's tables."""

    seq: int
    kind: str
    conversation_id: str | None
    subject_id: str | None
    device: str | None
    at_us: int


@dataclass(frozen=True, slots=True)
class Cursor:
    """Everything up to `seq` has arrived at this device of this account."""

    account: str
    device: str
    seq: int


class Pruned(NamedTuple):
    """What one slice of pruning did: rows deleted, and where the next slice starts (None: all accounts seen)."""

    rows: int
    next_account: str | None


def make_account(tx: Tx, key: str) -> bool:
    """
    Give `key` (`u:…` or `a:…`) a log that starts at 0.

    Returns:
        False when the key is taken, also by a removed account.
    """
    return (
        tx.run(
            "INSERT INTO account (number, key, created_us)"
            " VALUES ((SELECT coalesce(max(number), 0) + 1 FROM account), :key, :at_us) ON CONFLICT (key) DO NOTHING",
            key=key,
            at_us=tx.at_us,
        )
        == 1
    )


def remove_account(tx: Tx, key: str) -> bool:
    """Leave a tombstone and forget the cursors; announcements skip the account from now on."""
    tx.run("DELETE FROM cursor WHERE account_key = :key", key=key)
    return (
        tx.run(
            "UPDATE account SET removed_us = :at_us WHERE key = :key AND removed_us IS NULL", key=key, at_us=tx.at_us
        )
        == 1
    )


def head(tx: ReadTx, account: str) -> Head:
    """
    How far the log of `account` reaches and from where it is kept.

    Raises:
        NotFound: no such account, or it was removed.
    """
    row = tx.one("SELECT pruned, head FROM account WHERE key = :key AND removed_us IS NULL", key=account)
    if row is None:
        raise NotFound(f"no account '{account}'")
    return Head(*row)


def read_after(tx: ReadTx, account: str, after: int, limit: int) -> list[LogRow]:
    """The next `limit` events after number `after`, oldest first. The caller has compared `after` with `head`."""
    rows = tx.all(
        "SELECT l.seq, e.kind, e.conversation_id, e.subject_id, e.device, e.at_us"
        " FROM account a JOIN account_log l ON l.account = a.number JOIN event e ON e.number = l.event"
        " WHERE a.key = :account AND l.seq > :after ORDER BY l.seq LIMIT :limit",
        account=account,
        after=after,
        limit=limit,
    )
    return [LogRow(*row) for row in rows]


def get_cursor(tx: ReadTx, account: str, device: str) -> int | None:
    """The stored position of a device, None when it was never stored or is forgotten."""
    row = tx.one(
        "SELECT seq FROM cursor WHERE account_key = :account AND device_key = :device", account=account, device=device
    )
    return None if row is None else int(row[0])


def put_cursors(tx: Tx, cursors: Iterable[Cursor], *, backwards: bool = False) -> None:
    """
    Store positions and that these devices were seen now. Rows that do not exist are made.

    Args:
        backwards: let a position move back; without it a late writer cannot undo a newer confirmation.
    """
    # A cursor of a removed account is dropped: sessions that are just being closed may still report one.
    for each in cursors:
        tx.run(
            "INSERT INTO cursor (account_key, device_key, seq, made_us, seen_us)"
            " SELECT key, :device, :seq, :at_us, :at_us FROM account WHERE key = :account AND removed_us IS NULL"
            " ON CONFLICT (account_key, device_key) DO UPDATE SET seen_us = excluded.seen_us, seq ="
            " CASE WHEN :backwards = 1 OR excluded.seq > cursor.seq THEN excluded.seq ELSE cursor.seq END",
            account=each.account,
            device=each.device,
            seq=each.seq,
            at_us=tx.at_us,
            backwards=int(backwards),
        )


def forget_cursor(tx: Tx, account: str, device: str) -> None:
    """A device that was logged out holds back no pruning."""
    tx.run("DELETE FROM cursor WHERE account_key = :account AND device_key = :device", account=account, device=device)


def prune(
    tx: Tx,
    *,
    before_us: int,
    max_rows: int,
    keep_cursor_us: int,
    keep_event: int | None = None,
    limit: int = 1000,
    after_account: str = "",
) -> Pruned:
    """
    Delete one slice of what is too old or too much, oldest first, account by account.

    Args:
        before_us: events older than this go. A log is cut only before its first younger event, so a wall clock that
            jumped cannot tear a hole.
        max_rows: an account keeps at most so many events.
        keep_cursor_us: events that a device seen since then has not confirmed stay, whatever their age and number.
            What an agent has not confirmed always stays.
        keep_event: this event and all after it stay: somebody who reads the events themselves has come so far. As long
            as it is there, no later event gets its number or a smaller one.
        limit: rows deleted and accounts looked at by this call, each at most so many.
        after_account: `next_account` of the slice before.
    """
    accounts = tx.all(
        "SELECT key, number, head, pruned FROM account WHERE key > :after AND head > pruned ORDER BY key LIMIT :limit",
        after=after_account,
        limit=limit,
    )
    rows = 0
    for key, number, newest, pruned in accounts:
        floor = _floor(tx, key, number, newest, before_us=before_us, max_rows=max_rows, keep_cursor_us=keep_cursor_us)
        if keep_event is not None:
            floor = min(floor, _last_before(tx, number, keep_event))
        upto = min(floor, pruned + limit - rows)
        if upto > pruned:
            gone = tx.all(
                "DELETE FROM account_log WHERE account = :account AND seq > :pruned AND seq <= :upto RETURNING event",
                account=number,
                pruned=pruned,
                upto=upto,
            )
            rows += len(gone)
            _forget_events(tx, [event for (event,) in gone])
            tx.run("UPDATE account SET pruned = :upto WHERE key = :key", key=key, upto=upto)
        if upto < floor:
            return Pruned(rows, after_account)
        after_account = key
    return Pruned(rows, after_account if len(accounts) == limit else None)


def _forget_events(tx: Tx, events: list[int]) -> None:
    """Those that no other account has still to hear."""
    for event in events:
        tx.run(
            "DELETE FROM event WHERE number = :event"
            " AND NOT EXISTS (SELECT 1 FROM account_log WHERE account_log.event = :event)",
            event=event,
        )


def _last_before(tx: ReadTx, account: int, event: int) -> int:
    """The newest number of an account that is older than `event`; looks at the newer ones, few as a rule."""
    row = tx.one(
        "SELECT seq FROM account_log WHERE account = :account AND event < :event ORDER BY seq DESC LIMIT 1",
        account=account,
        event=event,
    )
    return 0 if row is None else int(row[0])


def _floor(
    tx: ReadTx, key: str, number: int, newest: int, *, before_us: int, max_rows: int, keep_cursor_us: int
) -> int:
    """The highest number that may go."""
    young = tx.one(
        "SELECT l.seq FROM account_log l JOIN event e ON e.number = l.event"
        " WHERE l.account = :account AND e.at_us >= :before_us ORDER BY l.seq LIMIT 1",
        account=number,
        before_us=before_us,
    )
    too_old = newest if young is None else young[0] - 1
    oldest_reader = tx.one(
        "SELECT min(seq) FROM cursor WHERE account_key = :key AND (seen_us >= :keep_cursor_us OR :is_agent = 1)",
        key=key,
        keep_cursor_us=keep_cursor_us,
        is_agent=int(key.startswith(AGENT_PREFIX)),
    )
    floor = max(too_old, newest - max_rows)
    if oldest_reader is not None and oldest_reader[0] is not None:
        floor = min(floor, oldest_reader[0])
    return int(floor)
