"""A server without sockets that can be started again with the data it had."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from amtrio.app import open_services
from amtrio.clock import Clock
from amtrio.context import Services
from tests.harness import config_for


class Server:
    """
    One process after the other.

    Attributes:
        services: of the one that runs now.
    """

    def __init__(self, directory: Path, clock: Clock | None) -> None:
        self._config, self._clock = config_for(directory), clock
        self._stack = AsyncExitStack()
        self.services: Services

    async def restart(self) -> None:
        """Stop in order, and start again."""
        await self._stack.aclose()
        self._stack = AsyncExitStack()
        self.services, _ = await self._stack.enter_async_context(open_services(self._config, clock=self._clock))

    async def stop(self) -> None:
        await self._stack.aclose()


@asynccontextmanager
async def open_server(directory: Path, *, clock: Clock | None = None) -> AsyncIterator[Server]:
    """Start one; leaving stops it."""
    server = Server(directory, clock)
    await server.restart()
    try:
        yield server
    finally:
        await server.stop()
