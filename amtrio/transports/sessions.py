"""All sockets together: who gives way, what was confirmed, and what the few tasks need that serve every session.

Nothing wakes per connection: one task asks v1 clients what has arrived, one wheel (`wheel`) writes it down.
"""

from __future__ import annotations

from collections import deque

import structlog
import trio

from amtrio.clock import Clock, rfc3339
from amtrio.context import Principal, Services
from amtrio.errors import AmtrioError, RateLimited, TooManyReplacements
from amtrio.fanout.hub import Hub
from amtrio.feature import Registry
from amtrio.features.receipts import Delivered, mark_delivered
from amtrio.model.message import MAX_CONTENT_BYTES
from amtrio.protocol.codec import Codec
from amtrio.protocol.frames import SESSION_WORDS, Gone
from amtrio.protocol.session import Close
from amtrio.store.database import Tx
from amtrio.store.log import Cursor, put_cursors
from amtrio.transports.outbox import Outbox
from amtrio.transports.session import Session

log = structlog.stdlib.get_logger(__name__)

REPLACEMENTS_IN_SECONDS = 60.0
MAX_REPLACEMENTS = 2
# Agents and devices whose replacements are remembered before the old ones are swept out.
MAX_REMEMBERED = 10_000
REPLACEMENT_RETRY_MS = 60_000
POISON_CONNECTIONS = 5
POISON_SECONDS = 600.0


