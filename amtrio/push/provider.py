"""What a push is, and what a service that delivers pushes may answer: the contract of `webpush`, `apns` and `fcm`.

Knows shapes and HTTP statuses. Knows no service, no SQL and nothing of when somebody is woken.
"""

from __future__ import annotations

import email.utils
from typing import Final, Protocol

import httpx

from amtrio.model.waking import Device, Notice

# For so long a service keeps what a device that is switched off has not taken.
KEEP_SECONDS: Final = 24 * 3600
REQUEST_SECONDS: Final = 15.0
_OK: Final = range(200, 300)
_TOO_MANY: Final = 429
_SERVER_ERROR: Final = 500


class CannotPush(Exception):
    """A service is switched on and cannot be used as it is set up; the text says what to do."""


class Gone(Exception):
    """The service knows no such device any more: forget it."""


class TryAgain(Exception):
    """
    It may go well later.

    Attributes:
        after_seconds: as the service asked for, if it did.
    """

    def __init__(self, reason: str, after_seconds: float | None = None) -> None:
        super().__init__(reason)
        self.after_seconds = after_seconds


class Refused(Exception):
    """It will never go well; the text says why, without the address and the words of the push."""


class Provider(Protocol):
    """A service that delivers pushes to one kind of device."""

    @property
    def name(self) -> str:
        """For metrics and traces: webpush, apns or fcm."""
        ...

    async def send(self, device: Device, notice: Notice, /) -> None:
        """
        Hand over one push.

        Raises:
            Gone, TryAgain, Refused: as they say.
        """
        ...

    async def aclose(self) -> None:
        """Hang up."""
        ...


def check_status(status: int, retry_after: str | None, *, now_us: int, reason: str = "") -> None:
    """
    What the status of an answer means, as far as all services agree.

    Raises:
        TryAgain: too many requests, or a fault of the service. Refused: any other failure.
    """
    if status in _OK:
        return
    text = f"HTTP {status} {reason}".strip()
    if status == _TOO_MANY or status >= _SERVER_ERROR:
        raise TryAgain(text, _seconds(retry_after, now_us))
    raise Refused(text)


def _seconds(retry_after: str | None, now_us: int) -> float | None:
    """`Retry-After`, which is a number of seconds or a date (RFC 9110, 10.2.3)."""
    if not retry_after:
        return None
    if retry_after.strip().isdecimal() and retry_after.isascii():
        return float(retry_after)
    try:
        moment = email.utils.parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    return max(0.0, moment.timestamp() - now_us / 1e6)


async def post(client: httpx.AsyncClient, url: str, headers: dict[str, str], content: bytes) -> httpx.Response:
    """
    One request to a service that the operator chose.

    Raises:
        TryAgain: the network failed.
    """
    try:
        return await client.post(url, headers=headers, content=content)
    except httpx.TransportError as exc:
        # Its text may hold the URL, and the URL a token.
        raise TryAgain(type(exc).__name__) from exc
