"""Web Push: browsers, and whatever else speaks RFC 8030, such as UnifiedPush.

Encrypts for the device (RFC 8291, aes128gcm of RFC 8188), so that the push service reads nothing, and signs as this
server (RFC 8292, VAPID). Knows that endpoints come from people: the server is not sent to its own neighbours. Knows
nothing of when somebody is woken.
"""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import Iterable, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

import httpcore
import httpx
import msgspec
import structlog
import trio

from amtrio.clock import MICROS_PER_SECOND, Clock
from amtrio.config import Push
from amtrio.destinations import as_address, check_endpoint, is_allowed
from amtrio.errors import Malformed
from amtrio.model.waking import Device, Notice
from amtrio.protocol.codec import encode
from amtrio.push.provider import KEEP_SECONDS, REQUEST_SECONDS, CannotPush, Gone, Refused, TryAgain, check_status
from amtrio.signing import BadKey, base64url, p256_key, public_point, signed

log = structlog.stdlib.get_logger(__name__)

# RFC 8292, 2: at most 24 hours. Made anew when half of it is over.
_TOKEN_SECONDS: Final = 12 * 3600
_REUSE_SECONDS: Final = 6 * 3600
_MAX_TOKENS: Final = 1000
_GONE: Final = frozenset({404, 410})
_CONNECTIONS: Final = 50
_MAX_ANSWER_BYTES: Final = 16 * 1024


