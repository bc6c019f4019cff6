"""What the server gives a handler: who asks, what is shared, what may be answered.

Knows nothing of HTTP or WebSocket libraries, and no feature.
"""

from __future__ import annotations

import typing
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, Literal, Protocol, TypeVar

import msgspec
import trio

from amtrio.store.log import remove_account as leave_tombstone

if TYPE_CHECKING:
    from amtrio.clock import Clock
    from amtrio.config import Config
    from amtrio.feature import Registry
    from amtrio.limits import Limits
    from amtrio.metrics import Gauges, Metrics
    from amtrio.passwords import Passwords
    from amtrio.proofs import Proofs
    from amtrio.protocol.frames import Event, Kind
    from amtrio.store.database import Database, Tx
    from amtrio.tracing import Tracing

T = TypeVar("T")
B = TypeVar("B")


@dataclass(frozen=True, slots=True)
class Principal:
    """
    Who is asking, proven.

    Attributes:
        id: as on the wire. account: key inside; users and agents never share one.
        name: a user's username, an agent's id.
        session: the login session that the proof belongs to; ending it ends this.
        device: key of this device's cursor.
        is_admin: a person whose account is an administrator's.
    """

    kind: Kind
    id: str
    account: str
    name: str
    session: str
    device: str = ""
    is_admin: bool = False


def account_key(kind: Kind, id_: str, /) -> str:
    """Users and agents live in separate name spaces; this prefix keeps them apart and never reaches the wire."""
    return f"{kind[0]}:{id_}"


def kind_of(account: str, /) -> Kind:
    """The inverse of `account_key`."""
    return "agent" if account[0] == "a" else "user"


def id_of(account: str, /) -> str:
    """The id as on the wire."""
    return account[2:]


@dataclass(frozen=True, slots=True)
class Status:
    """What an account says of itself; gone with its last socket."""

    word: Literal["online", "busy", "idle", "offline"]
    text: str = ""


class Live(Protocol):
    """
    Something that changes many times a second. Two of them are never equal.

    Attributes:
        watchers: accounts whose devices are shown it.
    """

    @property
    def watchers(self) -> Iterable[str]: ...
    def snapshot(self) -> Event:
        """All of it, as whoever has seen every change so far sees it."""
        ...


class Fanout(Protocol):
    """Who is connected here, as far as a feature may know it."""

    def is_online(self, account: str, /) -> bool: ...
    def online(self) -> Iterable[str]:
        """Accounts with an open socket."""
        ...

    def connections(self, account: str, /) -> int: ...
    def connected_since_us(self, account: str, /) -> int | None: ...
    def tell(
        self, event: Event, accounts: Iterable[str], /, *, device: str | None = None, is_urgent: bool = False
    ) -> None:
        """
        Send an ephemeral event to whoever of `accounts` is connected; lost for all others.

        Args:
            is_urgent: it also reaches whoever is so busy that other ephemeral events are dropped.
        """
        ...

    def show(self, live: Live, /) -> None:
        """Show it to its watchers' devices, those that are here and those that come, until `hide`."""
        ...

    def change(self, live: Live, event: Event, /) -> int:
        """Tell one change to every device that has seen all before it; answers how many that were."""
        ...

    def hide(self, live: Live, /) -> None:
        """It has come to its end."""
        ...

    def catch_up(self) -> bool:
        """Show devices that missed a change the whole thing; True if some are still too busy for it."""
        ...

    def end_sessions(self, sessions: Iterable[str], /) -> None:
        """Close the sockets that live on these login sessions, at once."""
        ...

    def status(self, account: str, /) -> Status:
        """What it last said of itself; `online` if it said nothing, `offline` if no socket is open."""
        ...

    def set_status(self, account: str, status: Status, /) -> None: ...
    def unconfirmed(self) -> int:
        """Log rows that wait for a device to confirm them, over all open sockets."""
        ...


class Wakeups:
    """Chores that should run now rather than at their time."""

    def __init__(self) -> None:
        self._events: dict[str, trio.Event] = {}

    def wake(self, name: str, /) -> None:
        """Let the chore of this name run; it runs once more if it is running already."""
        self._events.setdefault(name, trio.Event()).set()

    async def wait(self, name: str, /, *, at_most_seconds: float) -> None:
        """Until somebody wakes `name`, or the time is over."""
        event = self._events.setdefault(name, trio.Event())
        with trio.move_on_after(at_most_seconds):
            await event.wait()
        self._events[name] = trio.Event()


