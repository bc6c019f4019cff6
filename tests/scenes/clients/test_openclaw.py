"""The OpenClaw plugin and the raw user of its live suite: flat frames, and a time that is a message's identity."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import msgspec

from tests.harness import AGENT_SECRET, Agent, Json, Person, Scene
from tests.scenes.clients.shipped import CHAT, Line, knock, open_line


class UserMessage(msgspec.Struct):
    """
    Read beside `type`.

    Attributes:
        timestamp: goes into JavaScript's Date, and with the conversation is the message's identity.
    """

    type: str
    conversation_id: str
    user_id: str
    content: str
    timestamp: str
    metadata: dict[str, Any] | None = None

    @property
    def identity(self) -> str:
        assert datetime.fromisoformat(self.timestamp).tzinfo is not None
        return f"{self.conversation_id}:{self.timestamp}"


class ConversationCreated(msgspec.Struct):
    type: str
    conversation_id: str
    user_id: str
    agent_id: str


class Chat(msgspec.Struct):
    type: str
    conversation_id: str
    content: str
    sender_type: str


class Typing(msgspec.Struct):
    type: str
    conversation_id: str
    typing: bool


class Status(msgspec.Struct):
    type: str
    agent_id: str
    status: str


class ErrorData(msgspec.Struct):
    error: str


class ErrorFrame(msgspec.Struct):
    type: str
    data: ErrorData


@asynccontextmanager
async def plugin(scene: Scene, agent_id: str = "helper") -> AsyncIterator[Line]:
    """npm's ws: no User-Agent and no Origin; the secret stands before the id."""
    target = f"/agent/connect?agent_secret={AGENT_SECRET}&agent_id={agent_id}&name=Helper&model=gpt"
    async with open_line(scene, target, offers=("v1",)) as line:
        yield line


@asynccontextmanager
async def raw_user(scene: Scene, person: Person, device: str = "") -> AsyncIterator[Line]:
    target = f"/client/connect?token={person.token}" + (f"&device_id={device}" if device else "")
    async with open_line(scene, target, offers=("v1",)) as line:
        yield line


async def heard(line: Line, word: str, shape: Any) -> Any:
    """The next frame of this type, read flat; whatever comes before it is logged and left alone."""
    while True:
        raw = await line.next_raw()
        if msgspec.json.decode(raw)["type"] == word:
            return msgspec.json.decode(raw, type=shape)


async def test_a_conversation_as_the_live_suite_has_it(scene: Scene) -> None:
    """Flat `chat` in, flat `user_message` out, the answer nested in and flat `chat` out, typing both ways, status."""
    alice = await scene.register("alice")
    async with plugin(scene) as agent, raw_user(scene, alice) as user:
        answer = await scene.http.post("/conversations/create", data={"agent_id": "helper"}, headers=alice.headers)
        talk = answer.json()["conversation_id"]
        created = await heard(agent, "conversation_created", ConversationCreated)
        assert created == ConversationCreated("conversation_created", talk, alice.id, "helper")
        await user.say({"type": "chat", "conversation_id": talk, "content": "question"})
        asked = await heard(agent, "user_message", UserMessage)
        assert (asked.conversation_id, asked.user_id, asked.content) == (talk, alice.id, "question")
        await agent.say({"type": "status", "data": {"status": "active"}})
        assert await heard(user, "status", Status) == Status("status", "helper", "online")
        for is_typing in (True, False):
            await agent.say({"type": "typing", "data": {"conversation_id": talk, "typing": is_typing}})
            assert await heard(user, "typing", Typing) == Typing("typing", talk, is_typing)
        metadata = {"source": "openclaw"}
        await agent.say({"type": "message", "data": {"conversation_id": talk, "content": "ok", "metadata": metadata}})
        assert await heard(user, "chat", Chat) == Chat("chat", talk, "ok", "agent")
        busy = {"status": "busy", "message": "reading"}
        await agent.say({"type": "status", "data": busy})
        assert (await heard(user, "status", Status)).status == "busy"
        words = [frame["type"] for frame in await user.so_far(Json)]
        assert words == []


async def test_a_user_hears_nothing_that_no_conversation_produced(scene: Scene, helper: Agent) -> None:
    """An agent that comes and goes is presence, and no status; a message is one `message` and one `chat`."""
    alice = await scene.register("alice")
    talk = await scene.conversation(alice, helper)
    async with raw_user(scene, alice) as user:
        await user.so_far(Json)
        async with plugin(scene) as agent:
            await heard(user, "presence_update", Json)
            await agent.say({"type": "message", "data": {"conversation_id": talk, "content": "hello"}})
            await heard(user, "chat", Chat)
        await heard(user, "presence_update", Json)
        assert await user.so_far(Json) == []


async def test_identities_are_unique_and_stay(scene: Scene, helper: Agent) -> None:
    """Messages of one millisecond have an identity each; one that comes again after a drop has the one it had."""
    alice = await scene.register("alice")
    talk = await scene.conversation(alice, helper)
    async with scene.device(alice) as phone:
        for number in range(40):
            await phone.say("message", conversation_id=talk, content=f"n{number}")
        await phone.ask("read", conversation_id=talk)
    told: list[list[UserMessage]] = []
    for _ in range(2):
        async with plugin(scene) as agent:
            told.append([await heard(agent, "user_message", UserMessage) for _ in range(40)])
        await scene.running.sessions.write_cursors()
        await scene.running.services.store.write(
            lambda tx: tx.run("UPDATE cursor SET seq = 0 WHERE account_key = 'a:helper'")
        )
    assert [each.content for each in told[0]] == [f"n{number}" for number in range(40)]
    assert len({each.identity for each in told[0]}) == 40
    assert told[0] == told[1]


