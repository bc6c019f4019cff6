"""A feature as small as can be, for tests of the store: a ledger that numbers what is posted and tells two accounts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from amtrio.clock import SystemClock
from amtrio.store import log
from amtrio.store.database import Committed, ReadTx, Tx

ALICE = "u:alice"
HELPER = "a:helper"
BOTH = (ALICE, HELPER)


class StandingClock(SystemClock):
    """Wall-clock time as the test says; ids and secrets as always."""

    def __init__(self, at_us: int = 1_800_000_000_000_000) -> None:
        self.at_us = at_us

    def now_us(self) -> int:
        return self.at_us


@dataclass(frozen=True)
class Posted:
    """An event that names one entry."""

    number: int
    log_kind: str = "posted"
    log_conversation: str | None = None

    @property
    def log_subject(self) -> str:
        return str(self.number)


@dataclass(frozen=True)
class Typing:
    """An event that no log keeps."""

    log_kind: str = ""
    log_conversation: str | None = None
    log_subject: str | None = None


@dataclass
class Listener:
    """Hears what is published."""

    heard: list[Committed] = field(default_factory=list)

    def publish(self, committed: Sequence[Committed]) -> None:
        self.heard += committed

    @property
    def numbers(self) -> list[int]:
        return [each.event.number for each in self.heard if isinstance(each.event, Posted)]

    def seqs(self, account: str) -> list[int]:
        return [seq for each in self.heard for key, seq in each.seqs if key == account and seq]


def prepare(tx: Tx) -> None:
    """Unit: make the tables and the accounts."""
    tx.run("CREATE TABLE IF NOT EXISTS ledger_entry (number INTEGER PRIMARY KEY, body TEXT NOT NULL)")
    tx.run(
        "CREATE TABLE IF NOT EXISTS ledger_child"
        " (id INTEGER PRIMARY KEY, entry INTEGER REFERENCES ledger_entry (number))"
    )
    for account in BOTH:
        log.make_account(tx, account)


def post(tx: Tx, body: str = "text", *, fail: BaseException | None = None, device: str | None = None) -> int:
    """Unit: append an entry and announce it; with `fail`, break off after everything was done."""
    row = tx.one(
        "INSERT INTO ledger_entry (number, body) SELECT coalesce(max(number), 0) + 1, :body FROM ledger_entry"
        " RETURNING number",
        body=body,
    )
    assert row is not None
    tx.announce(Posted(row[0]), BOTH, device=device)
    if fail is not None:
        raise fail
    return int(row[0])


def bodies(tx: ReadTx) -> list[str]:
    """Unit: what was posted, in order."""
    return [row[0] for row in tx.all("SELECT body FROM ledger_entry ORDER BY number")]


def numbers(tx: ReadTx) -> list[int]:
    """Unit: the numbers given out."""
    return [row[0] for row in tx.all("SELECT number FROM ledger_entry ORDER BY number")]


def logged(tx: ReadTx, account: str) -> list[tuple[int, Any]]:
    """Unit: (seq, number of the entry) of every row in the account's log."""
    return [(row.seq, row.subject_id) for row in log.read_after(tx, account, 0, 100_000)]
