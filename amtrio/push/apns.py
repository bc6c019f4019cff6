"""Apple's push service: HTTP/2 with a token signed by the team's key (.p8), or with a certificate (PKCS#12).

Knows Apple's headers, payload and reasons. Knows nothing of when somebody is woken.
"""

from __future__ import annotations

import ssl
import tempfile
from pathlib import Path
from typing import Any, Final

import httpx
import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)

from amtrio.clock import MICROS_PER_SECOND, Clock
from amtrio.config import Push
from amtrio.model.waking import Device, Notice
from amtrio.protocol.codec import encode
from amtrio.push.provider import KEEP_SECONDS, REQUEST_SECONDS, CannotPush, Gone, TryAgain, check_status, post
from amtrio.signing import BadKey, p256_key, signed

GATES: Final = {
    "production": "https://api.push.apple.com",
    "development": "https://api.sandbox.push.apple.com",
}
# Apple wants a token to be at least 20 minutes and at most an hour old before the next one.
_REUSE_SECONDS: Final = 40 * 60
_FORBIDDEN: Final = 403
_GONE_STATUS: Final = 410
_PASSPHRASE: Final = b"for the moment between two calls"


class _Answer(msgspec.Struct, frozen=True):
    """Attributes: timestamp: of a device that is gone: since when, milliseconds since 1970."""

    reason: str = ""
    timestamp: int | None = None


class Apns:
    """A `provider.Provider`."""

    name = "apns"

    def __init__(self, settings: Push, clock: Clock, *, trust: ssl.SSLContext | None = None) -> None:
        """
        Args:
            trust: instead of the system's certificates.

        Raises:
            CannotPush: key and certificate are missing or cannot be used.
        """
        self._clock = clock
        self._topic = settings.apns_bundle_id
        self._key_id, self._team_id = settings.apns_key_id, settings.apns_team_id
        self._key: ec.EllipticCurvePrivateKey | None = None
        self._token, self._token_made = "", 0
        context = trust or httpx.create_ssl_context()
        if settings.apns_key_path is not None:
            if not self._key_id or not self._team_id:
                raise CannotPush("push.apns_key_path needs push.apns_key_id and push.apns_team_id as well")
            try:
                self._key = p256_key(_read("push.apns_key_path", settings.apns_key_path).decode("latin-1"))
            except BadKey as exc:
                raise CannotPush(f"push.apns_key_path {exc}") from exc
        elif settings.apns_cert_path is not None:
            data = _read("push.apns_cert_path", settings.apns_cert_path)
            _load_certificate(context, data, settings.apns_cert_password.encode())
        else:
            raise CannotPush("push.apns_enabled needs push.apns_key_path or push.apns_cert_path")
        self._client = httpx.AsyncClient(
            http1=False,
            http2=True,
            verify=context,
            base_url=settings.apns_url or GATES[settings.apns_environment],
            timeout=REQUEST_SECONDS,
            trust_env=False,
        )

    async def aclose(self) -> None:
        """Hang up."""
        await self._client.aclose()

    async def send(self, device: Device, notice: Notice, /) -> None:
        """
        Hand one push to Apple.

        Raises:
            Gone, TryAgain, Refused: as they say.
        """
        now = self._clock.now_us() // MICROS_PER_SECOND
        headers = {
            "apns-topic": self._topic,
            "apns-push-type": "background" if notice.is_withdrawn else "alert",
            "apns-priority": "5" if notice.is_withdrawn else "10",
            "apns-expiration": str(now + KEEP_SECONDS),
            "apns-collapse-id": notice.conversation_id[:64],
        }
        if self._key is not None:
            headers["authorization"] = f"bearer {self._provider_token(self._key, now)}"
        answer = await post(self._client, f"/3/device/{device.address}", headers, _payload(notice))
        if answer.is_success:
            return
        said = _said(answer.content)
        if answer.status_code == _GONE_STATUS:
            # It may have come back since: then the app has given its token again.
            if said.timestamp is None or said.timestamp * 1000 >= device.registered_us:
                raise Gone
        elif said.reason == "BadDeviceToken":
            raise Gone
        if answer.status_code == _FORBIDDEN and said.reason == "ExpiredProviderToken":
            self._token = ""
            raise TryAgain(said.reason, 0.0)
        check_status(
            answer.status_code,
            answer.headers.get("retry-after"),
            now_us=self._clock.now_us(),
            # Apple's own words; anybody's else might be anything.
            reason=said.reason if said.reason.isascii() and said.reason.isalnum() else "",
        )

    def _provider_token(self, key: ec.EllipticCurvePrivateKey, now: int) -> str:
        if not self._token or not 0 <= now - self._token_made < _REUSE_SECONDS:
            self._token = signed({"iss": self._team_id, "iat": now}, key, key_id=self._key_id)
            self._token_made = now
        return self._token


def _payload(notice: Notice) -> bytes:
    aps: dict[str, Any] = {"badge": notice.unread}
    if notice.is_withdrawn:
        aps |= {"content-available": 1}
    else:
        aps |= {
            "alert": {"title": notice.title, "body": notice.body},
            "sound": "default",
            "thread-id": notice.conversation_id,
        }
    about: dict[str, Any] = {"conversation_id": notice.conversation_id, "message_id": notice.message_id}
    if notice.is_withdrawn:
        about["withdraw"] = True
    return encode({"aps": aps, **about})


def _said(content: bytes) -> _Answer:
    try:
        return msgspec.json.decode(content, type=_Answer)
    except (msgspec.DecodeError, UnicodeError):
        return _Answer()


def _read(name: str, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as exc:
        raise CannotPush(f"{name}: {path} cannot be read: {exc.strerror}") from exc


def _load_certificate(context: ssl.SSLContext, data: bytes, password: bytes) -> None:
    """Show this certificate to Apple. OpenSSL takes one from files only: they live for a moment, encrypted."""
    try:
        key, certificate, others = pkcs12.load_key_and_certificates(data, password or None)
    except ValueError as exc:
        raise CannotPush("push.apns_cert_path must be PKCS#12, with its password in push.apns_cert_password") from exc
    if key is None or certificate is None:
        raise CannotPush("push.apns_cert_path holds no private key, or no certificate")
    encryption = BestAvailableEncryption(_PASSPHRASE) if password else NoEncryption()
    chain = b"".join(each.public_bytes(Encoding.PEM) for each in (certificate, *others))
    with tempfile.TemporaryDirectory() as folder:  # made with mode 0700
        file = Path(folder) / "certificate.pem"
        file.write_bytes(chain + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption))
        context.load_cert_chain(file, password=_PASSPHRASE if password else None)
