"""Reactions: one emoji of one member on one message, any number of different ones up to a bound."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st

from amtrio.app import open_services
from amtrio.context import Context, Principal, kind_of
from amtrio.features import accounts
from amtrio.features.accounts import RemoveUser
from amtrio.features.agents import AddAgent, operation_add
from amtrio.features.messages import DeleteMessage, SendMessage, delete_message, send
from amtrio.features.reactions import MAX_EMOJIS, React, react
from amtrio.model.message import HAS_REACTIONS, message_row, reactions_of
from amtrio.model.people import create_user
from tests.features.conftest import Cast
from tests.features.conftest import send as say
from tests.features.reading import Reader
from tests.harness import Agent, Device, Person, Scene, config_for, open_scene

FAMILY = "👨‍👩‍👧‍👦"


@pytest.fixture
async def message_id(scene: Scene, cast: Cast) -> str:
    """alice's message in her conversation with the helper."""
    return str((await say(scene, cast.alice, cast.talk, "hello"))["message_id"])


def path(message_id: str, emoji: str | None = None) -> str:
    return f"/messages/{message_id}/reactions" + (f"/{quote(emoji)}" if emoji is not None else "")


async def shown(scene: Scene, who: Person | Agent, message_id: str) -> list[tuple[str, str]]:
    return [(each["account_id"], each["emoji"]) for each in await scene.get(path(message_id), who)]


async def put(scene: Scene, who: Person | Agent, message_id: str, emoji: str) -> httpx.Response:
    return await scene.http.put(path(message_id, emoji), headers=who.headers)


async def drop(scene: Scene, who: Person | Agent, message_id: str, emoji: str) -> httpx.Response:
    return await scene.http.delete(path(message_id, emoji), headers=who.headers)


async def test_a_reaction_reaches_every_device_of_both(scene: Scene, cast: Cast, message_id: str) -> None:
    """People and agents react; each device hears who did, the asking one too."""
    async with (
        scene.device(cast.alice, "phone") as phone,
        scene.device(cast.alice, "tablet") as tablet,
        scene.device(cast.helper) as agent,
    ):
        for device, who, kind in ((phone, cast.alice, "user"), (agent, cast.helper, "agent")):
            answer = (await device.ask("react", message_id=message_id, emoji=FAMILY, on=True))["data"]
            for hearer in (phone, tablet, agent):
                told = await hearer.next("reaction_added", account_kind=kind)
                assert told == {
                    "message_id": message_id, "conversation_id": cast.talk, "emoji": FAMILY, "account_kind": kind,
                    "account_id": who.id, "user_id": who.id, "id": answer["reaction"]["id"],
                    "created_at": answer["reaction"]["created_at"],
                }  # fmt: skip
        await phone.ask("react", message_id=message_id, emoji=FAMILY, on=False)
        for hearer in (phone, tablet, agent):
            told = await hearer.next("reaction_removed")
            assert (told["account_id"], told["emoji"]) == (cast.alice.id, FAMILY)
    assert await shown(scene, cast.alice, message_id) == [("helper", FAMILY)]
    history = await scene.get(f"/conversations/{cast.talk}/messages", cast.alice)
    assert [each["user_id"] for each in history[0]["reactions"]] == ["helper"]


async def test_a_state_that_is_set_twice_is_told_once(scene: Scene, cast: Cast, message_id: str) -> None:
    """Over the socket and over REST; the second answer is the first one."""
    async with scene.device(cast.helper) as agent:
        first, second = [(await put(scene, cast.alice, message_id, "👍")).json() for _ in range(2)]
        assert first == second
        assert (first["status"], first["action"], first["emoji"]) == ("reaction_added", "added", "👍")
        assert first["reaction"]["user_id"] == cast.alice.id
        gone, again = [(await drop(scene, cast.alice, message_id, "👍")).json() for _ in range(2)]
        assert gone == again
        assert gone == {
            "status": "reaction_removed", "action": "removed", "emoji": "👍", "message_id": message_id,
            "conversation_id": cast.talk,
        }  # fmt: skip
        await agent.next("reaction_removed")
        await agent.caught_up()
        words = [each["type"] for each in agent.events if each["type"].startswith("reaction")]
        assert words == ["reaction_added", "reaction_removed"]


