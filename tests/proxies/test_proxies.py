"""The server behind real nginx and real Caddy, with the configuration that is shipped in deploy/."""

from __future__ import annotations

import ipaddress
import os
import subprocess
from base64 import b64encode
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import trio

from amtrio.client import Backoff, Connection
from amtrio.client.events import MessagePosted, Offline
from amtrio.config import Network
from amtrio.protocol.session import Close
from tests.harness import AGENT_SECRET, PASSWORD, PATIENCE_SECONDS, open_scene
from tests.proxies.reverse import (
    NAMES,
    Proxy,
    behind,
    caddy_config,
    caddy_environment,
    find,
    nginx_config,
    open_proxy,
    reserved_ports,
)

pytestmark = pytest.mark.proxy

# Longer than two turns of the server's 1 Hz wheel, within which it pings.
SILENCE_SECONDS = 3
# What a client at another address than the proxy's is in these tests.
SOMEBODY, SOMEBODY_ELSE = "127.0.0.2", "127.0.0.3"
FORGED = "203.0.113.7"
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": b64encode(b"0123456789abcdef").decode(),
}


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Of the proxy, beside the server's data."""
    made = tmp_path / "proxy"
    made.mkdir()
    return made


@pytest.fixture
async def proxy(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Proxy]:
    async with open_proxy(name, folder) as running:
        # OpenSSL's own setting, and so everybody's here: httpx, trio-websocket and the client library.
        monkeypatch.setenv("SSL_CERT_FILE", str(running.trusted))
        yield running


def networks(*texts: str) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(text) for text in texts)


async def sign_in(http: httpx.AsyncClient, **headers: str) -> str:
    """Sign in; the address that the server remembers of it."""
    answer = await http.post("/auth/login", json={"username": "alice", "password": PASSWORD}, headers=headers)
    assert answer.status_code == 200, answer.text
    token = answer.json()["token"]
    listed = await http.get("/auth/sessions", headers={"Authorization": f"Bearer {token}"})
    return next(str(each["address"]) for each in listed.json()["sessions"] if each["current"])


# ------------------------------------------------------------------------------------------------ what passes through


async def test_both_protocols_and_rest(proxy: Proxy, tmp_path: Path) -> None:
    """People and agents of both protocols talk through the proxy, and REST tells what was said."""
    async with behind(proxy, tmp_path) as scene:
        alice, helper, oldie = (
            await scene.register("alice"),
            await scene.register_agent("helper"),
            await scene.register_agent("oldie"),
        )
        talk, old_talk = await scene.conversation(alice, helper), await scene.conversation(alice, oldie)
        async with (
            scene.device(alice, "phone") as phone,
            scene.old_device(alice, "tablet") as tablet,
            scene.device(helper) as agent,
            scene.old_device(oldie) as old_agent,
        ):
            await phone.send(talk, "hello")
            assert (await agent.next("message"))["content"] == "hello"
            await agent.send(talk, "hello yourself")
            for device in (phone, tablet):
                assert (await device.next("message", sender_type="agent"))["content"] == "hello yourself"
            await tablet.send(old_talk, "and you?")
            assert (await old_agent.next("message"))["content"] == "and you?"
            await old_agent.send(old_talk, "quite well")
            assert (await phone.next("message", content="quite well"))["conversation_id"] == old_talk
        history = await scene.get(f"/conversations/{talk}/messages", alice)
        assert [each["content"] for each in history] == ["hello", "hello yourself"]


async def test_http2_from_outside(proxy: Proxy, tmp_path: Path) -> None:
    """Browsers come by HTTP/2; the proxy turns it into what the server is asked in."""
    async with behind(proxy, tmp_path), proxy.client(http2=True) as browser:
        answer = await browser.get("/health")
        assert (answer.http_version, answer.status_code) == ("HTTP/2", 200)
        assert answer.json()["status"] == "ok"


async def test_plain_http_is_sent_to_tls(proxy: Proxy) -> None:
    """Without TLS nothing is served, not even refused: the answer names the place that has it."""
    async with httpx.AsyncClient(timeout=PATIENCE_SECONDS) as http:
        answer = await http.get(f"http://localhost:{proxy.plain_port}/agents?limit=1")
        assert answer.status_code in {301, 308}
        assert answer.headers["Location"].startswith("https://localhost")
        assert answer.headers["Location"].endswith("/agents?limit=1")


