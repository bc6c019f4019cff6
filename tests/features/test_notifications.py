"""What a person does not want to be woken by."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from amtrio.features import accounts
from amtrio.features.accounts import RemoveUser
from amtrio.model.notification import is_silent
from tests.features.conftest import Cast
from tests.harness import Json, MovableClock, Person, Scene, open_scene

FOREVER = "9999-12-31T23:59:59.999Z"
NONE: Json = {"muted_until": None, "quiet_from": None, "quiet_to": None, "time_zone": "UTC"}


async def prefer(scene: Scene, who: Person, **fields: Any) -> httpx.Response:
    return await scene.http.put("/notifications/preferences", json=fields, headers=who.headers)


async def mute(scene: Scene, who: Person, talk: str, **fields: Any) -> httpx.Response:
    return await scene.http.put(f"/conversations/{talk}/notifications", json=fields, headers=who.headers)


async def test_preferences_are_set_field_by_field(scene: Scene, cast: Cast) -> None:
    """What is left out stays, null takes it away; each change reaches the own devices, none the other side."""
    assert await scene.get("/notifications/preferences", cast.alice) == NONE
    steps: list[tuple[Json, Json]] = [
        ({"quiet_from": "22:00", "quiet_to": "07:30", "time_zone": "Europe/Berlin"}, {}),
        ({"muted_until": "2030-01-01T01:00:00+01:00"}, {"muted_until": "2030-01-01T00:00:00.000Z"}),
        ({"quiet_from": "23:15"}, {}),
        ({"muted": True}, {"muted_until": FOREVER}),
        ({"muted": False}, {"muted_until": None}),
        ({"quiet_from": None, "quiet_to": None}, {}),
    ]
    now = dict(NONE)
    async with scene.device(cast.alice, "tablet") as tablet, scene.device(cast.helper) as agent:
        for asked, shown in steps:
            now |= {name: value for name, value in asked.items() if name != "muted"} | shown
            answer = await prefer(scene, cast.alice, **asked)
            assert (answer.status_code, answer.json()) == (200, now)
            assert await tablet.next("notification_preferences") == now
            assert await scene.get("/notifications/preferences", cast.alice) == now
        await prefer(scene, cast.alice, muted=False)
        for device, count in ((tablet, len(steps)), (agent, 0)):
            await device.caught_up()
            assert [each["type"] for each in device.events].count("notification_preferences") == count
    assert await scene.get("/notifications/preferences", cast.bob) == NONE


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"mutes": True},
        {"quiet_from": "22:00"},
        {"quiet_to": "22:00"},
        {"quiet_from": "22:00", "quiet_to": "22:00"},
        {"quiet_from": "24:00", "quiet_to": "07:00"},
        {"quiet_from": "7:00", "quiet_to": "08:00"},
        {"quiet_from": "22:60", "quiet_to": "07:00"},
        {"quiet_from": "22:00\n", "quiet_to": "07:00"},
        {"quiet_from": "٢٢:00", "quiet_to": "07:00"},
        {"quiet_from": 22, "quiet_to": 7},
        {"time_zone": "Mars/Olympus"},
        {"time_zone": "../../etc/passwd"},
        {"time_zone": None},
        {"muted": True, "muted_until": "2030-01-01T00:00:00Z"},
        {"muted": "yes"},
        {"muted": None},
        {"muted_until": "tomorrow"},
        {"muted_until": "2030-01-01T00:00:00"},
        {"muted_until": 5},
    ],
)
async def test_preferences_that_mean_nothing_are_refused(scene: Scene, cast: Cast, fields: Json) -> None:
    answer = await prefer(scene, cast.alice, **fields)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")
    assert await scene.get("/notifications/preferences", cast.alice) == NONE


async def test_half_of_the_quiet_hours_cannot_be_taken_away(scene: Scene, cast: Cast) -> None:
    await prefer(scene, cast.alice, quiet_from="22:00", quiet_to="07:00")
    assert (await prefer(scene, cast.alice, quiet_to=None)).status_code == 400
    assert (await prefer(scene, cast.alice, quiet_to="22:00")).status_code == 400
    assert (await scene.get("/notifications/preferences", cast.alice))["quiet_to"] == "07:00"


async def test_one_conversation_is_muted(scene: Scene, cast: Cast) -> None:
    """For ever, until a moment, or no longer; told to the own devices and seen in the list."""
    path = f"/conversations/{cast.talk}/notifications"
    async with scene.device(cast.alice, "tablet") as tablet, scene.device(cast.helper) as agent:
        for fields, until, is_muted in (
            ({"muted": True}, FOREVER, True),
            ({"muted_until": "2999-01-01T00:00:00Z"}, "2999-01-01T00:00:00.000Z", True),
            ({"muted_until": "1999-01-01T00:00:00Z"}, "1999-01-01T00:00:00.000Z", False),
            ({"muted": False}, None, False),
            ({"muted": True}, FOREVER, True),
            ({"muted_until": None}, None, False),
            ({"muted_until": "1666-01-01T00:00:00Z"}, "1970-01-01T00:00:00.000Z", False),
        ):
            answer = await mute(scene, cast.alice, cast.talk, **fields)
            assert answer.json() == {"conversation_id": cast.talk, "muted": is_muted, "muted_until": until}
            assert (await tablet.next("conversation_state"))["muted_until"] == until
            assert (await scene.get(f"/conversations/{cast.talk}", cast.alice))["muted_until"] == until
            assert (await scene.get(f"/conversations/{cast.talk}", cast.helper))["muted_until"] is None
        for _ in range(2):
            answer = await scene.http.delete(path, headers=cast.alice.headers)
            assert answer.json() == {"conversation_id": cast.talk, "muted": False, "muted_until": None}
        await agent.caught_up()
        assert "conversation_state" not in [each["type"] for each in agent.events]
    nonsense: list[Json] = [{}, {"muted": True, "muted_until": None}, {"muted": "true"}, {"muted_until": "x"}]
    for each in nonsense:
        assert (await mute(scene, cast.alice, cast.talk, **each)).status_code == 400


async def test_the_older_routes(scene: Scene, cast: Cast) -> None:
    """Of a form's texts only `true` is true; a GET lists and changes nothing."""
    headers = cast.alice.headers
    for muted, is_muted in (("true", True), ("True", False), ("true", True), ("1", False), ("true", True), ("", False)):
        answer = await scene.http.post(
            "/notification-prefs/set", data={"conversation_id": cast.talk, "muted": muted}, headers=headers
        )
        assert answer.json() == {"conversation_id": cast.talk, "muted": is_muted}
        listed = await scene.get("/notification-prefs", cast.alice)
        assert listed == ([{"conversation_id": cast.talk, "muted": True}] if is_muted else [])
    await scene.http.post(
        "/notification-prefs/set", json={"conversation_id": cast.talk, "muted": True}, headers=headers
    )
    for path in ("set", "delete"):
        asked = {"conversation_id": cast.talk, "muted": "false"}
        answer = await scene.http.get(f"/notification-prefs/{path}", params=asked, headers=headers)
        assert answer.status_code == 405
        answer = await scene.http.post(f"/notification-prefs/{path}", headers=headers)
        assert answer.status_code == 400
        assert "conversation_id" in answer.json()["error"]
    assert len(await scene.get("/notification-prefs", cast.alice)) == 1
    for talk in (cast.talk, cast.talk, cast.other, "conv_missing"):
        answer = await scene.http.post("/notification-prefs/delete", data={"conversation_id": talk}, headers=headers)
        assert (answer.status_code, answer.json()) == (200, {"status": "deleted"})
    assert await scene.get("/notification-prefs", cast.alice) == []


