"""The account log: reading on from a cursor, cursors that only move forward, pruning that leaves no silent hole."""

from __future__ import annotations

import pytest

from amtrio.errors import NotFound
from amtrio.store import log
from amtrio.store.connection import SqliteTx
from tests.store.ledger import ALICE, HELPER

DAY_US = 86_400 * 1_000_000
NEVER = 2**62


def fill(tx: SqliteTx, account: str, rows: int, *, at_us: int | None = None) -> None:
    """Append rows, one second apart."""
    newest = log.head(tx, account).head
    for seq in range(newest + 1, newest + rows + 1):
        (event,) = tx.one(
            "INSERT INTO event (kind, at_us) VALUES ('posted', :at_us) RETURNING number",
            at_us=(tx.at_us if at_us is None else at_us) + seq * 1_000_000,
        ) or (0,)
        tx.run(
            "INSERT INTO account_log (account, seq, event)"
            " SELECT number, :seq, :event FROM account WHERE key = :account",
            account=account,
            seq=seq,
            event=event,
        )
    tx.run("UPDATE account SET head = head + :rows WHERE key = :account", rows=rows, account=account)


def kept(tx: SqliteTx, account: str) -> list[int]:
    return [row.seq for row in log.read_after(tx, account, 0, 10_000)]


def confirm(tx: SqliteTx, account: str, device: str, seq: int, *, at_us: int | None = None) -> None:
    tx.at_us = tx.at_us if at_us is None else at_us
    log.put_cursors(tx, [log.Cursor(account, device, seq)])


def test_a_key_is_given_out_once(tx: SqliteTx) -> None:
    """An account that exists is not made again, nor one that was removed: tombstones stay."""
    assert log.make_account(tx, "u:bob")
    assert not log.make_account(tx, "u:bob")
    assert log.remove_account(tx, "u:bob")
    assert not log.remove_account(tx, "u:bob")
    assert not log.make_account(tx, "u:bob")


def test_a_removed_account_has_no_log_and_no_cursors(tx: SqliteTx) -> None:
    """It cannot be told from one that never was."""
    confirm(tx, ALICE, "phone", 3)
    log.remove_account(tx, ALICE)
    with pytest.raises(NotFound, match="no account 'u:alice'"):
        log.head(tx, ALICE)
    confirm(tx, ALICE, "phone", 4)  # a session that is just being closed
    assert log.get_cursor(tx, ALICE, "phone") is None


def test_reading_on_from_a_number(tx: SqliteTx) -> None:
    """The next rows after a number, oldest first, as many as asked for, of this account only."""
    fill(tx, ALICE, 10)
    fill(tx, HELPER, 3)
    assert [row.seq for row in log.read_after(tx, ALICE, 4, 3)] == [5, 6, 7]
    assert log.read_after(tx, ALICE, 10, 3) == []
    assert log.head(tx, ALICE) == (0, 10)


def test_a_cursor_only_moves_forward_unless_asked(tx: SqliteTx) -> None:
    """A late confirmation cannot undo a newer one; a session that starts over may."""
    confirm(tx, ALICE, "phone", 5)
    confirm(tx, ALICE, "phone", 3)
    assert log.get_cursor(tx, ALICE, "phone") == 5
    log.put_cursors(tx, [log.Cursor(ALICE, "phone", 3)], backwards=True)
    assert log.get_cursor(tx, ALICE, "phone") == 3


def test_many_cursors_in_one_unit(tx: SqliteTx) -> None:
    """Each device of each account has its own."""
    log.put_cursors(tx, [log.Cursor(ALICE, "phone", 1), log.Cursor(ALICE, "desk", 2), log.Cursor(HELPER, "phone", 3)])
    assert [log.get_cursor(tx, ALICE, "phone"), log.get_cursor(tx, ALICE, "desk")] == [1, 2]
    assert log.get_cursor(tx, HELPER, "phone") == 3
    log.forget_cursor(tx, ALICE, "phone")
    assert log.get_cursor(tx, ALICE, "phone") is None
    assert log.get_cursor(tx, ALICE, "desk") == 2


