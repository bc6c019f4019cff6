"""The Python SDK: every method of its REST client, all of them forms, and sockets that must never end quietly."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest

from amtrio.protocol.session import Close
from tests.harness import ADMIN_SECRET, AGENT_SECRET, PASSWORD, Agent, Json, Person, Scene
from tests.scenes.clients.shipped import Api, Line, bundle_body, is_time, open_line

HEADERS = {"User-Agent": "Python-urllib/3.12", "X-Requested-With": "XMLHttpRequest"}
# What the library that it is built on sends; it offers compression, and takes an answer without.
SOCKET_HEADERS = {
    "User-Agent": "Python/3.12 websockets/14.1",
    "Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits",
}
# With these its iterator ends without a word: no event, and later sends vanish.
QUIET_CODES = {1000, 1001, 1005}


class LoggedIn(msgspec.Struct):
    token: str
    user_id: str
    username: str
    status: str | None = None


class ConversationAnswer(msgspec.Struct):
    conversation_id: str
    tags: list[str]
    last_message: Json | None
    unread_count: int


class Message(msgspec.Struct):
    message_id: str
    timestamp: str
    deleted: bool
    user_id: str
    agent_id: str
    content: str
    sender_type: str
    metadata: dict[str, Any] | None
    edited_at: str | None


class MessageData(msgspec.Struct):
    conversation_id: str
    content: str
    sender_type: str
    sender_id: str
    message_id: str
    timestamp: str
    metadata: dict[str, Any] | None = None


class SentData(msgspec.Struct):
    message_id: str
    conversation_id: str
    timestamp: str


def api_of(scene: Scene, who: Person | None = None) -> Api:
    return Api(scene, HEADERS | (who.headers if who is not None else {}))


@asynccontextmanager
async def client(scene: Scene, person: Person, device: str = "") -> AsyncIterator[Line]:
    target = f"/client/connect?token={person.token}" + (f"&device_id={device}" if device else "")
    async with open_line(scene, target, offers=("v1",), headers=SOCKET_HEADERS | person.headers) as line:
        yield line


@asynccontextmanager
async def agent_client(scene: Scene) -> AsyncIterator[Line]:
    target = f"/agent/connect?agent_id=helper&agent_secret={AGENT_SECRET}"
    async with open_line(scene, target, offers=("v1",), headers=SOCKET_HEADERS) as line:
        yield line


async def test_accounts(scene: Scene) -> None:
    """login, register_user, register_agent (the secret in the form), change_password, list_agents."""
    api = api_of(scene)
    form = {"username": "alice", "password": PASSWORD}
    made = await api.ask("POST", "/auth/user", LoggedIn, data=form)
    assert made.status == "registered"
    logged_in = await api.ask("POST", "/auth/login", LoggedIn, data=form)
    alice = Person("alice", logged_in.user_id, logged_in.token)
    card = {"agent_id": "helper", "agent_secret": AGENT_SECRET, "name": "Helper", "model": "gpt"}
    agent = await api.ask("POST", "/auth/agent", Json, data=card)
    assert (agent["agent_id"], agent["name"]) == ("helper", "Helper")
    signed_in = api_of(scene, alice)
    (listed,) = await signed_in.ask("GET", "/agents", list[Json])
    assert listed["agent_id"] == listed["id"] == "helper"
    changed = {"old_password": PASSWORD, "new_password": "another good one"}
    assert (await signed_in.ask("POST", "/auth/change-password", Json, data=changed))["status"] == "password_changed"


async def test_conversations_and_tags(scene: Scene, helper: Agent) -> None:
    """create_conversation, list_conversations, mark_read, add_tag, remove_tag, get_tags, delete_conversation."""
    alice = await scene.register("alice")
    api = api_of(scene, alice)
    made = await api.ask("POST", "/conversations/create", ConversationAnswer, data={"agent_id": "helper"})
    talk = made.conversation_id
    tag = {"conversation_id": talk, "tag": "work"}
    assert (await api.ask("POST", "/conversations/tags/add", Json, data=tag))["tag"]["tag"] == "work"
    tags = await api.ask("GET", f"/conversations/tags?conversation_id={talk}", list[Json])
    assert [each["tag"] for each in tags] == ["work"]
    (listed,) = await api.ask("GET", "/conversations/list?limit=50&offset=0&tag=work", list[ConversationAnswer])
    assert (listed.conversation_id, listed.tags) == (talk, ["work"])
    assert await api.ask("GET", "/conversations/list?limit=50&offset=0&tag=play", list[Json]) == []
    assert (await api.ask("POST", "/conversations/tags/remove", Json, data=tag))["status"] == "tag_removed"
    read = await api.ask("POST", "/conversations/mark-read", Json, data={"conversation_id": talk})
    assert read["status"] == "marked_read"
    deleted = await api.ask("DELETE", f"/conversations/delete?conversation_id={talk}", Json)
    assert deleted["status"] == "deleted"


async def test_messages(scene: Scene, helper: Agent) -> None:
    """get_messages, edit_message, delete_message, react, get_reactions; metadata is an object."""
    alice = await scene.register("alice")
    api = api_of(scene, alice)
    talk = await scene.conversation(alice, helper)
    async with client(scene, alice) as line:
        data = {"conversation_id": talk, "content": "some words", "metadata": {"a": [1]}}
        await line.say({"type": "message", "data": data})
        await line.so_far(Json)
    path = f"/conversations/messages?conversation_id={talk}&limit=50"
    (message,) = await api.ask("GET", path, list[Message])
    assert (message.user_id, message.agent_id, message.metadata) == (alice.id, "helper", {"a": [1]})
    assert is_time(message.timestamp)
    edit = {"message_id": message.message_id, "content": "better words"}
    assert (await api.ask("POST", "/messages/edit", Json, data=edit))["status"] == "edited"
    (edited,) = await api.ask("GET", path, list[Message])
    assert (edited.content, is_time(edited.edited_at)) == ("better words", True)
    reaction = {"message_id": message.message_id, "emoji": "👍"}
    told = await api.ask("POST", "/messages/react", Json, data=reaction)
    assert (told["action"], told["emoji"]) == ("added", "👍")
    (shown,) = await api.ask("GET", f"/messages/reactions?message_id={message.message_id}", list[Json])
    assert (shown["emoji"], shown["user_id"]) == ("👍", alice.id)
    gone = {"message_id": message.message_id}
    assert (await api.ask("POST", "/messages/delete", Json, data=gone))["status"] == "deleted"
    (message,) = await api.ask("GET", path, list[Message])
    assert message.deleted is True


async def test_search(scene: Scene, helper: Agent) -> None:
    """search_messages reads the same fields of each, from the list or from an object's `results`."""
    alice = await scene.register("alice")
    talk = await scene.conversation(alice, helper)
    async with client(scene, alice) as line:
        await line.say({"type": "message", "data": {"conversation_id": talk, "content": "some words"}})
        await line.so_far(Json)
    (found,) = await api_of(scene, alice).ask("GET", "/messages/search?q=words&limit=50", list[Message])
    assert (found.content, found.user_id) == ("some words", alice.id)


