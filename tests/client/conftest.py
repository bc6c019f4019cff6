"""A server and a way to play a scene against it under either backend."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest

from tests.client.fake_server import FakeServer, fake_server
from tests.client.real_server import RealServer, real_server
from tests.client.stage import Play, Scene


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with fake_server() as running:
        yield running


@pytest.fixture(params=["asyncio", "trio"])
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def play(backend: str) -> Play:
    """Runs a scene under one backend, within 30 s."""

    def run(scene: Scene) -> None:
        async def bounded() -> None:
            with anyio.fail_after(30):
                await scene()

        anyio.run(bounded, backend=backend)

    return run


@pytest.fixture
def real(tmp_path: Path) -> Iterator[RealServer]:
    """The real server, with alice, her phone and the agent `demo`."""
    with real_server(tmp_path / "server") as running:
        yield running
