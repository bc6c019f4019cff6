"""Apple's push service: HTTP/2 over TLS, tokens or a certificate, payload and answers."""

from __future__ import annotations

import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import jwt
import pytest
import trio
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    NoEncryption,
    load_pem_private_key,
    pkcs12,
)

from amtrio.clock import SystemClock
from amtrio.config import Push, Secret
from amtrio.model.waking import Device, Notice
from amtrio.push.apns import GATES, Apns
from amtrio.push.provider import CannotPush, Gone, Refused, TryAgain
from tests.contract.certificates import make_certificate
from tests.harness import MovableClock
from tests.push.services import Service, open_service, pem

KEY = ec.generate_private_key(ec.SECP256R1())
PHONE = Device("push_1", "ios", "a1b2c3", "", "", True, 2_000_000)
NOTICE = Notice("conv_1", "msg_1", "helper", "hello ✓", 3)


@pytest.fixture
async def apple(tmp_path: Path) -> AsyncIterator[Service]:
    (tmp_path / "apple").mkdir()
    async with open_service(Service(usual=(200, {}, b"")), tls_folder=tmp_path / "apple") as apple:
        yield apple


def settings(folder: Path, **fields: Any) -> Push:
    path = folder / "AuthKey.p8"
    path.write_bytes(pem(KEY))
    known = Push(
        apns_enabled=True,
        apns_bundle_id="org.example.am",
        apns_key_path=path,
        apns_key_id="KEY1234567",
        apns_team_id="TEAM123456",
    )
    return replace(known, **fields)


@asynccontextmanager
async def open_apns(
    apple: Service, folder: Path, clock: SystemClock | None = None, **fields: Any
) -> AsyncIterator[Apns]:
    provider = Apns(settings(folder, apns_url=apple.url, **fields), clock or SystemClock(), trust=apple.context)
    try:
        yield provider
    finally:
        await provider.aclose()


async def test_what_an_app_is_sent(apple: Service, tmp_path: Path) -> None:
    """With all of Apple's headers; the badge is what is unread; taking back neither rings nor shows anything."""
    clock = SystemClock()
    async with open_apns(apple, tmp_path, clock) as provider:
        await provider.send(PHONE, NOTICE)
        await provider.send(PHONE, Notice("conv_1", "", "", "", 2, is_withdrawn=True))
    shown, withdrawn = apple.asked
    assert (shown.path, shown.http_version) == ("/3/device/a1b2c3", "2")
    assert shown.json == {
        "aps": {
            "badge": 3, "alert": {"title": "helper", "body": "hello ✓"}, "sound": "default", "thread-id": "conv_1",
        },
        "conversation_id": "conv_1",
        "message_id": "msg_1",
    }  # fmt: skip
    headers = {name: value for name, value in shown.headers.items() if name.startswith("apns-")}
    assert int(headers.pop("apns-expiration")) > clock.now_us() / 1e6
    assert headers == {
        "apns-topic": "org.example.am", "apns-push-type": "alert", "apns-priority": "10", "apns-collapse-id": "conv_1",
    }  # fmt: skip
    assert withdrawn.json["aps"] == {"badge": 2, "content-available": 1}
    assert withdrawn.json["withdraw"] is True
    assert (withdrawn.headers["apns-push-type"], withdrawn.headers["apns-priority"]) == ("background", "5")
    assert withdrawn.headers["apns-collapse-id"] == "conv_1"


async def test_a_token_is_signed_and_used_again(apple: Service, tmp_path: Path) -> None:
    """Not made anew within 20 minutes, never older than an hour, and anew when Apple says that it is too old."""
    clock = MovableClock()
    async with open_apns(apple, tmp_path, clock) as provider:
        tokens = []
        for minutes in (0, 21, 21):
            clock.move(days=minutes / 1440)
            await provider.send(PHONE, NOTICE)
            tokens.append(apple.asked[-1].headers["authorization"].removeprefix("bearer "))
        assert tokens[0] == tokens[1] != tokens[2]
        claims = jwt.decode(tokens[0], KEY.public_key(), algorithms=["ES256"])
        assert claims["iss"] == "TEAM123456"
        assert jwt.get_unverified_header(tokens[0])["kid"] == "KEY1234567"
        apple.answer(403, {"reason": "ExpiredProviderToken"})
        with pytest.raises(TryAgain) as caught:
            await provider.send(PHONE, NOTICE)
        assert caught.value.after_seconds == 0.0
        clock.move(days=1 / 1440)
        await provider.send(PHONE, NOTICE)
        assert apple.asked[-1].headers["authorization"] != apple.asked[-2].headers["authorization"]


