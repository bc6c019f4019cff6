"""One connection of one device, from its first frame to its close."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.harness import Json, Scene, open_scene


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with open_scene(tmp_path) as scene:
        yield scene


async def test_the_greeting_says_all_that_a_client_needs(scene: Scene) -> None:
    """Who it is, where it goes on from, what it may do and how much of it."""
    alice = await scene.register("alice")
    async with scene.device(alice, "phone") as phone:
        data = phone.greeting["data"]
        assert list(phone.greeting) == ["type", "data"]
        assert (data["id"], data["kind"], data["status"]) == (alice.id, "user", "connected")
        assert (data["protocol_version"], data["supported_versions"]) == ("v2", ["v1", "v2"])
        assert data["device_id"] == "phone"
        assert data["seq"] <= data["head"]
        assert set(data["limits"]) == {
            "max_message_bytes", "max_content_bytes", "messages_per_minute", "ephemeral_per_minute", "ping_every_s",
            "dead_after_s",
        }  # fmt: skip
        assert {"message", "edit", "delete", "read", "history", "typing", "status"} <= set(data["capabilities"])


async def test_refs_are_echoed_as_they_were(scene: Scene) -> None:
    """Texts and numbers, on answers and on errors; never on events."""
    alice = await scene.register("alice")
    async with scene.device(alice) as phone:
        for ref in ("a", "", "ä\"'\n", 0, -5, 2**53):
            await phone.socket.send_message(json.dumps({"type": "ping", "ref": ref}))
            assert (await phone.frame())["ref"] == ref
            await phone.socket.send_message(json.dumps({"type": "dance", "ref": ref}))
            told = await phone.frame()
            assert (told["type"], told["ref"], told["data"]["code"]) == ("error", ref, "unknown_type")


@pytest.mark.parametrize(
    "frame", ["nonsense", "[]", '{"type":5}', '{"type":"message","data":5}', '{"type":"dance"}', "{}", ""]
)
async def test_a_bad_frame_is_answered_and_the_socket_stays(scene: Scene, frame: str) -> None:
    """On v1 and v2."""
    alice = await scene.register("alice")
    async with scene.device(alice) as phone, scene.old_device(alice) as old:
        await phone.socket.send_message(frame)
        assert (await phone.take())["type"] == "error"
        await phone.caught_up()
        await old.socket.send_message(frame)
        told = await old.next("error")
        assert told["error"] == told["message"]
        await old.say("ping")
        await old.next("pong")


async def test_binary_frames_are_json_too(scene: Scene) -> None:
    """As the older server took them."""
    alice = await scene.register("alice")
    async with scene.device(alice) as phone:
        await phone.socket.send_message(b'{"type":"ping","ref":1}')
        assert (await phone.frame())["type"] == "pong"


async def test_signs_of_life_are_answered(scene: Scene) -> None:
    helper = await scene.register_agent("helper")
    async with scene.device(helper) as agent, scene.old_device(await scene.register("alice")) as old:
        told = await agent.ask("heartbeat")
        assert (told["type"], told["data"]["monitoring"]) == ("heartbeat_ack", False)
        assert (told["data"]["interval_s"], told["data"]["timeout_s"]) == (30, 90)
        await old.socket.send_message('{"type":"heartbeat"}')
        assert (await old.next("heartbeat_ack"))["server_time"].endswith("Z")
        await old.socket.send_message('{"type":"pong"}')


async def test_a_second_hello_is_refused(scene: Scene) -> None:
    async with scene.device(await scene.register("alice")) as phone:
        assert (await phone.ask("hello"))["data"]["code"] == "malformed"


@pytest.mark.parametrize("seq", [-1, 0, 10**12])
async def test_an_ack_of_what_was_not_sent_changes_nothing(scene: Scene, seq: int) -> None:
    """The cursor stays where it was."""
    alice, helper = await scene.register("alice"), await scene.register_agent("helper")
    talk = await scene.conversation(alice, helper)
    async with scene.device(alice, "phone") as phone, scene.device(helper) as agent:
        await agent.send(talk, "hello")
        await phone.next("message")
        await phone.say("ack", seq=seq)
        await phone.caught_up()
    async with scene.device(alice, "phone") as phone:
        assert (await phone.next("message"))["content"] == "hello"


async def test_acks_over_several_events_count_for_all(scene: Scene) -> None:
    alice, helper = await scene.register("alice"), await scene.register_agent("helper")
    talk = await scene.conversation(alice, helper)
    async with scene.device(alice, "phone") as phone, scene.device(helper) as agent:
        for number in range(100):
            await agent.send(talk, f"n{number}")
        for number in range(100):
            await phone.next("message", content=f"n{number}")
        await phone.ack()
        await phone.caught_up()
        seen = phone.seq
    async with scene.device(alice, "phone") as phone:
        assert phone.greeting["data"]["seq"] == seen


async def test_a_device_that_says_where_it_is_starts_there(scene: Scene) -> None:
    """Its own word counts more than what the server noted."""
    alice, helper = await scene.register("alice"), await scene.register_agent("helper")
    talk = await scene.conversation(alice, helper)
    async with scene.device(alice, "phone") as phone, scene.device(helper) as agent:
        for number in range(5):
            await agent.send(talk, f"n{number}")
        await phone.next("message", content="n4")
        await phone.ack()
        await phone.caught_up()
        end, epoch = phone.seq, phone.greeting["data"]["epoch"]
    for since in (end - 2, 0, end):
        async with scene.device(alice, "phone", since=since, epoch=epoch) as phone:
            while phone.seq < end:
                await phone.take()
            await phone.caught_up()
            assert [frame["seq"] for frame in phone.events] == list(range(since + 1, end + 1))


async def test_a_message_beyond_the_frame_limit_closes_with_1009(tmp_path: Path) -> None:
    async with (
        open_scene(tmp_path, limits={"max_ws_message_bytes": 2000}) as scene,
        scene.device(await scene.register("alice")) as phone,
    ):
        await phone.socket.send_message("x" * 3000)
        assert (await phone.closed())[0] == 1009


def shown(frames: list[Json]) -> list[str]:
    return [frame["data"]["content"] for frame in frames if frame["type"] == "message"]


@pytest.mark.parametrize(
    "frame",
    [
        '{"type":"message","data":{"conversation_id":"TALK","content":"hi"}}',
        '{"type":"message","data":{"conversation_id":"TALK","content":"hi","metadata":{"a":1}}}',
        '{"type":"message","data":{"conversation_id":"TALK","content":"hi","sender_id":null,"typing":null,"status":null}}',
        '{"type":"message","data":{"agent_id":"helper","content":"hi","attachment_ids":[]}}',
        '{"type":"message","conversation_id":"TALK","content":"hi"}',
        '{"type":"chat","conversation_id":"TALK","content":"hi"}',
        '{"type":"chat","data":{"conversation_id":"TALK","content":"hi"}}',
        '{"type":"message","data":null,"agent_id":"helper","content":"hi"}',
    ],
)
async def test_every_way_in_which_shipped_clients_send(scene: Scene, frame: str) -> None:
    """Flat and nested, with nulls, without a conversation: stored, answered, heard by the agent in both its forms."""
    alice, helper = await scene.register("alice"), await scene.register_agent("helper")
    talk = await scene.conversation(alice, helper)
    async with scene.old_device(alice) as old, scene.old_device(helper) as agent:
        await old.socket.send_message(frame.replace("TALK", talk))
        sent = await old.next("message_sent")
        assert (sent["conversation_id"], sent["status"]) == (talk, "delivered")
        nested = await agent.next("message")
        flat = await agent.frame()
        assert flat["type"] == "user_message"
        assert nested["content"] == flat["content"] == "hi"
        assert nested["message_id"] == flat["message_id"] == sent["message_id"]
        assert flat["user_id"] == alice.id