async def test_older_clients_toggle(scene: Scene, cast: Cast, message_id: str) -> None:
    """The older route, a form, and the older word on a socket; older devices hear it in their own shape."""
    async with scene.old_device(cast.alice) as old, scene.old_device(cast.helper) as old_agent:
        for action in ("added", "removed", "added"):
            answer = await scene.http.post(
                "/messages/react", data={"message_id": message_id, "emoji": "❤"}, headers=cast.alice.headers
            )
            assert (answer.json()["status"], answer.json()["action"]) == (f"reaction_{action}", action)
            for device in (old, old_agent):
                assert await device.next(f"reaction_{action}") == {
                    "message_id": message_id, "conversation_id": cast.talk, "user_id": cast.alice.id, "emoji": "❤️",
                    "action": action,
                }  # fmt: skip
        await old_agent.say("reaction", message_id=message_id, emoji="👀")
        assert (await old.next("reaction_added", emoji="👀"))["user_id"] == "helper"
        await old_agent.say("reaction", message_id=message_id, emoji="👀")
        await old.next("reaction_removed", emoji="👀")
    (one,) = await scene.get("/messages/reactions", cast.alice, message_id=message_id)
    assert one["id"]
    assert (one["emoji"], one["user_id"], one["message_id"]) == ("❤️", cast.alice.id, message_id)


async def test_a_toggle_that_is_sent_again_is_done_once(scene: Scene, cast: Cast, message_id: str) -> None:
    """The client_id makes even that safe; another emoji under it is refused."""
    client_id = scene.client_id()
    async with scene.device(cast.alice) as phone:
        answers = [await phone.ask("react", message_id=message_id, emoji="👍", client_id=client_id) for _ in range(3)]
        assert [each["data"]["action"] for each in answers] == ["added"] * 3
        refused = await phone.ask("react", message_id=message_id, emoji="👎", client_id=client_id)
        assert refused["data"]["code"] == "client_id_reused"
    assert await shown(scene, cast.alice, message_id) == [(cast.alice.id, "👍")]


@pytest.mark.parametrize("emoji", [FAMILY, "🇩🇪", "1️⃣", "👍🏽", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "🏳️‍🌈"])
async def test_any_emoji_will_do(scene: Scene, cast: Cast, message_id: str, emoji: str) -> None:
    """However many bytes it has, percent-encoded in a path as well."""
    assert (await put(scene, cast.alice, message_id, emoji)).json()["emoji"] == emoji
    assert await shown(scene, cast.alice, message_id) == [(cast.alice.id, emoji)]
    assert (await drop(scene, cast.alice, message_id, emoji)).json()["emoji"] == emoji
    assert await shown(scene, cast.alice, message_id) == []


