"""A chore outlives its failures, and nobody else notices."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest
import trio
import trio.testing
from trio.testing import MockClock

from amtrio.app import open_services
from amtrio.chores import FIRST_BACK_OFF_SECONDS, MAX_BACK_OFF_SECONDS, Task, open_chores
from amtrio.errors import StorageUnavailable
from amtrio.feature import ChoreSpec, Registry, Services
from tests.conftest import Journal
from tests.harness import config_for


class Diary:
    """A chore that notes when it ran, and fails as long as it is told to."""

    def __init__(self, failure: type[Exception] | None = None) -> None:
        self.failure = failure
        self.times: list[float] = []

    async def run(self, _services: object = None) -> None:
        self.times.append(trio.current_time())
        if self.failure is not None:
            raise self.failure("made up")


@asynccontextmanager
async def chores(
    directory: Path, diary: Diary, every_seconds: float = 60.0, tasks: dict[str, Task] | None = None
) -> AsyncIterator[Services]:
    """Services whose only chore is this one; time moves from here on."""
    table = Registry()
    table.chores.append(ChoreSpec("diary", diary.run, every_seconds))
    async with (
        open_services(config_for(directory), table=table) as (services, _),
        open_chores(services, tasks or {}),
    ):
        yield services


async def test_a_chore_runs_every_so_often(tmp_path: Path, autojump_clock: MockClock) -> None:
    """Near its period, jittered so that chores do not run together; not at once."""
    diary = Diary()
    async with chores(tmp_path, diary, every_seconds=60):
        await trio.testing.wait_all_tasks_blocked()
        assert diary.times == []
        await trio.sleep(600)
    gaps = [later - earlier for earlier, later in zip(diary.times, diary.times[1:], strict=False)]
    assert 5 <= len(diary.times) <= 20
    assert all(20 <= gap <= 100 for gap in gaps)


async def test_a_chore_can_be_woken(tmp_path: Path, mock_clock: MockClock) -> None:
    """It runs at once, and once more for a wish that came while it ran."""
    diary = Diary()
    async with chores(tmp_path, diary, every_seconds=1e6) as services:
        await trio.testing.wait_all_tasks_blocked()
        services.wake("diary")
        services.wake("diary")
        await trio.testing.wait_all_tasks_blocked()
        assert len(diary.times) == 1
        services.wake("diary")
        await trio.testing.wait_all_tasks_blocked()
        assert len(diary.times) == 2
        services.wake("nobody's chore")


async def test_a_wish_during_the_run_is_kept(tmp_path: Path, mock_clock: MockClock) -> None:
    """The chore may have looked already at what has just changed."""
    runs = 0
    table = Registry()

    async def chore(services: Services) -> None:
        nonlocal runs
        runs += 1
        if runs == 1:
            services.wake("chore")

    table.chores.append(ChoreSpec("chore", chore, 1e6))
    async with open_services(config_for(tmp_path), table=table) as (services, _), open_chores(services, {}):
        await trio.testing.wait_all_tasks_blocked()
        services.wake("chore")
        await trio.testing.wait_all_tasks_blocked()
        assert runs == 2


@pytest.mark.expects_error_log("chore_failed")
async def test_a_bug_is_logged_and_tried_again_with_back_off(
    tmp_path: Path, journal: Journal, autojump_clock: MockClock
) -> None:
    """Pauses double up to a minute; a success resets them. The others go on."""
    diary, steady = Diary(KeyError), Diary()

    async def tick() -> None:
        while True:
            await steady.run()
            await trio.sleep(1)

    async with chores(tmp_path, diary, every_seconds=0.001, tasks={"steady": tick}):
        await trio.sleep(400)
        told = [entry["again_in_s"] for entry in journal.entries if entry["event"] == "chore_failed"]
        assert told[:6] == [FIRST_BACK_OFF_SECONDS, 2, 4, 8, 16, 32]
        assert set(told[6:]) == {MAX_BACK_OFF_SECONDS}
        assert len(steady.times) >= 400
        diary.failure = None
        await trio.sleep(100)
        journal.entries[:] = [entry for entry in journal.entries if entry["event"] != "chore_failed"]
        diary.failure = KeyError
        await trio.sleep(2)
    told = [entry["again_in_s"] for entry in journal.entries if entry["event"] == "chore_failed"]
    assert told[0] == FIRST_BACK_OFF_SECONDS


async def test_a_disk_that_refuses_is_no_bug(
    tmp_path: Path, journal: Journal, autojump_clock: MockClock
) -> None:
    """It is a warning: the store has reported it already."""
    async with chores(tmp_path, Diary(StorageUnavailable), every_seconds=0.001):
        await trio.sleep(3)
    told = [entry for entry in journal.entries if entry["event"] == "chore_refused"]
    assert told
    assert {(entry["level"], entry["chore"]) for entry in told} == {("warning", "diary")}


@pytest.mark.expects_error_log("chore_failed")
async def test_a_task_that_fails_is_started_again(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    """Such as the wheel, which never ends by itself."""
    starts = 0

    async def wheel(ends: trio.Event) -> None:
        nonlocal starts
        starts += 1
        if starts == 1:
            raise RuntimeError
        await ends.wait()

    async with chores(tmp_path, Diary(), every_seconds=1e6, tasks={"wheel": partial(wheel, trio.Event())}):
        await trio.testing.wait_all_tasks_blocked()
        assert starts == 1
        await trio.sleep(5)
        assert starts == 2


async def test_leaving_ends_them_all(tmp_path: Path) -> None:
    """Also one in the middle of its work."""
    ended = []
    began = trio.Event()

    async def chore(services: Services) -> None:
        began.set()
        try:
            await trio.sleep_forever()
        finally:
            ended.append(True)

    table = Registry()
    table.chores.append(ChoreSpec("endless", chore, 1e6))
    async with open_services(config_for(tmp_path), table=table) as (services, _):
        async with open_chores(services, {}):
            services.wake("endless")
            await began.wait()
        assert ended == [True]
