"""The Android app: JSON bodies, doubled slashes, the token in a header of the upgrade, no bubble before its echo."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import msgspec

from tests.harness import PASSWORD, Agent, Scene
from tests.scenes.clients.shipped import CHAT, Api, Failure, Line, is_time, knock, open_line

USER_AGENT = {"User-Agent": "okhttp/4.12.0"}


class Auth(msgspec.Struct):
    token: str
    user_id: str


class AgentCard(msgspec.Struct):
    """Its parser fills in what is missing and refuses null."""

    id: str
    name: str
    model: str = ""
    personality: str = ""
    specialty: str = ""
    status: str = "offline"
    connected_at: str | None = None


class Conversation(msgspec.Struct):
    id: str
    user_id: str
    agent_id: str
    created_at: str
    updated_at: str


class Message(msgspec.Struct):
    conversation_id: str
    sender_type: str
    sender_id: str
    content: str
    id: str | None = None
    created_at: str | None = None


class Data(msgspec.Struct):
    """A value of another JSON type loses the whole frame."""

    conversation_id: str | None = None
    content: str | None = None
    sender_type: str | None = None
    sender_id: str | None = None
    status: str | None = None
    typing: bool | None = None


class Frame(msgspec.Struct):
    type: str
    data: Data | None = None


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
        target = f"//client/connect?user_id={self.user_id}"
        async with open_line(self.api.scene, target, headers=USER_AGENT | self.bearer) as line:
            yield line


async def sign_up(scene: Scene, name: str = "alice") -> Phone:
    """Its server's address ends with a slash, so that every path begins with two."""
    api = Api(scene, USER_AGENT, base="/")
    body = {"username": name, "password": PASSWORD}
    made = await api.ask("POST", "/auth/user", Auth, json=body)
    again = await api.ask("POST", "/auth/login", Auth, json=body)
    assert again.user_id == made.user_id
    return Phone(api, again.user_id, again.token)


async def converse(phone: Phone) -> str:
    made = await phone.api.ask(
        "POST", "/conversations", Conversation, json={"agent_id": "helper"}, headers=phone.bearer
    )
    return made.id


def nulls(word: str, **data: object) -> dict[str, object]:
    """Its serializer writes what it has not as null."""
    empty = dict.fromkeys(("conversation_id", "content", "sender_type", "sender_id", "status", "typing"))
    return {"type": word, "data": {**empty, **data}}


async def test_signing_up_and_looking_around(scene: Scene, helper: Agent) -> None:
    """A registration brings a token; `//auth/login` is answered where it stands; no required field is missing."""
    phone = await sign_up(scene)
    wrong = {"username": "alice", "password": "not the right one"}
    assert (await phone.api.ask("POST", "/auth/login", Failure, status=401, json=wrong)).error
    (card,) = await phone.api.ask("GET", "/agents", list[AgentCard], headers=phone.bearer)
    assert (card.id, card.status) == ("helper", "offline")
    talk = await converse(phone)
    (listed,) = await phone.api.ask("GET", "/conversations", list[Conversation], headers=phone.bearer)
    assert listed.id == talk
    assert is_time(listed.created_at)
    assert is_time(listed.updated_at)


async def test_a_conversation(scene: Scene, helper: Agent) -> None:
    """Its own message comes back as `user`; typing begins and ends; a message is one frame."""
    phone = await sign_up(scene)
    talk = await converse(phone)
    async with phone.socket() as line, scene.device(helper) as agent:
        assert await line.next(Frame, "status") == Frame("status", Data(None, None, "agent", "helper", "online"))
        await line.say(nulls("message", conversation_id=talk, content="question", sender_type="user"))
        await agent.next("message", content="question")
        own = [frame.data for frame in await line.so_far(Frame) if frame.type == "message"]
        assert own == [Data(talk, "question", "user", phone.user_id)]
        for is_typing in (True, False):
            await line.say(nulls("typing", conversation_id=talk, typing=is_typing))
            assert (await agent.next("typing"))["typing"] is is_typing
        await agent.say("typing", conversation_id=talk)
        await agent.caught_up()
        await agent.send(talk, "answer")
        frames = await line.so_far(Frame)
        assert [frame.data and frame.data.typing for frame in frames if frame.type == "typing"] == [True, False]
        answer = [frame.data for frame in frames if frame.type in CHAT]
        assert answer == [Data(talk, "answer", "agent", "helper")]


async def test_history_by_its_own_route(scene: Scene, helper: Agent) -> None:
    """
    People are `user` there, and `client` on the older route, which other programs built on the same library read.

    Times sort as text in the order of the messages; `before` takes what it has read.
    """
    phone = await sign_up(scene)
    talk = await converse(phone)
    async with phone.socket() as line, scene.device(helper) as agent:
        for number in range(4):
            await line.say(nulls("message", conversation_id=talk, content=f"q{number}", sender_type="user"))
            await agent.next("message", content=f"q{number}")
            await agent.send(talk, f"a{number}")
    path = f"/conversations/{talk}/messages?limit=50"
    history = await phone.api.ask("GET", path, list[Message], headers=phone.bearer)
    assert [each.content for each in history] == ["q0", "a0", "q1", "a1", "q2", "a2", "q3", "a3"]
    assert {each.sender_type for each in history if each.content[0] == "q"} == {"user"}
    times = [each.created_at or "" for each in history]
    assert all(is_time(each) for each in times)
    assert times == sorted(times)
    for cursor in (history[2].id, history[2].created_at):
        older = await phone.api.ask("GET", f"{path}&before={cursor}", list[Message], headers=phone.bearer)
        assert [each.content for each in older if (each.created_at or "") < times[2]] == ["q0", "a0"][: len(older)]
    older_route = f"/conversations/messages?conversation_id={talk}"
    others = await phone.api.ask("GET", older_route, list[Message], headers=phone.bearer)
    assert {each.sender_type for each in others if each.content[0] == "q"} == {"client"}


async def test_two_devices(scene: Scene, helper: Agent) -> None:
    """What the other phone said arrives as one's own, once."""
    phone = await sign_up(scene)
    talk = await converse(phone)
    body = {"username": "alice", "password": PASSWORD}
    other_login = await phone.api.ask("POST", "/auth/login", Auth, json=body)
    other = Phone(phone.api, other_login.user_id, other_login.token)
    async with phone.socket() as line, other.socket() as tablet:
        await line.say(nulls("message", conversation_id=talk, content="from the phone"))
        assert (await tablet.next(Frame, "message")).data == Data(talk, "from the phone", "user", phone.user_id)
        assert [frame for frame in await tablet.so_far(Frame) if frame.type in CHAT] == []


async def test_what_was_said_while_it_was_away(scene: Scene, helper: Agent) -> None:
    phone = await sign_up(scene)
    talk = await converse(phone)
    async with scene.device(helper) as agent:
        await agent.send(talk, "are you there?")
    async with phone.socket() as line:
        assert (await line.next(Frame, "message")).data == Data(talk, "are you there?", "agent", "helper")


async def test_an_ended_token_is_refused(scene: Scene, helper: Agent) -> None:
    """It comes back for ever with it; each time the answer is 401, and JSON."""
    phone = await sign_up(scene)
    stale = {"Authorization": "Bearer not.a.token"}
    refused = await knock(scene, f"//client/connect?user_id={phone.user_id}", USER_AGENT | stale)
    assert refused.status_code == 401
    assert refused.json()["error"]
