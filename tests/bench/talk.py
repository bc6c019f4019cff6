"""People and agents that talk over WebSockets, and check what they hear while they measure it.

Knows the frames of v1 and v2. Frames are searched for the few fields that matter and never decoded, so that the
generator costs a fraction of what the server costs.
"""

from __future__ import annotations

import base64
import json
import os
import socket
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlencode

from tests.bench.loop import Broken, Connection, Loop
from tests.bench.rest import Person
from tests.bench.wire import CLOSE, PING, PONG, TEXT, client_frame, split_frames

Version = Literal["v1", "v2"]
CONTENT_BYTES = 100
# A client of v2 confirms in batches; as many as docs/protocol.md suggests.
ACK_EVERY = 64
_TAG_BYTES = 4
_NUMBER_BYTES = 10
_MESSAGE = b'{"type":"message",'
_SENT = b'{"type":"message_sent"'
_ERROR = b'{"type":"error"'
_FROM_AGENT = b'"sender_type":"agent"'
_CONTENT = b'"content":"'
_CONVERSATION = b'"conversation_id":"'
_SEQ = b'"seq":'
_SEQ_WITHIN = 60


@dataclass
class Tally:
    """
    What all people of a scenario saw.

    Attributes:
        latencies: seconds from saying something to hearing the agent's answer, since `take`.
        answers_at_once: say the next thing when an answer arrives (closed loop).
    """

    tag: bytes = field(default_factory=lambda: os.urandom(2).hex().encode())
    latencies: list[float] = field(default_factory=list)
    answers_at_once: bool = True
    sent: int = 0
    acked: int = 0
    answered: int = 0

    def take(self) -> list[float]:
        """The latencies so far, which start anew."""
        taken, self.latencies = self.latencies, []
        return taken


class Speaker(Connection):
    """One WebSocket, open and greeted."""

    def __init__(self, loop: Loop, port: int, version: Version, path: str, hello: dict[str, Any]) -> None:
        link, rest = _handshake(port, version, path)
        if version == "v2":
            link.sendall(client_frame(json.dumps({"type": "hello", "data": hello}).encode()))
        greeting, self._buffer = _first_frame(link, rest)
        if greeting["type"] != "connected":
            raise Broken(f"instead of a greeting: {greeting}")
        super().__init__(loop, link)
        self.is_v2 = version == "v2"
        self.seq: int = greeting["data"].get("seq", 0)
        self._unacked = 0
        self.heard_at: float = 0.0
        loop.add(self)

    def arrived(self, data: bytes) -> None:
        self._buffer = split_frames(self._buffer + data if self._buffer else data, self._frame)

    def _frame(self, first_byte: int, payload: bytes) -> None:
        if first_byte == TEXT:
            if self.is_v2:
                self._count(payload)
            self.take(payload)
        elif first_byte == PING:
            self.write(client_frame(payload, PONG))
        elif first_byte == CLOSE:
            raise Broken(f"the server closed a socket: {payload!r}")

    def _count(self, payload: bytes) -> None:
        """Numbers come without holes and repeats, and are confirmed in batches."""
        at = payload.find(_SEQ, 0, _SEQ_WITHIN)
        if at < 0:
            return
        seq = int(payload[at + len(_SEQ) : payload.index(b",", at)])
        if seq != self.seq + 1:
            raise Broken(f"after event {self.seq} came {seq}")
        self.seq = seq
        self._unacked += 1
        if self._unacked >= ACK_EVERY:
            self.ack()

    def ack(self) -> None:
        """Confirm everything heard so far."""
        self._unacked = 0
        self.write(client_frame(b'{"type":"ack","data":{"seq":%d}}' % self.seq))

    def take(self, payload: bytes) -> None:
        """React to a frame. A speaker of no trade only notes when it heard of somebody's presence."""
        if b'"presence_update"' in payload[:40]:
            self.heard_at = time.perf_counter()
        elif payload.startswith(_ERROR):
            raise Broken(f"refused: {payload!r}")


