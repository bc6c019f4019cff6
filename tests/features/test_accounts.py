"""Register, sign in, change the password; what the command line does with people."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import bcrypt
import httpx
import pytest
import trio

from amtrio.errors import Conflict, Malformed, NotFound
from amtrio.features import accounts
from amtrio.features.accounts import AddUser, NoArguments, RemoveUser, SetPassword, SetTier, UserName
from tests.features.conftest import Cast
from tests.harness import PASSWORD, Person, Scene, open_scene


async def post(scene: Scene, path: str, who: Person | None = None, **body: Any) -> httpx.Response:
    return await scene.http.post(path, json=body, headers=who.headers if who else {})


async def test_registering_signs_in(scene: Scene) -> None:
    """The answer holds a token that works, under the older server's route as well."""
    for path, name in (("/auth/register", "alice"), ("/auth/user", "bob")):
        answer = await post(scene, path, username=name, password=PASSWORD)
        body = answer.json()
        assert (answer.status_code, body["status"], body["username"]) == (200, "registered", name)
        sessions = await scene.get("/auth/sessions", Person(name, body["user_id"], body["token"]))
        assert [each["current"] for each in sessions["sessions"]] == [True]


@pytest.mark.parametrize("name", ["ab", "x" * 51, "with space", "ä_umlaut", "a-b", "a.b", "", "abc\n", "'; --"])
async def test_names_of_another_shape_are_refused(scene: Scene, name: str) -> None:
    """3 to 50 letters, digits and underscores."""
    answer = await post(scene, "/auth/register", username=name, password=PASSWORD)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")


@pytest.mark.parametrize(
    ("password", "status"), [("1234567", 400), ("12345678", 200), ("x" * 1024, 200), ("x" * 1025, 400), ("ä" * 8, 200)]
)
async def test_passwords_have_bounds(scene: Scene, password: str, status: int) -> None:
    """At least 8 characters and at most 1024 bytes, all of which count."""
    answer = await post(scene, "/auth/register", username="alice", password=password)
    assert answer.status_code == status
    if status == 200:
        assert (await post(scene, "/auth/login", username="alice", password=password)).status_code == 200
        assert (await post(scene, "/auth/login", username="alice", password=password[:-1])).status_code == 401


async def test_a_name_is_given_once(scene: Scene) -> None:
    """Ten registrations at once make one account; names differ by case."""
    statuses: list[int] = []

    async def register() -> None:
        statuses.append((await post(scene, "/auth/register", username="alice", password=PASSWORD)).status_code)

    async with trio.open_nursery() as nursery:
        for _ in range(10):
            nursery.start_soon(register)
    assert sorted(statuses) == [200] + [409] * 9
    assert (await post(scene, "/auth/register", username="Alice", password=PASSWORD)).status_code == 200


async def test_an_unknown_name_and_a_wrong_password_are_one_answer(scene: Scene, cast: Cast) -> None:
    """Nobody learns which names exist."""
    wrong = await post(scene, "/auth/login", username="alice", password="wrong password")
    nobody = await post(scene, "/auth/login", username="nobody", password="wrong password")
    assert (wrong.status_code, wrong.text) == (nobody.status_code, nobody.text)
    assert wrong.status_code == 401
    assert wrong.json()["error"] == "invalid credentials"


async def test_forms_and_json_alike(scene: Scene, cast: Cast) -> None:
    """Shipped apps post forms, others JSON; neither needs a CSRF header."""
    form = await scene.http.post("/auth/login", data={"username": "alice", "password": PASSWORD})
    multipart = await scene.http.post("/auth/login", files={"username": (None, "alice"), "password": (None, PASSWORD)})
    assert form.status_code == multipart.status_code == 200, multipart.text
    assert {"token", "user_id", "username"} <= set(form.json())


@pytest.mark.parametrize(
    "body", [{}, {"username": "alice"}, {"username": "alice", "password": None}, {"username": 5, "password": "x"}]
)
async def test_missing_fields_are_malformed(scene: Scene, body: dict[str, Any]) -> None:
    for path in ("/auth/login", "/auth/register"):
        assert (await post(scene, path, **body)).status_code == 400


async def test_changing_the_password_ends_every_other_session_at_once(scene: Scene, cast: Cast) -> None:
    """The asker stays; other tokens are refused everywhere, and their sockets are closed with 4401 within a second."""
    other = await scene.login("alice")
    async with (
        scene.device(cast.alice, "phone") as asker,
        scene.device(other) as native,
        scene.old_device(other) as old,
    ):
        answer = await post(
            scene, "/auth/change-password", cast.alice, old_password=PASSWORD, new_password="a new password"
        )
        assert answer.json() == {"status": "password_changed"}
        with trio.fail_after(1):
            assert (await native.closed())[0] == 4401
            assert (await old.closed())[0] == 4401
        await asker.caught_up()
    assert (await scene.http.get("/agents", headers=other.headers)).status_code == 401
    assert (await scene.http.get("/agents", headers=cast.alice.headers)).status_code == 200
    assert (await post(scene, "/auth/login", username="alice", password=PASSWORD)).status_code == 401
    assert (await post(scene, "/auth/login", username="alice", password="a new password")).status_code == 200


async def test_a_wrong_old_password_changes_nothing(scene: Scene, cast: Cast) -> None:
    """403, since clients take 401 for the end of their session."""
    answer = await post(scene, "/auth/change-password", cast.alice, old_password="wrong", new_password="a new password")
    assert answer.status_code == 403
    answer = await post(scene, "/auth/change-password", cast.alice, old_password=PASSWORD, new_password="short")
    assert answer.status_code == 400
    assert (await post(scene, "/auth/login", username="alice", password=PASSWORD)).status_code == 200


