"""Each shipped client of the older protocol, as the server meets it: by its handshake, over a real socket."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.harness import Agent, Json, OldDevice, Person, Scene, open_scene


@dataclass(frozen=True)
class Kind:
    """How a client shakes hands, and the words under which it hears one message of an agent."""

    name: str
    offers: tuple[str, ...]
    user_agent: str | None
    hears: list[str]
    hears_itself: bool = False
    hears_stops: bool = True
    is_page: bool = False


KINDS = [
    Kind("sdk", ("v1",), "Python/3.12 websockets/14.0", ["message", "chat"]),
    Kind("ios", (), "AgentMessenger/1 CFNetwork/1490.0.4 Darwin/23.2.0", ["message"], hears_stops=False),
    Kind("android", (), "okhttp/4.12.0", ["message"], hears_itself=True),
    Kind("linux", (), None, ["agent_message"], is_page=True),
    Kind("webchat", (), "Mozilla/5.0 (X11; Linux x86_64)", ["message", "agent_message"], True, is_page=True),
    Kind("unknown", (), None, ["message", "agent_message"]),
]
CHAT = {"message", "chat", "agent_message", "user_message"}


@dataclass
class Cast:
    scene: Scene
    alice: Person
    helper: Agent
    talk: str


@pytest.fixture
async def cast(tmp_path: Path) -> AsyncIterator[Cast]:
    async with open_scene(tmp_path) as scene:
        alice, helper = await scene.register("alice"), await scene.register_agent("helper")
        yield Cast(scene, alice, helper, await scene.conversation(alice, helper))


async def until_pong(device: OldDevice) -> list[Json]:
    """Everything that came before this call."""
    await device.say("ping")
    frames: list[Json] = []
    while not frames or frames[-1]["type"] != "pong":
        frames.append(await device.frame())
    return frames[:-1]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
async def test_a_conversation_as_each_client_hears_it(cast: Cast, kind: Kind) -> None:
    """Its own form of a message, once; its own words only if it wants them; and answers it understands."""
    scene, talk = cast.scene, cast.talk
    async with (
        scene.old_device(cast.alice, offers=kind.offers, user_agent=kind.user_agent, is_page=kind.is_page) as phone,
        scene.device(cast.helper) as agent,
    ):
        assert phone.greeting["data"]["user_id"] == phone.greeting["id"] == cast.alice.id
        await until_pong(phone)
        await phone.say("message", conversation_id=talk, content="question")
        heard = (await agent.next("message"))["content"]
        assert heard == "question"
        frames = await until_pong(phone)
        (sent,) = [frame for frame in frames if frame["type"] == "message_sent"]
        assert (sent["status"], sent["data"]["status"], sent["conversation_id"]) == ("delivered", "delivered", talk)
        own = [frame for frame in frames if frame["type"] in CHAT]
        assert len(own) == (1 if kind.hears_itself else 0)
        if kind.hears_itself:
            word, sender = ("user_message", "client") if kind.name == "webchat" else ("message", "user")
            assert (own[0]["type"], own[0].get("data", own[0])["sender_type"]) == (word, sender)
        await agent.say("typing", conversation_id=talk)
        await agent.caught_up()
        await agent.say("typing", conversation_id=talk, typing=False)
        await agent.send(talk, "answer")
        frames = await until_pong(phone)
        signs = [frame["data"]["typing"] for frame in frames if frame["type"] == "typing"]
        assert signs == ([True, False] if kind.hears_stops else [True])
        chat = [frame for frame in frames if frame["type"] in CHAT]
        assert [frame["type"] for frame in chat] == kind.hears
        for frame in chat:
            fields = frame.get("data", frame)
            assert (fields["content"], fields["sender_type"], fields["agent_id"]) == ("answer", "agent", "helper")
            assert all("seq" not in each for each in frames)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
async def test_edits_deletions_and_receipts(cast: Cast, kind: Kind) -> None:
    scene, talk = cast.scene, cast.talk
    async with (
        scene.old_device(cast.alice, offers=kind.offers, user_agent=kind.user_agent, is_page=kind.is_page) as phone,
        scene.device(cast.helper) as agent,
    ):
        sent = await agent.send(talk, "helo")
        await agent.ask("edit", message_id=sent["message_id"], content="hello")
        edited = await phone.next("message_edited")
        assert (edited["message_id"], edited["content"], edited["edited_by"]) == (sent["message_id"], "hello", "helper")
        await agent.ask("delete", message_id=sent["message_id"])
        assert (await phone.next("message_deleted"))["deleted_by"] == "helper"
        await phone.send(talk, "read me")
        await agent.ask("read", conversation_id=talk)
        receipt = await phone.next("read_receipt")
        assert (receipt["read_by"], receipt["count"]) == ("helper", 1)


async def test_the_plugin_and_the_sdk_agent_hear_the_same_message(cast: Cast) -> None:
    """One reads `message`, the other `user_message` flat; both once, stable in id and time also when it comes again."""
    scene = cast.scene
    async with scene.device(cast.alice) as phone:
        await phone.send(cast.talk, "hello")
    told: list[tuple[str, str]] = []
    for _ in range(2):
        async with scene.old_device(cast.helper) as agent:
            nested, flat = await agent.next("message"), await agent.next("user_message")
            assert flat["content"] == nested["content"] == "hello"
            assert flat["user_id"] == cast.alice.id
            told.append((flat["message_id"], flat["timestamp"]))
            await scene.running.sessions.write_cursors()
        async with scene.device(cast.helper, since=0):
            pass
        await scene.running.services.store.write(
            lambda tx: tx.run("UPDATE cursor SET seq = 0 WHERE account_key = 'a:helper'")
        )
    assert told[0] == told[1]


async def test_words_that_only_documents_know(cast: Cast) -> None:
    """Flat, under the names of the older server's pages: read, edit, delete, react; a word nobody knows is an error."""
    async with cast.scene.old_device(cast.alice) as phone, cast.scene.device(cast.helper) as agent:
        sent = await agent.send(cast.talk, "read me")
        await phone.next("message")
        flat: Json = {"type": "read", "conversation_id": cast.talk, "message_id": sent["message_id"], "content": None}
        await phone.socket.send_message(json.dumps(flat))
        assert (await agent.next("receipt"))["read_up_to"] == 1
        assert (await phone.next("read_receipt"))["read_by"] == cast.alice.id
        flat = {"type": "chat", "data": None, "conversation_id": cast.talk, "content": "helo", "timestamp": "whenever"}
        await phone.socket.send_message(json.dumps(flat))
        own = (await phone.next("message_sent"))["message_id"]
        flat = {"type": "edit_message", "message_id": own, "content": "hello"}
        await phone.socket.send_message(json.dumps(flat))
        assert (await phone.next("message_edited"))["content"] == "hello"
        flat = {"type": "reaction", "message_id": own, "emoji": "👍"}
        await phone.socket.send_message(json.dumps(flat))
        assert (await phone.next("reaction_added"))["action"] == "added"
        flat = {"type": "delete_message", "message_id": own}
        await phone.socket.send_message(json.dumps(flat))
        assert (await phone.next("message_deleted"))["message_id"] == own
        await phone.say("history_request", conversation_id=cast.talk)
        assert (await phone.next("error"))["code"] == "unknown_type"
        await phone.say("heartbeat")
        beat = await phone.next("heartbeat_ack")
        assert {"server_time", "interval_s", "timeout_s", "monitoring"} <= set(beat)


