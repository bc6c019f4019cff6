"""Invitations: links with which people make their own account."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from amtrio.features import accounts, invitations
from amtrio.features.accounts import UserName
from amtrio.features.invitations import Invite
from tests.conftest import Journal
from tests.features.conftest import ADMIN, Cast, audited, promote
from tests.harness import PASSWORD, Json, Scene, open_scene


async def invite(scene: Scene, headers: dict[str, str] = ADMIN, **fields: Any) -> Json:
    answer = await scene.http.post("/admin/invitations", json=fields, headers=headers)
    assert answer.status_code == 200, answer.text
    made: Json = answer.json()
    return made


async def listed(scene: Scene, **query: Any) -> list[Json]:
    answer = await scene.http.get("/admin/invitations", headers=ADMIN, params=query)
    found: list[Json] = answer.json()["invitations"]
    return found


async def test_the_link_is_shown_once_and_its_token_is_nowhere_kept(
    scene: Scene, tmp_path: Path, journal: Journal
) -> None:
    """It begins as the asker reached the server, or as they say; the token is in the fragment."""
    made = await invite(scene, note="for carol")
    assert made["link"] == f"http://127.0.0.1:{scene.running.port}/#/join/{made['token']}"
    assert made["token"].startswith("inv_")
    for origin in ("https://chat.example", "https://chat.example:8443/"):
        other = await invite(scene, origin=origin)
        assert other["link"] == f"{origin.rstrip('/')}/#/join/{other['token']}"
    by_hand = await invitations.operation_invite(scene.running.services, Invite(is_admin=True))
    assert by_hand.link == f"/#/join/{by_hand.token}"
    token = made["token"].removeprefix("inv_")
    assert token not in repr(await listed(scene)) + repr(journal.entries)
    with sqlite3.connect(tmp_path / "amtrio.db") as raw:
        assert token not in "\n".join(raw.iterdump())
    raw.close()


async def test_pages_newest_first(scene: Scene) -> None:
    """Each with what is left of it."""
    made = [await invite(scene, note=f"n{number}", uses=number + 1, tier="pro") for number in range(5)]
    found: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = (await scene.http.get("/admin/invitations", headers=ADMIN, params={"limit": 2, "cursor": cursor})).json()
        found += [each["invitation_id"] for each in page["invitations"]]
        cursor = page["next"]
    assert found == [each["invitation_id"] for each in made[::-1]]
    answer = await scene.http.post(
        "/auth/register", json={"username": "carol", "password": PASSWORD, "invitation": made[0]["token"]}
    )
    assert answer.status_code == 200
    await scene.http.delete(f"/admin/invitations/{made[1]['invitation_id']}", headers=ADMIN)
    shown = (await listed(scene))[::-1]
    assert [(each["note"], each["uses_left"], each["status"], each["tier"]) for each in shown] == [
        ("n0", 0, "used", "pro"),
        ("n1", 2, "revoked", "pro"),
        *((f"n{number}", number + 1, "open", "pro") for number in range(2, 5)),
    ]


async def test_revoking_twice_is_once_and_an_unknown_one_is_not_there(scene: Scene) -> None:
    made = await invite(scene)
    path = f"/admin/invitations/{made['invitation_id']}"
    first, second = await scene.http.delete(path, headers=ADMIN), await scene.http.delete(path, headers=ADMIN)
    assert first.json() == second.json()
    assert (await scene.http.delete("/admin/invitations/inv_none", headers=ADMIN)).status_code == 404


@pytest.mark.parametrize(
    "fields",
    [
        {"uses": 0}, {"uses": -1}, {"uses": 10_001}, {"hours": 0}, {"hours": -1}, {"hours": 9000}, {"tier": "gold"},
        {"note": "x" * 201}, {"origin": "chat.example"}, {"origin": "javascript://x"}, {"origin": "https://a/b"},
        {"origin": "https://a\n"}, {"is_admin": "yes"},
    ],
)  # fmt: skip
async def test_what_is_refused(scene: Scene, fields: dict[str, Any]) -> None:
    answer = await scene.http.post("/admin/invitations", json=fields, headers=ADMIN)
    assert answer.status_code == 400, answer.text
    assert await listed(scene) == []


@pytest.mark.parametrize("end", ["demoted", "removed"])
async def test_invitations_end_with_the_rights_of_whoever_gave_them(scene: Scene, cast: Cast, end: str) -> None:
    """Who may no longer administer leaves no door behind; those of others stay open."""
    await promote(scene, cast.alice)
    await promote(scene, cast.bob)
    from_alice = await invite(scene, cast.alice.headers, is_admin=True)
    from_bob = await invite(scene, cast.bob.headers)
    path = f"/admin/users/{cast.alice.id}"
    if end == "demoted":
        answer = await scene.http.patch(path, json={"is_admin": False}, headers=ADMIN)
    else:
        answer = await scene.http.delete(path, headers=ADMIN)
    assert answer.status_code == 200
    shown = {each["invitation_id"]: each["status"] for each in await listed(scene)}
    assert shown == {from_alice["invitation_id"]: "revoked", from_bob["invitation_id"]: "open"}


async def first_invitation(scene: Scene) -> tuple[str, str]:
    """As a start of the server makes it: link and token."""
    link = await invitations.invite_first_administrator(scene.running.services, "http://localhost:8080")
    assert link is not None
    start, _, token = link.rpartition("/")
    assert start == "http://localhost:8080/#/join"
    return link, token


async def test_a_server_that_nobody_administers_invites_its_first_administrator(
    scene: Scene, cast: Cast, journal: Journal
) -> None:
    """For one account; each start makes a link of its own, and the one before opens nothing more. No log has it."""
    (_, before), (_, token) = await first_invitation(scene), await first_invitation(scene)
    assert {each["status"] for each in await listed(scene)} == {"open", "revoked"}
    assert [each["actor"] for each in await audited(scene)] == ["start", "start"]
    assert token not in repr(journal.entries) + repr(await audited(scene))
    body = {"username": "dora", "password": PASSWORD}
    answers = [
        await scene.http.post("/auth/register", json=body | {"invitation": each, "username": name})
        for name, each in (("dora", before), ("dora", token), ("erik", token))
    ]
    assert [each.status_code for each in answers] == [403, 200, 403]
    assert answers[1].json()["is_admin"] is True
    assert {each["status"] for each in await listed(scene)} == {"used", "revoked"}
    assert await invitations.invite_first_administrator(scene.running.services, "http://x") is None


@pytest.mark.parametrize("way", ["command line", "admin secret", "another invitation"])
async def test_the_first_invitation_is_gone_once_there_is_an_administrator(scene: Scene, cast: Cast, way: str) -> None:
    """Whichever way there came to be one; and comes back with the next start if there is none any more."""
    _, token = await first_invitation(scene)
    if way == "command line":
        await promote(scene, cast.alice)
    elif way == "admin secret":
        await scene.http.patch(f"/admin/users/{cast.alice.id}", json={"is_admin": True}, headers=ADMIN)
    else:
        made = await invite(scene, is_admin=True)
        await scene.http.post(
            "/auth/register", json={"username": "dora", "password": PASSWORD, "invitation": made["token"]}
        )
    answer = await scene.http.post("/auth/invitation", json={"invitation": token})
    assert answer.json()["valid"] is False
    assert await invitations.invite_first_administrator(scene.running.services, "http://x") is None
    if way == "command line":
        await accounts.operation_demote(scene.running.services, UserName(username="alice"))
        await first_invitation(scene)


async def test_the_first_administrator_of_a_closed_server(tmp_path: Path) -> None:
    """An invitation made before anybody has an account."""
    async with open_scene(tmp_path, auth={"registration": "closed"}) as scene:
        made = await invitations.operation_invite(scene.running.services, Invite(is_admin=True))
        body = {"username": "alice", "password": PASSWORD, "invitation": made.token}
        token = (await scene.http.post("/auth/register", json=body)).json()["token"]
        headers = {"Authorization": f"Bearer {token}"}
        assert (await scene.http.get("/admin/users", headers=headers)).status_code == 200
