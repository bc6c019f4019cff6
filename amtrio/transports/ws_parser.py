"""wsproto with a short way for the frames that nearly all traffic is made of.

Knows wsproto's internals, and is the only place that does. Knows nothing of streams, sessions or Trio.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from wsproto import WSConnection
from wsproto.connection import ConnectionState, ConnectionType
from wsproto.events import AcceptConnection, BytesMessage, TextMessage

from amtrio.transports.frames import unmask

if TYPE_CHECKING:
    from collections.abc import Generator

    from wsproto.events import Event
    from wsproto.handshake import H11Handshake

__all__ = ["ServerParser"]

# The first byte of a final, unfragmented frame, and the mark of a masked one (RFC 6455, 5.2).
_WHOLE_TEXT: Final = 0x81
_WHOLE_BINARY: Final = 0x82
_MASKED: Final = 0x80
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

    A frame that is whole, final, masked and of usual length is read here, at a third of the cost; every
    other byte takes wsproto's own way, unchanged, so that one set of rules decides what is legal.
    """

    def __init__(self) -> None:
        """Expect the upgrade request."""
        super().__init__(ConnectionType.SERVER)
        self._pending = b""

    @property
    def is_open(self) -> bool:
        """May data frames still be sent."""
        return self.state is ConnectionState.OPEN

    def send(self, event: Event) -> bytes:
        """Turn an event into bytes; see wsproto."""
        data = super().send(event)
        if type(event) is AcceptConnection:
            self.handshake = cast("H11Handshake", _HandshakeDone)
        return bytes(data)

    def receive_data(self, data: bytes | None) -> None:
        """Take bytes from the peer; see wsproto."""
        if data and self._is_between_frames():
            self._pending = data
        else:
            super().receive_data(data)

    def events(self) -> Generator[Event, None, None]:
        """Say what the bytes meant; see wsproto. Must be read to its end before more is fed."""
        if not self._pending or not (yield from self._whole_frames()):
            yield from super().events()

    def _is_between_frames(self) -> bool:
        """Has wsproto nothing half-read, so that the next byte starts a frame and a message."""
        connection = self.connection
        if connection is None or connection.state is not ConnectionState.OPEN:
            return False
        protocol = connection._proto  # noqa: SLF001 - the adapter's purpose
        frames = protocol._frame_decoder  # noqa: SLF001
        messages = protocol._message_decoder  # noqa: SLF001
        return frames.header is None and not frames.buffer.buffer and messages.opcode is None

    def _whole_frames(self) -> Generator[Event, None, bool]:
        """Yield the messages at the start of what came; return whether that was all of it."""
        data, self._pending = self._pending, b""
        connection = self.connection
        assert connection is not None
        at, end = 0, len(data)
        while end - at >= _SHORTEST_FRAME:
            first, second = data[at], data[at + 1]
            if (first not in (_WHOLE_TEXT, _WHOLE_BINARY)) or second < _MASKED:
                break
            size = second & 0x7F
            mask_at = at + 2
            if size == _TWO_BYTE_LENGTH:
                size = (data[mask_at] << 8) | data[mask_at + 1]
                if size < _TWO_BYTE_LENGTH:
                    break  # not the shortest form: a violation, which wsproto names
                mask_at += 2
            elif size == _EIGHT_BYTE_LENGTH:
                break
            payload_at = mask_at + 4
            frame_end = payload_at + size
            if frame_end > end:
                break
            payload = unmask(data[payload_at:frame_end], data[mask_at:payload_at])
            event: Event
            if first == _WHOLE_TEXT:
                try:
                    event = TextMessage(payload.decode())
                except UnicodeDecodeError:
                    break  # likewise
            else:
                event = BytesMessage(payload)
            at = frame_end
            yield event
            if connection.state is not ConnectionState.OPEN:
                break  # closed by whoever took the event: only the peer's Close matters from here
        if at == end:
            return True
        if connection.state in _FEEDABLE:
            connection.receive_data(data[at:] if at else data)
        return False
