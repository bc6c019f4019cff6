"""A failure as an HTTP answer: one shape for REST and for refused upgrades.

Knows errors and headers; knows no framework, no request and no socket.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import msgspec

from amtrio.errors import AmtrioError, Retry, Unauthorized
from amtrio.protocol.codec import encode

JSON = "application/json"


class ErrorBody(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """
    Why something was refused.

    Attributes:
        error: for people. code: one word for programs, stable.
        status: the HTTP status in words. retry: `no`, `after_ms` or `same_client_id`; see docs/protocol.md.
        retry_after_ms: how long to wait, milliseconds; only with `after_ms`.
        details: what a program needs beside the code to go on; its fields depend on the code.
    """

    error: str
    code: str
    status: str
    retry: Retry
    retry_after_ms: int | None = None
    details: dict[str, Any] | None = None


def error_body(error: AmtrioError) -> bytes:
    """`{"error": text, "code": word, "status": reason phrase, "retry": rule}`."""
    body = ErrorBody(
        error=str(error),
        code=error.code,
        status=HTTPStatus(error.http).phrase,
        retry=error.retry,
        retry_after_ms=error.retry_after_ms,
        details=dict(error.details) if error.details is not None else None,
    )
    return encode(body) + b"\n"


def error_headers(error: AmtrioError) -> dict[str, str]:
    """What goes with it: when to come back (RFC 9110, 10.2.3), how to prove oneself (11.6.1)."""
    headers = {"Content-Type": JSON}
    if error.retry_after_ms is not None:
        headers["Retry-After"] = str(max(1, -(-error.retry_after_ms // 1000)))
    if isinstance(error, Unauthorized):
        headers["WWW-Authenticate"] = "Bearer"
    headers.update(error.headers)
    return headers
