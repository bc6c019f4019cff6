"""What a server does every so often: each chore outlives its failures, and nobody else notices."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from amtrio.chores import SETTLE_SECONDS, Clocks, open_chores
from amtrio.context import Services, Wakeups
from amtrio.errors import StorageUnavailable
from amtrio.feature import Registry
from tests.conftest import Journal
from tests.harness import MovableClock


def services(table: Registry) -> Any:
    """As much of a server as chores look at."""
    return SimpleNamespace(registry=table, wakeups=Wakeups())


async def test_chores_run_again_and_again(autojump_clock: MockClock) -> None:
    """At about their time, or when they are woken; and end with the block."""
    table, ran = Registry(), []

    @table.chore(every_seconds=10)
    async def sweep(_: Services) -> None:
        ran.append(trio.current_time())

    server = services(table)
    async with open_chores(server, {}):
        await trio.sleep(100)
        assert 8 <= len(ran) <= 12
        server.wakeups.wake("sweep")
        await trio.sleep(0.1)
        assert ran[-1] > 99.9
    count = len(ran)
    await trio.sleep(100)
    assert len(ran) == count


@pytest.mark.expects_error_log("chore_failed")
async def test_a_chore_that_fails_is_tried_again_with_back_off(autojump_clock: MockClock, journal: Journal) -> None:
    """Its sisters go on as ever; it recovers as if nothing had been."""
    table, ran, tried = Registry(), [], []

    @table.chore(every_seconds=1)
    async def broken(_: Services) -> None:
        tried.append(trio.current_time())
        if len(tried) <= 12:
            raise RuntimeError("a bug")

    @table.chore(every_seconds=10)
    async def sweep(_: Services) -> None:
        ran.append(1)

    async with open_chores(services(table), {}):
        await trio.sleep(1000)
    failures = [entry for entry in journal.entries if entry["event"] == "chore_failed"]
    assert [entry["chore"] for entry in failures] == ["broken"] * 12
    waits = [entry["again_in_s"] for entry in failures]
    assert waits[:4] == [1, 2, 4, 8]
    assert max(waits) == 60
    assert len(tried) > 100
    assert 80 <= len(ran) <= 125


async def test_a_disk_that_refuses_is_a_warning(autojump_clock: MockClock, journal: Journal) -> None:
    """The store reports it; the chore only waits for better times."""
    table = Registry()

    @table.chore(every_seconds=1)
    async def writes(_: Services) -> None:
        raise StorageUnavailable("full")

    async with open_chores(services(table), {}):
        await trio.sleep(10)
    assert {(entry["event"], entry["level"]) for entry in journal.entries} == {("chore_refused", "warning")}


@pytest.mark.expects_error_log("chore_failed")
async def test_a_task_that_should_never_end_is_started_again(autojump_clock: MockClock) -> None:
    starts: list[float] = []

    async def wheel() -> None:
        starts.append(trio.current_time())
        if len(starts) < 3:
            raise RuntimeError("a bug")
        await trio.sleep_forever()

    async with open_chores(services(Registry()), {"wheel": wheel}):
        await trio.sleep(60)
    assert len(starts) == 3


async def test_ages_are_believed_ten_minutes_after_a_start_or_a_jump(autojump_clock: MockClock) -> None:
    """By the monotonic clock, whatever the wall clock says."""
    start = trio.current_time()

    class Wall(MovableClock):
        def now_us(self) -> int:
            return int((trio.current_time() - start) * 1e6) + self.moved_us

    wall, clocks = Wall(), Clocks()
    assert not clocks.are_steady(wall)
    await trio.sleep(SETTLE_SECONDS)
    assert clocks.are_steady(wall)
    wall.move(days=1)
    assert not clocks.are_steady(wall)
    await trio.sleep(SETTLE_SECONDS - 1)
    assert not clocks.are_steady(wall)
    await trio.sleep(1)
    assert clocks.are_steady(wall)
