"""Whose token is this, which sessions are open, end one."""

from __future__ import annotations

import json
from pathlib import Path

import jwt
import pytest
import trio
from trio_websocket import ConnectionClosed

from amtrio.features import sessions
from tests.features.conftest import Cast
from tests.harness import JWT_SECRET, MovableClock, Person, Scene, open_scene, open_socket


async def refused_everywhere(scene: Scene, token: str) -> None:
    """REST, a v1 socket by URL and by header, and a v2 hello."""
    headers = {"Authorization": f"Bearer {token}"}
    for path in ("/agents", "/conversations", "/auth/sessions", "/snapshot", "/presence/user"):
        answer = await scene.http.get(path, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized"), path
    answer = await scene.http.post("/auth/logout", headers=headers)
    assert answer.status_code == 401
    for path, extra in ((f"/client/connect?token={token}", {}), ("/client/connect", headers)):
        answer = await scene.knock(path, headers=extra)
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
    async with open_socket(f"{scene.ws_url}/client/connect", subprotocols=["v2"]) as socket:
        await socket.send_message(json.dumps({"type": "hello", "data": {"token": token}}))
        told = json.loads(await socket.get_message())
        assert (told["type"], told["data"]["code"]) == ("error", "unauthorized")
        with pytest.raises(ConnectionClosed) as closed:
            await socket.get_message()
        assert closed.value.reason is not None
        assert closed.value.reason.code == 4401


async def test_a_stolen_token_of_an_ended_session_is_refused_everywhere(scene: Scene, cast: Cast) -> None:
    """And its open sockets close with 4401 within a second; other sessions live on."""
    thief = await scene.login("alice")
    async with scene.device(thief, "stolen") as native, scene.old_device(thief) as old, scene.device(cast.alice) as own:
        listed = (await scene.get("/auth/sessions", cast.alice))["sessions"]
        (stolen,) = [each["session_id"] for each in listed if not each["current"]]
        answer = await scene.http.delete(f"/auth/sessions/{stolen}", headers=cast.alice.headers)
        assert answer.json() == {"status": "ended", "session_id": stolen}
        with trio.fail_after(1):
            assert (await native.closed())[0] == 4401
            assert (await old.closed())[0] == 4401
        await own.caught_up()
    await refused_everywhere(scene, thief.token)


async def test_an_ended_session_stays_ended_after_a_restart(tmp_path: Path) -> None:
    """The end is on disk, not in a cache."""
    async with open_scene(tmp_path) as scene:
        alice = await scene.register("alice")
        assert (await scene.http.post("/auth/logout", headers=alice.headers)).status_code == 200
    async with open_scene(tmp_path) as scene:
        await refused_everywhere(scene, alice.token)


async def test_sessions_are_listed_with_what_tells_them_apart(scene: Scene, cast: Cast) -> None:
    """Newest first; one is the asker's."""
    await scene.http.post(
        "/auth/login",
        json={"username": "alice", "password": "correct horse battery"},
        headers={"User-Agent": "a phone"},
    )
    listed = (await scene.get("/auth/sessions", cast.alice))["sessions"]
    assert [(each["current"], each["address"]) for each in listed] == [(False, "127.0.0.1"), (True, "127.0.0.1")]
    assert listed[0]["user_agent"] == "a phone"


async def test_anothers_session_is_not_there(scene: Scene, cast: Cast) -> None:
    """The same words as for one that never was, and it lives on."""
    (own,) = (await scene.get("/auth/sessions", cast.bob))["sessions"]
    answers = [
        await scene.http.delete(f"/auth/sessions/{id_}", headers=cast.alice.headers)
        for id_ in (own["session_id"], "ses_missing")
    ]
    assert [each.status_code for each in answers] == [404, 404]
    assert answers[0].text.replace(own["session_id"], "ID") == answers[1].text.replace("ses_missing", "ID")
    assert (await scene.http.get("/agents", headers=cast.bob.headers)).status_code == 200


async def test_tokens_expire_by_the_wall_clock(tmp_path: Path) -> None:
    """After 24 hours it is refused, also one that was checked a moment ago; a clock set back lets it live on."""
    clock = MovableClock()
    async with open_scene(tmp_path, clock=clock) as scene:
        alice = await scene.register("alice")
        assert (await scene.http.get("/agents", headers=alice.headers)).status_code == 200
        clock.move(days=-1)
        assert (await scene.http.get("/agents", headers=alice.headers)).status_code == 200
        clock.move(days=1.999)
        assert (await scene.http.get("/agents", headers=alice.headers)).status_code == 200
        clock.move(days=0.002)
        await refused_everywhere(scene, alice.token)


async def test_a_token_of_the_older_server_becomes_a_session(scene: Scene, cast: Cast) -> None:
    """Signed with the same secret, it enters, is listed, and can be ended."""
    old = Person(
        "alice",
        cast.alice.id,
        jwt.encode(
            {"user_id": cast.alice.id, "username": "alice", "iss": "agent-messenger", "exp": 4_000_000_000}, JWT_SECRET
        ),
    )
    before = (await scene.get("/auth/sessions", cast.alice))["sessions"]
    async with trio.open_nursery() as nursery:
        for _ in range(10):
            nursery.start_soon(scene.get, "/agents", old)
    after = (await scene.get("/auth/sessions", cast.alice))["sessions"]
    assert len(after) == len(before) + 1, "ten requests at once make one session"
    assert (await scene.http.post("/auth/logout", headers=old.headers)).status_code == 200
    await refused_everywhere(scene, old.token)


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": 1}, {"iss": "somebody"}, {"user_id": "user_nobody"}, {"user_id": 5}, {"user_id": None},
        {"sid": "ses_x"}, {"sid": 5}, {"exp": "soon"}, {"user_id": "helper"},
    ],
)  # fmt: skip
async def test_forged_claims_are_refused(scene: Scene, cast: Cast, claims: dict[str, object]) -> None:
    """Even rightly signed: expired, of another issuer, of nobody, of an agent's id, of a session that never was."""
    good = {"user_id": cast.alice.id, "username": "alice", "iss": "agent-messenger", "exp": 4_000_000_000}
    token = jwt.encode(good | claims, JWT_SECRET) if claims.get("exp") != "soon" else "x.y.z"
    answer = await scene.http.get("/agents", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 401


@pytest.mark.parametrize("token", ["x", "a.b.c", "x" * 10_000, "eyJhbGciOiJub25lIn0.e30."])
async def test_what_is_no_token(scene: Scene, cast: Cast, token: str) -> None:
    answer = await scene.http.get("/agents", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 401


async def test_a_token_without_signature_or_of_another_secret_is_refused(scene: Scene, cast: Cast) -> None:
    """`alg: none` and a guessed secret open nothing."""
    claims = {"user_id": cast.alice.id, "username": "alice", "iss": "agent-messenger", "exp": 4_000_000_000}
    for token in (jwt.encode(claims, "", algorithm="none"), jwt.encode(claims, "another secret of 32 bytes......")):
        assert (await scene.http.get("/agents", headers={"Authorization": f"Bearer {token}"})).status_code == 401


async def test_last_use_is_noted(tmp_path: Path) -> None:
    clock = MovableClock()
    async with open_scene(tmp_path, clock=clock) as scene:
        alice = await scene.register("alice")
        (before,) = (await scene.get("/auth/sessions", alice))["sessions"]
        clock.move(days=0.5)
        await scene.get("/agents", alice)
        await sessions.note_last_use(scene.running.services)
        (after,) = (await scene.get("/auth/sessions", alice))["sessions"]
        assert after["last_used_at"] > before["last_used_at"] == before["created_at"]


async def test_sessions_of_long_ago_are_forgotten(tmp_path: Path) -> None:
    """30 days after they ended; open ones stay."""
    clock = MovableClock()
    async with open_scene(tmp_path, clock=clock) as scene:
        await scene.register("alice")
        clock.move(days=40)
        again = await scene.login("alice")
        await sessions.forget_old_sessions(scene.running.services)
        count = await scene.running.services.store.read(lambda tx: tx.one("SELECT count(*) FROM login_session"))
        assert count == (1,)
        assert (await scene.http.get("/agents", headers=again.headers)).status_code == 200
