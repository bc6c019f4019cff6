"""What the features of public keys share: which key is in force, and which is spent."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

import amtrio.features  # noqa: F401 - registers every capability
from amtrio.app import open_services
from amtrio.context import Context, Principal, Services
from amtrio.model.keyring import (
    LOW,
    REMEMBERED_SPENT_KEYS,
    Key,
    count_of,
    identity_of,
    is_spent,
    key_view,
    keys_of,
    remember_spent,
    share_a_conversation,
    store_key,
)
from amtrio.store.database import Tx
from amtrio.store.log import make_account
from tests.harness import MovableClock, config_for

ALICE = "u:alice"


@pytest.fixture
async def services(tmp_path: Path) -> AsyncIterator[Services]:
    async with open_services(config_for(tmp_path)) as (services, _):
        await services.store.write(make_account, ALICE)
        yield services


async def test_the_newest_identity_is_in_force(services: Services) -> None:
    """And one-time keys come in the order of their numbers."""
    ctx = Context(services, Principal(kind="user", id="alice", account=ALICE, name="alice", session="s"))

    def unit(tx: Tx) -> None:
        assert identity_of(tx, ALICE) is None
        for version in (1, 3, 2):
            store_key(tx, ctx, Key(kind="identity", public_key=f"k{version}", fingerprint="f", version=version))
        for number in (5, 4):
            store_key(tx, ctx, Key(kind="one_time_prekey", key_id=number, public_key="k", fingerprint=f"f{number}"))
        newest = identity_of(tx, ALICE)
        assert newest is not None
        shown = key_view(newest)
        assert (shown.public_key, shown.version, shown.owner_type, shown.owner_id) == ("k3", 3, "user", "alice")
        assert [key.key_id for key in keys_of(tx, ALICE, "one_time_prekey")] == [4, 5]
        assert key_view(keys_of(tx, ALICE, "one_time_prekey")[0]).version is None
        count = count_of(tx, ALICE)
        assert (count.count, count.one_time_prekey_count, count.low) == (2, 2, True)
        assert LOW > 2
        assert not share_a_conversation(tx, ALICE, "a:helper")

    await services.store.write(unit)


async def test_spent_keys_are_remembered_for_long_and_not_for_ever(tmp_path: Path) -> None:
    """The newest thousand of each account."""
    clock = MovableClock()
    async with open_services(config_for(tmp_path), clock=clock) as (services, _):
        await services.store.write(make_account, ALICE)
        for number in range(REMEMBERED_SPENT_KEYS + 1):
            clock.moved_us += 1000
            await services.store.write(remember_spent, Key(account_key=ALICE, fingerprint=f"f{number}"))
        known = [await services.store.read(is_spent, ALICE, f"f{number}") for number in (0, 1, REMEMBERED_SPENT_KEYS)]
        assert known == [False, True, True]
        assert not await services.store.read(is_spent, "u:bob", "f1")
