"""Who is here, what they say they are doing, and when they were last seen."""

from __future__ import annotations

import pytest

from amtrio.features import presence
from tests.features.conftest import Cast
from tests.harness import Scene


async def test_coming_and_going_is_told_to_who_may_know(scene: Scene, cast: Cast) -> None:
    """People hear of agents; an agent hears of people who talk with it; people hear nothing of each other."""
    await scene.register_agent("lonely")
    async with scene.device(cast.bob) as bob:
        async with scene.device(cast.helper) as agent:
            assert await bob.next("presence_update", id="helper", online=True)
            async with scene.device(cast.alice):
                told = await agent.next("presence_update", id=cast.alice.id, online=True)
                assert told["type"] == "user"
            assert (await agent.next("presence_update", id=cast.alice.id, online=False))["last_seen"]
        await bob.next("presence_update", id="helper", online=False)
        await bob.caught_up()
        assert cast.alice.id not in {frame["data"].get("id") for frame in bob.ephemeral}


async def test_a_second_socket_is_no_news(scene: Scene, cast: Cast) -> None:
    async with scene.device(cast.helper) as agent, scene.device(cast.alice, "phone"):
        await agent.next("presence_update", id=cast.alice.id, online=True)
        async with scene.device(cast.alice, "laptop"):
            pass
        await presence.tell_changes(scene.running.services)
        await agent.caught_up()
        changes = [f for f in agent.ephemeral if f["type"] == "presence_update" and f["data"]["id"] == cast.alice.id]
        assert len(changes) == 1


@pytest.mark.parametrize(
    ("said", "shown"), [("busy", "busy"), ("idle", "idle"), ("active", "online"), ("offline", "offline")]
)
async def test_an_agents_status_reaches_people_and_the_list(scene: Scene, cast: Cast, said: str, shown: str) -> None:
    """`active` is what an older plugin says for online; the line of text goes with it."""
    async with scene.device(cast.alice) as phone, scene.device(cast.helper) as agent:
        await agent.say("status", status=said, text="thinking")
        told = await phone.next("status", status=shown, text="thinking")
        assert (told["sender_type"], told["sender_id"]) == ("agent", "helper")
        (card,) = await scene.get("/agents", cast.alice)
        assert (card["status"], card["status_text"], card["online"]) == (shown, "thinking", True)


async def test_a_status_is_gone_with_the_last_socket(scene: Scene, cast: Cast) -> None:
    async with scene.device(cast.alice) as phone:
        async with scene.device(cast.helper) as agent:
            await agent.say("status", status="busy")
            await phone.next("status", status="busy")
        await phone.next("status", status="offline")
        (card,) = await scene.get("/agents", cast.alice)
        assert (card["status"], card["online"]) == ("offline", False)
        assert card["last_seen"] is not None
        async with scene.device(cast.helper):
            await phone.next("status", status="online")


async def test_a_persons_status_is_for_their_agents(scene: Scene, cast: Cast) -> None:
    """Other people never hear it; within a conversation only its agent does."""
    other = await scene.register_agent("other")
    await scene.conversation(cast.alice, other)
    async with (
        scene.device(cast.alice) as phone,
        scene.device(cast.bob) as bob,
        scene.device(cast.helper) as helper,
        scene.device(other) as second,
    ):
        await phone.say("status", status="busy")
        for agent in (helper, second):
            assert (await agent.next("status", status="busy"))["sender_id"] == cast.alice.id
        await phone.say("status", status="idle", conversation_id=cast.talk)
        assert (await helper.next("status", status="idle"))["conversation_id"] == cast.talk
        for device in (second, bob):
            await device.caught_up()
            assert "idle" not in {frame["data"].get("status") for frame in device.ephemeral}
        assert cast.alice.id not in {frame["data"].get("sender_id") for frame in bob.ephemeral}


@pytest.mark.parametrize("data", [{}, {"status": "dancing"}, {"status": 5}, {"status": "busy", "text": "x" * 201}])
async def test_what_is_no_status(scene: Scene, cast: Cast, data: dict[str, object]) -> None:
    async with scene.device(cast.alice) as phone:
        assert (await phone.ask("status", **data))["data"]["code"] == "malformed"


async def test_presence_of_a_person_is_for_those_who_talk_with_them(scene: Scene, cast: Cast) -> None:
    """Their own, and their agents'; for anybody else they are not there."""
    async with scene.device(cast.alice):
        own = await scene.get("/presence/user", cast.alice)
        assert (own["user_id"], own["online"], own["device_count"]) == (cast.alice.id, True, 1)
        assert (await scene.get("/presence/user", cast.helper, user_id=cast.alice.id))["online"] is True
    stranger = await scene.register_agent("stranger")
    for who in (cast.bob, stranger):
        answers = [
            await scene.http.get("/presence/user", params={"user_id": id_}, headers=who.headers)
            for id_ in (cast.alice.id, "user_" + "0" * 32)
        ]
        assert [each.status_code for each in answers] == [404, 404]
        assert answers[0].text.replace(cast.alice.id, "ID") == answers[1].text.replace("user_" + "0" * 32, "ID")


async def test_the_python_sdk_gets_a_list_of_the_one_person(scene: Scene, cast: Cast) -> None:
    """It goes through the answer; every other client reads one object."""
    headers = cast.alice.headers | {"User-Agent": "Python-urllib/3.12"}
    (own,) = (await scene.http.get("/presence/user", headers=headers)).json()
    assert (own["user_id"], own["online"], own["status"]) == (cast.alice.id, False, "offline")
    async with scene.device(cast.alice):
        shown = await scene.get("/presence/user", cast.alice)
        assert (shown["online"], shown["status"], shown["device_count"]) == (True, "online", 1)


async def test_presence_of_agents_is_the_list_of_agents(scene: Scene, cast: Cast) -> None:
    async with scene.device(cast.helper):
        (card,) = await scene.get("/presence", cast.alice)
        assert (card["id"], card["agent_id"], card["online"]) == ("helper", "helper", True)


async def test_sockets_that_offered_v1_hear_no_stray_status(scene: Scene, cast: Cast) -> None:
    """On connect and disconnect of an agent they hear presence only; apps without v1 hear the status they redraw on."""
    async with scene.old_device(cast.alice) as sdk, scene.old_device(cast.bob, offers=()) as app:
        async with scene.device(cast.helper):
            await app.next("status", status="online")
        await app.next("status", status="offline")
        words: list[str] = []
        await sdk.say("ping")
        while not words or words[-1] != "pong":
            words.append((await sdk.frame())["type"])
        assert "status" not in words
        assert words.count("presence_update") == 2
