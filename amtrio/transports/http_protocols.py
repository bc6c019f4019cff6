"""HTTP/1.1 and HTTP/2 on one connection, up to the moment that it becomes a WebSocket.

Knows Hypercorn, h11 and h2 with their internals, and is the only file that does. Knows nothing of routes,
of WebSocket frames or of who listens.
"""

from __future__ import annotations

import logging
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Any, Final, cast

import h11
import trio
from h2.errors import ErrorCodes
from h2.events import DataReceived, RequestReceived, StreamReset
from h2.exceptions import H2Error
from hypercorn.config import Config
from hypercorn.events import Closed, RawData, Updated
from hypercorn.protocol import ProtocolWrapper
from hypercorn.protocol.h2 import H2Protocol
from hypercorn.protocol.h11 import H2CProtocolRequiredError, H2ProtocolAssumedError, H11Protocol
from hypercorn.trio.lifespan import Lifespan
from hypercorn.trio.task_group import TaskGroup
from hypercorn.trio.tcp_server import TCPServer
from hypercorn.trio.worker_context import WorkerContext
from hypercorn.typing import ConnectionState
from hypercorn.utils import parse_socket_addr, wrap_app
from hyperframe.exceptions import HyperframeError

from amtrio.transports.bodies import BodyGuard
from amtrio.transports.ws import Upgrade

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from h2.events import Event as H2Event
    from hypercorn.events import Event
    from hypercorn.typing import ASGIFramework

    from amtrio.transports.bodies import ASGIApp, Dressing
    from amtrio.transports.stream import BufferedStream

__all__ = ["HttpConnection", "HttpService", "HttpSettings"]

# What follows the end of a request inside the library (restarting its timer, closing) is shielded from the
# end of the request's tasks; no part of it waits for long, and none may wait for ever.
_AFTERMATH_SECONDS: Final = 2.0
# For the app's own end.
_SHUTDOWN_SECONDS: Final = 5.0
# A request head that is refused by size is refused with RFC 6585's status.
_HEAD_TOO_LARGE: Final = 431
# Streams that one HTTP/2 connection may cancel in its life, which is 1000 requests (CVE-2023-44487).
_MOST_RESETS: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpSettings:
    """
    Limits of requests.

    Attributes:
        keep_alive_seconds: a connection on which nothing is going on is closed after this.
        header_timeout_seconds: from the first byte of a request's head to its last.
        body_idle_seconds: see `BodyGuard`.
        write_stall_seconds: a client that takes no byte of an answer for this long is cut.
        max_header_bytes: of one request's head.
        max_body_bytes: of one request's body; None leaves it to the app.
        is_streamed, dressing: see `BodyGuard`.
    """

    keep_alive_seconds: float = 75.0
    header_timeout_seconds: float = 10.0
    body_idle_seconds: float = 30.0
    write_stall_seconds: float = 30.0
    max_header_bytes: int = 32 * 1024
    max_body_bytes: int | None = None
    is_streamed: Callable[[str, str], bool] = lambda method, path: False  # noqa: ARG005
    dressing: Dressing = lambda scope, error: ()  # noqa: ARG005


class HttpService:
    """What the HTTP side of all connections shares: the app, the library's settings, the end."""

    def __init__(self, app: ASGIApp, settings: HttpSettings | None = None) -> None:
        """Serve `app`, guarded against large and slow bodies."""
        self.settings = settings or HttpSettings()
        guarded = BodyGuard(
            app,
            max_body_bytes=self.settings.max_body_bytes,
            idle_seconds=self.settings.body_idle_seconds,
            is_streamed=self.settings.is_streamed,
            dressing=self.settings.dressing,
        )
        self.config = _library_config(self.settings)
        self.app = wrap_app(cast("ASGIFramework", guarded), self.config.wsgi_max_body_size, "asgi")
        self.context = WorkerContext(None)
        self.state: dict[str, Any] = {}

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        """Tell the app of its start, and of its end when the block is left."""
        lifespan = Lifespan(self.app, self.config, self.state)
        async with trio.open_nursery() as nursery:
            await nursery.start(lifespan.handle_lifespan)
            await lifespan.wait_for_startup()
            try:
                yield
            finally:
                # If all of this is being cancelled the app's task has ended before it could be told.
                with trio.move_on_after(_SHUTDOWN_SECONDS, shield=True), suppress(trio.ClosedResourceError):
                    await lifespan.wait_for_shutdown()
                nursery.cancel_scope.cancel()

    async def finish_requests(self) -> None:
        """From now on idle connections close, and busy ones after the answer that they are at."""
        await self.context.terminated.set()


