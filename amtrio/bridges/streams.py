"""The body of an HTTP answer, piece by piece, that may be left at any point.

Knows httpx. Knows nothing of what the body says.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Self

import anyio
import httpx

from amtrio.bridges.groups import unwrapped


class Pieces:
    """To be iterated over; raises the `httpx.HTTPError` with which the body broke, after what came before."""

    def __init__(self, response: httpx.Response) -> None:
        self._response = response
        self._ours, self._theirs = anyio.create_memory_object_stream[bytes](math.inf)
        self._failure: httpx.HTTPError | None = None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        try:
            return await self._theirs.receive()
        except anyio.EndOfStream:
            if self._failure is not None:
                raise self._failure from None
            raise StopAsyncIteration from None

    async def pump(self) -> None:
        """Read the body to its end."""
        with self._ours:
            try:
                async for data in self._response.aiter_bytes():
                    self._ours.send_nowait(data)
            except httpx.HTTPError as exc:
                self._failure = exc

    def close(self) -> None:
        self._ours.close()
        self._theirs.close()


@asynccontextmanager
async def open_pieces(response: httpx.Response) -> AsyncIterator[Pieces]:
    """
    What arrives within the block.

    Leaving a loop over `response.aiter_bytes()` would leave the generators below it for the garbage collector to close,
    which Trio complains of. So a task reads, which never waits but inside of them, and the block reads what it got.
    There is no back-pressure: whoever answers is done before the reader is, at most.
    """
    pieces = Pieces(response)
    with unwrapped(), contextlib.closing(pieces):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(pieces.pump)
            yield pieces
            tasks.cancel_scope.cancel()
