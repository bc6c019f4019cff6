"""How a feature announces itself: commands, routes, replays, chores and operations of the command line.

No framework: decorators put plain functions into tables, transports read the tables. Knows nothing of HTTP or
WebSocket libraries, and no feature.

A handler is a plain `def handler(tx, ctx, frame)` when everything it does is one transaction (the usual case), or
`async def handler(ctx, frame)` when it has to wait for more than that. What it is given is in `amtrio.context`.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import msgspec

from amtrio.context import Services
from amtrio.protocol.frames import Event

F = TypeVar("F", bound=Callable[..., Any])
# guest: a member who proves it, also by `?token=` as a browser's <img> can, or nobody; the handler decides.
Who = Literal["anyone", "guest", "user", "agent", "member", "admin"]


# now: a plain function without a transaction, run at once on the Trio thread.
Style = Literal["write", "read", "async", "now"]
# run: what an agent says while it answers; over it the reading slows down, nothing is refused.
Budget = Literal["message", "ephemeral", "command", "run"]


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
    budget: Budget


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
Listener = Callable[[Services, Any], None]


class Registry:
    """The tables. One per process: `registry`; tests make their own."""

    def __init__(self) -> None:
        self.commands: dict[str, CommandSpec] = {}
        self.routes: list[RouteSpec] = []
        self.replays: dict[str, Render] = {}
        self.chores: list[ChoreSpec] = []
        self.starters: list[Callable[[Services], Awaitable[None]]] = []
        self.stoppers: list[Callable[[Services], Awaitable[None]]] = []
        self.operations: dict[str, OperationSpec] = {}
        self.listeners: dict[type[Event], list[Listener]] = {}
        self.removals: list[Callable[[Any, Services, str], None]] = []
        self.presence_listeners: list[Callable[[Services, str, bool], None]] = []
        self.attach_listeners: list[Callable[[Services, str], None]] = []

    def command(
        self,
        word: str,
        *,
        who: Who = "member",
        budget: Budget = "command",
        reads: bool = False,
        now: bool = False,
    ) -> Callable[[F], F]:
        """
        The frame `{"type": word}` runs this handler.

        Args:
            reads: a plain `def` runs in a read transaction instead of the write transaction.
            now: a plain `def handler(ctx, frame)` runs at once, without any.
        """

        def mark(function: F) -> F:
            if word in self.commands:
                text = f"command {word!r} is announced twice"
                raise ValueError(text)
            shape = _shape(function)
            style: Style = "now" if now else _style(function, reads=reads)
            self.commands[word] = CommandSpec(function, shape, style, who, word, budget)
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

    def on_stop(self, function: F) -> F:
        """Await `async def stopper(services)` when all sockets are closed and the store is still open; briefly."""
        self.stoppers.append(function)
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

    def on_attach(self, function: F) -> F:
        """Call `def listener(services, account)` when one more socket of an account has opened."""
        self.attach_listeners.append(function)
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
command, replay, chore, operation, on, on_attach, on_presence, on_removal, on_start, on_stop = (
    registry.command,
    registry.replay,
    registry.chore,
    registry.operation,
    registry.on,
    registry.on_attach,
    registry.on_presence,
    registry.on_removal,
    registry.on_start,
    registry.on_stop,
)
get, post, put, patch, delete = registry.get, registry.post, registry.put, registry.patch, registry.delete
