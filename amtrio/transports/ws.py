"""From an upgrade request to the end of a WebSocket: handshake, messages, bounded close.

Knows trio-websocket and its internals, and is the only file that does. Knows nothing of HTTP servers,
of frames' meaning or of who may connect: that is asked of `admit`, and the rest of a `SocketSession`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, Protocol
from urllib.parse import parse_qsl, unquote

import structlog
import trio
from trio_websocket import ConnectionClosed, WebSocketConnection, WebSocketRequest
from wsproto.connection import ConnectionState
from wsproto.events import BytesMessage, CloseConnection, Ping, Pong, RejectConnection, Request, TextMessage
from wsproto.utilities import RemoteProtocolError

from amtrio.transports.frames import ping_frame, pong_frame, text_frame
from amtrio.transports.ws_parser import ServerParser

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping, Sequence

    from amtrio.transports.stream import BufferedStream

__all__ = [
    "Admission",
    "Admit",
    "CloseReason",
    "Handshake",
    "Refusal",
    "Socket",
    "SocketSession",
    "SocketSettings",
    "Sockets",
    "Upgrade",
    "ping_frame",
    "text_frame",
]

log = structlog.stdlib.get_logger(__name__)

# RFC 6455, 7.4.1.
_NO_CODE: Final = 1005
_CUT: Final = 1006
_TOO_BIG: Final = 1009
_INTERNAL_ERROR: Final = 1011
# Ours ask for a handful of parameters; the limit keeps the parser from being fed thousands.
_MOST_QUERY_FIELDS: Final = 64


@dataclass(frozen=True, slots=True)
class Upgrade:
    """
    An upgrade request as the HTTP side hands it over.

    Attributes:
        head: the request, line and headers, as bytes again.
        target: path and query as sent.
        headers: lower-case names, in order.
        trailing: bytes that followed the head; a client may not send any before our answer, but some do.
    """

    head: bytes
    target: str
    headers: tuple[tuple[str, str], ...]
    trailing: bytes


@dataclass(frozen=True, slots=True)
class Handshake:
    """
    What an upgrade request said, before it is accepted.

    Attributes:
        path: percent-decoded, without the query.
        query: percent-decoded; the last value of a name wins.
        headers: lower-case names, in order.
        offered: `Sec-WebSocket-Protocol`, in the client's order of preference.
        peer: the address of the other end, without port; a proxy's, if there is one.
        is_secure: did it come over TLS that ends here.
    """

    path: str
    query: Mapping[str, str]
    headers: Sequence[tuple[str, str]]
    offered: tuple[str, ...]
    peer: str
    is_secure: bool = False

    def header(self, name: str, /) -> str | None:
        """Return the first value of a header, or None; `name` in lower case."""
        return next((value for key, value in self.headers if key == name), None)


@dataclass(frozen=True, slots=True)
class Refusal:
    """The answer to an upgrade that is not accepted; the connection is closed after it."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Admission:
    """The answer to an upgrade that is accepted. `subprotocol` must be one that was offered."""

    session: SocketSession
    subprotocol: str | None = None
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class CloseReason:
    """
    How a socket ended.

    Attributes:
        code: RFC 6455, 7.4; 1005 if the peer gave none, 1006 if there was no Close frame.
        text: what was given with it, or why it was cut.
        by: who closed first; "cut" is a connection that ended without a word.
    """

    code: int
    text: str
    by: Literal["peer", "us", "cut"]


class Admit(Protocol):
    """Decides whether an upgrade becomes a socket."""

    def __call__(self, handshake: Handshake, /) -> Awaitable[Admission | Refusal]:
        """Answer within the handshake's time limit."""


