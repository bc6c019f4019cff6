"""The same command under the same client_id has the same answer, for thirty days."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

import amtrio.features  # noqa: F401 - registers every capability
from amtrio.app import open_services
from amtrio.context import Context, Principal, Services
from amtrio.errors import ClientIdReused, NotFound
from amtrio.feature import Registry
from amtrio.idempotency import KEEP_DAYS, call, forget_old_answers
from amtrio.store.log import make_account
from tests.harness import MovableClock, config_for

table = Registry()
done: list[str] = []


class Add(msgspec.Struct, frozen=True, kw_only=True):
    """A command of the tests."""

    what: str
    client_id: str | None = None


class Remove(msgspec.Struct, frozen=True, kw_only=True):
    """Another one with the same fields."""

    what: str
    client_id: str | None = None


@table.command("add")
def add(tx: Any, ctx: Context, frame: Add) -> dict[str, object]:
    if frame.what == "broken":
        raise NotFound("nothing to add")
    tx.run("INSERT INTO meta (key, value) VALUES (:key, :what)", key=ctx.clock.new_id("k"), what=frame.what)
    return {"added": frame.what, "at": tx.at_us}


@table.command("remove")
def remove(tx: Any, ctx: Context, frame: Remove) -> dict[str, object]:
    return {"removed": frame.what}


@table.command("count", reads=True)
def count(tx: Any, ctx: Context, frame: Add) -> int:
    return len(tx.all("SELECT 1 FROM meta WHERE value = :what", what=frame.what))


@table.command("wait")
async def wait(ctx: Context, frame: Add) -> str:
    return frame.what


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
async def services(tmp_path: Path, clock: MovableClock) -> AsyncIterator[Services]:
    async with open_services(config_for(tmp_path), clock=clock) as (services, _):
        for account in ("u:1", "u:2"):
            await services.store.write(make_account, account)
        yield services


def as_(services: Services, account: str) -> Context:
    return Context(services, Principal("user", account[2:], account, "x", "s"))


async def run(ctx: Context, word: str, what: str, client_id: str | None = None) -> Any:
    spec = table.commands[word]
    return await call(spec, ctx, spec.shape(what=what, client_id=client_id))


async def test_a_repeat_answers_as_the_first_time_and_does_nothing(services: Services) -> None:
    alice = as_(services, "u:1")
    first = await run(alice, "add", "apple", "client-id-0123456")
    assert await run(alice, "add", "apple", "client-id-0123456") == first
    assert await run(alice, "count", "apple") == 1


async def test_without_a_client_id_each_time_counts(services: Services) -> None:
    alice = as_(services, "u:1")
    for _ in range(2):
        await run(alice, "add", "apple")
    assert await run(alice, "count", "apple") == 2


async def test_another_command_under_it_is_refused(services: Services) -> None:
    """Other fields, or another word with the same fields."""
    alice = as_(services, "u:1")
    await run(alice, "add", "apple", "client-id-0123456")
    for word, what in (("add", "pear"), ("remove", "apple")):
        with pytest.raises(ClientIdReused):
            await run(alice, word, what, "client-id-0123456")
    assert await run(alice, "count", "pear") == 0


async def test_accounts_do_not_share_client_ids(services: Services) -> None:
    await run(as_(services, "u:1"), "add", "apple", "client-id-0123456")
    await run(as_(services, "u:2"), "add", "pear", "client-id-0123456")
    assert await run(as_(services, "u:2"), "count", "pear") == 1


async def test_a_refused_command_may_be_tried_again_under_the_same_id(services: Services) -> None:
    """What did not happen is not remembered."""
    alice = as_(services, "u:1")
    for _ in range(2):
        with pytest.raises(NotFound):
            await run(alice, "add", "broken", "client-id-0123456")
    await run(alice, "add", "apple", "client-id-0123456")


async def test_answers_are_forgotten_after_thirty_days(services: Services, clock: MovableClock) -> None:
    alice = as_(services, "u:1")
    await run(alice, "add", "apple", "client-id-0123456")
    clock.move(days=KEEP_DAYS - 1)
    await forget_old_answers(services)
    await run(alice, "add", "apple", "client-id-0123456")
    assert await run(alice, "count", "apple") == 1
    clock.move(days=2)
    await forget_old_answers(services)
    await run(alice, "add", "apple", "client-id-0123456")
    assert await run(alice, "count", "apple") == 2


async def test_handlers_that_wait_are_awaited(services: Services) -> None:
    assert await run(as_(services, "u:1"), "wait", "done") == "done"
