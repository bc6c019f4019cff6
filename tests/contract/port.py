"""A port with an app and echoing sockets, and a client that speaks in bytes. For the tests of amtrio.transports."""

from __future__ import annotations

import socket as stdlib_socket
from base64 import b64encode
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING, cast

import trio
from quart import request
from quart_trio import QuartTrio
from trio.testing import MockClock
from wsproto.frame_protocol import XorMaskerSimple

from amtrio.transports.listener import ListenerSettings, Server, open_sockets
from amtrio.transports.ws import Admission, CloseReason, Handshake, Refusal, Socket, text_frame

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Awaitable, Callable

    from amtrio.transports.bodies import ASGIApp

KEY = b64encode(b"0123456789abcdef")
MASK = b"\x37\xfa\x21\x3d"
TEXT, BINARY, CLOSE, PING, PONG = 0x81, 0x82, 0x88, 0x89, 0x8A


def masked(payload: bytes, first: int = TEXT, *, size_bytes: int | None = None) -> bytes:
    """A frame as a client sends it; `size_bytes` forces a length field that is longer than needed."""
    size = len(payload)
    if size < 126 and size_bytes is None:
        head = bytes([first, 0x80 | size])
    elif size < 65536 and size_bytes in (None, 2):
        head = bytes([first, 0xFE]) + size.to_bytes(2, "big")
    else:
        head = bytes([first, 0xFF]) + size.to_bytes(8, "big")
    return head + MASK + bytes(XorMaskerSimple(MASK).process(bytearray(payload)))


def closing(code: int, text: bytes = b"") -> bytes:
    return masked(code.to_bytes(2, "big") + text, CLOSE)


def upgrade(target: str = "/client/connect", *, version: str = "13", extra: str = "", key: bytes = KEY) -> bytes:
    head = f"GET {target} HTTP/1.1\r\nHost: test\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n"
    head += f"Sec-WebSocket-Key: {key.decode()}\r\nSec-WebSocket-Version: {version}\r\n{extra}\r\n"
    return head.encode()


def get(target: str = "/health", extra: str = "") -> bytes:
    return f"GET {target} HTTP/1.1\r\nHost: test\r\n{extra}\r\n".encode()


@dataclass
class Response:
    status: int
    headers: dict[str, str]
    body: bytes


class Client:
    """One connection, in bytes."""

    def __init__(self, stream: trio.abc.Stream, raw: trio.socket.SocketType) -> None:
        self.stream = stream
        self.raw = raw
        self.held = bytearray()

    async def send(self, data: bytes) -> None:
        await self.stream.send_all(data)

    async def more(self) -> bool:
        """Read; say whether there was anything."""
        data = await self.stream.receive_some(65536)
        self.held += data
        return bool(data)

    async def until(self, mark: bytes) -> bytes:
        while mark not in self.held:
            assert await self.more(), f"ended before {mark!r}: {bytes(self.held)!r}"
        end = self.held.index(mark) + len(mark)
        return self.take(end)

    async def exactly(self, size: int) -> bytes:
        while len(self.held) < size:
            assert await self.more(), f"ended before {size} bytes: {bytes(self.held)!r}"
        return self.take(size)

    def take(self, size: int) -> bytes:
        taken = bytes(self.held[:size])
        del self.held[:size]
        return taken

    async def rest(self) -> bytes:
        """Whatever comes until the server ends the connection, politely or not."""
        try:
            while await self.more():
                pass
        except trio.BrokenResourceError:
            self.held += b"|reset"
        return self.take(len(self.held))

    async def response(self, *, has_body: bool = True) -> Response:
        head = (await self.until(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        status = int(head[0].split(" ")[1])
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:]) if name}
        body = b""
        if headers.get("transfer-encoding") == "chunked":
            while size := int((await self.until(b"\r\n")).strip(), 16):
                body += (await self.exactly(size + 2))[:-2]
            await self.exactly(2)
        elif has_body:
            body = await self.exactly(int(headers.get("content-length", "0")))
        return Response(status, headers, body)

    async def frame(self) -> tuple[int, bytes]:
        """The next frame of the server: its first byte and its payload."""
        first, size = await self.exactly(2)
        if size == 126:
            size = int.from_bytes(await self.exactly(2), "big")
        elif size == 127:
            size = int.from_bytes(await self.exactly(8), "big")
        return first, await self.exactly(size)

    async def open_socket(self, target: str = "/client/connect", extra: str = "") -> Response:
        await self.send(upgrade(target, extra=extra))
        answer = await self.response(has_body=False)
        assert answer.status == 101, answer
        return answer

    async def echo(self, text: str) -> None:
        await self.send(masked(text.encode()))
        assert (TEXT, text.encode()) == await self.frame()

    def fill_until_blocked(self, data: bytes) -> None:
        """Send until neither side takes more, reading nothing."""
        raw = self.raw
        plain = stdlib_socket.socket(fileno=stdlib_socket.dup(raw.fileno()))
        plain.setblocking(False)
        try:
            while True:
                plain.send(data)
        except BlockingIOError:
            pass
        finally:
            plain.close()


