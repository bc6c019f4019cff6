"""What goes out to one client: the account's log from a position on, live when it has caught up.

A caught-up outbox has no task: events are written straight from the hub's call, one synchronous write each. One that
fell behind, because its client reads slowly or was away, gets a pump, which reads the log until it has caught up.
Knows the socket, the dialect and the log; knows no command.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from typing import TYPE_CHECKING

import structlog
import trio

from amtrio.errors import AmtrioError
from amtrio.fanout.backlog import UNREAD_AT_ONCE, Page, read_messages, read_page, read_unread
from amtrio.fanout.hub import Outgoing
from amtrio.protocol.dialects import Dialect, Viewer
from amtrio.protocol.frames import Event, Gone, Kind, Resync
from amtrio.protocol.session import Close, Confirmations, Start
from amtrio.transports.frames import text_frames

if TYPE_CHECKING:
    from collections.abc import Callable

    from amtrio.context import Principal
    from amtrio.transports.sessions import Sessions
    from amtrio.transports.ws import Socket

log = structlog.stdlib.get_logger(__name__)

# Below this share of the high-water mark the pump goes on: low enough that a slow client is left alone, high enough
# that a fast one's socket does not run dry.
LOW_WATER_SHARE = 4
# Live events kept while the pump reads the log, so that it catches up even if there is always a newer one.
MAX_RECENT = 64
_VIEWERS: Mapping[tuple[Kind, bool, bool], Viewer] = {
    (viewer.kind, viewer.is_own, viewer.is_same_device): viewer
    for kind in ("user", "agent")
    for viewer in (Viewer(kind), Viewer(kind, is_own=True), Viewer(kind, is_own=True, is_same_device=True))
}


class Outbox:
    """
    One session's place in its account's log.

    Args:
        close: ends the session.

    Attributes:
        position: number of the newest event that was written, or shows this client nothing.
        sent_frames: for the log.
    """

    __slots__ = (
        "_arriving",
        "_close",
        "_config",
        "_confirmations",
        "_delivered",
        "_dialect",
        "_handle",
        "_is_over",
        "_metrics",
        "_missed",
        "_principal",
        "_pumping",
        "_recent",
        "_sessions",
        "_socket",
        "_start",
        "high_water",
        "low_water",
        "position",
        "sent_frames",
    )

    def __init__(
        self,
        sessions: Sessions,
        socket: Socket,
        dialect: Dialect,
        principal: Principal,
        begin: Start,
        close: Callable[[Close, str], None],
    ) -> None:
        self._sessions = sessions
        self._socket = socket
        self._dialect = dialect
        self._principal = principal
        self._close = close
        self._metrics = sessions.services.metrics
        self._config = sessions.services.config.sessions
        self._start = begin.position
        # COMPAT(v1): a cursor that fell off the log stays there until the unread messages, shown instead, have arrived.
        is_v1_hole = begin.resync is not None and dialect.name == "v1"
        stored = 0 if is_v1_hole else begin.position
        self._handle = sessions.hub.cursors.open(principal.account, principal.device, stored)
        if not is_v1_hole:
            self._handle.confirm(begin.position)
        self._confirmations = Confirmations(begin.position, self._config.confirm_after_events)
        self._missed = 0
        self._pumping = False
        self._recent: deque[tuple[int, Outgoing]] | None = None
        self._delivered: dict[str, int] = {}
        # Made when there is something to keep: most sockets are idle most of the time.
        self._arriving: deque[tuple[int, str, int]] | None = None
        self._is_over = False
        self.high_water = self._config.high_water_bytes
        self.low_water = self.high_water // LOW_WATER_SHARE
        self.position = begin.position
        self.sent_frames = 0

    def end(self) -> None:
        """Write nothing more; what was not confirmed is told again next time."""
        if not self._is_over:
            self._is_over = True
            first = self._start + 1
            if self._confirmations.confirmed < first <= self.position:
                self._sessions.ended_unconfirmed(self._principal, first)
            self._handle.close()

    @property
    def unconfirmed(self) -> int:
        """Events sent and not confirmed, and events still to be sent."""
        return max(self._missed, self.position) - self._confirmations.confirmed

    # -- live ---------------------------------------------------------------

    def offer(self, outgoing: Outgoing, seq: int) -> None:
        """Write event `seq` now if everything before it is written, else leave it to the pump."""
        if self._is_over or seq <= self.position:
            return
        if seq == self.position + 1 and self._recent is None and self._socket.buffered <= self.high_water:
            self._write(outgoing, seq)
            return
        self._missed = max(self._missed, seq)
        if self._recent is not None and len(self._recent) < MAX_RECENT:
            self._recent.append((seq, outgoing))
        self.start_pump()

    def tell(self, outgoing: Outgoing) -> bool:
        """An ephemeral event: now or never; False means never."""
        if self._is_over:
            return True
        if self._socket.buffered > self.low_water and not outgoing.is_urgent:
            # Before it is encoded: what is told again and again until there is room may be large. COMPAT(v1): what is
            # told again means nothing to these clients.
            return self._dialect.name == "v1"
        wire = self._wire(outgoing, None)
        if wire:
            self.send(wire)
        return True

    def send(self, wire: bytes) -> None:
        """Frames that are no log events."""
        self.sent_frames += 1
        self._metrics.messages_out += 1
        self._socket.send(wire)

    def show(self, event: Event) -> None:
        """An event for this session alone."""
        payloads = self._dialect.event(event, Viewer(self._principal.kind), None)
        if payloads:
            self.send(text_frames(payloads))

    def _wire(self, outgoing: Outgoing, seq: int | None) -> bytes:
        """The event's bytes for this client; made by the first session that needs them."""
        principal = self._principal
        is_own = outgoing.sender == principal.account
        viewer = _VIEWERS[principal.kind, is_own, is_own and outgoing.device == principal.device]
        form = self._dialect.form(viewer, seq, principal.account)
        wire = outgoing.forms.get(form)
        if wire is None:
            payloads = self._dialect.event(outgoing.event, viewer, seq)
            wire = outgoing.forms[form] = text_frames(payloads)
        return wire

    def _write(self, outgoing: Outgoing, seq: int) -> None:
        self.position = seq
        wire = self._wire(outgoing, seq)
        if not wire:
            if self._confirmations.passed(seq):
                self._confirmed()
            return
        event = outgoing.event
        if event.type == "message" and outgoing.sender != self._principal.account:
            if self._arriving is None:
                self._arriving = deque()
            self._arriving.append((seq, event.conversation_id, event.conversation_seq))  # type: ignore[attr-defined]  # messages have both
        self.send(wire)
        self._metrics.delivery_seconds.observe(time.perf_counter() - outgoing.published_at)
        is_due = self._confirmations.wrote(seq)
        if self._dialect.name == "v1":
            if is_due:
                self.ask_confirmation()
            else:
                self._sessions.confirm_soon(self)

    # -- what has arrived ------------------------------------------------------

    def ask_confirmation(self) -> None:
        """COMPAT(v1): one ping whose exact pong proves that everything before it has arrived."""
        if not self._is_over:
            payload = self._confirmations.ask(self._sessions.nonce())
            if payload is not None:
                self._socket.ping(payload)

    def ponged(self, payload: bytes) -> None:
        """Perhaps the proof that was asked for."""
        if not self._is_over and self._confirmations.pong(payload):
            self._confirmed()
            if not self._confirmations.is_complete:
                self._sessions.confirm_soon(self)

    def acked(self, seq: int) -> None:
        """A v2 client has stored everything up to `seq`."""
        if not self._is_over and self._confirmations.ack(seq):
            self._confirmed()

    def _confirmed(self) -> None:
        confirmed = self._confirmations.confirmed
        self._handle.confirm(confirmed)
        self._sessions.confirmed(self._principal, confirmed)
        arriving = self._arriving
        if arriving is None:
            return
        while arriving and arriving[0][0] <= confirmed:
            _, conversation_id, conversation_seq = arriving.popleft()
            if conversation_seq > self._delivered.get(conversation_id, 0):
                self._delivered[conversation_id] = conversation_seq
        if not arriving:
            self._arriving = None
        if self._delivered:
            self._sessions.delivered(self)

    def take_delivered(self) -> tuple[str, dict[str, int]]:
        """The account, and marks to write down by conversation; each is handed out once."""
        delivered, self._delivered = self._delivered, {}
        return self._principal.account, delivered

    # -- the pump -----------------------------------------------------------------

    def start_pump(self, *, unread: bool = False) -> None:
        """Catch up with the log in a task of the socket, if none is at it."""
        # A nursery that was cancelled may be closed by now: the reader is about to end the session.
        if not self._pumping and not self._is_over and not self._socket.nursery.cancel_scope.cancel_called:
            self._pumping = True
            if unread:
                self._recent = deque()
            self._socket.nursery.start_soon(self._pump, unread, name="pump")

    async def _pump(self, unread: bool) -> None:  # noqa: FBT001 - nurseries pass positional arguments only
        try:
            if unread:
                await self._show_unread()
            while not self._is_over and not await self._pump_page():
                pass
        except trio.BrokenResourceError:
            # The reader ends the session. A new pump would find the same without ever waiting: nothing could cancel it.
            return
        except AmtrioError as exc:
            # The store cannot be read: the client comes back, and by then perhaps it can.
            log.warning("backlog_unreadable", account=self._principal.account, error=str(exc))
            self._close(Close.OVERLOADED, "the backlog cannot be read now")
        finally:
            self._pumping = False
            self._recent = None
        if self._missed > self.position:
            self.start_pump()

    async def _pump_page(self) -> bool:
        """One page; True when nothing is left to catch up with."""
        sessions = self._sessions
        await self._socket.drained(self.low_water)
        self._recent = deque()
        account = self._principal.account
        began = time.perf_counter()
        page = await sessions.services.store.read(read_page, account, self.position, sessions.registry.replays)
        recent, self._recent = self._recent, None
        if page.pruned > self.position:
            await self._fell_off(page)
            return False
        for item in page.items:
            if self._is_over:
                return True
            if self._socket.buffered > self.low_water:
                await self._socket.drained(self.low_water)
            if item.seq <= self.position:
                continue  # written live while this waited
            event = item.event
            is_first = item.seq == self._start + 1
            if event is None:
                event = sessions.gone
            elif is_first and sessions.is_poison(self._principal, item.seq):
                event = Gone(skipped=True, conversation_id=event.log_conversation)
            self._write(Outgoing(event, device=item.device, at_us=0, published_at=time.perf_counter()), item.seq)
        for seq, outgoing in recent:
            if seq == self.position + 1 and self._socket.buffered <= self.high_water:
                self._write(outgoing, seq)
        tracing = sessions.services.tracing
        if tracing is not None and page.items:
            tracing.caught_up(self._dialect.name, len(page.items), time.perf_counter() - began)
        return self.position >= max(self._missed, page.head)

    async def _fell_off(self, page: Page) -> None:
        """The log was pruned past this session while it was open."""
        if self._dialect.name == "v1":
            await self._show_unread()
            return
        self.position = page.head
        self._confirmations = Confirmations(page.head, self._config.confirm_after_events)
        self._handle.confirm(page.head)
        self.show(Resync(epoch=self._sessions.services.store.epoch, seq=page.head, reason="pruned"))

    async def _show_unread(self) -> None:
        """COMPAT(v1): instead of `resync`, which it does not know, the device gets its unread messages."""
        # What is said live meanwhile comes after them, from the log.
        self._recent = deque()
        store = self._sessions.services.store
        head, numbers = await store.read(read_unread, self._principal.account)
        for first in range(0, len(numbers), UNREAD_AT_ONCE):
            for event in await store.read(read_messages, numbers[first : first + UNREAD_AT_ONCE]):
                await self._socket.drained(self.low_water)
                wire = self._wire(Outgoing(event, device=None, at_us=0, published_at=time.perf_counter()), None)
                if wire:
                    self.send(wire)
        self._recent = None
        self.position = max(self.position, head)
        # The cursor jumps to the head when the pong of a ping behind them proves that they have arrived.
        self._confirmations = Confirmations(self.position - 1, self._config.confirm_after_events)
        self._confirmations.wrote(self.position)
        self.ask_confirmation()
