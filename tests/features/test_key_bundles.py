"""Handing out keys: each one-time key once, to those who may write to its owner."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from tests.features.conftest import Cast
from tests.harness import Agent, Json, Person, Scene, open_scene
from tests.key_owner import KeyOwner, new_key, post, public, refused

UNLIMITED = {
    "user_messages_per_minute": 0,
    "agent_messages_per_minute": 0,
    "ephemeral_per_minute": 0,
    "requests_per_minute": 0,
    "key_bundles_per_minute": 0,
}
HELPER = "/keys/bundles/agent/helper"


async def test_a_bundle_has_the_one_time_key_of_the_lowest_number(scene: Scene, cast: Cast) -> None:
    """Each is given once; when there are none left the rest of the bundle still is."""
    owner = KeyOwner()
    await owner.publish(scene, cast.helper)
    keys = owner.more(3)
    await post(scene, cast.helper, "/keys/one-time-prekeys", {"keys": keys[::-1]})
    got = [await post(scene, cast.alice, HELPER) for _ in range(4)]
    assert [bundle.get("one_time_prekey", {}).get("key_id") for bundle in got] == [1, 2, 3, None]
    assert [bundle["one_time_prekey"]["public_key"] for bundle in got[:3]] == [key["public_key"] for key in keys]
    assert {bundle["identity_key"]["public_key"] for bundle in got} == {public(owner.identity)}
    assert {bundle["signed_prekey"]["public_key"] for bundle in got} == {public(owner.prekey)}


async def test_many_takers_never_get_the_same_key(tmp_path: Path) -> None:
    """
    Thirty people ask at once, over connections of their own, for more keys than there are.
    """
    async with open_scene(tmp_path, limits=UNLIMITED) as scene:
        helper = await scene.register_agent("helper")
        owner = KeyOwner()
        await owner.publish(scene, helper, one_time=60)
        people = [await scene.register(f"person{number}") for number in range(10)]
        got: list[int | None] = []

        async def take(who: Person) -> None:
            for path, method in ((HELPER, "POST"), ("/keys/bundle?owner_id=helper&owner_type=agent", "GET")) * 4:
                answer = await scene.http.request(method, path, headers=who.headers)
                assert answer.status_code == 200, answer.text
                got.append(answer.json().get("one_time_prekey", {}).get("key_id"))

        async with trio.open_nursery() as nursery:
            for who in people:
                nursery.start_soon(take, who)
        assert len(got) == 80
        assert sorted(key for key in got if key is not None) == list(range(1, 61))
        assert (await scene.get("/keys/one-time-prekeys/count", helper))["count"] == 0


async def test_a_key_that_was_handed_out_is_not_handed_out_again(scene: Scene, cast: Cast) -> None:
    """Not even if its owner, who missed an answer, uploads it a second time."""
    owner = KeyOwner()
    await owner.publish(scene, cast.helper)
    keys = owner.more(2)
    await post(scene, cast.helper, "/keys/one-time-prekeys", {"keys": keys})
    assert (await post(scene, cast.alice, HELPER))["one_time_prekey"]["key_id"] == 1
    assert (await post(scene, cast.helper, "/keys/one-time-prekeys", {"keys": keys}))["count"] == 1
    assert (await post(scene, cast.alice, HELPER))["one_time_prekey"]["key_id"] == 2
    single = {"key_type": "one_time_prekey", **keys[0]}
    assert (await refused(scene, cast.helper, "POST", "/keys/upload", json=single))[:2] == (409, "conflict")


async def test_looking_uses_up_nothing(scene: Scene, cast: Cast) -> None:
    """To compare a key, or at one's own, by whatever route."""
    owner = KeyOwner()
    await owner.publish(scene, cast.helper, one_time=1)
    assert "one_time_prekey" not in await scene.get(HELPER, cast.alice)
    for own in (await scene.get(HELPER, cast.helper), await post(scene, cast.helper, HELPER)):
        assert "one_time_prekey" not in own
    assert "one_time_prekey" not in await scene.get("/keys/bundle", cast.helper, owner_id="helper", owner_type="agent")
    assert (await post(scene, cast.alice, HELPER))["one_time_prekey"]["key_id"] == 1


async def test_head_uses_up_nothing(scene: Scene, cast: Cast) -> None:
    """The older route hands out a key under GET; HEAD has the length of that answer and takes none."""
    await KeyOwner().publish(scene, cast.helper, one_time=1)
    for query in ({"owner_id": "helper", "owner_type": "agent"}, {"user_id": "helper"}):
        head = await scene.http.head("/keys/bundle", params=query, headers=cast.alice.headers)
        assert (head.status_code, head.content) == (200, b"")
        assert (await scene.get("/keys/otpk-count", cast.helper))["count"] == 1
    got = await scene.http.get("/keys/bundle", params=query, headers=cast.alice.headers)
    assert head.headers["Content-Length"] == str(len(got.content))
    assert got.json()["one_time_prekey"] is not None


