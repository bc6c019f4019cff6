"""A server and a way to play a scene against it under either backend."""

from __future__ import annotations

from collections.abc import Iterator

import anyio
import pytest

from tests.client.fake_server import FakeServer, fake_server
from tests.client.stage import Play, Scene


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with fake_server() as running:
        yield running


@pytest.fixture(params=["asyncio", "trio"])
def play(request: pytest.FixtureRequest) -> Play:
    """Runs a scene under one backend, within 20 s."""

    def run(scene: Scene) -> None:
        async def bounded() -> None:
            with anyio.fail_after(20):
                await scene()

        anyio.run(bounded, backend=request.param)

    return run
