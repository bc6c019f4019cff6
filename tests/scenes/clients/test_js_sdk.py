"""The JavaScript SDK: every method of its REST client, and both of its sockets."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from tests.harness import ADMIN_SECRET, AGENT_SECRET, PASSWORD, Agent, Json, Person, Scene
from tests.scenes.clients.shipped import CHAT, Api, Failure, Line, bundle_body, is_time, open_line

HEADERS = {"User-Agent": "node", "X-Requested-With": "XMLHttpRequest"}


class Status(msgspec.Struct):
    status: str


class LoggedIn(msgspec.Struct):
    token: str
    user_id: str
    username: str


class Registered(msgspec.Struct):
    user_id: str
    username: str
    status: str
    token: str | None = None


class AgentRegistered(msgspec.Struct):
    agent_id: str
    status: str


class AgentInfo(msgspec.Struct):
    agent_id: str
    name: str
    model: str
    personality: str
    specialty: str
    status: str


class Conversation(msgspec.Struct):
    conversation_id: str
    user_id: str
    agent_id: str
    title: str | None
    created_at: str
    last_message: Json | None
    unread_count: int
    tags: list[str]


class Message(msgspec.Struct):
    """Its types say `user` for people where the older server said, and its apps need, `client`."""

    message_id: str
    conversation_id: str
    sender_type: str
    sender_id: str
    content: str
    created_at: str
    edited: bool
    deleted: bool
    read_at: str | None


class Presence(msgspec.Struct):
    agent_id: str
    status: str
    last_seen: str | None


class Health(msgspec.Struct):
    status: str
    version: str
    uptime: str
    connections: dict[str, int]
    messages_routed: int


class MessageData(msgspec.Struct):
    conversation_id: str
    content: str
    sender_type: str
    sender_id: str
    recipient_id: str
    timestamp: str | None = None
    attachment_ids: list[str] | None = None
    metadata: dict[str, Any] | None = None


def api_of(scene: Scene, who: Person | None = None) -> Api:
    return Api(scene, HEADERS | (who.headers if who is not None else {}))


@asynccontextmanager
async def client(scene: Scene, person: Person, device: str = "") -> AsyncIterator[Line]:
    target = f"/client/connect?token={person.token}" + (f"&device_id={device}" if device else "")
    async with open_line(scene, target, offers=("v1",)) as line:
        assert line.greeting["data"]["status"] == "connected"
        yield line


@asynccontextmanager
async def agent_client(scene: Scene, agent_id: str = "helper") -> AsyncIterator[Line]:
    target = f"/agent/connect?agent_id={agent_id}&agent_secret={AGENT_SECRET}&name=Helper&model=gpt"
    async with open_line(scene, target, offers=("v1",)) as line:
        yield line


async def test_accounts(scene: Scene) -> None:
    """login, registerUser, registerAgent, changePassword, listAgents."""
    api = api_of(scene)
    form = {"username": "alice", "password": PASSWORD}
    made = await api.ask("POST", "/auth/user", Registered, data=form)
    assert (made.username, made.status, made.token is None) == ("alice", "registered", False)
    logged_in = await api.ask("POST", "/auth/login", LoggedIn, data=form)
    assert logged_in.user_id == made.user_id
    alice = Person("alice", logged_in.user_id, logged_in.token)
    card = {"agent_id": "helper", "name": "Helper", "model": "gpt", "personality": "kind", "specialty": "chess"}
    secret = {"X-Agent-Secret": AGENT_SECRET}
    registered = await api.ask("POST", "/auth/agent", AgentRegistered, data=card, headers=secret)
    assert registered == AgentRegistered("helper", "registered")
    signed_in = api_of(scene, alice)
    (agent,) = await signed_in.ask("GET", "/agents", list[AgentInfo])
    assert agent == AgentInfo("helper", "Helper", "gpt", "kind", "chess", "offline")
    wrong = {"old_password": "not this one", "new_password": "another good one"}
    assert (await signed_in.ask("POST", "/auth/change-password", Failure, status=403, data=wrong)).error
    changed = {"old_password": PASSWORD, "new_password": "another good one"}
    assert (await signed_in.ask("POST", "/auth/change-password", Status, data=changed)).status == "password_changed"


async def test_admin_list_agents_cannot_work(scene: Scene) -> None:
    """The method sends no secret, and a list of all agents is not for everybody."""
    alice = await scene.register("alice")
    assert (await api_of(scene, alice).answer("GET", "/admin/agents")).status_code in {401, 403}


async def test_conversations(scene: Scene, helper: Agent) -> None:
    """createConversation, listConversations with limit, offset and tag, deleteConversation, markRead, tags."""
    alice = await scene.register("alice")
    await scene.register_agent("other")
    api = api_of(scene, alice)
    made = await api.ask("POST", "/conversations/create", Conversation, data={"agent_id": "helper"})
    titled = {"agent_id": "other", "title": "Chess"}
    chess = await api.ask("POST", "/conversations/create", Conversation, data=titled)
    assert (made.title, made.tags, made.last_message, made.unread_count) == (None, [], None, 0)
    assert chess.title == "Chess"
    talk = made.conversation_id
    async with scene.device(helper) as agent:
        await agent.send(talk, "unread")
    listed = await api.ask("GET", "/conversations/list?limit=10&offset=0", list[Conversation])
    assert [each.conversation_id for each in listed] == [talk, chess.conversation_id]
    assert (listed[0].unread_count, (listed[0].last_message or {})["content"]) == (1, "unread")
    paged = await api.ask("GET", "/conversations/list?limit=1&offset=1", list[Conversation])
    assert [each.conversation_id for each in paged] == [chess.conversation_id]
    tag = {"conversation_id": talk, "tag": "work"}
    assert (await api.ask("POST", "/conversations/tags/add", Status, data=tag)).status == "tag_added"
    tags = await api.ask("GET", f"/conversations/tags?conversation_id={talk}", list[Json])
    assert [each["tag"] for each in tags] == ["work"]
    tagged = await api.ask("GET", "/conversations/list?tag=work", list[Conversation])
    assert [(each.conversation_id, each.tags) for each in tagged] == [(talk, ["work"])]
    assert (await api.ask("POST", "/conversations/tags/remove", Status, data=tag)).status == "tag_removed"
    read = await api.ask("POST", "/conversations/mark-read", Json, data={"conversation_id": talk})
    assert (read["status"], read["count"]) == ("marked_read", 1)
    deleted = await api.ask("DELETE", f"/conversations/delete?conversation_id={talk}", Json)
    assert (deleted["status"], deleted["conversation_id"]) == ("deleted", talk)


async def test_messages(scene: Scene, helper: Agent) -> None:
    """getMessages, editMessage, deleteMessage, react, getReactions."""
    alice = await scene.register("alice")
    api = api_of(scene, alice)
    talk = await scene.conversation(alice, helper)
    async with client(scene, alice) as line:
        for content in ("first words", "second words"):
            await line.say({"type": "message", "data": {"conversation_id": talk, "content": content}})
        await line.so_far(Json)
    path = f"/conversations/messages?conversation_id={talk}&limit=50"
    first, second = await api.ask("GET", path, list[Message])
    assert (first.sender_type, first.edited, first.deleted, first.read_at) == ("client", False, False, None)
    assert is_time(first.created_at)
    assert await api.ask("GET", f"{path}&before={second.message_id}", list[Message]) == [first]
    edit = {"message_id": first.message_id, "content": "better words"}
    assert (await api.ask("POST", "/messages/edit", Status, data=edit)).status == "edited"
    reaction = {"message_id": first.message_id, "emoji": "👍"}
    for action in ("added", "removed", "added"):
        told = await api.ask("POST", "/messages/react", Json, data=reaction)
        assert (told["action"], told["emoji"], told["status"]) == (action, "👍", f"reaction_{action}")
    shown = await api.ask("GET", f"/messages/reactions?message_id={first.message_id}", list[Json])
    assert [(each["emoji"], each["user_id"]) for each in shown] == [("👍", alice.id)]
    gone = {"message_id": second.message_id}
    assert (await api.ask("POST", "/messages/delete", Status, data=gone)).status == "deleted"
    assert [each.deleted for each in await api.ask("GET", path, list[Message])] == [False, True]


async def test_search(scene: Scene, helper: Agent) -> None:
    """searchMessages."""
    alice = await scene.register("alice")
    talk = await scene.conversation(alice, helper)
    async with client(scene, alice) as line:
        for content in ("first words", "nothing"):
            await line.say({"type": "message", "data": {"conversation_id": talk, "content": content}})
        await line.so_far(Json)
    found = await api_of(scene, alice).ask("GET", "/messages/search?q=words&limit=10", list[Message])
    assert [(each.content, each.edited) for each in found] == [("first words", False)]


async def test_presence_health_and_metrics(scene: Scene, helper: Agent) -> None:
    """getPresence, getUserPresence (one object, as ever); health and metrics, which send no header of their own."""
    alice = await scene.register("alice")
    api = api_of(scene, alice)
    async with agent_client(scene):
        (presence,) = await api.ask("GET", "/presence", list[Presence])
        assert (presence.agent_id, presence.status, is_time(presence.last_seen)) == ("helper", "online", True)
    own = await api.ask("GET", f"/presence/user?user_id={alice.id}", Json)
    assert (own["user_id"], own["online"], own["device_count"]) == (alice.id, False, 0)
    plain = Api(scene, {"User-Agent": "node"})
    health = await plain.ask("GET", "/health", Health)
    assert (health.status, health.connections) == ("ok", {"agents": 0, "clients": 0})
    metrics = await plain.answer("GET", "/metrics")
    assert metrics.text.startswith("# HELP agent_messenger_")


class Attachment(msgspec.Struct):
    attachment_id: str
    filename: str
    url: str
    size: int
    content_type: str


async def test_attachments(scene: Scene, helper: Agent) -> None:
    """uploadAttachment (with its token alone), getAttachmentUrl, listAttachments by message and by conversation."""
    alice = await scene.register("alice")
    talk = await scene.conversation(alice, helper)
    upload = Api(scene, {"User-Agent": "node", **alice.headers})
    files = {"file": ("a b.txt", b"hello", "text/plain")}
    sent = await upload.ask("POST", "/attachments/upload", Attachment, data={"conversation_id": talk}, files=files)
    assert (sent.filename, sent.size, sent.content_type.partition(";")[0]) == ("a b.txt", 5, "text/plain")
    body = (await upload.answer("GET", f"/attachments/{sent.attachment_id}")).content
    assert body == b"hello"
    by_query = Api(scene, {"User-Agent": "node"})
    assert (await by_query.answer("GET", f"/attachments/{sent.attachment_id}?token={alice.token}")).content == body
    async with client(scene, alice) as line, agent_client(scene) as agent:
        data = {"conversation_id": talk, "content": "look", "attachment_ids": [sent.attachment_id]}
        await line.say({"type": "message", "data": data})
        told = msgspec.convert((await agent.next(Json, "message"))["data"], MessageData)
        assert told.attachment_ids == [sent.attachment_id]
    (message,) = await api_of(scene, alice).ask("GET", f"/conversations/messages?conversation_id={talk}", list[Message])
    for place in (f"message_id={message.message_id}", f"conversation_id={talk}"):
        listed = await api_of(scene, alice).ask("GET", f"/messages/attachments?{place}", list[Attachment])
        assert [each.attachment_id for each in listed] == [sent.attachment_id]


class Bundle(msgspec.Struct):
    identity_key: str
    signed_prekey: str
    prekey_signature: str
    one_time_prekey: str | None = None


class Encrypted(msgspec.Struct):
    id: str
    conversation_id: str
    sender_device_id: str
    ciphertext: str
    message_type: str
    created_at: str


async def test_keys_and_encrypted_messages(scene: Scene, helper: Agent) -> None:
    """uploadKeyBundle, getKeyBundle, getOTPKCount, storeEncryptedMessage, getEncryptedMessages."""
    alice = await scene.register("alice")
    bob = await scene.register("bob")
    talk = await scene.conversation(alice, helper)
    api = api_of(scene, alice)
    mine = bundle_body()
    assert (await api.ask("POST", "/keys/upload", Status, json=mine)).status
    own = await api.ask("GET", f"/keys/bundle?user_id={alice.id}", Bundle)
    assert (own.identity_key, own.signed_prekey) == (mine["identity_key"], mine["signed_prekey"])
    assert own.prekey_signature == mine["prekey_signature"]
    assert (await api.ask("GET", f"/keys/otpk-count?user_id={alice.id}", Json))["count"] == 2
    await api_of(scene, bob).ask("GET", f"/keys/bundle?user_id={alice.id}", Failure, status=404)
    body = {"conversation_id": talk, "ciphertext": "AAAA", "sender_device_id": "d1", "message_type": "prekey"}
    async with agent_client(scene) as agent:
        stored = await api.ask("POST", "/messages/encrypted", Json, json=body)
        told = (await agent.next(Json, "encrypted_message"))["data"]
        assert (told["content"], told["sender_id"]) == (f"encrypted:{stored['id']}", alice.id)
        assert CHAT.isdisjoint(frame["type"] for frame in await agent.so_far(Json))
    query = f"conversation_id={talk}&device_id=d1&limit=10"
    (listed,) = await api.ask("GET", f"/messages/encrypted/list?{query}", list[Encrypted])
    assert (listed.id, listed.ciphertext, listed.sender_device_id) == (stored["id"], "AAAA", "d1")
    assert listed.message_type == "prekey"
    later = await api.ask("GET", f"/messages/encrypted/list?{query}&after={listed.id}", list[Encrypted])
    assert later == []


class Tier(msgspec.Struct):
    user_id: str
    tier: str
    burst: int
    window_sec: int
    remaining: int


async def test_rate_limit_tiers(scene: Scene) -> None:
    """setRateLimitTier has the secret in its form; getRateLimitTier has it in the URL, where nobody should."""
    alice = await scene.register("alice")
    api = api_of(scene, alice)
    form = {"user_id": alice.id, "tier": "pro", "admin_secret": ADMIN_SECRET}
    assert (await api.ask("POST", "/admin/rate-limit/tier", Status, data=form)).status == "ok"
    form["admin_secret"] = "wrong"
    assert (await api.answer("POST", "/admin/rate-limit/tier", data=form)).status_code in {401, 403}
    path = f"/admin/rate-limit/tier?user_id={alice.id}"
    assert (await api.answer("GET", f"{path}&admin_secret={ADMIN_SECRET}")).status_code in {401, 403}
    shown = await api.ask("GET", path, Tier, headers={"X-Admin-Secret": ADMIN_SECRET})
    assert (shown.user_id, shown.tier) == (alice.id, "pro")


async def test_both_sockets(scene: Scene, helper: Agent) -> None:
    """One `message` each way with the fields of its types, `message_sent`, typing, status; what it sent has no echo."""
    alice = await scene.register("alice")
    talk = await scene.conversation(alice, helper)
    async with client(scene, alice, "d1") as line, agent_client(scene) as agent:
        metadata = {"a": 1}
        data = {"conversation_id": talk, "content": "question", "metadata": metadata}
        await line.say({"type": "message", "data": data})
        asked = msgspec.convert((await agent.next(Json, "message"))["data"], MessageData)
        assert (asked.sender_type, asked.sender_id, asked.recipient_id) == ("client", alice.id, "helper")
        assert (asked.metadata, is_time(asked.timestamp)) == (metadata, True)
        sent = (await line.next(Json, "message_sent"))["data"]
        assert (sent["conversation_id"], sent["status"]) == (talk, "delivered")
        await agent.say({"type": "typing", "data": {"conversation_id": talk}})
        assert (await line.next(Json, "typing"))["data"]["sender_id"] == "helper"
        await agent.say({"type": "status", "data": {"status": "busy"}})
        assert (await line.next(Json, "status"))["data"]["status"] == "busy"
        await agent.say({"type": "message", "data": {"conversation_id": talk, "content": "answer"}})
        answer = msgspec.convert((await line.next(Json, "message"))["data"], MessageData)
        assert (answer.content, answer.sender_type, answer.recipient_id) == ("answer", "agent", alice.id)
        rest = [frame["type"] for frame in await line.so_far(Json)]
        assert rest == ["chat", "typing"]
        await line.say({"type": "message", "data": {"conversation_id": talk}})
        assert (await line.next(Json, "error"))["data"]["error"] == "content is required"
        assert {frame["type"] for frame in await agent.so_far(Json)} & CHAT == {"user_message"}


async def test_an_agent_that_reconnects_every_second_is_let_in(scene: Scene, helper: Agent) -> None:
    """Its counter of attempts starts anew with each, so that it comes for ever; a good credential is never refused."""
    alice = await scene.register("alice")
    talk = await scene.conversation(alice, helper)
    for number in range(15):
        async with agent_client(scene) as agent, client(scene, alice, "d1") as line:
            await line.say({"type": "message", "data": {"conversation_id": talk, "content": f"n{number}"}})
            while (await agent.next(Json, "message"))["data"]["content"] != f"n{number}":
                pass
