"""Which devices of a person can be woken."""

from __future__ import annotations

from pathlib import Path

import pytest

from amtrio.features.push_devices import forget_ended_logins
from amtrio.signing import base64url, p256_key, public_point
from tests.features.conftest import Cast, post
from tests.harness import Json, Scene, open_scene
from tests.push.devices import ENDPOINT, KEYS, PHONE, WEB, addresses, put, scene
from tests.push.services import VAPID_KEY

__all__ = ["scene"]


async def test_devices_are_registered_listed_and_removed(scene: Scene, cast: Cast) -> None:
    """By PUT and POST alike; the address is never shown; others see and remove nothing."""
    web = await put(scene, cast.alice, **WEB, device_id="laptop-1", can_withdraw=True)
    assert web.status_code == 200, web.text
    phone = (await post(scene, cast.alice, "/push/devices", **PHONE)).json()
    assert web.json() | {"created_at": "", "updated_at": "", "id": ""} == {
        "id": "", "platform": "web", "device_id": "laptop-1", "can_withdraw": True, "created_at": "",
        "updated_at": "", "current": True,
    }  # fmt: skip
    listed = await scene.http.get("/push/devices", headers=cast.alice.headers)
    assert listed.json() == [phone, web.json()]
    assert ENDPOINT not in listed.text
    assert PHONE["token"] not in listed.text
    assert await scene.get("/push/devices", cast.bob) == []
    path = f"/push/devices/{web.json()['id']}"
    assert (await scene.http.delete(path, headers=cast.bob.headers)).status_code == 404
    assert (await scene.http.delete(path, headers=cast.alice.headers)).json()["status"] == "removed"
    assert (await scene.http.delete(path, headers=cast.alice.headers)).json()["code"] == "not_found"
    assert await scene.get("/push/devices", cast.alice) == [phone]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"platform": "web"},
        {"platform": "web", "endpoint": ENDPOINT},
        {"platform": "web", "token": "x"},
        {"platform": "web", "endpoint": ENDPOINT, "keys": {"p256dh": KEYS["p256dh"]}},
        {"platform": "web", "endpoint": ENDPOINT, "keys": KEYS | {"auth": ""}},
        {"platform": "web", "endpoint": ENDPOINT, "keys": KEYS | {"auth": "AAAA"}},
        {"platform": "web", "endpoint": ENDPOINT, "keys": KEYS | {"p256dh": "AAAA"}},
        {"platform": "web", "endpoint": ENDPOINT, "keys": KEYS | {"p256dh": base64url(b"\x04" + b"x" * 64)}},
        {"platform": "web", "endpoint": "https://127.0.0.1/x", "keys": KEYS},
        {"platform": "web", "endpoint": "http://push.example.org/x", "keys": KEYS},
        {"platform": "ios"},
        {"platform": "ios", "token": ""},
        {"platform": "ios", "token": "a/../b"},
        {"platform": "ios", "token": "x" * 1025},
        {"platform": "symbian", "token": "x"},
        {"platform": "ios", "token": "x", "device_id": "a b"},
    ],
)
async def test_what_cannot_be_woken_is_refused(scene: Scene, cast: Cast, body: Json) -> None:
    answer = await put(scene, cast.alice, **body)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")
    assert await addresses(scene) == {}


async def test_people_only(scene: Scene, cast: Cast) -> None:
    """Agents are always awake, and whoever is nobody has nothing to register: not even the key is shown."""
    assert (await put(scene, cast.helper, **PHONE)).status_code == 403
    for method, path in (
        ("GET", "/push/devices"), ("PUT", "/push/devices"), ("POST", "/push/devices"), ("DELETE", "/push/devices/x"),
        ("GET", "/push/vapid-key"), ("POST", "/push/register"), ("DELETE", "/push/unregister"),
        ("POST", "/push/unregister"), ("POST", "/push/web-subscribe"), ("POST", "/push/web-unsubscribe"),
    ):  # fmt: skip
        for headers in ({}, {"Authorization": "Bearer junk"}):
            answer = await scene.http.request(method, path, headers=headers)
            assert answer.status_code == 401, (method, path)


async def test_the_public_key_is_handed_out(scene: Scene, cast: Cast) -> None:
    """It is that of the private one."""
    assert await scene.get("/push/vapid-key", cast.alice) == {
        "public_key": base64url(public_point(p256_key(VAPID_KEY)))
    }


async def test_without_a_key_there_is_none(tmp_path: Path) -> None:
    """A server that was not started from the command line may have none."""
    async with open_scene(tmp_path) as scene:
        answer = await scene.http.get("/push/vapid-key", headers=(await scene.register("alice")).headers)
        assert (answer.status_code, answer.json()["error"]) == (404, "VAPID not configured on server")


async def test_devices_of_an_ended_login_go(scene: Scene, cast: Cast) -> None:
    """From the list at once, from the disk within the hour; expiry alone does not end a login's pushes."""
    other = await scene.login("alice")
    await put(scene, cast.alice, **PHONE)
    await put(scene, other, **WEB)
    (web, phone) = await scene.get("/push/devices", other)
    assert (web["current"], phone["current"]) == (True, False)
    await post(scene, cast.alice, "/auth/logout")
    assert await scene.get("/push/devices", other) == [web]
    await forget_ended_logins(scene.running.services)
    assert set(await addresses(scene)) == {ENDPOINT}


# -- the older server's verbs -----------------------------------------------------------------------------------------