async def test_a_lost_answer_is_given_again(scene: Scene, cast: Cast) -> None:
    """Under the same client_id, with the same key in it."""
    await KeyOwner().publish(scene, cast.helper, one_time=2)
    ask = {"client_id": scene.client_id()}
    first = await post(scene, cast.alice, HELPER, ask)
    assert await post(scene, cast.alice, HELPER, ask) == first
    assert (await post(scene, cast.alice, HELPER))["one_time_prekey"]["key_id"] == 2


async def test_strangers_get_the_same_answer_as_for_no_keys(scene: Scene, cast: Cast) -> None:
    """Keys are for those who share a conversation, or may begin one."""
    agent = await scene.register_agent("lonely")
    await scene.running.services.store.write(
        lambda tx: tx.run("UPDATE agent SET visibility = 'owner' WHERE id = 'helper'")
    )
    for who in (cast.alice, cast.bob, cast.helper):
        await KeyOwner().publish(scene, who, one_time=2)
    carol = await scene.register("carol")
    nothing = (404, "not_found", "no identity key found for this owner")
    old = "/keys/bundle"
    strangers: list[tuple[Person | Agent, str, str, dict[str, str]]] = [
        (cast.alice, "user", cast.bob.id, {"owner_id": cast.bob.id}),
        (carol, "user", cast.bob.id, {"user_id": cast.bob.id}),
        (carol, "agent", "helper", {"user_id": "helper"}),
        (agent, "user", cast.alice.id, {"owner_id": cast.alice.id}),
        (agent, "agent", "helper", {"owner_id": "helper", "owner_type": "agent"}),
        (carol, "agent", "lonely", {"owner_id": "lonely", "owner_type": "agent"}),
        (carol, "user", "nobody", {"owner_id": "nobody"}),
        (carol, "user", carol.id, {"owner_id": carol.id}),
    ]
    for who, kind, id_, query in strangers:
        for method in ("GET", "POST"):
            assert await refused(scene, who, method, f"/keys/bundles/{kind}/{id_}") == nothing
        assert await refused(scene, who, "GET", old, params=query) == nothing
    for who, kind, id_ in ((cast.alice, "agent", "helper"), (cast.helper, "user", cast.bob.id)):
        assert "one_time_prekey" in await post(scene, who, f"/keys/bundles/{kind}/{id_}")
    await scene.http.delete(f"/conversations/{cast.other}", headers=cast.bob.headers)
    assert await refused(scene, cast.helper, "POST", f"/keys/bundles/user/{cast.bob.id}") == nothing


async def test_who_may_begin_a_conversation_may_begin_it_encrypted(scene: Scene, cast: Cast) -> None:
    """An agent that everybody sees."""
    await KeyOwner().publish(scene, cast.helper, one_time=1)
    carol = await scene.register("carol")
    assert "one_time_prekey" in await post(scene, carol, HELPER)


async def test_nobody_drains_an_owner(tmp_path: Path, mock_clock: MockClock) -> None:
    """A few a minute for each asker and owner; others are not held up by it."""
    mock_clock.rate = 1.0
    async with open_scene(tmp_path, limits={"key_bundles_per_minute": 3}) as scene:
        alice, bob = await scene.register("alice"), await scene.register("bob")
        for name in ("helper", "other"):
            await KeyOwner().publish(scene, await scene.register_agent(name), one_time=20)
        old = "/keys/bundle?owner_id=helper&owner_type=agent"
        await post(scene, alice, HELPER)
        await post(scene, alice, HELPER)
        assert (await scene.http.get(old, headers=alice.headers)).status_code == 200
        for method, path in (("POST", HELPER), ("GET", old)):
            answer = await scene.http.request(method, path, headers=alice.headers)
            assert (answer.status_code, answer.json()["code"]) == (429, "rate_limited")
            assert 0 < int(answer.headers["Retry-After"]) <= 20
        assert "one_time_prekey" not in await scene.get(HELPER, alice), "looking is free"
        await post(scene, alice, "/keys/bundles/agent/other")
        assert (await post(scene, bob, HELPER))["one_time_prekey"]["key_id"] == 4
        mock_clock.jump(20)
        assert (await post(scene, alice, HELPER))["one_time_prekey"]["key_id"] == 5


