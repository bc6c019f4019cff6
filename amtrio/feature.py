"""How a feature announces itself: commands, routes, replays, chores and operations of the command line.

No framework: decorators put plain functions into tables, transports read the tables. Knows nothing of HTTP or
WebSocket libraries, and no feature.

A handler is a plain `def handler(tx, ctx, frame)` when everything it does is one transaction (the usual case), or
`async def handler(ctx, frame)` when it has to wait for more than that.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, Literal, Protocol, TypeVar

import msgspec
import trio

from amtrio.protocol.frames import Command, Event
from amtrio.store.log import remove_account as leave_tombstone

if TYPE_CHECKING:
    from amtrio.clock import Clock
    from amtrio.config import Config
    from amtrio.limits import Limits
    from amtrio.metrics import Gauges, Metrics
    from amtrio.passwords import Passwords
    from amtrio.proofs import Proofs
    from amtrio.protocol.frames import Kind
    from amtrio.store.database import Database, Tx
    from amtrio.tracing import Tracing

F = TypeVar("F", bound=Callable[..., Any])
# guest: a member who proves it, also by `?token=` as a browser's <img> can, or nobody; the handler decides.
Who = Literal["anyone", "guest", "user", "agent", "member", "admin"]


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


class Fanout(Protocol):
    """Who is connected here, as far as a feature may know it."""

    def is_online(self, account: str, /) -> bool: ...
    def online(self) -> Iterable[str]:
        """Accounts with an open socket."""
        ...

    def connections(self, account: str, /) -> int: ...
    def connected_since_us(self, account: str, /) -> int | None: ...
    def tell(self, event: Event, accounts: Iterable[str], /, *, device: str | None = None) -> None:
        """Send an ephemeral event to whoever of `accounts` is connected; lost for all others."""
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


T = TypeVar("T")
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
    """

    method: str = "GET"
    header: Callable[[str], str | None] = lambda name: None  # noqa: ARG005 - the shape of a look-up
    body: Chunks = _NO_BODY
    length: int | None = None
    path: str = ""


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


B = TypeVar("B")


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


Style = Literal["write", "read", "async"]


@dataclass(frozen=True, slots=True)
class Handler:
    """A function of a feature and how to call it."""

    function: Callable[..., Any]
    shape: type[msgspec.Struct]
    style: Style
    who: Who


@dataclass(frozen=True, slots=True)
class CommandSpec(Handler):
    """
    A frame that clients send.

    Attributes:
        budget: which token bucket it costs.
    """

    word: str
    budget: Literal["message", "ephemeral", "command"]


@dataclass(frozen=True, slots=True)
class RouteSpec(Handler):
    """
    A REST route.

    Attributes:
        path: with `<name>` for each part that varies; the names are fields of the handler's struct.
        budget: `auth` = per address before authentication.
        streams: the handler reads the body itself, from `ctx.request.body`, and counts it itself: no limit of the
            server stands before it but that of time. Its fields come from the path and the query alone.
        produces: content type of its good answers. answers: their HTTP statuses.
    """

    method: str
    path: str
    budget: Literal["message", "auth", "rest", "none"]
    streams: bool = False
    produces: str = "application/json"
    answers: tuple[int, ...] = (200,)


@dataclass(frozen=True, slots=True)
class ChoreSpec:
    """Something to do every so often, for ever."""

    name: str
    function: Callable[[Services], Awaitable[None]]
    every_seconds: float


@dataclass(frozen=True, slots=True)
class OperationSpec:
    """Administration from the command line: over the admin socket, or directly when no server runs."""

    name: str
    function: Callable[..., Awaitable[Any]]
    shape: type[msgspec.Struct]


Render = Callable[..., Event | None]
Listener = Callable[["Services", Any], None]


