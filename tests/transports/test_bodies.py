"""Large and slow request bodies, on the wire and for the app."""

from __future__ import annotations

import json

import pytest
import trio
from trio.testing import MockClock

from amtrio.transports.listener import ListenerSettings
from tests.contract.port import open_port

LIMITED = ListenerSettings(max_body_bytes=100_000)
HEAD = b"POST %b HTTP/1.1\r\nHost: t\r\n%b\r\n"


def _head(path: bytes = b"/echo", *, length: int | None = None) -> bytes:
    size = b"Transfer-Encoding: chunked\r\n" if length is None else b"Content-Length: %d\r\n" % length
    return HEAD % (path, size)


def _chunk(size: int) -> bytes:
    return b"%x\r\n%b\r\n" % (size, b"x" * size)


async def test_a_body_as_large_as_allowed_is_taken() -> None:
    """Announced or streamed."""
    async with open_port(LIMITED) as port, port.connect() as client:
        await client.send(_head(length=100_000) + b"x" * 100_000)
        assert len((await client.response()).body) == 100_000
        await client.send(_head() + _chunk(60_000) + _chunk(40_000) + b"0\r\n\r\n")
        assert len((await client.response()).body) == 100_000


async def test_a_body_that_announces_too_much_is_refused_unread() -> None:
    """413 before its first byte, although the client sends them all the same."""
    async with open_port(LIMITED) as port, port.connect() as client, trio.open_nursery() as nursery:
        await client.send(_head(length=5_000_000))

        async def go_on() -> None:
            with pytest.raises(trio.BrokenResourceError):
                while True:
                    await client.send(b"x" * 60_000)

        nursery.start_soon(go_on)
        answer = await client.response()
        assert (413, "close", b'{"error":"the body must have at most 100000 bytes","code":"too_large",') == (
            answer.status,
            answer.headers["connection"],
            answer.body[:70],
        )


@pytest.mark.parametrize("path", [b"/echo", b"/deaf"])
async def test_a_streamed_body_is_refused_where_it_exceeds(path: bytes) -> None:
    """413, also to an app that waits for the body; to one that never asks for it this does not matter."""
    async with open_port(LIMITED) as port, port.connect() as client:
        await client.send(_head(path) + _chunk(60_000) + _chunk(60_000))
        if path == b"/deaf":
            assert (await client.response()).status == 200
        else:
            assert (await client.response()).status == 413
        assert await client.rest() in (b"", b"|reset")


async def test_a_body_that_stalls_is_refused(quick_clock: MockClock) -> None:
    """408 after thirty seconds without a byte, in the one shape of errors and with what the app's own refusals have."""
    dressed = ListenerSettings(dressing=lambda scope, error: [("X-Why", f"{scope['path']} {error.code}")])
    async with open_port(dressed) as port, port.connect() as client:
        await client.send(_head(length=10_000) + b"x" * 5000)
        answer = await client.response()
        assert (408, "close") == (answer.status, answer.headers["connection"])
        assert answer.headers["x-why"] == "/echo timeout"
        assert json.loads(answer.body) == {
            "error": "the body came too slowly", "code": "timeout", "status": "Request Timeout",
            "retry": "same_client_id",
        }  # fmt: skip
        assert trio.current_time() == pytest.approx(30, abs=1)


async def test_a_body_that_dribbles_is_refused(quick_clock: MockClock) -> None:
    """A byte each ten seconds buys no further time."""
    async with open_port() as port, port.connect() as client, trio.open_nursery() as nursery:

        async def dribble() -> None:
            await client.send(_head(length=10_000))
            while True:
                await client.send(b"x")
                await trio.sleep(10)

        nursery.start_soon(dribble)
        assert (await client.response()).status == 408
        assert trio.current_time() == pytest.approx(30, abs=1)
        nursery.cancel_scope.cancel()


async def test_a_slow_but_steady_body_is_taken(quick_clock: MockClock) -> None:
    """500 bytes a second is enough, for as long as it takes."""
    async with open_port() as port, port.connect() as client:
        await client.send(_head(length=60_000))
        for _ in range(100):
            await client.send(b"x" * 600)
            await trio.sleep(1)
        assert len((await client.response()).body) == 60_000


async def test_a_slow_app_is_not_taken_for_a_slow_body(quick_clock: MockClock) -> None:
    """After the body's end nothing is timed."""
    async with open_port() as port, port.connect() as client:
        await client.send(b"GET /slow?seconds=300 HTTP/1.1\r\nHost: t\r\nContent-Length: 2\r\n\r\nhi")
        assert (await client.response()).body == b'{"slow":true}\n'
