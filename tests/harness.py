"""A real server in the test's own loop, and the devices that talk to it: over real sockets, on a port of its own.

`Device` speaks v2 and checks what every client of v2 relies on: that numbers come without gaps and without repeats.
`OldDevice` speaks v1 as the shipped clients do.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import trio
from trio_websocket import ConnectionClosed, WebSocketConnection, open_websocket_url
from wsproto.utilities import LocalProtocolError

import amtrio.features  # noqa: F401 - registers every capability
from amtrio.app import Running, serve
from amtrio.clock import Clock, SystemClock
from amtrio.config import Auth, Config, Limits, Secret, Secrets, Server, Sessions, Storage
from amtrio.feature import Registry, registry

Json = dict[str, Any]
JWT_SECRET = "jwt-secret-of-the-tests-0123456789"
AGENT_SECRET = "agent-secret-of-the-tests"
ADMIN_SECRET = "admin-secret-of-the-tests"
PASSWORD = "correct horse battery"
# A test that waits longer for one frame has found a bug; no passing test waits for it.
PATIENCE_SECONDS = 10.0


class MovableClock(SystemClock):
    """The system's clock, moved by hand."""

    def __init__(self) -> None:
        self.moved_us = 0

    def now_us(self) -> int:
        return super().now_us() + self.moved_us

    def move(self, *, days: float) -> None:
        self.moved_us += int(days * 86_400_000_000)


def config_for(directory: Path, **sections: Any) -> Config:
    """
    A server on a free port with its data in `directory` and no rate limits.

    Args:
        sections: fields to change, by section: `limits={"user_messages_per_minute": 2}`.
    """
    base = Config(
        # Without whatever web client this checkout may have built.
        server=Server(host="127.0.0.1", port=0, webchat_enabled=False),
        storage=Storage(data_dir=directory, db_path=directory / "amtrio.db", upload_dir=directory / "uploads"),
        secrets=Secrets(jwt=Secret(JWT_SECRET), agent=Secret(AGENT_SECRET), admin=Secret(ADMIN_SECRET)),
        auth=Auth(attempts_per_minute=0),
        limits=Limits(
            user_messages_per_minute=0,
            agent_messages_per_minute=0,
            ephemeral_per_minute=0,
            requests_per_minute=0,
            free_requests_per_minute=0,
            pro_requests_per_minute=0,
            enterprise_requests_per_minute=0,
        ),
        sessions=Sessions(),
    )
    return replace(base, **{name: replace(getattr(base, name), **fields) for name, fields in sections.items()})


@dataclass
class Person:
    """An account with one login."""

    name: str
    id: str
    token: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


@dataclass
class Agent:
    """An agent's account, known by the shared secret."""

    id: str
    secret: str = AGENT_SECRET

    @property
    def headers(self) -> dict[str, str]:
        return {"X-Agent-ID": self.id, "X-Agent-Secret": self.secret}


