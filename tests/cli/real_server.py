"""The real server in a thread of its own, for programs under asyncio; with alice and, if wanted, the demo agent.

The agent lives outside of the server, as anybody's does: it is there over a restart.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import trio

from amtrio.cli.demo_agent import run_demo_agent
from amtrio.client import Agent, Backoff
from amtrio.client.turn import Handler
from tests.faults.program import free_port
from tests.harness import AGENT_SECRET, Json, Scene, open_scene

PATIENCE_SECONDS = 20.0


@dataclass
class RealServer:
    """
    Attributes:
        token: alice's. conversation_id: of her and the agent.
    """

    directory: Path
    port: int = field(default_factory=free_port)
    token: str = ""
    conversation_id: str = ""
    _scene: Any = None
    _trio: Any = None
    _leave: Any = None
    _again: Any = None
    _is_over: bool = False
    _up: threading.Event = field(default_factory=threading.Event)
    _down: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    # ------------------------------------------------------------------------------- called from the test's thread

    def stop(self) -> None:
        """Stop it in order; its agent stays and tries to come back."""
        self.do(self._leave.set)
        assert self._down.wait(PATIENCE_SECONDS)

    def start(self) -> None:
        """Once more, on the same port with the same data."""
        self._up.clear()
        self._down.clear()
        self.do(self._again.set)
        assert self._up.wait(PATIENCE_SECONDS)

    def do(self, step: Callable[[], None]) -> None:
        """Run a step in its thread, which is the agent's too."""
        trio.from_thread.run_sync(step, trio_token=self._trio)

    def messages(self) -> list[Json]:
        """The conversation as it is stored, oldest first."""
        scene: Scene = self._scene

        async def read() -> Any:
            path = f"/conversations/{self.conversation_id}/messages"
            return (await scene.http.get(path, headers={"Authorization": f"Bearer {self.token}"})).json()

        found = trio.from_thread.run(read, trio_token=self._trio)
        return list(found["messages"] if isinstance(found, dict) else found)

    # ------------------------------------------------------------------------------------------------- inside

    async def _live(self, agent: Callable[[str], Any] | None) -> None:
        self._trio = trio.lowlevel.current_trio_token()
        async with trio.open_nursery() as nursery:
            while not self._is_over:
                self._leave, self._again = trio.Event(), trio.Event()
                async with open_scene(self.directory, server={"port": self.port}) as scene:
                    self._scene = scene
                    if not self.token:
                        await self._found(scene)
                        if agent is not None:
                            nursery.start_soon(agent, self.url)
                    self._up.set()
                    await self._leave.wait()
                self._down.set()
                if not self._is_over:
                    await self._again.wait()
            nursery.cancel_scope.cancel()

    def _end(self) -> None:
        self._is_over = True
        self._leave.set()
        self._again.set()

    async def _found(self, scene: Scene) -> None:
        alice, demo = await scene.register("alice"), await scene.register_agent("demo")
        self.token = alice.token
        self.conversation_id = await scene.conversation(alice, demo)


@contextmanager
def real_server(directory: Path, agent: Callable[[str], Any] | None = None) -> Iterator[RealServer]:
    """
    Args:
        agent: to be run beside it with its address; see `the_demo_agent` and `an_agent`.
    """
    server = RealServer(directory)
    thread = threading.Thread(target=trio.run, args=(server._live, agent))
    thread.start()
    try:
        assert server._up.wait(PATIENCE_SECONDS)
        yield server
    finally:
        server.do(server._end)
        thread.join(PATIENCE_SECONDS)
        assert not thread.is_alive()


def the_demo_agent(pace: float = 0.0) -> Callable[[str], Any]:
    return lambda url: run_demo_agent(url, "demo", AGENT_SECRET, pace=pace, backoff=_backoff())


def an_agent(handler: Handler, **options: Any) -> Callable[[str], Any]:
    """An agent that does nothing but this."""

    async def serve(url: str) -> None:
        agent = Agent("demo", url=url, token=AGENT_SECRET, backoff=_backoff(), **options)
        agent.on_message(handler)
        await agent.serve()

    return partial(serve)


def _backoff() -> Backoff:
    return Backoff(first_s=0.01, longest_s=0.1)