def test_a_cursor_remembers_when_its_device_was_made_and_last_seen(tx: SqliteTx) -> None:
    """`made_us` stays, `seen_us` follows, also when the position does not move."""
    confirm(tx, ALICE, "phone", 5, at_us=100)
    confirm(tx, ALICE, "phone", 5, at_us=200)
    assert tx.all("SELECT made_us, seen_us FROM cursor") == [(100, 200)]


def test_pruning_by_age(tx: SqliteTx) -> None:
    """What is older than the limit goes, and the account says from where it is kept."""
    fill(tx, ALICE, 10)
    pruned = log.prune(tx, before_us=tx.at_us + 5_000_000, max_rows=1000, keep_cursor_us=NEVER)
    assert (pruned.rows, pruned.next_account) == (4, None)
    assert kept(tx, ALICE) == [5, 6, 7, 8, 9, 10]
    assert log.head(tx, ALICE) == (4, 10)


def test_pruning_by_count(tx: SqliteTx) -> None:
    """What is more than the limit goes, however young."""
    fill(tx, ALICE, 10)
    assert log.prune(tx, before_us=0, max_rows=3, keep_cursor_us=NEVER).rows == 7
    assert kept(tx, ALICE) == [8, 9, 10]


def test_a_clock_that_jumped_tears_no_hole(tx: SqliteTx) -> None:
    """Rows are pruned from the oldest number on; old times behind a younger row wait for it."""
    fill(tx, ALICE, 3)
    fill(tx, ALICE, 3, at_us=tx.at_us - 3650 * DAY_US)
    log.prune(tx, before_us=tx.at_us - DAY_US, max_rows=1000, keep_cursor_us=NEVER)
    assert kept(tx, ALICE) == [1, 2, 3, 4, 5, 6]


def test_pruning_never_passes_what_an_agent_has_not_confirmed(tx: SqliteTx) -> None:
    """An agent that was away for years still gets everything."""
    fill(tx, HELPER, 10)
    confirm(tx, HELPER, "h1", 2, at_us=tx.at_us)
    log.prune(tx, before_us=NEVER, max_rows=1, keep_cursor_us=tx.at_us + 3650 * DAY_US)
    assert kept(tx, HELPER) == [3, 4, 5, 6, 7, 8, 9, 10]


def test_pruning_never_passes_a_device_seen_lately(tx: SqliteTx) -> None:
    """The slowest of the devices seen since the limit counts; those before it will be told to fetch everything."""
    now_us = tx.at_us
    fill(tx, ALICE, 10)
    confirm(tx, ALICE, "drawer", 1, at_us=now_us - 91 * DAY_US)
    confirm(tx, ALICE, "phone", 4, at_us=now_us - 89 * DAY_US)
    confirm(tx, ALICE, "desk", 10, at_us=now_us)
    log.prune(tx, before_us=NEVER, max_rows=1, keep_cursor_us=now_us - 90 * DAY_US)
    assert kept(tx, ALICE) == [5, 6, 7, 8, 9, 10]


def test_pruning_comes_in_slices(tx: SqliteTx) -> None:
    """No unit deletes more than its limit; going on from `next_account` comes to the same end."""
    log.make_account(tx, "u:bob")
    for account in (ALICE, HELPER, "u:bob"):
        fill(tx, account, 25)
    slices = [log.prune(tx, before_us=0, max_rows=5, keep_cursor_us=NEVER, limit=10)]
    while (following := slices[-1].next_account) is not None:
        slices.append(log.prune(tx, before_us=0, max_rows=5, keep_cursor_us=NEVER, limit=10, after_account=following))
        assert len(slices) < 20
    assert sum(each.rows for each in slices) == 60
    assert all(each.rows <= 10 for each in slices)
    for account in (ALICE, HELPER, "u:bob"):
        assert kept(tx, account) == [21, 22, 23, 24, 25]
        assert log.head(tx, account) == (20, 25)
