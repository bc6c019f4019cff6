"""What features share of conversations: the access check, and shapes from rows."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

import amtrio.features  # noqa: F401 - registers every capability
from amtrio.app import open_services
from amtrio.clock import rfc3339
from amtrio.context import Services
from amtrio.errors import Malformed, NotFound
from amtrio.features.agents import AddAgent, operation_add
from amtrio.model.conversation import (
    FOREVER_US,
    Conversation,
    checked_line,
    conversation,
    conversation_view,
    create,
    find_or_create,
    members,
    others,
)
from amtrio.model.people import create_user
from amtrio.store.database import Tx
from tests.harness import config_for


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


def test_a_row_becomes_a_conversation() -> None:
    """Prefixes that keep accounts apart never reach the wire."""
    shown = conversation(Conversation, ("conv_1", "u:1", "a:x", None, 1, 0, 0))
    assert (shown.title, shown.is_default, shown.user_id, shown.agent_id) == (None, True, "1", "x")
    assert conversation(Conversation, ("c", "u:1", "a:x", "t", 0, 0, 0)).log_subject == "c"


async def test_a_member_sees_a_conversation_with_its_own_state(services: Services, alice: str) -> None:
    """Both names of the id; labels and pins are the member's own."""
    talk = await services.store.write(find_or_create, services.clock, alice, "a:helper")

    def mark(tx: Tx) -> None:
        tx.run("UPDATE member SET pinned = 1 WHERE account_key = :a", a=alice)
        for tag in ("work", "home"):
            tx.run(
                "INSERT INTO conversation_tag (conversation_id, account_key, tag, id, created_us)"
                " VALUES (:c, :a, :tag, :tag, 0)",
                c=talk,
                a=alice,
                tag=tag,
            )

    await services.store.write(mark)
    mine = await services.store.read(conversation_view, alice, talk)
    theirs = await services.store.read(conversation_view, "a:helper", talk)
    assert mine.id == mine.conversation_id == theirs.id == talk
    assert (mine.pinned, mine.tags) == (True, ("home", "work"))
    assert (theirs.pinned, theirs.tags, theirs.last_message, theirs.unread_count) == (False, (), None, 0)
    with pytest.raises(NotFound):
        await services.store.read(conversation_view, "a:other", talk)


def test_for_ever_can_be_named() -> None:
    assert rfc3339(FOREVER_US) == "9999-12-31T23:59:59.999Z"
    assert FOREVER_US < 2**63


def test_a_line_is_trimmed_and_composed() -> None:
    """Bounds hold for what is stored."""
    assert checked_line("title", "  e\u0301  ", 1) == "é"
    assert checked_line("title", "x" * 5 + "    ", 5) == "xxxxx"
    for text in ("", "  ", "x" * 6, "a\nb", "a\x7fb", "a\u2029b"):
        with pytest.raises(Malformed, match="title must be"):
            checked_line("title", text, 5)


def test_everybody_but_one() -> None:
    assert others(["u:1", "a:x"], "u:1") == ("a:x",)
