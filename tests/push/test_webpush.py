"""Web Push: what the push service sees, and where the server lets itself be sent."""

from __future__ import annotations

import ipaddress
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import http_ece  # type: ignore[import-untyped]  # the package has no types
import pytest
import trio
from cryptography.hazmat.primitives.asymmetric import ec

from amtrio.clock import SystemClock
from amtrio.config import Push, Secret
from amtrio.model.waking import Device, Notice
from amtrio.push.provider import CannotPush, Gone, Refused, TryAgain
from amtrio.push.webpush import WebPush, encrypted
from amtrio.signing import base64url, p256_key, public_point
from tests.conftest import Journal
from tests.harness import MovableClock
from tests.push.services import VAPID_KEY, Browser, Service, open_service

LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)
NOTICE = Notice("conv_1", "msg_1", "helper", "hello ✓", 3)


def settings(**fields: Any) -> Push:
    return replace(Push(vapid_private_key=Secret(VAPID_KEY), private_networks=LOOPBACK), **fields)


def device(browser: Browser, endpoint: str = "") -> Device:
    return Device("push_1", "web", endpoint or browser.endpoint, browser.keys["p256dh"], browser.keys["auth"], True, 0)


@asynccontextmanager
async def open_webpush(clock: SystemClock | None = None, **fields: Any) -> AsyncIterator[WebPush]:
    trust = fields.pop("trust", None)
    provider = WebPush(settings(**fields), clock or SystemClock(), trust=trust)
    try:
        yield provider
    finally:
        await provider.aclose()


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    async with open_service(Service()) as service:
        yield service


def test_only_the_device_can_read_it() -> None:
    """Any length that fits into the 4096 bytes which every push service takes, and never the same bytes twice."""
    key, auth = ec.generate_private_key(ec.SECP256R1()), b"a" * 16
    device = Device(
        id="1",
        platform="web",
        address="https://push.example/1",
        p256dh=base64url(public_point(key)),
        auth=base64url(auth),
        can_withdraw=True,
        registered_us=0,
    )
    bodies = set()
    for length in (1, 100, 3900):
        for _ in range(2):
            body = encrypted(b"x" * length, device)
            assert http_ece.decrypt(body, private_key=key, auth_secret=auth, version="aes128gcm") == b"x" * length
            assert len(body) <= 4096
            bodies.add(body)
    assert len(bodies) == 6
    with pytest.raises(http_ece.ECEException):
        http_ece.decrypt(body, private_key=key, auth_secret=b"b" * 16, version="aes128gcm")


async def test_it_is_signed_for_one_push_service(service: Service) -> None:
    """One signature serves for hours, then there is a new one; whom to reach stands in it if the operator said so."""
    clock = MovableClock()
    browser = Browser(service, "phone")
    async with open_webpush(clock, vapid_subject="mailto:ops@example.org") as provider:
        signatures = []
        for days in (0.0, 0.2, 0.3, -1.0):
            clock.move(days=days)
            await provider.send(device(browser), NOTICE)
            asked = await service.next()
            if days == 0.0:
                claims = browser.check_vapid(asked)
                assert claims["sub"] == "mailto:ops@example.org"
                assert 0 < claims["exp"] - clock.now_us() / 1e6 <= 24 * 3600
            signatures.append(asked.headers["authorization"])
        assert signatures[0] == signatures[1] != signatures[2] != signatures[3]
    async with open_webpush() as provider:
        await provider.send(device(browser), NOTICE)
        asked = await service.next()
        assert "sub" not in browser.check_vapid(asked)
        assert asked.headers["host"] == service.url.removeprefix("http://")
        assert asked.headers["urgency"] == "high"


async def test_what_is_taken_back_replaces_what_was_not_delivered(service: Service) -> None:
    """The same topic, and nothing that would ring."""
    browser = Browser(service, "phone")
    async with open_webpush() as provider:
        await provider.send(device(browser), NOTICE)
        await provider.send(device(browser), Notice("conv_1", "", "", "", 0, is_withdrawn=True))
        await provider.send(device(browser), Notice("conv_2", "msg_2", "helper", "other", 0))
    first, second, third = service.asked
    assert first.headers["topic"] == second.headers["topic"] != third.headers["topic"]
    assert second.headers["urgency"] == "low"
    assert browser.read(second)["withdraw"] is True
    assert "withdraw" not in browser.read(first)


async def test_what_the_push_service_answers(service: Service) -> None:
    """Each status is what it is; a redirect is followed nowhere; an endless answer is not read."""
    browser = Browser(service, "phone")
    async with open_webpush() as provider:
        for status, error in (
            (200, None), (201, None), (202, None), (204, None), (404, Gone), (410, Gone), (301, Refused),
            (307, Refused), (400, Refused), (401, Refused), (403, Refused), (413, Refused),
            (429, TryAgain), (500, TryAgain), (503, TryAgain),
        ):  # fmt: skip
            service.answer(status, location=f"{service.url}/elsewhere", retry_after="7")
            if error is None:
                await provider.send(device(browser), NOTICE)
                continue
            with pytest.raises(error) as caught:
                await provider.send(device(browser), NOTICE)
            if isinstance(caught.value, TryAgain):
                assert caught.value.after_seconds == 7.0
            assert browser.endpoint not in str(caught.value)
        service.replies.append((503, {}, b"x" * 1_000_000))
        with pytest.raises(TryAgain):
            await provider.send(device(browser), NOTICE)
    assert "/elsewhere" not in {asked.path for asked in service.asked}


