"""The queue: what waits for a busy agent is taken by it or taken back by its sender, never both."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st

from amtrio.context import Context, Principal, Services, kind_of
from amtrio.errors import AmtrioError, Conflict, Taken, Withdrawn
from amtrio.features.agents import AddAgent, operation_add
from amtrio.features.messages import DeleteMessage, delete_message
from amtrio.features.queue import TakeMessage, WithdrawMessage, message_take, message_withdraw
from amtrio.model.conversation import find_or_create
from amtrio.model.people import create_user
from amtrio.model.posting import Post, store_message
from amtrio.store.database import Tx
from tests.features.conftest import Cast, post
from tests.features.conftest import send as say
from tests.features.reading import Reader
from tests.features.server import open_server
from tests.harness import Agent, Person, Scene, open_scene


def context(services: Services, account: str, device: str = "phone") -> Context:
    who = Principal(kind_of(account), account[2:], account, account[2:], session="", device=f"{account}/{device}")
    return Context(services, who)


def wait_for_agent(tx: Tx, ctx: Context, talk: str, content: str) -> str:
    """Store a message that waits; who decides that, and when, is no part of the queue."""
    return store_message(tx, ctx, Post(conversation_id=talk), content, is_queued=True).message_id


async def queue(scene: Scene, who: Person | Agent, talk: str, content: str = "and one thing more") -> str:
    services = scene.running.services
    account = f"{'a' if isinstance(who, Agent) else 'u'}:{who.id}"
    return await services.store.write(wait_for_agent, context(services, account), talk, content)


async def test_a_message_waits_until_its_agent_takes_it(scene: Scene, cast: Cast) -> None:
    """Every device sees that it waits, and hears when it does not any more; pages show today's state."""
    async with (
        scene.device(cast.alice, "phone") as phone,
        scene.device(cast.alice, "tablet") as tablet,
        scene.device(cast.helper) as agent,
    ):
        message_id = await queue(scene, cast.alice, cast.talk)
        for device in (phone, tablet, agent):
            assert (await device.next("message"))["queued"] is True
        (shown,) = await scene.get(f"/conversations/{cast.talk}/messages", cast.alice)
        assert shown["queued"] is True
        answer = await agent.ask("message_take", message_id=message_id, client_id=scene.client_id())
        assert answer["data"] == {"status": "taken", "message_id": message_id, "conversation_id": cast.talk}
        for device in (phone, tablet, agent):
            assert await device.next("message_taken") == {
                "message_id": message_id, "conversation_id": cast.talk, "conversation_seq": 1,
            }  # fmt: skip
        (shown,) = await scene.get(f"/conversations/{cast.talk}/messages", cast.alice)
        assert "queued" not in shown
        refused = await phone.ask("message_withdraw", message_id=message_id)
        assert (refused["data"]["code"], refused["data"]["retry"]) == ("taken", "no")
    assert "queued" not in await scene.get(f"/messages/{message_id}", cast.alice)


async def test_a_message_that_is_taken_back_never_was_the_agents(scene: Scene, cast: Cast) -> None:
    """It becomes a deleted one on every device, and the agent that comes late is told so."""
    message_id = await queue(scene, cast.alice, cast.talk, "a secret")
    async with scene.device(cast.alice) as phone, scene.device(cast.helper) as agent:
        await agent.next("message", message_id=message_id)
        answer = await phone.ask("message_withdraw", message_id=message_id, client_id=scene.client_id())
        assert answer["data"] == {"status": "withdrawn", "message_id": message_id, "conversation_id": cast.talk}
        for device in (phone, agent):
            told = await device.next("message_deleted", message_id=message_id)
            assert (told["content"], told["deleted"], told["deleted_by"]) == ("", True, cast.alice.id)
            assert "queued" not in told
        refused = await agent.ask("message_take", message_id=message_id)
        assert (refused["data"]["code"], refused["data"]["retry"]) == ("withdrawn", "no")
        await agent.caught_up()
        assert [each for each in agent.events if each["type"] == "message_taken"] == []


async def test_over_rest_it_is_taken_back_the_same_way(scene: Scene, cast: Cast) -> None:
    """Twice is once; a message that never waited is the agent's."""
    message_id = await queue(scene, cast.alice, cast.talk)
    for _ in range(2):
        answer = await post(scene, cast.alice, f"/messages/{message_id}/withdraw")
        assert (answer.status_code, answer.json()["status"]) == (200, "withdrawn")
    plain = (await say(scene, cast.alice, cast.talk, "hello"))["message_id"]
    refused = await post(scene, cast.alice, f"/messages/{plain}/withdraw")
    assert (refused.status_code, refused.json()["code"]) == (409, "taken")
    (_, left) = await scene.get(f"/conversations/{cast.talk}/messages", cast.alice)
    assert left["content"] == "hello"


