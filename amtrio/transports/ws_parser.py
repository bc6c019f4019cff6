"""wsproto with a short way for the frames that nearly all traffic is made of.

Knows wsproto's internals, and is the only place that does. Knows nothing of streams, sessions or Trio.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from wsproto import WSConnection
from wsproto.connection import ConnectionState, ConnectionType
from wsproto.events import AcceptConnection

from amtrio.transports.frames import unmask

if TYPE_CHECKING:
    from wsproto.events import Event
    from wsproto.handshake import H11Handshake

__all__ = ["BINARY", "PONG", "TEXT", "ServerParser", "whole_frame"]

# First bytes of final, unfragmented frames, and the mark of a masked one (RFC 6455, 5.2).
TEXT: Final = 0x81
BINARY: Final = 0x82
PONG: Final = 0x8A
_USUAL: Final = (TEXT, BINARY, PONG)
_MASKED: Final = 0x80
_MASK_BYTES: Final = 4
_TWO_BYTE_LENGTH: Final = 126
_EIGHT_BYTE_LENGTH: Final = 127
_SHORTEST_FRAME: Final = 6
_FEEDABLE: Final = (ConnectionState.OPEN, ConnectionState.LOCAL_CLOSING)


class _HandshakeDone:
    """Stands in for the handshake object once it is over, which frees some 5 KiB per connection."""

    state = ConnectionState.OPEN

    @staticmethod
    def events() -> tuple[Event, ...]:
        return ()


class ServerParser(WSConnection):
    """
    The server's end of one WebSocket, as wsproto has it.

    While `is_between_frames`, frames that are whole, final, masked and of usual length may be read by
    `whole_frame`, at a third of the cost; every other byte takes wsproto's own way, unchanged, so that one set of
    rules decides what is legal.
    """

    def __init__(self) -> None:
        """Expect the upgrade request."""
        super().__init__(ConnectionType.SERVER)

    @property
    def is_open(self) -> bool:
        """May data frames still be sent."""
        connection = self.connection
        return connection is not None and connection.state is ConnectionState.OPEN

    @property
    def is_feedable(self) -> bool:
        """Does it make sense to feed more bytes: has the peer not closed yet."""
        connection = self.connection
        return connection is not None and connection.state in _FEEDABLE

    @property
    def is_between_frames(self) -> bool:
        """Has wsproto nothing half-read, so that the next byte starts a frame and a message."""
        connection = self.connection
        if connection is None or connection.state is not ConnectionState.OPEN:
            return False
        protocol = connection._proto  # noqa: SLF001 - the adapter's purpose
        frames = protocol._frame_decoder  # noqa: SLF001
        messages = protocol._message_decoder  # noqa: SLF001
        return frames.header is None and not frames.buffer.buffer and messages.opcode is None

    def send(self, event: Event) -> bytes:
        """Turn an event into bytes; see wsproto."""
        data = super().send(event)
        if type(event) is AcceptConnection:
            self.handshake = cast("H11Handshake", _HandshakeDone)
        return bytes(data)


def whole_frame(data: bytes, at: int) -> tuple[int, str | bytes, int, int] | None:
    """
    Read the frame that starts at `at`, if it is one of the usual: final, masked, a message or a pong, all there.

    To be asked only while `ServerParser.is_between_frames`; whatever is not answered goes to `receive_data`.

    Returns:
        Its first byte, what it carries (text as str), how many bytes that was, and where the next frame starts.

    Source: RFC 6455, 5.2.
    """
    payload_at = at + _SHORTEST_FRAME
    end = len(data)
    if payload_at > end:
        return None
    first = data[at]
    size = data[at + 1] - _MASKED
    if size < 0 or first not in _USUAL:
        return None
    if size >= _TWO_BYTE_LENGTH:
        if size == _EIGHT_BYTE_LENGTH or first == PONG:
            return None
        size = (data[at + 2] << 8) | data[at + 3]
        if size < _TWO_BYTE_LENGTH:
            return None  # not the shortest form: a violation, which wsproto names
        payload_at += 2
    frame_end = payload_at + size
    if frame_end > end:
        return None
    payload = unmask(data[payload_at:frame_end], data[payload_at - _MASK_BYTES : payload_at])
    if first != TEXT:
        return first, payload, size, frame_end
    try:
        return first, payload.decode(), size, frame_end
    except UnicodeDecodeError:
        return None  # likewise