async def test_big_messages(proxy: Proxy, tmp_path: Path) -> None:
    """A message of 60 KiB arrives whole, in both protocols and both directions."""
    async with behind(proxy, tmp_path) as scene:
        alice, helper = await scene.register("alice"), await scene.register_agent("helper")
        talk = await scene.conversation(alice, helper)
        async with scene.device(alice, "phone") as phone, scene.old_device(helper) as agent:
            question, answer = "q" * 60 * 1024, "a" * 60 * 1024
            await phone.send(talk, question)
            assert (await agent.next("message"))["content"] == question
            await agent.send(talk, answer)
            assert (await phone.next("message", sender_type="agent"))["content"] == answer


async def test_a_body_that_is_too_large(proxy: Proxy, tmp_path: Path) -> None:
    """How large is too large is the server's to say, in its own words."""
    async with behind(proxy, tmp_path, server={"max_body_bytes": 64 * 1024}) as scene:
        alice = await scene.register("alice")
        answer = await scene.http.post("/conversations", content=b'"' + b"x" * 80 * 1024 + b'"', headers=alice.headers)
        assert answer.status_code == 413
        assert answer.json()["code"] == "too_large"


async def test_refusals_keep_their_text(proxy: Proxy, tmp_path: Path) -> None:
    """Who is not let in learns why: status, body and Retry-After of a refused upgrade pass through."""
    async with behind(proxy, tmp_path) as scene:
        refused = await scene.http.get("/client/connect", params={"token": "wrong"}, headers=UPGRADE)
        assert (refused.status_code, refused.json()["code"]) == (401, "unauthorized")

        helper = await scene.register_agent("helper")
        async with (
            scene.old_device(helper) as first,
            scene.old_device(helper) as second,
            scene.old_device(helper) as holder,
        ):
            for replaced in (first, second):
                code, _ = await replaced.closed()
                assert code == Close.REPLACED
            query = {"agent_id": helper.id, "agent_secret": helper.secret}
            refused = await scene.http.get("/agent/connect", params=query, headers=UPGRADE)
            assert refused.status_code == 409
            assert "two programs" in refused.json()["error"]
            assert int(refused.headers["Retry-After"]) > 0
            await holder.say("ping")
            await holder.next("pong")


# --------------------------------------------------------------------------------------------- connections and silence


