"""How many REST requests a person has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.features.conftest import ADMIN, Cast, promote
from tests.harness import Person, Scene, open_scene

LIMITS: Any = {
    "free_requests_per_minute": 4, "pro_requests_per_minute": 8, "enterprise_requests_per_minute": 0,
    "requests_per_minute": 2,
}  # fmt: skip
PATH = "/admin/rate-limit/tier"


async def statuses(scene: Scene, person: Person, count: int) -> list[int]:
    return [(await scene.http.get("/agents", headers=person.headers)).status_code for _ in range(count)]


async def test_raising_a_tier_helps_at_once_and_only_by_the_difference(tmp_path: Path) -> None:
    """What was spent stays spent; others are not concerned; the older server's answer and both ways of asking."""
    async with open_scene(tmp_path, limits=LIMITS) as scene:
        alice, bob = await scene.register("alice"), await scene.register("bob")
        assert await statuses(scene, alice, 5) == [200] * 4 + [429]
        for how in ("data", "json"):
            sent: dict[str, Any] = {how: {"user_id": alice.id, "tier": "pro"}}
            answer = await scene.http.post(PATH, headers=ADMIN, **sent)
            assert answer.json() == {"status": "ok", "user_id": alice.id, "tier": "pro"}
        assert await statuses(scene, alice, 5) == [200] * 4 + [429]
        shown = (await scene.http.get(PATH, headers=ADMIN, params={"user_id": alice.id})).json()
        assert shown == {
            "user_id": alice.id, "tier": "pro", "burst": 8, "limit": 8, "window_sec": 60, "remaining": 0
        }  # fmt: skip
        await scene.http.post(PATH, headers=ADMIN, data={"user_id": alice.id, "tier": "enterprise"})
        assert await statuses(scene, alice, 30) == [200] * 30
        assert await statuses(scene, bob, 5) == [200] * 4 + [429]


async def test_tiers_last_over_a_restart(tmp_path: Path) -> None:
    """They are known before the first request, whoever was idle."""
    async with open_scene(tmp_path, limits=LIMITS) as scene:
        alice = await scene.register("alice")
        await scene.http.post(PATH, headers=ADMIN, data={"user_id": alice.id, "tier": "pro"})
    async with open_scene(tmp_path, limits=LIMITS) as scene:
        answer = await scene.http.get("/agents", headers=alice.headers)
        assert (answer.headers["X-RateLimit-Limit"], answer.headers["X-RateLimit-Remaining"]) == ("8", "7")


async def test_the_tier_of_a_removed_person_is_gone(scene: Scene, cast: Cast) -> None:
    """R3, R7: nothing is kept or shown of it, and nobody can set it again."""
    for who in (cast.alice, cast.bob):
        await scene.http.post(PATH, headers=ADMIN, data={"user_id": who.id, "tier": "pro"})
    assert (await scene.http.delete(f"/admin/users/{cast.alice.id}", headers=ADMIN)).status_code == 200
    asked = {"user_id": cast.alice.id}
    assert (await scene.http.get(PATH, headers=ADMIN, params=asked)).status_code == 404
    assert (await scene.http.post(PATH, headers=ADMIN, data=asked | {"tier": "pro"})).status_code == 404
    limits = scene.running.services.limits
    assert [limits.tier(f"u:{who.id}") for who in (cast.alice, cast.bob)] == ["free", "pro"]


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({}, 400),
        ({"user_id": "USER"}, 400),
        ({"tier": "pro"}, 400),
        ({"user_id": "USER", "tier": "gold"}, 400),
        ({"user_id": "user_nobody", "tier": "pro"}, 404),
    ],
)
async def test_what_is_refused(scene: Scene, cast: Cast, fields: dict[str, str], status: int) -> None:
    """Unknown people too: the older server said ok and kept nothing."""
    sent = {name: value.replace("USER", cast.alice.id) for name, value in fields.items()}
    assert (await scene.http.post(PATH, headers=ADMIN, data=sent)).status_code == status
    if "tier" not in sent or status == 404:
        asked = {name: value for name, value in sent.items() if name == "user_id"}
        expected = 200 if sent.get("user_id") == cast.alice.id else status
        assert (await scene.http.get(PATH, headers=ADMIN, params=asked)).status_code == expected


async def test_an_administrators_own_requests_count(tmp_path: Path) -> None:
    """By token they have a budget like others; agents have theirs, which no tier changes."""
    async with open_scene(tmp_path, limits=LIMITS) as scene:
        alice, helper = await scene.register("alice"), await scene.register_agent("helper")
        await promote(scene, alice)
        answers = [await scene.http.get("/admin/users", headers=alice.headers) for _ in range(5)]
        assert [each.status_code for each in answers] == [200] * 4 + [429]
        answers = [await scene.http.get("/agents", headers=helper.headers) for _ in range(3)]
        assert [each.status_code for each in answers] == [200, 200, 429]
        answers = [await scene.http.get("/admin/users", headers=ADMIN) for _ in range(10)]
        assert {each.status_code for each in answers} == {200}
