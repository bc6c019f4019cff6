"""Accepting, the limits of connections, and the drain that ends everything in time."""

from __future__ import annotations

import gc
import random
import ssl
from contextlib import suppress
from typing import TYPE_CHECKING

import h2.config
import h2.connection
import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from amtrio.transports.listener import ListenerSettings, open_sockets, tls_context, tune_gc
from amtrio.transports.ws import Socket, text_frame
from tests.contract.certificates import make_certificate, make_contexts
from tests.contract.port import CLOSE, TEXT, Client, Echo, closing, get, masked, open_port, upgrade

if TYPE_CHECKING:
    from pathlib import Path

RESTART = (1012).to_bytes(2, "big") + b"restart"


async def test_a_drain_without_connections_is_done() -> None:
    """Nothing to wait for."""
    async with open_port() as port:
        port.stop_accepting()
        await port.server.drain(1012)


async def test_everything_that_can_end_at_once_does(quick_clock: MockClock) -> None:
    """Idle connections close, sockets are told and answer, and nobody new is let in."""
    async with open_port() as port, port.connect() as idle, port.connect() as fresh, port.connect() as socket:
        await idle.send(get())
        await idle.response()
        await socket.open_socket()
        before = trio.current_time()
        port.stop_accepting()
        async with trio.open_nursery() as nursery:

            async def answer() -> None:
                assert (CLOSE, RESTART) == await socket.frame()
                assert trio.current_time() == before
                await socket.send(closing(1012))
                assert await socket.rest() == b""
                socket.raw.close()

            async def leave(client: Client) -> None:
                assert await client.rest() == b""
                client.raw.close()

            nursery.start_soon(answer)
            nursery.start_soon(leave, idle)
            nursery.start_soon(leave, fresh)
            await port.server.drain(1012, "restart")
        assert trio.current_time() - before < 0.5
        assert (0, 0) == (port.server.connections, port.server.sockets)
        with pytest.raises(OSError, match="refused"):
            async with port.connect():
                pass


async def test_a_request_at_work_is_answered_before_its_connection_closes(quick_clock: MockClock) -> None:
    """If it takes less than the grace."""
    async with open_port() as port, port.connect() as client, trio.open_nursery() as nursery:
        await client.send(get("/slow?seconds=3"))
        await wait_all_tasks_blocked(0.01)
        nursery.start_soon(port.server.drain, 1012)
        assert (await client.response()).body == b'{"slow":true}\n'
        assert await client.rest() == b""


