"""Bodies that are left early, or break."""

from __future__ import annotations

import gc

import httpx
import pytest

from amtrio.bridges.streams import open_pieces
from tests.bridges.conftest import Play
from tests.bridges.endpoint import Request, Wire, open_endpoint


def test_a_body_is_read_to_its_end(play: Play) -> None:
    """
    In order, nothing missing.
    """

    async def answer(_request: Request, wire: Wire) -> None:
        await wire.head()
        for number in range(1000):
            await wire.send(f"{number},")

    async def scene() -> None:
        async with open_endpoint(answer) as endpoint, httpx.AsyncClient() as http:
            async with http.stream("GET", endpoint.url) as response, open_pieces(response) as pieces:
                told = b"".join([piece async for piece in pieces])
            assert told.decode() == "".join(f"{number}," for number in range(1000))

    play(scene)


def test_a_body_may_be_left_in_the_middle(play: Play) -> None:
    """
    By an error of the reader's own, which comes out as it was, and nothing is left for the garbage collector.
    """

    async def answer(_request: Request, wire: Wire) -> None:
        await wire.head()
        await wire.send("first")
        await wire.wait_until_left()

    async def scene() -> None:
        async with open_endpoint(answer) as endpoint, httpx.AsyncClient() as http:
            with pytest.raises(LookupError):
                async with http.stream("GET", endpoint.url) as response, open_pieces(response) as pieces:
                    assert await anext(pieces) == b"first"
                    raise LookupError
            gc.collect()

    play(scene)


def test_a_broken_body_is_an_error(play: Play) -> None:
    """
    After what came before has been read.
    """
    told: list[bytes] = []

    async def answer(_request: Request, wire: Wire) -> None:
        await wire.head(Transfer_Encoding="chunked")
        await wire.send("5\r\nfirst\r\nff\r\nsec")

    async def scene() -> None:
        async with open_endpoint(answer) as endpoint, httpx.AsyncClient() as http:
            with pytest.raises(httpx.RemoteProtocolError):
                async with http.stream("GET", endpoint.url) as response, open_pieces(response) as pieces:
                    async for piece in pieces:
                        told.append(piece)  # noqa: PERF401 - what came before the error counts

    play(scene)
    assert b"".join(told) == b"firstsec"
