"""The short way through the parser against wsproto's own."""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import reduce
from operator import add

import pytest
from wsproto import WSConnection
from wsproto.connection import ConnectionType
from wsproto.events import AcceptConnection, BytesMessage, CloseConnection, Event, Ping, Pong, TextMessage

from amtrio.transports.ws_parser import ServerParser, whole_frame
from tests.contract.port import BINARY, CLOSE, PING, PONG, TEXT, closing, masked, upgrade

STREAMS = 1500
_EVENTS = {0x81: TextMessage, 0x82: BytesMessage, 0x8A: Pong}


def _accepted(parser: WSConnection) -> WSConnection:
    parser.receive_data(upgrade())
    list(parser.events())
    parser.send(AcceptConnection())
    return parser


def _stream(dice: random.Random) -> bytes:
    """Good frames of every kind, among which now and then an illegal one."""
    out = b""
    for _ in range(dice.randint(1, 12)):
        kind = dice.random()
        size = 70_000 if dice.random() < 0.02 else dice.choice([0, 1, 5, 125, 126, 200, 300, 1000])
        text = "".join(dice.choice("aé漢😀x") for _ in range(size // 3)).encode()
        if kind < 0.55:
            out += masked(text, TEXT)
        elif kind < 0.65:
            out += masked(dice.randbytes(size), BINARY)
        elif kind < 0.72:
            out += masked(dice.randbytes(min(size, 125)), PING)
        elif kind < 0.76:
            out += masked(b"", PONG)
        elif kind < 0.88:
            cut = dice.randint(0, len(text))
            between = masked(b"p", PING) if dice.random() < 0.5 else b""
            out += masked(text[:cut], 0x01) + between + masked(text[cut:], 0x80)
        elif kind < 0.91:
            out += masked(dice.randbytes(20), TEXT)
        elif kind < 0.93:
            out += closing(1000, b"bye")
        elif kind < 0.95:
            out += b"\x81\x0aunmasked!!"
        elif kind < 0.97:
            out += masked(b"short", TEXT, size_bytes=2)
        elif kind < 0.98:
            out += masked(b"rsv", 0xC1)
        else:
            out += dice.randbytes(8)
    return out


def _understood(parser: WSConnection, pieces: list[bytes]) -> list[object]:
    """What the parser made of a stream, with the parts of each message joined."""
    found: list[object] = []
    parts: list[str | bytes] = []
    for piece in pieces:
        for event in _events(parser, piece):
            if isinstance(event, TextMessage | BytesMessage):
                parts.append(event.data if isinstance(event.data, str) else bytes(event.data))
                if event.message_finished:
                    found.append((type(event), reduce(add, parts)))
                    parts = []
            elif isinstance(event, CloseConnection):
                found.append((CloseConnection, int(event.code), event.reason))
                return found
            else:
                assert isinstance(event, Ping | Pong)
                found.append((type(event), bytes(event.payload)))
    return found


def _events(parser: WSConnection, piece: bytes) -> Iterator[Event]:
    """What a piece means; by the short way, as far as it leads, if the parser has one."""
    at = 0
    if isinstance(parser, ServerParser) and parser.is_between_frames:
        while (frame := whole_frame(piece, at)) is not None:
            first, payload, size, at = frame
            assert size == len(payload.encode() if isinstance(payload, str) else payload)
            yield _EVENTS[first](payload)
    if at < len(piece):
        parser.receive_data(piece[at:])
        yield from parser.events()


@pytest.mark.parametrize("block", range(10))
def test_any_stream_cut_anywhere_means_the_same(block: int) -> None:
    """Wherever segments end and whatever is illegal, no difference to wsproto, down to the words of the close."""
    for seed in range(block * STREAMS // 10, (block + 1) * STREAMS // 10):
        dice = random.Random(seed)
        data = _stream(dice)
        cuts = sorted(dice.randint(0, len(data)) for _ in range(dice.choice([0, 0, 1, 3, 10, 40])))
        pieces = [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True) if end > start]
        expected = _understood(_accepted(WSConnection(ConnectionType.SERVER)), pieces)
        assert expected == _understood(_accepted(ServerParser()), pieces), f"seed {seed}"


def test_what_it_says_of_itself_follows_the_close() -> None:
    """Open: both ways; closed by us: only the peer's frames still count; by both: nothing more does."""
    parser = _accepted(ServerParser())
    assert isinstance(parser, ServerParser)
    assert (True, True, True) == (parser.is_open, parser.is_between_frames, parser.is_feedable)
    parser.receive_data(masked(b"half")[:5])
    list(parser.events())
    assert (True, False, True) == (parser.is_open, parser.is_between_frames, parser.is_feedable)
    parser.receive_data(masked(b"half")[5:])
    parser.send(CloseConnection(code=1000))
    assert (False, False, True) == (parser.is_open, parser.is_between_frames, parser.is_feedable)
    parser.receive_data(closing(1000))
    list(parser.events())
    assert (False, False, False) == (parser.is_open, parser.is_between_frames, parser.is_feedable)


def test_the_handshake_object_is_let_go() -> None:
    """It is of no use after the answer, and larger than all the rest."""
    parser = ServerParser()
    before = parser.handshake
    _accepted(parser)
    assert parser.handshake is not before
    assert parser.is_open
    assert CLOSE == parser.send(CloseConnection(code=1000))[0]
