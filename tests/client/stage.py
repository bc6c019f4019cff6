"""What the scenes of the client share: a person's connection, an agent, and ways to wait for what happens."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import anyio.to_thread

from amtrio.client import Agent, Backoff, Connection
from amtrio.client.events import Event
from amtrio.client.turn import Handler, run_id_of
from tests.client.fake_runs import FakeRun
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


def an_agent(server: FakeServer, handler: Handler | None = None, **options: Any) -> Agent:
    options.setdefault("backoff", Backoff(first_s=0.01, longest_s=0.05))
    agent = Agent("demo", url=server.url, token="agt_demo", **options)
    if handler is not None:
        agent.on_message(handler)
    return agent


@asynccontextmanager
async def serving(agent: Agent) -> AsyncIterator[None]:
    """While in here the agent serves; leaving ends it in order."""
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(agent.serve)
        yield
        tasks.cancel_scope.cancel()


def write(server: FakeServer, content: str, conversation_id: str | None = None) -> str:
    """Alice writes, as if from a device of hers; the id of the message. To be called from outside of the server."""

    def post() -> str:
        number = sum(map(len, server.messages.values()))
        data = {"content": content, "client_id": f"alice-writes-{number:04}"}
        if conversation_id is not None:
            data["conversation_id"] = conversation_id
        _, sent = server.command(server.account("u:alice"), "message", data)
        return str(sent["message_id"])

    return server.do(post)


def order(server: FakeServer, word: str, **data: Any) -> Any:
    """Alice's device sends a command about runs; data of the answer."""
    answer = server.do(lambda: server.runs.command(word, data))
    server.do(server._tick)
    assert answer is not None
    assert answer[0] != "error", answer
    return answer[1]


def said(server: FakeServer, conversation_id: str = "c1") -> list[str]:
    """What the agent said, as messages."""
    return [each["content"] for each in server.messages.get(conversation_id, []) if each["sender_type"] == "agent"]


def the_run(server: FakeServer, message_id: str) -> FakeRun:
    return server.runs.runs[run_id_of(message_id)]


def has_ended(server: FakeServer, message_id: str) -> bool:
    run = server.runs.runs.get(run_id_of(message_id))
    return run is not None and run.state == "ended"
