"""Order, bounds and ends of a buffered stream, over a socket and over any other stream."""

from __future__ import annotations

import socket as stdlib_socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
import trio
from trio.testing import MockClock, memory_stream_pair, wait_all_tasks_blocked

from amtrio.transports.stream import BufferedStream, PlainStream, RelayedStream, StreamLimits

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager

    OpenPair = Callable[..., AbstractAsyncContextManager[tuple[BufferedStream, trio.SocketStream]]]


@pytest.fixture(params=["plain", "relayed"])
def open_pair(request: pytest.FixtureRequest) -> OpenPair:
    """Opens a buffered stream and the peer's end of it, with small kernel buffers between them."""

    @asynccontextmanager
    async def opened(
        limits: StreamLimits | None = None,
    ) -> AsyncIterator[tuple[BufferedStream, trio.SocketStream]]:
        ours, theirs = trio.socket.socketpair()
        for end in (ours, theirs):
            end.setsockopt(stdlib_socket.SOL_SOCKET, stdlib_socket.SO_SNDBUF, 8192)
        async with trio.open_nursery() as nursery:
            stream: BufferedStream
            if request.param == "plain":
                stream = PlainStream(ours, nursery=nursery, limits=limits)
            else:
                stream = RelayedStream(trio.SocketStream(ours), nursery=nursery, socket=ours, limits=limits)
            try:
                yield stream, trio.SocketStream(theirs)
            finally:
                stream.abort()
                theirs.close()
                nursery.cancel_scope.cancel()

    return opened


async def _read(peer: trio.SocketStream, size: int) -> bytes:
    data = b""
    while len(data) < size:
        piece = await peer.receive_some(65536)
        assert piece
        data += piece
    return data


async def test_everything_arrives_in_order(open_pair: OpenPair) -> None:
    """However much the kernel takes of each write."""
    async with open_pair(StreamLimits(hard_limit_bytes=10_000_000)) as (stream, peer):
        pieces = [bytes([index % 256]) * (index * 37 % 5000) for index in range(300)]
        for piece in pieces:
            stream.write(piece)
        assert stream.buffered > 100_000
        expected = b"".join(pieces)
        assert expected == await _read(peer, len(expected))
        await stream.drained()
        assert stream.buffered == 0


async def test_drained_waits_for_the_mark(open_pair: OpenPair) -> None:
    """It returns once no more than that many bytes wait, and at once if none do."""
    async with open_pair() as (stream, peer), trio.open_nursery() as nursery:
        await stream.drained()
        stream.write(b"x" * 200_000)
        passed = trio.Event()

        async def wait() -> None:
            await stream.drained(50_000)
            passed.set()

        nursery.start_soon(wait)
        await wait_all_tasks_blocked(0.01)
        assert not passed.is_set()
        await _read(peer, 200_000)
        await passed.wait()
        assert stream.buffered <= 50_000


async def test_a_buffer_past_its_limit_drops_the_connection(open_pair: OpenPair) -> None:
    """Whoever waits on it is told."""
    async with open_pair(StreamLimits(high_water_bytes=1000, hard_limit_bytes=50_000)) as (stream, _):
        with pytest.raises(trio.BrokenResourceError):
            while not stream.broken:
                stream.write(b"x" * 4096)
                assert stream.buffered <= 50_000
            await stream.drained()
        with pytest.raises((trio.ClosedResourceError, trio.BrokenResourceError)):
            await stream.receive_some()


async def test_one_large_write_is_no_slow_reader(open_pair: OpenPair) -> None:
    """A history page may exceed the limit while nothing else waits."""
    async with open_pair(StreamLimits(high_water_bytes=1000, hard_limit_bytes=50_000)) as (stream, peer):
        stream.write(b"x" * 300_000)
        assert not stream.broken
        assert len(await _read(peer, 300_000)) == 300_000


async def test_what_comes_behind_one_large_write_is_not_too_much(open_pair: OpenPair) -> None:
    """Answers and pings; a second large one is."""
    async with open_pair(StreamLimits(high_water_bytes=1000, hard_limit_bytes=50_000)) as (stream, peer):
        for size in (5_000_000, 10, 10):
            stream.write(b"x" * size)
        assert not stream.broken
        assert len(await _read(peer, 5_000_020)) == 5_000_020
        for size in (5_000_000, 5_100_000):
            stream.write(b"x" * size)
        assert stream.broken


async def test_aclose_sends_what_is_buffered_and_waits_for_the_peer(open_pair: OpenPair) -> None:
    """Nothing of the last answer is lost, although the peer had sent more than was read."""
    async with open_pair() as (stream, peer), trio.open_nursery() as nursery:
        await peer.send_all(b"never read")
        stream.write(b"x" * 100_000)
        nursery.start_soon(stream.aclose)
        assert len(await _read(peer, 100_000)) == 100_000
        assert await peer.receive_some() == b""
        await peer.aclose()