class Sessions:
    """
    The sockets of one server.

    Args:
        services: what features share. hub: where sessions hear events.

    Attributes:
        open: every socket that is open, attached or not yet.
    """

    def __init__(self, services: Services, hub: Hub) -> None:
        self.services = services
        self.hub = hub
        self.registry: Registry = services.registry
        self.codec = Codec(SESSION_WORDS | {word: spec.shape for word, spec in self.registry.commands.items()})
        self.max_content_bytes = MAX_CONTENT_BYTES
        self.gone = Gone()
        self.open: dict[Session, None] = {}
        self._places: dict[tuple[str, str], Session] = {}
        self._replacements: dict[tuple[str, str], deque[float]] = {}
        self._unconfirmed: dict[Outbox, None] = {}
        self._unconfirmed_event = trio.Event()
        self._with_delivered: dict[Outbox, None] = {}
        self._stuck: dict[tuple[str, str], tuple[int, int, float]] = {}

    # -- one socket per agent and per device --------------------------------

    def _place(self, session: Session, principal: Principal) -> tuple[str, str] | None:
        if principal.kind == "agent" or session.device_id is not None:
            return (principal.account, principal.device)
        return None

    async def make_room(self, newcomer: Session, principal: Principal) -> None:
        """
        End an older socket of the same agent or device; the newest wins.

        Raises:
            TooManyReplacements: the third in a minute, while the holder answers. Shipped clients do not read close
                codes and would push each other out for ever.
        """
        place = self._place(newcomer, principal)
        holder = None if place is None else self._places.get(place)
        if place is None or holder is None:
            self._check_count(principal)
            return
        now = trio.current_time()
        if len(self._replacements) > MAX_REMEMBERED:
            since = now - REPLACEMENTS_IN_SECONDS
            self._replacements = {
                key: times for key, times in self._replacements.items() if times and times[-1] > since
            }
        recent = self._replacements.setdefault(place, deque())
        while recent and recent[0] < now - REPLACEMENTS_IN_SECONDS:
            recent.popleft()
        if len(recent) >= MAX_REPLACEMENTS and await holder.is_alive():
            text = f"{principal.name!r} is connected already, and it answers: two programs use its credential"
            raise TooManyReplacements(text, retry_after_ms=REPLACEMENT_RETRY_MS)
        recent.append(trio.current_time())
        if self._places.get(place) is holder:
            holder.replace()

    def _check_count(self, principal: Principal) -> None:
        most = self.services.config.limits.connections_per_account
        if most and self.hub.connections(principal.account) >= most:
            text = f"at most {most} open connections per account"
            raise RateLimited(text, retry_after_ms=10_000)

    def take_place(self, session: Session, principal: Principal) -> None:
        """It is now the one socket of its agent or device."""
        session.next_ping_at = min(session.next_ping_at, trio.current_time() + self.ping_every(session))
        place = self._place(session, principal)
        if place is None:
            return
        holder = self._places.get(place)
        if holder is not None and holder is not session:
            holder.replace()  # it came in while this one was being looked at
        self._places[place] = session

    def release(self, session: Session) -> None:
        """It is the socket of nothing any more."""
        if session.principal is not None:
            place = self._place(session, session.principal)
            if place is not None and self._places.get(place) is session:
                del self._places[place]

    # -- sessions coming and going --------------------------------------------

    def opened(self, session: Session) -> None:
        """Remember it for the wheel."""
        self.open[session] = None
        config = self.services.config.sessions
        # Spread over the period, so that sockets that came together are not pinged together.
        spread = (len(self.open) * 0.618) % 1
        session.next_ping_at = trio.current_time() + config.ping_every_s * (0.5 + spread / 2)

    def closed(self, session: Session) -> None:
        """Forget it."""
        self.open.pop(session, None)

    def leave(self, code: int, text: str) -> None:
        """COMPAT(v1): a shipped client takes 1001 for an end that it wanted and stops without a word: say 1012."""
        if code == Close.GOING_AWAY:
            for session in tuple(self.open):
                if session.dialect.name == "v1":
                    session.close(Close.RESTART, text)

    def __len__(self) -> int:
        return len(self.open)

    # -- confirmation and cursors -----------------------------------------------

    def confirm_soon(self, outbox: Outbox) -> None:
        """COMPAT(v1): ask its client in a moment what has arrived."""
        if outbox not in self._unconfirmed:
            self._unconfirmed[outbox] = None
            self._unconfirmed_event.set()

    async def ask_confirmations(self) -> None:
        """The task that asks, for all sessions."""
        while True:
            await self._unconfirmed_event.wait()
            await trio.sleep(self.services.config.sessions.confirm_after_ms / 1000)
            self._unconfirmed_event = trio.Event()
            asked, self._unconfirmed = self._unconfirmed, {}
            for outbox in asked:
                outbox.ask_confirmation()

    def delivered(self, outbox: Outbox) -> None:
        """It has delivered marks to write down."""
        self._with_delivered[outbox] = None

    async def write_cursors(self) -> None:
        """Write down what was confirmed since the last time: one transaction for all sockets."""
        cursors = self.hub.cursors.take_dirty()
        outboxes, self._with_delivered = self._with_delivered, {}
        marks: dict[str, dict[str, int]] = {}
        for outbox in outboxes:
            account, up_to = outbox.take_delivered()
            of_account = marks.setdefault(account, {})
            for conversation_id, seq in up_to.items():
                of_account[conversation_id] = max(seq, of_account.get(conversation_id, 0))
        if not cursors and not marks:
            return
        try:
            told = await self.services.store.write(_write_cursors, cursors, marks)
        except AmtrioError as exc:
            log.warning("cursors_not_written", count=len(cursors), error=str(exc))
            self.hub.cursors.failed(cursors)
            return
        self.hub.cursors.written(cursors)
        for event, accounts in told:
            self.hub.tell(event, accounts)

    def is_poison(self, principal: Principal, seq: int) -> bool:
        """
        Whether the first event of a connection should be replaced by its mere number.

        True if it was the first one sent on `POISON_CONNECTIONS` connections of this device that ended within
        `POISON_SECONDS`, and none of them lived to confirm it: what ends a client each time would hold up all the rest.
        """
        stuck_seq, times, since = self._stuck.get((principal.account, principal.device), (0, 0, 0.0))
        if stuck_seq != seq or times < POISON_CONNECTIONS or trio.current_time() - since > POISON_SECONDS:
            return False
        log.warning("event_skipped", account=principal.account, seq=seq, connections=times)
        return True

    def ended_unconfirmed(self, principal: Principal, first: int) -> None:
        """A connection ended before its first event was confirmed."""
        key = (principal.account, principal.device)
        now = trio.current_time()
        stuck_seq, times, since = self._stuck.get(key, (0, 0, now))
        if stuck_seq != first or now - since > POISON_SECONDS:
            times, since = 0, now
        self._stuck[key] = (first, times + 1, since)

    def confirmed(self, principal: Principal, seq: int) -> None:
        """Whatever this device was stuck on up to `seq`, it is past it."""
        if self._stuck:
            key = (principal.account, principal.device)
            if key in self._stuck and self._stuck[key][0] <= seq:
                del self._stuck[key]

    # -- signs of life --------------------------------------------------------------

    def dead_after(self, session: Session) -> float:
        """Seconds of silence after which it is given up."""
        config = self.services.config.sessions
        if config.agent_heartbeat_enabled and session.account[:1] == "a":
            return min(config.dead_after_s, config.agent_heartbeat_timeout_s)
        return config.dead_after_s

    def ping_every(self, session: Session) -> float:
        """Seconds between pings: often enough that whoever answers them is never given up."""
        return min(self.services.config.sessions.ping_every_s, self.dead_after(session) / 3)

    def stale_agents(self) -> int:
        """Agents that are overdue right now."""
        now = trio.current_time()
        return sum(
            1
            for session in self.open
            if session.account[:1] == "a"
            and session.socket is not None
            and now - session.socket.last_received_at > self.dead_after(session)
        )

    # -- small things sessions need --------------------------------------------------

    def nonce(self) -> bytes:
        """Unguessable bytes for a confirming ping."""
        return self.clock.new_nonce()

    @property
    def clock(self) -> Clock:
        return self.services.clock

    def server_time(self) -> str:
        """Now, as every answer shows it."""
        return rfc3339(self.clock.now_us())


def _write_cursors(
    tx: Tx, cursors: list[Cursor], marks: dict[str, dict[str, int]]
) -> list[tuple[Delivered, list[str]]]:
    put_cursors(tx, cursors)
    told = []
    for account, up_to in marks.items():
        told += mark_delivered(tx, account, up_to)
    return told