class User(Speaker):
    """Says something, hears the agent's answer, says the next thing."""

    def __init__(
        self, loop: Loop, port: int, version: Version, person: Person, conversation: str, tally: Tally
    ) -> None:
        super().__init__(loop, port, version, *client_side(version, person.token))
        self._tally = tally
        self._began: deque[float] = deque()
        self._sent = 0
        self._answered = 0
        self._head = b'{"type":"message","data":{"conversation_id":"%b","content":"%b' % (
            conversation.encode(),
            tally.tag,
        )
        self._tail = b"." * (CONTENT_BYTES - _TAG_BYTES - _NUMBER_BYTES) + b'"'
        # Older clients name no message; those of v2 always do.
        self._client_id = (b',"client_id":"bench-%b-' % tally.tag) if version == "v2" else b""

    def say(self, began: float) -> None:
        """Send one message; its round trip is measured from `began`."""
        number = b"%010d" % self._sent
        self._sent += 1
        self._tally.sent += 1
        self._began.append(began)
        end = self._client_id + number + b'"}}' if self._client_id else b"}}"
        self.write(client_frame(self._head + number + self._tail + end))

    def take(self, payload: bytes) -> None:
        if payload.startswith(_MESSAGE):
            if _FROM_AGENT in payload:
                self._answer(payload)
        elif payload.startswith(_SENT):
            self._tally.acked += 1
        elif payload.startswith(_ERROR):
            raise Broken(f"refused: {payload!r}")

    def _answer(self, payload: bytes) -> None:
        at = payload.index(_CONTENT) + len(_CONTENT)
        if payload[at : at + _TAG_BYTES] != self._tally.tag:
            return  # COMPAT(v1): the last unconfirmed events of the scenario before
        number = int(payload[at + _TAG_BYTES : at + _TAG_BYTES + _NUMBER_BYTES])
        if number != self._answered:
            raise Broken(f"expected the answer to message {self._answered}, heard that to {number}")
        self._answered += 1
        tally = self._tally
        tally.answered += 1
        now = time.perf_counter()
        tally.latencies.append(now - self._began.popleft())
        if tally.answers_at_once:
            self.say(now)


class EchoAgent(Speaker):
    """Says what it hears."""

    def __init__(
        self, loop: Loop, port: int, version: Version, agent_id: str, secret: str, tally: Tally | None = None
    ) -> None:
        super().__init__(loop, port, version, *agent_side(version, agent_id, secret))
        self._sent = 0
        self._tally = tally or Tally()

    def take(self, payload: bytes) -> None:
        if payload.startswith(_MESSAGE):
            if _FROM_AGENT not in payload:
                self._echo(payload)
        elif payload.startswith(_ERROR):
            raise Broken(f"refused: {payload!r}")

    def _echo(self, payload: bytes) -> None:
        at = payload.index(_CONTENT) + len(_CONTENT)
        if payload[at : at + _TAG_BYTES] != self._tally.tag:
            return
        content = payload[at : at + CONTENT_BYTES]
        at = payload.index(_CONVERSATION) + len(_CONVERSATION)
        conversation = payload[at : payload.index(b'"', at)]
        client_id = b""
        if self.is_v2:
            self._sent += 1
            client_id = b',"client_id":"bench-%b-%010d"' % (self._tally.tag, self._sent)
        self.write(
            client_frame(
                b'{"type":"message","data":{"conversation_id":"%b","content":"%b"%b}}'
                % (conversation, content, client_id)
            )
        )


def client_side(version: Version, token: str, device_id: str = "") -> tuple[str, dict[str, Any]]:
    """Path and first frame of a person's device."""
    if version == "v2":
        return "/client/connect", {"token": token, "device_id": device_id or None}
    query = {"token": token} | ({"device_id": device_id} if device_id else {})
    return f"/client/connect?{urlencode(query)}", {}


def agent_side(version: Version, agent_id: str, secret: str) -> tuple[str, dict[str, Any]]:
    """Path and first frame of an agent."""
    if version == "v2":
        return "/agent/connect", {"token": secret, "agent_id": agent_id}
    return f"/agent/connect?{urlencode({'agent_id': agent_id, 'agent_secret': secret})}", {}


def close_all(speakers: Iterable[Speaker]) -> None:
    """Say goodbye on every socket, then wait for the server to do the same."""
    links = []
    for speaker in speakers:
        if speaker.is_v2:
            speaker.ack()
        links.append(speaker.leave())
        links[-1].sendall(client_frame((1001).to_bytes(2, "big"), CLOSE))
    for link in links:
        while link.recv(65_536):
            pass
        link.close()


def _handshake(port: int, version: Version, path: str) -> tuple[socket.socket, bytes]:
    link = socket.create_connection(("127.0.0.1", port), timeout=30)
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    key = base64.b64encode(os.urandom(16)).decode()
    head = (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: {version}\r\n\r\n"
    )
    link.sendall(head.encode())
    data = b""
    while b"\r\n\r\n" not in data:
        data += _some(link)
    answer, _, rest = data.partition(b"\r\n\r\n")
    if not answer.startswith(b"HTTP/1.1 101"):
        raise Broken(f"the upgrade was answered with {data[:300]!r}")
    return link, rest


def _first_frame(link: socket.socket, data: bytes) -> tuple[Any, bytes]:
    first: list[bytes] = []
    rest: list[bytes] = []

    def take(first_byte: int, payload: bytes) -> None:
        if first:
            # Whatever else has come already is put back, as the server sends it: unmasked.
            size = len(payload)
            rest.append(bytes((first_byte, 126)) + size.to_bytes(2, "big") + payload)
        else:
            first.append(payload)

    data = split_frames(data, take)
    while not first:
        data = split_frames(data + _some(link), take)
    return json.loads(first[0]), b"".join(rest) + data


def _some(link: socket.socket) -> bytes:
    data = link.recv(65_536)
    if not data:
        raise Broken("the server hung up during the handshake")
    return data
