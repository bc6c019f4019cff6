"""Google's push service: tokens, payload and answers."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trio

from amtrio.clock import SystemClock
from amtrio.config import Push
from amtrio.model.waking import Device, Notice
from amtrio.push.fcm import Fcm
from amtrio.push.provider import CannotPush, Gone, Refused, TryAgain
from tests.harness import MovableClock
from tests.push.services import Google, open_service

PHONE = Device("push_1", "android", "fcm:token-1", "", "", True, 0)
NOTICE = Notice("conv_1", "msg_1", "helper", "hello ✓", 3)


@pytest.fixture
async def google() -> AsyncIterator[Google]:
    async with open_service(Google()) as google:
        assert isinstance(google, Google)
        yield google


@asynccontextmanager
async def open_fcm(google: Google, folder: Path, clock: SystemClock | None = None) -> AsyncIterator[Fcm]:
    settings = Push(fcm_credentials_path=google.write_account(folder), fcm_url=google.url)
    provider = Fcm(settings, clock or SystemClock())
    try:
        yield provider
    finally:
        await provider.aclose()


def sent(google: Google) -> list[Any]:
    return [asked.json["message"] for asked in google.asked if asked.path != "/token"]


async def test_what_an_app_is_sent(google: Google, tmp_path: Path) -> None:
    """Data alone, all of it text, under the names that the shipped app reads; taking back does not ring."""
    async with open_fcm(google, tmp_path) as provider:
        await provider.send(PHONE, NOTICE)
        await provider.send(PHONE, Notice("conv_1", "", "", "", 0, is_withdrawn=True))
    shown, withdrawn = sent(google)
    assert shown == {
        "token": "fcm:token-1",
        "data": {
            "title": "helper", "body": "hello ✓", "conversation_id": "conv_1", "message_id": "msg_1",
            "channel": "agent_messenger_messages", "tag": "conversation-conv_1", "unread": "3",
        },
        "android": {"priority": "HIGH", "collapse_key": "conversation-conv_1", "ttl": "86400s"},
    }  # fmt: skip
    assert withdrawn["data"]["withdraw"] == "true"
    assert withdrawn["android"]["priority"] == "NORMAL"
    assert withdrawn["android"]["collapse_key"] == shown["android"]["collapse_key"]


async def test_one_access_token_serves_all(google: Google, tmp_path: Path) -> None:
    """Whoever comes while it is fetched waits for it; it is renewed before it ends, and when Google has dropped it."""
    clock = MovableClock()
    async with open_fcm(google, tmp_path, clock) as provider:
        async with trio.open_nursery() as nursery:
            for _ in range(5):
                nursery.start_soon(provider.send, PHONE, NOTICE)
        assert google.tokens == 1
        clock.move(days=0.9 / 24)
        await provider.send(PHONE, NOTICE)
        assert google.tokens == 1
        clock.move(days=0.1 / 24)
        await provider.send(PHONE, NOTICE)
        assert google.tokens == 2
        google.tokens = 77  # and ours is unknown
        with pytest.raises(TryAgain) as caught:
            await provider.send(PHONE, NOTICE)
        assert caught.value.after_seconds == 0.0
        await provider.send(PHONE, NOTICE)
        assert google.tokens == 78
        clock.move(days=-1000)
        await provider.send(PHONE, NOTICE)


async def test_what_google_answers(google: Google, tmp_path: Path) -> None:
    """An app that was removed is gone; a project that is not found is not."""
    unregistered = {"error": {"status": "NOT_FOUND", "details": [{"@type": "x"}, {"errorCode": "UNREGISTERED"}]}}
    async with open_fcm(google, tmp_path) as provider:
        for status, body, error, text in (
            (404, unregistered, Gone, ""),
            (404, {"error": {"status": "NOT_FOUND"}}, Refused, "HTTP 404 NOT_FOUND"),
            (400, {"error": {"status": "INVALID_ARGUMENT"}}, Refused, "HTTP 400 INVALID_ARGUMENT"),
            (403, {"error": {"status": "no words, please"}}, Refused, "HTTP 403"),
            (400, {"error": []}, Refused, "HTTP 400"),
            (429, {"error": {"status": "QUOTA_EXCEEDED"}}, TryAgain, "HTTP 429 QUOTA_EXCEEDED"),
            (503, None, TryAgain, "HTTP 503"),
        ):  # fmt: skip
            google.answer(status, body, retry_after="30")
            with pytest.raises(error) as caught:
                await provider.send(PHONE, NOTICE)
            assert str(caught.value) == text
            if isinstance(caught.value, TryAgain):
                assert caught.value.after_seconds == 30.0


async def test_without_an_access_token_nothing_is_sent(
    google: Google, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Refused is refused; an answer without one may be better next time; nobody there neither."""
    async with open_fcm(google, tmp_path) as provider:
        for reply, error in (
            ((400, {}, b'{"error": "invalid_grant"}'), Refused),
            ((503, {}, b""), TryAgain),
            ((200, {}, b"{}"), TryAgain),
            ((200, {}, b"\xff"), TryAgain),
        ):
            monkeypatch.setattr(google, "reply_to", lambda _asked, reply=reply: reply)
            with pytest.raises(error):
                await provider.send(PHONE, NOTICE)
    assert sent(google) == []


async def test_google_is_away(google: Google, tmp_path: Path) -> None:
    async with open_fcm(google, tmp_path) as provider:
        account = json.loads((tmp_path / "service-account.json").read_text())
        listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
        port = listeners[0].socket.getsockname()[1]
        await listeners[0].aclose()
        assert account["token_uri"].startswith(google.url)
        away = Fcm(
            Push(fcm_credentials_path=tmp_path / "service-account.json", fcm_url=f"http://127.0.0.1:{port}"),
            SystemClock(),
        )
        with pytest.raises(TryAgain, match=r"^ConnectError$"):
            await away.send(PHONE, NOTICE)
        await away.aclose()
        await provider.send(PHONE, NOTICE)


def test_an_account_that_is_none_stops_the_start(tmp_path: Path) -> None:
    """Each time with what to do, and nothing is made on the disk."""
    path = tmp_path / "folder" / "account.json"
    with pytest.raises(CannotPush, match=r"^push\.fcm_enabled needs push\.fcm_credentials_path$"):
        Fcm(Push(), SystemClock())
    with pytest.raises(CannotPush, match=r"account\.json cannot be read: No such file"):
        Fcm(Push(fcm_credentials_path=path), SystemClock())
    assert not path.parent.exists()
    path.parent.mkdir()
    for text, rule in (
        ("{", "is no service account"),
        ("{}", "is no service account"),
        ('{"project_id": "p", "client_email": "x", "private_key": "y"}', "must be a private RSA key"),
    ):
        path.write_text(text)
        with pytest.raises(CannotPush, match=rule):
            Fcm(Push(fcm_credentials_path=path), SystemClock())
