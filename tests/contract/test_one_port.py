"""
What must stay true of Hypercorn, h11, h2, trio-websocket and wsproto for the port to work.

The cases are numbered; raise a version only when all of them pass.
"""

from __future__ import annotations

import inspect
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import TYPE_CHECKING

import h2.config
import h2.connection
import h2.events
import h2.settings
import pytest
from hypercorn.protocol import ProtocolWrapper
from hypercorn.protocol.h2 import H2Protocol
from hypercorn.protocol.h11 import H11Protocol
from hypercorn.trio.tcp_server import TCPServer
from trio.testing import MockClock
from trio_websocket import WebSocketConnection, WebSocketRequest
from wsproto import WSConnection
from wsproto.connection import ConnectionType
from wsproto.events import AcceptConnection

from tests.contract.certificates import make_contexts
from tests.contract.port import CLOSE, PING, PONG, TEXT, Port, closing, get, masked, open_port, upgrade

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from tests.contract.port import Client

    OpenPort = Callable[[], AbstractAsyncContextManager[Port]]


@pytest.fixture(params=["plain", "tls"])
def any_port(request: pytest.FixtureRequest, tmp_path: Path) -> OpenPort:
    """Opens the port without and with TLS of its own."""

    @asynccontextmanager
    async def opened() -> AsyncIterator[Port]:
        server_tls, client_tls = make_contexts(tmp_path) if request.param == "tls" else (None, None)
        async with open_port(server_tls=server_tls, client_tls=client_tls) as port:
            yield port

    return opened


# -- what is reached into -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("package", "expected"),
    [
        ("h11", "0.16.0"),
        ("hypercorn", "0.18.0"),
        ("quart", "0.22.0"),
        ("quart-trio", "0.12.0"),
        ("trio-websocket", "0.12.2"),
        ("wsproto", "1.3.2"),
    ],
)
def test_1_the_versions_are_those_that_were_read(package: str, expected: str) -> None:
    """Internals were read in exactly these versions."""
    assert version(package) == expected


@pytest.mark.parametrize(
    ("owner", "names"),
    [
        (TCPServer, ["protocol_send", "_read_data", "_close", "_idle_timeout", "_initiate_server_close"]),
        (H11Protocol, ["_check_protocol", "_send_error_response", "_create_stream", "_maybe_recycle"]),
        (H2Protocol, ["_handle_events", "_flush", "initiate", "stream_send"]),
        (ProtocolWrapper, ["initiate", "handle"]),
        (
            WebSocketConnection,
            ["_accept", "_reject", "_send"],
        ),
        (WSConnection, ["receive_data", "events", "send"]),
    ],
)
def test_2_what_is_overridden_or_called_exists(owner: type, names: list[str]) -> None:
    """An override of a method that the library no longer calls would be silently dead."""
    assert [] == [name for name in names if not callable(getattr(owner, name, None))]


def test_3_the_library_calls_what_is_overridden() -> None:
    """Each name stands in the source of the method that has to call it."""
    callers: dict[str, Callable[..., object]] = {
        "self._check_protocol(event)": H11Protocol._handle_events,
        "self._handle_events(events)": H2Protocol.handle,
        "self._initiate_server_close()": TCPServer._idle_timeout,
        "self.idle_task.restart(self._task_group": TCPServer.protocol_send,
        "self._connection._accept(": WebSocketRequest.accept,
        "self._connection._reject(": WebSocketRequest.reject,
        "await self._stream.send_all(data)": WebSocketConnection._send,
        "self.connection = self.handshake.connection": WSConnection.send,
    }
    assert [] == [text for text, caller in callers.items() if text not in inspect.getsource(caller)]


def test_4_the_state_that_the_short_way_looks_at_exists() -> None:
    """wsproto keeps half-read frames and messages where the parser looks for them."""
    server = WSConnection(ConnectionType.SERVER)
    server.receive_data(upgrade())
    list(server.events())
    server.send(AcceptConnection())
    assert server.connection is not None
    protocol = server.connection._proto
    assert (None, b"", None) == (
        protocol._frame_decoder.header,
        bytes(protocol._frame_decoder.buffer.buffer),
        protocol._message_decoder.opcode,
    )


# -- requests -------------------------------------------------------------------------------------------


