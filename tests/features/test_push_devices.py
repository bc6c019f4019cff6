"""Which devices of a person can be woken."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from amtrio.config import Secret
from amtrio.features.push_devices import MAX_DEVICES, forget_ended_logins
from amtrio.signing import base64url, p256_key, public_point
from tests.features.conftest import Cast, post
from tests.harness import Agent, Json, Person, Scene, open_scene
from tests.push.services import VAPID_KEY

ENDPOINT = "https://push.example.org/v2/alices-phone"
KEYS = {"p256dh": base64url(public_point(ec.generate_private_key(ec.SECP256R1()))), "auth": base64url(b"a" * 16)}
WEB: Json = {"platform": "web", "endpoint": ENDPOINT, "keys": KEYS}
PHONE: Json = {"platform": "android", "token": "fcm:token_1-x"}


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with open_scene(tmp_path, push={"vapid_private_key": Secret(VAPID_KEY)}) as scene:
        yield scene


async def put(scene: Scene, who: Person | Agent, **body: object) -> httpx.Response:
    return await scene.http.put("/push/devices", json=body, headers=who.headers)


async def addresses(scene: Scene) -> dict[str, str]:
    """What is stored: address to account."""
    rows = await scene.running.services.store.read(lambda tx: tx.all("SELECT address, account_key FROM push_device"))
    return dict(rows)


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


async def test_registering_again_brings_up_to_date(scene: Scene, cast: Cast) -> None:
    """The same address stays one device; a new address of the same device replaces the old one."""
    first = (await put(scene, cast.alice, **PHONE)).json()
    again = (await put(scene, cast.alice, **PHONE, can_withdraw=True, device_id="phone-1")).json()
    assert (again["id"], again["created_at"], again["can_withdraw"]) == (first["id"], first["created_at"], True)
    renewed = (await put(scene, cast.alice, platform="android", token="fcm:token_2", device_id="phone-1")).json()
    assert renewed["id"] != first["id"]
    assert await addresses(scene) == {"fcm:token_2": f"u:{cast.alice.id}"}


async def test_an_address_belongs_to_one_account_at_a_time(scene: Scene, cast: Cast) -> None:
    """Who signs in on somebody's old phone takes over its pushes, under another id, and shows them to nobody else."""
    await put(scene, cast.alice, **WEB)
    old = (await scene.get("/push/devices", cast.alice))[0]["id"]
    await put(scene, cast.bob, **WEB)
    assert await addresses(scene) == {ENDPOINT: f"u:{cast.bob.id}"}
    assert await scene.get("/push/devices", cast.alice) == []
    (bobs,) = await scene.get("/push/devices", cast.bob)
    assert bobs["id"] != old
    # What alice does about it now concerns nobody.
    await post(scene, cast.alice, "/push/web-unsubscribe", endpoint=ENDPOINT)
    assert (await scene.http.delete(f"/push/devices/{bobs['id']}", headers=cast.alice.headers)).status_code == 404
    assert len(await addresses(scene)) == 1


async def test_the_devices_not_renewed_for_longest_make_room(scene: Scene, cast: Cast) -> None:
    for number in range(MAX_DEVICES + 2):
        await put(scene, cast.alice, platform="ios", token=f"token-{number}")
    left = await addresses(scene)
    assert len(left) == MAX_DEVICES
    assert {"token-0", "token-1"} & left.keys() == set()


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


@pytest.mark.parametrize("as_form", [False, True])
async def test_phones_by_the_older_verbs(scene: Scene, cast: Cast, as_form: bool) -> None:  # noqa: FBT001
    """JSON or form, `device_token` or `token`; taking off what is not there is no error."""

    async def ask(method: str, path: str, **body: str) -> httpx.Response:
        if as_form:
            return await scene.http.request(method, path, data=body, headers=cast.alice.headers)
        return await scene.http.request(method, path, json=body, headers=cast.alice.headers)

    assert (await ask("POST", "/push/register", device_token="a1b2", device_id="iPhone 15,2")).json() == {
        "status": "ok"
    }
    assert (await ask("POST", "/push/register", token="c3d4", platform="android")).json() == {"status": "ok"}
    assert {each["platform"] for each in await scene.get("/push/devices", cast.alice)} == {"ios", "android"}
    for method, name, token in (("DELETE", "device_token", "a1b2"), ("POST", "token", "c3d4"), ("POST", "token", "zz")):
        answer = await ask(method, "/push/unregister", **{name: token})
        assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert await addresses(scene) == {}
    for path in ("/push/register", "/push/unregister"):
        answer = await ask("POST", path)
        assert (answer.status_code, answer.json()["error"]) == (400, "device_token is required")
    assert (await ask("POST", "/push/register", device_token="x", platform="web")).status_code == 400


async def test_browsers_by_the_older_verbs(scene: Scene, cast: Cast) -> None:
    answer = await post(scene, cast.alice, "/push/web-subscribe", endpoint=ENDPOINT, keys=KEYS)
    assert (answer.status_code, answer.json()) == (200, {"status": "subscribed"})
    (device,) = await scene.get("/push/devices", cast.alice)
    assert (device["platform"], device["can_withdraw"]) == ("web", False)
    answer = await post(scene, cast.alice, "/push/web-unsubscribe", endpoint=ENDPOINT)
    assert (answer.status_code, answer.json()) == (200, {"status": "unsubscribed"})
    assert await addresses(scene) == {}
    answer = await post(scene, cast.alice, "/push/web-unsubscribe")
    assert (answer.status_code, answer.json()["error"]) == (400, "endpoint is required")


@pytest.mark.parametrize("keys", [str(KEYS), json.dumps(KEYS)])
async def test_a_form_holds_the_keys_as_text(scene: Scene, cast: Cast, keys: str) -> None:
    """As an SDK sends them: what Python makes of a dict."""
    body = {"endpoint": ENDPOINT, "keys": keys}
    answer = await scene.http.post("/push/web-subscribe", data=body, headers=cast.alice.headers)
    assert (answer.status_code, answer.json()) == (200, {"status": "subscribed"})


@pytest.mark.parametrize(
    "keys", ["", "x", "[1]", "{'p256dh': 1}", "__import__('os')", "{" * 500, "'" + "x" * 2000 + "'", "{'a': {}}", "\0"]
)
async def test_a_text_that_holds_no_keys_is_refused(scene: Scene, cast: Cast, keys: str) -> None:
    body = {"endpoint": ENDPOINT, "keys": keys}
    answer = await scene.http.post("/push/web-subscribe", data=body, headers=cast.alice.headers)
    assert (answer.status_code, answer.json()["error"]) == (400, "endpoint, p256dh, and auth keys are required")
