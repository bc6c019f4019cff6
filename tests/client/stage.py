"""What the scenes of the client share: a person's connection, and ways to wait for what happens."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import anyio.to_thread

from amtrio.client import Backoff, Connection
from amtrio.client.events import Event
from tests.client.fake_server import FakeServer

Scene = Callable[[], Awaitable[None]]
Play = Callable[[Scene], None]


def alice(server: FakeServer, **options: Any) -> Connection:
    options.setdefault("backoff", Backoff(first_s=0.01, longest_s=0.05))
    return Connection(server.url, token="alice-token", device_id="phone", **options)


async def numbered(connection: Connection, count: int) -> list[Event]:
    """The next events from the log."""
    found: list[Event] = []
    async for event in connection:
        if event.seq is not None:
            found.append(event)
        if len(found) == count:
            break
    return found


async def the_next(connection: Connection, kind: type[Event]) -> Any:
    async for event in connection:
        if isinstance(event, kind):
            return event
    raise AssertionError


async def seen(server: FakeServer, condition: Callable[[], bool]) -> None:
    await anyio.to_thread.run_sync(server.until, condition)


async def did(step: Callable[..., Any], *args: Any) -> Any:
    return await anyio.to_thread.run_sync(lambda: step(*args))
