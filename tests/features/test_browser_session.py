"""A browser that was signed in comes back with nothing but its cookie."""

from __future__ import annotations

import re
import sqlite3
from ipaddress import ip_network
from pathlib import Path

import httpx
import pytest
import trio

from amtrio.features import accounts, sessions
from amtrio.features.accounts import RemoveUser, SetPassword
from tests.conftest import Journal
from tests.features.conftest import Cast, promote
from tests.harness import PASSWORD, Json, MovableClock, Person, Scene, open_scene

OWN = {"Sec-Fetch-Site": "same-origin"}
FORGOTTEN = "amtrio_session=; HttpOnly; SameSite=Strict; Path=/auth/session; Max-Age=0"


async def enter(scene: Scene, path: str = "/auth/login", name: str = "alice", **headers: str) -> httpx.Response:
    body = {"username": name, "password": PASSWORD, "cookie": True}
    answer = await scene.http.post(path, json=body, headers=OWN | headers)
    scene.http.cookies.clear()  # each test says itself what a browser sends
    return answer


def cookie_of(answer: httpx.Response) -> str:
    """`amtrio_session=...`, as a browser sends it back."""
    assert answer.status_code == 200, answer.text
    return answer.headers["Set-Cookie"].partition(";")[0]


async def come_back(scene: Scene, cookie: str = "", **headers: str) -> httpx.Response:
    sent = {"Cookie": cookie} if cookie else {}
    answer = await scene.http.post("/auth/session", headers=OWN | sent | headers)
    scene.http.cookies.clear()
    return answer


def as_person(body: Json) -> Person:
    return Person(body["username"], body["user_id"], body["token"])


async def is_refused(scene: Scene, cookie: str) -> None:
    answer = await come_back(scene, cookie)
    assert (answer.status_code, answer.json()["code"], answer.headers["Set-Cookie"]) == (401, "unauthorized", FORGOTTEN)


@pytest.mark.parametrize(("path", "name"), [("/auth/login", "alice"), ("/auth/register", "carol")])
async def test_for_its_cookie_a_browser_gets_a_token_of_the_same_session(
    scene: Scene, cast: Cast, path: str, name: str
) -> None:
    """The same answer as signing in gave; both tokens are good."""
    entered = await enter(scene, path, name)
    kept = r"amtrio_session=[A-Za-z0-9_-]{43}; HttpOnly; SameSite=Strict; Path=/auth/session; Max-Age=7776000"
    assert re.fullmatch(kept, entered.headers["Set-Cookie"]), "ninety days, as auth.refresh_token_days says"
    again = await come_back(scene, cookie_of(entered))
    assert again.headers["Set-Cookie"] == entered.headers["Set-Cookie"], "it lives on from now"
    fresh = again.json()
    assert set(fresh) == {"token", "user_id", "username", "is_admin", "session_id", "expires_at", "status"}
    for field in ("user_id", "username", "session_id"):
        assert fresh[field] == entered.json()[field]
    assert (fresh["status"], fresh["is_admin"]) == ("ok", False)
    for body in (entered.json(), fresh):
        (current,) = [
            each for each in (await scene.get("/auth/sessions", as_person(body)))["sessions"] if each["current"]
        ]
        assert current["session_id"] == fresh["session_id"]


async def test_nobody_else_is_given_a_cookie(scene: Scene, cast: Cast) -> None:
    """Signing in as ever, and ending that, say nothing of one."""
    for body in ({}, {"cookie": False}):
        credentials = {"username": "alice", "password": PASSWORD} | body
        answer = await scene.http.post("/auth/login", json=credentials)
        assert "Set-Cookie" not in answer.headers
        left = await scene.http.post("/auth/logout", headers=as_person(answer.json()).headers)
        assert (left.status_code, "Set-Cookie" in left.headers) == (200, False)


async def test_the_secret_is_nowhere_kept(scene: Scene, cast: Cast, tmp_path: Path, journal: Journal) -> None:
    secret = cookie_of(await enter(scene)).partition("=")[2]
    await come_back(scene, f"amtrio_session={secret}")
    assert secret not in repr(journal.entries)
    with sqlite3.connect(tmp_path / "amtrio.db") as raw:
        assert secret not in "\n".join(raw.iterdump())
    raw.close()


@pytest.mark.parametrize("cookie", ["", "other=1", "amtrio_session=", "amtrio_session=guessed", "amtrio_session=é"])
async def test_without_a_good_cookie_it_is_401_and_a_bad_one_is_taken_away(
    scene: Scene, cast: Cast, cookie: str
) -> None:
    await enter(scene)
    answer = await scene.http.post("/auth/session", headers={b"Cookie": cookie.encode()} if cookie else {})
    assert (answer.status_code, answer.json()["code"], answer.headers["Set-Cookie"]) == (401, "unauthorized", FORGOTTEN)


async def test_it_is_found_among_other_cookies(scene: Scene, cast: Cast) -> None:
    """Other programs on the same host have theirs; HTTP/2 sends each as a header of its own (RFC 9113, 8.2.3)."""
    cookie = cookie_of(await enter(scene))
    headers = [("Cookie", "a=1; b=2"), ("Cookie", cookie), ("Cookie", "c=3")]
    answer = await scene.http.post("/auth/session", headers=headers)
    assert answer.status_code == 200


