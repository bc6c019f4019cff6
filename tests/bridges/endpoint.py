"""An HTTP endpoint on a real socket that answers byte for byte as a test says, and remembers what it was asked."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import anyio
import h11
import msgspec
from anyio.abc import SocketAttribute, SocketStream

from amtrio.bridges.groups import unwrapped


@dataclass(frozen=True)
class Request:
    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.body)


@dataclass
class Wire:
    """The way back to whoever asked."""

    stream: SocketStream
    left: anyio.Event = field(default_factory=anyio.Event)

    async def head(self, status: int = 200, content_type: str = "application/json", **headers: str) -> None:
        """Status and headers of an answer that ends with the connection."""
        fields = {"Content-Type": content_type, "Connection": "close", **headers}
        lines = [f"HTTP/1.1 {status} Whatever", *(f"{name.replace('_', '-')}: {fields[name]}" for name in fields)]
        await self.send("\r\n".join(lines).encode() + b"\r\n\r\n")

    async def send(self, data: bytes | str) -> None:
        await self.stream.send(data.encode() if isinstance(data, str) else data)

    async def answer(self, status: int = 200, body: Any = "", content_type: str = "", **headers: str) -> None:
        """A whole answer: text, or whatever else as JSON."""
        is_text = isinstance(body, str)
        await self.head(status, content_type or ("text/plain" if is_text else "application/json"), **headers)
        await self.send(body if is_text else msgspec.json.encode(body))

    async def wait_until_left(self) -> None:
        """Until the other side has closed the connection."""
        try:
            while True:
                await self.stream.receive()
        except (anyio.EndOfStream, anyio.BrokenResourceError):
            self.left.set()


Answer = Callable[[Request, Wire], Awaitable[None]]


@dataclass
class Endpoint:
    url: str
    requests: list[Request] = field(default_factory=list)


@asynccontextmanager
async def open_endpoint(answer: Answer) -> AsyncIterator[Endpoint]:
    """`answer` plays each request; the connection is closed after it."""
    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener:
        port = listener.extra(SocketAttribute.local_port)
        endpoint = Endpoint(f"http://127.0.0.1:{port}")

        async def serve(stream: SocketStream) -> None:
            async with stream:
                request = await _read(stream)
                if request is not None:
                    endpoint.requests.append(request)
                    await answer(request, Wire(stream))

        with unwrapped():
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(listener.serve, serve)
                yield endpoint
                tasks.cancel_scope.cancel()


async def _read(stream: SocketStream) -> Request | None:
    reader, head, body = h11.Connection(h11.SERVER), None, b""
    while True:
        event = reader.next_event()
        if event is h11.NEED_DATA:
            try:
                reader.receive_data(await stream.receive())
            except anyio.EndOfStream:
                return None  # a look whether anybody is there
        elif isinstance(event, h11.Request):
            head = event
        elif isinstance(event, h11.Data):
            body += event.data
        else:
            assert isinstance(event, h11.EndOfMessage)
            assert head is not None
            headers = {name.decode().lower(): value.decode() for name, value in head.headers}
            return Request(head.method.decode(), head.target.decode(), headers, bytes(body))
