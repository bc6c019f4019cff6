"""One socket: how it opens, what comes through, how its end is told."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx
import pytest
import trio
import trio.testing
from trio_websocket import WebSocketConnection, WebSocketRequest, serve_websocket

from amtrio.client.errors import Dropped
from amtrio.client.transport import _told_as_dropped, open_socket, retry_after_s

Talk = Callable[[WebSocketConnection], Awaitable[None]]


@asynccontextmanager
async def serving(talk: Talk) -> AsyncIterator[str]:
    async def accept(request: WebSocketRequest) -> None:
        assert list(request.proposed_subprotocols) == ["v2"]
        await talk(await request.accept(subprotocol="v2"))

    async with trio.open_nursery() as nursery:
        server = await nursery.start(serve_websocket, accept, "127.0.0.1", 0, None)
        yield f"http://127.0.0.1:{server.port}"
        nursery.cancel_scope.cancel()


async def receive_all(url: str) -> list[str]:
    """Every text until the socket ends, which it does by Dropped."""
    found: list[str] = []
    async with httpx.AsyncClient() as http, open_socket(http, url, ping_every_s=20, ping_timeout_s=20) as socket:
        await socket.send(b'{"hello": "\xc3\xa4"}')
        while True:
            found.append(await socket.receive())
            if found[-1] == "stop":
                return found


async def test_texts_come_through_and_binary_frames_do_not_matter() -> None:
    """
    UTF-8 both ways, long messages whole, a binary frame of a newer server skipped.
    """

    async def talk(socket: WebSocketConnection) -> None:
        await socket.send_message(await socket.get_message())
        await socket.send_message(b"\x00\x01")
        await socket.send_message("x" * 300_000)
        await socket.send_message("stop")

    async with serving(talk) as url:
        assert await receive_all(url) == ['{"hello": "ä"}', "x" * 300_000, "stop"]


async def test_a_close_is_told_with_its_code_and_reason() -> None:
    """
    Not wrapped in any group.
    """

    async def talk(socket: WebSocketConnection) -> None:
        await socket.aclose(4401, "session ended")

    async with serving(talk) as url:
        with pytest.raises(Dropped) as caught:
            await receive_all(url)
        assert (caught.value.code, caught.value.reason) == (4401, "session ended")


async def test_a_pong_that_nobody_asked_for_is_harmless() -> None:
    """
    RFC 6455, 5.5.3 allows it.
    """

    async def talk(socket: WebSocketConnection) -> None:
        await socket.pong(b"unasked")
        await socket.send_message("stop")
        await socket.get_message()

    async with serving(talk) as url:
        assert await receive_all(url) == ["stop"]


async def test_a_write_that_fails_while_a_frame_waits_ends_the_reading_too() -> None:
    """
    Whoever receives afterwards hears of the loss, and does not wait for ever.
    """

    async def talk(socket: WebSocketConnection) -> None:
        await socket.send_message("first")
        await trio.sleep_forever()

    async with (
        serving(talk) as url,
        httpx.AsyncClient() as http,
        open_socket(http, url, ping_every_s=20, ping_timeout_s=20) as socket,
    ):
        await trio.testing.wait_all_tasks_blocked(0.05)  # the frame is read, and waits for somebody to take it
        await socket._session.close(1011, "as after a failed write")
        assert await socket.receive() == "first"
        with trio.fail_after(2), pytest.raises(Dropped):
            await socket.receive()


async def test_what_the_block_raises_comes_out_as_it_was() -> None:
    """
    The caller's own error is not wrapped, nor called a drop.
    """

    async def talk(socket: WebSocketConnection) -> None:
        await socket.get_message()

    async with serving(talk) as url, httpx.AsyncClient() as http:
        with pytest.raises(ValueError, match="mine"):
            async with open_socket(http, url, ping_every_s=20, ping_timeout_s=20):
                raise ValueError("mine")


async def test_a_refused_upgrade_says_status_and_wait() -> None:
    """
    So that a 401 ends the connection and a 503 waits.
    """
    transport = httpx.MockTransport(lambda _: httpx.Response(503, headers={"Retry-After": "7"}))
    async with httpx.AsyncClient(transport=transport) as http:
        with pytest.raises(Dropped) as caught:
            async with open_socket(http, "http://server", ping_every_s=20, ping_timeout_s=20):
                pass
    assert (caught.value.status, caught.value.retry_after_s, caught.value.code) == (503, 7.0, 1006)


async def test_nobody_there_is_a_drop() -> None:
    """
    Connection refused reads like every other loss.
    """
    with trio.socket.socket() as taken:
        await taken.bind(("127.0.0.1", 0))  # bound but not listening: refuses
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(Dropped):
            await receive_all(url)


def test_a_date_in_retry_after_is_no_wish() -> None:
    """
    The protocol gives seconds only.
    """
    assert retry_after_s(httpx.Response(503, headers={"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"})) is None
    assert retry_after_s(httpx.Response(503, headers={"Retry-After": "2"})) == 2.0


def test_what_ends_the_block_goes_alone_whatever_the_socket_did_meanwhile() -> None:
    """A drop that came along would outlive the scope that takes a cancellation away."""
    with pytest.raises(KeyboardInterrupt), _told_as_dropped():
        raise BaseExceptionGroup("both", [Dropped("cut"), KeyboardInterrupt()])