async def test_order_of_rapid_messages(cast: Cast) -> None:
    async with cast.scene.old_device(cast.alice) as phone, cast.scene.old_device(cast.helper) as agent:
        for number in range(50):
            await phone.say("message", conversation_id=cast.talk, content=f"n{number}")
        heard = [(await agent.next("user_message"))["content"] for _ in range(50)]
        assert heard == [f"n{number}" for number in range(50)]


async def test_two_people_see_nothing_of_each_other(cast: Cast) -> None:
    """Nothing at all reaches a second person while the first one talks with the same agent."""
    scene = cast.scene
    bob = await scene.register("bob")
    async with (
        scene.old_device(bob) as stranger,
        scene.device(bob) as native,
        scene.device(cast.alice) as phone,
        scene.device(cast.helper) as agent,
    ):
        await native.caught_up()
        await until_pong(stranger)
        await phone.say("typing", conversation_id=cast.talk)
        await phone.say("status", status="busy")
        sent = await phone.send(cast.talk, "secret")
        await agent.ask("read", conversation_id=cast.talk)
        await phone.ask("edit", message_id=sent["message_id"], content="other secret")
        await phone.ask("delete", message_id=sent["message_id"])
        await native.caught_up()
        frames = [*native.events, *native.ephemeral, *(await until_pong(stranger))]
        assert {frame["type"] for frame in frames} <= {"presence_update", "status"}
        assert cast.alice.id not in str(frames)
        assert cast.talk not in str(frames)
