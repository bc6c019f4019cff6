"""People in the hands of an administrator, over REST."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
import trio

from tests.features.conftest import ADMIN, Cast, audited, promote
from tests.harness import PASSWORD, Json, Person, Scene


async def listed(scene: Scene, **query: Any) -> list[str]:
    answer = await scene.http.get("/admin/users", headers=ADMIN, params=query)
    assert answer.status_code == 200, answer.text
    return [each["username"] for each in answer.json()["users"]]


async def change(scene: Scene, person: Person, headers: dict[str, str] = ADMIN, **fields: Any) -> httpx.Response:
    return await scene.http.patch(f"/admin/users/{person.id}", json=fields, headers=headers)


async def shown(scene: Scene, person: Person) -> Json:
    answer = await scene.http.get(f"/admin/users/{person.id}", headers=ADMIN)
    assert answer.status_code == 200
    body: Json = answer.json()
    return body


async def test_the_list_in_pages_and_by_name_and_tier(scene: Scene) -> None:
    """What stands for anything in SQL stands for itself here."""
    people = {name: await scene.register(name) for name in ("Anna", "ann_b", "annxb", "bert", "carl")}
    await change(scene, people["carl"], tier="pro")
    assert await listed(scene) == ["Anna", "ann_b", "annxb", "bert", "carl"]
    assert await listed(scene, q="ANN") == ["Anna", "ann_b", "annxb"]
    assert await listed(scene, q="n_b") == ["ann_b"]
    assert await listed(scene, q="%") == []
    assert await listed(scene, q="!") == []
    assert await listed(scene, tier="pro") == ["carl"]
    assert await listed(scene, tier="pro", q="a") == ["carl"]
    found: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = (await scene.http.get("/admin/users", headers=ADMIN, params={"limit": 2, "cursor": cursor})).json()
        found += [each["username"] for each in page["users"]]
        cursor = page["next"]
    assert found == await listed(scene)
    assert (await scene.http.get("/admin/users?tier=gold", headers=ADMIN)).status_code == 400


async def test_what_is_shown_of_a_person(scene: Scene, cast: Cast) -> None:
    """Never their password's hash."""
    await scene.login("alice")
    await scene.running.services.store.write(
        lambda tx: tx.run(
            "INSERT INTO attachment (id, owner_key, state, filename, size_bytes, created_us)"
            " VALUES ('att_1', :account, 'stored', 'x', 1234, 0)",
            account=f"u:{cast.alice.id}",
        )
    )
    before = await shown(scene, cast.alice)
    assert before["last_seen"] is None
    async with scene.device(cast.alice, "phone"), scene.device(cast.alice, "laptop"):
        now = await shown(scene, cast.alice)
        assert now["last_seen"] >= now["created_at"]
        assert now | {"last_seen": None, "created_at": ""} == {
            "user_id": cast.alice.id, "username": "alice", "tier": "free", "is_admin": False, "created_at": "",
            "last_seen": None, "connections": 2, "sessions": 2, "storage_bytes": 1234,
        }  # fmt: skip
        open_now = (await scene.http.get("/admin/connections", headers=ADMIN)).json()
        assert open_now["total"] == 2
        (account,) = open_now["accounts"]
        assert (account["account_kind"], account["account_id"], account["connections"]) == ("user", cast.alice.id, 2)


async def test_tier_and_rights(scene: Scene, cast: Cast) -> None:
    """Both at once or one of them; what is left out stays."""
    answer = await change(scene, cast.alice, tier="pro", is_admin=True)
    assert (answer.json()["tier"], answer.json()["is_admin"]) == ("pro", True)
    answer = await change(scene, cast.alice, cast.alice.headers, tier="enterprise")
    assert (answer.json()["tier"], answer.json()["is_admin"]) == ("enterprise", True)
    assert (await change(scene, cast.alice, tier="gold")).status_code == 400
    assert (await change(scene, Person("x", "user_none", ""), tier="pro")).status_code == 404
    told = [(each["actor"], each["action"]) for each in await audited(scene)]
    assert told == [("secret", "user.tier"), ("secret", "user.promoted"), ("user", "user.tier")]