async def test_presence_health_and_metrics(scene: Scene, helper: Agent) -> None:
    """get_presence; get_user_presence goes through the answer; health; metrics decodes the answer as JSON."""
    alice = await scene.register("alice")
    api = api_of(scene, alice)
    (presence,) = await api.ask("GET", "/presence", list[Json])
    assert presence["agent_id"] == "helper"
    (own,) = await api.ask("GET", f"/presence/user?user_id={alice.id}", list[Json])
    assert (own["user_id"], own["online"], own["status"]) == (alice.id, False, "offline")
    health = await api.ask("GET", "/health", Json)
    assert (health["status"], bool(health["uptime"]), bool(health["version"])) == ("ok", True, True)
    metrics = await api.ask("GET", "/metrics", dict[str, float])
    assert metrics["agent_messenger_clients_connected"] == 0


async def test_attachments(scene: Scene, helper: Agent) -> None:
    """upload_attachment with its one boundary for every file, list_attachments by message."""
    alice = await scene.register("alice")
    talk = await scene.conversation(alice, helper)
    api = api_of(scene, alice)
    boundary = "----AgentMessengerBoundary"
    body = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="conversation_id"\r\n\r\n{talk}\r\n'
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="note.txt"\r\n'
        f"Content-Type: application/octet-stream\r\n\r\nhello\r\n--{boundary}--\r\n"
    ).encode()
    content_type = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    sent = await api.ask("POST", "/attachments/upload", Json, content=body, headers=content_type)
    assert (sent["filename"], sent["size"]) == ("note.txt", 5)
    async with client(scene, alice) as line:
        data = {"conversation_id": talk, "content": "look", "attachment_ids": [sent["attachment_id"]]}
        await line.say({"type": "message", "data": data})
        await line.so_far(Json)
    (message,) = await api.ask("GET", f"/conversations/messages?conversation_id={talk}", list[Message])
    (listed,) = await api.ask("GET", f"/messages/attachments?message_id={message.message_id}", list[Json])
    assert listed["attachment_id"] == sent["attachment_id"]