async def test_an_agent_may_take_whatever_it_was_told(scene: Scene, cast: Cast) -> None:
    """What never waited, and what it has taken before, is its own: nobody is told anything."""
    plain = (await say(scene, cast.alice, cast.talk, "hello"))["message_id"]
    waiting = await queue(scene, cast.alice, cast.talk)
    async with scene.device(cast.helper) as agent:
        for message_id in (plain, waiting, waiting, plain):
            answer = await agent.ask("message_take", message_id=message_id)
            assert answer["data"]["status"] == "taken"
        await agent.caught_up()
        words = [each["type"] for each in agent.events if each["type"].startswith("message")]
        assert words == ["message", "message", "message_taken"]


async def test_deleting_a_message_that_waits_takes_it_back(scene: Scene, cast: Cast) -> None:
    """And a deleted message is nobody's to take, whether it waited or not."""
    waiting = await queue(scene, cast.alice, cast.talk)
    plain = (await say(scene, cast.alice, cast.talk, "hello"))["message_id"]
    async with scene.device(cast.alice) as phone, scene.device(cast.helper) as agent:
        for message_id in (waiting, plain):
            assert (await phone.ask("delete", message_id=message_id))["type"] == "done"
            assert (await agent.ask("message_take", message_id=message_id))["data"]["code"] == "withdrawn"
        again = await phone.ask("message_withdraw", message_id=waiting)
        assert again["data"]["status"] == "withdrawn"
        assert (await phone.ask("message_withdraw", message_id=plain))["data"]["code"] == "taken"


async def test_each_side_has_its_own_command(scene: Scene, cast: Cast) -> None:
    """People do not take, agents do not take back, and nobody takes back what another one said."""
    waiting = await queue(scene, cast.alice, cast.talk)
    async with scene.device(cast.alice) as phone, scene.device(cast.helper) as agent:
        theirs = (await agent.send(cast.talk, "from the agent"))["message_id"]
        refused = [
            await phone.ask("message_take", message_id=waiting),
            await agent.ask("message_withdraw", message_id=waiting),
            await phone.ask("message_withdraw", message_id=theirs),
        ]
        assert [each["data"]["code"] for each in refused] == ["forbidden"] * 3
    assert (await post(scene, cast.helper, f"/messages/{waiting}/withdraw")).status_code == 403
    assert (await scene.get(f"/messages/{waiting}", cast.alice))["queued"] is True


async def test_a_strangers_message_is_not_there(scene: Scene, cast: Cast) -> None:
    """The same answer as for one that never was."""
    waiting = await queue(scene, cast.bob, cast.other)
    other = await scene.register_agent("other")
    async with scene.device(cast.alice) as phone, scene.device(other) as agent:
        for device, word in ((phone, "message_withdraw"), (agent, "message_take")):
            there = (await device.ask(word, message_id=waiting))["data"]
            missing = (await device.ask(word, message_id="msg_" + "0" * 32))["data"]
            assert there["error"].replace(waiting, "msg_" + "0" * 32) == missing["error"]
            assert there["code"] == "not_found"


async def test_who_was_away_hears_what_counts_now(tmp_path: Path) -> None:
    """After a restart: one that was taken is told as taken, one that was deleted since as deleted alone."""
    async with open_scene(tmp_path) as scene:
        alice, helper = await scene.register("alice"), await scene.register_agent("helper")
        talk = await scene.conversation(alice, helper)
        async with scene.device(alice, "phone") as phone:
            since, epoch = phone.greeting["data"]["head"], phone.greeting["data"]["epoch"]
        taken, gone = await queue(scene, alice, talk, "one"), await queue(scene, alice, talk, "two")
        async with scene.device(helper) as agent:
            for message_id in (taken, gone):
                await agent.ask("message_take", message_id=message_id)
        await scene.http.delete(f"/messages/{gone}", headers=alice.headers)
    async with open_scene(tmp_path) as scene, scene.device(alice, "phone", since=since, epoch=epoch) as phone:
        await phone.next("message_deleted")
        assert [each["type"] for each in phone.events] == [
            "message", "message", "message_taken", "gone", "message_deleted",
        ]  # fmt: skip
        assert not any("queued" in each["data"] for each in phone.events)
        assert (await phone.ask("message_withdraw", message_id=taken))["data"]["code"] == "taken"


