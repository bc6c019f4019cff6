"""REST as the benchmark needs it: a few calls to set the stage, and connections that ask the same again and again.

Knows HTTP/1.1 and the routes. Knows nothing of WebSockets.
"""

from __future__ import annotations

import http.client
import json
import socket
import time
from dataclasses import dataclass
from typing import Any

from tests.bench.loop import Broken, Connection, Loop

PASSWORD = "correct horse battery staple"
_OK = 200


@dataclass(frozen=True, slots=True)
class Person:
    """An account, signed in."""

    name: str
    token: str


class Rest:
    """
    One kept-alive connection for setting the stage.

    Raises:
        Broken: from every call that the server does not answer with 200.
    """

    def __init__(self, port: int) -> None:
        self._http = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def close(self) -> None:
        """Hang up."""
        self._http.close()

    def register(self, name: str) -> Person:
        """Make an account; the answer carries a token."""
        answer = self._ask("POST", "/auth/register", {"username": name, "password": PASSWORD})
        return Person(name, answer["token"])

    def register_agent(self, agent_id: str, secret: str) -> str:
        """Let an agent register itself, as the older protocol does."""
        self._ask("POST", "/auth/agent", {"agent_id": agent_id}, {"X-Agent-Secret": secret})
        return agent_id

    def conversation(self, person: Person, agent_id: str) -> str:
        """The default conversation of the two."""
        headers = {"Authorization": f"Bearer {person.token}"}
        return str(self._ask("POST", "/conversations", {"agent_id": agent_id}, headers)["conversation_id"])

    def _ask(self, method: str, path: str, body: object, headers: dict[str, str] | None = None) -> Any:
        self._http.request(
            method,
            path,
            json.dumps(body),
            {"Content-Type": "application/json", "X-Requested-With": "XMLHttpRequest", **(headers or {})},
        )
        answer = self._http.getresponse()
        text = answer.read()
        if answer.status != _OK:
            raise Broken(f"{method} {path}: {answer.status} {text[:200]!r}")
        return json.loads(text)


def request(method: str, path: str, *, token: str = "", body: object = None) -> bytes:
    """A whole request, ready to be sent many times."""
    data = b"" if body is None else json.dumps(body).encode()
    head = [
        f"{method} {path} HTTP/1.1",
        "Host: 127.0.0.1",
        "Content-Type: application/json",
        "X-Requested-With: XMLHttpRequest",
        f"Content-Length: {len(data)}",
    ]
    if token:
        head.append(f"Authorization: Bearer {token}")
    return "\r\n".join([*head, "", ""]).encode() + data


class Asker(Connection):
    """
    Asks, waits for the whole answer, asks again.

    Attributes:
        latencies: seconds per answer since it was last emptied.
    """

    def __init__(self, loop: Loop, port: int, asks: bytes) -> None:
        super().__init__(loop, _connect(port))
        self._port = port
        self.latencies: list[float] = []
        self.is_done = False
        self._asks = asks
        self._buffer = b""
        self._began = 0.0
        loop.add(self)
        self.ask()

    def ask(self) -> None:
        """Send the request."""
        self._began = time.perf_counter()
        self.write(self._asks)

    def arrived(self, data: bytes) -> None:
        self._buffer += data
        head_end = self._buffer.find(b"\r\n\r\n")
        if head_end < 0:
            return
        head = self._buffer[:head_end].lower()
        if not head.startswith(b"http/1.1 200"):
            raise Broken(f"an answer of {self._buffer[:300]!r}")
        at = head.find(b"content-length:")
        if at < 0:
            raise Broken(f"an answer without a length: {head!r}")
        size = int(head[at + 15 :].split(b"\r\n", 1)[0])
        if len(self._buffer) < head_end + 4 + size:
            return
        self._buffer = b""
        self.latencies.append(time.perf_counter() - self._began)
        if b"connection: close" in head:
            # Servers end a kept-alive connection after so many requests (Hypercorn: 1,000).
            self.leave().close()
            self.use(_connect(self._port))
            self._loop.add(self)
        if not self.is_done:
            self.ask()


def _connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=30)
