"""The older server's web client: a page with an Origin, no subprotocol, a conversation that its first message makes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from tests.harness import PASSWORD, Agent, Json, Scene, open_scene
from tests.scenes.clients.shipped import CHAT, Api, Line, bundle_body, is_time, knock, open_line

BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/131.0 Safari/537.36"}


class LoggedIn(msgspec.Struct):
    token: str
    user_id: str


class AgentCard(msgspec.Struct):
    id: str
    name: str
    specialty: str
    status: str


class LastMessage(msgspec.Struct):
    content: str
    sender_type: str
    created_at: str


class Conversation(msgspec.Struct):
    id: str
    agent_id: str
    unread_count: int
    last_message: LastMessage | None


class Message(msgspec.Struct):
    id: str
    conversation_id: str
    sender_type: str
    content: str
    created_at: str
    is_deleted: bool
    reactions: list[Json]
    edited_at: str | None = None
    read_at: str | None = None


class Presence(msgspec.Struct):
    id: str
    online: bool
    last_seen: str | None = None


class AgentMessage(msgspec.Struct):
    """Appended as the agent's, whatever else it says."""

    type: str
    content: str
    message_id: str
    conversation_id: str
    timestamp: str


class UserMessage(msgspec.Struct):
    """Gives its newest bubble the id that the server knows it by."""

    type: str
    conversation_id: str
    message_id: str
    timestamp: str


class ConversationCreated(msgspec.Struct):
    type: str
    conversation_id: str


class Pointed(msgspec.Struct):
    """What edits, deletions, reactions and receipts name in their data."""

    message_id: str
    conversation_id: str
    content: str | None = None


class Nested(msgspec.Struct):
    type: str
    data: Pointed


@dataclass
class Page:
    """A tab: same-origin, or served by another host."""

    scene: Scene
    origin: str
    token: str = ""
    api: Api = field(init=False)

    def __post_init__(self) -> None:
        self.api = Api(self.scene, {**BROWSER, "Origin": self.origin, "X-Requested-With": "XMLHttpRequest"})

    @property
    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    @asynccontextmanager
    async def socket(self) -> AsyncIterator[Line]:
        headers = {**BROWSER, "Origin": self.origin}
        async with open_line(self.scene, f"/client/connect?token={self.token}", headers=headers) as line:
            yield line


async def sign_up(scene: Scene, origin: str = "") -> Page:
    page = Page(scene, origin or f"http://127.0.0.1:{scene.running.port}")
    form = {"username": "alice", "password": PASSWORD}
    assert (await page.api.answer("POST", "/auth/register", data=form)).status_code == 200
    page.token = (await page.api.ask("POST", "/auth/login", LoggedIn, data=form)).token
    return page


async def test_a_first_message_makes_the_conversation(scene: Scene, helper: Agent) -> None:
    """It names an agent and no conversation; the new one, the message's id and the answer come in words it reads."""
    page = await sign_up(scene)
    (card,) = await page.api.ask("GET", "/agents", list[AgentCard], headers=page.bearer)
    assert card.name == "helper"
    assert await page.api.ask("GET", "/conversations", list[Conversation], headers=page.bearer) == []
    async with page.socket() as line, scene.device(helper) as agent:
        await line.say({"type": "message", "data": {"agent_id": "helper", "content": "question"}})
        talk = (await line.next(Json, "conversation_created"))["conversation_id"]
        echo = msgspec.convert(await line.next(Json, "user_message"), UserMessage)
        assert echo.conversation_id == talk
        assert is_time(echo.timestamp)
        assert not echo.message_id.startswith("user-")
        await line.so_far(Json)
        await agent.send(talk, "answer")
        frames = await line.so_far(Json)
        (answer,) = (msgspec.convert(each, AgentMessage) for each in frames if each["type"] == "agent_message")
        assert (answer.content, answer.conversation_id) == ("answer", talk)
        assert is_time(answer.timestamp)
        assert [frame for frame in frames if frame["type"] == "user_message"] == []
        again = {"agent_id": "helper", "conversation_id": talk, "content": "more", "attachment_ids": []}
        await line.say({"type": "message", "data": again})
        assert (await line.next(Json, "user_message"))["conversation_id"] == talk
    (listed,) = await page.api.ask("GET", "/conversations", list[Conversation], headers=page.bearer)
    assert listed.last_message is not None
    assert (listed.id, listed.last_message.content, listed.last_message.sender_type) == (talk, "more", "client")
    assert listed.unread_count == 1
    marked = {"conversation_id": talk}
    assert (await page.api.answer("POST", "/conversations/mark-read", data=marked, headers=page.bearer)).is_success
    (listed,) = await page.api.ask("GET", "/conversations", list[Conversation], headers=page.bearer)
    assert listed.unread_count == 0
    path = f"/conversations/messages?conversation_id={talk}"
    history = await page.api.ask("GET", path, list[Message], headers=page.bearer)
    assert [(each.sender_type, each.content) for each in history] == [
        ("client", "question"), ("agent", "answer"), ("client", "more"),
    ]  # fmt: skip
    assert echo.message_id == history[0].id
    (seen,) = await page.api.ask("GET", "/presence", list[Presence], headers=page.bearer)
    assert (seen.id, seen.online) == ("helper", False)