def _library_config(settings: HttpSettings) -> Config:
    config = Config()
    config.keep_alive_timeout = settings.keep_alive_seconds
    config.h11_max_incomplete_size = settings.max_header_bytes
    config.h2_max_header_list_size = settings.max_header_bytes
    config.include_server_header = False
    # Where its own logger would write to stderr in a format of its own.
    config.errorlog = logging.getLogger("hypercorn.error")
    return config


class _Upgraded(Exception):
    """Leaves the library's parser at the point where it would switch protocols itself."""

    def __init__(self, upgrade: Upgrade) -> None:
        super().__init__()
        self.upgrade = upgrade


class _HeadRefused(Exception):
    """The request was answered already; the connection ends."""


class _Http1(H11Protocol):
    """HTTP/1.1, which stops at an upgrade to WebSocket."""

    async def _check_protocol(self, event: h11.Request) -> None:
        # Called for every request, the first of a connection or the tenth, before the app hears of it.
        size = len(event.target) + sum(len(name) + len(value) + 4 for name, value in event.headers)
        if size > self.config.h11_max_incomplete_size:
            await self.refuse(_HEAD_TOO_LARGE)
            raise _HeadRefused
        if _is_websocket_upgrade(event):
            if event.http_version < b"1.1" or _announces_body(event):
                # RFC 6455, 4.2.1: at least HTTP/1.1. A body would be taken for frames.
                await self.refuse(400)
                raise _HeadRefused
            raise _Upgraded(
                Upgrade(
                    head=_head_of(event),
                    target=event.target.decode("ascii"),
                    headers=tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in event.headers),
                    trailing=self.connection.trailing_data[0],
                )
            )
        await super()._check_protocol(event)

    @property
    def has_partial_head(self) -> bool:
        """Has a request begun to arrive, of which the app has not heard yet."""
        return self.connection.their_state is h11.IDLE and bool(self.connection.trailing_data[0])

    async def refuse(self, status: int) -> None:
        """Answer what is no request, without a body."""
        await self._send_error_response(status)