async def test_whatever_ends_the_session_makes_its_cookie_worthless(scene: Scene, cast: Cast) -> None:
    """Signing out here or from another device, another password by oneself or by the operator."""
    services = scene.running.services
    entered = await enter(scene)
    left = await scene.http.post("/auth/logout", headers=as_person(entered.json()).headers)
    assert (left.status_code, left.headers["Set-Cookie"]) == (200, FORGOTTEN)
    await is_refused(scene, cookie_of(entered))

    entered = await enter(scene)
    gone = await scene.http.delete(f"/auth/sessions/{entered.json()['session_id']}", headers=cast.alice.headers)
    assert gone.status_code == 200
    await is_refused(scene, cookie_of(entered))

    entered, other = await enter(scene), await enter(scene)
    changed = await scene.http.post(
        "/auth/change-password",
        json={"old_password": PASSWORD, "new_password": PASSWORD},
        headers=as_person(entered.json()).headers,
    )
    assert changed.status_code == 200
    await is_refused(scene, cookie_of(other))
    assert (await come_back(scene, cookie_of(entered))).status_code == 200, "who changed it stays signed in"
    await accounts.operation_set_password(services, SetPassword(username="alice", password=PASSWORD))
    await is_refused(scene, cookie_of(entered))


async def test_the_cookie_of_somebody_who_was_removed_is_worthless(scene: Scene, cast: Cast) -> None:
    cookie = cookie_of(await enter(scene))
    await accounts.operation_remove_user(scene.running.services, RemoveUser(username="alice"))
    await is_refused(scene, cookie)


async def test_a_session_lives_as_long_as_its_browser_is_used(tmp_path: Path) -> None:
    """Its token ends after a day; the session ninety days after it was last asked for, and is listed until then."""
    clock = MovableClock()
    async with open_scene(tmp_path, clock=clock) as scene:
        cookie = cookie_of(await enter(scene, "/auth/register"))
        for _ in range(4):
            clock.move(days=60)
            fresh = await come_back(scene, cookie)
            assert fresh.status_code == 200
            await sessions.forget_old_sessions(scene.running.services)
        alice = as_person(fresh.json())
        (listed,) = (await scene.get("/auth/sessions", alice))["sessions"]
        assert listed["expires_at"] > fresh.json()["expires_at"]
        clock.move(days=1.001)
        assert (await scene.http.get("/agents", headers=alice.headers)).status_code == 401
        assert (await come_back(scene, cookie)).status_code == 200
        clock.move(days=90.001)
        await is_refused(scene, cookie)


async def test_two_tabs_that_start_at_once_both_come_in(scene: Scene, cast: Cast) -> None:
    cookie = cookie_of(await enter(scene))
    statuses: list[int] = []

    async def start() -> None:
        statuses.append((await scene.http.post("/auth/session", headers={"Cookie": cookie})).status_code)

    async with trio.open_nursery() as nursery:
        for _ in range(5):
            nursery.start_soon(start)
    assert statuses == [200] * 5


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "same-origin", "Origin": "https://evil.example"},
        {"Origin": "https://app.example"},
        {"Origin": "null"},
    ],
)
async def test_pages_of_other_hosts_are_refused_even_those_that_may_call(
    tmp_path: Path, headers: dict[str, str]
) -> None:
    """Neither may they have a cookie set: whoever signs a browser in as himself reads what is written there."""
    for allowed in ((), ("https://app.example",), ("*",)):
        folder = tmp_path / f"{len(allowed)}{'*' in allowed}"
        async with open_scene(folder, server={"cors_allowed_origins": allowed}) as scene:
            await scene.register("alice")
            cookie = cookie_of(await enter(scene))
            answers = [await scene.http.post("/auth/session", headers=headers | {"Cookie": cookie})]
            for path, name in (("/auth/login", "alice"), ("/auth/register", "carol")):
                body = {"username": name, "password": PASSWORD, "cookie": "true"}
                answers.append(await scene.http.post(path, data=body, headers=headers))
            assert [each.status_code for each in answers] == [403] * 3
            assert not [each for each in answers if "Set-Cookie" in each.headers]


async def test_our_own_page_is_known_behind_a_proxy_too(tmp_path: Path) -> None:
    """The cookie of who came over https never travels without it; whose word counts for that is configured."""
    proxied = {"Host": "chat.example", "X-Forwarded-Proto": "https", "Origin": "https://chat.example"}
    for trusted, end in (((ip_network("127.0.0.1"),), "; Max-Age=7776000; Secure"), ((), "; Max-Age=7776000")):
        async with open_scene(tmp_path / f"{len(trusted)}", server={"trusted_proxies": trusted}) as scene:
            entered = await enter(scene, "/auth/register", **proxied)
            assert entered.headers["Set-Cookie"].endswith(end)
            again = await come_back(scene, cookie_of(entered), **proxied)
            assert again.headers["Set-Cookie"].endswith(end)


async def test_guessing_costs_the_budget_of_failures_and_good_cookies_that_of_the_account(tmp_path: Path) -> None:
    """A good one is let in from an address that others guess from: everybody in an office may start at nine o'clock."""
    limits = {"free_requests_per_minute": 3}
    async with open_scene(tmp_path, auth={"attempts_per_minute": 3}, limits=limits) as scene:
        cookie = cookie_of(await enter(scene, "/auth/register"))
        bad = [await come_back(scene, "amtrio_session=guessed") for _ in range(4)]
        assert [each.status_code for each in bad] == [401] * 3 + [429]
        good = [await come_back(scene, cookie) for _ in range(4)]
        assert [each.status_code for each in good] == [200] * 3 + [429]
        assert int(good[-1].headers["Retry-After"]) >= 1


async def test_it_says_who_administers(scene: Scene, cast: Cast) -> None:
    """As signing in does, true at once."""
    entered = await enter(scene)
    assert entered.json()["is_admin"] is False
    await promote(scene, cast.alice)
    assert (await come_back(scene, cookie_of(entered))).json()["is_admin"] is True
