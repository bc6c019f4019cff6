"""Agents in the hands of an administrator, over REST."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
import trio

from tests.features.conftest import ADMIN, Cast
from tests.harness import AGENT_SECRET, Agent, Json, Scene


async def make(scene: Scene, **fields: Any) -> httpx.Response:
    return await scene.http.post("/admin/agents", json=fields, headers=ADMIN)


async def change(scene: Scene, agent_id: str, **fields: Any) -> httpx.Response:
    return await scene.http.patch(f"/admin/agents/{agent_id}", json=fields, headers=ADMIN)


async def shown(scene: Scene, agent_id: str) -> Json:
    answer = await scene.http.get(f"/admin/agents/{agent_id}", headers=ADMIN)
    assert answer.status_code == 200, answer.text
    body: Json = answer.json()
    return body


async def test_an_agent_from_its_making_to_its_end(scene: Scene, cast: Cast) -> None:
    """Each credential is shown once and opens until the next act; sockets close with 4401 within a second."""
    made = (await make(scene, agent_id="own", name="Own", model="m1")).json()
    assert made["token"].startswith("agt_")
    token = made["token"]
    for word in ("rotate", "revoke"):
        async with scene.device(Agent("own", token)) as agent:
            answer = await scene.http.post(f"/admin/agents/own/{word}", headers=ADMIN)
            assert answer.status_code == 200
            with trio.fail_after(1):
                assert (await agent.closed())[0] == 4401
        for secret in (token, AGENT_SECRET):
            headers = {"X-Agent-ID": "own", "X-Agent-Secret": secret}
            assert (await scene.http.get("/conversations", headers=headers)).status_code == 401
        token = answer.json().get("token", "")
    body = await shown(scene, "own")
    assert (body["credential"], body["name"], body["model"], body["visibility"]) == ("revoked", "Own", "m1", "everyone")
    assert made["token"] not in repr(body)
    assert (await scene.http.delete("/admin/agents/own", headers=ADMIN)).json() == {
        "agent_id": "own", "status": "removed"
    }  # fmt: skip
    assert (await make(scene, agent_id="own")).status_code == 409, "nobody takes over its id"
    for method, path in (("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/rotate"), ("POST", "/revoke")):
        assert (await scene.http.request(method, f"/admin/agents/own{path}", headers=ADMIN)).status_code == 404


@pytest.mark.parametrize("agent_id", ["", "a b", "a/b", "x" * 65])
async def test_ids_of_another_shape_are_refused(scene: Scene, agent_id: str) -> None:
    assert (await make(scene, agent_id=agent_id)).status_code == 400


async def test_who_may_see_an_agent(scene: Scene, cast: Cast) -> None:
    """It counts for whoever asks next; the administrators' list always shows it."""

    async def seen() -> str:
        people = {"a": cast.alice, "b": cast.bob, "c": carol}
        lists = {letter: await scene.get("/agents", person) for letter, person in people.items()}
        return "".join(letter for letter, agents in lists.items() if "secret" in {each["id"] for each in agents})

    carol = await scene.register("carol")
    await make(scene, agent_id="secret")
    assert await seen() == "abc"
    answer = await change(scene, "secret", visibility="owner", owner=cast.alice.id)
    assert (answer.json()["visibility"], answer.json()["owner"]) == ("owner", cast.alice.id)
    assert await seen() == "a"
    await change(scene, "secret", visibility="listed", readers=[cast.bob.id, cast.bob.id])
    assert (await shown(scene, "secret"))["readers"] == [cast.bob.id]
    assert await seen() == "ab"
    await change(scene, "secret", readers=[carol.id])
    assert await seen() == "ac"
    await change(scene, "secret", owner=None)
    assert await seen() == "c"
    everybody = (await scene.http.get("/admin/agents", headers=ADMIN)).json()
    assert {each["id"]: each["readers"] for each in everybody} == {"helper": [], "secret": [carol.id]}


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"visibility": "nobody"}, 400),
        ({"visibility": None}, 400),
        ({"owner": "user_none"}, 404),
        ({"readers": ["user_none"]}, 404),
        ({"readers": ["x"] * 1001}, 400),
        ({"name": "x" * 2001}, 400),
    ],
)
async def test_what_is_refused_changes_nothing(scene: Scene, cast: Cast, fields: dict[str, Any], status: int) -> None:
    before = await shown(scene, "helper")
    assert (await change(scene, "helper", **({"model": "new"} | fields))).status_code == status
    assert await shown(scene, "helper") == before


async def test_the_card_can_be_corrected(scene: Scene, cast: Cast) -> None:
    """What is left out stays, also without anything."""
    await change(scene, "helper", name="Helper", specialty="tests")
    await change(scene, "helper", model="m2", specialty="")
    await change(scene, "helper")
    body = await shown(scene, "helper")
    assert (body["name"], body["model"], body["specialty"]) == ("Helper", "m2", "")


async def test_a_removed_owner_leaves_the_agent_to_nobody(scene: Scene, cast: Cast) -> None:
    """It is not shown to everybody by that."""
    await change(scene, "helper", visibility="owner", owner=cast.alice.id)
    await scene.http.delete(f"/admin/users/{cast.alice.id}", headers=ADMIN)
    body = await shown(scene, "helper")
    assert (body["owner"], body["visibility"]) == (None, "owner")
    assert await scene.get("/agents", cast.bob) == []
