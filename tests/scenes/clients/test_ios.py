"""The iOS app: forms without any CSRF header, a token in the socket's URL, and a parser that wants text everywhere."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import msgspec

from tests.harness import PASSWORD, Agent, Scene
from tests.scenes.clients.shipped import CHAT, Api, Failure, Line, is_time, knock, open_line

USER_AGENT = {"User-Agent": "AgentMessenger/1 CFNetwork/1490.0.4 Darwin/23.2.0"}


class Registered(msgspec.Struct):
    user_id: str
    username: str


class LoggedIn(Registered):
    token: str


class AgentCard(msgspec.Struct):
    id: str
    name: str
    model: str
    personality: str
    specialty: str
    status: str


class Conversation(msgspec.Struct):
    id: str
    user_id: str
    agent_id: str
    created_at: str
    updated_at: str


class Message(msgspec.Struct):
    conversation_id: str
    content: str
    sender_type: str
    sender_id: str
    id: str | None = None
    timestamp: str | None = None


class Data(msgspec.Struct):
    """Each is text or absent; any other JSON type under one of these names loses the whole frame."""

    conversation_id: str | None = None
    content: str | None = None
    sender_type: str | None = None
    sender_id: str | None = None
    agent_id: str | None = None
    status: str | None = None
    message: str | None = None


class Frame(msgspec.Struct):
    type: str
    data: Data


@dataclass
class Phone:
    api: Api
    user_id: str
    token: str

    @property
    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    @asynccontextmanager
    async def socket(self) -> AsyncIterator[Line]:
        target = f"/client/connect?user_id={self.user_id}&token={self.token}"
        async with open_line(self.api.scene, target, headers=USER_AGENT) as line:
            yield line


async def sign_in(scene: Scene, name: str = "alice") -> Phone:
    """As the app does it: a failed login is followed by a registration with the same words, then by a login."""
    api = Api(scene, USER_AGENT)
    form = {"username": name, "password": PASSWORD}
    if (await api.answer("POST", "/auth/login", data=form)).status_code != 200:
        await api.ask("POST", "/auth/user", Registered, data=form)
    logged_in = await api.ask("POST", "/auth/login", LoggedIn, data=form)
    assert logged_in.username == name
    return Phone(api, logged_in.user_id, logged_in.token)


async def converse(phone: Phone) -> str:
    form = {"user_id": phone.user_id, "agent_id": "helper"}
    made = await phone.api.ask("POST", "/conversations/create", Conversation, data=form, headers=phone.bearer)
    assert (made.user_id, made.agent_id) == (phone.user_id, "helper")
    return made.id


async def test_signing_up_and_looking_around(scene: Scene, helper: Agent) -> None:
    """No request carries an Origin or X-Requested-With, and none is refused for it; every field is where it looks."""
    phone = await sign_in(scene)
    assert (await sign_in(scene)).user_id == phone.user_id
    taken = {"username": "alice", "password": "another one entirely"}
    assert (await phone.api.ask("POST", "/auth/user", Failure, status=409, data=taken)).error
    assert (await phone.api.ask("POST", "/auth/login", Failure, status=401, data=taken)).error
    (card,) = await phone.api.ask("GET", "/agents", list[AgentCard], headers=phone.bearer)
    assert (card.id, card.status) == ("helper", "offline")
    talk = await converse(phone)
    assert await converse(phone) == talk
    (listed,) = await phone.api.ask("GET", "/conversations/list", list[Conversation], headers=phone.bearer)
    assert (listed.id, listed.created_at[:10]) == (talk, listed.updated_at[:10])
    assert is_time(listed.created_at)
    assert is_time(listed.updated_at)


async def test_a_conversation(scene: Scene, helper: Agent) -> None:
    """One chat frame per message, no echo, no end of typing that it would take for a start, and times in history."""
    phone = await sign_in(scene)
    talk = await converse(phone)
    async with phone.socket() as line, scene.device(helper) as agent:
        assert (await line.next(Frame, "status")).data.sender_id == "helper"
        await line.say({"type": "message", "data": {"conversation_id": talk, "content": "question"}})
        await agent.next("message", content="question")
        await line.say({"type": "typing", "data": {"conversation_id": talk}})
        assert (await agent.next("typing"))["typing"] is True
        frames = await line.so_far(Frame)
        assert [frame.type for frame in frames] == ["message_sent"]
        assert frames[0].data.status == "delivered"
        for is_typing in (True, False):
            await agent.say("typing", conversation_id=talk, typing=is_typing)
        await agent.send(talk, "answer", metadata={"status": 7, "message": [1]})
        await agent.caught_up()
        frames = await line.so_far(Frame)
        assert [frame.type for frame in frames if frame.type not in CHAT] == ["typing"]
        (chat,) = (frame for frame in frames if frame.type in CHAT)
        assert chat.data == Data(
            conversation_id=talk, content="answer", sender_type="agent", sender_id="helper", agent_id="helper"
        )
    path = f"/conversations/messages?conversation_id={talk}"
    history = await phone.api.ask("GET", path, list[Message], headers=phone.bearer)
    assert [(each.content, each.sender_type, each.sender_id) for each in history] == [
        ("question", "client", phone.user_id),
        ("answer", "agent", "helper"),
    ]
    assert all(is_time(each.timestamp) for each in history)


async def test_agents_come_and_go_as_statuses(scene: Scene, helper: Agent) -> None:
    """It ignores presence and reads a status's agent from sender_id or agent_id."""
    phone = await sign_in(scene)
    async with phone.socket() as line:
        async with scene.device(helper) as agent:
            assert (await line.next(Frame, "status")).data.status == "online"
            await agent.say("status", status="busy", text="thinking")
            busy = (await line.next(Frame, "status")).data
            assert (busy.status, busy.sender_id, busy.agent_id, busy.message) == (
                "busy",
                "helper",
                "helper",
                "thinking",
            )
        assert (await line.next(Frame, "status")).data.status == "offline"


