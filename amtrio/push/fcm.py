"""Google's push service, FCM HTTP v1: data messages, sent as a service account.

Knows Google's tokens, payload and errors. Knows nothing of when somebody is woken.
"""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import httpx
import msgspec
import trio

from amtrio.clock import MICROS_PER_SECOND, Clock
from amtrio.config import Push
from amtrio.model.waking import Device, Notice
from amtrio.protocol.codec import encode
from amtrio.push.provider import KEEP_SECONDS, REQUEST_SECONDS, CannotPush, Gone, TryAgain, check_status, post
from amtrio.signing import BadKey, rsa_key, signed

URL: Final = "https://fcm.googleapis.com"
SCOPE: Final = "https://www.googleapis.com/auth/firebase.messaging"
# The channel that the shipped app makes.
CHANNEL: Final = "agent_messenger_messages"
_GRANT: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_ASSERTION_SECONDS: Final = 3600
# An access token is renewed this long before it ends.
_MARGIN_SECONDS: Final = 300
_UNAUTHORIZED: Final = 401


class _Account(msgspec.Struct, frozen=True):
    """What of a service account's file is of use here."""

    project_id: str
    client_email: str
    private_key: str
    private_key_id: str = ""
    token_uri: str = "https://oauth2.googleapis.com/token"  # noqa: S105 - where tokens come from


class _Token(msgspec.Struct, frozen=True):
    access_token: str
    expires_in: int = 3600


class _Detail(msgspec.Struct, frozen=True):
    code: str = msgspec.field(name="errorCode", default="")


class _Error(msgspec.Struct, frozen=True):
    status: str = ""
    details: list[_Detail] = []


class _Answer(msgspec.Struct, frozen=True):
    error: _Error = _Error()


class Fcm:
    """A `provider.Provider`."""

    name = "fcm"

    def __init__(self, settings: Push, clock: Clock, *, trust: ssl.SSLContext | None = None) -> None:
        """
        Args:
            trust: instead of the system's certificates.

        Raises:
            CannotPush: the service account is missing or cannot be used.
        """
        path = settings.fcm_credentials_path
        if path is None:
            raise CannotPush("push.fcm_enabled needs push.fcm_credentials_path")
        self._account, self._key = _load(path)
        self._clock = clock
        self._url = f"{(settings.fcm_url or URL).rstrip('/')}/v1/projects/{self._account.project_id}/messages:send"
        self._token, self._token_ends = "", 0
        self._renewing = trio.Lock()
        self._client = httpx.AsyncClient(
            http2=True, verify=trust or httpx.create_ssl_context(), timeout=REQUEST_SECONDS, trust_env=False
        )

    async def aclose(self) -> None:
        """Hang up."""
        await self._client.aclose()

    async def send(self, device: Device, notice: Notice, /) -> None:
        """
        Hand one push to Google.

        Raises:
            Gone, TryAgain, Refused: as they say.
        """
        token = await self._access_token()
        headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
        answer = await post(self._client, self._url, headers, _payload(device.address, notice))
        if answer.is_success:
            return
        error = _error(answer.content)
        if any(detail.code == "UNREGISTERED" for detail in error.details):
            raise Gone
        if answer.status_code == _UNAUTHORIZED:
            if self._token == token:
                self._token = ""
            raise TryAgain("HTTP 401", 0.0)
        reason = error.status if error.status.isascii() and error.status.isidentifier() else ""
        check_status(answer.status_code, answer.headers.get("retry-after"), now_us=self._clock.now_us(), reason=reason)

    async def _access_token(self) -> str:
        """One serves all devices for an hour; who comes while it is fetched waits for it."""
        async with self._renewing:
            now = self._clock.now_us() // MICROS_PER_SECOND
            if self._token and now < self._token_ends <= now + 2 * _ASSERTION_SECONDS:
                return self._token
            account = self._account
            claims = {
                "iss": account.client_email,
                "scope": SCOPE,
                "aud": account.token_uri,
                "iat": now,
                "exp": now + _ASSERTION_SECONDS,
            }
            form = {"grant_type": _GRANT, "assertion": signed(claims, self._key, key_id=account.private_key_id)}
            headers = {"content-type": "application/x-www-form-urlencoded"}
            answer = await post(self._client, account.token_uri, headers, urlencode(form).encode())
            check_status(
                answer.status_code,
                answer.headers.get("retry-after"),
                now_us=self._clock.now_us(),
                reason="for an access token",
            )
            try:
                token = msgspec.json.decode(answer.content, type=_Token)
            except (msgspec.DecodeError, UnicodeError) as exc:
                raise TryAgain("no access token in the answer") from exc
            self._token, self._token_ends = token.access_token, now + token.expires_in - _MARGIN_SECONDS
            return self._token


def _payload(token: str, notice: Notice) -> bytes:
    """Data alone: the app shows it itself, and can take it back."""
    data = {
        "title": notice.title,
        "body": notice.body,
        "conversation_id": notice.conversation_id,
        "message_id": notice.message_id,
        "channel": CHANNEL,
        "tag": notice.tag,
        "unread": str(notice.unread),
    }
    if notice.is_withdrawn:
        data["withdraw"] = "true"
    android: dict[str, Any] = {
        "priority": "NORMAL" if notice.is_withdrawn else "HIGH",
        "collapse_key": notice.tag,
        "ttl": f"{KEEP_SECONDS}s",
    }
    return encode({"message": {"token": token, "data": data, "android": android}})


def _error(content: bytes) -> _Error:
    try:
        return msgspec.json.decode(content, type=_Answer).error
    except (msgspec.DecodeError, UnicodeError):
        return _Error()


def _load(path: Path) -> tuple[_Account, Any]:
    try:
        account = msgspec.json.decode(path.read_bytes(), type=_Account)
        return account, rsa_key(account.private_key)
    except OSError as exc:
        raise CannotPush(f"push.fcm_credentials_path: {path} cannot be read: {exc.strerror}") from exc
    except (msgspec.DecodeError, UnicodeError) as exc:
        raise CannotPush(f"push.fcm_credentials_path: {path} is no service account (JSON)") from exc
    except BadKey as exc:
        raise CannotPush(f"push.fcm_credentials_path: private_key of {path} {exc}") from exc
