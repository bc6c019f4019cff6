"""Every feature's routes over HTTP: shapes, errors, budgets, headers; whichever feature answers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from amtrio.feature import registry
from tests.harness import ADMIN_SECRET, AGENT_SECRET, Person, Scene, open_scene

ROUTES = [(route.method, route.path, route.who) for route in registry.routes]


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with open_scene(tmp_path) as scene:
        yield scene


@pytest.fixture
async def alice(scene: Scene) -> Person:
    return await scene.register("alice")


def filled(path: str) -> str:
    return path.replace("<conversation_id>", "c1").replace("<message_id>", "m1").replace("<session_id>", "s1")


async def test_every_route_refuses_who_does_not_prove_himself(scene: Scene) -> None:
    """401 in the one shape of errors, before anything of the request is looked at."""
    for method, path, who in ROUTES:
        if who == "anyone":
            continue
        for headers in ({}, {"Authorization": "Bearer x"}, {"X-Agent-ID": "x", "X-Agent-Secret": "y"}):
            answer = await scene.http.request(method, filled(path), headers=headers, content=b"{broken")
            assert answer.status_code == 401, (method, path, headers)
            body = answer.json()
            assert set(body) == {"error", "code", "status", "retry"}
            assert (body["code"], body["status"]) == ("unauthorized", "Unauthorized")
            assert answer.headers["WWW-Authenticate"] == "Bearer"


async def test_every_route_for_people_refuses_agents(scene: Scene) -> None:
    agent = await scene.register_agent("helper")
    for method, path, who in ROUTES:
        if who == "user":
            answer = await scene.http.request(method, filled(path), headers=agent.headers)
            assert (answer.status_code, answer.json()["code"]) == (403, "forbidden"), path


@pytest.mark.parametrize("content", [b"{broken", b"[]", b"5", b"\xff\xfe", b'{"a":' * 3000])
async def test_every_route_refuses_what_is_no_object(scene: Scene, alice: Person, content: bytes) -> None:
    """400, never a failure of ours."""
    headers = alice.headers | {"X-Admin-Secret": ADMIN_SECRET}
    for method, path, _ in ROUTES:
        if method in {"POST", "PUT", "PATCH"}:
            answer = await scene.http.request(method, filled(path), headers=headers, content=content)
            assert (answer.status_code, answer.json()["code"]) == (400, "malformed"), path


@pytest.mark.parametrize("value", [None, 5, -(2**70), [], {}, "", "x" * 5000, "\x00", "\U0001f600", True])
async def test_every_route_survives_any_value_in_any_field(scene: Scene, alice: Person, value: Any) -> None:
    """Refused or taken, never a failure of ours; nothing is logged as an error."""
    headers = alice.headers | {"X-Admin-Secret": ADMIN_SECRET, "X-Agent-Secret": AGENT_SECRET}
    for route in registry.routes:
        if route.path in {"/auth/logout"}:
            continue
        fields = dict.fromkeys(route.shape.__struct_encode_fields__, value)
        if route.method in {"GET", "DELETE"}:
            query = {name: str(each) for name, each in fields.items()}
            answer = await scene.http.request(route.method, filled(route.path), headers=headers, params=query)
        else:
            answer = await scene.http.request(route.method, filled(route.path), headers=headers, json=fields)
        assert answer.status_code < 500, (route.method, route.path, answer.text)


async def test_what_is_not_there(scene: Scene) -> None:
    """A path, a method, a path that speaks sockets only."""
    answer = await scene.http.get("/nowhere")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    answer = await scene.http.put("/agents")
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert set(answer.headers["Allow"].replace(" ", "").split(",")) >= {"GET"}
    answer = await scene.http.get("/client/connect")
    assert (answer.status_code, answer.json()["code"]) == (426, "upgrade_required")
    assert answer.headers["Upgrade"] == "websocket"


async def test_doubled_slashes_are_one(scene: Scene, alice: Person) -> None:
    """Without a redirect, which would turn a POST into a GET; an app joins its base address so."""
    answer = await scene.http.post("//auth/login", json={"username": "alice", "password": "correct horse battery"})
    assert answer.status_code == 200


@pytest.mark.parametrize("prefix", ["Bearer ", "bearer ", ""])
async def test_a_token_with_or_without_its_scheme(scene: Scene, alice: Person, prefix: str) -> None:
    answer = await scene.http.get("/agents", headers={"Authorization": prefix + alice.token})
    assert answer.status_code == 200


async def test_wherever_get_is_answered_head_is(scene: Scene, alice: Person) -> None:
    for path in ("/health", "/agents", "/conversations", "/version"):
        answer = await scene.http.head(path, headers=alice.headers)
        assert (answer.status_code, answer.content) == (200, b"")


async def test_preflights_are_answered_before_anything_is_proved(tmp_path: Path) -> None:
    """And cost no attempt; every header that clients send is allowed."""
    async with open_scene(tmp_path, auth={"attempts_per_minute": 1}) as scene:
        for _ in range(5):
            for path in ("/auth/login", "/admin/agents", "/conversations"):
                answer = await scene.http.options(path, headers={"Origin": "https://app.example"})
                assert (answer.status_code, answer.content) == (204, b"")
        allowed = answer.headers["Access-Control-Allow-Headers"].lower()
        for name in ("x-requested-with", "x-csrf-token", "x-admin-secret", "x-agent-id", "x-request-id", "authorization"):
            assert name in allowed
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        answer = await scene.http.post("/auth/login", json={"username": "alice", "password": "wrong password"})
        assert answer.status_code == 401


async def test_origins_that_are_listed(tmp_path: Path) -> None:
    """Named back with Vary; others get no permission, but an answer."""
    async with open_scene(tmp_path, server={"cors_allowed_origins": ("https://app.example",)}) as scene:
        answer = await scene.http.get("/health", headers={"Origin": "https://app.example"})
        assert answer.headers["Access-Control-Allow-Origin"] == "https://app.example"
        assert "Origin" in answer.headers["Vary"]
        answer = await scene.http.get("/health", headers={"Origin": "https://evil.example"})
        assert answer.status_code == 200
        assert "Access-Control-Allow-Origin" not in answer.headers


async def test_request_ids_are_echoed_if_they_are_harmless(scene: Scene) -> None:
    answer = await scene.http.get("/health", headers={"X-Request-ID": "abc-1.2_3"})
    assert answer.headers["X-Request-ID"] == "abc-1.2_3"
    for bad in ("x" * 65, "a b", '"><script>'):
        answer = await scene.http.get("/health", headers={"X-Request-ID": bad})
        assert answer.headers["X-Request-ID"].startswith("req_")


async def test_every_answer_is_safe_in_a_browser(scene: Scene) -> None:
    for path in ("/health", "/nowhere", "/agents"):
        headers = (await scene.http.get(path)).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert "default-src 'none'" in headers["Content-Security-Policy"]


async def test_the_budget_of_requests_is_the_accounts(tmp_path: Path) -> None:
    async with open_scene(tmp_path, limits={"requests_per_minute": 3}) as scene:
        alice, bob = await scene.register("alice"), await scene.register("bob")
        statuses = [(await scene.http.get("/agents", headers=alice.headers)).status_code for _ in range(5)]
        assert statuses == [200, 200, 200, 429, 429]
        assert (await scene.http.get("/agents", headers=bob.headers)).status_code == 200
        assert (await scene.http.get("/health")).status_code == 200


async def test_a_body_above_the_limit(tmp_path: Path) -> None:
    async with open_scene(tmp_path, server={"max_body_bytes": 2000}) as scene:
        answer = await scene.http.post("/auth/login", content=b"x" * 5000)
        assert answer.status_code == 413


@pytest.mark.expects_error_log("request_failed")
async def test_a_bug_of_ours_says_nothing_of_itself(
    scene: Scene, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """500 in the one shape of errors, without details."""
    monkeypatch.setattr("amtrio.features.agents.rfc3339", lambda *_: 1 / 0)
    async with scene.device(await scene.register_agent("helper")):
        answer = await scene.http.get("/agents", headers=alice.headers)
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert "division" not in answer.text
    assert "Traceback" not in answer.text
