"""A running server with two people and an agent, for tests of one feature at a time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from amtrio.features.accounts import UserName, operation_promote
from tests.harness import ADMIN_SECRET, Agent, Json, Person, Scene, open_scene

ADMIN = {"X-Admin-Secret": ADMIN_SECRET}


@dataclass
class Cast:
    """alice and the agent `helper` have a conversation, `talk`; bob has one with `helper` too, `other`."""

    alice: Person
    bob: Person
    helper: Agent
    talk: str
    other: str


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with open_scene(tmp_path) as scene:
        yield scene


@pytest.fixture
async def cast(scene: Scene) -> Cast:
    alice, bob, helper = (
        await scene.register("alice"),
        await scene.register("bob"),
        await scene.register_agent("helper"),
    )
    return Cast(alice, bob, helper, await scene.conversation(alice, helper), await scene.conversation(bob, helper))


async def promote(scene: Scene, person: Person) -> None:
    """Make a person an administrator, as the command line does."""
    await operation_promote(scene.running.services, UserName(username=person.name))


async def audited(scene: Scene, **query: Any) -> list[Json]:
    """The record of what was administered, oldest first."""
    answer = await scene.http.get("/admin/audit", headers=ADMIN, params=query)
    assert answer.status_code == 200, answer.text
    entries: list[Json] = answer.json()["entries"]
    return entries[::-1]


async def post(scene: Scene, who: Person | Agent, path: str, **body: Any) -> httpx.Response:
    return await scene.http.post(path, json=body, headers=who.headers)


async def send(scene: Scene, who: Person | Agent, talk: str, content: str, **body: Any) -> Json:
    answer = await post(scene, who, f"/conversations/{talk}/messages", content=content, **body)
    assert answer.status_code == 200, answer.text
    sent: Json = answer.json()
    return sent


async def page(scene: Scene, who: Person, talk: str, **query: Any) -> list[str]:
    return [each["content"] for each in await scene.get(f"/conversations/{talk}/messages", who, **query)]