async def test_attempts_are_limited_by_address_before_anything_is_proved(tmp_path: Path) -> None:
    """The answer says when to come back."""
    async with open_scene(tmp_path, auth={"attempts_per_minute": 3}) as scene:
        answers = [await post(scene, "/auth/login", username="alice", password="wrong password") for _ in range(5)]
        assert [each.status_code for each in answers] == [401, 401, 401, 429, 429]
        last = answers[-1]
        assert 1 <= int(last.headers["Retry-After"]) <= 21
        assert (last.json()["code"], last.json()["retry"]) == ("rate_limited", "after_ms")


async def test_guessing_the_old_password_costs_the_budget_of_failures(tmp_path: Path) -> None:
    """A stolen session cannot find out the password; the right one costs nothing."""
    async with open_scene(tmp_path) as scene:
        alice = await scene.register("alice")
        services = scene.running.services
        for buckets in (services.limits.failures_by_name, services.limits.failures_by_address):
            buckets._limit = 3
        for _ in range(5):
            answer = await post(scene, "/auth/change-password", alice, old_password=PASSWORD, new_password=PASSWORD)
            assert answer.status_code == 200
        answers = [
            await post(scene, "/auth/change-password", alice, old_password="wrong", new_password=PASSWORD)
            for _ in range(4)
        ]
        assert [each.status_code for each in answers] == [403, 403, 403, 429]


async def test_rights_and_tiers_from_the_command_line(scene: Scene, cast: Cast) -> None:
    """What `amtrio user promote|demote|tier` runs counts for the next request of tokens that are in use."""
    services = scene.running.services
    assert (await scene.http.get("/admin/users", headers=cast.alice.headers)).status_code == 403
    done = await accounts.operation_promote(services, UserName(username="alice"))
    assert (done.user_id, done.status) == (cast.alice.id, "promoted")
    assert (await scene.http.get("/admin/users", headers=cast.alice.headers)).status_code == 200
    await accounts.operation_demote(services, UserName(username="alice"))
    assert (await scene.http.get("/admin/users", headers=cast.alice.headers)).status_code == 403
    await accounts.operation_set_tier(services, SetTier(username="alice", tier="pro"))
    assert services.limits.tier(f"u:{cast.alice.id}") == "pro"
    with pytest.raises(NotFound):
        await accounts.operation_promote(services, UserName(username="nobody"))
    with pytest.raises(NotFound):
        await accounts.operation_set_tier(services, SetTier(username="nobody", tier="pro"))


async def test_an_imported_bcrypt_hash_works_and_is_renewed(scene: Scene, cast: Cast, tmp_path: Path) -> None:
    """The first good sign-in replaces it by argon2id."""
    old = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
    await scene.running.services.store.write(
        lambda tx: tx.run("UPDATE user_account SET password_hash = :old WHERE username = 'alice'", old=old)
    )
    for _ in range(2):
        await scene.login("alice")
    with sqlite3.connect(tmp_path / "amtrio.db") as raw:
        (stored,) = raw.execute("SELECT password_hash FROM user_account WHERE username = 'alice'").fetchone()
    raw.close()
    assert stored.startswith("$argon2id$")


async def test_operations_on_people(scene: Scene) -> None:
    """What `amtrio user add|list|passwd` runs."""
    services = scene.running.services
    added = await accounts.add_user(services, AddUser(username="alice", password=PASSWORD))
    with pytest.raises(Conflict):
        await accounts.add_user(services, AddUser(username="alice", password=PASSWORD))
    with pytest.raises(Malformed):
        await accounts.add_user(services, AddUser(username="a b", password=PASSWORD))
    alice = await scene.login("alice")
    async with scene.device(alice):
        (row,) = await accounts.list_users(services, NoArguments())
        assert (row.username, row.user_id, row.connections) == ("alice", added.user_id, 1)
        assert (row.tier, row.is_admin) == ("free", False)
    await accounts.operation_set_password(services, SetPassword(username="alice", password="another password"))
    assert (await scene.http.get("/agents", headers=alice.headers)).status_code == 401
    with pytest.raises(NotFound):
        await accounts.operation_set_password(services, SetPassword(username="nobody", password=PASSWORD))
    with pytest.raises(NotFound):
        await accounts.operation_remove_user(services, RemoveUser(username="nobody"))


async def test_a_removed_person_is_gone_at_once(scene: Scene, cast: Cast) -> None:
    """Token refused, socket closed with 4401, conversations gone for the agent too, and the id is not reused."""
    async with scene.device(cast.alice) as phone, scene.device(cast.helper) as agent:
        await phone.send(cast.talk, "hello")
        await agent.next("message")
        await accounts.operation_remove_user(scene.running.services, RemoveUser(username="alice"))
        assert (await agent.next("conversation_deleted"))["conversation_id"] == cast.talk
        with trio.fail_after(1):
            assert (await phone.closed())[0] == 4401
    assert (await scene.http.get("/agents", headers=cast.alice.headers)).status_code == 401
    answer = await scene.http.get(f"/conversations/{cast.talk}/messages", headers=cast.helper.headers)
    assert answer.status_code == 404
    again = await scene.register("alice")
    assert again.id != cast.alice.id
    assert await scene.get("/conversations", again) == []
