"""How a feature announces itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

import amtrio.features  # noqa: F401 - registers every capability
from amtrio.context import Context, Nothing, Services
from amtrio.feature import Registry, registry
from amtrio.protocol.frames import Event
from tests.harness import open_scene


class Ask(msgspec.Struct, frozen=True):
    """A request of the tests."""

    what: str


def test_a_handler_says_by_its_shape_how_it_runs() -> None:
    """A plain function writes, or reads under GET or when it says so; one that waits is awaited."""
    table = Registry()

    @table.get("/a")
    @table.post("/a")
    @table.post("/b", reads=True)
    @table.command("a")
    def plain(tx: Any, ctx: Context, request: Ask) -> None: ...

    @table.command("b", who="agent", budget="message")
    async def waiting(ctx: Context, request: Ask) -> None: ...

    assert {(route.method, route.path): route.style for route in table.routes} == {
        ("GET", "/a"): "read", ("POST", "/a"): "write", ("POST", "/b"): "read",
    }  # fmt: skip
    assert (table.commands["a"].style, table.commands["a"].shape, table.commands["a"].who) == ("write", Ask, "member")
    spec = table.commands["b"]
    assert (spec.style, spec.who, spec.budget) == ("async", "agent", "message")


def test_mistakes_are_found_when_the_feature_is_loaded() -> None:
    """Two owners of one word, and a handler that does not say what it takes."""
    table = Registry()

    @table.command("a")
    @table.replay("a")
    def one(tx: Any, ctx: Context, request: Ask) -> None: ...

    with pytest.raises(ValueError, match="announced twice"):
        table.command("a")(one)
    with pytest.raises(ValueError, match="rendered twice"):
        table.replay("a")(one)

    def unclear(tx: Any, ctx: Context, request: dict[str, str]) -> None: ...

    with pytest.raises(TypeError, match="unclear"):
        table.command("b")(unclear)


def test_only_a_handler_that_waits_takes_a_body_as_it_comes() -> None:
    table = Registry()

    def plain(tx: Any, ctx: Context, request: Ask) -> None: ...

    with pytest.raises(TypeError, match="plain"):
        table.post("/a", streams=True)(plain)


async def test_starters_have_run_before_anybody_can_connect(tmp_path: Path) -> None:
    """And one that fails keeps the server from starting."""
    table = Registry()
    started: list[int] = []

    @table.on_start
    async def count(services: Services) -> None:
        started.extend(await services.store.read(lambda tx: tx.one("SELECT count(*) FROM account") or ()))

    async with open_scene(tmp_path, table=table):
        assert started == [0]

    @table.on_start
    async def fail(services: Services) -> None:
        text = "not today"
        raise OSError(text)

    with pytest.RaisesGroup(pytest.RaisesExc(OSError, match="not today"), flatten_subgroups=True, allow_unwrapped=True):
        async with open_scene(tmp_path, table=table):
            pass


def test_listeners_chores_and_operations_are_kept() -> None:
    table = Registry()

    class Happened(Event, frozen=True, kw_only=True):
        type = "happened"

    @table.on(Happened)
    def hear(services: Services, event: Happened) -> None: ...

    @table.chore(every_seconds=5)
    async def sweep(services: Services) -> None: ...

    @table.operation("thing.add")
    async def add(services: Services, request: Ask) -> None: ...

    @table.on_removal
    @table.on_presence
    def other(*_: object) -> None: ...

    assert table.listeners == {Happened: [hear]}
    assert [(chore.name, chore.every_seconds) for chore in table.chores] == [("sweep", 5)]
    assert table.operations["thing.add"].shape is Ask
    assert (table.removals, table.presence_listeners) == ([other], [other])


def test_every_method_has_its_decorator() -> None:
    table = Registry()
    for method in ("get", "post", "put", "patch", "delete"):

        def handle(tx: Any, ctx: Context, request: Nothing) -> None: ...

        getattr(table, method)("/x")(handle)
    assert [route.method for route in table.routes] == ["GET", "POST", "PUT", "PATCH", "DELETE"]


def test_what_changes_something_is_never_a_get() -> None:
    """A page that a browser prefetches must not write."""
    for route in registry.routes:
        assert route.method != "GET" or route.style != "write", route.path


def test_whatever_needs_no_proof_is_a_decision() -> None:
    """Everything else asks who it is."""
    open_to_all = {(route.method, route.path) for route in registry.routes if route.who == "anyone"}
    assert open_to_all == {
        ("POST", "/auth/register"), ("POST", "/auth/invitation"), ("POST", "/auth/login"), ("POST", "/auth/agent"),
        ("GET", "/auth/options"), ("POST", "/auth/session"),
        ("GET", "/health"), ("GET", "/metrics"), ("GET", "/version"),
    }  # fmt: skip
    assert not [spec.word for spec in registry.commands.values() if spec.who in {"anyone", "admin"}]