async def test_a_push_service_that_is_away(service: Service) -> None:
    """Nobody listens there, or it hangs up: it may be back later."""
    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    port = listeners[0].socket.getsockname()[1]
    await listeners[0].aclose()
    async with open_webpush() as provider:
        with pytest.raises(TryAgain):
            await provider.send(device(Browser(service, "x"), f"http://127.0.0.1:{port}/x"), NOTICE)


async def test_tls_is_checked_by_the_endpoints_name(tmp_path: Path) -> None:
    """A certificate of ours for localhost is good under that name, and nobody's certificate is not."""
    async with open_service(Service(), tls_folder=tmp_path) as service:
        # `localhost` itself is no name of a push service: one that leads there is.
        trio.socket.set_custom_hostname_resolver(Names({"push.example.org": ["127.0.0.1"]}))
        endpoint = service.url.replace("localhost", "push.example.org") + "/x"
        async with open_webpush(trust=service.context) as provider:
            with pytest.raises(TryAgain, match="ConnectError"):
                await provider.send(device(Browser(service, "x"), endpoint), NOTICE)
    assert service.asked == []


class Names(trio.abc.HostnameResolver):
    """A name service of the test's own: each look-up of a name takes the next of its answers."""

    def __init__(self, answers: dict[str, list[str]]) -> None:
        self.answers = {name: list(each) for name, each in answers.items()}
        self.asked: list[str] = []

    async def getaddrinfo(self, host: Any, port: Any, *_options: Any, **_more: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        self.asked.append(name)
        if name not in self.answers:
            raise OSError("no such name")
        found = self.answers[name]
        addresses = (found.pop(0) if len(found) > 1 else found[0]).split()
        return [
            (trio.socket.AF_INET6 if ":" in each else trio.socket.AF_INET, trio.socket.SOCK_STREAM, 6, "", (each, port))
            for each in addresses
        ]

    async def getnameinfo(self, sockaddr: Any, flags: int) -> Any:
        raise NotImplementedError


@pytest.mark.parametrize(
    "addresses", ["127.0.0.1", "10.0.0.5", "169.254.169.254", "::1", "::ffff:192.168.0.1", "10.0.0.1 127.0.0.1"]
)
async def test_a_name_that_leads_to_a_neighbour_is_refused(service: Service, addresses: str) -> None:
    """Whatever it looked like when it was registered."""
    names = Names({"push.example.org": [addresses]})
    trio.socket.set_custom_hostname_resolver(names)
    port = service.url.rpartition(":")[2]
    async with open_webpush(private_networks=()) as provider:
        with pytest.raises(Refused, match=r"^the endpoint leads to a private network$"):
            await provider.send(device(Browser(service, "x"), f"https://push.example.org:{port}/x"), NOTICE)
    assert names.asked == ["push.example.org"]
    assert service.asked == []


async def test_a_name_is_looked_up_once(service: Service) -> None:
    """What was checked is what is connected to: a second answer, which leads home, is never asked for."""
    names = Names({"push.example.org": ["192.0.2.1 127.0.0.1", "127.0.0.1"]})
    trio.socket.set_custom_hostname_resolver(names)
    async with open_webpush(private_networks=(ipaddress.ip_network("127.0.0.1/32"),)) as provider:
        # 192.0.2.1 is nobody's and is left out, so it is 127.0.0.1 that answers, and not with TLS.
        with pytest.raises(TryAgain):
            await provider.send(
                device(Browser(service, "x"), f"https://push.example.org:{service.url.rpartition(':')[2]}/x"), NOTICE
            )
    assert names.asked == ["push.example.org"]


async def test_a_name_that_is_not_found(service: Service) -> None:
    """It may be later."""
    trio.socket.set_custom_hostname_resolver(Names({}))
    async with open_webpush() as provider:
        with pytest.raises(TryAgain, match=r"^the name was not found$"):
            await provider.send(device(Browser(service, "x"), "https://push.example.org/x"), NOTICE)


async def test_what_was_allowed_once_is_checked_again(service: Service) -> None:
    """The operator has closed a network."""
    async with open_webpush(private_networks=()) as provider:
        with pytest.raises(Refused, match="endpoint must"):
            await provider.send(device(Browser(service, "x")), NOTICE)
    assert service.asked == []


def test_keys_that_are_none_stop_the_start() -> None:
    """And a public key of another pair is said to be of no use."""
    with pytest.raises(CannotPush, match=r"^push\.vapid_private_key must be a private key"):
        WebPush(settings(vapid_private_key=Secret("none of it")), SystemClock())


def test_a_public_key_of_another_pair_is_of_no_use(journal: Journal) -> None:
    WebPush(settings(vapid_public_key=base64url(public_point(p256_key(VAPID_KEY))) + "="), SystemClock())
    assert journal.entries == []
    WebPush(settings(vapid_public_key="BElse"), SystemClock())
    assert [entry["event"] for entry in journal.entries] == ["vapid_public_key_ignored"]