@dataclass(frozen=True, slots=True)
class Services:
    """
    What the whole server shares; made once by `app`.

    Attributes:
        tracing: None unless traces are sent.
    """

    store: Database
    clock: Clock
    fanout: Fanout
    config: Config
    limits: Limits
    passwords: Passwords
    proofs: Proofs
    metrics: Metrics
    registry: Registry
    started_us: int
    gauges: Callable[[], Gauges]
    state: dict[type, Any] = field(default_factory=dict)
    wakeups: Wakeups = field(default_factory=Wakeups)
    tracing: Tracing | None = None

    def own(self, kind: type[T], /) -> T:
        """The feature's own memory (caches, live status): one object per server, made on first use."""
        try:
            return typing.cast("T", self.state[kind])
        except KeyError:
            made = self.state[kind] = kind()
            return made

    def wake(self, chore_name: str, /) -> None:
        """Let a chore run now."""
        self.wakeups.wake(chore_name)

    def end_sessions(self, sessions: set[str], /) -> None:
        """Refuse these sessions' tokens and close their sockets; call it on the Trio thread, after the commit."""
        self.proofs.forget(sessions)
        self.fanout.end_sessions(sessions)

    def remove_account(self, tx: Tx, account: str, /) -> None:
        """Let every feature delete what is this account's; the id stays as a tombstone."""
        for removal in self.registry.removals:
            removal(tx, self, account)
        leave_tombstone(tx, account)


NOBODY = Principal(kind="user", id="", account="", name="", session="")


Chunks = AsyncIterator[bytes]


class _NoBody(AsyncIterator[bytes]):
    async def __anext__(self) -> bytes:
        raise StopAsyncIteration


_NO_BODY = _NoBody()


@dataclass(frozen=True, slots=True)
class Request:
    """
    What a route may know of the HTTP request beside its fields.

    Attributes:
        method: `HEAD` comes to the routes of `GET`; whatever body they answer is dropped.
        header: the value of a header, by its name in any case.
        body: of a route that `streams`: chunks as they arrive, to be read once. While nobody reads, the sender waits;
            what is not read is thrown away after the answer. Empty for every other route.
        length: how much body is announced, if it is.
        path: as it was asked for, which may be an alias of the route's.
        cookie: the value of a cookie, by its name.
    """

    method: str = "GET"
    header: Callable[[str], str | None] = lambda name: None  # noqa: ARG005 - the shape of a look-up
    body: Chunks = _NO_BODY
    length: int | None = None
    path: str = ""
    cookie: Callable[[str], str | None] = lambda name: None  # noqa: ARG005 - the shape of a look-up


@dataclass(frozen=True, slots=True)
class Context:
    """
    One request's or one socket's view of the server.

    Attributes:
        principal: who asks; `anyone` routes get nobody, whose account is empty.
        address: where from, for budgets before authentication.
        origin: what the client calls this server (`https://chat.example.org`), for links; empty on sockets.
        actor: who administers: an account key, `secret` (whoever holds the admin secret) or `cli`; else empty.
        is_current: false once a newer socket of the same agent or device has taken over.
        request: for routes that need more of it than their fields; a socket has none.
    """

    services: Services
    principal: Principal = NOBODY
    address: str = ""
    user_agent: str = ""
    is_current: Callable[[], bool] = lambda: True
    origin: str = ""
    request: Request | None = None
    actor: str = ""

    @property
    def store(self) -> Database:
        return self.services.store

    @property
    def clock(self) -> Clock:
        return self.services.clock

    @property
    def fanout(self) -> Fanout:
        return self.services.fanout

    @property
    def config(self) -> Config:
        return self.services.config


class Nothing(msgspec.Struct, frozen=True):
    """A request without fields."""


@dataclass(frozen=True, slots=True)
class Answer(Generic[B]):
    """
    A REST answer that needs more than a body.

    Attributes:
        body: encoded as JSON; bytes are sent as they are. An async generator of bytes (`Answer[Chunks]`) is sent chunk
            by chunk, each as soon as the reader has room for it, and closed when the reader has gone. Say
            `Content-Length` among the headers if it is known.
    """

    body: B
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"
