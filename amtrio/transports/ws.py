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
from wsproto.events import BytesMessage, CloseConnection, Event, Ping, Pong, RejectConnection, Request, TextMessage
from wsproto.utilities import RemoteProtocolError

from amtrio.errors import Overloaded, ShuttingDown
from amtrio.transports.answers import error_body, error_headers
from amtrio.transports.frames import ping_frame, pong_frame, text_frame
from amtrio.transports.ws_parser import PONG, ServerParser, whole_frame

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

    __slots__ = ("_close_timeout", "_parser", "_scope", "_stream", "nursery", "peer", "reason")

    def __init__(
        self, parser: ServerParser, stream: BufferedStream, nursery: trio.Nursery, *, peer: str, close_timeout: float
    ) -> None:
        """Made by `Sockets`, for an upgrade that was accepted."""
        self.nursery = nursery
        """
        The socket's own: tasks started here end with it, and an exception there ends it alone. What `drained`
        raises when the peer is gone may be let through.
        """
        self.peer = peer
        self._parser = parser
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
        if self._parser.is_open:
            self._stream.write(self._parser.send(CloseConnection(code=reason.code, reason=reason.text or None)))
        self._scope.deadline = min(self._scope.deadline, trio.current_time() + self._close_timeout)


class _Reader:
    """
    Feeds a session from its stream until either side has closed.

    trio-websocket's own loop, with a table of handlers and a memory channel to a second task, costs more CPU per
    message than all the rest of a socket.
    """

    __slots__ = (
        "_is_over",
        "_max_message_bytes",
        "_parser",
        "_parts",
        "_parts_bytes",
        "_session",
        "_socket",
        "_stream",
    )

    def __init__(
        self, parser: ServerParser, stream: BufferedStream, socket: Socket, session: SocketSession, max_bytes: int
    ) -> None:
        self._parser = parser
        self._stream = stream
        self._socket = socket
        self._session = session
        self._max_message_bytes = max_bytes
        # The parts of a message that came so far; usually it comes whole.
        self._parts: list[str | bytes] | None = None
        self._parts_bytes = 0
        self._is_over = False

    async def run(self, data: bytes) -> None:
        """
        Read to the end.

        Args:
            data: what has come behind the upgrade.
        """
        stream = self._stream
        receive_some, most = stream.receive_some, stream.limits.receive_bytes
        if data:
            await self._take(data)
        while not self._is_over:
            try:
                data = await receive_some(most)
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                return
            if not data:
                return
            await self._take(data)

    async def _take(self, data: bytes) -> None:
        """Read the usual frames at the start here, and let wsproto have whatever follows."""
        parser, session = self._parser, self._session
        at, end = 0, len(data)
        is_short_way = parser.is_between_frames
        while is_short_way and (found := whole_frame(data, at)) is not None:
            first, payload, size, at = found
            if self._socket.reason is not None:
                pass  # a message that overtook our Close: the peer will learn that it was not taken
            elif first == PONG:
                session.ponged(payload)  # type: ignore[arg-type]  # only text is str
            elif size > self._max_message_bytes:
                self._refuse_size()
            elif (wait := session.received(payload)) is not None:
                await wait
            if self._is_over:
                return
            # Closed by whoever took the frame: only the peer's Close matters from here.
            is_short_way = parser.is_open and at < end
        if at < end and parser.is_feedable:
            parser.receive_data(data[at:] if at else data)
            for event in parser.events():
                await self._handle(event)

    async def _handle(self, event: Event) -> None:
        socket = self._socket
        if isinstance(event, CloseConnection):
            self._handle_close(event)
        elif socket.reason is not None:
            pass  # whatever overtook our Close
        elif isinstance(event, TextMessage | BytesMessage):
            wait = self._add_part(event)
            if wait is not None:
                await wait
        elif isinstance(event, Pong):
            self._session.ponged(bytes(event.payload))
        elif isinstance(event, Ping):
            # Waiting here when the peer does not read bounds what a flood of pings can make us hold.
            await self._stream.send_all(pong_frame(bytes(event.payload)))

    def _add_part(self, event: BytesMessage | TextMessage) -> Awaitable[None] | None:
        """Put a message together from frames, and frames from segments."""
        data = event.data if isinstance(event.data, str) else bytes(event.data)
        self._parts_bytes += len(data) if isinstance(data, bytes) or data.isascii() else len(data.encode())
        if self._parts_bytes > self._max_message_bytes:
            self._refuse_size()
            return None
        if not event.message_finished:
            # Empty parts are not kept: they add nothing to the size, so there could be any number.
            if data:
                self._parts = self._parts or []
                self._parts.append(data)
            return None
        if self._parts is not None:
            data = _join(self._parts, data)
            self._parts = None
        self._parts_bytes = 0
        return self._session.received(data)

    def _handle_close(self, event: CloseConnection) -> None:
        parser = self._parser
        if parser.state is ConnectionState.OPEN:
            # wsproto's way to report a violation: nothing that follows can be understood.
            self._fail(int(event.code), event.reason or "")
            return
        if parser.state is ConnectionState.REMOTE_CLOSING:
            self._stream.write(parser.send(event.response()))
            self._socket.reason = CloseReason(int(event.code), event.reason or "", "peer")
        self._is_over = True

    def _refuse_size(self) -> None:
        self._parts = None
        self._fail(_TOO_BIG, f"a message has at most {self._max_message_bytes} bytes")

    def _fail(self, code: int, text: str) -> None:
        """Close for a breach of the protocol, and read no more."""
        self._socket.close(code, text)
        self._is_over = True


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
        parser = ServerParser()
        session = await self._shake_hands(parser, upgrade, stream, peer=peer, is_secure=is_secure)
        if session is not None:
            # wsproto forgets bytes that reach it before its answer has been made, so they come in here.
            trailing = upgrade.trailing
            del upgrade  # some KiB that nobody needs for as long as the socket lives
            await self._run(parser, stream, session, peer, trailing)

    async def _shake_hands(
        self, parser: ServerParser, upgrade: Upgrade, stream: BufferedStream, *, peer: str, is_secure: bool
    ) -> SocketSession | None:
        """Answer an upgrade; None if it did not become a socket. Whatever only the handshake needs ends here."""
        try:
            parser.receive_data(upgrade.head)
            request = next(event for event in parser.events() if isinstance(event, Request))
            handshake = _handshake(upgrade, request, peer=peer, is_secure=is_secure)
        except RemoteProtocolError as error:
            hint = error.event_hint
            stream.write(parser.send(_closing(hint if isinstance(hint, RejectConnection) else RejectConnection())))
            return None
        except (StopIteration, ValueError):
            # Not text where text has to be, no request at all, or too many fields.
            stream.write(parser.send(_closing(RejectConnection())))
            return None
        decision = await self._decide(handshake)
        answer = WebSocketRequest(WebSocketConnection(stream, parser), request)
        try:
            if isinstance(decision, Refusal):
                headers = _encoded((*decision.headers, ("connection", "close")))
                await answer.reject(decision.status, extra_headers=headers, body=decision.body)
                return None
            await answer.accept(subprotocol=decision.subprotocol, extra_headers=_encoded(decision.headers))
        except ConnectionClosed:
            return None  # gone meanwhile
        return decision.session

    async def _decide(self, handshake: Handshake) -> Admission | Refusal:
        decision: Admission | Refusal | None = None
        if not self._is_closing:
            with trio.move_on_after(self._settings.handshake_timeout_seconds):
                decision = await self._admit(handshake)
        if isinstance(decision, Refusal) or (decision is not None and not self.is_closing()):
            return decision
        error = ShuttingDown("the server is leaving") if self._is_closing else Overloaded("the server is too busy")
        return Refusal(error.http, error_body(error), (*error_headers(error).items(), ("retry-after", "1")))

    async def _run(
        self, parser: ServerParser, stream: BufferedStream, session: SocketSession, peer: str, trailing: bytes
    ) -> None:
        timeout = self._settings.close_timeout_seconds
        socket: Socket | None = None
        is_cut = True
        try:
            try:
                async with trio.open_nursery() as nursery:
                    socket = Socket(parser, stream, nursery, peer=peer, close_timeout=timeout)
                    self._open.add(socket)
                    session.opened(socket)
                    await _Reader(parser, stream, socket, session, self._settings.max_message_bytes).run(trailing)
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
