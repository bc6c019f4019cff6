"""Making one's own account: open to all, to those who were invited, or to nobody."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
import trio

from amtrio import __version__
from amtrio.features import accounts
from amtrio.features.accounts import AddUser
from tests.conftest import Journal
from tests.features.conftest import ADMIN, Cast
from tests.harness import PASSWORD, Json, MovableClock, Scene, open_scene


async def register(scene: Scene, name: str, invitation: str | None = None) -> httpx.Response:
    body = {"username": name, "password": PASSWORD, "invitation": invitation}
    return await scene.http.post("/auth/register", json={key: value for key, value in body.items() if value})


async def invite(scene: Scene, **fields: Any) -> Json:
    answer = await scene.http.post("/admin/invitations", json=fields, headers=ADMIN)
    assert answer.status_code == 200, answer.text
    made: Json = answer.json()
    return made


async def check(scene: Scene, invitation: str) -> Json:
    answer = await scene.http.post("/auth/invitation", json={"invitation": invitation})
    assert answer.status_code == 200, answer.text
    body: Json = answer.json()
    return body


@pytest.mark.parametrize(
    ("rule", "alone", "invited", "invited_as_admin"),
    [("open", 200, 200, 200), ("invitation", 403, 200, 200), ("closed", 403, 403, 200)],
)
async def test_who_may_register(tmp_path: Path, rule: str, alone: int, invited: int, invited_as_admin: int) -> None:
    """An invitation for an administrator opens a closed server too; the command line always makes accounts."""
    async with open_scene(tmp_path, auth={"registration": rule}) as scene:
        plain, admin = await invite(scene), await invite(scene, is_admin=True)
        assert (await register(scene, "alice")).status_code == alone
        assert (await register(scene, "bob", plain["token"])).status_code == invited
        assert (await register(scene, "carol", admin["token"])).status_code == invited_as_admin
        row = (await scene.http.get("/admin/invitations", headers=ADMIN)).json()["invitations"]
        left = {each["invitation_id"]: each["uses_left"] for each in row}
        assert left[plain["invitation_id"]] == (0 if invited == 200 else 1), "what was refused is not used up"
        await accounts.add_user(scene.running.services, AddUser(username="dave", password=PASSWORD))
        assert (await scene.login("dave")).name == "dave"


async def test_an_account_gets_what_its_invitation_says(tmp_path: Path) -> None:
    """Tier and rights count from the first request on."""
    async with open_scene(tmp_path, limits={"free_requests_per_minute": 5, "pro_requests_per_minute": 7}) as scene:
        token = (await invite(scene, tier="pro", is_admin=True))["token"]
        body = (await register(scene, "alice", token)).json()
        answer = await scene.http.get("/admin/users", headers={"Authorization": f"Bearer {body['token']}"})
        assert (answer.status_code, answer.headers["X-RateLimit-Limit"]) == (200, "7")
        (row,) = answer.json()["users"]
        assert (row["tier"], row["is_admin"]) == ("pro", True)


async def test_of_two_who_race_for_the_last_use_one_wins(tmp_path: Path) -> None:
    async with open_scene(tmp_path, auth={"registration": "invitation"}) as scene:
        token = (await invite(scene, uses=2))["token"]
        statuses: list[int] = []

        async def race(name: str) -> None:
            statuses.append((await register(scene, name, token)).status_code)

        async with trio.open_nursery() as nursery:
            for number in range(6):
                nursery.start_soon(race, f"person{number}")
        assert sorted(statuses) == [200] * 2 + [403] * 4


async def test_a_name_that_is_taken_uses_nothing_up(scene: Scene, cast: Cast) -> None:
    """The whole registration happens or none of it."""
    token = (await invite(scene))["token"]
    assert (await register(scene, "alice", token)).status_code == 409
    assert (await check(scene, token))["valid"]
    assert (await register(scene, "carol", token)).status_code == 200
    assert await check(scene, token) == {"valid": False, "expires_at": None}


async def test_why_an_invitation_opens_nothing_is_not_told(tmp_path: Path) -> None:
    """Unknown, used up, expired and revoked are one answer, also where registration is open."""
    clock = MovableClock()
    async with open_scene(tmp_path, clock=clock) as scene:
        used, expired, revoked = await invite(scene), await invite(scene, hours=1), await invite(scene)
        assert (await check(scene, expired["token"])) == {"valid": True, "expires_at": expired["expires_at"]}
        assert (await register(scene, "alice", used["token"])).status_code == 200
        clock.move(days=1 / 24)
        answer = await scene.http.delete(f"/admin/invitations/{revoked['invitation_id']}", headers=ADMIN)
        assert answer.json()["status"] == "revoked"
        answers = [await register(scene, "bob", each["token"]) for each in (used, expired, revoked)]
        answers.append(await register(scene, "bob", "inv_guessed"))
        assert {(each.status_code, each.text) for each in answers} == {(403, answers[0].text)}
        for each in (used["token"], expired["token"], revoked["token"], "", "x" * 5000, "\ud800"):
            body = {"invitation": each}
            if each == "\ud800":
                continue
            answer = await scene.http.post("/auth/invitation", json=body)
            assert answer.json() == {"valid": False, "expires_at": None}


@pytest.mark.parametrize("rule", ["open", "invitation", "closed"])
async def test_a_page_to_sign_in_learns_what_to_offer(tmp_path: Path, rule: str) -> None:
    """Without any credential; as it is now, whatever is configured."""
    async with open_scene(tmp_path, auth={"registration": rule}) as scene:

        async def options() -> Json:
            answer = await scene.http.get("/auth/options")
            assert answer.status_code == 200
            body: Json = answer.json()
            assert {"name": body.pop("name"), "version": body.pop("version")} == {
                "name": "amtrio",
                "version": __version__,
            }
            return body

        assert await options() == {"registration": rule, "needs_administrator": True}
        made = await invite(scene, is_admin=True)
        assert (await register(scene, "alice", made["token"])).status_code == 200
        assert await options() == {"registration": rule, "needs_administrator": False}
        await scene.http.patch("/admin/settings", json={"registration": "invitation"}, headers=ADMIN)
        assert (await options())["registration"] == "invitation"


async def test_asking_what_to_offer_costs_the_budget_of_the_address(tmp_path: Path) -> None:
    async with open_scene(tmp_path, auth={"attempts_per_minute": 3}) as scene:
        answers = [await scene.http.get("/auth/options") for _ in range(4)]
        assert [each.status_code for each in answers] == [200] * 3 + [429]


async def test_guessing_invitations_costs_the_budget_of_the_address(tmp_path: Path) -> None:
    async with open_scene(tmp_path, auth={"attempts_per_minute": 3}) as scene:
        answers = [await scene.http.post("/auth/invitation", json={"invitation": "guess"}) for _ in range(4)]
        assert [each.status_code for each in answers] == [200] * 3 + [429]
        assert (await register(scene, "alice", "guess")).status_code == 429


async def test_a_used_invitation_is_in_the_record(scene: Scene) -> None:
    """By whom and what they became; not the token."""
    made = await invite(scene, is_admin=True)
    person = (await register(scene, "alice", made["token"])).json()
    (entry,) = (await scene.http.get("/admin/audit?action=invitation.used", headers=ADMIN)).json()["entries"]
    assert (entry["actor_id"], entry["subject"]) == (person["user_id"], made["invitation_id"])
    assert entry["details"] == {"tier": "free", "is_admin": True}


@pytest.mark.parametrize(("rule", "is_open"), [("open", True), ("invitation", True), ("closed", False)])
async def test_an_invitation_is_only_called_valid_if_it_opens_something(
    tmp_path: Path,
    rule: str,
    is_open: bool,  # noqa: FBT001 - a parameter
) -> None:
    """On a closed server that of an administrator alone does."""
    async with open_scene(tmp_path, auth={"registration": rule}) as scene:
        plain, admin = await invite(scene), await invite(scene, is_admin=True)
        assert (await check(scene, plain["token"]))["valid"] is is_open
        assert (await check(scene, admin["token"]))["valid"] is True


async def test_a_stored_rule_that_beats_the_configured_one_is_told_at_the_start(
    tmp_path: Path, journal: Journal
) -> None:
    """Or whoever closes registration in the environment would wonder who still comes in."""
    async with open_scene(tmp_path) as scene:
        await scene.http.patch("/admin/settings", json={"registration": "open"}, headers=ADMIN)
    assert "registration_rule_is_stored" not in {entry["event"] for entry in journal.entries}
    async with open_scene(tmp_path, auth={"registration": "closed"}) as scene:
        assert (await register(scene, "alice")).status_code == 200
        (told,) = [entry for entry in journal.entries if entry["event"] == "registration_rule_is_stored"]
        assert (told["stored"], told["configured"], told["level"]) == ("open", "closed", "warning")
