"""Who asks over REST, whatever the route: people, agents, administrators."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from amtrio.config import Secret
from amtrio.feature import registry
from amtrio.features import accounts
from amtrio.features.accounts import UserName
from tests.conftest import Journal
from tests.harness import ADMIN_SECRET, open_scene
from tests.transports.conftest import cast, filled, refused


async def test_tokens_with_and_without_scheme(tmp_path: Path) -> None:
    """Older clients send the bare token; the scheme's case does not matter."""
    async with open_scene(tmp_path) as scene:
        alice = await scene.register("alice")
        for value in (f"Bearer {alice.token}", f"bearer   {alice.token}", alice.token):
            assert (await scene.http.get("/agents", headers={"Authorization": value})).status_code == 200, value
        for value in ("Bearer", f"Basic {alice.token}", "Bearer x"):
            assert (await scene.http.get("/agents", headers={"Authorization": value})).status_code == 401
        assert (await scene.http.get(f"/agents?token={alice.token}")).status_code == 401


async def test_agents_prove_themselves_by_two_headers(tmp_path: Path) -> None:
    """X-Agent-ID with X-Agent-Secret or a bearer; what is for people only is not for them."""
    async with open_scene(tmp_path) as scene:
        alice, helper, talk = await cast(scene)
        for headers in (helper.headers, {"X-Agent-ID": helper.id, "Authorization": f"Bearer {helper.secret}"}):
            answer = await scene.http.post(f"/conversations/{talk}/messages", json={"content": "x"}, headers=headers)
            assert answer.status_code == 200
        messages = await scene.get(f"/conversations/{talk}/messages", alice)
        assert {(each["sender_type"], each["sender_id"]) for each in messages} == {("agent", "helper")}
        refused(await scene.http.get("/auth/sessions", headers=helper.headers), 403, "forbidden")
        for headers in (
            {"X-Agent-ID": helper.id, "X-Agent-Secret": "wrong"},
            {"X-Agent-ID": helper.id},
            {"X-Agent-ID": helper.id, "Authorization": f"Bearer {alice.token}"},
            {"X-Agent-Secret": helper.secret},
        ):
            refused(await scene.http.get("/agents", headers=headers), 401, "unauthorized")
        refused(
            await scene.http.get("/agents", headers={"X-Agent-ID": "a b", "X-Agent-Secret": helper.secret}),
            400,
            "malformed",
        )


async def test_the_admin_secret(tmp_path: Path) -> None:
    """In a header, under either name; whatever is wrong with it, the answer is the same."""
    async with open_scene(tmp_path) as scene:
        alice, _, _ = await cast(scene)
        for name in ("X-Admin-Secret", "X-Admin-Key"):
            assert (await scene.http.get("/admin/agents", headers={name: ADMIN_SECRET})).status_code == 200
        wrong: list[Any] = [
            {"X-Admin-Secret": "wrong"}, {"X-Admin-Secret": ADMIN_SECRET[:-1]},
            {"X-Admin-Secret": ADMIN_SECRET + "x"}, {"X-Admin-Secret": b"\xe9"},
            alice.headers | {"X-Admin-Key": "wrong"},
        ]  # fmt: skip
        answers = [await scene.http.get("/admin/agents", headers=each) for each in wrong]
        assert {(each.status_code, each.text) for each in answers} == {(401, answers[0].text)}
        assert scene.running.services.metrics.errors == len(answers)
        for path, headers in (
            ("/admin/agents", {}),
            (f"/admin/agents?admin_secret={ADMIN_SECRET}", {}),
            ("/admin/agents", {"Authorization": f"Bearer {ADMIN_SECRET}"}),
        ):
            refused(await scene.http.get(path, headers=headers), 401, "unauthorized")