class _Http2(H2Protocol):
    """HTTP/2 without extended CONNECT, and with the library's gaps closed that a client could fall through."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._resets = 0
        # RFC 8441 would bring WebSockets past the one place that handles them.
        self.connection.local_settings.enable_connect_protocol = 0
        self.connection.local_settings.acknowledge()
        self.connection.decoder.max_header_list_size = self.config.h2_max_header_list_size

    async def handle(self, event: Event) -> None:
        """Take bytes, or the end of the connection."""
        try:
            await super().handle(event)
        except H2Error:
            # The library expects them where it parses, not where it answers to what it has parsed.
            await self.send(Closed())

    async def say_goodbye(self) -> None:
        """Tell the client that no further request is taken (GOAWAY)."""
        if not self.closed:
            with suppress(H2Error):
                self.connection.close_connection()
            await self._flush()

    async def _handle_events(self, events: list[H2Event]) -> None:
        # One by one: what an event may refer to depends on those before it.
        for event in events:
            if isinstance(event, StreamReset):
                self._resets += 1
                if self._resets > _MOST_RESETS:
                    self.connection.close_connection(ErrorCodes.ENHANCE_YOUR_CALM)
                    await self._flush()
                    await self.send(Closed())
                    return
            if isinstance(event, DataReceived) and event.stream_id not in self.streams:
                # The answer was complete before the body was: the library would look for the stream.
                with suppress(H2Error):
                    self.connection.acknowledge_received_data(event.flow_controlled_length or 0, event.stream_id or 0)
            elif isinstance(event, RequestReceived) and not _is_plain_request(event):
                with suppress(H2Error):
                    self.connection.reset_stream(event.stream_id or 0, ErrorCodes.PROTOCOL_ERROR)
            else:
                await super()._handle_events([event])
                if isinstance(event, StreamReset) and self.idle:
                    # The library starts the timer of idle connections after answers only.
                    await self.send(Updated(idle=True))
        await self._flush()


class _Protocol(ProtocolWrapper):
    """The library's switch between protocols, with ours in their places."""

    protocol: _Http1 | _Http2

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.protocol = _Http1(*self._parts())

    async def handle(self, event: Event) -> None:
        try:
            await self.protocol.handle(event)
        except H2ProtocolAssumedError as error:
            self.protocol = _Http2(*self._parts())
            await self.protocol.initiate()
            # The preface was taken for a request, which stopped the timer of idle connections; no answer to
            # it will start the timer again.
            await self.send(Updated(idle=True))
            rest = error.data
        except H2CProtocolRequiredError as error:
            self.protocol = _Http2(*self._parts())
            try:
                await self.protocol.initiate(error.headers, error.settings)
            except (H2Error, HyperframeError, ValueError):
                await self.send(Closed())  # the HTTP2-Settings header was no settings
                return
            rest = error.data
        else:
            return
        if rest:
            await self.protocol.handle(RawData(data=rest))

    def _parts(self) -> tuple[Any, ...]:
        return (
            self.app,
            self.config,
            self.context,
            self.task_group,
            self.state,
            self.ssl,
            self.client,
            self.server,
            self.send,
        )


class HttpConnection(TCPServer):
    """
    One connection while it speaks HTTP.

    Replaces of the library: how it reads (limits on slow heads; an upgrade ends it) and how it writes (into
    the ordered buffer of the stream, without a lock and a shield around every send).
    """

    protocol: _Protocol

    def __init__(self, service: HttpService, stream: BufferedStream, *, is_secure: bool) -> None:
        """Serve `stream`, to the end or to an upgrade."""
        super().__init__(
            service.app,
            service.config,
            service.context,
            service.state,
            # What the library calls on it, every stream has.
            cast("trio.SSLStream[trio.SocketStream]", stream),
        )
        self._wire = stream
        self._settings = service.settings
        self._is_secure = is_secure
        self._head_deadline = inf
        self._has_ended = False

    async def serve(self) -> Upgrade | None:
        """
        Answer requests until the connection ends (None, and it is closed) or is upgraded (what by).

        What the task of an answered request still does is waited for.
        """
        upgrade: Upgrade | None = None
        try:
            try:
                client, server = _ends_of(self._wire)
            except OSError:
                return None  # it left before we looked
            async with TaskGroup() as task_group:
                self._task_group = task_group
                self.protocol = _Protocol(
                    self.app,
                    self.config,
                    self.context,
                    task_group,
                    ConnectionState(self.state.copy()),
                    self._is_secure,
                    client,
                    server,
                    self.protocol_send,
                    "http/1.1",
                )
                await self.idle_task.restart(task_group, self._idle_timeout)
                try:
                    await self._read_data()
                except _Upgraded as reached:
                    upgrade = reached.upgrade
                except _HeadRefused:
                    await self.protocol.handle(Closed())
                # Or the timer would keep the connection of a client that has left.
                self._has_ended = True
                await self.idle_task.stop()
        finally:
            if upgrade is None:
                await self._close()
        return upgrade

    async def protocol_send(self, event: Event) -> None:
        """Do what the protocol asks for: send, close, or start and stop the timer of an idle connection."""
        if isinstance(event, RawData):
            await self._send(event.data)
        elif isinstance(event, Closed) or (isinstance(event, Updated) and not self._has_ended):
            # Quart-Trio ends a request's tasks while Hypercorn, called from one of them, is still about to
            # start the timer or to close: without the shield neither would happen, and connections live for ever.
            with trio.move_on_after(_AFTERMATH_SECONDS, shield=True):
                await super().protocol_send(event)

    async def _send(self, data: bytes) -> None:
        wire = self._wire
        high_water = wire.limits.high_water_bytes
        if len(data) <= high_water and wire.buffered <= high_water and not self.send_lock.locked():
            wire.write(data)
        else:
            await self._send_slowly(data)
        if wire.broken:
            await self.protocol.handle(Closed())

    async def _send_slowly(self, data: bytes) -> None:
        """Send more than is buffered at once, at the client's pace."""
        wire = self._wire
        step = wire.limits.high_water_bytes
        # Shielded because half a response must not be followed by anything else. It ends all the same: with
        # the connection's own tasks, one of which drains the buffer, or when the client takes nothing.
        with trio.CancelScope(shield=True):
            async with self.send_lock:
                try:
                    for start in range(0, len(data), step):
                        with trio.fail_after(self._settings.write_stall_seconds):
                            await wire.drained(step)
                        wire.write(data[start : start + step])
                except trio.TooSlowError:
                    wire.abort()
                except trio.BrokenResourceError:
                    pass

    async def _read_data(self) -> None:
        while True:
            try:
                if self._head_deadline == inf:
                    data = await self._wire.receive_some()
                else:
                    with trio.fail_at(self._head_deadline):
                        data = await self._wire.receive_some()
            except trio.TooSlowError:
                if isinstance(self.protocol.protocol, _Http1):
                    await self.protocol.protocol.refuse(408)
                break
            except (trio.ClosedResourceError, trio.BrokenResourceError):
                break
            await self.protocol.handle(RawData(data))
            if not data:
                break
            self._watch_head()
        await self.protocol.handle(Closed())

    def _watch_head(self) -> None:
        """Start the clock of a request's head with its first byte, stop it with the last."""
        protocol = self.protocol.protocol
        if not isinstance(protocol, _Http1) or not protocol.has_partial_head:
            self._head_deadline = inf
        elif self._head_deadline == inf:
            self._head_deadline = trio.current_time() + self._settings.header_timeout_seconds

    async def _close(self) -> None:
        await self._wire.aclose()

    async def _initiate_server_close(self) -> None:
        if isinstance(self.protocol.protocol, _Http2):
            await self.protocol.protocol.say_goodbye()
        await super()._initiate_server_close()