async def test_the_list_forgets_what_has_ended(tmp_path: Path) -> None:
    """Muted until a moment is muted until that moment."""
    clock = MovableClock()
    async with open_scene(tmp_path, clock=clock) as scene:
        alice = await scene.register("alice")
        talk = await scene.conversation(alice, await scene.register_agent("helper"))
        await mute(scene, alice, talk, muted_until="2999-01-01T00:00:00Z")
        assert len(await scene.get("/notification-prefs", alice)) == 1
        clock.moved_us = 32_500_000_000_000_000 - clock.now_us()
        alice = await scene.login("alice")
        assert await scene.get("/notification-prefs", alice) == []


async def test_what_was_set_decides(scene: Scene, cast: Cast) -> None:
    """The function that push asks reads what these routes write."""
    store, key = scene.running.services.store, f"u:{cast.alice.id}"

    async def reason(at_us: int = 0) -> str | None:
        return await store.read(is_silent, key, cast.talk, at_us)

    assert await reason() is None
    await prefer(scene, cast.alice, quiet_from="23:00", quiet_to="02:00", time_zone="Europe/Berlin")
    assert await reason() == "quiet hours", "1970 began there at one in the morning"
    assert await reason(3_600_000_000) is None
    await mute(scene, cast.alice, cast.talk, muted=True)
    assert await reason() == "conversation muted"
    await prefer(scene, cast.alice, muted=True)
    assert await reason() == "muted"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/notifications/preferences"),
        ("PUT", "/notifications/preferences"),
        ("PUT", "/conversations/{id}/notifications"),
        ("DELETE", "/conversations/{id}/notifications"),
        ("GET", "/notification-prefs"),
        ("POST", "/notification-prefs/set"),
        ("POST", "/notification-prefs/delete"),
    ],
)
async def test_agents_and_strangers_have_none(scene: Scene, cast: Cast, method: str, path: str) -> None:
    """Nobody wakes an agent; nobody without a credential is asked."""
    url = path.replace("{id}", cast.talk)
    assert (await scene.http.request(method, url, headers=cast.helper.headers)).status_code == 403
    assert (await scene.http.request(method, url)).status_code == 401


