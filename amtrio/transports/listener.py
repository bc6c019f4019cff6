"""One port for everything: accepting, the life of a connection, and how all of them end together.

Knows sockets, TLS and Trio. Knows nothing of parsers (`http_protocols`), of frames (`ws`) or of routes.
"""

from __future__ import annotations

import gc
import socket as stdlib_socket
import ssl
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import structlog
import trio

from amtrio.errors import Overloaded
from amtrio.transports.answers import error_body
from amtrio.transports.http_protocols import HttpConnection, HttpService, HttpSettings
from amtrio.transports.stream import BufferedStream, PlainStream, RelayedStream, StreamLimits
from amtrio.transports.ws import Sockets, SocketSettings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence
    from pathlib import Path

    from amtrio.transports.bodies import ASGIApp, Dressing
    from amtrio.transports.ws import Admit

__all__ = ["ListenerSettings", "Server", "open_sockets", "tls_context", "tune_gc"]

log = structlog.stdlib.get_logger(__name__)

_BACKLOG: Final = 1024
_FULL: Final = error_body(Overloaded("too many connections", retry_after_ms=5000))
_FULL_ANSWER: Final = (
    b"HTTP/1.1 503 \r\ncontent-type: application/json\r\ncontent-length: %d\r\nretry-after: 5\r\n"
    b"connection: close\r\n\r\n%b" % (len(_FULL), _FULL)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenerSettings:
    """
    Every limit of the port. Times are seconds, sizes bytes.

    Attributes:
        keep_alive_seconds: a connection on which nothing is going on is closed after this.
        header_timeout_seconds: from the first byte of a request's head to its last.
        body_idle_seconds: how long to wait for more of a request's body.
        write_stall_seconds: a client that takes no byte of an answer for this long is cut.
        max_header_bytes: of one request's head.
        max_body_bytes: of one request's body; None leaves it to the app.
        is_streamed, dressing: see `BodyGuard`.
        handshake_timeout_seconds: for a TLS handshake, and for the app to admit a WebSocket.
        close_timeout_seconds: for what is buffered, our Close and the peer's; then the connection is cut.
        max_message_bytes: of one WebSocket message.
        receive_buffer_bytes: most that one read returns.
        high_water_bytes: buffered bytes at which writers that can wait should.
        hard_limit_bytes: buffered bytes above which a connection is dropped.
        linger_seconds: for a peer to take the last bytes of a connection that we close.
        max_connections: more are answered with 503.
        max_connections_per_address: likewise. It counts the addresses that connect, so behind a proxy it
            would count the proxy: None there.
    """

    keep_alive_seconds: float = 75.0
    header_timeout_seconds: float = 10.0
    body_idle_seconds: float = 30.0
    write_stall_seconds: float = 30.0
    max_header_bytes: int = 32 * 1024
    max_body_bytes: int | None = None
    is_streamed: Callable[[str, str], bool] = lambda method, path: False  # noqa: ARG005
    dressing: Dressing = lambda scope, error: ()  # noqa: ARG005
    handshake_timeout_seconds: float = 10.0
    close_timeout_seconds: float = 5.0
    max_message_bytes: int = 64 * 1024
    receive_buffer_bytes: int = 64 * 1024
    high_water_bytes: int = 64 * 1024
    hard_limit_bytes: int = 256 * 1024
    linger_seconds: float = 1.0
    max_connections: int | None = None
    max_connections_per_address: int | None = None

    def for_http(self) -> HttpSettings:
        """Return the part that concerns requests."""
        return HttpSettings(
            keep_alive_seconds=self.keep_alive_seconds,
            header_timeout_seconds=self.header_timeout_seconds,
            body_idle_seconds=self.body_idle_seconds,
            write_stall_seconds=self.write_stall_seconds,
            max_header_bytes=self.max_header_bytes,
            max_body_bytes=self.max_body_bytes,
            is_streamed=self.is_streamed,
            dressing=self.dressing,
        )

    def for_sockets(self) -> SocketSettings:
        """Return the part that concerns WebSockets."""
        return SocketSettings(
            handshake_timeout_seconds=self.handshake_timeout_seconds,
            close_timeout_seconds=self.close_timeout_seconds,
            max_message_bytes=self.max_message_bytes,
        )

    def for_streams(self) -> StreamLimits:
        """Return the part that concerns bytes."""
        return StreamLimits(
            receive_bytes=self.receive_buffer_bytes,
            high_water_bytes=self.high_water_bytes,
            hard_limit_bytes=self.hard_limit_bytes,
            linger_seconds=self.linger_seconds,
        )


class Server:
    """
    Everything that listens on the port.

    Whoever runs it owns the nurseries: `accept` runs in that of the listeners, connections in one that
    outlives it. To end: cancel the listeners, then await `drain`.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        admit: Admit,
        sockets: Sequence[stdlib_socket.socket],
        settings: ListenerSettings | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """
        Serve `app` and WebSockets on bound sockets.

        Args:
            app: ASGI; answers whatever is not an upgrade to WebSocket.
            admit: decides on every upgrade, of any path.
            sockets: bound, not necessarily listening; closed when `accept` ends.
            settings: limits.
            tls: for all of the sockets, see `tls_context`.
        """
        self._settings = settings or ListenerSettings()
        self._stream_limits = self._settings.for_streams()
        self._http = HttpService(app, self._settings.for_http())
        self._websockets = Sockets(admit, self._settings.for_sockets())
        self._bound = sockets
        self._tls = tls
        self._connections: dict[BufferedStream, trio.CancelScope] = {}
        self._per_address: Counter[str] = Counter()
        self._gone: trio.Event | None = None

    @property
    def connections(self) -> int:
        """How many connections are open, of either kind."""
        return len(self._connections)

    @property
    def sockets(self) -> int:
        """How many of them are WebSockets."""
        return len(self._websockets)

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        """Tell the app of its start, and of its end when the block is left; `accept` belongs inside."""
        async with self._http.lifespan():
            yield

    async def accept(
        self,
        *,
        connections: trio.Nursery,
        task_status: trio.TaskStatus[Sequence[trio.abc.Listener[trio.abc.Stream]]] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """
        Listen until cancelled; then the sockets are closed, and connections go on.

        Args:
            connections: where the task of each connection runs. None of them ever fails it.
            task_status: told when connections are accepted.
        """
        listeners: list[trio.abc.Listener[trio.abc.Stream]] = []
        for bound in self._bound:
            bound.listen(_BACKLOG)
            plain = trio.SocketListener(trio.socket.from_stdlib_socket(bound))
            # Without a closing handshake: HTTP says itself where a message ends.
            listeners.append(plain if self._tls is None else trio.SSLListener(plain, self._tls, https_compatible=True))
        await trio.serve_listeners(
            self._serve_connection, listeners, handler_nursery=connections, task_status=task_status
        )

    def close_all(self, code: int, text: str = "") -> None:
        """Tell every WebSocket to close, at once, and let none in from now on."""
        self._websockets.close_all(code, text)

    async def drain(self, code: int, text: str = "", *, grace_seconds: float = 5.0, force_seconds: float = 5.5) -> None:
        """
        End every connection; returns when the last one has.

        Requests that are being answered may finish. After `grace_seconds` what is left is cancelled, after
        `force_seconds` (both from now) its connections are cut, so that nothing can wait for a peer.

        Args:
            code: for the Close of every WebSocket: 1012 for a restart, 1001 for good.
            text: goes with it.
            grace_seconds: how long a polite end may take.
            force_seconds: how long any end may take.
        """
        began = trio.current_time()
        await self._http.finish_requests()
        # What was accepted in the last moment has a task by now, but is not counted before its first step.
        await trio.lowlevel.checkpoint()
        self.close_all(code, text)
        with trio.move_on_at(began + grace_seconds):
            await self._wait_until_empty()
        for scope in tuple(self._connections.values()):
            scope.cancel()
        with trio.move_on_at(began + force_seconds):
            await self._wait_until_empty()
        if self._connections:
            log.warning("connections_cut", count=len(self._connections))
        for stream in tuple(self._connections):
            stream.abort()
        await self._wait_until_empty()

    async def _wait_until_empty(self) -> None:
        if self._connections:
            if self._gone is None:
                self._gone = trio.Event()
            await self._gone.wait()

    async def _serve_connection(self, accepted: trio.abc.Stream) -> None:
        """Live through one connection. The one place where the failure of anything in it ends."""
        socket = _socket_of(accepted)
        try:
            peer = _address_of(socket)
        except OSError:
            socket.close()  # it left before we looked
            return
        try:
            async with trio.open_nursery() as nursery:
                stream = self._stream_over(accepted, socket, nursery)
                self._connections[stream] = nursery.cancel_scope
                self._per_address[peer] += 1
                try:
                    if self._is_full(peer):
                        stream.write(_FULL_ANSWER)
                    elif await self._shake_hands(accepted):
                        await self._serve_stream(stream, peer)
                finally:
                    try:
                        # Bounded by itself, and immediate when cancelled. After a failure too: the peer is to
                        # read why.
                        await stream.aclose()
                    finally:
                        stream.abort()
                        self._forget(stream, peer)
                        nursery.cancel_scope.cancel()
        except* Exception:
            log.exception("connection_failed", peer=peer)

    def _stream_over(
        self, accepted: trio.abc.Stream, socket: trio.socket.SocketType, nursery: trio.Nursery
    ) -> BufferedStream:
        if isinstance(accepted, trio.SocketStream):
            return PlainStream(socket, nursery=nursery, limits=self._stream_limits)
        return RelayedStream(accepted, nursery=nursery, socket=socket, limits=self._stream_limits)

    async def _shake_hands(self, accepted: trio.abc.Stream) -> bool:
        """Do the TLS handshake, if there is one; say whether to go on."""
        if not isinstance(accepted, trio.SSLStream):
            return True
        try:
            with trio.fail_after(self._settings.handshake_timeout_seconds):
                await accepted.do_handshake()
        except (trio.BrokenResourceError, trio.ClosedResourceError, trio.TooSlowError):
            return False
        return True

    async def _serve_stream(self, stream: BufferedStream, peer: str) -> None:
        is_secure = self._tls is not None
        # Nothing may hold on to the HTTP side here: its parser is 8 KiB that a WebSocket does not need.
        upgrade = await HttpConnection(self._http, stream, is_secure=is_secure).serve()
        if upgrade is not None:
            await self._websockets.serve(upgrade, stream, peer=peer, is_secure=is_secure)

    def _is_full(self, peer: str) -> bool:
        most, most_each = self._settings.max_connections, self._settings.max_connections_per_address
        return (most is not None and len(self._connections) > most) or (
            most_each is not None and self._per_address[peer] > most_each
        )

    def _forget(self, stream: BufferedStream, peer: str) -> None:
        del self._connections[stream]
        self._per_address[peer] -= 1
        if self._per_address[peer] <= 0:
            del self._per_address[peer]
        if not self._connections and self._gone is not None:
            self._gone.set()
            self._gone = None


def _socket_of(stream: trio.abc.Stream) -> trio.socket.SocketType:
    inner = stream.transport_stream if isinstance(stream, trio.SSLStream) else stream
    assert isinstance(inner, trio.SocketStream)
    return inner.socket


def _address_of(socket: trio.socket.SocketType) -> str:
    """Return the peer's address without port, "local" for a Unix socket. Raises OSError if it has left."""
    name = socket.getpeername()
    if not isinstance(name, tuple):
        return "local"
    return str(name[0]).removeprefix("::ffff:")


def open_sockets(host: str, port: int) -> list[stdlib_socket.socket]:
    """
    Listen on every address that `host` stands for; port 0 takes a free one, the same for all.

    Connections wait from now on, until `Server.accept` takes them.

    Raises:
        OSError: an address is in use, or not ours.
    """
    found = stdlib_socket.getaddrinfo(
        host or None, port, type=stdlib_socket.SOCK_STREAM, flags=stdlib_socket.AI_PASSIVE
    )
    sockets: list[stdlib_socket.socket] = []
    try:
        for family, kind, protocol, _, address in dict.fromkeys(found):
            bound = stdlib_socket.socket(family, kind, protocol)
            sockets.append(bound)
            bound.setsockopt(stdlib_socket.SOL_SOCKET, stdlib_socket.SO_REUSEADDR, 1)
            if family == stdlib_socket.AF_INET6:
                # Each family has its own socket; shared ones would collide where the system maps v4 into v6.
                bound.setsockopt(stdlib_socket.IPPROTO_IPV6, stdlib_socket.IPV6_V6ONLY, 1)
            taken = sockets[0].getsockname()[1] if len(sockets) > 1 else port
            bound.bind((address[0], taken, *address[2:]))
            # Here and not later: with SO_REUSEADDR it is this call that fails when the port is in use.
            bound.listen(_BACKLOG)
    except OSError:
        for bound in sockets:
            bound.close()
        raise
    return sockets


def tls_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """
    Make the TLS side of the port: 1.2 or newer, and HTTP/1.1 only.

    A browser that is offered HTTP/2 would send its WebSockets over it, past the place that handles them.

    Raises:
        OSError: a file is missing, unreadable or no PEM (ssl.SSLError is an OSError).
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    context.set_alpn_protocols(["http/1.1"])
    return context


def tune_gc() -> None:
    """
    Spare the garbage collector what lives as long as the process; call once, after everything is open.

    5000 connections are 800,000 tracked objects, and a full collection of them was measured to stop the
    server for 1.2 s. What is frozen is not looked at again; thresholds make full collections rare.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)
