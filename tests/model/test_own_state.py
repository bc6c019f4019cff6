"""What a member keeps about a conversation for itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import amtrio.features  # noqa: F401 - registers every capability
from amtrio.app import open_services
from amtrio.context import Services
from amtrio.errors import Conflict, Malformed, NotFound
from amtrio.features.agents import AddAgent, operation_add
from amtrio.model.conversation import FOREVER_US, find_or_create
from amtrio.model.own_state import (
    MAX_TAG,
    MAX_TAGS_PER_CONVERSATION,
    ConversationState,
    add_tag,
    announce_change,
    archive,
    checked_tag,
    find_own_state,
    mute,
    own_state,
    pin,
    remove_tag,
    set_tags,
)
from amtrio.model.people import create_user
from amtrio.store.database import Tx
from amtrio.store.log import head
from tests.harness import config_for

FOREVER = "9999-12-31T23:59:59.999Z"


@dataclass
class Stage:
    """alice and the agent `helper`, and their conversation."""

    services: Services
    alice: str
    talk: str

    async def state(self, account: str | None = None) -> ConversationState:
        return await self.services.store.read(own_state, account or self.alice, self.talk)


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with open_services(config_for(tmp_path)) as (services, _):
        await operation_add(services, AddAgent(agent_id="helper"))
        alice = "u:" + await services.store.write(create_user, services, "alice", "hash")
        talk = await services.store.write(find_or_create, services.clock, alice, "a:helper")
        yield Stage(services, alice, talk)


async def test_it_begins_with_nothing(stage: Stage) -> None:
    """And strangers have none."""
    assert await stage.state() == ConversationState(
        conversation_id=stage.talk, pinned=False, archived=False, muted_until=None, tags=()
    )
    assert await stage.services.store.read(find_own_state, "u:nobody", stage.talk) is None
    with pytest.raises(NotFound, match="conversation not found"):
        await stage.services.store.read(own_state, "u:nobody", stage.talk)


async def test_each_member_has_its_own(stage: Stage) -> None:
    def keep(tx: Tx) -> None:
        pin(tx, stage.alice, stage.talk, on=True)
        archive(tx, stage.alice, stage.talk, on=True)
        mute(tx, stage.alice, stage.talk, FOREVER_US)
        set_tags(tx, stage.services.clock, stage.alice, stage.talk, ["b", "a", "b "])

    theirs = await stage.state("a:helper")
    await stage.services.store.write(keep)
    assert await stage.state() == ConversationState(
        conversation_id=stage.talk, pinned=True, archived=True, muted_until=FOREVER, tags=("a", "b")
    )
    assert await stage.state("a:helper") == theirs


async def test_only_a_change_is_announced_and_only_to_oneself(stage: Stage) -> None:
    store = stage.services.store

    async def heads() -> tuple[int, int]:
        return ((await store.read(head, stage.alice)).head, (await store.read(head, "a:helper")).head)

    def keep(tx: Tx, *, pinned: bool) -> ConversationState:
        before = own_state(tx, stage.alice, stage.talk)
        pin(tx, stage.alice, stage.talk, on=pinned)
        return announce_change(tx, stage.alice, before, device=None)

    alices, helpers = await heads()
    assert not (await store.write(keep, pinned=False)).pinned
    assert await heads() == (alices, helpers)
    assert (await store.write(keep, pinned=True)).pinned
    assert await heads() == (alices + 1, helpers)


async def test_labels_are_set_one_by_one_or_all_at_once(stage: Stage) -> None:
    store, clock = stage.services.store, stage.services.clock
    assert await store.write(add_tag, clock, stage.alice, stage.talk, "x")
    assert not await store.write(add_tag, clock, stage.alice, stage.talk, "x")
    assert await store.write(remove_tag, stage.alice, stage.talk, "x")
    assert not await store.write(remove_tag, stage.alice, stage.talk, "x")
    many = [str(number) for number in range(MAX_TAGS_PER_CONVERSATION + 1)]
    with pytest.raises(Conflict, match="at most 20 tags"):
        await store.write(set_tags, clock, stage.alice, stage.talk, many)
    assert (await stage.state()).tags == ()
    await store.write(set_tags, clock, stage.alice, stage.talk, many[1:])
    await store.write(set_tags, clock, stage.alice, stage.talk, many[:-1])
    assert set((await stage.state()).tags) == set(many[:-1])


def test_a_label_is_a_line() -> None:
    assert checked_tag(" e\u0301 ") == "é"
    for text in ("", " ", "x" * (MAX_TAG + 1), "a\tb"):
        with pytest.raises(Malformed, match="tag must be"):
            checked_tag(text)