@dataclass
class Scene:
    """A running server and who is on it."""

    running: Running
    config: Config
    http: httpx.AsyncClient
    nursery: trio.Nursery
    _numbers: Any = field(default_factory=lambda: itertools.count(1))

    @property
    def ws_url(self) -> str:
        return f"ws://127.0.0.1:{self.running.port}"

    def client_id(self) -> str:
        """A fresh one."""
        return f"test-client-id-{next(self._numbers):08d}"

    async def register(self, name: str) -> Person:
        """Make an account and sign in."""
        answer = await self.http.post("/auth/register", json={"username": name, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        body = answer.json()
        return Person(name, body["user_id"], body["token"])

    async def login(self, name: str) -> Person:
        """Sign in once more: another login session of the same account."""
        answer = await self.http.post("/auth/login", json={"username": name, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        body = answer.json()
        return Person(name, body["user_id"], body["token"])

    async def register_agent(self, agent_id: str) -> Agent:
        """Let an agent register itself as the older protocol does."""
        answer = await self.http.post(
            "/auth/agent", data={"agent_id": agent_id}, headers={"X-Agent-Secret": AGENT_SECRET}
        )
        assert answer.status_code == 200, answer.text
        return Agent(agent_id)

    async def conversation(self, person: Person, agent: Agent) -> str:
        """The default conversation of the two."""
        answer = await self.http.post("/conversations", json={"agent_id": agent.id}, headers=person.headers)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["conversation_id"])

    async def get(self, path: str, who: Person | Agent, **query: Any) -> Any:
        """A REST answer that must be good, decoded."""
        answer = await self.http.get(path, headers=who.headers, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def knock(self, path: str, *, offers: str = "v1", headers: dict[str, str] | None = None) -> httpx.Response:
        """Ask for a socket that is going to be refused; the answer as it stands on the wire."""
        upgrade = {
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
            "Sec-WebSocket-Protocol": offers,
        }
        return await self.http.get(path, headers=upgrade | (headers or {}))

    @asynccontextmanager
    async def device(
        self, who: Person | Agent, device_id: str | None = None, *, since: int | None = None, epoch: str | None = None
    ) -> AsyncIterator[Device]:
        """A v2 device: "alice's phone"."""
        path = "/agent/connect" if isinstance(who, Agent) else "/client/connect"
        async with open_socket(self.ws_url + path, subprotocols=["v2"]) as socket:
            hello: Json = {"since": since, "epoch": epoch, "device_id": device_id}
            if isinstance(who, Agent):
                hello |= {"token": who.secret, "agent_id": who.id}
            else:
                hello |= {"token": who.token}
            device = Device(socket, self.client_id)
            await device.say("hello", **hello)
            device.greeting = await device.frame()
            assert device.greeting["type"] == "connected", device.greeting
            device.seq = device.greeting["data"]["seq"]
            yield device

    @asynccontextmanager
    async def old_device(
        self,
        who: Person | Agent,
        device_id: str | None = None,
        *,
        offers: tuple[str, ...] = ("v1",),
        user_agent: str | None = None,
        is_page: bool = False,
    ) -> AsyncIterator[OldDevice]:
        """A device of the older protocol; a page says which one it is, and some programs do the same."""
        if isinstance(who, Agent):
            url = f"{self.ws_url}/agent/connect?agent_id={who.id}&agent_secret={who.secret}"
        else:
            url = f"{self.ws_url}/client/connect?token={who.token}"
        if device_id is not None:
            url += f"&device_id={device_id}"
        headers = [(b"User-Agent", user_agent.encode())] if user_agent is not None else []
        if is_page:
            headers.append((b"Origin", f"http://127.0.0.1:{self.running.port}".encode()))
        async with open_socket(url, subprotocols=list(offers), extra_headers=headers) as socket:
            device = OldDevice(socket)
            device.greeting = await device.frame()
            assert device.greeting["type"] == "connected", device.greeting
            yield device


@asynccontextmanager
async def open_socket(url: str, **options: Any) -> AsyncIterator[WebSocketConnection]:
    """
    Open a socket that is closed for certain: trio-websocket leaves one open that the server closed first.

    It also trips over a ping that crosses its own Close.
    """
    is_left = False
    try:
        async with open_websocket_url(url, **options) as socket:
            try:
                yield socket
                is_left = True
            finally:
                if socket.closed is not None:
                    await trio.aclose_forcefully(socket._stream)
    except LocalProtocolError:
        if not is_left:
            raise


class _Frames:
    """A socket that speaks JSON."""

    def __init__(self, socket: WebSocketConnection) -> None:
        self.socket = socket
        self.greeting: Json = {}

    async def say(self, word: str, *, ref: str | int | None = None, **data: Any) -> None:
        """Send a command; fields that are None are left out."""
        frame: Json = {"type": word, "data": {name: value for name, value in data.items() if value is not None}}
        if ref is not None:
            frame["ref"] = ref
        await self.socket.send_message(json.dumps(frame))

    async def frame(self) -> Json:
        """The next frame, whatever it is."""
        with trio.fail_after(PATIENCE_SECONDS):
            frame: Json = json.loads(await self.socket.get_message())
        return frame

    async def closed(self) -> tuple[int, str]:
        """Read to the end: the close code and its text."""
        with trio.fail_after(PATIENCE_SECONDS):
            while True:
                try:
                    await self.socket.get_message()
                except ConnectionClosed as end:
                    assert end.reason is not None
                    return end.reason.code, end.reason.reason or ""


class Device(_Frames):
    """
    A v2 device.

    Attributes:
        seq: number of the newest event; the next one must follow it.
        events: log events in the order of their numbers. ephemeral: the others. replies: answers by `ref`.
    """

    def __init__(self, socket: WebSocketConnection, client_id: Callable[[], str]) -> None:
        super().__init__(socket)
        self.seq = 0
        self.events: list[Json] = []
        self.ephemeral: list[Json] = []
        self.replies: dict[Any, Json] = {}
        self._client_id = client_id
        self._refs = itertools.count(1)
        self._unread: list[Json] = []

    async def take(self) -> Json:
        """Take the next frame and file it; a hole or a repeat fails the test."""
        frame = await self.frame()
        if "seq" in frame:
            assert frame["seq"] == self.seq + 1, f"after {self.seq} came {frame['seq']}"
            self.seq = frame["seq"]
            self.events.append(frame)
            self._unread.append(frame)
        elif "ref" in frame:
            self.replies[frame["ref"]] = frame
        else:
            self.ephemeral.append(frame)
            self._unread.append(frame)
        return frame

    async def next(self, word: str, **fields: Any) -> Json:
        """The next event of this type whose data has these values, also one that an answer overtook; its data."""

        def is_it(frame: Json) -> bool:
            return frame["type"] == word and all(frame["data"].get(name) == value for name, value in fields.items())

        for number, frame in enumerate(self._unread):
            if is_it(frame):
                del self._unread[: number + 1]
                return dict(frame["data"])
        self._unread.clear()
        while not is_it(frame := await self.take()):
            pass
        self._unread.clear()
        return dict(frame["data"])

    async def ask(self, word: str, **data: Any) -> Json:
        """Send a command and take frames until its answer; the whole frame."""
        ref = f"r{next(self._refs)}"
        await self.say(word, ref=ref, **data)
        while ref not in self.replies:
            await self.take()
        return self.replies.pop(ref)

    async def send(self, conversation_id: str, content: str, **data: Any) -> Json:
        """Send a message; the data of `message_sent`."""
        data.setdefault("client_id", self._client_id())
        reply = await self.ask("message", conversation_id=conversation_id, content=content, **data)
        assert reply["type"] == "message_sent", reply
        sent: Json = reply["data"]
        return sent

    async def ack(self) -> None:
        """Confirm everything taken so far."""
        await self.say("ack", seq=self.seq)

    async def caught_up(self) -> None:
        """Take everything that was announced before this call: a ping's answer comes after it."""
        await self.ask("ping")


class OldDevice(_Frames):
    """
    A v1 device; trio-websocket answers its confirming pings by itself.

    Attributes:
        seen: frames that were taken on the way to others.
    """

    def __init__(self, socket: WebSocketConnection) -> None:
        super().__init__(socket)
        self.seen: list[Json] = []

    async def next(self, word: str, **fields: Any) -> Json:
        """Take frames until one of this type; its data, or the flat frame itself."""
        while True:
            frame = await self.frame()
            self.seen.append(frame)
            data: Json = frame.get("data", frame)
            if frame["type"] == word and all(data.get(name) == value for name, value in fields.items()):
                return data

    async def send(self, conversation_id: str, content: str, **data: Any) -> Json:
        """Send a message; the data of `message_sent`."""
        await self.say("message", conversation_id=conversation_id, content=content, **data)
        return await self.next("message_sent")


@asynccontextmanager
async def open_scene(
    directory: Path, *, clock: Clock | None = None, table: Registry = registry, **sections: Any
) -> AsyncIterator[Scene]:
    """Start a server with its data in `directory`; leaving stops it in order."""
    config = config_for(directory, **sections)
    async with trio.open_nursery() as nursery:
        running: Running = await nursery.start(partial(serve, config, clock=clock, table=table))
        base = f"http://127.0.0.1:{running.port}"
        async with httpx.AsyncClient(base_url=base, timeout=PATIENCE_SECONDS) as http:
            yield Scene(running, config, http, nursery)
        running.stop.request(running.stop.code, "the test is over")