class Payload(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the service worker of a web client is handed."""

    title: str
    body: str
    tag: str
    conversation_id: str
    message_id: str
    url: str
    unread: int
    withdraw: bool = False


class WebPush:
    """A `provider.Provider`."""

    name = "webpush"

    def __init__(self, settings: Push, clock: Clock, *, trust: ssl.SSLContext | None = None) -> None:
        """
        Args:
            settings: with a private key. trust: instead of the system's certificates.

        Raises:
            CannotPush: the key is none.
        """
        try:
            self._key = p256_key(settings.vapid_private_key.reveal())
        except BadKey as exc:
            raise CannotPush(f"push.vapid_private_key {exc}") from exc
        self._public = base64url(public_point(self._key))
        if settings.vapid_public_key and settings.vapid_public_key.rstrip("=") != self._public:
            log.warning("vapid_public_key_ignored", reason="it is not that of push.vapid_private_key")
        self._subject = settings.vapid_subject
        self._private = settings.private_networks
        self._clock = clock
        self._tokens: dict[str, tuple[str, int]] = {}
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=trust or httpx.create_ssl_context(),
            max_connections=_CONNECTIONS,
            keepalive_expiry=30.0,
            network_backend=_Guarded(self._private),
        )

    async def aclose(self) -> None:
        """Hang up."""
        await self._pool.aclose()

    async def send(self, device: Device, notice: Notice, /) -> None:
        """
        Hand one push to the device's push service.

        Raises:
            Gone, TryAgain, Refused: as they say.
        """
        try:
            check_endpoint(device.address, self._private)
        except Malformed as exc:
            # It was good when it was registered; the settings have changed.
            raise Refused(str(exc)) from exc
        headers = {
            "Authorization": self._authorization(device.address),
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(KEEP_SECONDS),
            "Urgency": "low" if notice.is_withdrawn else "high",
            "Topic": _topic(notice),
        }
        body = await trio.to_thread.run_sync(encrypted, _payload(notice), device)
        try:
            status, retry_after = await self._post(device.address, headers, body)
        except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError) as exc:
            raise TryAgain(type(exc).__name__) from exc
        if status in _GONE:
            raise Gone
        check_status(status, retry_after, now_us=self._clock.now_us())

    async def _post(self, url: str, headers: dict[str, str], body: bytes) -> tuple[int, str]:
        """Status and `Retry-After` of the answer; no redirect is followed."""
        async with self._pool.stream(
            "POST",
            url,
            headers=[(name.encode(), value.encode()) for name, value in headers.items()],
            content=body,
            extensions={"timeout": dict.fromkeys(("connect", "read", "write", "pool"), REQUEST_SECONDS)},
        ) as answer:
            told = {name.lower(): value for name, value in answer.headers}
            length = told.get(b"content-length", b"")
            if length.isdigit() and int(length) <= _MAX_ANSWER_BYTES:
                # Only so that the connection can be used again; what may have no end is hung up on.
                await answer.aread()
            return answer.status, told.get(b"retry-after", b"").decode("latin-1")

    def _authorization(self, endpoint: str) -> str:
        """One token serves all devices at one push service for some hours."""
        parts = urlsplit(endpoint)
        audience = f"{parts.scheme}://{parts.netloc}"
        now = self._clock.now_us() // MICROS_PER_SECOND
        token, made = self._tokens.get(audience, ("", 0))
        if not 0 <= now - made < _REUSE_SECONDS:
            claims: dict[str, Any] = {"aud": audience, "exp": now + _TOKEN_SECONDS}
            if self._subject:
                claims["sub"] = self._subject
            token = signed(claims, self._key)
            if len(self._tokens) >= _MAX_TOKENS:
                self._tokens.clear()
            self._tokens[audience] = (token, now)
        return f"vapid t={token}, k={self._public}"


def _payload(notice: Notice) -> bytes:
    return encode(
        Payload(
            title=notice.title,
            body=notice.body,
            tag=notice.tag,
            conversation_id=notice.conversation_id,
            message_id=notice.message_id,
            # Beside the service worker, wherever the web client is served.
            url=f"./?conversation={notice.conversation_id}",
            unread=notice.unread,
            withdraw=notice.is_withdrawn,
        )
    )


def _topic(notice: Notice) -> str:
    """What a push service has not delivered yet is replaced by the newer one: 32 characters (RFC 8030, 5.4)."""
    return base64url(hashlib.blake2b(notice.tag.encode(), digest_size=24).digest())


def encrypted(plain: bytes, device: Device) -> bytes:
    """
    A body that only the device can read, in one record of RFC 8188.

    Source: RFC 8291, 3.4.
    """
    # Imported by whoever pushes first: it brings HTTP clients along, of which nothing is used here, since Trio waits
    # for the push service itself; a server that wakes nobody does not load them.
    from pywebpush import WebPusher  # type: ignore[import-untyped]  # noqa: PLC0415 - the package has no types

    keys = {"p256dh": device.p256dh, "auth": device.auth}
    body: bytes = WebPusher({"endpoint": device.address, "keys": keys}).encode(plain)["body"]
    return body


class _Guarded(httpcore.AsyncNetworkBackend):
    """
    Connects where `destinations.is_allowed` says that the server may be sent.

    A name is looked up here and what was found is what is connected to: a second look could find something else.
    """

    def __init__(self, private: Sequence[Any]) -> None:
        self._private = private
        self._network = httpcore.TrioBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the backend's signature
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """
        Raises:
            Refused: it leads to a private network. TryAgain: nothing was found, or it does not answer.
        """
        with trio.move_on_after(timeout if timeout is not None else REQUEST_SECONDS) as limit:
            found = await _addresses(host, port)
        if limit.cancelled_caught:
            raise TryAgain("the name was not resolved in time")
        allowed = [each for each in found if (address := as_address(each)) and is_allowed(address, self._private)]
        if not allowed:
            raise Refused("the endpoint leads to a private network")
        failed: httpcore.NetworkError | httpcore.TimeoutException | None = None
        for each in allowed[:2]:  # one of either family, or the next one of the same
            try:
                return await self._network.connect_tcp(each, port, timeout, local_address, socket_options)
            except (httpcore.NetworkError, httpcore.TimeoutException) as exc:
                failed = exc
        assert failed is not None, "there was one to try"
        raise failed

    async def sleep(self, seconds: float) -> None:
        """As every backend can."""
        await trio.sleep(seconds)


async def _addresses(host: str, port: int) -> list[str]:
    """What a name leads to, in the system's order of preference, those of another family right behind the first."""
    try:
        rows = await trio.socket.getaddrinfo(host, port, type=trio.socket.SOCK_STREAM)
    except OSError as exc:
        raise TryAgain("the name was not found") from exc
    found = list(dict.fromkeys(str(row[4][0]) for row in rows))
    other = next((each for each in found if (":" in each) != (":" in found[0])), None)
    return [found[0], other, *(each for each in found[1:] if each != other)] if other is not None else found