async def test_an_upgrade_on_a_connection_that_nginx_kept(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """nginx sends an upgrade as the third request of a connection it has used before, and the socket works."""
    async with open_proxy("nginx", folder) as proxy:
        monkeypatch.setenv("SSL_CERT_FILE", str(proxy.trusted))
        async with behind(proxy, tmp_path) as scene:
            alice, helper = await scene.register("alice"), await scene.register_agent("helper")
            assert scene.running.server.connections == 1  # two requests, and it is kept
            async with scene.device(alice, "phone") as phone:
                assert scene.running.server.connections == 1  # not a second one: the socket took it over
                talk = await scene.conversation(alice, helper)
                assert scene.running.server.connections == 2
                async with scene.old_device(helper) as agent:
                    assert scene.running.server.connections == 2
                    await phone.send(talk, "hello")
                    assert (await agent.next("message"))["content"] == "hello"


@pytest.mark.slow
async def test_a_long_silence(name: str, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sockets on which nobody says anything outlive the proxy's patience, because the server pings."""
    async with open_proxy(name, folder, silence_seconds=SILENCE_SECONDS) as proxy:
        monkeypatch.setenv("SSL_CERT_FILE", str(proxy.trusted))
        async with behind(proxy, tmp_path, sessions={"ping_every_s": 1.0}) as scene:
            alice, helper = await scene.register("alice"), await scene.register_agent("helper")
            talk = await scene.conversation(alice, helper)
            async with scene.device(alice, "phone") as phone, scene.old_device(helper) as agent:
                # The proxies' clock is the wall clock: there is no other way than to wait.
                await trio.sleep(SILENCE_SECONDS * 2)
                await phone.send(talk, "still there?")
                assert (await agent.next("message"))["content"] == "still there?"


@pytest.mark.slow
async def test_a_silence_without_pings(
    name: str, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same proxies cut a socket when the server is silent too: it is the pings that keep it."""
    async with open_proxy(name, folder, silence_seconds=SILENCE_SECONDS) as proxy:
        monkeypatch.setenv("SSL_CERT_FILE", str(proxy.trusted))
        async with behind(proxy, tmp_path, sessions={"ping_every_s": 50.0}) as scene:
            alice = await scene.register("alice")
            async with scene.device(alice, "phone") as phone:
                code, _ = await phone.closed()
                assert code in {1001, 1006}


# ------------------------------------------------------------------------------------------------------------ restarts


async def test_a_restart_behind_the_proxy(proxy: Proxy, tmp_path: Path) -> None:
    """Sockets are told of the restart by its code, and a device that returns gets what it missed, once."""
    async with behind(proxy, tmp_path) as scene:
        alice, helper = await scene.register("alice"), await scene.register_agent("helper")
        talk = await scene.conversation(alice, helper)
        async with scene.device(alice, "phone") as phone, scene.old_device(helper) as agent:
            await phone.caught_up()
            await phone.ack()
            seen, epoch = phone.seq, phone.greeting["data"]["epoch"]
            scene.running.stop.request(Close.RESTART, "the server restarts")
            for device in (phone, agent):
                assert await device.closed() == (1012, "the server restarts")
    async with behind(proxy, tmp_path) as scene:
        async with scene.old_device(helper) as agent:
            for number in range(20):
                await agent.send(talk, f"news {number}")
        async with scene.device(alice, "phone", since=seen, epoch=epoch) as phone:
            heard = [(await phone.next("message"))["content"] for _ in range(20)]
        assert heard == [f"news {number}" for number in range(20)]


async def test_the_client_library_rides_out_a_restart(proxy: Proxy, tmp_path: Path) -> None:
    """A program that uses the client library notices no more of a restart than a pause."""
    async with behind(proxy, tmp_path) as scene:
        alice, helper = await scene.register("alice"), await scene.register_agent("helper")
        talk = await scene.conversation(alice, helper)
    backoff = Backoff(first_s=0.05, longest_s=0.2)
    async with Connection(proxy.url, token=alice.token, device_id="phone", backoff=backoff) as connection:
        async with behind(proxy, tmp_path) as scene, scene.device(helper) as agent:
            await agent.send(talk, "before")
            heard = await messages(connection, 1)
        with trio.fail_after(PATIENCE_SECONDS):
            while not isinstance(await anext(connection), Offline):
                pass
        async with behind(proxy, tmp_path) as scene, scene.device(helper) as agent:
            for number in range(5):
                await agent.send(talk, f"after {number}")
            heard += await messages(connection, 5)
            await connection.send_message("welcome back", conversation_id=talk)
            assert (await agent.next("message", sender_type="client"))["content"] == "welcome back"
    assert heard == ["before", *(f"after {number}" for number in range(5))]


async def messages(connection: Connection, count: int) -> list[str]:
    found: list[str] = []
    with trio.fail_after(PATIENCE_SECONDS):
        while len(found) < count:
            event = await anext(connection)
            if isinstance(event, MessagePosted):
                found.append(event.message.content)
    return found


@pytest.mark.slow  # Caddy waits ten seconds for a server to return
async def test_no_credential_in_the_logs(proxy: Proxy, tmp_path: Path) -> None:
    """The older protocol's credentials stand in the URL, and in no log of the proxy: neither at work nor while down."""
    async with behind(proxy, tmp_path) as scene:
        alice, helper = await scene.register("alice"), await scene.register_agent("helper")
        async with scene.old_device(alice), scene.old_device(helper):
            pass
        await scene.get("/agents", helper)
    urls = (
        f"/agent/connect?agent_id={helper.id}&agent_secret={helper.secret}",
        f"/client/connect?token={alice.token}",
        f"/agent/connect/?agent_id={helper.id}&agent_secret={helper.secret}",
    )
    async with proxy.client() as http, trio.open_nursery() as nursery:
        for url in urls:
            nursery.start_soon(refused_while_down, http, url)
    logs = proxy.logs()
    assert "/agent/connect" in logs
    for secret in (AGENT_SECRET, alice.token):
        assert secret not in logs


async def refused_while_down(http: httpx.AsyncClient, url: str) -> None:
    answer = await http.get(url, headers=UPGRADE, timeout=30.0)
    assert answer.status_code in {502, 503}


# ----------------------------------------------------------------------------------------------------------- addresses


async def test_the_address_of_a_client_behind_a_trusted_proxy(proxy: Proxy, tmp_path: Path) -> None:
    """With the proxy trusted, a client is known by the address that the proxy saw, whatever it says of itself."""
    async with behind(proxy, tmp_path, server={"trusted_proxies": networks("127.0.0.1")}) as scene:
        await scene.register("alice")
        async with proxy.client(address=SOMEBODY) as http:
            assert await sign_in(http) == SOMEBODY
            assert await sign_in(http, **{"X-Forwarded-For": FORGED}) == SOMEBODY
            assert await sign_in(http, **{"X-Forwarded-For": f"{FORGED}, 127.0.0.1"}) == SOMEBODY


async def test_the_address_of_a_client_behind_a_proxy_that_is_not_trusted(proxy: Proxy, tmp_path: Path) -> None:
    """Without `trusted_proxies` nobody's word counts: all come from where they connect from."""
    async with behind(proxy, tmp_path) as scene:
        await scene.register("alice")
        async with proxy.client(address=SOMEBODY) as http:
            assert await sign_in(http, **{"X-Forwarded-For": FORGED}) == "127.0.0.1"


async def test_going_round_a_trusted_proxy(tmp_path: Path) -> None:
    """Who reaches the server itself is no proxy, and the header is only what a stranger says."""
    async with open_scene(tmp_path, server={"trusted_proxies": networks("127.0.0.1")}) as scene:
        await scene.register("alice")
        transport = httpx.AsyncHTTPTransport(local_address=SOMEBODY)
        async with httpx.AsyncClient(base_url=scene.http.base_url, transport=transport) as http:
            assert await sign_in(http, **{"X-Forwarded-For": FORGED}) == SOMEBODY


async def test_a_proxy_that_adds_a_line_of_its_own(tmp_path: Path) -> None:
    """
    Some proxies append a second X-Forwarded-For line and leave the client's own before it; both are one list.

    Source: RFC 9110, 5.3.
    """
    lines = [("X-Forwarded-For", FORGED), ("X-Forwarded-For", SOMEBODY)]
    async with open_scene(
        tmp_path, server={"trusted_proxies": networks("127.0.0.1")}, auth={"attempts_per_minute": 1}
    ) as scene:
        statuses = []
        for last in (SOMEBODY, SOMEBODY, SOMEBODY_ELSE):
            headers = [*UPGRADE.items(), ("X-Forwarded-For", FORGED), ("X-Forwarded-For", last)]
            answer = await scene.http.get("/client/connect", params={"token": "a guess"}, headers=headers)
            statuses.append(answer.status_code)
        assert statuses == [401, 429, 401]
        answer = await scene.http.post(
            "/auth/register", json={"username": "alice", "password": PASSWORD}, headers=lines
        )
        listed = await scene.http.get("/auth/sessions", headers={"Authorization": f"Bearer {answer.json()['token']}"})
        assert [each["address"] for each in listed.json()["sessions"]] == [SOMEBODY]


async def test_failed_attempts_on_sockets_count_by_address(proxy: Proxy, tmp_path: Path) -> None:
    """Who guesses tokens cannot have a new budget by writing another address, and uses up nobody else's."""
    async with behind(
        proxy, tmp_path, server={"trusted_proxies": networks("127.0.0.1")}, auth={"attempts_per_minute": 2}
    ):
        async with proxy.client(address=SOMEBODY) as guesser:
            statuses = [await guess(guesser, f"203.0.113.{number}") for number in range(3)]
        async with proxy.client(address=SOMEBODY_ELSE) as other:
            statuses.append(await guess(other, FORGED))
    assert statuses == [401, 401, 429, 401]


async def guess(http: httpx.AsyncClient, claimed: str) -> int:
    headers = {**UPGRADE, "X-Forwarded-For": claimed}
    return (await http.get("/client/connect", params={"token": "a guess"}, headers=headers)).status_code


# --------------------------------------------------------------------------------------------------- the files as such


def test_the_files_are_valid(name: str, folder: Path) -> None:
    """The programs themselves find nothing to warn of in their files."""
    program = find(name)
    with reserved_ports(3) as (port, plain_port, upstream_port):
        proxy = Proxy(name, port, plain_port, upstream_port, trusted=folder, folder=folder)
        if name == "nginx":
            options = ["-e", f"{folder}/error.log", "-p", str(folder), "-t", "-c", str(nginx_config(proxy))]
        else:
            options = ["validate", "--adapter", "caddyfile", "--config", str(caddy_config(proxy))]
        done = subprocess.run(
            [str(program), *options],
            env=os.environ | caddy_environment(proxy),
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    assert "[warn]" not in done.stderr
    assert '"level":"warn"' not in done.stderr
