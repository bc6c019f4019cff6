"""Devices for pushes by the older server's verbs."""

from __future__ import annotations

import json

import httpx
import pytest

from tests.features.conftest import Cast, post
from tests.harness import Scene
from tests.push.devices import ENDPOINT, KEYS, scene

__all__ = ["scene"]


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
    assert await scene.get("/push/devices", cast.alice) == []
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
    assert await scene.get("/push/devices", cast.alice) == []
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