async def test_5_a_connection_serves_request_after_request(any_port: OpenPort) -> None:
    """Keep-alive over HTTP/1.1."""
    async with any_port() as port, port.connect() as client:
        for _ in range(3):
            await client.send(get())
            assert (await client.response()).body == b'{"status":"ok"}\n'


async def test_6_connection_close_is_acted_upon(any_port: OpenPort) -> None:
    """The bug between Quart-Trio and Hypercorn would leave the connection open for ever."""
    async with any_port() as port, port.connect() as client:
        await client.send(get(extra="Connection: close\r\n"))
        assert (await client.response()).status == 200
        assert await client.rest() == b""


async def test_7_an_idle_connection_is_closed_after_its_time(quick_clock: MockClock) -> None:
    """Likewise: the timer has to be started after the first request too."""
    async with open_port() as port, port.connect() as client:
        await client.send(get())
        await client.response()
        before = quick_clock.current_time()
        assert await client.rest() == b""
        assert quick_clock.current_time() - before == pytest.approx(75, abs=0.5)


async def test_8_a_body_comes_back(any_port: OpenPort) -> None:
    """POST with a length."""
    async with any_port() as port, port.connect() as client:
        await client.send(b"POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\n\r\nhello")
        assert (await client.response()).body == b"hello"