@pytest.mark.parametrize("by", ["secret", "self"])
async def test_the_last_administrator_stays(scene: Scene, cast: Cast, by: str) -> None:
    """Neither demoted nor removed over REST, and a refusal changes nothing and records nothing."""
    await promote(scene, cast.alice)
    headers = ADMIN if by == "secret" else cast.alice.headers
    before = await audited(scene)
    assert (await change(scene, cast.alice, headers, tier="pro", is_admin=False)).status_code == 409
    assert (await scene.http.delete(f"/admin/users/{cast.alice.id}", headers=headers)).status_code == 409
    assert await audited(scene) == before
    assert (await shown(scene, cast.alice))["tier"] == "free"
    await promote(scene, cast.bob)
    assert (await change(scene, cast.alice, headers, is_admin=False)).status_code == 200
    assert (await scene.http.get("/admin/users", headers=cast.alice.headers)).status_code == 403


async def test_two_administrators_who_demote_each_other_at_once(scene: Scene, cast: Cast) -> None:
    """One of them stays."""
    await promote(scene, cast.alice)
    await promote(scene, cast.bob)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lambda: change(scene, cast.bob, cast.alice.headers, is_admin=False))
        nursery.start_soon(lambda: change(scene, cast.alice, cast.bob.headers, is_admin=False))
    assert (await shown(scene, cast.alice))["is_admin"] != (await shown(scene, cast.bob))["is_admin"]


async def test_removing_a_person(scene: Scene, cast: Cast) -> None:
    """Token refused, socket closed with 4401 within a second, the agent told, the name free, the id not reused."""
    async with scene.device(cast.alice) as phone, scene.device(cast.helper) as agent:
        answer = await scene.http.delete(f"/admin/users/{cast.alice.id}", headers=ADMIN)
        assert answer.json() == {"user_id": cast.alice.id, "status": "removed"}
        assert (await agent.next("conversation_deleted"))["conversation_id"] == cast.talk
        with trio.fail_after(1):
            assert (await phone.closed())[0] == 4401
    assert (await scene.http.get("/agents", headers=cast.alice.headers)).status_code == 401
    assert (await scene.http.delete(f"/admin/users/{cast.alice.id}", headers=ADMIN)).status_code == 404
    assert (await scene.register("alice")).id != cast.alice.id


async def test_signing_a_person_out(scene: Scene, cast: Cast) -> None:
    """One session or all of them; sockets close within a second."""
    other = await scene.login("alice")
    path = f"/admin/users/{cast.alice.id}/sessions"
    sessions = (await scene.http.get(path, headers=ADMIN)).json()["sessions"]
    assert len(sessions) == 2
    assert not any(each["current"] for each in sessions)
    async with scene.device(other, "other") as newer, scene.device(cast.alice, "phone") as older:
        assert (await scene.http.delete(f"{path}/{sessions[0]['session_id']}", headers=ADMIN)).status_code == 200
        with trio.fail_after(1):
            assert (await newer.closed())[0] == 4401
        await older.caught_up()
        assert (await scene.http.delete(f"{path}/{sessions[0]['session_id']}", headers=ADMIN)).status_code == 404
        assert (await scene.http.delete(path, headers=ADMIN)).status_code == 200
        with trio.fail_after(1):
            assert (await older.closed())[0] == 4401
    assert (await scene.http.get(path, headers=ADMIN)).json() == {"sessions": []}
    assert (await scene.http.get("/agents", headers=cast.bob.headers)).status_code == 200
    (bobs,) = (await scene.get("/auth/sessions", cast.bob))["sessions"]
    answer = await scene.http.delete(f"{path}/{bobs['session_id']}", headers=ADMIN)
    assert answer.status_code == 404, "another person's session is not there"


@pytest.mark.parametrize("chosen", [None, "chosen by the administrator"])
async def test_a_new_password(scene: Scene, cast: Cast, chosen: str | None) -> None:
    """Made and shown once, or chosen and not shown; every session ends."""
    path = f"/admin/users/{cast.alice.id}/password"
    answer = await scene.http.post(path, json={"password": chosen} if chosen else {}, headers=ADMIN)
    body = answer.json()
    assert (body["password"] is None) == (chosen is not None)
    assert (await scene.http.get("/agents", headers=cast.alice.headers)).status_code == 401
    for password, status in ((PASSWORD, 401), (chosen or body["password"], 200)):
        answer = await scene.http.post("/auth/login", json={"username": "alice", "password": password})
        assert answer.status_code == status
    assert (await scene.http.post(path, json={"password": "short"}, headers=ADMIN)).status_code == 400
    assert (await scene.http.post("/admin/users/user_none/password", headers=ADMIN)).status_code == 404