async def test_anothers_conversation_is_not_there(scene: Scene, cast: Cast) -> None:
    """The same answer, word for word, as for one that never was; and nothing is written."""
    for method, path in (
        ("PUT", "/conversations/{id}/notifications?muted=true"),
        ("PUT", "/conversations/{id}/notifications"),
        ("DELETE", "/conversations/{id}/notifications"),
        ("POST", "/notification-prefs/set?conversation_id={id}&muted=true"),
    ):
        answers = []
        for id_ in (cast.other, "conv_missing"):
            answer = await scene.http.request(method, path.replace("{id}", id_), headers=cast.alice.headers)
            answers.append((answer.status_code, answer.text.replace(id_, "ID")))
        assert answers[0] == answers[1]
        assert answers[0][0] == 404
    assert (await scene.get(f"/conversations/{cast.other}", cast.bob))["muted_until"] is None


async def test_who_was_away_is_told_todays_truth(tmp_path: Path) -> None:
    """After a restart, however often they changed."""
    async with open_scene(tmp_path) as scene:
        alice = await scene.register("alice")
        async with scene.device(alice, "phone") as phone:
            since, epoch = phone.greeting["data"]["head"], phone.greeting["data"]["epoch"]
        for is_muted in (True, False, True):
            await prefer(scene, alice, muted=is_muted)
    async with open_scene(tmp_path) as scene, scene.device(alice, "phone", since=since, epoch=epoch) as phone:
        told = [await phone.next("notification_preferences") for _ in range(3)]
        assert told == [NONE | {"muted_until": FOREVER}] * 3


async def test_a_removed_person_leaves_none(scene: Scene, cast: Cast) -> None:
    await prefer(scene, cast.alice, muted=True)
    await accounts.operation_remove_user(scene.running.services, RemoveUser(username="alice"))
    rows = await scene.running.services.store.read(lambda tx: tx.all("SELECT * FROM notification_preference"))
    assert rows == []


async def test_a_repeat_is_done_once(scene: Scene, cast: Cast) -> None:
    """The answer of the first time."""
    client_id = scene.client_id()
    first = await prefer(scene, cast.alice, muted=True, client_id=client_id)
    await prefer(scene, cast.alice, muted=False)
    again = await prefer(scene, cast.alice, muted=True, client_id=client_id)
    assert first.json() == again.json()
    assert (await scene.get("/notifications/preferences", cast.alice))["muted_until"] is None
