"""Who is let in: version, origin, credential and place of every socket."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from trio_websocket import ConnectionClosed

from amtrio.context import Principal
from amtrio.errors import Malformed
from amtrio.transports.handshakes import with_device
from tests.harness import ADMIN_SECRET, AGENT_SECRET, Json, Person, Scene, open_scene, open_socket


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with open_scene(tmp_path) as scene:
        yield scene


@pytest.fixture
async def alice(scene: Scene) -> Person:
    return await scene.register("alice")


@pytest.mark.parametrize(
    ("offers", "query", "spoken", "answered"),
    [
        (["v1"], "", "v1", "v1"),
        (["v2"], "", "v2", "v2"),
        (["v2", "v1"], "", "v2", "v2"),
        (["v1", "v2"], "", "v1", "v1"),
        (["chat", "v2"], "", "v2", "v2"),
        ([], "", "v1", None),
        (["chat"], "", "v1", None),
        ([], "&protocol_version=v2", "v2", None),
        ([], "&protocol_version=v9", "v1", None),
        (["v1"], "&protocol_version=v2", "v1", "v1"),
    ],
)
async def test_the_first_version_that_both_speak(
    scene: Scene, alice: Person, offers: list[str], query: str, spoken: str, answered: str | None
) -> None:
    """RFC 6455, 4.2.2: only what was offered is answered, or older clients abort; `connected` comes first."""
    url = f"{scene.ws_url}/client/connect?token={alice.token}{query}"
    headers = [(b"Authorization", f"Bearer {alice.token}".encode())]
    async with open_socket(url, subprotocols=offers, extra_headers=headers) as socket:
        assert socket.subprotocol == answered
        if spoken == "v2":
            await socket.send_message('{"type":"hello","data":{}}')
        greeting = json.loads(await socket.get_message())
        assert (greeting["type"], greeting["data"]["protocol_version"]) == ("connected", spoken)
        assert ("user_id" in greeting["data"]) == (spoken == "v1")


async def test_v2_never_takes_a_credential_from_the_url(scene: Scene, alice: Person) -> None:
    """It would stand in logs of proxies."""
    await scene.register_agent("helper")
    for path in (f"/client/connect?token={alice.token}", f"/agent/connect?agent_id=helper&agent_secret={AGENT_SECRET}"):
        async with open_socket(scene.ws_url + path, subprotocols=["v2"]) as socket:
            await socket.send_message('{"type":"hello","data":{"agent_id":"helper"}}')
            assert json.loads(await socket.get_message())["data"]["code"] == "unauthorized"
            with pytest.raises(ConnectionClosed) as closed:
                await socket.get_message()
            assert closed.value.reason is not None
            assert closed.value.reason.code == 4401


@pytest.mark.parametrize("kind", ["header", "hello"])
async def test_an_agent_proves_itself_by_header_or_hello(scene: Scene, kind: str) -> None:
    agent = await scene.register_agent("helper")
    headers = [(b"Authorization", f"Bearer {AGENT_SECRET}".encode()), (b"X-Agent-ID", b"helper")]
    hello: Json = {} if kind == "header" else {"token": agent.secret, "agent_id": "helper"}
    async with open_socket(
        f"{scene.ws_url}/agent/connect", subprotocols=["v2"], extra_headers=headers if kind == "header" else []
    ) as socket:
        await socket.send_message(json.dumps({"type": "hello", "ref": 7, "data": hello}))
        greeting = json.loads(await socket.get_message())
        assert (greeting["type"], greeting["data"]["kind"], greeting["data"]["id"]) == ("connected", "agent", "helper")


async def test_v1_takes_the_token_from_the_header_too(scene: Scene, alice: Person) -> None:
    """The Android app sends it there."""
    headers = [(b"Authorization", f"Bearer {alice.token}".encode()), (b"User-Agent", b"okhttp/4.12.0")]
    async with open_socket(f"{scene.ws_url}/client/connect?user_id=x", extra_headers=headers) as socket:
        assert json.loads(await socket.get_message())["data"]["id"] == alice.id


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [
        ("/client/connect", 401, "missing token parameter"),
        ("/client/connect?token=x", 401, "authentication failed: the token is malformed"),
        ("/agent/connect", 400, "missing agent_id parameter"),
        ("/agent/connect?agent_id=helper", 401, "missing agent_secret parameter"),
        ("/agent/connect?agent_id=helper&agent_secret=x", 401, "authentication failed: invalid agent secret"),
        ("/agent/connect?agent_id=a%20b&agent_secret=x", 400, "agent_id must be"),
    ],
)
async def test_refusals_before_the_upgrade(scene: Scene, path: str, status: int, text: str) -> None:
    """In the older server's words, in the one shape of errors."""
    answer = await scene.knock(path)
    assert answer.status_code == status
    assert answer.json()["error"].startswith(text)
    assert answer.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("field", ["name", "model", "personality", "specialty"])
async def test_a_card_in_the_url_has_the_bounds_of_any_card(scene: Scene, alice: Person, field: str) -> None:
    """And an agent that is refused for it is not registered."""
    path = f"/agent/connect?agent_id=newcomer&agent_secret={AGENT_SECRET}&{field}={'x' * 2001}"
    answer = await scene.knock(path)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")
    assert field in answer.json()["error"]
    assert await scene.get("/agents", alice) == []


