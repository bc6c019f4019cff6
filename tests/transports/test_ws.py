"""The life of a WebSocket: violations, sessions that wait, fail or close, and bounded ends."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from amtrio.transports.listener import ListenerSettings
from amtrio.transports.ws import Socket, text_frame
from tests.contract.port import BINARY, CLOSE, PING, PONG, TEXT, Echo, closing, masked, open_port

SHORT = ListenerSettings(max_message_bytes=1000)


def _close(code: int) -> bytes:
    return code.to_bytes(2, "big")


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        (b"\x81\x02hi", 1002),
        (masked(b"\xff\xfe"), 1007),
        (masked(b"hi", 0xC1), 1002),
        (masked(b"hi", 0xA1), 1002),
        (masked(b"hi", 0x91), 1002),
        (masked(b"x", 0x83), 1002),
        (masked(b"x", 0x8B), 1002),
        (masked(b"x", 0x09), 1002),
        (masked(b"x" * 126, PING), 1002),
        (masked(b"x", 0x00), 1002),
        (masked(b"x", 0x01) + masked(b"y", TEXT), 1002),
        (masked(b"x", CLOSE), 1002),
        (closing(1005), 1002),
        (closing(999), 1002),
        (closing(1000, b"\xff"), 1007),
        (masked(b"short", TEXT, size_bytes=2), 1002),
        (masked(b"\xe4\xbd", 0x01) + masked(b"\xff", 0x80), 1007),
        (masked(b"x" * 1001), 1009),
        (masked(b"x" * 1001, BINARY), 1009),
        (masked("漢".encode() * 334), 1009),
        (masked(b"x" * 600, 0x01) + masked(b"x" * 401, 0x80), 1009),
        (b"\x81\xff" + (2 << 20).to_bytes(8, "big") + b"\0\0\0\0" + b"y" * 200_000, 1009),
    ],
    ids=[
        "unmasked",
        "no UTF-8",
        "RSV1",
        "RSV2",
        "RSV3",
        "opcode 3",
        "opcode 11",
        "fragmented ping",
        "long ping",
        "continuation first",
        "text within text",
        "one byte of close",
        "close 1005",
        "close 999",
        "close no UTF-8",
        "longer length than needed",
        "no UTF-8 across fragments",
        "too long",
        "too long in binary",
        "too long in bytes, not in characters",
        "too long in fragments",
        "too long by its header",
    ],
)
async def test_a_violation_is_named_in_a_close_frame(frames: bytes, code: int) -> None:
    """RFC 6455, 7.4.1. What follows is not taken, and the connection ends."""
    async with open_port(SHORT) as port, port.connect() as client:
        await client.open_socket()
        await client.send(masked(b"before") + frames + masked(b"after"))
        assert (TEXT, b"before") == await client.frame()
        first, payload = await client.frame()
        assert (CLOSE, _close(code)) == (first, payload[:2])
        assert await client.rest() == b""
        session = port.sessions[0]
        await session.ended.wait()
        assert (code, "us") == (session.reason.code, session.reason.by)


async def test_legal_rarities_are_served() -> None:
    """Fragments with a ping between them, empty messages, the longest allowed."""
    async with open_port(SHORT) as port, port.connect() as client:
        await client.open_socket()
        await client.send(masked(b"a", 0x01) + masked(b"p", PING) + masked(b"", 0x00) + masked(b"b", 0x80))
        assert [(PONG, b"p"), (TEXT, b"ab")] == [await client.frame(), await client.frame()]
        await client.echo("")
        await client.echo("x" * 1000)
        await client.echo("é" * 500)


async def test_any_number_of_empty_fragments_costs_no_memory() -> None:
    """They never reach the size limit, so they must not be kept."""
    async with open_port(SHORT) as port, port.connect() as client:
        await client.open_socket()
        await client.send(masked(b"", 0x01) + masked(b"", 0x00) * 2000 + masked(b"end", 0x80))
        assert (TEXT, b"end") == await client.frame()


async def test_the_session_may_send_before_anything_was_received() -> None:
    """Its first frame comes right behind the 101."""

    def greet(session: Echo) -> None:
        session.on_open = lambda socket: socket.send(text_frame(b"welcome"))

    async with open_port() as port, port.connect() as client:
        port.prepare = greet
        await client.open_socket()
        assert (TEXT, b"welcome") == await client.frame()


async def test_reading_waits_for_the_session() -> None:
    """This is the back-pressure: the second message is not delivered while the first is at work."""
    order: list[str | bytes] = []
    gate = trio.Event()

    def slow(session: Echo) -> None:
        async def work(data: str | bytes) -> None:
            order.append(data)
            await gate.wait()
            order.append("done")

        session.on_message = lambda _socket, data: work(data)

    async with open_port() as port, port.connect() as client:
        port.prepare = slow
        await client.open_socket()
        await client.send(masked(b"one") + masked(b"two"))
        await wait_all_tasks_blocked(0.01)
        assert order == ["one"]
        gate.set()
        await wait_all_tasks_blocked(0.01)
        assert order == ["one", "done", "two", "done"]


@pytest.mark.expects_error_log("connection_failed")
@pytest.mark.parametrize("error", [KeyError("missing"), ValueError("bad"), ExceptionGroup("two", [OSError()])])
async def test_a_failing_session_ends_its_own_connection_only(error: Exception) -> None:
    """With 1011; any kind of error counts, also the kinds that libraries on the way take for their own."""

    def fail(session: Echo) -> None:
        def raising(socket: Socket, data: str | bytes) -> None:
            if data == "fail":
                raise error
            socket.send(text_frame(b"fine"))

        session.on_message = raising

    async with open_port() as port, port.connect() as client, port.connect() as other:
        port.prepare = fail
        await client.open_socket()
        await other.open_socket()
        await client.send(masked(b"fail"))
        assert (CLOSE, _close(1011) + b"internal error") == await client.frame()
        assert await client.rest() == b""
        await port.sessions[0].ended.wait()
        assert (1011, "us") == (port.sessions[0].reason.code, port.sessions[0].reason.by)
        await other.send(masked(b"x"))
        assert (TEXT, b"fine") == await other.frame()


@pytest.mark.expects_error_log("connection_failed")
async def test_a_failing_task_of_a_session_does_the_same() -> None:
    """Tasks in the socket's nursery belong to the socket."""

    async def crash() -> None:
        raise ValueError("pump")

    def start(session: Echo) -> None:
        session.on_open = lambda socket: socket.nursery.start_soon(crash)

    async with open_port() as port, port.connect() as client:
        port.prepare = start
        await client.open_socket()
        assert (CLOSE, _close(1011) + b"internal error") == await client.frame()