async def test_aclose_is_bounded(open_pair: OpenPair, quick_clock: MockClock) -> None:
    """A peer that takes nothing does not hold it."""
    async with open_pair(StreamLimits(linger_seconds=3)) as (stream, _):
        stream.write(b"x" * 100_000)
        before = trio.current_time()
        await stream.aclose()
        assert trio.current_time() - before == pytest.approx(3, abs=0.2)
        assert stream.broken


async def test_aclose_wakes_a_reader(open_pair: OpenPair) -> None:
    """Who reads learns that it is over."""
    async with open_pair(StreamLimits(linger_seconds=0.01)) as (stream, _), trio.open_nursery() as nursery:

        async def read() -> None:
            with pytest.raises(trio.ClosedResourceError):
                await stream.receive_some()

        nursery.start_soon(read)
        await wait_all_tasks_blocked(0.01)
        await stream.aclose()


async def test_abort_ends_every_wait_at_once(open_pair: OpenPair) -> None:
    """Readers and writers alike; and the peer sees the end."""
    async with open_pair() as (stream, peer):
        stream.write(b"x" * 200_000)
        async with trio.open_nursery() as nursery:

            async def read() -> None:
                with pytest.raises((trio.ClosedResourceError, trio.BrokenResourceError)):
                    await stream.receive_some()

            async def write() -> None:
                with pytest.raises(trio.BrokenResourceError):
                    await stream.drained()

            nursery.start_soon(read)
            nursery.start_soon(write)
            await wait_all_tasks_blocked(0.01)
            stream.abort()
            stream.abort()
        stream.write(b"ignored")
        assert stream.buffered == 0
        with pytest.raises(trio.BrokenResourceError):
            while await peer.receive_some():
                pass
            raise trio.BrokenResourceError  # a Unix socket ends without a reset


async def test_cancelling_the_connection_frees_a_shielded_writer(open_pair: OpenPair) -> None:
    """Hypercorn shields its sends; a peer that never reads must not hold a shutdown through them."""
    ended = trio.Event()
    async with open_pair() as (stream, _), trio.open_nursery() as outer:

        async def connection() -> None:
            with trio.CancelScope(shield=True):
                with pytest.raises(trio.BrokenResourceError):
                    await stream.drained()
                ended.set()

        stream.write(b"x" * 200_000)
        outer.start_soon(connection)
        await wait_all_tasks_blocked(0.01)
        outer.cancel_scope.cancel()
        stream._nursery.cancel_scope.cancel()
        with trio.CancelScope(shield=True):
            await ended.wait()


async def test_the_times_tell_a_stuck_peer_from_a_quiet_one(open_pair: OpenPair, quick_clock: MockClock) -> None:
    """Drained is now while nothing waits, and stays behind when the kernel takes nothing."""
    async with open_pair() as (stream, peer):
        await trio.sleep(5)
        assert stream.last_drained_at == trio.current_time()
        await peer.send_all(b"x")
        await stream.receive_some()
        assert stream.last_received_at == trio.current_time()
        stream.write(b"x" * 200_000)
        await wait_all_tasks_blocked(0.005)
        stuck_since = stream.last_drained_at
        await trio.sleep(30)
        assert stream.last_drained_at == pytest.approx(stuck_since)
        assert stream.last_drained_at < trio.current_time() - 29


async def test_a_cut_peer_is_an_end_or_a_break_never_an_os_error(open_pair: OpenPair) -> None:
    """Reads say so; writes stay silent."""
    async with open_pair() as (stream, peer):
        await peer.aclose()
        assert await stream.receive_some() == b""
        for _ in range(5):
            stream.write(b"into the void")
            await wait_all_tasks_blocked(0.001)
        assert stream.broken


async def test_over_memory() -> None:
    """Whole sessions can be tested without a socket."""
    ours, theirs = memory_stream_pair()
    async with trio.open_nursery() as nursery:
        stream = RelayedStream(ours, nursery=nursery, drop=lambda: None)
        stream.write(b"one ")
        stream.write(b"two")
        await stream.drained()
        assert await theirs.receive_some() == b"one two"
        await theirs.send_all(b"back")
        assert await stream.receive_some() == b"back"
        await stream.aclose()
        assert await theirs.receive_some() == b""


def test_limits_that_would_drop_a_patient_writer_are_refused() -> None:
    """Whoever waits for the mark and then writes as much as the mark must never exceed the hard limit."""
    with pytest.raises(ValueError, match="at least twice high_water_bytes"):
        StreamLimits(high_water_bytes=1000, hard_limit_bytes=1999)