async def test_what_was_said_while_the_agent_was_away(scene: Scene, helper: Agent) -> None:
    """It comes in order with the next socket, and after it the first live message."""
    alice = await scene.register("alice")
    talk = await scene.conversation(alice, helper)
    async with raw_user(scene, alice) as user:
        for number in range(3):
            await user.say({"type": "chat", "conversation_id": talk, "content": f"n{number}"})
        frames = await user.so_far(Json)
        sent = [frame["status"] for frame in frames if frame["type"] == "message_sent"]
        assert sent == ["queued"] * 3
        async with plugin(scene) as agent:
            contents = [(await heard(agent, "user_message", UserMessage)).content for _ in range(3)]
            await user.say({"type": "chat", "conversation_id": talk, "content": "live"})
            contents.append((await heard(agent, "user_message", UserMessage)).content)
            assert contents == ["n0", "n1", "n2", "live"]


async def test_two_devices_of_one_user(scene: Scene, helper: Agent) -> None:
    """Both hear the agent; each hears what the other said, and not itself."""
    alice = await scene.register("alice")
    talk = await scene.conversation(alice, helper)
    async with raw_user(scene, alice, "d1") as first, raw_user(scene, alice, "d2") as second, plugin(scene) as agent:
        assert first.greeting["data"]["device_id"] == "d1"
        await first.say({"type": "chat", "conversation_id": talk, "content": "from one"})
        await heard(agent, "user_message", UserMessage)
        await agent.say({"type": "message", "data": {"conversation_id": talk, "content": "to both"}})
        assert (await heard(second, "chat", Chat)).sender_type == "client"
        assert (await heard(second, "chat", Chat)).content == "to both"
        chats = [frame for frame in await first.so_far(Json) if frame["type"] == "chat"]
        assert [frame["content"] for frame in chats] == ["to both"]


async def test_what_is_no_json_does_not_disconnect(scene: Scene, helper: Agent) -> None:
    """Every malformed or unknown frame is answered with an error that it reads, and the next good one is served."""
    alice = await scene.register("alice")
    talk = await scene.conversation(alice, helper)
    bad: list[str | bytes] = [
        "no JSON",
        "[]",
        "{}",
        '{"type":5}',
        '{"type":"message","data":7}',
        '{"type":"never_heard","data":{}}',
        b"\xff",
    ]
    async with raw_user(scene, alice) as user, plugin(scene) as agent:
        for line in (user, agent):
            for frame in bad:
                await line.say(frame)
                assert (await heard(line, "error", ErrorFrame)).data.error
        await user.say({"type": "chat", "conversation_id": talk, "content": "still here"})
        assert (await heard(agent, "user_message", UserMessage)).content == "still here"


async def test_binary_frames_are_frames(scene: Scene, helper: Agent) -> None:
    """JSON in a binary frame is taken like JSON in a text frame; answers are text."""
    alice = await scene.register("alice")
    talk = await scene.conversation(alice, helper)
    async with raw_user(scene, alice) as user, plugin(scene) as agent:
        await user.say(msgspec.json.encode({"type": "chat", "conversation_id": talk, "content": "as bytes"}))
        assert (await heard(agent, "user_message", UserMessage)).content == "as bytes"
        await agent.say(msgspec.json.encode({"type": "message", "data": {"conversation_id": talk, "content": "too"}}))
        assert (await heard(user, "chat", Chat)).content == "too"


async def test_an_agent_that_hears_itself_would_talk_for_ever(scene: Scene, helper: Agent) -> None:
    alice = await scene.register("alice")
    talk = await scene.conversation(alice, helper)
    async with plugin(scene) as agent:
        await agent.say({"type": "message", "data": {"conversation_id": talk, "content": "me"}})
        await heard(agent, "message_sent", Json)
        assert CHAT.isdisjoint(frame["type"] for frame in await agent.so_far(Json))
    async with plugin(scene) as again:
        assert CHAT.isdisjoint(frame["type"] for frame in await again.so_far(Json))


async def test_the_oldest_frames_of_all(scene: Scene, helper: Agent) -> None:
    """The first protocol's file names the key `api_key`, offers nothing and says everything flat."""
    alice = await scene.register("alice")
    talk = await scene.conversation(alice, helper)
    async with (
        raw_user(scene, alice) as user,
        open_line(scene, f"/agent/connect?api_key={AGENT_SECRET}&agent_id=helper") as agent,
    ):
        assert agent.greeting["data"]["agent_id"] == "helper"
        await user.say({"type": "message", "conversation_id": talk, "content": "flat"})
        assert (await heard(agent, "user_message", UserMessage)).content == "flat"
        await agent.say({"type": "typing", "conversation_id": talk})
        assert (await heard(user, "typing", Typing)).typing is True
        await agent.say({"type": "message", "conversation_id": talk, "content": "flat too", "metadata": None})
        answer = await heard(user, "chat", Chat)
        assert answer.content == "flat too"
        await agent.say({"type": "heartbeat"})
        assert (await heard(agent, "heartbeat_ack", Json))["interval_s"] > 0


async def test_a_wrong_secret_is_refused(scene: Scene, helper: Agent) -> None:
    refused = await knock(scene, "/agent/connect?agent_secret=wrong&agent_id=helper")
    assert refused.status_code == 401
    missing = await knock(scene, "/agent/connect?agent_id=helper")
    assert (missing.status_code, missing.json()["error"]) == (401, "missing agent_secret parameter")
    nameless = await knock(scene, f"/agent/connect?agent_secret={AGENT_SECRET}")
    assert (nameless.status_code, nameless.json()["error"]) == (400, "missing agent_id parameter")
