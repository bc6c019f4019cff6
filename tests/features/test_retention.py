"""What the account log forgets, and when it must not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

import amtrio.features  # noqa: F401 - registers every capability
from amtrio.app import open_services
from amtrio.chores import SETTLE_SECONDS
from amtrio.context import Services
from amtrio.features.retention import prune_logs
from amtrio.model.search_following import follow
from amtrio.store.log import Cursor, head, put_cursors
from tests.conftest import Journal
from tests.harness import MovableClock, config_for
from tests.store.ledger import ALICE, post, prepare


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
async def services(tmp_path: Path, clock: MovableClock) -> AsyncIterator[Services]:
    async with open_services(config_for(tmp_path, storage={"log_max_age_days": 30}), clock=clock) as (services, _):
        await services.store.write(prepare)
        yield services


async def kept(services: Services) -> int:
    state = await services.store.read(head, ALICE)
    return state.head - state.pruned


async def settle(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the server had run for longer than it waits after a start."""
    await follow(services)
    monkeypatch.setattr("amtrio.chores.SETTLE_SECONDS", 0.0)
    await prune_logs(services)


async def test_what_is_older_than_the_setting_goes(
    services: Services, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what is younger stays."""
    for _ in range(3):
        await services.store.write(post)
    clock.move(days=31)
    await services.store.write(post)
    await settle(services, monkeypatch)
    assert await kept(services) == 1


async def test_what_a_device_still_needs_stays(
    services: Services, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A device seen in the last 90 days holds back the log; one seen before that does not."""
    for _ in range(3):
        await services.store.write(post)
    await services.store.write(put_cursors, [Cursor(ALICE, "phone", 1)])
    clock.move(days=80)
    await settle(services, monkeypatch)
    assert await kept(services) == 2
    clock.move(days=11)
    await settle(services, monkeypatch)
    await settle(services, monkeypatch)
    assert await kept(services) == 1, "the newest event of all, where the search index stands"


async def test_what_the_search_index_has_still_to_read_stays(
    services: Services, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However old it is: its messages would never be found."""
    monkeypatch.setattr("amtrio.chores.SETTLE_SECONDS", 0.0)
    for _ in range(3):
        await services.store.write(post)
    await follow(services)
    for _ in range(2):
        await services.store.write(post)
    clock.move(days=400)
    await prune_logs(services)
    assert await kept(services) == 3
    await follow(services)
    await prune_logs(services)
    assert await kept(services) == 1


async def test_nothing_is_deleted_soon_after_a_start(services: Services, clock: MovableClock) -> None:
    """When ages may still be wrong: ten minutes must have passed by the monotonic clock."""
    assert SETTLE_SECONDS == 600
    await services.store.write(post)
    clock.move(days=400)
    await prune_logs(services)
    assert await kept(services) == 1


@pytest.mark.parametrize("days", [3650, -1])
async def test_nothing_is_deleted_soon_after_the_clock_jumped(
    services: Services, clock: MovableClock, monkeypatch: pytest.MonkeyPatch, days: float, journal: Journal
) -> None:
    """A clock that jumps ten years ahead would make everything old at once."""
    await services.store.write(post)
    await settle(services, monkeypatch)
    monkeypatch.setattr("amtrio.chores.SETTLE_SECONDS", 600.0)
    clock.move(days=days)
    await prune_logs(services)
    await prune_logs(services)
    assert await kept(services) == 1
    assert [entry["by_s"] for entry in journal.entries if entry["event"] == "clock_jumped"] == [days * 86_400]
