"""What features share of conversations: the access check, and shapes from rows."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

import amtrio.features  # noqa: F401 - registers every capability
from amtrio import conversation as module
from amtrio.app import open_services
from amtrio.conversation import (
    Conversation,
    Message,
    MessagePosted,
    create,
    find_or_create,
    members,
    message,
    others,
    sender_type,
    shown_conversation,
)
from amtrio.errors import NotFound
from amtrio.feature import Services
from amtrio.features.accounts import create_user
from amtrio.features.agents import AddAgent, operation_add
from tests.harness import config_for

ROW = (
    "msg_1",
    "conv_1",
    3,
    "u:1",
    "a:x",
    "u:1",
    "hi",
    0,
    "text",
    "markdown",
    "mine",
    None,
    '{"a":1}',
    None,
    None,
    None,
)


@pytest.fixture
async def services(tmp_path: Path) -> AsyncIterator[Services]:
    async with open_services(config_for(tmp_path)) as (services, _):
        await operation_add(services, AddAgent(agent_id="helper"))
        yield services


@pytest.fixture
async def alice(services: Services) -> str:
    return "u:" + await services.store.write(create_user, services, "alice", "hash")


async def test_the_access_check_has_one_answer_for_strangers(services: Services, alice: str) -> None:
    """Not there, not a member, a member who left: the same words."""
    bob = "u:" + await services.store.write(create_user, services, "bob", "hash")
    talk = await services.store.write(find_or_create, services.clock, alice, "a:helper")
    assert set(await services.store.read(members, talk, alice)) == {alice, "a:helper"}
    texts = set()
    for conversation_id, account in ((talk, bob), ("conv_missing", alice), (talk, "u:nobody"), (talk, "a:" + bob[2:])):
        with pytest.raises(NotFound) as refused:
            await services.store.read(members, conversation_id, account)
        texts.add(str(refused.value).replace(conversation_id, "ID"))
    await services.store.write(lambda tx: tx.run("UPDATE member SET left_at_seq = 0 WHERE account_key = :a", a=alice))
    with pytest.raises(NotFound) as refused:
        await services.store.read(members, talk, alice)
    texts.add(str(refused.value).replace(talk, "ID"))
    assert len(texts) == 1


async def test_there_is_one_default_conversation(services: Services, alice: str) -> None:
    """Whoever asks for it; an agent finds it but does not make it."""
    store, clock = services.store, services.clock
    with pytest.raises(NotFound):
        await store.write(find_or_create, clock, "a:helper", alice)
    talk = await store.write(find_or_create, clock, alice, "a:helper")
    assert await store.write(find_or_create, clock, alice, "a:helper") == talk
    assert await store.write(find_or_create, clock, "a:helper", alice) == talk
    titled = await store.write(lambda tx: create(tx, clock, alice, "a:helper", title="x", device=None))
    assert titled != talk
    assert await store.write(find_or_create, clock, alice, "a:helper") == talk
    with pytest.raises(NotFound, match="agent not found: 'nobody'"):
        await store.write(find_or_create, clock, alice, "a:nobody")


def test_a_row_becomes_a_message() -> None:
    """Prefixes that keep accounts apart never reach the wire; the client_id is for its sender alone."""
    shown = message(MessagePosted, ROW)
    assert (shown.user_id, shown.agent_id, shown.sender_id, shown.sender_type) == ("1", "x", "1", "client")
    assert (shown.metadata, shown.created_at, shown.deleted) == ({"a": 1}, "1970-01-01T00:00:00.000Z", False)
    assert (shown.log_conversation, shown.log_subject) == ("conv_1", "msg_1")
    assert [message(Message, ROW, viewer=who).client_id for who in (None, "u:1", "a:x")] == ["mine", "mine", None]
    deleted = message(Message, (*ROW[:13], 1_000_000, 2_000_000, "a:x"))
    assert (deleted.deleted, deleted.deleted_by) == (True, "x")
    assert deleted.edited_at is not None


def test_a_row_becomes_a_conversation_with_both_names_of_its_id() -> None:
    shown = shown_conversation(("conv_1", "u:1", "a:x", None, 1, 0, 0))
    assert shown["id"] == shown["conversation_id"] == "conv_1"
    assert (shown["title"], shown["is_default"], shown["user_id"], shown["agent_id"]) == (None, True, "1", "x")
    assert module.conversation(Conversation, ("c", "u:1", "a:x", "t", 0, 0, 0)).log_subject == "c"


def test_small_things() -> None:
    """People are called clients where messages say who sent them."""
    assert (sender_type("u:1"), sender_type("a:1")) == ("client", "agent")
    assert others(["u:1", "a:x"], "u:1") == ("a:x",)
