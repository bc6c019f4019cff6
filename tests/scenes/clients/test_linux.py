"""The Linux app: forms through python-requests, and a socket that names a person and proves nothing."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import msgspec

from tests.harness import PASSWORD, Agent, Json, Scene
from tests.scenes.clients.shipped import CHAT, Api, Failure, Line, knock, open_line

HEADERS = {"User-Agent": "python-requests/2.31.0", "Accept": "*/*"}


class LoggedIn(msgspec.Struct):
    token: str
    user_id: str


class AgentCard(msgspec.Struct):
    id: str
    name: str
    status: str
    specialty: str


class Conversation(msgspec.Struct):
    id: str


class Message(msgspec.Struct):
    content: str
    sender_type: str


@dataclass
class Desktop:
    api: Api
    user_id: str
    token: str

    @property
    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    @property
    def origin(self) -> dict[str, str]:
        """websocket-client names the server itself as the page that it comes from, and sends no User-Agent."""
        return {"Origin": f"http://127.0.0.1:{self.api.scene.running.port}"}

    @asynccontextmanager
    async def socket(self, credential: str = "", headers: Mapping[str, str] | None = None) -> AsyncIterator[Line]:
        target = f"/client/connect?user_id={self.user_id}{credential}"
        async with open_line(self.api.scene, target, headers={**self.origin, **(headers or {})}) as line:
            yield line


async def sign_in(scene: Scene) -> Desktop:
    """It signs in twice, once for the window and once for the socket."""
    await scene.register("alice")
    api = Api(scene, HEADERS)
    form = {"username": "alice", "password": PASSWORD}
    window = await api.ask("POST", "/auth/login", LoggedIn, data=form)
    client = await api.ask("POST", "/auth/login", LoggedIn, data=form)
    assert window.user_id == client.user_id
    return Desktop(api, client.user_id, client.token)


async def converse(desktop: Desktop) -> str:
    form = {"user_id": desktop.user_id, "agent_id": "helper"}
    made = await desktop.api.ask("POST", "/conversations/create", Conversation, data=form, headers=desktop.bearer)
    return made.id


class Window:
    """What it does with a frame: words that it knows read their fields where it looks for them, or it would raise."""

    def __init__(self) -> None:
        self.bubbles: list[tuple[str, str, str]] = []
        self.typing: list[tuple[str, bool]] = []
        self.statuses: list[tuple[str, str]] = []
        self.errors: list[str] = []

    def take(self, raw: str) -> None:
        frame: Json = json.loads(raw)
        if frame["type"] == "agent_message":
            self.bubbles.append((frame["content"], frame["conversation_id"], frame["agent_id"]))
        elif frame["type"] in {"typing", "status", "error"}:
            data = frame.get("data", {})
            if frame["type"] == "typing":
                self.typing.append(
                    (_text(data, frame, "conversation_id"), data.get("typing", frame.get("typing", False)))
                )
            elif frame["type"] == "status":
                self.statuses.append((_text(data, frame, "agent_id"), _text(data, frame, "status")))
            else:
                self.errors.append(data["error"])


def _text(data: Json, frame: Json, name: str) -> str:
    value = data.get(name, frame.get(name))
    assert isinstance(value, str)
    return value


async def seen(line: Line) -> Window:
    """What the window shows of everything that came before this call."""
    window = Window()
    for raw in await line.so_far(msgspec.Raw):
        window.take(bytes(raw).decode())
    return window


async def test_signing_in_and_looking_around(scene: Scene, helper: Agent) -> None:
    """No request carries an Origin or X-Requested-With; a refusal is JSON, or the app would fall over it."""
    desktop = await sign_in(scene)
    wrong = {"username": "alice", "password": "not the right one"}
    assert (await desktop.api.ask("POST", "/auth/login", Failure, status=401, data=wrong)).error
    (card,) = await desktop.api.ask("GET", "/agents", list[AgentCard], headers=desktop.bearer)
    assert (card.id, card.status) == ("helper", "offline")
    talk = await converse(desktop)
    async with scene.device(helper) as agent:
        await agent.send(talk, "hello")
    path = "/conversations/messages"
    query = {"conversation_id": talk}
    history = await desktop.api.ask("GET", path, list[Message], params=query, headers=desktop.bearer)
    assert [(each.content, each.sender_type) for each in history] == [("hello", "agent")]


async def test_its_socket_proves_nothing_and_is_refused(scene: Scene, helper: Agent) -> None:
    """A user id alone opens no socket, whoever has signed in from this address; own-host Origin is not the reason."""
    desktop = await sign_in(scene)
    refused = await knock(scene, f"/client/connect?user_id={desktop.user_id}", desktop.origin)
    assert refused.status_code == 401
    assert "token" in refused.json()["error"]


async def test_with_its_token_it_is_served_as_it_reads(scene: Scene, helper: Agent) -> None:
    """In the URL or in a header: flat `agent_message`, signs of typing with their flag, statuses with their agent."""
    desktop = await sign_in(scene)
    talk = await converse(desktop)
    async with (
        desktop.socket(f"&token={desktop.token}") as line,
        desktop.socket(headers=desktop.bearer) as other,
        scene.device(helper) as agent,
    ):
        await line.say({"type": "message", "data": {"conversation_id": talk, "content": "question"}})
        await agent.next("message", content="question")
        await agent.say("status", status="busy")
        await agent.say("typing", conversation_id=talk)
        await agent.caught_up()
        await agent.send(talk, "answer")
        await line.say({"type": "message", "data": {"conversation_id": "conv_nowhere", "content": "hello?"}})
        for each in (line, other):
            window = await seen(each)
            assert window.bubbles == [("answer", talk, "helper")]
            assert window.typing == [(talk, True), (talk, False)]
            assert ("helper", "busy") in window.statuses
            assert [("conv_nowhere" in error) for error in window.errors] == ([True] if each is line else [])


async def test_what_its_person_says_elsewhere_is_not_shown_as_the_agents(scene: Scene, helper: Agent) -> None:
    """It shows everything under `agent_message` as the agent's words; its own from elsewhere come with the history."""
    desktop = await sign_in(scene)
    talk = await converse(desktop)
    phone = await scene.login("alice")
    async with desktop.socket(f"&token={desktop.token}") as line, scene.device(phone) as device:
        await device.send(talk, "from the phone")
        heard = {json.loads(bytes(raw))["type"] for raw in await line.so_far(msgspec.Raw)}
        assert heard <= {"conversation_created"}


async def test_what_was_said_while_it_was_away(scene: Scene, helper: Agent) -> None:
    desktop = await sign_in(scene)
    talk = await converse(desktop)
    async with scene.device(helper) as agent:
        await agent.send(talk, "one")
        await agent.send(talk, "two")
    async with desktop.socket(f"&token={desktop.token}") as line:
        bubbles: list[str] = []
        while len(bubbles) < 2:
            window = Window()
            window.take(await line.next_raw())
            bubbles += [content for content, _, _ in window.bubbles]
        assert bubbles == ["one", "two"]
        assert CHAT.isdisjoint(json.loads(bytes(raw))["type"] for raw in await line.so_far(msgspec.Raw))
