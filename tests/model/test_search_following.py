"""When the index moves: it holds up nobody for long, and says what it does not know."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest
import trio
from trio.testing import MockClock

import amtrio.features  # noqa: F401 - registers every capability
from amtrio.app import open_services
from amtrio.context import Services
from amtrio.model import search_following as following
from amtrio.model.search_index import place_of
from amtrio.store.sqlite import SqliteDatabase
from tests.harness import config_for


@pytest.fixture
async def services(tmp_path: Path) -> Any:
    async with open_services(config_for(tmp_path)) as (services, _):
        yield services


async def test_a_search_waits_a_second_at_most(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    """And then says that it does not know everything."""
    assert await following.catch_up(services)
    await services.store.write(_note)
    monkeypatch.setattr(following, "CATCH_UP_SECONDS", 0.01)
    async with trio.open_nursery() as nursery:
        await nursery.start(_hold, services.own(following.Turn).lock)
        assert not await following.catch_up(services)
        nursery.cancel_scope.cancel()
    monkeypatch.undo()
    assert await following.catch_up(services)
    await services.store.write(lambda tx: tx.run("UPDATE search_place SET backfill_id = '~'"))
    assert not await following.catch_up(services)
    await following.follow(services)
    assert await following.catch_up(services)


async def test_a_disk_that_refuses_does_not_end_searches(services: Services) -> None:
    """They find what was there before, and say that it is not all."""
    await services.store.write(_note)
    store = cast("SqliteDatabase", services.store)
    assert store._commit._conn is not None
    store._commit._conn.execute("PRAGMA query_only = ON")  # until the store opens another connection
    assert not await following.catch_up(services)
    assert await following.catch_up(services)


async def test_following_stops_when_it_is_cancelled(services: Services) -> None:
    """Between two steps, however many there are to do."""
    for _ in range(3):
        await services.store.write(_note)
    with trio.move_on_after(0) as scope:
        await following.follow(services)
    assert scope.cancelled_caught
    await following.follow(services)
    assert (await services.store.read(place_of)).event == 3


async def _hold(lock: trio.Lock, *, task_status: trio.TaskStatus[None]) -> None:
    async with lock:
        task_status.started()
        await trio.sleep_forever()


def _note(tx: Any) -> None:
    tx.run("INSERT INTO event (kind, at_us) VALUES ('receipt', 1)")


async def test_the_index_stands_back_while_much_is_said(mock_clock: MockClock) -> None:
    """Half of the writer's time when it is quiet, a fiftieth when everybody waits for it."""
    turn = following.Turn()
    mock_clock.jump(1)
    assert turn.pause_seconds(100, trio.current_time() - 0.01) == pytest.approx(0.01)
    mock_clock.jump(1)
    assert turn.pause_seconds(1100, trio.current_time() - 0.01) == pytest.approx(0.5)
    mock_clock.jump(10)
    assert turn.pause_seconds(1300, trio.current_time() - 0.01) == pytest.approx(0.01)
