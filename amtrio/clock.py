"""Now, new ids and new secrets: the only source of wall-clock time and randomness.

Order never comes from here: timestamps are shown, sequence numbers order. Time-outs use Trio's clock.
"""

from __future__ import annotations

import os
import random
import re
import secrets
import threading
import time
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, Protocol

MICROS_PER_SECOND = 1_000_000
# One system call fetches the chance of so many ids: it costs as much for one as for all of them.
_POOL_BYTES: Final = 4000
_CHANCE_BYTES: Final = 10
_NONCE_BYTES: Final = 8
# The variant 0b10 and the two bits of chance beside it, as one digit.
_VARIANTS: Final = "89ab"


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

    def new_nonce(self) -> bytes:
        """8 random bytes: nobody guesses them within the life of a connection."""
        ...


class SystemClock:
    """The machine's clock and the kernel's randomness."""

    def now_us(self) -> int:
        return time.time_ns() // 1000

    def new_id(self, prefix: str, /) -> str:
        return f"{prefix}_{_uuid7(time.time_ns() // 1_000_000, _pool.take(_CHANCE_BYTES))}"

    def new_secret(self) -> str:
        return secrets.token_urlsafe(32)

    def new_nonce(self) -> bytes:
        return _pool.take(_NONCE_BYTES)


class _Pool(threading.local):
    """Random bytes in stock, for each thread its own; each is handed out once."""

    def __init__(self) -> None:
        self._bytes = b""
        self._at = 0

    def take(self, count: int) -> bytes:
        """The next `count` bytes, at most `_POOL_BYTES`."""
        end = self._at + count
        if end > len(self._bytes):
            self._bytes = os.urandom(_POOL_BYTES)
            self._at, end = 0, count
        taken = self._bytes[self._at : end]
        self._at = end
        return taken


_pool = _Pool()


def _uuid7(unix_ms: int, chance: bytes) -> str:
    """48 bits of time, the version, 12 bits of chance, the variant, 62 bits of chance; put together as text."""
    digits = chance.hex()
    return f"{unix_ms & 0xFFFF_FFFF_FFFF:012x}7{digits[:3]}{_VARIANTS[chance[9] & 0b11]}{digits[3:18]}"


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


_TIME: Final = re.compile(r"^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:?\d\d)?$")


def micros_of(text: str) -> int | None:
    """RFC 3339 with any fraction, or the older server's spelling with a space; None if neither."""
    match = _TIME.match(text.replace(" ", "+") if "+" not in text and text.count(" ") == 1 and "T" in text else text)
    if match is None:
        return None
    day, time_, fraction, zone = match.groups()
    try:
        moment = datetime.fromisoformat(f"{day}T{time_}{'+00:00' if zone in (None, 'Z') else zone}")
        return int(moment.astimezone(UTC).timestamp()) * MICROS_PER_SECOND + int((fraction or "0").ljust(6, "0")[:6])
    except (ValueError, OverflowError):
        return None


def utc_fields(at_us: int) -> tuple[int, int, int, int, int, int]:
    """Year, month, day, hour, minute and second in UTC."""
    stamp = time.gmtime(at_us // MICROS_PER_SECOND)
    return stamp.tm_year, stamp.tm_mon, stamp.tm_mday, stamp.tm_hour, stamp.tm_min, stamp.tm_sec


@lru_cache(maxsize=1024)  # what is written now shares its second; a page of history spans more
def _to_the_second(seconds: int) -> str:
    stamp = time.gmtime(seconds)
    return (
        f"{stamp.tm_year:04d}-{stamp.tm_mon:02d}-{stamp.tm_mday:02d}T"
        f"{stamp.tm_hour:02d}:{stamp.tm_min:02d}:{stamp.tm_sec:02d}"
    )
