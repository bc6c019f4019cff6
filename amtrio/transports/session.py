"""One connection of one person's device or one agent: how it begins, what it hears, how it ends.

Binds the rules of `protocol.session` to a socket; `inbox` runs what the client asks, `outbox` tells what happens.
Knows no HTTP and no feature.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import structlog
import trio

from amtrio.context import Context, Principal
from amtrio.errors import AmtrioError, Malformed, RateLimited, TooManyReplacements, Unauthorized
from amtrio.fanout.backlog import read_position
from amtrio.protocol.codec import encode
from amtrio.protocol.dialects import SUPPORTED_VERSIONS, Dialect
from amtrio.protocol.frames import Ack, Connected, Failed, HeartbeatAck, Hello, Kind, Pong, Resync
from amtrio.protocol.session import Close, Start, start
from amtrio.transports.frames import text_frames
from amtrio.transports.inbox import Inbox
from amtrio.transports.outbox import Outbox

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from amtrio.fanout.hub import Outgoing
    from amtrio.transports.sessions import Sessions
    from amtrio.transports.ws import CloseReason, Socket

log = structlog.stdlib.get_logger(__name__)

# A holder of a credential that answers within this is alive, and a third newcomer in a minute is sent away.
ANSWERS_WITHIN_SECONDS = 2.0
# RFC 6455, 5.5: a control frame carries at most 125 bytes, two of which are the close code.
MAX_CLOSE_TEXT_BYTES = 123
_SERVER_ERROR = 500


class Session:
    """
    A `ws.SocketSession` and a `hub.Subscriber`.

    Args:
        principal: None until the first frame says who it is (v2 without a header).
        prove: finds out who the first frame proves to be.
        device_id: what the client calls its device; the newest socket of a device wins.
        path_kind: what the path that it came in by is for.
    """

    __slots__ = (
        "_frames_in",
        "_head",
        "_is_over",
        "_looked_at",
        "_probe",
        "_prove",
        "_start",
        "account",
        "address",
        "device_id",
        "dialect",
        "inbox",
        "is_replaced",
        "login_session",
        "next_ping_at",
        "opened_at",
        "outbox",
        "path_kind",
        "principal",
        "sessions",
        "since_us",
        "socket",
        "user_agent",
    )

    def __init__(
        self,
        sessions: Sessions,
        dialect: Dialect,
        *,
        principal: Principal | None,
        prove: Callable[[Session, Hello], Awaitable[Principal]],
        device_id: str | None,
        address: str,
        user_agent: str,
        path_kind: Kind,
    ) -> None:
        self.sessions = sessions
        self.dialect = dialect
        self.principal = principal
        self._prove = prove
        self.device_id = device_id
        self.address = address
        self.user_agent = user_agent
        self.path_kind = path_kind
        self.socket: Socket | None = None
        self.inbox: Inbox | None = None
        self.outbox: Outbox | None = None
        self.account = ""
        self.login_session = ""
        self.since_us = 0
        self.is_replaced = False
        self.opened_at = 0.0
        self.next_ping_at = 0.0
        self._start: Start | None = None
        self._head = 0
        self._looked_at = 0
        self._probe: tuple[bytes, trio.Event] | None = None
        self._frames_in = 0
        self._is_over = False

    @property
    def is_attached(self) -> bool:
        """It has said who it is, and hears events."""
        return self.outbox is not None and not self._is_over

    @property
    def unconfirmed(self) -> int:
        """Events sent and not confirmed, and events still to be sent."""
        return self.outbox.unconfirmed if self.outbox is not None else 0

    # -- what the socket calls ----------------------------------------------

    def opened(self, socket: Socket, /) -> None:
        """Greet, or wait for the first frame that says who this is."""
        self.socket = socket
        self.opened_at = trio.current_time()
        self.sessions.services.metrics.connections += 1
        self.sessions.opened(self)
        if self.principal is not None and self._start is not None:
            self._begin(socket, self.principal, self._start)

    def received(self, data: str | bytes, /) -> Awaitable[None] | None:
        """Take one frame; an awaitable answer stops the reading until there is room again."""
        self._frames_in += 1
        self.sessions.services.metrics.messages_in += 1
        if self._is_over:
            return None
        inbox = self.inbox
        if inbox is None:
            return self._hello(data)
        ref: bytes | None = None
        try:
            envelope = self.sessions.codec.envelope(data)
            if envelope.ref is not None:
                ref = encode(envelope.ref)
            word, frame = self.sessions.codec.command(envelope, data)
            spec = self.sessions.registry.commands.get(word)
            if spec is not None:
                return inbox.take(spec, frame, ref)
            self._own_word(word, frame, ref)
        except AmtrioError as exc:
            self.refuse(exc, ref, None)
        return inbox.room_if_pressed()

    def ponged(self, payload: bytes, /) -> None:
        """A sign of life, and perhaps the proof of what has arrived."""
        if self._probe is not None and payload == self._probe[0]:
            self._probe[1].set()
        if self.outbox is not None:
            self.outbox.ponged(payload)

    def closed(self, reason: CloseReason, /) -> None:
        """The end: from now on the log keeps what this device misses."""
        self._end()
        self.sessions.closed(self)
        log.info(
            "session_closed",
            account=self.account,
            code=int(reason.code),
            by=reason.by,
            reason=reason.text,
            frames_in=self._frames_in,
            frames_out=self.outbox.sent_frames if self.outbox is not None else 0,
            lived_s=round(trio.current_time() - self.opened_at, 3),
        )

    # -- how it begins ----------------------------------------------------------

    async def prepare(self, principal: Principal, *, since: int | None = None, epoch: str | None = None) -> None:
        """
        Find out where to go on, and make room by replacing an older socket of this agent or device.

        Raises:
            TooManyReplacements: two programs share the credential and the holder is alive.
            NotFound: the account is gone.
        """
        await self.sessions.make_room(self, principal)
        store = self.sessions.services.store
        self._looked_at = self.sessions.hub.moment()
        pruned, head, stored = await store.read(read_position, principal.account, principal.device, principal.session)
        cursor = self.sessions.hub.cursors.position(principal.account, principal.device, stored)
        self._head = head
        self._start = start(
            since=cursor if since is None else since,
            # What the server noted itself is of this epoch.
            epoch=None if since is None else epoch,
            server_epoch=store.epoch,
            pruned=pruned,
            head=max(head, cursor),
        )
        self.principal = principal

    def _begin(self, socket: Socket, principal: Principal, begin: Start) -> None:
        """Say `connected`, then hear everything after `begin`."""
        services = self.sessions.services
        if services.proofs.has_ended(principal.session):
            self.end_login()
            return
        self.account, self.login_session = principal.account, principal.session
        self.since_us = services.clock.now_us()
        self.sessions.take_place(self, principal)
        context = Context(services, principal, self.address, self.user_agent, lambda: not self.is_replaced)
        outbox = self.outbox = Outbox(self.sessions, socket, self.dialect, principal, begin, self.close)
        self.inbox = Inbox(self, socket, self.dialect, context, outbox)
        outbox.show(self._greeting(principal, begin))
        must_show_unread = begin.resync is not None and self.dialect.name == "v1"
        if begin.resync is not None and not must_show_unread:
            outbox.show(Resync(epoch=services.store.epoch, seq=begin.position, reason=begin.resync))
        hub = self.sessions.hub
        hub.attach(self)
        log.info("session_opened", account=self.account, dialect=self.dialect.name, position=begin.position)
        is_behind = begin.position < self._head
        if must_show_unread or is_behind or hub.may_have_grown(self.account, begin.position, self._looked_at):
            outbox.start_pump(unread=must_show_unread)

    def _greeting(self, principal: Principal, begin: Start) -> Connected:
        services = self.sessions.services
        limits, sessions = services.config.limits, services.config.sessions
        per_minute = limits.agent_messages_per_minute if principal.kind == "agent" else limits.user_messages_per_minute
        return Connected(
            id=principal.id,
            kind=principal.kind,
            protocol_version=self.dialect.name,
            supported_versions=SUPPORTED_VERSIONS,
            device_id=self.device_id,
            epoch=services.store.epoch,
            seq=begin.position,
            head=self._head,
            server_time=self.sessions.server_time(),
            limits={
                "max_message_bytes": limits.max_ws_message_bytes,
                "max_content_bytes": self.sessions.max_content_bytes,
                "messages_per_minute": per_minute,
                "ephemeral_per_minute": limits.ephemeral_per_minute,
                "ping_every_s": int(sessions.ping_every_s),
                "dead_after_s": int(sessions.dead_after_s),
            },
            capabilities=tuple(sorted(self.sessions.registry.commands)),
        )

    async def _hello(self, data: str | bytes) -> None:
        """The first frame of v2: who this is and what it has already."""
        ref: bytes | None = None
        try:
            envelope = self.sessions.codec.envelope(data)
            if envelope.ref is not None:
                ref = encode(envelope.ref)
            if envelope.type != "hello":
                text = "the first frame must be hello"
                raise Malformed(text)
            hello = cast("Hello", self.sessions.codec.command(envelope, data)[1])
            principal = await self._prove(self, hello)
            await self.prepare(principal, since=hello.since, epoch=hello.epoch)
        except AmtrioError as exc:
            self.refuse(exc, ref, None)
            wait = f"; retry after {exc.retry_after_ms // 1000} s" if exc.retry_after_ms else ""
            # The wait is what the client needs; a long name before it must not push it out.
            self.close(_close_code(exc), _cut(str(exc), MAX_CLOSE_TEXT_BYTES - len(wait)) + wait)
            return
        if self._start is not None and self.socket is not None and not self._is_over:
            self._begin(self.socket, principal, self._start)

    # -- words of its own ---------------------------------------------------------

    def _own_word(self, word: str, frame: Any, ref: bytes | None) -> None:
        """What a session answers itself, without a feature."""
        if word == "ack" and self.outbox is not None:
            self.outbox.acked(cast("Ack", frame).seq)
        elif word == "heartbeat":
            config = self.sessions.services.config.sessions
            ack = HeartbeatAck(
                server_time=self.sessions.server_time(),
                interval_s=int(config.agent_heartbeat_interval_s),
                timeout_s=int(config.agent_heartbeat_timeout_s),
                monitoring=config.agent_heartbeat_enabled,
            )
            self.send(self.dialect.reply(ack, ref, word=word, is_delivered=False))
        elif word == "ping":
            pong = Pong(server_time=self.sessions.server_time())
            self.send(self.dialect.reply(pong, ref, word=word, is_delivered=False))
        elif word == "hello":
            text = "hello is for the first frame only"
            raise Malformed(text)

    # -- what the hub calls -----------------------------------------------------------

    def offer(self, outgoing: Outgoing, seq: int, /) -> None:
        """Event `seq` of the account's log."""
        if self._is_over or self.outbox is None:
            return
        try:
            self.outbox.offer(outgoing, seq)
        except Exception:
            # The hub serves everybody; a bug of ours here ends this session alone.
            log.exception("session_failed", account=self.account, event_type=outgoing.event.type)
            self.break_down()

    def tell(self, outgoing: Outgoing, /) -> bool:
        """An ephemeral event; False if it was dropped because this session is busy."""
        if self._is_over or self.outbox is None:
            return True
        try:
            return self.outbox.tell(outgoing)
        except Exception:
            log.exception("session_failed", account=self.account, event_type=outgoing.event.type)
            self.break_down()
            return True

    def end_login(self) -> None:
        """The login or credential it lives on has ended."""
        self.close(Close.UNAUTHORIZED, "the session has ended")

    # -- writing ----------------------------------------------------------------------

    def send(self, payloads: list[bytes]) -> None:
        """Send JSON texts, a frame each."""
        if not payloads or self.socket is None:
            return
        wire = text_frames(payloads)
        if self.outbox is not None:
            self.outbox.send(wire)
        else:
            self.socket.send(wire)

    def refuse(self, error: AmtrioError, ref: bytes | None, client_id: str | None) -> None:
        """Answer a frame with an error; the connection stays open."""
        failed = Failed(
            error=str(error),
            code=error.code,
            retry=error.retry,
            retry_after_ms=error.retry_after_ms,
            client_id=client_id,
            details=dict(error.details) if error.details is not None else None,
        )
        self.send(self.dialect.failure(failed, ref))

    # -- how it ends ----------------------------------------------------------------------

    def close(self, code: Close, text: str) -> None:
        """End it for a reason the client is told."""
        self._end()
        if self.socket is not None:
            self.socket.close(code, _cut(text, MAX_CLOSE_TEXT_BYTES))

    def _end(self) -> None:
        """Hear and answer nothing more; safe to call twice."""
        if self._is_over:
            return
        self._is_over = True
        if self._probe is not None:
            self._probe[1].set()
        if self.inbox is not None:
            self.inbox.end()
        if self.outbox is not None:
            self.sessions.hub.detach(self)
            self.sessions.release(self)
            self.outbox.end()

    def replace(self) -> None:
        """A newer socket of the same agent or device takes over."""
        self.is_replaced = True
        self.sessions.services.metrics.replaced += 1
        self.close(Close.REPLACED, "replaced by a newer connection")

    def break_down(self) -> None:
        """A bug of ours met this session: it ends alone."""
        self.sessions.services.metrics.errors += 1
        self.close(Close.INTERNAL_ERROR, "internal error; what is missing is kept")

    async def is_alive(self) -> bool:
        """
        Whether the other side answers when it is asked.

        Nothing else counts: what a client sent before its network went may be read long after.
        """
        if self._is_over or self.socket is None:
            return False
        if self._probe is None:
            self._probe = (self.sessions.nonce(), trio.Event())
            self.socket.ping(self._probe[0])
        answered = self._probe[1]
        with trio.move_on_after(ANSWERS_WITHIN_SECONDS):
            await answered.wait()
        self._probe = None
        return answered.is_set() and not self._is_over


def _cut(text: str, most_bytes: int) -> str:
    """The beginning of a text, whole characters only."""
    return text.encode()[:most_bytes].decode(errors="ignore")


def _close_code(error: AmtrioError) -> Close:
    if isinstance(error, Unauthorized):
        return Close.UNAUTHORIZED
    if isinstance(error, TooManyReplacements):
        return Close.REPLACEMENT_LOOP
    is_for_now = error.http >= _SERVER_ERROR or isinstance(error, RateLimited)
    return Close.OVERLOADED if is_for_now else Close.BAD_HELLO