async def test_every_other_event_can_be_decoded(scene: Scene, helper: Agent) -> None:
    """Edits, deletions, receipts and new conversations carry no other JSON type under a name that it reads."""
    phone = await sign_in(scene)
    async with phone.socket() as line, scene.device(helper) as agent:
        talk = await converse(phone)
        sent = await agent.send(talk, "helo")
        await agent.ask("edit", message_id=sent["message_id"], content="hello")
        await agent.ask("delete", message_id=sent["message_id"])
        await line.say({"type": "message", "data": {"conversation_id": talk, "content": "read me"}})
        await agent.next("message", content="read me")
        await agent.ask("read", conversation_id=talk)
        heard = [frame.type for frame in await line.so_far(Frame)]
        assert {"conversation_created", "message_edited", "message_deleted", "read_receipt"} <= set(heard)


async def test_a_refusal_is_read_from_message(scene: Scene, helper: Agent) -> None:
    """It never looks at `data.error`; the socket stays open."""
    phone = await sign_in(scene)
    async with phone.socket() as line:
        await line.say({"type": "message", "data": {"conversation_id": "conv_nowhere", "content": "hello?"}})
        assert "conv_nowhere" in ((await line.next(Frame, "error")).data.message or "")
        await line.say("no JSON at all")
        assert (await line.next(Frame, "error")).data.message


async def test_two_sockets_at_once(scene: Scene, helper: Agent) -> None:
    """A failed receive and a close each open a new one, without a device id: both hear everything once."""
    phone = await sign_in(scene)
    talk = await converse(phone)
    async with phone.socket() as first, phone.socket() as second, scene.device(helper) as agent:
        await agent.send(talk, "to both")
        await first.say({"type": "message", "data": {"conversation_id": talk, "content": "from one"}})
        await agent.next("message", content="from one")
        for line in (first, second):
            heard = [frame.data.content for frame in await line.so_far(Frame) if frame.type in CHAT]
            assert heard == ["to both"]


async def test_what_was_said_while_it_was_away(scene: Scene, helper: Agent) -> None:
    """It comes with the next socket, once and in order."""
    phone = await sign_in(scene)
    talk = await converse(phone)
    async with scene.device(helper) as agent:
        for content in ("one", "two"):
            await agent.send(talk, content)
    async with phone.socket() as line:
        heard = [(await line.next(Frame, "message")).data.content for _ in range(2)]
        assert heard == ["one", "two"]
        assert [frame for frame in await line.so_far(Frame) if frame.type in CHAT] == []


async def test_after_a_restart_of_the_app_it_has_no_token(scene: Scene, helper: Agent) -> None:
    """It says `Bearer` and nothing behind it; that proves nobody, and the answer says so in JSON."""
    phone = await sign_in(scene)
    empty = {"Authorization": "Bearer"}
    await phone.api.ask("GET", "/conversations/list", Failure, status=401, headers=empty)
    await phone.api.ask("GET", "/agents", Failure, status=401, headers=empty)
    refused = await knock(scene, f"/client/connect?user_id={phone.user_id}&token=", USER_AGENT)
    assert refused.status_code == 401