async def test_9_three_megabytes_in_chunks_come_back(any_port: OpenPort) -> None:
    """POST without a length."""
    block = b"4000\r\n" + b"y" * 0x4000 + b"\r\n"
    async with any_port() as port, port.connect() as client:
        await client.send(b"POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(192):
            await client.send(block)
        await client.send(b"0\r\n\r\n")
        assert (await client.response()).body == b"y" * (192 * 0x4000)


async def test_10_two_requests_in_one_segment_are_answered_in_order() -> None:
    """Pipelining."""
    async with open_port() as port, port.connect() as client:
        await client.send(get("/slow?seconds=0.01") + get())
        assert (await client.response()).body == b'{"slow":true}\n'
        assert (await client.response()).body == b'{"status":"ok"}\n'


async def test_11_a_plain_get_on_the_sockets_path_reaches_the_app(any_port: OpenPort) -> None:
    """Only upgrades are taken out."""
    async with any_port() as port, port.connect() as client:
        await client.send(get("/client/connect"))
        assert (await client.response()).status == 426


# -- HTTP/2 ---------------------------------------------------------------------------------------------


class Http2Client:
    """h2 over a raw client."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))

    async def flush(self) -> None:
        await self.client.send(self.h2.data_to_send())

    async def events_until(self, wanted: type[h2.events.Event]) -> list[h2.events.Event]:
        found: list[h2.events.Event] = []
        while not any(isinstance(event, wanted) for event in found):
            if not self.client.held:
                assert await self.client.more(), f"ended before {wanted}: {found}"
            found += self.h2.receive_data(self.client.take(len(self.client.held)))
            await self.flush()
        return found

    def request(self, stream_id: int, method: str = "GET", path: str = "/health", *, end: bool = True) -> None:
        fields = [(":method", method), (":path", path), (":scheme", "http"), (":authority", "t")]
        self.h2.send_headers(stream_id, fields, end_stream=end)


async def test_12_http2_with_prior_knowledge_is_served() -> None:
    """Two requests on one connection, one with a body."""
    async with open_port() as port, port.connect() as client:
        talk = Http2Client(client)
        talk.h2.initiate_connection()
        talk.request(1)
        talk.request(3, "POST", "/echo", end=False)
        talk.h2.send_data(3, b"hello", end_stream=True)
        await talk.flush()
        bodies: dict[int, bytes] = {}
        ended = 0
        while ended < 2:
            for event in await talk.events_until(h2.events.StreamEnded):
                if isinstance(event, h2.events.DataReceived):
                    bodies[event.stream_id] = bodies.get(event.stream_id, b"") + event.data
                ended += isinstance(event, h2.events.StreamEnded)
        assert {1: b'{"status":"ok"}\n', 3: b"hello"} == bodies


async def test_13_extended_connect_is_not_offered() -> None:
    """Else browsers would send WebSockets over HTTP/2, past the one place that handles them."""
    async with open_port() as port, port.connect() as client:
        talk = Http2Client(client)
        talk.h2.initiate_connection()
        await talk.flush()
        events = await talk.events_until(h2.events.RemoteSettingsChanged)
        changed = next(event for event in events if isinstance(event, h2.events.RemoteSettingsChanged))
        setting = changed.changed_settings.get(h2.settings.SettingCodes.ENABLE_CONNECT_PROTOCOL)
        assert setting is None or setting.new_value == 0


async def test_14_an_http1_request_is_upgraded_to_http2() -> None:
    """`Upgrade: h2c`, whose first request is answered as stream 1."""
    async with open_port() as port, port.connect() as client:
        talk = Http2Client(client)
        settings = talk.h2.initiate_upgrade_connection()
        assert settings is not None
        preface = talk.h2.data_to_send()
        await client.send(
            get(extra=f"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: {settings.decode()}\r\n")
        )
        assert (await client.response(has_body=False)).status == 101
        await client.send(preface)
        events = await talk.events_until(h2.events.StreamEnded)
        assert b'{"status":"ok"}\n' in [event.data for event in events if isinstance(event, h2.events.DataReceived)]


# -- upgrades -------------------------------------------------------------------------------------------


async def test_15_an_upgrade_is_answered_with_what_was_agreed(any_port: OpenPort) -> None:
    """RFC 6455, 1.3: the accept value; a sub-protocol that was offered; our header; no extension."""
    async with any_port() as port, port.connect() as client:
        await client.send(
            upgrade(
                "/client/connect?token=a%20b&token=c",
                key=b"dGhlIHNhbXBsZSBub25jZQ==",
                extra="Sec-WebSocket-Protocol: v3, v2\r\nSec-WebSocket-Extensions: permessage-deflate\r\nOrigin: o\r\n",
            )
        )
        answer = await client.response(has_body=False)
        expected = {
            "upgrade": "websocket",
            "connection": "Upgrade",
            "sec-websocket-accept": "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
            "sec-websocket-protocol": "v2",
            "x-session": "42",
        }
        assert (101, expected) == (answer.status, answer.headers)
        handshake = port.handshakes[0]
        assert ("/client/connect", {"token": "c"}, ("v3", "v2"), "127.0.0.1", "o") == (
            handshake.path,
            handshake.query,
            handshake.offered,
            handshake.peer,
            handshake.header("origin"),
        )
        assert handshake.is_secure is (port.tls is not None)


async def test_16_messages_of_every_size_come_back(any_port: OpenPort) -> None:
    """Each form of the length field, in both directions."""
    async with any_port() as port, port.connect() as client:
        await client.open_socket()
        for size in (0, 1, 125, 126, 200, 60_000, 65_535, 65_536):
            await client.echo("z" * size)
        await client.echo("aé漢😀")


async def test_17_the_third_request_of_a_connection_may_be_the_upgrade(any_port: OpenPort) -> None:
    """nginx reuses its upstream connections."""
    async with any_port() as port, port.connect() as client:
        await client.send(get())
        await client.response()
        await client.send(b"POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 2\r\n\r\nhi")
        await client.response()
        await client.open_socket()
        await client.echo("third")


async def test_18_an_upgrade_may_follow_a_request_in_one_segment(any_port: OpenPort) -> None:
    """Both are answered, in order."""
    async with any_port() as port, port.connect() as client:
        await client.send(get() + upgrade())
        assert (await client.response()).status == 200
        assert (await client.response(has_body=False)).status == 101
        await client.echo("after")


async def test_19_a_head_may_come_byte_by_byte() -> None:
    """Where a segment ends means nothing."""
    async with open_port() as port, port.connect() as client:
        for byte in upgrade():
            await client.send(bytes([byte]))
        assert (await client.response(has_body=False)).status == 101
        await client.echo("patient")


async def test_20_a_frame_in_the_segment_of_the_upgrade_is_not_lost(any_port: OpenPort) -> None:
    """A client may not send it so early; some do."""
    async with any_port() as port, port.connect() as client:
        await client.send(upgrade() + masked(b"early") + masked(b"bird"))
        assert (await client.response(has_body=False)).status == 101
        assert [(TEXT, b"early"), (TEXT, b"bird")] == [await client.frame(), await client.frame()]


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (upgrade().replace(b"Sec-WebSocket-Key: ", b"X-Nothing: "), 400),
        (upgrade().replace(b"Host: test\r\n", b""), 400),
        (upgrade().replace(b"HTTP/1.1", b"HTTP/1.0"), 400),
        (upgrade(extra="Content-Length: 3\r\n") + b"abc", 400),
        (upgrade().replace(b"Host: test", b"Host: \xff\xfe"), 400),
        (upgrade().replace(b"Host: test", b"Host: " + b"a" * 70 + b".\xc3\xa9"), 400),
        (upgrade(extra="Sec-WebSocket-Protocol: \xe9\r\n"), 400),
        (upgrade("/client/connect?" + "&".join(["a=b"] * 100)), 400),
        (upgrade(version="8"), 426),
    ],
    ids=["no key", "no host", "HTTP/1.0", "a body", "host", "long host", "protocol", "query", "version 8"],
)
async def test_21_a_bad_upgrade_is_refused_and_the_connection_ends(request_bytes: bytes, status: int) -> None:
    """trio-websocket's own way waits for ever after it; and nothing of it is an error of ours."""
    async with open_port() as port, port.connect() as client:
        await client.send(request_bytes)
        answer = await client.response()
        assert (status, "close") == (answer.status, answer.headers["connection"])
        assert answer.headers.get("sec-websocket-version") == ("13" if status == 426 else None)
        assert await client.rest() == b""


@pytest.mark.parametrize(
    ("target", "status", "body"),
    [
        ("/elsewhere", 404, b'{"error":"not found"}'),
        ("/client/connect?token=bad", 401, b'{"error":"invalid token"}'),
    ],
)
async def test_22_a_refusal_has_a_body_and_ends_the_connection(
    any_port: OpenPort, target: str, status: int, body: bytes
) -> None:
    """Before anything was accepted, so that clients see a status instead of a close code."""
    async with any_port() as port, port.connect() as client:
        await client.send(upgrade(target) + masked(b"too eager"))
        answer = await client.response()
        assert (status, body, "application/json", "close") == (
            answer.status,
            answer.body,
            answer.headers["content-type"],
            answer.headers["connection"],
        )
        assert await client.rest() == b""


async def test_23_an_admission_that_takes_too_long_is_refused(quick_clock: MockClock) -> None:
    """503 after ten seconds."""
    async with open_port() as port, port.connect() as client:
        await client.send(upgrade("/client/connect?token=slow"))
        answer = await client.response()
        assert (503, "close") == (answer.status, answer.headers["connection"])
        assert quick_clock.current_time() == pytest.approx(10, abs=0.5)


async def test_24_a_ping_is_answered_in_its_place(any_port: OpenPort) -> None:
    """Control frames keep their place among data frames; on this the confirmation of older clients rests."""
    async with any_port() as port, port.connect() as client:
        await client.open_socket()
        await client.send(masked(b"one") + masked(b"now", PING) + masked(b"two"))
        assert [(TEXT, b"one"), (PONG, b"now"), (TEXT, b"two")] == [await client.frame() for _ in range(3)]


async def test_25_a_pong_reaches_the_session(any_port: OpenPort) -> None:
    """With its payload, asked for or not."""
    async with any_port() as port, port.connect() as client:
        await client.open_socket()
        session = port.sessions[0]
        assert session.socket is not None
        session.socket.ping(b"nonce")
        assert (PING, b"nonce") == await client.frame()
        await client.send(masked(b"nonce", PONG) + masked(b"sync"))
        await client.frame()
        assert ("pong", b"nonce") in session.events


async def test_26_the_peers_close_is_echoed(any_port: OpenPort) -> None:
    """And the session learns its code and words."""
    async with any_port() as port, port.connect() as client:
        await client.open_socket()
        await client.send(closing(4001, b"enough"))
        assert (CLOSE, b"\x0f\xa1enough") == await client.frame()
        assert await client.rest() == b""
        session = port.sessions[0]
        await session.ended.wait()
        assert (4001, "enough", "peer") == (session.reason.code, session.reason.text, session.reason.by)


async def test_27_binary_messages_reach_the_session(any_port: OpenPort) -> None:
    """As bytes; what to do with them is the session's business."""
    async with any_port() as port, port.connect() as client:
        await client.open_socket()
        await client.send(masked(b"\x00\xff", 0x82) + masked(b"sync"))
        await client.frame()
        assert b"\x00\xff" in port.sessions[0].events
