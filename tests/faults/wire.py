"""A WebSocket client that can misbehave: reads when it is told to, answers pings or not, sends any bytes, cuts.

Also the cheapest well-behaved one: twenty thousand messages in a test leave no time for a library.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import socket as stdlib_socket
import struct
from collections.abc import Callable
from typing import Any, NamedTuple, Self

import trio

Json = dict[str, Any]

TEXT, BINARY, CLOSE, PING, PONG = 0x1, 0x2, 0x8, 0x9, 0xA
FINAL = 0x80
# A mask of zeros is as good as any to the receiver and costs nothing to apply.
_NO_MASK = bytes(4)
_KEY = "dGhlIHNhbXBsZSBub25jZQ=="


class Refused(Exception):
    """The upgrade was answered with something else than 101."""

    def __init__(self, head: str, body: bytes) -> None:
        super().__init__(head.partition("\r\n")[0])
        self.status = int(head.split(" ", 2)[1])
        self.body = body


class Ended(Exception):
    """The connection is over: with a Close frame's code, or None if it was cut."""

    def __init__(self, code: int | None, text: str = "") -> None:
        super().__init__(f"{code} {text}")
        self.code = code
        self.text = text


class Frame(NamedTuple):
    """One frame of the server."""

    opcode: int
    payload: bytes


def client_frame(
    payload: bytes, opcode: int = TEXT, *, first: int | None = None, mask: bytes = _NO_MASK, is_masked: bool = True
) -> bytes:
    """
    A frame as a client sends it.

    Args:
        first: the whole first byte, instead of a final frame of `opcode`.
        is_masked: false breaks the protocol.
    """
    size = len(payload)
    bit = 0x80 if is_masked else 0
    if size < 126:
        head = bytes([FINAL | opcode if first is None else first, bit | size])
    elif size < 65536:
        head = bytes([FINAL | opcode if first is None else first, bit | 126]) + struct.pack(">H", size)
    else:
        head = bytes([FINAL | opcode if first is None else first, bit | 127]) + struct.pack(">Q", size)
    if not is_masked:
        return head + payload
    if mask != _NO_MASK:
        payload = bytes(byte ^ key for byte, key in zip(payload, itertools.cycle(mask), strict=False))
    return head + mask + payload


class Wire:
    """
    One connection.

    Attributes:
        answers_pings: whether `receive` answers them.
        ponged: called with the payload of each ping just before it is answered.
    """

    def __init__(self, socket: trio.socket.SocketType) -> None:
        self.socket = socket
        self.answers_pings = True
        self.ponged: Callable[[bytes], object] = lambda _: None
        self.received_bytes = 0
        self._in = bytearray()

    @classmethod
    async def connect(cls, port: int, *, receive_buffer: int | None = None) -> Wire:
        """
        Connect; nothing is said yet.

        Args:
            receive_buffer: bytes the kernel may hold for us; small, so that a reader that stops is felt at once.
        """
        socket = trio.socket.socket()
        if receive_buffer is not None:
            socket.setsockopt(stdlib_socket.SOL_SOCKET, stdlib_socket.SO_RCVBUF, receive_buffer)
        socket.setsockopt(stdlib_socket.IPPROTO_TCP, stdlib_socket.TCP_NODELAY, 1)
        try:
            await socket.connect(("127.0.0.1", port))
        except BaseException:
            socket.close()
            raise
        return cls(socket)

    @classmethod
    async def open(
        cls, port: int, path: str, *, version: str = "v2", headers: str = "", receive_buffer: int | None = None
    ) -> Wire:
        """
        Connect and upgrade.

        Raises:
            OSError: nobody listens. Refused: the server said no. Ended: it went away.
        """
        wire = await cls.connect(port, receive_buffer=receive_buffer)
        try:
            await wire.send(
                f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {_KEY}\r\n"
                f"Sec-WebSocket-Protocol: {version}\r\n{headers}\r\n".encode()
            )
            while (end := wire._in.find(b"\r\n\r\n")) < 0:
                await wire.fill()
            head = wire._in[:end].decode()
            del wire._in[: end + 4]
            if " 101 " in head.partition("\r\n")[0]:
                return wire
            while True:
                try:
                    await wire.fill()
                except Ended:
                    raise Refused(head, bytes(wire._in)) from None
        except BaseException:
            wire.cut()
            raise

    # -- sending ------------------------------------------------------------

    async def send(self, data: bytes) -> None:
        """
        Send bytes as they are.

        Raises:
            Ended: the connection is gone.
        """
        view = memoryview(data)
        try:
            while view:
                view = view[await self.socket.send(view) :]
        except (OSError, trio.ClosedResourceError) as error:
            raise Ended(None, str(error)) from error

    async def say(self, word: str, *, ref: str | int | None = None, **data: Any) -> None:
        """Send a command; fields that are None are left out."""
        frame: Json = {"type": word, "data": {name: value for name, value in data.items() if value is not None}}
        if ref is not None:
            frame["ref"] = ref
        await self.send(client_frame(json.dumps(frame).encode()))

    # -- receiving ----------------------------------------------------------

    async def fill(self, most: int = 65536) -> None:
        """
        Read once from the kernel.

        Raises:
            Ended: there is nothing more.
        """
        try:
            data = await self.socket.recv(most)
        except (OSError, trio.ClosedResourceError) as error:
            raise Ended(None, str(error)) from error
        if not data:
            raise Ended(None, "end of stream")
        self.received_bytes += len(data)
        self._in += data

    def taken(self) -> Frame | None:
        """The next frame of what was read, whatever it is."""
        data = self._in
        if len(data) < 2:
            return None
        size, start = data[1], 2
        if size == 126:
            if len(data) < 4:
                return None
            size, start = int.from_bytes(data[2:4], "big"), 4
        elif size == 127:
            if len(data) < 10:
                return None
            size, start = int.from_bytes(data[2:10], "big"), 10
        if len(data) < start + size:
            return None
        frame = Frame(data[0] & 0x0F, bytes(data[start : start + size]))
        del data[: start + size]
        return frame

    async def receive(self) -> Json:
        """
        The next text, decoded; pings are answered on the way.

        Raises:
            Ended: the server closed, or the connection was cut.
        """
        while True:
            while (frame := self.taken()) is None:
                await self.fill()
            if frame.opcode == TEXT:
                text: Json = json.loads(frame.payload)
                return text
            if frame.opcode == PING and self.answers_pings:
                self.ponged(frame.payload)
                await self.send(client_frame(frame.payload, PONG))
            elif frame.opcode == CLOSE:
                code = int.from_bytes(frame.payload[:2], "big") if frame.payload else 1005
                text_of_close = frame.payload[2:].decode()
                with contextlib.suppress(Ended):
                    await self.send(client_frame(frame.payload, CLOSE))
                raise Ended(code, text_of_close)

    async def end(self) -> Ended:
        """Read to the end; how it ended."""
        while True:
            try:
                await self.receive()
            except Ended as ended:
                return ended

    # -- ending -------------------------------------------------------------

    def cut(self) -> None:
        """Be gone without a word: what the other side sends is answered with a reset."""
        if self.socket.fileno() >= 0:
            self.socket.setsockopt(stdlib_socket.SOL_SOCKET, stdlib_socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.cut()
