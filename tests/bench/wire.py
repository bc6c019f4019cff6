"""WebSocket frames from the client's side, as cheap as Python can make them.

Knows RFC 6455, 5.2. Knows nothing of sockets or of what a message means.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

TEXT = 0x81
CLOSE = 0x88
PING = 0x89
PONG = 0x8A
_SHORT = 125
_TWO_BYTES = 126
_EIGHT_BYTES = 127
# RFC 6455, 5.3 wants a fresh mask for each frame, to protect proxies from a browser's pages. Nobody stands between
# here, and the server's work is the same for every mask.
_MASK = b"\x37\xfa\x21\x3d"


def client_frame(payload: bytes, first_byte: int = TEXT) -> bytes:
    """One whole masked frame of at most 65,535 bytes."""
    size = len(payload)
    masked = (int.from_bytes(payload, "little") ^ _mask(size)).to_bytes(size, "little")
    if size <= _SHORT:
        return bytes((first_byte, 0x80 | size)) + _MASK + masked
    return bytes((first_byte, 0x80 | _TWO_BYTES)) + size.to_bytes(2, "big") + _MASK + masked


@functools.lru_cache(maxsize=4096)
def _mask(size: int) -> int:
    return int.from_bytes((_MASK * (size // 4 + 1))[:size], "little")


def split_frames(data: bytes, take: Callable[[int, bytes], None]) -> bytes:
    """Hand every whole frame in `data` to `take(first_byte, payload)`; what is left over starts the next data."""
    at, end = 0, len(data)
    while end - at >= 2:
        size = data[at + 1]
        start = at + 2
        if size == _TWO_BYTES:
            start += 2
            if start > end:
                break
            size = data[at + 2] << 8 | data[at + 3]
        elif size == _EIGHT_BYTES:
            start += 8
            if start > end:
                break
            size = int.from_bytes(data[at + 2 : start], "big")
        if start + size > end:
            break
        take(data[at], data[start : start + size])
        at = start + size
    return data[at:]