@pytest.mark.parametrize("emoji", ["ok", "a", "1", "👍👍", " 👍", "", None, 5])
async def test_what_is_no_emoji_is_refused(scene: Scene, cast: Cast, message_id: str, emoji: object) -> None:
    answer = await scene.http.post(path(message_id), json={"emoji": emoji, "on": True}, headers=cast.alice.headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")
    assert await shown(scene, cast.alice, message_id) == []


async def test_both_spellings_are_one_reaction(scene: Scene, cast: Cast, message_id: str) -> None:
    """One phone sends the selector, the other does not."""
    assert (await put(scene, cast.alice, message_id, "❤")).json()["emoji"] == "❤️"
    assert (await put(scene, cast.alice, message_id, "❤️")).status_code == 200
    assert await shown(scene, cast.alice, message_id) == [(cast.alice.id, "❤️")]
    await drop(scene, cast.alice, message_id, "❤")
    assert await shown(scene, cast.alice, message_id) == []


async def test_there_is_a_bound_for_each_member(scene: Scene, cast: Cast, message_id: str) -> None:
    """The eleventh emoji is refused, one that is there already is not; the other side has its own ten."""
    emojis = [chr(0x1F600 + number) for number in range(MAX_EMOJIS + 1)]
    for emoji in emojis[:-1]:
        assert (await put(scene, cast.alice, message_id, emoji)).status_code == 200
    refused = await put(scene, cast.alice, message_id, emojis[-1])
    assert (refused.status_code, refused.json()["code"]) == (409, "conflict")
    assert str(MAX_EMOJIS) in refused.json()["error"]
    assert (await put(scene, cast.alice, message_id, emojis[0])).status_code == 200
    assert (await put(scene, cast.helper, message_id, emojis[-1])).status_code == 200
    await drop(scene, cast.alice, message_id, emojis[0])
    assert (await put(scene, cast.alice, message_id, emojis[-1])).status_code == 200


async def test_a_deleted_message_has_none(scene: Scene, cast: Cast, message_id: str) -> None:
    """They go with it, it no longer looks for any, and it takes no new one."""
    store = scene.running.services.store
    await put(scene, cast.helper, message_id, "👍")
    row = await store.read(message_row, message_id)
    assert row is not None
    assert row[16] & HAS_REACTIONS
    async with scene.device(cast.helper) as agent:
        await scene.http.delete(f"/messages/{message_id}", headers=cast.alice.headers)
        assert "reactions" not in await agent.next("message_deleted")
    assert await shown(scene, cast.alice, message_id) == []
    row = await store.read(message_row, message_id)
    assert row is not None
    assert not row[16] & HAS_REACTIONS
    assert (await put(scene, cast.helper, message_id, "👍")).status_code == 409
    assert (await drop(scene, cast.helper, message_id, "👍")).json()["action"] == "removed"


@pytest.mark.parametrize(
    ("method", "route"),
    [
        ("GET", "/messages/{id}/reactions"),
        ("POST", "/messages/{id}/reactions"),
        ("PUT", "/messages/{id}/reactions/👍"),
        ("DELETE", "/messages/{id}/reactions/👍"),
        ("POST", "/messages/react?message_id={id}"),
        ("GET", "/messages/reactions?message_id={id}"),
    ],
)
async def test_a_strangers_message_is_not_there(
    scene: Scene, cast: Cast, message_id: str, method: str, route: str
) -> None:
    """The same answer, word for word, as for one that never was; without any id it is malformed."""
    await put(scene, cast.helper, message_id, "👍")

    async def asked(id_: str) -> tuple[int, str]:
        answer = await scene.http.request(
            method,
            route.replace("{id}", id_),
            json=None if method == "GET" else {"emoji": "👍"},
            headers=cast.bob.headers,
        )
        return answer.status_code, answer.text.replace(id_, "ID")

    there, missing = await asked(message_id), await asked("msg_" + "0" * 32)
    assert there == missing
    assert there[0] == 404
    assert await shown(scene, cast.alice, message_id) == [("helper", "👍")]
    if "?" in route:
        answer = await scene.http.request(method, route.partition("?")[0], headers=cast.bob.headers)
        assert (answer.status_code, "missing field" in answer.json()["error"]) == (400, True)


async def test_the_socket_refuses_in_the_same_way(scene: Scene, cast: Cast, message_id: str) -> None:
    async with scene.device(cast.bob) as phone:
        codes = [
            (await phone.ask("react", **data))["data"]["code"]
            for data in (
                {"message_id": message_id, "emoji": "👍", "on": True},
                {"emoji": "👍", "on": True},
                {"message_id": message_id},
                {"message_id": message_id, "emoji": "👍", "on": "yes"},
            )
        ]
    assert codes == ["not_found", "malformed", "malformed", "malformed"]


async def test_they_survive_a_restart_and_reach_who_was_away(tmp_path: Path) -> None:
    """A device that returns is told what is there now: not what came and went, nor the going of what came back."""
    async with open_scene(tmp_path) as scene:
        alice, helper = await scene.register("alice"), await scene.register_agent("helper")
        talk = await scene.conversation(alice, helper)
        message_id = (await say(scene, alice, talk, "hello"))["message_id"]
        async with scene.device(alice, "phone") as phone:
            since, epoch = phone.greeting["data"]["head"], phone.greeting["data"]["epoch"]
        for emoji, states in (("👍", (True, False)), ("🎉", (True, False, True)), ("👀", (True,))):
            for on in states:
                await (put if on else drop)(scene, helper, message_id, emoji)
    async with open_scene(tmp_path) as scene, scene.device(alice, "phone", since=since, epoch=epoch) as phone:
        await phone.next("reaction_added", emoji="👀")
        assert [each["type"] for each in phone.events] == [
            "gone", "reaction_removed",
            "reaction_added", "gone", "reaction_added",
            "reaction_added",
        ]  # fmt: skip
        assert await shown(scene, alice, message_id) == [("helper", "🎉"), ("helper", "👀")]


async def test_a_removed_person_leaves_none(scene: Scene, cast: Cast, message_id: str) -> None:
    """The account, its conversation and its reactions go; nothing blocks that."""
    await put(scene, cast.alice, message_id, "👍")
    await accounts.operation_remove_user(scene.running.services, RemoveUser(username="alice"))
    rows = await scene.running.services.store.read(lambda tx: tx.all("SELECT id FROM reaction"))
    assert rows == []


# -- several devices, any order

Seen = dict[str, set[tuple[str, str]]]
# Who puts on or takes off which emoji of which message.
STEPS = st.lists(st.tuples(st.sampled_from("ua"), st.integers(0, 1), st.sampled_from("👍🎉")), min_size=1, max_size=25)
PLACES = st.integers(0, 25)


def apply(seen: Seen, event: Any) -> None:
    """What a client does with what it is told; docs/protocol.md, "Reactions"."""
    word = event.type
    if word == "reaction_added":
        seen.setdefault(event.message_id, set()).add((event.account_id, event.emoji))
    elif word == "reaction_removed":
        seen.setdefault(event.message_id, set()).discard((event.account_id, event.emoji))
    elif word in {"message", "message_edited", "message_deleted"}:
        seen[event.message_id] = {(each.account_id, each.emoji) for each in event.reactions}


@settings(max_examples=40, deadline=None)
@given(steps=STEPS, deleted_at=st.none() | PLACES, leaves_at=PLACES, reads_at=st.sets(PLACES, max_size=4))
async def test_whatever_the_order_every_device_ends_with_the_truth(
    tmp_path_factory: pytest.TempPathFactory,
    steps: list[tuple[str, int, str]],
    deleted_at: int | None,
    leaves_at: int,
    reads_at: set[int],
) -> None:
    """One device hears all at once, one now and then, one leaves in the middle, one starts from nothing."""
    async with open_services(config_for(tmp_path_factory.mktemp("converge"))) as (services, _):
        await operation_add(services, AddAgent(agent_id="helper"))
        user = await services.store.write(create_user, services, "alice", "hash")
        keys = {"u": f"u:{user}", "a": "a:helper"}
        contexts = {
            kind: Context(services, Principal(kind_of(key), key[2:], key, key[2:], session="", device=f"{key}/phone"))
            for kind, key in keys.items()
        }
        sent = [
            await services.store.write(send, contexts["u"], SendMessage(agent_id="helper", content=str(number)))
            for number in range(2)
        ]
        ids = [each.message_id for each in sent]
        watching, paging, leaving, new = (Reader[Seen](keys["u"], {}, apply) for _ in range(4))
        for number, (who, index, emoji) in enumerate(steps):
            if number == deleted_at:
                await services.store.write(delete_message, contexts["u"], DeleteMessage(message_id=ids[0]))
            is_deleted = deleted_at is not None and number >= deleted_at and index == 0
            if not is_deleted:
                await services.store.write(react, contexts[who], React(message_id=ids[index], emoji=emoji))
            await watching.read(services)
            if number in reads_at:
                await paging.read(services)
            if number <= leaves_at:
                await leaving.read(services)
        truth = {
            each: {(one.account_id, one.emoji) for one in await services.store.read(reactions_of, each)} for each in ids
        }
        for device in (watching, paging, leaving, new):
            await device.read(services)
            assert device.seen == truth


async def test_two_devices_that_toggle_at_once_end_alike(scene: Scene, cast: Cast, message_id: str) -> None:
    """Over real sockets: what each was told adds up to what the server shows."""
    async with (
        scene.device(cast.alice, "phone") as phone,
        scene.device(cast.alice, "tablet") as tablet,
        scene.device(cast.helper) as agent,
    ):
        devices = [phone, tablet, agent]

        async def toggle(device: Device, place: int) -> None:
            for number in range(12):
                emoji, on = "👍🎉👀"[(number + place) % 3], (number * place) % 2 == 0
                await device.ask("react", message_id=message_id, emoji=emoji, on=on)

        async with trio.open_nursery() as nursery:
            for place, device in enumerate(devices):
                nursery.start_soon(toggle, device, place)
        truth = set(await shown(scene, cast.alice, message_id))
        assert truth
        owners: list[Person | Agent] = [cast.alice, cast.alice, cast.helper]
        for device, who in zip(devices, owners, strict=True):
            while device.seq < (await scene.get("/snapshot", who))["seq"]:
                await device.take()
            seen: set[tuple[str, str]] = set()
            for event in device.events:
                if event["type"].startswith("reaction"):
                    one = (event["data"]["account_id"], event["data"]["emoji"])
                    (seen.add if event["type"] == "reaction_added" else seen.discard)(one)
            assert seen == truth
