"""One's own account: what it is and may, and erasing it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import httpx
import pytest
import trio

from tests.features.conftest import ADMIN, Cast, audited, promote
from tests.harness import PASSWORD, Person, Scene, open_scene


async def erase(scene: Scene, person: Person, password: str = PASSWORD) -> httpx.Response:
    return await scene.http.request("DELETE", "/account", json={"password": password}, headers=person.headers)


async def test_what_one_is_and_may(tmp_path: Path) -> None:
    limits = {"free_requests_per_minute": 60, "pro_requests_per_minute": 300, "user_messages_per_minute": 120}
    async with open_scene(tmp_path, limits=limits) as scene:
        alice = await scene.register("alice")
        shown = await scene.get("/account", alice)
        assert shown | {"created_at": "", "limits": {}} == {
            "user_id": alice.id, "username": "alice", "tier": "free", "is_admin": False, "created_at": "",
            "storage": {"used_bytes": 0, "quota_bytes": 1 << 30, "files": 0}, "limits": {},
        }  # fmt: skip
        assert (shown["limits"]["requests_per_minute"], shown["limits"]["messages_per_minute"]) == (60, 120)
        await scene.http.patch(f"/admin/users/{alice.id}", json={"tier": "pro", "is_admin": True}, headers=ADMIN)
        shown = await scene.get("/account", alice)
        assert (shown["tier"], shown["is_admin"], shown["limits"]["requests_per_minute"]) == ("pro", True, 300)
        helper = await scene.register_agent("helper")
        assert (await scene.http.get("/account", headers=helper.headers)).status_code == 403
        assert (await scene.http.get("/account")).status_code == 401


async def test_erasing_leaves_nothing_but_the_id(scene: Scene, cast: Cast, tmp_path: Path) -> None:
    """Every session ends within a second; the agent hears that the conversation is gone; the name is free again."""
    other = await scene.login("alice")
    async with (
        scene.device(cast.alice, "phone") as phone,
        scene.device(other) as laptop,
        scene.device(cast.helper) as agent,
    ):
        await phone.send(cast.talk, "a sentence that nobody else knows")
        await agent.next("message")
        answer = await erase(scene, cast.alice)
        assert answer.json() == {"user_id": cast.alice.id, "status": "erased"}
        assert (await agent.next("conversation_deleted"))["conversation_id"] == cast.talk
        with trio.fail_after(1):
            assert (await phone.closed())[0] == 4401
            assert (await laptop.closed())[0] == 4401
    for token in (cast.alice, other):
        assert (await scene.http.get("/account", headers=token.headers)).status_code == 401
    assert (await scene.http.post("/auth/login", json={"username": "alice", "password": PASSWORD})).status_code == 401
    (entry,) = await audited(scene, action="account.erased")
    assert (entry["actor_id"], entry["subject"], entry["address"]) == (cast.alice.id, cast.alice.id, "")
    with sqlite3.connect(tmp_path / "amtrio.db") as raw:
        told = "\n".join(raw.iterdump())
    raw.close()
    assert "a sentence that nobody else knows" not in told
    assert "alice" not in told
    assert (await scene.register("alice")).id != cast.alice.id


async def test_a_wrong_password_erases_nothing_and_costs_the_budget(tmp_path: Path) -> None:
    """403, not 401, which clients take for the end of their session."""
    async with open_scene(tmp_path, auth={"attempts_per_minute": 3}) as scene:
        alice = await scene.register("alice")
        answers = [await erase(scene, alice, "wrong password") for _ in range(4)]
        assert [each.status_code for each in answers] == [403, 403, 403, 429]
        assert (await erase(scene, alice)).status_code == 429
        answer = await scene.http.get("/account", headers={"Authorization": "Bearer guess"})
        assert answer.status_code == 429, "one address, one budget"
        assert (await scene.get("/account", alice))["username"] == "alice", "a good token is no guess"
    async with open_scene(tmp_path) as scene:
        assert (await scene.get("/account", alice))["username"] == "alice"


@pytest.mark.parametrize("body", [{}, {"password": None}, {"password": 5}])
async def test_a_password_is_asked_for(scene: Scene, cast: Cast, body: dict[str, object]) -> None:
    answer = await scene.http.request("DELETE", "/account", json=body, headers=cast.alice.headers)
    assert answer.status_code == 400
    answer = await scene.http.request("DELETE", "/account", json={"password": "x"}, headers=cast.helper.headers)
    assert answer.status_code == 403


async def test_the_last_administrator_is_not_erased(scene: Scene, cast: Cast) -> None:
    """Another one has to be there first."""
    await promote(scene, cast.alice)
    assert (await erase(scene, cast.alice)).status_code == 409
    assert (await scene.get("/account", cast.alice))["is_admin"]
    await promote(scene, cast.bob)
    assert (await erase(scene, cast.alice)).status_code == 200
    assert (await erase(scene, cast.bob)).status_code == 409


async def test_where_an_erased_person_acted_from_goes_too(scene: Scene) -> None:
    """What was done stays on record, under an id that means nobody any more."""
    made = await scene.http.post("/admin/invitations", json={}, headers=ADMIN)
    body = {"username": "carol", "password": PASSWORD, "invitation": made.json()["token"]}
    signed_in = (await scene.http.post("/auth/register", json=body)).json()
    carol = Person("carol", signed_in["user_id"], signed_in["token"])
    (before,) = await audited(scene, action="invitation.used")
    assert before["address"]
    assert (await erase(scene, carol)).status_code == 200
    (after,) = await audited(scene, action="invitation.used")
    assert (after["actor_id"], after["address"]) == (carol.id, "")
