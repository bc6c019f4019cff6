"""What the scenes of shipped clients share: requests with exactly their headers, sockets opened exactly as they do.

Each scene reads answers through shapes of its own, as strict as that client's parser: a field that is missing or of
another JSON type fails the test. Knows no client.
"""

from __future__ import annotations

import base64
import itertools
import json
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx
import msgspec
import trio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from trio_websocket import ConnectionClosed, WebSocketConnection

from tests.harness import PATIENCE_SECONDS, Json, Scene, open_socket

S = TypeVar("S")
# iOS needs the fraction, Android's Instant and JavaScript's Date the rest; Android sorts by it as text.
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
CHAT = {"message", "chat", "agent_message", "user_message"}


def is_time(text: str | None) -> bool:
    """Whether every client can read it."""
    return text is not None and TIME.fullmatch(text) is not None


class Failure(msgspec.Struct):
    """A refusal as every client reads it."""

    error: str
    status: str


@dataclass
class Api:
    """
    One client's way of asking over REST.

    Attributes:
        headers: sent with every request, as the client spells them.
        base: what stands between the host and the path; a client that is told its server with a slash doubles it.
    """

    scene: Scene
    headers: Mapping[str, str]
    base: str = ""

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.scene.running.port}{self.base}{path}"

    async def answer(self, method: str, path: str, **request: Any) -> httpx.Response:
        """Whatever comes, without following a redirect: a shipped client would lose its body on the way."""
        request["headers"] = {**self.headers, **request.get("headers", {})}
        return await self.scene.http.request(method, self.url(path), follow_redirects=False, **request)

    async def ask(self, method: str, path: str, shape: type[S], *, status: int = 200, **request: Any) -> S:
        """The answer, decoded by the client's own parser."""
        answer = await self.answer(method, path, **request)
        assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text}"
        assert answer.headers["content-type"].startswith("application/json")
        return msgspec.json.decode(answer.content, type=shape)


def bundle_body() -> Json:
    """Public keys as the SDKs upload them together, the signature made with a key of its own for signing."""
    identity = Ed25519PrivateKey.generate()
    prekey, *one_time = (X25519PrivateKey.generate().public_key().public_bytes_raw() for _ in range(3))
    return {
        "identity_key": _spelt(identity.public_key().public_bytes_raw()),
        "signed_prekey": _spelt(prekey),
        "prekey_signature": _spelt(identity.sign(prekey)),
        "one_time_prekeys": [_spelt(each) for each in one_time],
    }


def _spelt(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


class Line:
    """One client's socket; frames as they came, and as its parser takes them."""

    def __init__(self, socket: WebSocketConnection) -> None:
        self.socket = socket
        self.greeting: Json = {}
        self._marks = itertools.count(1)

    async def say(self, frame: Json | str | bytes) -> None:
        await self.socket.send_message(frame if isinstance(frame, str | bytes) else json.dumps(frame))

    async def next_raw(self) -> str:
        with trio.fail_after(PATIENCE_SECONDS):
            raw = await self.socket.get_message()
        assert isinstance(raw, str), "a server sends text frames only"
        return raw

    async def next(self, shape: type[S], word: str) -> S:
        """The next frame of this type, decoded; whatever else comes must be decodable too."""
        while True:
            raw = await self.next_raw()
            decoded = msgspec.json.decode(raw, type=shape)
            if json.loads(raw)["type"] == word:
                return decoded

    async def end(self) -> int:
        """Read to the end: the close code."""
        with trio.fail_after(PATIENCE_SECONDS):
            while True:
                try:
                    await self.socket.get_message()
                except ConnectionClosed as closed:
                    assert closed.reason is not None
                    return closed.reason.code

    async def so_far(self, shape: type[S]) -> list[S]:
        """
        Every frame that came before this call, decoded.

        The question is no client's: it goes through the writer like a message, and its refusal marks the place.
        """
        mark = f"mark_{next(self._marks)}"
        await self.say({"type": "read", "data": {"conversation_id": mark}})
        frames: list[S] = []
        while True:
            raw = await self.next_raw()
            parsed: Json = json.loads(raw)
            if parsed["type"] == "error" and mark in parsed["data"]["error"]:
                return frames
            frames.append(msgspec.json.decode(raw, type=shape))


@asynccontextmanager
async def open_line(
    scene: Scene, target: str, *, offers: tuple[str, ...] = (), headers: Mapping[str, str] | None = None
) -> AsyncIterator[Line]:
    """
    Open a client's socket: `connected` is its first frame, and no subprotocol is answered that was not offered.

    Args:
        target: path and query, as the client writes them.
    """
    extra = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
    async with open_socket(scene.ws_url + target, subprotocols=list(offers), extra_headers=extra) as socket:
        # The library refuses a subprotocol or an extension that was not offered, as these clients do.
        assert socket.subprotocol == (offers[0] if offers else None)
        line = Line(socket)
        line.greeting = json.loads(await line.next_raw())
        assert line.greeting["type"] == "connected"
        yield line


async def knock(scene: Scene, target: str, headers: Mapping[str, str] | None = None) -> httpx.Response:
    """Ask for a socket that is going to be refused, without offering a subprotocol."""
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    url = f"http://127.0.0.1:{scene.running.port}{target}"
    return await scene.http.get(url, headers={**upgrade, **(headers or {})})
