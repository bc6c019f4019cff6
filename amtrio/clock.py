"""Now, new ids and new secrets: the only source of wall-clock time and randomness.

Order never comes from here: timestamps are shown, sequence numbers order. Time-outs use Trio's clock.
"""

from __future__ import annotations

import os
import random
import secrets
import threading
import time
from functools import lru_cache
from typing import Final, Protocol

MICROS_PER_SECOND = 1_000_000
# One system call fetches the chance of so many ids: it costs as much for one as for all of them.
_POOL_BYTES: Final = 4000
_CHANCE_BYTES: Final = 10


class Clock(Protocol):
    """What the rest of the program may ask of time and chance; tests inject another one."""

    def now_us(self) -> int:
        """Wall-clock time, microseconds since 1970 UTC. May jump either way."""
        ...

    def new_id(self, prefix: str, /) -> str:
        """`prefix_` and a UUIDv7 in 32 hexadecimal digits (RFC 9562, 5.7)."""
        ...

    def new_secret(self) -> str:
        """43 URL-safe characters that hold 256 random bits."""
        ...


class SystemClock:
    """The machine's clock and the kernel's randomness."""

    def __init__(self) -> None:
        # A pool per thread, so that no two ids can share bytes.
        self._pool = _Pool()

    def now_us(self) -> int:
        return time.time_ns() // 1000

    def new_id(self, prefix: str, /) -> str:
        return f"{prefix}_{_uuid7(time.time_ns() // 1_000_000, self._pool.take(_CHANCE_BYTES))}"

    def new_secret(self) -> str:
        return secrets.token_urlsafe(32)


class _Pool(threading.local):
    """Random bytes in stock; each is handed out once."""

    def __init__(self) -> None:
        self._bytes = b""
        self._at = 0

    def take(self, count: int) -> bytes:
        """`count` bytes, at most `_POOL_BYTES`."""
        end = self._at + count
        if end > len(self._bytes):
            self._bytes = os.urandom(_POOL_BYTES)
            self._at, end = 0, count
        taken = self._bytes[self._at : end]
        self._at = end
        return taken


def _uuid7(unix_ms: int, chance: bytes) -> str:
    bits = int.from_bytes(chance, "big")
    rand_a = bits & 0xFFF
    rand_b = bits >> 18  # 62 of the 80 bits, none shared with rand_a
    value = (unix_ms & 0xFFFF_FFFF_FFFF) << 80 | 0x7 << 76 | rand_a << 64 | 0b10 << 62 | rand_b
    return f"{value:032x}"


def jitter(seconds: float) -> float:
    """`seconds`, up to a fifth more or less, so that what failed together does not come back together."""
    return seconds * random.uniform(0.8, 1.2)  # noqa: S311 - spreads load, guards nothing


def rfc3339(at_us: int) -> str:
    """
    `2026-11-22T17:07:01.123Z`: exactly three fraction digits and `Z`.

    The one form that every known client parses and that sorts as text.
    """
    seconds, micros = divmod(at_us, MICROS_PER_SECOND)
    return f"{_to_the_second(seconds)}.{micros // 1000:03d}Z"


@lru_cache(maxsize=1024)  # what is written now shares its second; a page of history spans more
def _to_the_second(seconds: int) -> str:
    stamp = time.gmtime(seconds)
    return (
        f"{stamp.tm_year:04d}-{stamp.tm_mon:02d}-{stamp.tm_mday:02d}T"
        f"{stamp.tm_hour:02d}:{stamp.tm_min:02d}:{stamp.tm_sec:02d}"
    )
