"""Who is connected to this process: hands each committed event to the sockets of its accounts, once, in order.

Knows accounts and subscribers. Knows no socket, no dialect and no feature.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol, cast

from amtrio.context import Live, Status
from amtrio.fanout.cursors import Cursors
from amtrio.fanout.live import LiveViews
from amtrio.protocol.frames import Event
from amtrio.store.database import Committed

# So many accounts' newest numbers are remembered; more, and all are forgotten: whoever asks then reads the log.
MAX_REMEMBERED = 4096


class Outgoing:
    """
    One event on its way to many sockets.

    Attributes:
        sender: account key of who sent it, if it is something that one sends.
        device: cursor key of the device that caused it.
        is_urgent: of an ephemeral event: not dropped where others would be.
        forms: ready bytes by dialect and viewer; the first socket that needs a form makes it for all.
    """

    __slots__ = ("at_us", "device", "event", "forms", "is_urgent", "published_at", "sender")

    def __init__(
        self, event: Event, *, device: str | None, at_us: int, published_at: float, is_urgent: bool = False
    ) -> None:
        self.event = event
        self.is_urgent = is_urgent
        self.device = device
        self.at_us = at_us
        self.published_at = published_at
        self.sender = sender_of(event)
        self.forms: dict[object, bytes] = {}


def sender_of(event: Event) -> str | None:
    """The account key of whoever sent a message, a sign of writing or a status."""
    sender_id = getattr(event, "sender_id", None)
    return None if sender_id is None else f"{'a' if event.sender_type == 'agent' else 'u'}:{sender_id}"  # type: ignore[attr-defined]  # goes with sender_id


class Subscriber(Protocol):
    """A session that hears events. Both calls are synchronous and must not raise for one that is closing."""

    @property
    def account(self) -> str: ...
    @property
    def login_session(self) -> str: ...
    @property
    def since_us(self) -> int: ...
    @property
    def unconfirmed(self) -> int: ...
    def offer(self, outgoing: Outgoing, seq: int, /) -> None:
        """Event `seq` of the account's log. A session that cannot take it now reads it from the log later."""
        ...

    def tell(self, outgoing: Outgoing, /) -> bool:
        """An ephemeral event; False if it was dropped because the session is busy."""
        ...

    def end_login(self) -> None:
        """The login it lives on has ended."""
        ...


class Hub:
    """
    The register of open sockets.

    Args:
        now: for measuring delivery, seconds.
        heard: called with each event after it was handed to sockets.
        presence_changed: called with an account and whether it is online now.
        attached: called with an account of which one more socket has opened.

    Attributes:
        live: what devices are shown while it changes.
    """

    def __init__(
        self,
        *,
        now: Callable[[], float],
        heard: Callable[[Event], None] = lambda _: None,
        presence_changed: Callable[[str, bool], None] = lambda _account, _online: None,
        attached: Callable[[str], None] = lambda _account: None,
    ) -> None:
        self._now = now
        self.heard = heard
        self.presence_changed = presence_changed
        self.attached = attached
        self._subscribers: dict[str, dict[Subscriber, None]] = {}
        self.live = LiveViews(lambda account: self._subscribers.get(account, ()), self._ephemeral)
        self._statuses: dict[str, Status] = {}
        self.cursors = Cursors()
        self._newest: dict[str, int] = {}
        self._forgotten = 0

    # -- what the store calls -------------------------------------------

    def publish(self, batch: Sequence[Committed]) -> None:
        """Hand over what one commit announced, in its order."""
        now = self._now()
        newest = self._newest
        if len(newest) > MAX_REMEMBERED:
            newest.clear()
            self._forgotten += 1
        for committed in batch:
            event = cast("Event", committed.event)
            outgoing = Outgoing(event, device=committed.device, at_us=committed.at_us, published_at=now)
            for account, seq in committed.seqs:
                newest[account] = seq
                subscribers = self._subscribers.get(account)
                if subscribers:
                    for subscriber in tuple(subscribers):
                        subscriber.offer(outgoing, seq)
            self.heard(event)

    # -- what sessions call ---------------------------------------------

    def moment(self) -> int:
        """To be taken before a log is read and given to `may_have_grown` after it."""
        return self._forgotten

    def may_have_grown(self, account: str, head: int, moment: int) -> bool:
        """
        Whether an account's log may hold more than `head`, which was read after `moment`.

        Asked right after `attach`, False means that nothing is missing in between: what was committed before the
        read is in it, what was published after it was seen here, and what is published from now on is heard.
        """
        return moment != self._forgotten or self._newest.get(account, 0) > head

    def attach(self, subscriber: Subscriber) -> None:
        """From now on it hears everything."""
        subscribers = self._subscribers.setdefault(subscriber.account, {})
        subscribers[subscriber] = None
        if len(subscribers) == 1:
            self.presence_changed(subscriber.account, True)  # noqa: FBT003 - a listener's plain argument
        self.attached(subscriber.account)
        self.live.arrived(subscriber)

    def detach(self, subscriber: Subscriber) -> None:
        """It hears nothing more. Safe to call twice."""
        subscribers = self._subscribers.get(subscriber.account)
        if subscribers is None or subscriber not in subscribers:
            return
        del subscribers[subscriber]
        self.live.left(subscriber)
        if not subscribers:
            del self._subscribers[subscriber.account]
            self._statuses.pop(subscriber.account, None)
            self.presence_changed(subscriber.account, False)  # noqa: FBT003 - a listener's plain argument

    def subscribers(self) -> Iterable[Subscriber]:
        """Every session, in no order."""
        for subscribers in tuple(self._subscribers.values()):
            yield from tuple(subscribers)

    # -- what features call (`feature.Fanout`) --------------------------

    def is_online(self, account: str, /) -> bool:
        return account in self._subscribers

    def online(self) -> list[str]:
        return list(self._subscribers)

    def connections(self, account: str, /) -> int:
        return len(self._subscribers.get(account, ()))

    def connected_since_us(self, account: str, /) -> int | None:
        return min((each.since_us for each in self._subscribers.get(account, ())), default=None)

    def unconfirmed(self) -> int:
        return sum(each.unconfirmed for each in self.subscribers())

    def status(self, account: str, /) -> Status:
        if account not in self._subscribers:
            return Status("offline")
        return self._statuses.get(account, Status("online"))

    def set_status(self, account: str, status: Status, /) -> None:
        if account in self._subscribers:
            self._statuses[account] = status

    def tell(
        self, event: Event, accounts: Iterable[str], /, *, device: str | None = None, is_urgent: bool = False
    ) -> None:
        outgoing = Outgoing(event, device=device, at_us=0, published_at=self._now(), is_urgent=is_urgent)
        for account in accounts:
            for subscriber in tuple(self._subscribers.get(account, ())):
                subscriber.tell(outgoing)
        self.heard(event)

    def _ephemeral(self, event: Event) -> Outgoing:
        return Outgoing(event, device=None, at_us=0, published_at=self._now())

    def show(self, live: Live, /) -> None:
        self.live.show(live)

    def change(self, live: Live, event: Event, /) -> int:
        return self.live.change(live, event)

    def hide(self, live: Live, /) -> None:
        self.live.hide(live)

    def catch_up(self) -> bool:
        return self.live.catch_up()

    def end_sessions(self, sessions: Iterable[str], /) -> None:
        ended = set(sessions)
        for subscriber in self.subscribers():
            if subscriber.login_session in ended:
                subscriber.end_login()