class SocketSession(Protocol):
    """What lives on a socket. Every method is called in the connection's own task."""

    def opened(self, socket: Socket, /) -> None:
        """Answer the accepted handshake; called once, first. Sending is possible at once."""

    def received(self, data: str | bytes, /) -> Awaitable[None] | None:
        """Take one whole message; nothing more is read before the returned awaitable, if any, has ended."""

    def ponged(self, payload: bytes, /) -> None:
        """Take the payload of a pong, asked for or not."""

    def closed(self, reason: CloseReason, /) -> None:
        """Learn the end; called once, last, after every task of the socket's nursery has ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SocketSettings:
    """
    Limits of a socket.

    Attributes:
        handshake_timeout_seconds: for `admit` to decide.
        close_timeout_seconds: for what is buffered, our Close and the peer's; then the connection is cut.
        max_message_bytes: UTF-8 bytes of one message, in one frame or many; more closes with 1009.
    """

    handshake_timeout_seconds: float = 10.0
    close_timeout_seconds: float = 5.0
    max_message_bytes: int = 65_536


class Socket:
    """One open WebSocket, for its session. Everything but `drained` is synchronous."""

    __slots__ = ("_close_timeout", "_connection", "_scope", "_stream", "nursery", "peer", "reason")

    def __init__(
        self, connection: _Connection, stream: BufferedStream, nursery: trio.Nursery, *, peer: str, close_timeout: float
    ) -> None:
        """Made by `Sockets`, for an upgrade that was accepted."""
        self.nursery = nursery
        """
        The socket's own: tasks started here end with it, and an exception there ends it alone. What `drained`
        raises when the peer is gone may be let through.
        """
        self.peer = peer
        self._connection = connection
        self._stream = stream
        self._scope = nursery.cancel_scope
        self._close_timeout = close_timeout
        self.reason: CloseReason | None = None
        """How it ends, once that has begun."""

    @property
    def buffered(self) -> int:
        """Bytes that `send` accepted and the kernel has not taken."""
        return self._stream.buffered

    @property
    def last_received_at(self) -> float:
        """When bytes last came in (Trio's clock, seconds)."""
        return self._stream.last_received_at

    @property
    def last_drained_at(self) -> float:
        """When the kernel last took bytes, or now if none wait for it (Trio's clock, seconds)."""
        return self._stream.last_drained_at

    @property
    def is_closing(self) -> bool:
        """Has the end begun, from either side, so that nothing more is sent."""
        return self.reason is not None

    def send(self, frame: bytes, /) -> None:
        """
        Send one or more whole frames, ready made, after everything sent before.

        Never waits and is never a checkpoint. Ignored once the close has begun.
        """
        if self.reason is None:
            self._stream.write(frame)

    def ping(self, payload: bytes = b"", /) -> None:
        """
        Send a ping; the pong comes to `SocketSession.ponged`.

        Raises:
            ValueError: more than 125 bytes.
        """
        self.send(ping_frame(payload))

    def close(self, code: int, text: str = "", /) -> None:
        """
        Begin the close handshake; what was sent before goes out first.

        May be called from any task, any number of times: the first call counts. The connection waits for
        the peer's answer for the close time limit, then it is cut.
        """
        if self.reason is None:
            self._end(CloseReason(code, text, "us"))

    def abort(self, text: str = "") -> None:
        """Cut the connection now, without a word to the peer."""
        if self.reason is None:
            self.reason = CloseReason(_CUT, text, "us")
        self._stream.abort()
        self._scope.cancel()

    async def drained(self, below: int = 0) -> None:
        """
        Wait until at most `below` bytes are buffered.

        Raises:
            trio.BrokenResourceError: the connection is gone.
        """
        await self._stream.drained(below)

    def _end(self, reason: CloseReason) -> None:
        """Write our Close as the last frame and start the clock of the close."""
        self.reason = reason
        parser = self._connection.parser
        if parser.is_open:
            self._stream.write(parser.send(CloseConnection(code=reason.code, reason=reason.text or None)))
        self._scope.deadline = min(self._scope.deadline, trio.current_time() + self._close_timeout)


class _Connection(WebSocketConnection):
    """
    trio-websocket's connection, whose messages go straight to the session.

    Its own way, a memory channel between a reader task and a consumer task, costs a third of the CPU of
    an echoed message. Overridden: the handlers of messages, pings, pongs and the close, and how it ends.
    """

    def __init__(self, stream: BufferedStream, settings: SocketSettings) -> None:
        self.parser = ServerParser()
        super().__init__(
            stream,
            self.parser,
            max_message_size=settings.max_message_bytes,
            receive_buffer_size=stream.limits.receive_bytes,
        )
        self._wire = stream
        self._max_message_bytes = settings.max_message_bytes
        self._parts: list[str | bytes] = []
        self._parts_bytes = 0
        self._socket: Socket | None = None
        self._session: SocketSession | None = None

    async def read_until_closed(self, socket: Socket, session: SocketSession) -> None:
        """Feed the session until either side has closed."""
        self._socket, self._session = socket, session
        await self._reader_task()

    async def _handle_message_event(self, event: BytesMessage | TextMessage) -> None:
        socket, session = self._socket, self._session
        if socket is None or session is None or socket.is_closing:
            return  # a message that overtook our Close: the peer will learn that it was not taken
        data = event.data if isinstance(event.data, str) else bytes(event.data)
        self._parts_bytes += len(data) if isinstance(data, bytes) or data.isascii() else len(data.encode())
        if self._parts_bytes > self._max_message_bytes:
            self._parts.clear()
            self._fail(socket, _TOO_BIG, f"a message has at most {self._max_message_bytes} bytes")
            return
        if not event.message_finished:
            # Empty parts are not kept: they add nothing to the size, so there could be any number.
            if data:
                self._parts.append(data)
            return
        if self._parts:
            data = _join(self._parts, data)
            self._parts.clear()
        self._parts_bytes = 0
        try:
            wait = session.received(data)
            if wait is not None:
                await wait
        except KeyError as error:
            # trio-websocket takes any KeyError for an unknown kind of event, and goes on.
            raise RuntimeError("the session failed on a missing key") from error

    async def _handle_ping_event(self, event: Ping) -> None:
        if self._socket is not None and not self._socket.is_closing:
            # Waiting here when the peer does not read bounds what a flood of pings can make us hold.
            await self._wire.send_all(pong_frame(bytes(event.payload)))

    async def _handle_pong_event(self, event: Pong) -> None:
        if self._session is not None and self._socket is not None and not self._socket.is_closing:
            self._session.ponged(bytes(event.payload))

    async def _handle_close_connection_event(self, event: CloseConnection) -> None:
        socket = self._socket
        if socket is None:
            return
        if self.parser.state is ConnectionState.OPEN:
            # wsproto's way to report a violation. trio-websocket would hang up without a word.
            self._fail(socket, int(event.code), event.reason or "")
            return
        if self.parser.state is ConnectionState.REMOTE_CLOSING:
            self._wire.write(self.parser.send(event.response()))
            socket.reason = CloseReason(int(event.code), event.reason or "", "peer")
        self._stop()

    def _fail(self, socket: Socket, code: int, text: str) -> None:
        """Close for a breach of the protocol: nothing that follows can be understood, so nothing is read."""
        socket.close(code, text)
        self._stop()

    def _stop(self) -> None:
        # The reader task looks at its flag only after the next read; so that read has to fail.
        self._reader_running = False
        self._wire.stop_receiving()


def _join(parts: list[str | bytes], last: str | bytes) -> str | bytes:
    if isinstance(last, bytes):
        return b"".join([*(part for part in parts if isinstance(part, bytes)), last])
    return "".join([*(part for part in parts if isinstance(part, str)), last])


class Sockets:
    """Every open WebSocket of a server, and the way in."""

    def __init__(self, admit: Admit, settings: SocketSettings | None = None) -> None:
        """Start with none."""
        self._admit = admit
        self._settings = settings or SocketSettings()
        self._open: set[Socket] = set()
        self._is_closing = False

    def __len__(self) -> int:
        """Return how many are open."""
        return len(self._open)

    def is_closing(self) -> bool:
        """Has `close_all` been called, so that nobody is let in."""
        return self._is_closing

    def close_all(self, code: int, text: str = "") -> None:
        """Tell every socket to close, at once; from now on upgrades are answered with 503."""
        self._is_closing = True
        for socket in tuple(self._open):
            socket.close(code, text)

    async def serve(self, upgrade: Upgrade, stream: BufferedStream, *, peer: str, is_secure: bool = False) -> None:
        """
        Answer an upgrade and, if it is admitted, run its socket to the end.

        The caller closes the stream, which sends what is still buffered.
        """
        connection = _Connection(stream, self._settings)
        parser = connection.parser
        try:
            parser.receive_data(upgrade.head)
            request = next(event for event in parser.events() if isinstance(event, Request))
            handshake = _handshake(upgrade, request, peer=peer, is_secure=is_secure)
        except RemoteProtocolError as error:
            hint = error.event_hint
            stream.write(parser.send(_closing(hint if isinstance(hint, RejectConnection) else RejectConnection())))
            return
        except (StopIteration, ValueError):
            # Not text where text has to be, no request at all, or too many fields.
            stream.write(parser.send(_closing(RejectConnection())))
            return
        decision = await self._decide(handshake)
        answer = WebSocketRequest(connection, request)
        try:
            if isinstance(decision, Refusal):
                headers = _encoded((*decision.headers, ("connection", "close")))
                await answer.reject(decision.status, extra_headers=headers, body=decision.body)
                return
            await answer.accept(subprotocol=decision.subprotocol, extra_headers=_encoded(decision.headers))
        except ConnectionClosed:
            return  # gone meanwhile
        # wsproto forgets bytes that reach it before its answer has been made, so they wait until here.
        if upgrade.trailing:
            parser.receive_data(upgrade.trailing)
        await self._run(connection, stream, decision.session, peer)

    async def _decide(self, handshake: Handshake) -> Admission | Refusal:
        decision: Admission | Refusal | None = None
        if not self._is_closing:
            with trio.move_on_after(self._settings.handshake_timeout_seconds):
                decision = await self._admit(handshake)
        if isinstance(decision, Refusal) or (decision is not None and not self.is_closing()):
            return decision
        return Refusal(
            503,
            b'{"error":"the server is not available","code":"unavailable","status":"unavailable"}',
            (("content-type", "application/json"), ("retry-after", "1")),
        )

    async def _run(self, connection: _Connection, stream: BufferedStream, session: SocketSession, peer: str) -> None:
        timeout = self._settings.close_timeout_seconds
        socket: Socket | None = None
        is_cut = True
        try:
            try:
                async with trio.open_nursery() as nursery:
                    socket = Socket(connection, stream, nursery, peer=peer, close_timeout=timeout)
                    self._open.add(socket)
                    session.opened(socket)
                    await connection.read_until_closed(socket, session)
                    is_cut = False
                    nursery.cancel_scope.cancel()
            except* trio.BrokenResourceError:
                # Whoever waited for the peer, in the session or here, found it gone: an end, not a failure.
                if not stream.broken:
                    raise
            if is_cut:
                stream.abort()  # the close took too long
        except BaseException:
            if socket is not None:
                socket.close(_INTERNAL_ERROR, "internal error")
            raise
        finally:
            if socket is not None:
                self._open.discard(socket)
                session.closed(socket.reason or CloseReason(_CUT, "", "cut"))


def _handshake(upgrade: Upgrade, request: Request, *, peer: str, is_secure: bool) -> Handshake:
    """Put a request into our terms. Raises ValueError for more query fields than anybody needs."""
    path, _, query = upgrade.target.partition("?")
    fields = parse_qsl(query, keep_blank_values=True, max_num_fields=_MOST_QUERY_FIELDS)
    return Handshake(
        path=unquote(path),
        query=dict(fields),
        headers=upgrade.headers,
        offered=tuple(request.subprotocols),
        peer=peer,
        is_secure=is_secure,
    )


def _closing(answer: RejectConnection) -> RejectConnection:
    """Say in the answer what wsproto leaves out: that the connection ends with it."""
    headers = [*answer.headers, (b"connection", b"close")]
    return RejectConnection(status_code=answer.status_code, headers=headers, has_body=False)


def _encoded(headers: Sequence[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    return [(name.encode("ascii"), value.encode("latin-1")) for name, value in headers]