async def test_every_message_that_was_read_is_named(scene: Scene, helper: Agent) -> None:
    """It ticks the one bubble that a receipt's data names."""
    page = await sign_up(scene)
    async with page.socket() as line, scene.device(helper) as agent:
        ids = []
        for content in ("one", "two"):
            await line.say({"type": "message", "data": {"agent_id": "helper", "content": content}})
            echo = await line.next(Json, "user_message")
            ids.append(echo["message_id"])
        await agent.ask("read", conversation_id=echo["conversation_id"])
        ticked = [(await line.next(Json, "read_receipt"))["data"]["message_id"] for _ in range(2)]
        assert ticked == ids


async def test_edits_and_deletions_are_read_from_data(scene: Scene, helper: Agent) -> None:
    """By the ids that its live messages came with, whoever asked for them."""
    page = await sign_up(scene)
    async with page.socket() as line:
        await line.say({"type": "message", "data": {"agent_id": "helper", "content": "helo"}})
        message_id = (await line.next(Json, "user_message"))["message_id"]
        form = {"message_id": message_id, "content": "hello"}
        assert (await page.api.answer("POST", "/messages/edit", data=form, headers=page.bearer)).is_success
        edited = msgspec.convert(await line.next(Json, "message_edited"), Nested).data
        assert (edited.message_id, edited.content) == (message_id, "hello")
        form = {"message_id": message_id}
        assert (await page.api.answer("POST", "/messages/delete", data=form, headers=page.bearer)).is_success
        assert msgspec.convert(await line.next(Json, "message_deleted"), Nested).data.message_id == message_id


async def test_words_from_another_device_are_not_shown_as_the_agents(scene: Scene, helper: Agent) -> None:
    """Neither as an answer nor as an echo that would rename the bubble of a message still on its way."""
    page = await sign_up(scene)
    phone = await scene.login("alice")
    talk = await scene.conversation(phone, helper)
    async with page.socket() as line, scene.device(phone) as device:
        await device.send(talk, "from the phone")
        words = {frame["type"] for frame in await line.so_far(Json)}
        assert words & CHAT == {"message"}


async def test_typing_begins_and_ends(scene: Scene, helper: Agent) -> None:
    """A sign without a flag would be read as its end."""
    page = await sign_up(scene)
    alice = await scene.login("alice")
    talk = await scene.conversation(alice, helper)
    async with page.socket() as line, scene.device(helper) as agent:
        for is_typing in (True, False):
            await agent.say("typing", conversation_id=talk, typing=is_typing)
            assert (await line.next(Json, "typing"))["data"]["typing"] is is_typing