async def test_the_admin_secret_in_a_body(tmp_path: Path) -> None:
    """As a shipped SDK sends it, in forms and JSON; in the URL it opens nothing, since URLs end up in logs."""
    path = "/admin/agents"
    async with open_scene(tmp_path) as scene:
        for number, how in enumerate(("json", "data")):
            sent: dict[str, Any] = {how: {"agent_id": f"a{number}", "admin_secret": ADMIN_SECRET}}
            assert (await scene.http.post(path, **sent)).status_code == 200
            sent = {how: {"agent_id": "other", "admin_secret": "wrong"}}
            refused(await scene.http.post(path, **sent), 401, "unauthorized")
            sent = {how: {"agent_id": "other"}}
            refused(await scene.http.post(f"{path}?admin_secret={ADMIN_SECRET}", **sent), 401, "unauthorized")
        refused(await scene.http.post(path, json={"agent_id": "x", "admin_secret": [1]}), 401, "unauthorized")
        refused(await scene.http.post(path, content=b"not json"), 400, "malformed")
        refused(await scene.http.post(path), 401, "unauthorized")


async def test_guesses_at_the_admin_secret_run_out(tmp_path: Path, journal: Journal) -> None:
    """They cost the same budget as guessed tokens; what was guessed is not in the log."""
    async with open_scene(tmp_path, auth={"attempts_per_minute": 3}) as scene:
        for _ in range(3):
            refused(
                await scene.http.get("/admin/agents", headers={"X-Admin-Secret": "guessed-by-somebody"}),
                401,
                "unauthorized",
            )
        answer = await scene.http.get("/admin/agents", headers={"X-Admin-Secret": ADMIN_SECRET})
        refused(answer, 429, "rate_limited")
    assert "guessed-by-somebody" not in repr(journal.entries)
    assert [each["address"] for each in journal.entries if each["event"] == "admin_refused"] == ["127.0.0.1"] * 3


async def test_admin_routes_are_for_administrators_alone(tmp_path: Path) -> None:
    """Nobody gets 401, people and agents 403, on every one of them, whatever the body; and nothing is changed."""
    async with open_scene(tmp_path) as scene:
        alice, helper, _ = await cast(scene)
        admin_routes = [(route.method, route.path) for route in registry.routes if route.who == "admin"]
        assert len(admin_routes) > 20
        for method, path in admin_routes:
            path = filled(path)  # noqa: PLW2901 - with its parts
            refused(await scene.http.request(method, path), 401, "unauthorized")
            for who in (alice, helper):
                refused(await scene.http.request(method, path, headers=who.headers), 403, "forbidden")
            agent = {"X-Agent-ID": helper.id, "X-Agent-Secret": "wrong"}
            refused(await scene.http.request(method, path, headers=agent), 401, "unauthorized")
        assert (await scene.http.get("/admin/audit", headers={"X-Admin-Secret": ADMIN_SECRET})).json()["entries"] == []


async def test_a_person_who_is_an_administrator(tmp_path: Path) -> None:
    """With their own token, also where a shipped SDK repeats it as X-Admin-Key; a demotion counts at once."""
    async with open_scene(tmp_path) as scene:
        alice, _, _ = await cast(scene)
        again = await scene.login("alice")
        services = scene.running.services
        await accounts.operation_promote(services, UserName(username="alice"))
        for headers in (alice.headers, again.headers, alice.headers | {"X-Admin-Key": alice.token}):
            assert (await scene.http.get("/admin/agents", headers=headers)).status_code == 200
        await accounts.operation_demote(services, UserName(username="alice"))
        for headers in (alice.headers, again.headers, alice.headers | {"X-Admin-Key": alice.token}):
            refused(await scene.http.get("/admin/agents", headers=headers), 403, "forbidden")


async def test_without_an_admin_secret_the_admin_routes_are_shut(tmp_path: Path) -> None:
    """An empty one opens nothing."""
    async with open_scene(tmp_path, secrets={"admin": Secret("")}) as scene:
        for headers in ({}, {"X-Admin-Secret": ""}):
            refused(await scene.http.get("/admin/agents", headers=headers), 401, "unauthorized")
