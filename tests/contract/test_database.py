"""What every `Database` promises, whatever is underneath. A new adapter adds itself to `ADAPTERS`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path
from typing import Any

import outcome
import pytest
import trio

from amtrio.errors import AmtrioError, NotFound
from amtrio.store import log
from amtrio.store.database import Database, ReadTx, Tx, Value
from amtrio.store.sqlite import open_sqlite
from amtrio.store.thread import Inline, Thread
from tests.store.ledger import (
    ALICE,
    BOTH,
    HELPER,
    Listener,
    Posted,
    StandingClock,
    Typing,
    bodies,
    logged,
    numbers,
    post,
    prepare,
)

Open = Callable[[Listener], AbstractAsyncContextManager[Database]]


def sqlite(path: Path, run: Any, listener: Listener) -> AbstractAsyncContextManager[Database]:
    return open_sqlite(path / "t.db", clock=StandingClock(), publish=listener.publish, run=run)


ADAPTERS = {"sqlite": partial(sqlite, run=Thread), "sqlite-inline": partial(sqlite, run=Inline)}


@pytest.fixture(params=ADAPTERS)
def open_database(request: pytest.FixtureRequest, tmp_path: Path) -> Open:
    adapter = ADAPTERS[request.param]
    return lambda listener: adapter(tmp_path, listener=listener)


@pytest.fixture
def listener() -> Listener:
    return Listener()


@pytest.fixture
async def database(open_database: Open, listener: Listener) -> AsyncIterator[Database]:
    async with open_database(listener) as database:
        await database.write(prepare)
        yield database


async def together(database: Database, *units: tuple[Any, ...]) -> list[outcome.Outcome[Any]]:
    """Submit all before the first can run, so that they may share a transaction; the outcomes in order."""
    answers: list[outcome.Outcome[Any]] = []
    everything = trio.Event()

    def done(answer: outcome.Outcome[Any]) -> None:
        answers.append(answer)
        if len(answers) == len(units):
            everything.set()

    for unit, *args in units:
        database.submit(unit, tuple(args), done)
    with trio.fail_after(10):
        await everything.wait()
    return answers


async def test_a_write_answers_what_its_unit_answers_and_is_read_afterwards(database: Database) -> None:
    """
    A read that starts after a write returned sees it.
    """
    assert await database.write(post, "hello") == 1
    assert await database.write(post, body="again") == 2
    assert await database.read(bodies) == ["hello", "again"]


@pytest.mark.parametrize("error", [NotFound("no such thing"), ValueError("a bug")])
async def test_a_unit_that_fails_leaves_nothing_and_takes_nobody_with_it(
    database: Database, listener: Listener, error: Exception
) -> None:
    """
    Its waiter hears the very exception; units before and after it in the same batch are stored and told.
    """

    def fail(tx: Tx) -> int:
        return post(tx, "never", fail=error)

    first, failed, last = await together(database, (post, "a"), (fail,), (post, "b"))
    assert (first.unwrap(), last.unwrap()) == (1, 2)
    assert isinstance(failed, outcome.Error)
    assert failed.error is error
    assert await database.read(bodies) == ["a", "b"]
    assert listener.numbers == [1, 2]
    assert await database.read(logged, ALICE) == [(1, "1"), (2, "2")]


async def test_a_failed_write_raises_to_its_own_waiter(database: Database) -> None:
    """
    `write` raises what the unit raised, and the next write works.
    """
    with pytest.raises(NotFound, match="gone"):
        await database.write(post, "never", fail=NotFound("gone"))
    assert await database.write(post, "next") == 1


async def test_each_account_has_its_own_numbers_without_gaps(database: Database, listener: Listener) -> None:
    """
    Numbers run 1, 2, 3 … per account, across batches, and are the same in the log and in what is published.
    """

    def tell(tx: Tx, number: int, accounts: list[str]) -> None:
        tx.announce(Posted(number), accounts)

    for round_ in range(3):
        await together(database, *[(tell, round_ * 10 + n, [ALICE] if n % 3 else [HELPER, ALICE]) for n in range(1, 8)])
    for account in BOTH:
        rows = await database.read(logged, account)
        assert [seq for seq, _ in rows] == list(range(1, len(rows) + 1))
        assert listener.seqs(account) == [seq for seq, _ in rows]
        pruned, newest = await database.read(log.head, account)
        assert (pruned, newest) == (0, len(rows))
    assert len(await database.read(logged, ALICE)) == 21
    assert len(await database.read(logged, HELPER)) == 6


async def test_units_run_in_the_order_of_submission(database: Database, listener: Listener) -> None:
    """
    Commands of one socket keep their order, in the data, in what is published and in the answers.
    """
    answers = await together(database, *[(post, f"{n}") for n in range(1200)])
    assert [answer.unwrap() for answer in answers] == list(range(1, 1201))
    assert await database.read(bodies) == [f"{n}" for n in range(1200)]
    assert listener.numbers == list(range(1, 1201))


async def test_published_then_called_then_done(open_database: Open) -> None:
    """
    Whoever hears `done` knows that its announcements are out and its `on_commit` calls were made, in commit order.
    """
    story: list[str] = []
    listener = Listener()

    def unit(tx: Tx, name: str) -> str:
        tx.announce(Typing(), [ALICE], device=name)
        tx.on_commit(lambda: story.append(f"called {name} after {len(listener.heard)}"))
        return name

    async with open_database(listener) as database:
        await database.write(prepare)
        everything = trio.Event()

        def done(answer: outcome.Outcome[str]) -> None:
            name = answer.unwrap()
            story.append(f"done {name}")
            if name == "b":
                everything.set()

        database.submit(unit, ("a",), done)
        database.submit(unit, ("b",), done)
        await everything.wait()
    assert [each.device for each in listener.heard] == ["a", "b"]
    for name in "ab":
        called = next(n for n, line in enumerate(story) if line.startswith(f"called {name}"))
        assert called < story.index(f"done {name}")
    assert [line.split()[1] for line in story if line.startswith("called")] == ["a", "b"]


async def test_a_failed_units_calls_are_never_made(database: Database) -> None:
    """
    `on_commit` and `announce` of a unit that raises afterwards are cut back with it.
    """
    calls: list[str] = []

    def unit(tx: Tx, *, fail: bool) -> None:
        tx.on_commit(lambda: calls.append("failed" if fail else "kept"))
        if fail:
            raise NotFound("no")

    with pytest.raises(NotFound):
        await database.write(unit, fail=True)
    await database.write(unit, fail=False)
    assert calls == ["kept"]


async def test_an_event_that_no_log_keeps_is_published_without_a_number(database: Database, listener: Listener) -> None:
    """
    An empty `log_kind` goes to live sockets only; the log does not move.
    """

    def unit(tx: Tx) -> None:
        tx.announce(Typing(), BOTH)

    await database.write(unit)
    (heard,) = listener.heard
    assert dict(heard.seqs) == {ALICE: 0, HELPER: 0}
    assert await database.read(log.head, ALICE) == (0, 0)


async def test_strangers_and_removed_accounts_are_skipped(database: Database, listener: Listener) -> None:
    """
    An announcement to somebody who is not there, or no longer, fails nobody.
    """
    await database.write(log.remove_account, HELPER)

    def unit(tx: Tx) -> None:
        tx.announce(Posted(1), [HELPER, ALICE, "u:nobody"])

    await database.write(unit)
    (heard,) = listener.heard
    assert list(heard.seqs) == [(ALICE, 1)]
    assert await database.read(logged, HELPER) == []


async def test_an_account_that_is_named_twice_hears_it_once(database: Database, listener: Listener) -> None:
    """
    A conversation with oneself is no reason for two log rows.
    """

    def unit(tx: Tx) -> None:
        tx.announce(Posted(1), [ALICE, ALICE])

    await database.write(unit)
    assert await database.read(logged, ALICE) == [(1, "1")]


async def test_the_log_keeps_who_and_when_but_no_text(database: Database, listener: Listener) -> None:
    """
    A row names the event, its device and the time of its unit.
    """

    def unit(tx: Tx) -> int:
        tx.announce(Posted(7, "posted", "c1"), [ALICE], device="phone")
        return tx.at_us

    at_us = await database.write(unit)
    (row,) = await database.read(log.read_after, ALICE, 0, 10)
    assert row == log.LogRow(1, "posted", "c1", "7", "phone", at_us)
    assert (listener.heard[0].device, listener.heard[0].at_us) == ("phone", at_us)


async def test_cancelling_does_not_undo_what_was_handed_over(database: Database) -> None:
    """
    A waiter that is cancelled still gets the outcome: nobody has to guess.
    """
    with trio.CancelScope() as scope:

        async def cancel() -> None:
            scope.cancel()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(cancel)
            number = await database.write(post, "kept")
    assert number == 1
    assert await database.read(bodies) == ["kept"]


async def test_a_write_that_was_cancelled_before_does_not_happen(database: Database) -> None:
    """
    Writing is a checkpoint: under a cancelled scope nothing is handed over.
    """
    with trio.CancelScope() as scope:
        scope.cancel()
        await database.write(post, "never")
    assert await database.read(bodies) == []


async def test_a_read_can_be_cancelled(database: Database) -> None:
    """
    A reader that gives up goes at once, and the next one is served.
    """
    with trio.CancelScope() as scope:
        scope.cancel()
        await database.read(bodies)
    assert scope.cancelled_caught
    assert await database.read(bodies) == []


async def test_reading_changes_nothing(database: Database) -> None:
    """
    A unit that writes is refused on a reader.
    """

    def unit(tx: ReadTx) -> None:
        tx.all("DELETE FROM account")

    with pytest.raises(Exception, match="read") as refused:
        await database.read(unit)
    assert not isinstance(refused.value, AmtrioError)
    assert database.health() == "ok"
    assert await database.read(log.head, ALICE) == (0, 0)


async def test_one_read_sees_one_moment(database: Database) -> None:
    """
    What is committed while a unit reads stays out of its sight, so a snapshot and its cursor agree.
    """
    await database.write(post, "before")

    def unit(tx: ReadTx) -> bool:
        return len(numbers(tx)) == len(log.read_after(tx, ALICE, 0, 10_000))

    async with trio.open_nursery() as nursery:
        for n in range(30):
            nursery.start_soon(database.write, post, f"{n}")
            nursery.start_soon(check, database, unit)


async def check(database: Database, unit: Callable[[ReadTx], bool]) -> None:
    assert await database.read(unit)


async def test_values_come_back_as_they_went_in(database: Database) -> None:
    """
    Text of any script, bytes, whole and broken numbers and NULL.
    """
    values: list[Value] = ["", "é 漢 🎉 \x00 ' \" :name", b"\x00\xff", 0, -1, 2**62, 0.5, None]

    def unit(tx: Tx) -> list[Any]:
        return [(tx.one("SELECT :value", value=value) or [...])[0] for value in values]

    assert await database.write(unit) == values


async def test_parameters_may_have_any_name(database: Database) -> None:
    """
    Our own parameter names are positional only and get in nobody's way.
    """

    def unit(tx: Tx, sql: str, tx_: str, self: str, unit: str) -> tuple[Any, ...] | None:
        return tx.one("SELECT :sql, :tx_, :self, :unit", sql=sql, tx_=tx_, self=self, unit=unit)

    assert await database.write(unit, sql="a", tx_="b", self="c", unit="d") == ("a", "b", "c", "d")


async def test_run_answers_how_many_rows_changed(database: Database) -> None:
    """
    Features tell "not there" from "done" by it.
    """
    await together(database, (post, "a"), (post, "b"))

    def unit(tx: Tx) -> tuple[int, int]:
        return tx.run("UPDATE ledger_entry SET body = 'c'"), tx.run("DELETE FROM ledger_entry WHERE number = 99")

    assert await database.write(unit) == (2, 0)


async def test_everything_is_there_after_a_restart_and_the_epoch_is_the_same(open_database: Open) -> None:
    """
    Leaving commits what was handed over; opening again goes on with the next number.
    """
    listener = Listener()
    answers: list[outcome.Outcome[int]] = []
    async with open_database(listener) as database:
        epoch = database.epoch
        await database.write(prepare)
        for n in range(5):
            database.submit(post, (f"{n}",), answers.append)
    assert [answer.unwrap() for answer in answers] == [1, 2, 3, 4, 5]
    async with open_database(listener) as database:
        assert database.epoch == epoch
        assert await database.read(bodies) == ["0", "1", "2", "3", "4"]
        assert await database.write(post, "5") == 6
        assert listener.seqs(ALICE) == [1, 2, 3, 4, 5, 6]


async def test_after_closing_a_unit_is_refused_and_its_owner_told(open_database: Open) -> None:
    """
    Nobody waits for ever on a store that is gone.
    """
    async with open_database(Listener()) as database:
        await database.write(prepare)
    with pytest.raises(AmtrioError, match="closed"):
        await database.write(post, "late")
    with pytest.raises(AmtrioError, match="closed"):
        await database.read(bodies)


async def test_a_healthy_database_says_ok(database: Database) -> None:
    """
    `/health` shows exactly this word.
    """
    assert database.health() == "ok"
