"""A way to play a scene under either backend, and a lifeline that tells when the last process of a family is gone."""

from __future__ import annotations

import os
import select
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import anyio
import pytest

Scene = Callable[[], Awaitable[None]]
Play = Callable[[Scene], None]


@pytest.fixture(params=["asyncio", "trio"])
def play(request: pytest.FixtureRequest) -> Play:
    """Runs a scene under one backend, within a minute."""

    def run(scene: Scene) -> None:
        async def bounded() -> None:
            with anyio.fail_after(60):
                await scene()

        anyio.run(bounded, backend=request.param)

    return run


class Lifeline:
    """A named pipe that a family of processes holds open: it ends when the last of them does, and not before."""

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        self.path = path
        self._end = os.open(path, os.O_RDONLY | os.O_NONBLOCK)

    async def all_gone(self) -> None:
        """Wait for the end of the last one that opened it; at least one must have."""
        # One that lives on fails the test, and does not keep all others waiting.
        with anyio.fail_after(30):
            await anyio.wait_readable(self._end)
            while os.read(self._end, 4096):
                await anyio.wait_readable(self._end)

    def is_gone_within(self, seconds: float) -> bool:
        """The same, for tests without a loop."""
        while select.select([self._end], [], [], seconds)[0]:
            if not os.read(self._end, 4096):
                return True
        return False

    def close(self) -> None:
        os.close(self._end)


@pytest.fixture
def lifeline(tmp_path: Path) -> Iterator[Lifeline]:
    line = Lifeline(tmp_path / "lifeline")
    yield line
    line.close()