async def test_what_does_not_end_is_ended(quick_clock: MockClock) -> None:
    """
    By five seconds: a long request, a socket that never answers, one that never reads, an answer that is not read,
    an upgrade that is still being considered, a body that does not come. By force, if need be, at five and a half.
    """
    async with (
        open_port() as port,
        port.connect() as long,
        port.connect() as mute,
        port.connect(receive_buffer=4096) as stuck,
        port.connect(receive_buffer=4096) as unread,
        port.connect() as undecided,
        port.connect() as bodiless,
    ):
        await long.send(get("/slow?seconds=60"))
        await mute.open_socket()
        await stuck.open_socket()
        session = port.sessions[1]
        assert session.socket is not None
        while session.socket.buffered < 60_000:
            session.socket.send(text_frame(b"x" * 4000))
        await unread.send(get("/big"))
        await undecided.send(b"GET /client/connect?token=slow HTTP/1.1\r\nHost: t\r\nConnection: Upgrade\r\n")
        await undecided.send(b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: x\r\n\r\n")
        await bodiless.send(b"POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 10\r\n\r\n")
        await wait_all_tasks_blocked(0.02)
        assert (6, 2) == (port.server.connections, port.server.sockets)
        before = trio.current_time()
        await port.server.drain(1001)
        assert trio.current_time() - before == pytest.approx(5, abs=0.6)
        assert (0, 0) == (port.server.connections, port.server.sockets)
        for ended in port.sessions:
            assert (1001, "us") == (ended.reason.code, ended.reason.by)


async def test_the_budget_is_the_callers(quick_clock: MockClock) -> None:
    """Tests and impatient operators have less."""
    async with open_port() as port, port.connect() as client:
        await client.send(get("/slow?seconds=60"))
        await wait_all_tasks_blocked(0.01)
        before = trio.current_time()
        await port.server.drain(1001, grace_seconds=1, force_seconds=1.5)
        assert trio.current_time() - before == pytest.approx(1, abs=0.2)


async def test_a_session_that_ignores_cancellation_loses_its_connection(quick_clock: MockClock) -> None:
    """Its peer is cut at the limit, and the drain returns as soon as the session gives in."""
    cut_at: list[float] = []

    def prepare(session: Echo) -> None:
        async def stubborn(socket: Socket) -> None:
            with trio.CancelScope(shield=True), pytest.raises(trio.BrokenResourceError):
                while True:
                    await socket.drained()
                    await trio.sleep(0.1)
            cut_at.append(trio.current_time())

        session.on_open = lambda socket: socket.nursery.start_soon(stubborn, socket)

    async with open_port() as port, port.connect() as client:
        port.prepare = prepare
        await client.open_socket()
        before = trio.current_time()
        await port.server.drain(1001)
        assert cut_at == [pytest.approx(before + 5.5, abs=0.3)]


async def test_an_upgrade_during_the_drain_is_refused() -> None:
    """503: the client comes back to the next process."""
    async with open_port() as port, port.connect() as client:
        port.server.close_all(1012)
        await client.send(b"GET /client/connect HTTP/1.1\r\nHost: t\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n")
        await client.send(b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: x\r\n\r\n")
        answer = await client.response()
        assert (503, "1", "close") == (answer.status, answer.headers["retry-after"], answer.headers["connection"])


async def test_two_hundred_busy_sockets_are_all_told() -> None:
    """At once, whatever is under way."""
    async with open_port() as port, trio.open_nursery() as nursery:
        told = 0

        async def chat(*, task_status: trio.TaskStatus[None]) -> None:
            nonlocal told
            async with port.connect() as client:
                await client.open_socket()
                await client.echo("ready")
                task_status.started()
                first, payload = await client.frame()
                assert (CLOSE, RESTART) == (first, payload)
                told += 1
                await client.send(closing(1012))

        for _ in range(200):
            await nursery.start(chat)
        await port.server.drain(1012, "restart")
        await wait_all_tasks_blocked(0.01)
        assert told == 200


async def test_cancelling_the_connections_ends_them_without_a_drain() -> None:
    """When the data path breaks there is nothing to be polite about; peers that never read do not matter."""
    async with open_port() as port, port.connect(receive_buffer=4096) as unread, port.connect() as socket:
        await unread.send(get("/big"))
        await socket.open_socket()
        await wait_all_tasks_blocked(0.02)
        assert port.connections is not None
        port.connections.cancel_scope.cancel()
        with trio.CancelScope(shield=True):
            await port.sessions[0].ended.wait()
            first, payload = await socket.frame()
            assert (CLOSE, 1011) == (first, int.from_bytes(payload[:2], "big"))


@pytest.mark.parametrize(
    "settings",
    [ListenerSettings(max_connections=2), ListenerSettings(max_connections_per_address=2)],
    ids=["in all", "per address"],
)
async def test_one_connection_too_many_is_told_so(settings: ListenerSettings) -> None:
    """503, and the place of one that left is free again."""
    async with open_port(settings) as port, port.connect() as first, port.connect() as second:
        for client in (first, second):
            await client.send(get())
            await client.response()
        async with port.connect() as third:
            answer = await third.response()
            assert (503, "5", "close") == (answer.status, answer.headers["retry-after"], answer.headers["connection"])
            assert await third.rest() == b""
        await second.send(get(extra="Connection: close\r\n"))
        await second.response()
        await second.rest()
        second.raw.close()
        await wait_all_tasks_blocked(0.01)
        async with port.connect() as third:
            await third.send(get())
            assert (await third.response()).status == 200


async def test_tls_offers_http1_only(tmp_path: Path) -> None:
    """Over HTTP/2 a browser would take its WebSockets past the place that handles them."""
    server_tls, client_tls = make_contexts(tmp_path)
    client_tls.set_alpn_protocols(["h2", "http/1.1"])
    async with open_port(server_tls=server_tls, client_tls=client_tls) as port, port.connect() as client:
        await client.send(get())
        assert (await client.response()).status == 200
        assert isinstance(client.stream, trio.SSLStream)
        assert client.stream.selected_alpn_protocol() == "http/1.1"


async def test_a_tls_handshake_that_does_not_come_is_given_up(tmp_path: Path, quick_clock: MockClock) -> None:
    """After ten seconds; plain HTTP on a TLS port ends at once. Neither is an error of ours."""
    server_tls, _ = make_contexts(tmp_path)
    async with open_port(server_tls=server_tls) as port, port.connect() as silent, port.connect() as plain:
        await plain.send(get())
        await plain.rest()
        await trio.sleep(9)
        assert port.server.connections >= 1
        await trio.sleep(2.5)
        assert port.server.connections == 0
        assert await silent.rest() in (b"", b"|reset")


async def test_a_drain_reaches_tls_sockets_that_do_not_read(tmp_path: Path, quick_clock: MockClock) -> None:
    """Bytes wait in another place there."""
    server_tls, client_tls = make_contexts(tmp_path)
    async with (
        open_port(server_tls=server_tls, client_tls=client_tls) as port,
        port.connect(receive_buffer=4096) as client,
    ):
        await client.open_socket()
        await client.echo("alive")
        socket = port.sessions[0].socket
        assert socket is not None
        for _ in range(100):
            socket.send(text_frame(b"x" * 2000))
        await wait_all_tasks_blocked(0.02)
        before = trio.current_time()
        await port.server.drain(1001)
        assert trio.current_time() - before == pytest.approx(5, abs=0.6)
        assert port.server.connections == 0


async def test_tls_sockets_are_bounded_too(tmp_path: Path) -> None:
    """The same limit as without TLS."""
    server_tls, client_tls = make_contexts(tmp_path)
    async with open_port(server_tls=server_tls, client_tls=client_tls) as port, port.connect() as client:
        await client.open_socket()
        session = port.sessions[0]
        assert session.socket is not None
        most = 0
        for _ in range(1000):
            session.socket.send(text_frame(b"x" * 4000))
            most = max(most, session.socket.buffered)
        assert most <= 256 * 1024
        await session.ended.wait()
        assert session.reason.code == 1006


def test_open_sockets_takes_one_port_for_every_address() -> None:
    """Both families of localhost, if there are two, listen on the same number."""
    bound = open_sockets("localhost", 0)
    try:
        ports = {each.getsockname()[1] for each in bound}
        assert len(ports) == 1
        with pytest.raises(OSError, match="in use"):
            open_sockets("localhost", ports.pop())
    finally:
        for each in bound:
            each.close()


def test_a_certificate_that_is_none_is_refused(tmp_path: Path) -> None:
    """At the start, not at the first connection."""
    certificate, key = make_certificate(tmp_path)
    assert isinstance(tls_context(certificate, key), ssl.SSLContext)
    key.write_text("no key")
    with pytest.raises(ssl.SSLError):
        tls_context(certificate, key)


def test_tuning_the_collector_freezes_what_there_is() -> None:
    """And makes full collections rare."""
    before = gc.get_threshold()
    try:
        tune_gc()
        assert gc.get_freeze_count() > 0
        assert gc.get_threshold() == (10_000, 20, 50)
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)


async def test_text_frames_are_what_clients_read() -> None:
    """The frame made here is the frame read there."""
    async with open_port() as port, port.connect() as client:
        await client.open_socket()
        socket = port.sessions[0].socket
        assert socket is not None
        socket.send(text_frame(b"one") + text_frame(b"two"))
        assert [(TEXT, b"one"), (TEXT, b"two")] == [await client.frame(), await client.frame()]


def _http2_conversation() -> bytes:
    talk = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
    talk.initiate_connection()
    for stream_id, method, path in ((1, "GET", "/health"), (3, "POST", "/echo")):
        fields = [(":method", method), (":path", path), (":scheme", "http"), (":authority", "t")]
        talk.send_headers(stream_id, fields, end_stream=method == "GET")
    talk.send_data(3, b"hello", end_stream=True)
    talk.ping(b"12345678")
    return talk.data_to_send()


CONVERSATIONS = [
    get() + get("/nothing?a=%zz"),
    b"POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    b"POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhello",
    upgrade(extra="Sec-WebSocket-Protocol: v1, v2\r\n") + masked(b"one") + masked(b"two", 0x89) + closing(1000),
    get(extra="Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"),
    _http2_conversation(),
]


@pytest.mark.parametrize("block", range(6))
async def test_damaged_conversations_harm_nobody_else(block: int) -> None:
    """
    A thousand conversations with bytes changed, lost, doubled or cut: whatever the answer, nothing is an error of
    ours, and the server goes on.
    """
    async with open_port() as port:
        for seed in range(block * 170, (block + 1) * 170):
            dice = random.Random(seed)
            data = bytearray(dice.choice(CONVERSATIONS))
            for _ in range(dice.randint(1, 4)):
                at = dice.randrange(max(len(data), 1))
                match dice.randrange(4):
                    case 0:
                        data[at : at + 1] = dice.randbytes(1)
                    case 1:
                        del data[at : at + dice.randint(1, 8)]
                    case 2:
                        data[at:at] = data[at : at + dice.randint(1, 40)]
                    case _:
                        del data[max(at, 1) :]
            async with port.connect() as client:
                cut = dice.randint(0, len(data))
                with suppress(trio.BrokenResourceError):
                    await client.send(bytes(data[:cut]))
                    await wait_all_tasks_blocked()
                    await client.send(bytes(data[cut:]))
                    await wait_all_tasks_blocked()
        async with port.connect() as client:
            await client.send(get())
            assert (await client.response()).status == 200