async def test_of_both_at_once_one_wins(scene: Scene, cast: Cast) -> None:
    """Twenty messages, each taken and taken back at the same moment over sockets."""
    waiting = [await queue(scene, cast.alice, cast.talk, str(number)) for number in range(20)]
    answers: dict[str, dict[str, Any]] = {"message_take": {}, "message_withdraw": {}}
    async with scene.device(cast.alice) as phone, scene.device(cast.helper) as agent:

        async def ask(device: Any, word: str) -> None:
            for message_id in waiting:
                answers[word][message_id] = (await device.ask(word, message_id=message_id))["data"]

        async with trio.open_nursery() as nursery:
            nursery.start_soon(ask, agent, "message_take")
            nursery.start_soon(ask, phone, "message_withdraw")
    for message_id in waiting:
        outcomes = {word: answers[word][message_id] for word in answers}
        is_deleted = (await scene.get(f"/messages/{message_id}", cast.alice))["deleted"]
        if is_deleted:
            assert outcomes["message_withdraw"]["status"] == "withdrawn"
            assert outcomes["message_take"]["code"] == "withdrawn"
        else:
            assert outcomes["message_take"]["status"] == "taken"
            assert outcomes["message_withdraw"]["code"] == "taken"


# -- any order, several devices, restarts

Seen = dict[str, str]
STEPS = st.lists(
    st.tuples(st.sampled_from(["take", "take", "withdraw", "withdraw", "delete", "restart"]), st.integers(0, 2)),
    min_size=1,
    max_size=14,
)
PLACES = st.integers(0, 14)
# Who does it: the agent, or the person, whose key the test makes up.
UNITS: dict[str, tuple[str, Any, type]] = {
    "take": ("a:helper", message_take, TakeMessage),
    "withdraw": ("", message_withdraw, WithdrawMessage),
    "delete": ("", delete_message, DeleteMessage),
}
# Which refusal tells the loser what, by what it tried.
REFUSALS = {"take": Withdrawn, "withdraw": Taken, "delete": Conflict}


def apply(seen: Seen, event: Any) -> None:
    """What a client does with what it is told; docs/protocol.md, "Queue"."""
    if event.type == "message_taken":
        if seen.get(event.message_id) == "queued":
            seen[event.message_id] = "taken"
    elif event.type in {"message", "message_deleted"}:
        seen[event.message_id] = "deleted" if event.deleted else "queued" if event.queued else "taken"


@settings(max_examples=40, deadline=None)
@given(steps=STEPS, leaves_at=PLACES, reads_at=st.sets(PLACES, max_size=4))
async def test_whatever_the_order_one_wins_and_every_device_ends_with_the_truth(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int]], leaves_at: int, reads_at: set[int]
) -> None:
    """Devices of both sides: some hear all at once, one now and then, one leaves in the middle, one is new."""
    async with open_server(tmp_path_factory.mktemp("queue")) as server:
        store = server.services.store
        await operation_add(server.services, AddAgent(agent_id="helper"))
        user = f"u:{await store.write(create_user, server.services, 'alice', 'hash')}"
        talk = await store.write(find_or_create, server.services.clock, user, "a:helper")
        waiting = [
            await store.write(wait_for_agent, context(server.services, user), talk, str(number)) for number in range(3)
        ]
        watching, paging, leaving, new = (Reader[Seen](user, {}, apply) for _ in range(4))
        agent = Reader[Seen]("a:helper", {}, apply)
        winner: dict[str, str] = {}
        deleted: set[str] = set()
        for number, (what, index) in enumerate(steps):
            if what == "restart":
                await server.restart()
                continue
            account, unit, shape = UNITS[what]
            ctx = context(server.services, account or user, "phone" if number % 2 else "tablet")
            message_id = waiting[index]
            try:
                await server.services.store.write(unit, ctx, shape(message_id=message_id))
            except AmtrioError as refusal:
                lost = message_id in deleted if what != "withdraw" else winner.get(message_id) == "taken"
                assert lost, "nobody was faster"
                assert isinstance(refusal, REFUSALS[what])
            else:
                winner.setdefault(message_id, "taken" if what == "take" else "withdrawn")
                assert what == "delete" or winner[message_id] == {"take": "taken", "withdraw": "withdrawn"}[what]
                if what != "take":
                    deleted.add(message_id)
            await watching.read(server.services)
            if number in reads_at:
                await paging.read(server.services)
                await agent.read(server.services)
            if number <= leaves_at:
                await leaving.read(server.services)
        kept = await server.services.store.read(
            lambda tx: tx.all("SELECT id, queue_state, deleted_us IS NOT NULL FROM message")
        )
        assert set(kept) == {(each, winner.get(each, "queued"), int(each in deleted)) for each in waiting}
        told = await server.services.store.read(
            lambda tx: tx.all("SELECT subject_id FROM event WHERE kind = 'message_taken' ORDER BY subject_id")
        )
        assert told == sorted((each,) for each, outcome in winner.items() if outcome == "taken"), "once, or never"
        truth = {each: "deleted" if each in deleted else winner.get(each, "queued") for each in waiting}
        for device in (watching, paging, leaving, new, agent):
            await device.read(server.services)
            assert device.seen == truth
