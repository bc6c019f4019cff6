"""What administrators change while the server runs, over what its configuration says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.features.conftest import ADMIN, audited
from tests.harness import PASSWORD, Json, Scene, open_scene


async def change(scene: Scene, **fields: Any) -> httpx.Response:
    return await scene.http.patch("/admin/settings", json=fields, headers=ADMIN)


async def shown(scene: Scene) -> Json:
    settings: Json = (await scene.http.get("/admin/settings", headers=ADMIN)).json()
    return settings


async def register(scene: Scene, name: str) -> int:
    answer = await scene.http.post("/auth/register", json={"username": name, "password": PASSWORD})
    return answer.status_code


async def test_a_choice_outweighs_the_configuration_until_it_is_taken_back(tmp_path: Path) -> None:
    """At once, and after a restart too."""
    async with open_scene(tmp_path, auth={"registration": "closed"}) as scene:
        configured = {
            "registration": "closed", "configured_registration": "closed", "is_registration_changed": False
        }  # fmt: skip
        assert await shown(scene) == configured
        assert await register(scene, "alice") == 403
        answer = await change(scene, registration="open")
        assert answer.json() == configured | {"registration": "open", "is_registration_changed": True}
        assert await register(scene, "alice") == 200
    async with open_scene(tmp_path, auth={"registration": "closed"}) as scene:
        assert await register(scene, "bob") == 200
        assert (await change(scene)).json()["registration"] == "open", "left out is left alone"
        assert (await change(scene, registration=None)).json() == configured
        assert await register(scene, "carol") == 403
        told = [(each["action"], each["subject"], each["details"]) for each in await audited(scene)]
        assert told == [
            ("setting.changed", "registration", {"value": "open"}),
            ("setting.changed", "registration", {"value": None}),
        ]


@pytest.mark.parametrize("value", ["none", "", 1, ["open"]])
async def test_a_rule_that_does_not_exist_is_refused(scene: Scene, value: Any) -> None:
    assert (await change(scene, registration=value)).status_code == 400
    assert (await shown(scene))["registration"] == "open"
