"""A small server that speaks protocol v2 over real sockets, with knobs for what goes wrong.

Runs Trio in a thread of its own, so that clients can be tried under either backend. Keeps everything in memory.
"""

from __future__ import annotations

import json
import math
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import parse_qsl

import trio
from trio_websocket import ConnectionClosed, WebSocketConnection, WebSocketRequest
from trio_websocket._impl import wrap_server_stream

from tests.client.fake_runs import FakeRuns, Refusal

Json = dict[str, Any]
T = TypeVar("T")
TOKENS = {"alice-token": ("user", "alice"), "agt_demo": ("agent", "demo")}


@dataclass
class Account:
    """One log. Row n has seq n+1."""

    kind: str
    id: str
    log: list[Json] = field(default_factory=list)
    pruned: int = 0
    cursor: int = 0
    sockets: list[WebSocketConnection] = field(default_factory=list)


@dataclass
class FakeServer:
    """
    Attributes:
        frames: what clients sent, oldest first. hellos: data of every hello.
        refusals: data of `error` for the next messages, one each.
        greetings: raw frames that are the first answer to the next hellos, one each.
        mute: stores, but cuts the socket instead of answering the next so many messages, or what `mutes` names.
        cut_before: cuts the socket instead of doing the next command of this name.
        skip: seqs that are left out once, as if lost on the way.
    """

    epoch: str = "e1"
    accounts: dict[str, Account] = field(default_factory=dict)
    conversations: dict[str, Json] = field(default_factory=dict)
    messages: dict[str, list[Json]] = field(default_factory=dict)
    answers: dict[str, Json] = field(default_factory=dict)
    read_up_to: dict[tuple[str, str], int] = field(default_factory=dict)
    frames: list[Json] = field(default_factory=list)
    hellos: list[Json] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    refusals: deque[Json] = field(default_factory=deque)
    door: deque[tuple[Json | None, int, str]] = field(default_factory=deque)
    mute: int = 0
    files: list[bytes] = field(default_factory=list)
    greetings: deque[str] = field(default_factory=deque)
    mutes: str = "message"
    cut_before: str | None = None
    runs: FakeRuns = field(init=False)
    skip: set[int] = field(default_factory=set)
    gate: str | None = None
    is_up: bool = True
    max_message_bytes: int = 65536
    outboxes: dict[WebSocketConnection, trio.MemorySendChannel[str]] = field(default_factory=dict)
    port: int = 0
    token: Any = None
    changed: Any = None
    nursery: Any = None
    done: Any = None

    def __post_init__(self) -> None:
        def tell(account: str, word: str, data: Json) -> None:
            self._push(self.account(account), {"type": word, "data": data})

        self.runs = FakeRuns(self._post_of_run, self._announce, tell, self.stored)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    # ------------------------------------------------------------------------------- called from the test's thread

    def do(self, step: Callable[[], T]) -> T:
        """Run a step inside the server, between its own."""
        return trio.from_thread.run_sync(step, trio_token=self.token)

    def until(self, condition: Callable[[], bool]) -> None:
        """Wait until the server has seen something; fails after 10 s."""

        async def wait() -> None:
            with trio.fail_after(10):
                while not condition():
                    changed = self.changed
                    await changed.wait()

        trio.from_thread.run(wait, trio_token=self.token)

    def announce(self, account: str, word: str, data: Json) -> None:
        self.do(lambda: self._announce(account, word, data))

    def tell(self, account: str, word: str, data: Json) -> None:
        """An event that no log keeps."""
        self.do(lambda: self._push(self.account(account), {"type": word, "data": data}))

    def close_all(self, code: int, reason: str = "") -> None:
        async def close() -> None:
            for account in self.accounts.values():
                for socket in list(account.sockets):
                    self.nursery.start_soon(socket.aclose, code, reason)

        trio.from_thread.run(close, trio_token=self.token)

    def cut_all(self) -> None:
        """Drop the streams without a close frame."""

        async def cut() -> None:
            for account in self.accounts.values():
                for socket in list(account.sockets):
                    await trio.aclose_forcefully(socket._stream)

        trio.from_thread.run(cut, trio_token=self.token)

    def account(self, key: str) -> Account:
        if key not in self.accounts:
            kind = "user" if key.startswith("u:") else "agent"
            self.accounts[key] = Account(kind, key[2:])
        return self.accounts[key]

    # ------------------------------------------------------------------------------------------------- inside

    def _tick(self) -> None:
        self.changed.set()
        self.changed = trio.Event()

    def _announce(self, account: str, word: str, data: Json) -> None:
        owner = self.account(account)
        owner.log.append({"type": word, "seq": len(owner.log) + 1, "data": data})
        self._push(owner, owner.log[-1])

    def _push(self, owner: Account, frame: Json) -> None:
        if frame.get("seq") in self.skip:
            self.skip.discard(frame["seq"])
            return
        for socket in owner.sockets:
            self._send(socket, frame)

    def _send(self, socket: WebSocketConnection, frame: Json) -> None:
        self.outboxes[socket].send_nowait(json.dumps(frame))

    def conversation(self, agent: str = "demo", title: str | None = None) -> Json:
        for known in self.conversations.values():
            if known["agent_id"] == agent and title is None and known["is_default"]:
                return known
        made: Json = {
            "conversation_id": f"c{len(self.conversations) + 1}",
            "user_id": "alice",
            "agent_id": agent,
            "title": title or "",
            "is_default": title is None,
            "created_at": "2026-11-22T10:00:00.000Z",
            "updated_at": "2026-11-22T10:00:00.000Z",
        }
        self.conversations[made["conversation_id"]] = made
        self.messages[made["conversation_id"]] = []
        for key in ("u:alice", f"a:{agent}"):
            self._announce(key, "conversation_created", made)
        return made

    def post(self, who: Account, data: Json) -> Json:
        """Store one message, announce it to both, return the answer."""
        found = data.get("conversation_id")
        conversation = self.conversations[found] if found else self.conversation(data.get("agent_id", "demo"))
        stored = self.messages[conversation["conversation_id"]]
        message: Json = {
            "message_id": f"m{sum(map(len, self.messages.values())) + 1}",
            "conversation_id": conversation["conversation_id"],
            "conversation_seq": len(stored) + 1,
            "sender_type": "client" if who.kind == "user" else "agent",
            "sender_id": who.id,
            "content": data["content"],
            "created_at": "2026-11-22T10:00:01.000Z",
            **{name: data[name] for name in ("reply_to", "metadata", "run", "steers") if name in data},
        }
        if "question" in data:
            asked = {"multiple": False, "free_text": False, **data["question"], "state": "open"}
            message["question"] = {name: value for name, value in asked.items() if name != "expires_in_s"}
        if self._is_queued(who, message):
            message["queued"] = True
        own: Json = {**message, **({"client_id": data["client_id"]} if "client_id" in data else {})}
        stored.append(own)
        for key in ("u:alice", f"a:{conversation['agent_id']}"):
            self._announce(key, "message", own if self.account(key) is who else message)
        return own

    def _answer_to(self, own: Json) -> Json:
        fields = ("message_id", "conversation_id", "conversation_seq", "created_at", "client_id")
        return {name: own[name] for name in fields} | {"status": "stored", "timestamp": own["created_at"]}

    def _is_queued(self, who: Account, message: Json) -> bool:
        """A person's message while a run of an agent that queues is open there."""
        is_running = any(
            run.state == "open" and run.conversation_id == message["conversation_id"] for run in self.runs.runs.values()
        )
        queues = "queue" in self.runs.card.get("supports", ())
        return who.kind == "user" and is_running and queues and "steers" not in message

    def stored(self, message_id: str) -> Json:
        """A message as it is now; the logs tell of it as it was."""
        for messages in self.messages.values():
            for message in messages:
                if message["message_id"] == message_id:
                    return message
        raise Refusal("not_found", "no such message")

    def command(self, who: Account, word: str, data: Json) -> tuple[str, Json]:
        """The answer to a command: word and data."""
        if word == "message":
            return self._message(who, data)
        if word in ("edit", "delete"):
            return self._change(word, data)
        if word == "read":
            return self._read(who, data)
        if word == "history":
            messages = self.messages[data["conversation_id"]]
            older = [m for m in messages if m["conversation_seq"] < data.get("before", math.inf)]
            page = older[-data.get("limit", 50) :]
            return "history", {
                "conversation_id": data["conversation_id"],
                "messages": page,
                "has_more": len(page) < len(older),
            }
        if word == "create_conversation":
            return "done", self.conversation(data["agent_id"], data.get("title"))
        if word == "ping":
            return "pong", {"server_time": "now"}
        return "error", {"error": f"unknown message type: {word}", "code": "unknown_type", "retry": "no"}

    def _message(self, who: Account, data: Json) -> tuple[str, Json]:
        client_id = data["client_id"]
        if self.gate not in (None, client_id):
            return "error", {"error": "slow down", "code": "rate_limited", "retry": "after_ms", "retry_after_ms": 50}
        self.gate = None
        if client_id in self.answers:
            known = self.answers[client_id]
            if known["content"] != data["content"]:
                return "error", {"error": "another content", "code": "client_id_reused", "retry": "no"}
            return "message_sent", known["answer"]
        if self.refusals:
            refusal = self.refusals.popleft()
            if refusal["code"] == "rate_limited":
                self.gate = client_id
            return "error", {**refusal, "client_id": client_id}
        answer = self._answer_to(self.post(who, data))
        self.answers[client_id] = {"content": data["content"], "answer": answer}
        return "message_sent", answer

    def _change(self, word: str, data: Json) -> tuple[str, Json]:
        for stored in self.messages.values():
            for message in stored:
                if message["message_id"] != data["message_id"]:
                    continue
                if word == "edit":
                    message |= {"content": data["content"], "edited_at": "2026-11-22T10:00:02.000Z"}
                    news = ("message_edited", dict(message))
                else:
                    message |= {"content": "", "deleted": True}
                    names = ("message_id", "conversation_id", "conversation_seq")
                    news = ("message_deleted", {name: message[name] for name in names})
                agent = self.conversations[message["conversation_id"]]["agent_id"]
                for key in ("u:alice", f"a:{agent}"):
                    self._announce(key, *news)
                return "done", {"message_id": data["message_id"]}
        return "error", {"error": "no such message", "code": "not_found", "retry": "no"}

    def _read(self, who: Account, data: Json) -> tuple[str, Json]:
        conversation = self.conversations[data["conversation_id"]]
        up_to = data.get("up_to") or len(self.messages[data["conversation_id"]])
        self.read_up_to[data["conversation_id"], who.id] = up_to
        receipt = {
            "conversation_id": data["conversation_id"],
            "account_kind": who.kind,
            "account_id": who.id,
            "read_up_to": up_to,
            "delivered_up_to": up_to,
        }
        for key in ("u:alice", f"a:{conversation['agent_id']}"):
            self._announce(key, "receipt", receipt)
        return "done", {"conversation_id": data["conversation_id"], "read_up_to": up_to, "count": 1}

    # ------------------------------------------------------------------------------------------------- sockets

    async def serve(self, started: threading.Event) -> None:
        self.done = trio.Event()
        self.changed = trio.Event()
        self.token = trio.lowlevel.current_trio_token()
        async with trio.open_nursery() as nursery:
            self.nursery = nursery
            listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
            self.port = listeners[0].socket.getsockname()[1]
            nursery.start_soon(trio.serve_listeners, self._connection, listeners)
            started.set()
            await self.done.wait()
            nursery.cancel_scope.cancel()

    async def _connection(self, stream: trio.SocketStream) -> None:
        try:
            while True:
                head = b""
                while b"\r\n\r\n" not in head:
                    more = await stream.receive_some(4096)
                    if not more:
                        return
                    head += more
                line = head.split(b"\r\n", 1)[0].decode()
                self.requests.append(line)
                self._tick()
                if not self.is_up:
                    await stream.send_all(b"HTTP/1.1 503 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                    return
                if b"upgrade: websocket" in head.lower():
                    await self._upgraded(stream, head)
                    return
                await self._answer_http(stream, line, head)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            return

    async def _answer_http(self, stream: trio.SocketStream, line: str, head: bytes) -> None:
        headers, _, body = head.partition(b"\r\n\r\n")
        length = next(
            (int(h.split(b":")[1]) for h in headers.split(b"\r\n") if h.lower().startswith(b"content-length")), 0
        )
        while len(body) < length:
            body += await stream.receive_some(65536)
        method, target, _ = line.split()
        who = "a:demo" if b"x-agent-id" in headers.lower() else "u:alice"
        if target.startswith("/attachments?"):
            status, answer = 200, self._upload(target, body)
        else:
            status, answer = self.route(who, method, target, json.loads(body) if body else {})
        payload = json.dumps(answer).encode()
        await stream.send_all(
            f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(payload)}\r\n\r\n".encode()
            + payload
        )

    def _upload(self, target: str, body: bytes) -> Json:
        query = dict(parse_qsl(target.partition("?")[2]))
        self.files.append(body)
        name = f"att_{len(self.files)}"
        return {"attachment_id": name, "filename": query["filename"], "size": len(body), "url": f"/attachments/{name}"}

    def route(self, who: str, method: str, target: str, body: Json) -> tuple[int, Any]:
        path = target.partition("?")[0]
        if path == "/snapshot":
            conversations = [
                {**c, "receipts": [], "messages": self.messages[key][-50:]} for key, c in self.conversations.items()
            ]
            return 200, {
                "epoch": self.epoch,
                "seq": len(self.account(who).log),
                "conversations": conversations,
                "next": None,
            }
        if path.startswith("/messages/") and method == "GET":
            return 200, self.stored(path.removeprefix("/messages/"))
        if path == "/agents":
            online = bool(self.account("a:demo").sockets)
            status = "online" if online else "offline"
            return 200, [{"id": "demo", "agent_id": "demo", "name": "Demo", "status": status, "online": online}]
        if path in ("/auth/login", "/auth/register"):
            if body.get("password") != "correct horse":
                return 401, {"error": "wrong name or password", "code": "unauthorized", "status": "Unauthorized"}
            return 200, {"token": "alice-token", "user_id": "alice", "username": body["username"]}
        return 404, {"error": f"no route {method} {path}", "code": "not_found", "status": "Not Found"}

    async def _upgraded(self, stream: trio.SocketStream, head: bytes) -> None:
        async with trio.open_nursery() as nursery:
            request: WebSocketRequest = await wrap_server_stream(nursery, _Replayed(stream, head))
            socket = await request.accept(subprotocol="v2")
            self.outboxes[socket], outgoing = trio.open_memory_channel[str](math.inf)
            nursery.start_soon(_write, socket, outgoing)
            try:
                await self._session(socket)
            except ConnectionClosed:
                pass
            finally:
                for account in self.accounts.values():
                    if socket in account.sockets:
                        account.sockets.remove(socket)
                self._tick()
                nursery.cancel_scope.cancel()

    async def _session(self, socket: WebSocketConnection) -> None:
        hello = json.loads(await socket.get_message())["data"]
        self.hellos.append(hello)
        self._tick()
        if self.greetings:
            await socket.send_message(self.greetings.popleft())
        if self.door:
            error, code, reason = self.door.popleft()
            if error is not None:
                await socket.send_message(json.dumps({"type": "error", "data": error}))
            await socket.aclose(code, reason)
            return
        if hello.get("token") not in TOKENS:
            refusal = {"error": "unknown token", "code": "unauthorized", "retry": "no"}
            await socket.send_message(json.dumps({"type": "error", "data": refusal}))
            await socket.aclose(4401, "unauthorized")
            return
        kind, who = TOKENS[hello["token"]]
        account = self.account(f"{kind[0]}:{who}")
        self._open(socket, account, hello)
        while True:
            frame = json.loads(await socket.get_message())
            self.frames.append(frame)
            word, data = frame["type"], frame.get("data", {})
            if word == "ack":
                account.cursor = max(account.cursor, data["seq"])
            elif word == "typing":
                other = "a:demo" if account.kind == "user" else "u:alice"
                sender = "client" if account.kind == "user" else "agent"
                self._push(
                    self.account(other),
                    {"type": "typing", "data": {**data, "sender_type": sender, "sender_id": account.id}},
                )
            elif word != "status":
                await self._answer_command(socket, account, frame)
            self._tick()

    async def _answer_command(self, socket: WebSocketConnection, account: Account, frame: Json) -> None:
        word, data = frame["type"], frame.get("data", {})
        if self.cut_before == word:
            self.cut_before = None
            await trio.aclose_forcefully(socket._stream)
            return
        is_run = self.runs.knows(word)
        answer = self.runs.command(word, data) if is_run else self.command(account, word, data)
        if self.mute and word == self.mutes:
            self.mute -= 1
            await trio.aclose_forcefully(socket._stream)
        elif answer is not None:
            self._send(socket, {"type": answer[0], "ref": frame.get("ref"), "data": answer[1]})

    def _post_of_run(self, data: Json) -> Json:
        key = "u:alice" if data.pop("as", "") == "user" else "a:demo"
        return self.post(self.account(key), data)

    def _open(self, socket: WebSocketConnection, account: Account, hello: Json) -> None:
        since, head = hello.get("since", account.cursor), len(account.log)
        reason = None
        if "epoch" in hello and hello["epoch"] != self.epoch:
            reason = "epoch"
        elif since < account.pruned:
            reason = "pruned"
        elif since > head:
            reason = "ahead"
        position = head if reason else since
        connected = {
            "id": account.id,
            "kind": account.kind,
            "status": "connected",
            "protocol_version": "v2",
            "supported_versions": ["v1", "v2"],
            "device_id": hello.get("device_id"),
            "epoch": self.epoch,
            "seq": position,
            "head": head,
            "server_time": "2026-11-22T10:00:00.000Z",
            "limits": {"max_message_bytes": self.max_message_bytes},
            "capabilities": [],
        }
        self._send(socket, {"type": "connected", "data": connected})
        if reason:
            self._send(socket, {"type": "resync", "data": {"epoch": self.epoch, "seq": head, "reason": reason}})
        for row in account.log[position:]:
            if row["seq"] in self.skip:
                self.skip.discard(row["seq"])
            else:
                self._send(socket, row)
        account.sockets.append(socket)
        self._tick()


class _Replayed(trio.abc.Stream):
    """A stream whose first bytes were read already."""

    def __init__(self, stream: trio.SocketStream, first: bytes) -> None:
        self._stream = stream
        self._first = first

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        first, self._first = self._first, b""
        return first or await self._stream.receive_some(max_bytes)

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        await self._stream.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        await self._stream.wait_send_all_might_not_block()

    async def aclose(self) -> None:
        await self._stream.aclose()


async def _write(socket: WebSocketConnection, outgoing: trio.MemoryReceiveChannel[str]) -> None:
    try:
        async for text in outgoing:
            await socket.send_message(text)
    except ConnectionClosed:
        return


@contextmanager
def fake_server() -> Iterator[FakeServer]:
    """A server on a port of its own, gone with the block."""
    server, started = FakeServer(), threading.Event()
    thread = threading.Thread(target=trio.run, args=(server.serve, started), daemon=True)
    thread.start()
    assert started.wait(10)
    try:
        yield server
    finally:
        server.do(server.done.set)
        thread.join(10)