async def test_tasks_of_a_session_end_before_it_learns_its_end() -> None:
    """`closed` is the last that happens."""
    order: list[str] = []

    def start(session: Echo) -> None:
        async def pump() -> None:
            try:
                await trio.sleep_forever()
            finally:
                order.append("pump")

        def on_open(socket: Socket) -> None:
            socket.nursery.start_soon(pump)

        session.on_open = on_open

    async with open_port() as port, port.connect() as client:
        port.prepare = start
        await client.open_socket()
        await wait_all_tasks_blocked(0.01)
        await client.send(closing(1000))
        await client.frame()
        session = port.sessions[0]
        await session.ended.wait()
        assert (["pump"], ["opened", session.reason]) == (order, session.events)


async def test_our_close_is_completed_by_the_peers() -> None:
    """What was sent before goes out first, what is sent after does not, and later closes change nothing."""
    async with open_port() as port, port.connect() as client:
        await client.open_socket()
        session = port.sessions[0]
        socket = session.socket
        assert socket is not None
        socket.send(text_frame(b"last"))
        socket.close(4000, "replaced")
        socket.close(4001, "too late")
        socket.send(text_frame(b"nothing"))
        socket.ping(b"nothing")
        assert [(TEXT, b"last"), (CLOSE, _close(4000) + b"replaced")] == [await client.frame(), await client.frame()]
        await client.send(masked(b"overtaken") + masked(b"", PING) + closing(4000))
        assert await client.rest() == b""
        await session.ended.wait()
        assert (4000, "replaced", "us", ["opened", session.reason]) == (
            session.reason.code,
            session.reason.text,
            session.reason.by,
            session.events,
        )