@pytest.mark.parametrize("device_id", ["a b", "x" * 65, "a/b", "ä", "a\n"])
async def test_device_ids_of_another_shape(scene: Scene, alice: Person, device_id: str) -> None:
    """Refused on v1 before the upgrade, on v2 with 4400."""
    params = f"/client/connect?token={alice.token}&device_id="
    answer = await scene.knock(params + "".join(f"%{byte:02x}" for byte in device_id.encode()))
    assert answer.status_code == 400
    async with open_socket(f"{scene.ws_url}/client/connect", subprotocols=["v2"]) as socket:
        hello = {"token": alice.token, "device_id": device_id}
        await socket.send_message(json.dumps({"type": "hello", "data": hello}))
        assert json.loads(await socket.get_message())["data"]["code"] == "malformed"
        with pytest.raises(ConnectionClosed) as closed:
            await socket.get_message()
        assert closed.value.reason is not None
        assert closed.value.reason.code == 4400


@pytest.mark.parametrize(
    "frame",
    ['{"type":"message","data":{}}', "nonsense", '{"type":"hello","data":{"since":"x"}}', '{"type":"ping"}', "[]"],
)
async def test_whatever_is_no_hello_ends_the_socket(scene: Scene, frame: str) -> None:
    """With an error frame that says why, and 4400."""
    async with open_socket(f"{scene.ws_url}/client/connect", subprotocols=["v2"]) as socket:
        await socket.send_message(frame)
        assert json.loads(await socket.get_message())["data"]["code"] == "malformed"
        with pytest.raises(ConnectionClosed) as closed:
            await socket.get_message()
        assert closed.value.reason is not None
        assert closed.value.reason.code == 4400


@pytest.mark.parametrize(
    ("origin", "is_let_in"),
    [
        (None, True),
        ("https://app.example", True),
        ("https://evil.example", False),
        ("http://OWN", True),
        ("null", False),
    ],
)
async def test_pages_of_other_hosts_stay_out(tmp_path: Path, origin: str | None, is_let_in: bool) -> None:  # noqa: FBT001 - a parameter
    """Unless they are listed; programs send no Origin, one's own host always may."""
    async with open_scene(tmp_path, server={"cors_allowed_origins": ("https://app.example",)}) as scene:
        alice = await scene.register("alice")
        own = f"127.0.0.1:{scene.running.port}"
        url = f"/client/connect?token={alice.token}"
        if is_let_in:
            headers = [] if origin is None else [(b"Origin", origin.replace("OWN", own).encode())]
            async with open_socket(scene.ws_url + url, extra_headers=headers) as socket:
                assert json.loads(await socket.get_message())["type"] == "connected"
        else:
            assert origin is not None
            answer = await scene.knock(url, headers={"Origin": origin})
            assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


async def test_guessing_is_limited_by_address(tmp_path: Path) -> None:
    """Forwarded addresses count only from trusted proxies, so nobody gets a new budget by writing one."""
    async with open_scene(tmp_path, auth={"attempts_per_minute": 3}) as scene:
        statuses = []
        for number in range(5):
            headers = {"X-Forwarded-For": f"9.9.9.{number}"}
            answer = await scene.knock("/client/connect?token=guess", headers=headers)
            statuses.append(answer.status_code)
        assert statuses == [401, 401, 401, 429, 429]
        assert int(answer.headers["Retry-After"]) > 0


async def test_admin_secrets_open_no_socket(scene: Scene) -> None:
    for path in ("/client/connect", "/agent/connect?agent_id=x"):
        assert (await scene.knock(path, headers={"Authorization": f"Bearer {ADMIN_SECRET}"})).status_code == 401


def test_a_device_has_its_own_cursor_an_agent_has_one() -> None:
    person = Principal("user", "1", "u:1", "alice", "ses", "ses")
    assert with_device(person, None) is person
    assert with_device(person, "phone").device == "d:phone"
    agent = Principal("agent", "x", "a:x", "x", "s", "agent")
    assert with_device(agent, "anything").device == "agent"
    with pytest.raises(Malformed):
        with_device(person, "")


async def test_a_long_name_does_not_push_the_wait_out_of_the_close(scene: Scene) -> None:
    """4409's text holds the seconds to wait, whatever the agent is called."""
    agent = await scene.register_agent("a" * 64)
    async with scene.device(agent), scene.device(agent), scene.device(agent):
        async with open_socket(f"{scene.ws_url}/agent/connect", subprotocols=["v2"]) as socket:
            await socket.send_message(
                json.dumps({"type": "hello", "data": {"agent_id": agent.id, "token": AGENT_SECRET}})
            )
            assert json.loads(await socket.get_message())["data"]["code"] == "replacement_loop"
            with pytest.raises(ConnectionClosed) as closed:
                await socket.get_message()
        assert closed.value.reason is not None
        assert closed.value.reason.code == 4409
        assert str(closed.value.reason.reason).endswith("; retry after 60 s")
