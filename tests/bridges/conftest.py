"""A way to play a scene under either backend, and a lifeline that tells when the last process of a family is gone."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import anyio
import anyio.to_thread
import pytest

Scene = Callable[[], Awaitable[None]]
Play = Callable[[Scene], None]


@pytest.fixture(params=["asyncio", "trio"])
def play(request: pytest.FixtureRequest) -> Play:
    """Runs a scene under one backend, within 20 s."""

    def run(scene: Scene) -> None:
        async def bounded() -> None:
            with anyio.fail_after(20):
                await scene()

        anyio.run(bounded, backend=request.param)

    return run


class Lifeline:
    """A named pipe that a family of processes holds open: it ends when the last of them does, and not before."""

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        self.path = path
        self._end = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        os.set_blocking(self._end, True)

    async def all_gone(self) -> None:
        """Wait for the end of the last one that opened it; at least one must have."""
        await anyio.to_thread.run_sync(self._read_to_the_end, abandon_on_cancel=True)

    def _read_to_the_end(self) -> None:
        while os.read(self._end, 4096):
            pass

    def close(self) -> None:
        os.close(self._end)


@pytest.fixture
def lifeline(tmp_path: Path) -> Iterator[Lifeline]:
    line = Lifeline(tmp_path / "lifeline")
    yield line
    line.close()
