"""The state of a conversation: its title, which both sides share, and what each member keeps for itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.features.conftest import Cast, post, send
from tests.harness import Agent, Json, Person, Scene, open_scene


async def change(scene: Scene, who: Person | Agent, talk: str, **fields: Any) -> httpx.Response:
    return await scene.http.patch(f"/conversations/{talk}", json=fields, headers=who.headers)


async def view(scene: Scene, who: Person | Agent, talk: str) -> Json:
    shown: Json = await scene.get(f"/conversations/{talk}", who)
    return shown


async def test_a_title_reaches_both_and_can_be_taken_away(scene: Scene, cast: Cast) -> None:
    """Of the default conversation, which stays the default one; over the socket and over REST."""
    async with scene.device(cast.alice) as phone, scene.device(cast.helper) as agent:
        await agent.ask("update_conversation", conversation_id=cast.talk, title="  Plans ")
        for device in (phone, agent):
            told = await device.next("conversation_updated")
            assert (told["title"], told["is_default"]) == ("Plans", True)
        assert (await change(scene, cast.alice, cast.talk, title=None)).json()["title"] is None
        assert (await agent.next("conversation_updated"))["title"] is None
        assert await scene.conversation(cast.alice, cast.helper) == cast.talk
        await change(scene, cast.alice, cast.talk, title=None)
        await phone.caught_up()
        words = [each["type"] for each in phone.events]
        assert words.count("conversation_updated") == 2, "what changed nothing is told to nobody"
        assert "conversation_state" not in words


async def test_a_titled_conversation_keeps_a_title(scene: Scene, cast: Cast) -> None:
    """Without one it could not be told from the default one."""
    made = (await post(scene, cast.alice, "/conversations", agent_id="helper", title="Plans")).json()["conversation_id"]
    answer = await change(scene, cast.alice, made, title=None, pinned=True)
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
    shown = await view(scene, cast.alice, made)
    assert (shown["title"], shown["pinned"]) == ("Plans", False), "all of it or nothing"
    assert (await change(scene, cast.alice, made, title="Other")).json()["title"] == "Other"


@pytest.mark.parametrize("title", ["", "  ", "x" * 201, "a\nb", "a\x07b", "a\u2028b", 5, ["x"]])
async def test_a_title_is_one_line(scene: Scene, cast: Cast, title: object) -> None:
    """On every way to give one."""
    answers = [
        await change(scene, cast.alice, cast.talk, title=title),
        await post(scene, cast.alice, "/conversations", agent_id="helper", title=title),
    ]
    assert [(each.status_code, each.json()["code"]) for each in answers] == [(400, "malformed")] * 2
    async with scene.device(cast.alice) as phone:
        for word in ("rename", "update_conversation"):
            told = await phone.ask(word, conversation_id=cast.talk, title=title)
            assert told["data"]["code"] == "malformed"
    assert len(await scene.get("/conversations", cast.alice)) == 1


async def test_own_state_reaches_own_devices_only(scene: Scene, cast: Cast) -> None:
    """Whole each time and once per change; older devices and the other side hear nothing."""
    async with (
        scene.device(cast.alice, "phone") as phone,
        scene.device(cast.alice, "tablet") as tablet,
        scene.old_device(cast.alice) as old,
        scene.device(cast.helper) as agent,
    ):
        answer = await phone.ask("update_conversation", conversation_id=cast.talk, pinned=True, tags=["b", "a"])
        assert (answer["data"]["pinned"], answer["data"]["tags"]) == (True, ["a", "b"])
        for device in (phone, tablet):
            assert await device.next("conversation_state") == {
                "conversation_id": cast.talk, "pinned": True, "archived": False, "muted_until": None,
                "tags": ["a", "b"],
            }  # fmt: skip
        await change(scene, cast.alice, cast.talk, pinned=True)
        await change(scene, cast.alice, cast.talk, archived=True)
        assert (await tablet.next("conversation_state"))["archived"] is True
        await agent.send(cast.talk, "after all that")
        await agent.caught_up()
        assert "conversation_state" not in [each["type"] for each in agent.events]
        while (frame := await old.frame())["type"] != "message":
            assert frame["type"] != "conversation_state"
    assert (await view(scene, cast.helper, cast.talk))["pinned"] is False


async def test_nothing_to_change_is_malformed(scene: Scene, cast: Cast) -> None:
    """A misspelt field is not answered as if it were done."""
    assert (await change(scene, cast.alice, cast.talk)).status_code == 400
    assert (await change(scene, cast.alice, cast.talk, pined=True)).status_code == 400
    for fields in ({"pinned": "yes"}, {"pinned": None}, {"archived": 1}, {"tags": "x"}, {"tags": [1]}, {"tags": None}):
        assert (await change(scene, cast.alice, cast.talk, **fields)).status_code == 400


async def test_a_message_takes_a_conversation_out_of_the_archive(scene: Scene, cast: Cast) -> None:
    """The other side's or one's own; nothing is written for it, and it can be archived again."""
    for sender in (cast.helper, cast.alice):
        answer = await change(scene, cast.alice, cast.talk, archived=True)
        assert answer.json()["archived"] is True
        assert await scene.get("/conversations", cast.alice) == []
        (shown,) = await scene.get("/conversations", cast.alice, archived="true")
        assert shown["conversation_id"] == cast.talk
        async with scene.device(sender) as device:
            await device.send(cast.talk, "hello again")
        (shown,) = await scene.get("/conversations", cast.alice)
        assert shown["archived"] is False
        assert await scene.get("/conversations", cast.alice, archived="true") == []
    assert (await view(scene, cast.helper, cast.talk))["archived"] is False


async def test_a_conversation_that_is_muted_for_ever_stays_in_the_archive(scene: Scene, cast: Cast) -> None:
    """Muting and unmuting move nothing in or out by themselves."""
    notifications = f"/conversations/{cast.talk}/notifications"

    async def is_archived() -> bool:
        return bool((await view(scene, cast.alice, cast.talk))["archived"])

    async def mute(**body: Any) -> None:
        assert (await scene.http.put(notifications, json=body, headers=cast.alice.headers)).status_code == 200

    await mute(muted=True)
    await change(scene, cast.alice, cast.talk, archived=True)
    await send(scene, cast.alice, cast.talk, "one")
    assert await is_archived()
    await mute(muted=False)
    assert await is_archived(), "unmuting is not looking at it"
    await send(scene, cast.alice, cast.talk, "two")
    assert not await is_archived()
    await mute(muted=True)
    assert not await is_archived(), "muting does not put it back"
    await change(scene, cast.alice, cast.talk, archived=True)
    await mute(muted_until="2999-01-01T00:00:00Z")
    assert await is_archived()
    await send(scene, cast.alice, cast.talk, "three")
    assert not await is_archived(), "muted for a while is not put away for good"


async def test_who_was_away_is_told_todays_truth(tmp_path: Path) -> None:
    """After a restart, whatever happened in between; each event has the whole state."""
    async with open_scene(tmp_path) as scene:
        alice, helper = await scene.register("alice"), await scene.register_agent("helper")
        talk = await scene.conversation(alice, helper)
        async with scene.device(alice, "phone") as phone:
            since, epoch = phone.greeting["data"]["head"], phone.greeting["data"]["epoch"]
        for fields in ({"pinned": True}, {"archived": True}, {"pinned": False, "tags": ["x"]}, {"archived": False}):
            assert (await change(scene, alice, talk, **fields)).status_code == 200
    async with open_scene(tmp_path) as scene, scene.device(alice, "phone", since=since, epoch=epoch) as phone:
        states = [await phone.next("conversation_state") for _ in range(4)]
        now = {"conversation_id": talk, "pinned": False, "archived": False, "muted_until": None, "tags": ["x"]}
        assert states == [now] * 4
        await scene.http.delete(f"/conversations/{talk}", headers=alice.headers)
    async with open_scene(tmp_path) as scene, scene.device(alice, "phone", since=since, epoch=epoch) as phone:
        await phone.next("conversation_deleted")
        assert [each["type"] for each in phone.events] == ["gone"] * 4 + ["conversation_deleted"]


async def test_a_repeat_is_done_once(scene: Scene, cast: Cast) -> None:
    """The answer of the first time, even if the state is another one now; another change under it is refused."""
    client_id = scene.client_id()
    first = await change(scene, cast.alice, cast.talk, pinned=True, client_id=client_id)
    await change(scene, cast.alice, cast.talk, pinned=False)
    again = await change(scene, cast.alice, cast.talk, pinned=True, client_id=client_id)
    assert first.json() == again.json()
    assert (await view(scene, cast.alice, cast.talk))["pinned"] is False
    refused = await change(scene, cast.alice, cast.talk, pinned=False, client_id=client_id)
    assert refused.json()["code"] == "client_id_reused"


async def test_anothers_conversation_is_not_there(scene: Scene, cast: Cast) -> None:
    """Neither to be named nor to be pinned."""
    for fields in ({"title": "mine"}, {"pinned": True}, {"archived": True}, {"tags": ["x"]}, {}):
        there = await change(scene, cast.alice, cast.other, **fields)
        missing = await change(scene, cast.alice, "conv_missing", **fields)
        assert (there.status_code, missing.status_code) == (404, 404)
        assert there.text.replace(cast.other, "conv_missing") == missing.text