@dataclass
class Echo:
    """A session that returns what it gets, and remembers what happened to it."""

    events: list[object] = field(default_factory=list)
    ended: trio.Event = field(default_factory=trio.Event)
    socket: Socket | None = None
    on_open: Callable[[Socket], None] | None = None
    on_message: Callable[[Socket, str | bytes], Awaitable[None] | None] | None = None

    @property
    def reason(self) -> CloseReason:
        reason = self.events[-1]
        assert isinstance(reason, CloseReason)
        return reason

    def opened(self, socket: Socket, /) -> None:
        self.socket = socket
        self.events.append("opened")
        if self.on_open is not None:
            self.on_open(socket)

    def received(self, data: str | bytes, /) -> Awaitable[None] | None:
        assert self.socket is not None
        if self.on_message is not None:
            return self.on_message(self.socket, data)
        if isinstance(data, str):
            self.socket.send(text_frame(data.encode()))
        else:
            self.events.append(data)
        return None

    def ponged(self, payload: bytes, /) -> None:
        self.events.append(("pong", payload))

    def closed(self, reason: CloseReason, /) -> None:
        self.events.append(reason)
        self.ended.set()


class Port:
    """A running server, and the ways to it."""

    def __init__(self, server: Server, address: tuple[str, int], tls: ssl.SSLContext | None) -> None:
        self.server = server
        self.address = address
        self.tls = tls
        self.sessions: list[Echo] = []
        self.handshakes: list[Handshake] = []
        self.prepare: Callable[[Echo], None] | None = None
        self.stop_accepting: Callable[[], None] = lambda: None
        self.connections: trio.Nursery | None = None

    async def admit(self, handshake: Handshake, /) -> Admission | Refusal:
        self.handshakes.append(handshake)
        if handshake.path not in ("/client/connect", "/agent/connect"):
            return Refusal(404, b'{"error":"not found"}', (("content-type", "application/json"),))
        if handshake.query.get("token") == "bad":
            return Refusal(401, b'{"error":"invalid token"}', (("content-type", "application/json"),))
        if handshake.query.get("token") == "slow":
            await trio.sleep_forever()
        session = Echo()
        if self.prepare is not None:
            self.prepare(session)
        self.sessions.append(session)
        chosen = next((name for name in handshake.offered if name == "v2"), None)
        return Admission(session, subprotocol=chosen, headers=(("x-session", "42"),))

    @asynccontextmanager
    async def connect(self, *, receive_buffer: int | None = None) -> AsyncIterator[Client]:
        raw = trio.socket.socket()
        if receive_buffer is not None:
            raw.setsockopt(stdlib_socket.SOL_SOCKET, stdlib_socket.SO_RCVBUF, receive_buffer)
        await raw.connect(self.address)
        stream: trio.abc.Stream = trio.SocketStream(raw)
        if self.tls is not None:
            stream = trio.SSLStream(stream, self.tls, server_hostname="localhost", https_compatible=True)
        try:
            yield Client(stream, raw)
        finally:
            raw.close()


def make_app() -> QuartTrio:
    app = QuartTrio("port")
    app.config["MAX_CONTENT_LENGTH"] = 100_000_000
    app.config["BODY_TIMEOUT"] = None
    app.config["RESPONSE_TIMEOUT"] = None

    @app.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    @app.post("/echo")
    async def echo() -> bytes:
        data = await request.get_data()
        assert isinstance(data, bytes)
        return data

    @app.post("/deaf")
    async def deaf() -> str:
        return "heard nothing"

    @app.get("/slow")
    async def slow() -> dict[str, bool]:
        await trio.sleep(float(request.args["seconds"]))
        return {"slow": True}

    @app.get("/big")
    async def big() -> bytes:
        return b"x" * 20_000_000

    @app.get("/client/connect")
    async def need_upgrade() -> tuple[dict[str, str], int]:
        return {"error": "upgrade required"}, 426

    return app


@asynccontextmanager
async def open_port(
    settings: ListenerSettings | None = None,
    *,
    server_tls: ssl.SSLContext | None = None,
    client_tls: ssl.SSLContext | None = None,
) -> AsyncIterator[Port]:
    """A server on a free port of the loopback; leaving the block cancels whatever is left of it."""
    bound = open_sockets("127.0.0.1", 0)
    address = bound[0].getsockname()
    port: Port | None = None

    async def admit(handshake: Handshake, /) -> Admission | Refusal:
        assert port is not None
        return await port.admit(handshake)

    app = cast("ASGIApp", make_app())  # Quart names each event, the listener speaks of plain mappings
    server = Server(app, admit=admit, sockets=bound, settings=settings, tls=server_tls)
    port = Port(server, address, client_tls)
    # Real time must not pass in a test that hangs; a clock that jumps ends it by itself.
    limit = inf if isinstance(trio.lowlevel.current_clock(), MockClock) else 10
    with trio.fail_after(limit):
        async with _running(server, port):
            yield port


@asynccontextmanager
async def _running(server: Server, port: Port) -> AsyncIterator[None]:
    async with server.lifespan(), trio.open_nursery() as connections:
        async with trio.open_nursery() as listeners:

            async def accept(*, task_status: trio.TaskStatus[object]) -> None:
                await server.accept(connections=connections, task_status=task_status)

            await listeners.start(accept)
            port.stop_accepting = listeners.cancel_scope.cancel
            port.connections = connections
            yield
            listeners.cancel_scope.cancel()
        connections.cancel_scope.cancel()
