"""What the server gives a handler."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

import amtrio.features  # noqa: F401 - registers every capability
from amtrio.app import open_services
from amtrio.context import Context, Services, Wakeups, account_key, id_of, kind_of
from amtrio.store.log import make_account, remove_account
from tests.harness import config_for


def test_people_and_agents_live_in_separate_name_spaces() -> None:
    """The same id is two accounts, and comes back as it was."""
    assert account_key("user", "x") != account_key("agent", "x")
    for kind in ("user", "agent"):
        key = account_key(kind, "a:b")
        assert (kind_of(key), id_of(key)) == (kind, "a:b")


async def test_a_chore_wakes_early_or_at_its_time(autojump_clock: MockClock) -> None:
    """Being woken before it waits counts as well, once."""
    wakeups = Wakeups()
    wakeups.wake("a")
    began = trio.current_time()
    await wakeups.wait("a", at_most_seconds=60)
    assert trio.current_time() == began
    await wakeups.wait("a", at_most_seconds=60)
    assert trio.current_time() == pytest.approx(began + 60)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lambda: wakeups.wait("a", at_most_seconds=1000))
        await trio.sleep(5)
        wakeups.wake("a")
    assert trio.current_time() == pytest.approx(began + 65)


@pytest.fixture
async def services(tmp_path: Path) -> AsyncIterator[Services]:
    async with open_services(config_for(tmp_path)) as (services, _):
        yield services


async def test_a_features_memory_belongs_to_one_server(services: Services, tmp_path: Path) -> None:
    class Memory:
        def __init__(self) -> None:
            self.kept: list[int] = []

    services.own(Memory).kept.append(1)
    assert services.own(Memory).kept == [1]
    (tmp_path / "other").mkdir()
    async with open_services(config_for(tmp_path / "other")) as (other, _):
        assert other.own(Memory).kept == []


async def test_a_removed_account_leaves_a_tombstone(services: Services) -> None:
    """Nobody is given its id again."""
    store = services.store
    assert await store.write(make_account, "u:1")
    await store.write(services.remove_account, "u:1")
    assert not await store.write(make_account, "u:1")
    assert not await store.write(remove_account, "u:1")


async def test_nobody_is_who_anyone_routes_see(services: Services) -> None:
    """An empty account, so that a forgotten check finds nothing."""
    ctx = Context(services)
    assert ctx.principal.account == ""
    assert ctx.is_current()
    assert (ctx.store, ctx.clock, ctx.fanout, ctx.config) == (
        services.store, services.clock, services.fanout, services.config,
    )  # fmt: skip