async def test_a_long_reason_is_cut_to_fit() -> None:
    """RFC 6455, 5.5: 125 bytes, two of which are the code; no character is cut in half."""
    async with open_port() as port, port.connect() as client:
        await client.open_socket()
        assert port.sessions[0].socket is not None
        port.sessions[0].socket.close(4000, "é" * 100)
        assert (CLOSE, _close(4000) + ("é" * 61).encode()) == await client.frame()


@pytest.mark.parametrize("reads", [True, False], ids=["reads", "does not read"])
async def test_a_peer_that_never_answers_our_close_is_cut(
    reads: bool,  # noqa: FBT001 - a case
    quick_clock: MockClock,
) -> None:
    """After five seconds, whether or not the Close could be delivered."""
    async with open_port() as port, port.connect(receive_buffer=4096) as client:
        await client.open_socket()
        session = port.sessions[0]
        assert session.socket is not None
        if not reads:
            while session.socket.buffered < 60_000:
                session.socket.send(text_frame(b"x" * 4096))
        before = trio.current_time()
        session.socket.close(1001, "")
        await session.ended.wait()
        assert trio.current_time() - before == pytest.approx(5, abs=0.5)
        assert (1001, "us") == (session.reason.code, session.reason.by)
        await wait_all_tasks_blocked(0.01)
        assert port.server.connections == 0


async def test_a_connection_cut_without_a_word() -> None:
    """1006, by nobody."""
    async with open_port() as port:
        async with port.connect() as client:
            await client.open_socket()
        session = port.sessions[0]
        await session.ended.wait()
        assert (1006, "cut") == (session.reason.code, session.reason.by)
        assert port.server.sockets == 0


async def test_abort_cuts_at_once() -> None:
    """Without a Close frame."""
    async with open_port() as port, port.connect() as client:
        await client.open_socket()
        session = port.sessions[0]
        assert session.socket is not None
        session.socket.abort("stuck")
        await session.ended.wait()
        assert (1006, "stuck", "us") == (session.reason.code, session.reason.text, session.reason.by)
        assert await client.rest() in (b"", b"|reset")


async def test_a_reader_that_stops_is_bounded_and_costs_nobody_else_anything() -> None:
    """At most the hard limit is held for it, then it is cut; others are served meanwhile."""
    async with open_port() as port, port.connect(receive_buffer=4096) as stuck, port.connect() as other:
        await stuck.open_socket()
        await other.open_socket()
        socket = port.sessions[0].socket
        assert socket is not None
        most = 0
        for _ in range(2000):
            socket.send(text_frame(b"x" * 4000))
            most = max(most, socket.buffered)
        await other.echo("fine")
        await port.sessions[0].ended.wait()
        assert 64 * 1024 < most <= 256 * 1024
        assert (1006, "cut") == (port.sessions[0].reason.code, port.sessions[0].reason.by)


async def test_a_flood_of_pings_from_one_who_does_not_read_is_bounded() -> None:
    """Reading stops at the high-water mark: the pongs that wait do not grow beyond it."""
    async with open_port() as port, port.connect(receive_buffer=4096) as client:
        await client.open_socket()
        session = port.sessions[0]
        async with trio.open_nursery() as nursery:

            async def flood() -> None:
                await client.send(masked(b"p" * 125, PING) * 60_000)

            nursery.start_soon(flood)
            await wait_all_tasks_blocked(0.05)
            assert session.socket is not None
            assert session.socket.buffered <= 66 * 1024
            assert not session.ended.is_set()
            nursery.cancel_scope.cancel()


async def test_slow_readers_can_be_waited_for() -> None:
    """`drained` is what a pump waits on."""
    async with open_port() as port, port.connect(receive_buffer=4096) as client:
        await client.open_socket()
        socket = port.sessions[0].socket
        assert socket is not None
        count = 0
        while socket.buffered < 60_000:
            socket.send(text_frame(b"x" * 4000))
            count += 1
        async with trio.open_nursery() as nursery:
            nursery.start_soon(socket.drained)
            for _ in range(count):
                await client.frame()
        assert socket.buffered == 0
