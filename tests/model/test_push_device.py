"""Whose a device is that can be woken, and how many one has."""

from __future__ import annotations

from amtrio.model.push_device import MAX_DEVICES
from tests.features.conftest import Cast, cast, post
from tests.harness import Scene
from tests.push.devices import ENDPOINT, PHONE, WEB, addresses, put, scene

__all__ = ["cast", "scene"]


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