async def test_what_apple_answers(apple: Service, tmp_path: Path) -> None:
    """A device is gone for good, unless its app has given the same token again since."""
    async with open_apns(apple, tmp_path) as provider:
        for status, body, error, text in (
            (410, {"reason": "Unregistered", "timestamp": 2000}, Gone, ""),
            (410, {"reason": "Unregistered"}, Gone, ""),
            (410, {"reason": "Unregistered", "timestamp": 1999}, Refused, "HTTP 410 Unregistered"),
            (400, {"reason": "BadDeviceToken"}, Gone, ""),
            (400, {"reason": "TopicDisallowed"}, Refused, "HTTP 400 TopicDisallowed"),
            (403, {"reason": "InvalidProviderToken"}, Refused, "HTTP 403 InvalidProviderToken"),
            (400, {"reason": "no words, please"}, Refused, "HTTP 400"),
            (413, None, Refused, "HTTP 413"),
            (429, {"reason": "TooManyRequests"}, TryAgain, "HTTP 429 TooManyRequests"),
            (503, {"reason": 5}, TryAgain, "HTTP 503"),
        ):
            apple.answer(status, body, retry_after="9")
            with pytest.raises(error) as caught:
                await provider.send(PHONE, NOTICE)
            assert str(caught.value) == text
            if isinstance(caught.value, TryAgain):
                assert caught.value.after_seconds == 9.0


async def test_many_pushes_share_a_connection(apple: Service, tmp_path: Path) -> None:
    """As HTTP/2 has it."""
    async with open_apns(apple, tmp_path) as provider, trio.open_nursery() as nursery:
        for _ in range(50):
            nursery.start_soon(provider.send, PHONE, NOTICE)
    assert len(apple.asked) == 50


async def test_whoever_is_not_apple_is_sent_nothing(apple: Service, tmp_path: Path) -> None:
    """Its certificate says so; and nobody there is no end of it."""
    stranger = Apns(settings(tmp_path, apns_url=apple.url), SystemClock())
    with pytest.raises(TryAgain, match=r"^ConnectError$"):
        await stranger.send(PHONE, NOTICE)
    await stranger.aclose()
    assert apple.asked == []


def pkcs12_file(folder: Path, password: str) -> Path:
    certificate, key = make_certificate(folder)
    encryption = BestAvailableEncryption(password.encode()) if password else NoEncryption()
    loaded = load_pem_private_key(key.read_bytes(), None)
    assert isinstance(loaded, ec.EllipticCurvePrivateKey)
    data = pkcs12.serialize_key_and_certificates(
        b"push", loaded, x509.load_pem_x509_certificate(certificate.read_bytes()), None, encryption
    )
    path = folder / "push.p12"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("password", ["", "a password"])
async def test_a_certificate_instead_of_a_key(apple: Service, tmp_path: Path, password: str) -> None:
    """Then no token is sent; the certificate is shown to whoever asks for one."""
    path = pkcs12_file(tmp_path, password)
    fields: dict[str, Any] = {"apns_key_path": None, "apns_cert_path": path, "apns_cert_password": Secret(password)}
    async with open_apns(apple, tmp_path, **fields) as provider:
        await provider.send(PHONE, NOTICE)
    assert "authorization" not in apple.asked[0].headers
    with pytest.raises(CannotPush, match="PKCS#12, with its password"):
        Apns(settings(tmp_path, **fields | {"apns_cert_password": Secret("another")}), SystemClock())


def test_what_cannot_be_used_stops_the_start(tmp_path: Path) -> None:
    """Each time with what to do, and nothing is made on the disk."""
    missing = tmp_path / "folder" / "key.p8"
    spoilt = tmp_path / "spoilt.p8"
    spoilt.write_bytes(b"\xff\xfe")
    for fields, rule in (
        ({"apns_key_path": None}, "needs push.apns_key_path or push.apns_cert_path"),
        ({"apns_key_path": missing}, r"key\.p8 cannot be read: No such file"),
        ({"apns_key_path": spoilt}, "must be a private key on P-256"),
        ({"apns_key_id": ""}, "needs push.apns_key_id and push.apns_team_id"),
        ({"apns_team_id": ""}, "needs push.apns_key_id and push.apns_team_id"),
        ({"apns_key_path": None, "apns_cert_path": missing}, "cannot be read"),
        ({"apns_key_path": None, "apns_cert_path": spoilt}, "must be PKCS#12"),
    ):
        with pytest.raises(CannotPush, match=rule):
            Apns(settings(tmp_path, **fields), SystemClock())
    assert not missing.parent.exists()


def test_the_gates_are_apples() -> None:
    """Which one is a setting."""
    assert set(GATES) == {"development", "production"}
    assert json.dumps(GATES).count("push.apple.com") == 2
    assert ssl.OPENSSL_VERSION
