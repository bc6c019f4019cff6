"""How a webhook proves where its messages come from: a time and an HMAC over time and body.

Also for those who receive them: copy `verify`, or do as docs/bridges.md says in your language. Standard library only;
knows nothing of HTTP.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Final

HEADER: Final = "X-Amtrio-Signature"
# Clocks differ and networks are slow; an older message may be a recording.
TOLERANCE_S: Final = 300


def sign(secret: str, body: bytes, at_s: int) -> str:
    """
    The value of the header.

    Args:
        at_s: seconds since 1970 UTC.
    """
    return f"t={at_s},v1={_digest(secret, body, str(at_s))}"


def verify(secret: str, body: bytes, header: str, now_s: float, *, tolerance_s: float = TOLERANCE_S) -> bool:
    """Whether the body, as it came, was signed with the secret and not long ago. Any of several `v1` will do."""
    fields = [field.strip().partition("=") for field in header.split(",")]
    times = [value for name, _, value in fields if name == "t"]
    if len(times) != 1 or not times[0].isascii() or not times[0].isdecimal():
        return False
    if abs(now_s - int(times[0])) > tolerance_s:
        return False
    expected = _digest(secret, body, times[0]).encode()
    return any(hmac.compare_digest(expected, value.encode()) for name, _, value in fields if name == "v1")


def _digest(secret: str, body: bytes, at: str) -> str:
    return hmac.new(secret.encode(), at.encode() + b"." + body, hashlib.sha256).hexdigest()