async def test_an_owner_is_told_when_few_are_left(scene: Scene, cast: Cast) -> None:
    """Below ten, and at the last one; who was away is told how it is today, or nothing if there are plenty again."""
    owner = KeyOwner()
    await owner.publish(scene, cast.helper, one_time=11)
    async with scene.device(cast.helper) as agent:

        async def low() -> list[int]:
            # What was missed is read from the log, and an answer to a ping does not wait for that.
            while agent.seq < agent.greeting["data"]["head"]:
                await agent.take()
            await agent.caught_up()
            return [event["data"]["remaining"] for event in agent.events if event["type"] == "one_time_keys_low"]

        await post(scene, cast.alice, HELPER)
        assert await low() == []
        await post(scene, cast.bob, HELPER)
        assert await low() == [9]
        assert (await scene.get("/keys/one-time-prekeys/count", cast.helper))["low"] is True
        await post(scene, cast.bob, HELPER)
        assert await low() == [9], "once is enough"
    async with scene.device(cast.helper, since=0) as agent:
        assert await low() == [8]
    answer = await post(scene, cast.helper, "/keys/one-time-prekeys", {"keys": owner.more(5)})
    assert (answer["count"], answer["low"]) == (13, False)
    async with scene.device(cast.helper, since=0) as agent:
        assert await low() == []
    async with scene.device(cast.alice, since=0) as phone:
        while phone.seq < phone.greeting["data"]["head"]:
            await phone.take()
        assert "one_time_keys_low" not in {event["type"] for event in phone.events}


async def test_the_last_key_is_worth_a_word(scene: Scene, cast: Cast) -> None:
    """From then on sessions begin without one."""
    await KeyOwner().publish(scene, cast.helper, one_time=2)
    async with scene.device(cast.helper) as agent:
        for _ in range(3):
            await post(scene, cast.alice, HELPER)
        assert (await agent.next("one_time_keys_low"))["remaining"] == 0
        await agent.caught_up()
        assert [event["type"] for event in agent.events].count("one_time_keys_low") == 1


# -- as shipped clients do it ------------------------------------------------------------------------------------------


async def test_nested_for_one_client_and_flat_for_another(scene: Scene, cast: Cast) -> None:
    """The web chat asks for an owner and gets objects, the SDKs ask for a user, who may be an agent, and get texts."""
    people = {"alice": KeyOwner(), "helper": KeyOwner()}
    await people["alice"].publish(scene, cast.alice, one_time=2)
    await people["helper"].publish(scene, cast.helper, one_time=2)
    nested: Json = await scene.get("/keys/bundle", cast.helper, owner_id=cast.alice.id)
    assert nested["identity_key"]["public_key"] == public(people["alice"].identity)
    assert nested["one_time_prekey"]["key_id"] == 1
    agents = await scene.get("/keys/bundle", cast.alice, owner_id="helper", owner_type="agent")
    assert agents["identity_key"]["owner_type"] == "agent"
    for who, id_, kind, owner in (
        (cast.alice, "helper", "agent", people["helper"]),
        (cast.helper, cast.alice.id, "user", people["alice"]),
    ):
        asked: tuple[Person | Agent, str] = (who, id_)
        flat = await scene.get("/keys/bundle", asked[0], user_id=asked[1])
        assert flat == {
            "user_id": id_,
            "owner_type": kind,
            "identity_key": public(owner.identity),
            "signed_prekey": public(owner.prekey),
            "prekey_signature": owner.prekey_body()["signature"],
            "one_time_prekey": public(owner.one_time[2]),
        }
    bare = await scene.register("bare")
    await scene.http.put("/keys/identity", json={"public_key": new_key()}, headers=bare.headers)
    flat = await scene.get("/keys/bundle", bare, user_id=bare.id)
    assert (flat["signed_prekey"], flat["one_time_prekey"]) == (None, None)


@pytest.mark.parametrize("query", [{}, {"owner_id": ""}, {"owner_id": "x", "owner_type": "server"}])
async def test_a_bundle_of_whom(scene: Scene, cast: Cast, query: dict[str, Any]) -> None:
    status, code, _ = await refused(scene, cast.alice, "GET", "/keys/bundle", params=query)
    assert (status, code) == (400, "malformed")


async def test_only_members_ask(scene: Scene, cast: Cast) -> None:
    """Keys are public among those who know each other, not on the internet."""
    del cast
    for method, path in (("POST", HELPER), ("GET", HELPER), ("GET", "/keys/bundle?owner_id=helper")):
        assert (await scene.http.request(method, path)).status_code == 401