def _ends_of(stream: BufferedStream) -> tuple[tuple[str, int] | None, tuple[str, int] | None]:
    """Return the addresses of the client and of ours, as ASGI has them."""
    socket = stream.socket
    if socket is None:
        return None, None
    return (
        parse_socket_addr(socket.family, socket.getpeername()),
        parse_socket_addr(socket.family, socket.getsockname()),
    )


def _is_websocket_upgrade(request: h11.Request) -> bool:
    connection, upgrade = b"", b""
    for name, value in request.headers:
        if name == b"connection":
            connection += b"," + value.lower()
        elif name == b"upgrade":
            upgrade = value.strip().lower()
    tokens = (token.strip() for token in connection.split(b","))
    return request.method == b"GET" and upgrade == b"websocket" and b"upgrade" in tokens


def _announces_body(request: h11.Request) -> bool:
    return any(
        name == b"transfer-encoding" or (name == b"content-length" and value.strip(b"0") != b"")
        for name, value in request.headers
    )


def _head_of(request: h11.Request) -> bytes:
    """Write a parsed request down again, in the spelling of its sender."""
    lines = [b"%b %b HTTP/%b" % (request.method, request.target, request.http_version)]
    lines += [b"%b: %b" % (name, value) for name, value in request.headers.raw_items()]
    return b"\r\n".join(lines) + b"\r\n\r\n"


def _is_plain_request(event: RequestReceived) -> bool:
    """Is it a request that the library takes apart without failing: no CONNECT, and ASCII where it expects that."""
    fields = dict(event.headers or ())
    method, path = fields.get(b":method"), fields.get(b":path")
    return bool(method and path) and method != b"CONNECT" and (bytes(method or b"") + bytes(path or b"")).isascii()
