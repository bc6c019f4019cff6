"""The account log read back as events: today's truth, for those who are members today."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

import amtrio.features  # noqa: F401 - registers every capability
from amtrio.app import open_services
from amtrio.context import Context, Principal, Services
from amtrio.fanout import backlog
from amtrio.fanout.backlog import Position, read_messages, read_page, read_position, read_unread
from amtrio.feature import registry
from amtrio.features.agents import AddAgent, operation_add
from amtrio.features.messages import DeleteMessage, EditMessage, SendMessage, delete_message, edit, send
from amtrio.features.receipts import MarkRead, mark_read
from amtrio.model.conversation import create
from amtrio.model.message import MessagePosted
from amtrio.model.people import create_user
from amtrio.store.log import Cursor, put_cursors
from tests.harness import config_for


class World:
    """alice and `helper`, without any socket."""

    def __init__(self, services: Services, user_id: str, talk: str) -> None:
        self.services = services
        self.alice, self.helper = f"u:{user_id}", "a:helper"
        self.talk = talk

    def context(self, account: str) -> Context:
        kind: Any = "user" if account[0] == "u" else "agent"
        return Context(self.services, Principal(kind, account[2:], account, account[2:], "s", "device"))

    async def send(self, account: str, content: str) -> str:
        frame = SendMessage(conversation_id=self.talk, content=content)
        return (await self.services.store.write(send, self.context(account), frame)).message_id

    async def page(self, account: str, after: int = 0) -> backlog.Page:
        return await self.services.store.read(read_page, account, after, registry.replays)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with open_services(config_for(tmp_path)) as (services, _):
        await operation_add(services, AddAgent(agent_id="helper"))
        user_id = await services.store.write(create_user, services, "alice", "hash")
        talk = await services.store.write(
            lambda tx: create(tx, services.clock, f"u:{user_id}", "a:helper", title=None, device=None)
        )
        yield World(services, user_id, talk)


async def test_rows_become_todays_truth(world: World) -> None:
    """An edited message with its new text, a deleted one without any; every number is there."""
    edited, deleted = await world.send(world.alice, "helo"), await world.send(world.alice, "secret")
    store, context = world.services.store, world.context(world.alice)
    await store.write(edit, context, EditMessage(message_id=edited, content="hello"))
    await store.write(delete_message, context, DeleteMessage(message_id=deleted))
    page = await world.page(world.helper)
    assert [item.seq for item in page.items] == list(range(1, page.head + 1))
    contents = [(item.event.type, item.event.content) for item in page.items[1:] if item.event is not None]  # type: ignore[attr-defined]
    assert contents == [("message", "hello"), ("message", ""), ("message_edited", "hello"), ("message_deleted", "")]
    assert {item.device for item in page.items[1:]} == {"device"}


async def test_rows_of_what_one_may_not_see_any_more_are_bare_numbers(world: World) -> None:
    """Who left a conversation, or whose conversation is gone, is told nothing of it."""
    await world.send(world.alice, "hello")
    await world.services.store.write(
        lambda tx: tx.run("UPDATE member SET left_at_seq = 1 WHERE account_key = 'a:helper'")
    )
    assert [item.event for item in (await world.page(world.helper)).items] == [None, None]
    assert None not in [item.event for item in (await world.page(world.alice)).items]
    await world.services.store.write(lambda tx: tx.run("DELETE FROM conversation"))
    assert [item.event for item in (await world.page(world.alice)).items] == [None, None]


async def test_a_row_of_an_unknown_kind_is_a_bare_number(world: World) -> None:
    """As a newer server may have left it."""
    await world.services.store.write(lambda tx: tx.run("UPDATE event SET kind = 'of tomorrow'"))
    assert [item.event for item in (await world.page(world.alice)).items] == [None]


async def test_pages_are_bounded_by_rows_and_by_text(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """They join without a hole."""
    for number in range(6):
        await world.send(world.alice, f"{number}" * 60_000)
    seen: list[int] = []
    while items := (await world.page(world.alice, seen[-1] if seen else 0)).items:
        assert len(items) <= 3
        seen += [item.seq for item in items]
    assert seen == list(range(1, 8))
    monkeypatch.setattr(backlog, "PAGE_ROWS", 2)
    assert len((await world.page(world.alice)).items) == 2


async def test_where_a_device_goes_on(world: World) -> None:
    """At its own cursor, else where its login began, else at the head; an agent at nothing."""
    await world.send(world.alice, "hello")
    store = world.services.store
    assert await store.read(read_position, world.alice, "d:phone", "login") == Position(0, 2, 2)
    await store.write(put_cursors, [Cursor(world.alice, "login", 1)])
    assert await store.read(read_position, world.alice, "d:phone", "login") == Position(0, 2, 1)
    await store.write(put_cursors, [Cursor(world.alice, "d:phone", 2)])
    assert await store.read(read_position, world.alice, "d:phone", "login") == Position(0, 2, 2)
    assert await store.read(read_position, world.helper, "agent", "x") == Position(0, 2, 0)


async def test_unread_messages_are_those_of_others_that_are_still_there(world: World) -> None:
    """Oldest first; not one's own, not the deleted, not the read; at most as many as are bearable."""
    store = world.services.store
    await world.send(world.helper, "read")
    await store.write(mark_read, world.context(world.alice), MarkRead(conversation_id=world.talk))
    await world.send(world.alice, "own")
    gone = await world.send(world.helper, "gone")
    for number in range(3):
        await world.send(world.helper, f"n{number}")
    await store.write(delete_message, world.context(world.helper), DeleteMessage(message_id=gone))
    head, numbers = await store.read(read_unread, world.alice)
    messages = await store.read(read_messages, numbers)
    assert [each.content for each in messages] == ["n0", "n1", "n2"]
    assert {type(each) for each in messages} == {MessagePosted}
    assert head == (await world.page(world.alice)).head
