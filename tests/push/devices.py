"""Scenes in which devices are registered for pushes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from amtrio.config import Secret
from amtrio.signing import base64url, public_point
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