async def test_keys_and_encrypted_messages(scene: Scene, helper: Agent) -> None:
    """Forms here too: one-time keys stand in theirs as Python writes a list."""
    alice = await scene.register("alice")
    talk = await scene.conversation(alice, helper)
    api = api_of(scene, alice)
    bundle = bundle_body()
    form = {**bundle, "one_time_prekeys": str(bundle["one_time_prekeys"])}
    assert (await api.ask("POST", "/keys/upload", Json, data=form))["status"]
    own = await api.ask("GET", f"/keys/bundle?user_id={alice.id}", Json)
    assert (own["identity_key"], own["signed_prekey"]) == (bundle["identity_key"], bundle["signed_prekey"])
    assert (await api.ask("GET", f"/keys/otpk-count?user_id={alice.id}", Json))["count"] == 2
    form = {"conversation_id": talk, "ciphertext": "AAAA", "sender_device_id": "d1", "message_type": "whisper"}
    stored = await api.ask("POST", "/messages/encrypted", Json, data=form)
    (listed,) = await api.ask("GET", f"/messages/encrypted/list?conversation_id={talk}&limit=50", list[Json])
    assert (listed["id"], listed["sender_device_id"]) == (stored["id"], "d1")
    assert (listed["message_type"], is_time(listed["timestamp"])) == ("whisper", True)
    before = f"conversation_id={talk}&limit=50&before={listed['id']}"
    assert await api.ask("GET", f"/messages/encrypted/list?{before}", list[Json]) == []


async def test_rate_limit_tiers(scene: Scene) -> None:
    """get_rate_limit_tier and set_rate_limit_tier name the secret X-Admin-Key, beside a token."""
    alice = await scene.register("alice")
    api = api_of(scene, alice)
    secret = {"X-Admin-Key": ADMIN_SECRET}
    form = {"user_id": alice.id, "tier": "enterprise"}
    changed = await api.ask("POST", "/admin/rate-limit/tier", Json, data=form, headers=secret)
    assert (changed["user_id"], changed["tier"]) == (alice.id, "enterprise")
    shown = await api.ask("GET", f"/admin/rate-limit/tier?user_id={alice.id}", Json, headers=secret)
    assert (shown["user_id"], shown["tier"]) == (alice.id, "enterprise")
    refused = await api.answer("GET", f"/admin/rate-limit/tier?user_id={alice.id}")
    assert refused.status_code in {401, 403}


async def test_both_sockets(scene: Scene, helper: Agent) -> None:
    """Messages with id, time and metadata; `message_sent` with the same; the client's status in a conversation."""
    alice = await scene.register("alice")
    talk = await scene.conversation(alice, helper)
    async with scene.device(helper) as agent:
        await agent.send(talk, "while you were away")
    async with client(scene, alice, "d1") as line, agent_client(scene) as agent:
        waited = msgspec.convert((await line.next(Json, "message"))["data"], MessageData)
        assert waited.content == "while you were away"
        data = {"conversation_id": talk, "content": "question", "metadata": {"a": 1}}
        await line.say({"type": "message", "data": data})
        asked = msgspec.convert((await agent.next(Json, "message"))["data"], MessageData)
        sent = msgspec.convert((await line.next(Json, "message_sent"))["data"], SentData)
        assert (asked.message_id, asked.timestamp, asked.metadata) == (sent.message_id, sent.timestamp, {"a": 1})
        await line.say({"type": "status", "data": {"conversation_id": talk, "status": "busy"}})
        assert (await agent.next(Json, "status"))["data"]["sender_id"] == alice.id
        await line.say({"type": "typing", "data": {"conversation_id": talk}})
        assert (await agent.next(Json, "typing"))["data"]["sender_type"] == "client"


async def test_two_devices(scene: Scene, helper: Agent) -> None:
    """What one of them sends the other one hears, as the person's own."""
    alice = await scene.register("alice")
    talk = await scene.conversation(alice, helper)
    async with client(scene, alice, "d1") as first, client(scene, alice, "d2") as second:
        await first.say({"type": "message", "data": {"conversation_id": talk, "content": "from one"}})
        heard = msgspec.convert((await second.next(Json, "message"))["data"], MessageData)
        assert (heard.content, heard.sender_type, heard.sender_id) == ("from one", "client", alice.id)


@pytest.mark.parametrize("code", [Close.GOING_AWAY, Close.RESTART])
async def test_no_end_is_quiet(scene: Scene, helper: Agent, code: Close) -> None:
    """Whatever ends its socket names a code that it tells its program about."""
    alice = await scene.register("alice")
    ends = []
    async with client(scene, alice, "d1") as replaced, client(scene, alice, "d1") as line:
        ends.append(await replaced.end())
        scene.running.sessions.leave(code, "bye")
        if code == Close.RESTART:
            scene.running.server.close_all(code, "bye")
        ends.append(await line.end())
    assert ends == [4000, 1012]
    assert QUIET_CODES.isdisjoint(ends)


async def test_the_end_of_a_login_is_not_quiet(scene: Scene) -> None:
    alice = await scene.register("alice")
    async with client(scene, alice) as line:
        assert (await scene.http.post("/auth/logout", headers=alice.headers)).is_success
        assert await line.end() == 4401
