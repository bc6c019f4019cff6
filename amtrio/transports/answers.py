"""A failure as an HTTP answer: one shape for REST and for refused upgrades.

Knows errors and headers; knows no framework, no request and no socket.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from amtrio.errors import AmtrioError, Unauthorized
from amtrio.protocol.codec import encode

JSON = "application/json"


def error_body(error: AmtrioError) -> bytes:
    """`{"error": text, "code": word, "status": reason phrase, "retry": rule}`."""
    body: dict[str, Any] = {
        "error": str(error),
        "code": error.code,
        "status": HTTPStatus(error.http).phrase,
        "retry": error.retry,
    }
    if error.retry_after_ms is not None:
        body["retry_after_ms"] = error.retry_after_ms
    return encode(body) + b"\n"


def error_headers(error: AmtrioError) -> dict[str, str]:
    """What goes with it: when to come back (RFC 9110, 10.2.3), how to prove oneself (11.6.1)."""
    headers = {"Content-Type": JSON}
    if error.retry_after_ms is not None:
        headers["Retry-After"] = str(max(1, -(-error.retry_after_ms // 1000)))
    if isinstance(error, Unauthorized):
        headers["WWW-Authenticate"] = "Bearer"
    return headers