async def test_a_page_of_another_host(tmp_path: Path) -> None:
    """One that is listed passes its preflight with the header that it sends; any other one changes nothing."""
    listed = "https://chat.example.org"
    async with open_scene(tmp_path, server={"cors_allowed_origins": (listed,)}) as scene:
        await scene.register_agent("helper")
        asks = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-requested-with"}
        page = Page(scene, listed)
        preflight = await page.api.answer("OPTIONS", "/auth/login", headers=asks)
        assert preflight.status_code == 204
        assert preflight.headers["access-control-allow-origin"] == listed
        allowed = preflight.headers["access-control-allow-headers"].lower()
        assert {"x-requested-with", "authorization", "content-type"} <= set(allowed.split(", "))
        page = await sign_up(scene, listed)
        async with page.socket() as line:
            assert await line.so_far(Json) == []
        stranger = Page(scene, "https://elsewhere.example")
        form = {"username": "alice", "password": PASSWORD}
        assert (await stranger.api.answer("POST", "/auth/login", data=form)).status_code == 403
        headers = {**BROWSER, "Origin": stranger.origin}
        assert (await knock(scene, f"/client/connect?token={page.token}", headers)).status_code == 403


class Attachment(msgspec.Struct):
    id: str
    filename: str
    content_type: str
    size: int
    sha256: str
    url: str
    created_at: str


async def test_files_are_links_with_its_token(scene: Scene, helper: Agent) -> None:
    """An image element has no headers; a file that an agent sends stands under the data of an otherwise flat frame."""
    page = await sign_up(scene)
    alice = await scene.login("alice")
    talk = await scene.conversation(alice, helper)
    files = {"file": ("note.txt", b"hello", "text/plain")}
    mine = await page.api.ask("POST", "/attachments/upload", Attachment, files=files, headers=page.bearer)
    async with page.socket() as line, scene.device(helper) as agent:
        data = {"conversation_id": talk, "agent_id": "helper", "content": "look", "attachment_ids": [mine.id]}
        await line.say({"type": "message", "data": data})
        await agent.next("message", content="look")
        upload = await scene.http.post("/attachments/upload", files=files, headers=helper.headers)
        await agent.send(talk, "look at this", attachment_ids=[upload.json()["id"]])
        frame = await line.next(Json, "agent_message")
        assert msgspec.convert(frame, AgentMessage).content == "look at this"
        (theirs,) = msgspec.convert(frame["data"]["attachments"], list[Attachment])
    for each in (mine, theirs):
        shown = await scene.http.get(f"/attachments/{each.id}?token={page.token}", headers=BROWSER)
        assert (shown.status_code, shown.content) == (200, b"hello")


async def test_reactions_are_read_from_data(scene: Scene, helper: Agent) -> None:
    page = await sign_up(scene)
    async with page.socket() as line:
        await line.say({"type": "message", "data": {"agent_id": "helper", "content": "hello"}})
        message_id = (await line.next(Json, "user_message"))["message_id"]
        form = {"message_id": message_id, "emoji": "👍"}
        for word in ("reaction_added", "reaction_removed"):
            assert (await page.api.answer("POST", "/messages/react", data=form, headers=page.bearer)).is_success
            data = (await line.next(Json, word))["data"]
            assert (data["message_id"], data["emoji"]) == (message_id, "👍")


async def test_its_keys_go_up_one_by_one(scene: Scene, helper: Agent) -> None:
    """As JSON, and come back as objects for who asks by owner."""
    page = await sign_up(scene)
    public_key = bundle_body()["one_time_prekeys"][0]
    body = {"key_type": "identity", "public_key": public_key}
    assert (await page.api.ask("POST", "/keys/upload", Json, json=body, headers=page.bearer))["id"]
    me = (await scene.login("alice")).id
    path = f"/keys/bundle?owner_id={me}&owner_type=user"
    bundle = await page.api.ask("GET", path, Json, headers=page.bearer)
    assert bundle["identity_key"]["public_key"] == public_key


async def test_muting_a_conversation(scene: Scene, helper: Agent) -> None:
    page = await sign_up(scene)
    muted = {"conversation_id": await scene.conversation(await scene.login("alice"), helper), "muted": "true"}
    assert (await page.api.answer("POST", "/notification-prefs/set", data=muted, headers=page.bearer)).is_success
    (preference,) = await page.api.ask("GET", "/notification-prefs", list[Json], headers=page.bearer)
    assert preference["muted"] is True
