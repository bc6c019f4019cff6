"""Limits of requests, and what a client of HTTP/2 may not break."""

from __future__ import annotations

import h2.errors
import h2.events
import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from amtrio.transports.listener import ListenerSettings
from tests.contract.port import Client, get, open_port, upgrade
from tests.contract.test_one_port import Http2Client


async def _dribble(client: Client, data: bytes, every_seconds: float) -> None:
    try:
        for byte in data:
            await client.send(bytes([byte]))
            await trio.sleep(every_seconds)
    except trio.BrokenResourceError:
        pass


async def test_a_head_that_dribbles_is_refused(quick_clock: MockClock) -> None:
    """Ten seconds from its first byte, on the first request of a connection and on a later one."""
    async with open_port() as port, port.connect() as client, trio.open_nursery() as nursery:
        await client.send(get())
        await client.response()
        await trio.sleep(20)
        before = trio.current_time()
        nursery.start_soon(_dribble, client, get(), 1)
        assert (await client.response()).status == 408
        assert trio.current_time() - before == pytest.approx(10, abs=0.5)
        assert await client.rest() in (b"", b"|reset")
        nursery.cancel_scope.cancel()


async def test_a_connection_without_a_request_is_closed(quick_clock: MockClock) -> None:
    """After the keep-alive time, as one after a request."""
    async with open_port() as port, port.connect() as client:
        assert await client.rest() == b""
        assert trio.current_time() == pytest.approx(75, abs=1)


@pytest.mark.parametrize("in_one_piece", [True, False])
async def test_a_large_head_is_refused(in_one_piece: bool) -> None:  # noqa: FBT001 - a case
    """431, however it arrives."""
    head = get(extra="".join(f"X-{index}: {'x' * 1000}\r\n" for index in range(35)))
    async with open_port() as port, port.connect() as client:
        if in_one_piece:
            await client.send(head)
        else:
            await client.send(head[:34_000])
        assert (await client.response()).status == 431
        assert await client.rest() in (b"", b"|reset")


@pytest.mark.parametrize(
    "data",
    [
        b"NONSENSE\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: t\r\n\r\n",
        b"POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: -1\r\n\r\n",
        b"POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 40 + b"\r\n\r\n",
        b"GET ?x HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n",
        b"CONNECT t:80 HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n",
        b"GET http:///x HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n",
        get(extra="Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings, close\r\nHTTP2-Settings: ?\r\n"),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\xff" * 50,
    ],
)
async def test_nonsense_ends_its_connection_and_no_other(data: bytes, quick_clock: MockClock) -> None:
    """At the latest as an idle one; and is no error of ours."""
    async with open_port() as port:
        async with port.connect() as client:
            await client.send(data)
            assert b"HTTP/1.1 200" not in await client.rest()
        async with port.connect() as other:
            await other.send(get())
            assert (await other.response()).status == 200


async def test_an_answer_that_nobody_reads_is_given_up(quick_clock: MockClock) -> None:
    """Thirty seconds without a byte taken; at most the high-water mark is held meanwhile."""
    async with open_port() as port, port.connect(receive_buffer=4096) as client:
        await client.send(get("/big"))
        await wait_all_tasks_blocked(0.02)
        stream = next(iter(port.server._connections))
        assert 0 < stream.buffered <= 128 * 1024
        await trio.sleep(40)
        assert port.server.connections == 0


async def test_an_answer_larger_than_any_buffer_arrives() -> None:
    """At the client's pace."""
    async with open_port() as port, port.connect() as client:
        await client.send(get("/big"))
        assert len((await client.response()).body) == 20_000_000


async def test_a_client_that_leaves_frees_its_connection(quick_clock: MockClock) -> None:
    """At once, not when the timer of idle connections ends; also while its request is at work."""
    async with open_port() as port:
        async with port.connect(), port.connect() as busy, port.connect() as done:
            await done.send(get())
            await done.response()
            await busy.send(get("/slow?seconds=50"))
            await wait_all_tasks_blocked(0.01)
            assert port.server.connections == 3
        await trio.sleep(1.5)
        assert port.server.connections == 0


async def test_http2_streams_that_are_reset_all_the_time_end_the_connection() -> None:
    """CVE-2023-44487: opening and cancelling costs the client nothing."""
    async with open_port() as port, port.connect() as client:
        talk = Http2Client(client)
        talk.h2.initiate_connection()
        for index in range(250):
            talk.request(1 + 2 * index, path="/slow?seconds=1")
            talk.h2.reset_stream(1 + 2 * index)
        await talk.flush()
        events = await talk.events_until(h2.events.ConnectionTerminated)
        ended = next(event for event in events if isinstance(event, h2.events.ConnectionTerminated))
        assert ended.error_code == h2.errors.ErrorCodes.ENHANCE_YOUR_CALM


@pytest.mark.parametrize("resets", [0, 1])
async def test_an_http2_connection_without_a_request_at_work_is_idle(resets: int, quick_clock: MockClock) -> None:
    """Also before its first request and after one that was cancelled."""
    async with open_port() as port, port.connect() as client:
        talk = Http2Client(client)
        talk.h2.initiate_connection()
        if resets:
            talk.request(1, path="/slow?seconds=1000")
            await talk.flush()
            await trio.sleep(10)
            talk.h2.reset_stream(1)
        await talk.flush()
        before = trio.current_time()
        await talk.events_until(h2.events.ConnectionTerminated)
        assert trio.current_time() - before == pytest.approx(75, abs=1)
        assert await client.rest() == b""


async def test_http2_connect_is_reset() -> None:
    """It would lead to another kind of WebSocket."""
    async with open_port() as port, port.connect() as client:
        talk = Http2Client(client)
        talk.h2.initiate_connection()
        talk.h2.send_headers(1, [(":method", "CONNECT"), (":authority", "t")])
        talk.request(3)
        await talk.flush()
        events = await talk.events_until(h2.events.StreamEnded)
        assert [1] == [event.stream_id for event in events if isinstance(event, h2.events.StreamReset)]


async def test_a_body_that_goes_on_after_the_http2_answer_does_no_harm() -> None:
    """The library looks for a stream that is gone."""
    settings = ListenerSettings(max_body_bytes=1000)
    async with open_port(settings) as port, port.connect() as client:
        talk = Http2Client(client)
        talk.h2.initiate_connection()
        talk.request(1, "POST", "/echo", end=False)
        talk.h2.send_data(1, b"x" * 2000)
        await talk.flush()
        events = await talk.events_until(h2.events.StreamEnded)
        response = next(event for event in events if isinstance(event, h2.events.ResponseReceived))
        assert dict(response.headers)[b":status"] == b"413"
        talk.h2.send_data(1, b"x" * 2000)
        talk.request(3)
        await talk.flush()
        await talk.events_until(h2.events.StreamEnded)


async def test_an_upgrade_frees_the_parser() -> None:
    """Nothing of the HTTP side lives on beside an open WebSocket."""
    import gc  # noqa: PLC0415 - for this look only

    from amtrio.transports.http_protocols import HttpConnection  # noqa: PLC0415

    async with open_port() as port, port.connect() as client:
        await client.send(get())
        await client.response()
        await client.send(upgrade())
        await client.response(has_body=False)
        await client.echo("x")
        gc.collect()
        assert [] == [thing for thing in gc.get_objects() if type(thing) is HttpConnection]