class Registry:
    """The tables. One per process: `registry`; tests make their own."""

    def __init__(self) -> None:
        self.commands: dict[str, CommandSpec] = {}
        self.routes: list[RouteSpec] = []
        self.replays: dict[str, Render] = {}
        self.chores: list[ChoreSpec] = []
        self.starters: list[Callable[[Services], Awaitable[None]]] = []
        self.operations: dict[str, OperationSpec] = {}
        self.listeners: dict[type[Event], list[Listener]] = {}
        self.removals: list[Callable[[Any, Services, str], None]] = []
        self.presence_listeners: list[Callable[[Services, str, bool], None]] = []

    def command(
        self,
        word: str,
        *,
        who: Who = "member",
        budget: Literal["message", "ephemeral", "command"] = "command",
        reads: bool = False,
    ) -> Callable[[F], F]:
        """
        The frame `{"type": word}` runs this handler.

        Args:
            reads: a plain `def` runs in a read transaction instead of the write transaction.
        """

        def mark(function: F) -> F:
            if word in self.commands:
                text = f"command {word!r} is announced twice"
                raise ValueError(text)
            shape = _shape(function)
            self.commands[word] = CommandSpec(function, shape, _style(function, reads=reads), who, word, budget)
            return function

        return mark

    def route(
        self,
        method: str,
        path: str,
        *,
        who: Who = "member",
        budget: Literal["message", "auth", "rest", "none"] = "rest",
        reads: bool | None = None,
        streams: bool = False,
        produces: str = "application/json",
        answers: tuple[int, ...] = (200,),
    ) -> Callable[[F], F]:
        """
        `METHOD path` runs this handler; a plain `def` under GET reads, under any other method writes.

        Args:
            streams: an `async def` that takes the body as it arrives; see `RouteSpec`.
        """

        def mark(function: F) -> F:
            style = _style(function, reads=method == "GET" if reads is None else reads)
            if streams and style != "async":
                text = f"{function.__qualname__}: only an `async def` can wait for a streamed body"
                raise TypeError(text)
            shape = _shape(function)
            self.routes.append(RouteSpec(function, shape, style, who, method, path, budget, streams, produces, answers))
            return function

        return mark

    def get(self, path: str, **options: Any) -> Callable[[F], F]:
        return self.route("GET", path, **options)

    def post(self, path: str, **options: Any) -> Callable[[F], F]:
        return self.route("POST", path, **options)

    def put(self, path: str, **options: Any) -> Callable[[F], F]:
        return self.route("PUT", path, **options)

    def patch(self, path: str, **options: Any) -> Callable[[F], F]:
        return self.route("PATCH", path, **options)

    def delete(self, path: str, **options: Any) -> Callable[[F], F]:
        return self.route("DELETE", path, **options)

    def replay(self, log_kind: str) -> Callable[[F], F]:
        """
        How a log row becomes an event again: `def render(tx, account, row) -> Event | None`.

        None means that the thing is gone; the row then only moves the reader's position.
        """

        def mark(function: F) -> F:
            if log_kind in self.replays:
                text = f"log kind {log_kind!r} is rendered twice"
                raise ValueError(text)
            self.replays[log_kind] = function
            return function

        return mark

    def chore(self, every_seconds: float) -> Callable[[F], F]:
        """Run `async def chore(services)` again and again; a failure is logged and tried again with back-off."""

        def mark(function: F) -> F:
            self.chores.append(ChoreSpec(function.__name__, function, every_seconds))
            return function

        return mark

    def on_start(self, function: F) -> F:
        """Await `async def starter(services)` before the server listens; if it fails, the server does not start."""
        self.starters.append(function)
        return function

    def operation(self, name: str) -> Callable[[F], F]:
        """Offer `async def operation(services, request)` to the command line under this name."""

        def mark(function: F) -> F:
            hints = typing.get_type_hints(function)
            self.operations[name] = OperationSpec(name, function, hints["request"])
            return function

        return mark

    def on(self, event: type[Event]) -> Callable[[F], F]:
        """Call `def listener(services, event)` after each commit or telling of such an event, on the Trio thread."""

        def mark(function: F) -> F:
            self.listeners.setdefault(event, []).append(function)
            return function

        return mark

    def on_removal(self, function: F) -> F:
        """Call `def removal(tx, services, account)` in the transaction that removes an account, before its own row."""
        self.removals.append(function)
        return function

    def on_presence(self, function: F) -> F:
        """Call `def listener(services, account, is_online)` when an account's first socket opens or last one ends."""
        self.presence_listeners.append(function)
        return function


def _shape(function: Callable[..., Any]) -> type[msgspec.Struct]:
    """The struct in the handler's last parameter."""
    name = list(inspect.signature(function).parameters)[-1]
    shape = typing.get_type_hints(function).get(name)
    if not (isinstance(shape, type) and issubclass(shape, msgspec.Struct)):
        text = f"{function.__qualname__}: the last parameter must be annotated with a msgspec Struct"
        raise TypeError(text)
    return shape


def _style(function: Callable[..., Any], *, reads: bool) -> Style:
    if inspect.iscoroutinefunction(function):
        return "async"
    return "read" if reads else "write"


registry = Registry()
command, replay, chore, operation, on, on_presence, on_removal, on_start = (
    registry.command,
    registry.replay,
    registry.chore,
    registry.operation,
    registry.on,
    registry.on_presence,
    registry.on_removal,
    registry.on_start,
)
get, post, put, patch, delete = registry.get, registry.post, registry.put, registry.patch, registry.delete

__all__ = [
    "NOBODY", "Answer", "Chunks", "Command", "Context", "Fanout", "Handler", "Nothing", "Principal", "Registry",
    "Request", "Services", "account_key", "chore", "command", "delete", "get", "id_of", "kind_of", "on", "on_presence",
    "on_removal", "on_start", "operation",
    "patch", "post", "put", "registry", "replay",
]  # fmt: skip
