"""Cards: what an agent says of itself and of what it can do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from amtrio.model.agent import supports
from tests.features.conftest import ADMIN, Cast
from tests.harness import Device, Json, Scene, open_scene

WHOLE: Json = {
    "name": "Helper",
    "model": "m1",
    "personality": "kind",
    "specialty": "chess",
    "description": "Plays **chess**.\nAnd draughts.",
    "supports": ["stop", "queue", "future_word"],
    "commands": [{"name": "new", "description": "Begin again"},
                 {"name": "opening", "description": "Show one", "arguments": "[name]"}],
    "capabilities": ["plays chess", "reads PGN"],
}  # fmt: skip


async def put(scene: Scene, cast: Cast, **card: Any) -> httpx.Response:
    return await scene.http.put("/agent/card", json=card, headers=cast.helper.headers)


async def shown(scene: Scene, cast: Cast) -> Json:
    (agent,) = await scene.get("/agents", cast.alice)
    card: Json = {name: agent[name] for name in WHOLE}
    return card


async def told_of_agents(device: Device) -> list[Json]:
    """How often, and what, this device was told of agents until now."""
    await device.caught_up()
    return [each["data"] for each in device.ephemeral if each["type"] == "agent_changed"]


async def test_a_card_is_shown_wherever_the_agent_is(scene: Scene, cast: Cast) -> None:
    """In the list of agents, to administrators, and at once to people who are online."""
    async with scene.device(cast.alice) as phone, scene.device(cast.helper) as agent:
        answer = await agent.ask("card", **WHOLE, client_id=scene.client_id())
        assert answer["data"] == {"status": "stored"}
        told = await phone.next("agent_changed")
        (listed,) = await scene.get("/agents", cast.alice)
        assert {name: told[name] for name in WHOLE} == WHOLE
        assert set(told) == set(listed)
        assert {name: value for name, value in told.items() if name != "last_seen"} == {
            name: value for name, value in listed.items() if name != "last_seen"
        }
        assert (told["id"], told["agent_id"], told["online"], told["status"]) == ("helper", "helper", True, "online")
    assert await shown(scene, cast) == WHOLE
    administered = (await scene.http.get("/admin/agents/helper", headers=ADMIN)).json()
    assert {name: administered[name] for name in WHOLE} == WHOLE
    assert await scene.running.services.store.read(supports, "a:helper") == {"stop", "queue", "future_word"}


async def test_an_agent_without_a_card_has_an_empty_one(scene: Scene, cast: Cast) -> None:
    """Every field is there, so that nobody has to ask whether."""
    card = await shown(scene, cast)
    assert (card["description"], card["supports"], card["commands"], card["capabilities"]) == ("", [], [], [])
    store = scene.running.services.store
    assert [await store.read(supports, account) for account in ("a:helper", "a:nobody")] == [frozenset()] * 2


async def test_what_is_left_out_stays(scene: Scene, cast: Cast) -> None:
    """And an empty list or text takes away, except the name."""
    assert (await put(scene, cast, **WHOLE)).json() == {"status": "stored"}
    expected = dict(WHOLE)
    changes: list[Json] = [
        {"model": "m2"},
        {"supports": ["steer", "stop", "steer"]},
        {"capabilities": [], "personality": ""},
        {"commands": []},
        {"description": ""},
        {"supports": [], "name": "Aid", "commands": None},
        {},
    ]
    for change in changes:
        assert (await put(scene, cast, **change)).status_code == 200
        expected |= {name: value for name, value in change.items() if value is not None}
        if expected["supports"] == ["steer", "stop", "steer"]:
            expected["supports"] = ["steer", "stop"]
        assert await shown(scene, cast) == expected
    assert (await put(scene, cast, name="  ")).status_code == 400
    assert (await shown(scene, cast))["name"] == "Aid"


async def test_the_same_card_again_is_no_news(scene: Scene, cast: Cast) -> None:
    """An agent says what it is whenever it connects; only what is different is written and told."""
    store = scene.running.services.store
    async with scene.device(cast.alice) as phone, scene.device(cast.helper) as agent:
        await agent.ask("card", **WHOLE)
        await phone.next("agent_changed")
        written: list[str] = []
        commit = store._commit  # type: ignore[attr-defined]  # the adapter in use
        commit._conn.set_trace_callback(written.append)
        await agent.ask("card", **WHOLE)
        await agent.ask("card", supports=WHOLE["supports"])
        await agent.ask("card")
        commit._conn.set_trace_callback(None)
        assert [sql for sql in written if sql.startswith("UPDATE agent SET") and "last_seen" not in sql] == []
        await agent.ask("card", specialty="go")
        assert (await phone.next("agent_changed"))["specialty"] == "go"
        assert len(await told_of_agents(phone)) == 2


async def test_only_those_who_may_see_an_agent_hear_of_it(scene: Scene, cast: Cast) -> None:
    """Whoever is on its list; and when it is shown to more people, those learn of it."""
    admin = f"/admin/agents/{cast.helper.id}"
    hidden = {"visibility": "listed", "readers": [cast.alice.id]}
    await scene.http.patch(admin, json=hidden, headers=ADMIN)
    async with (
        scene.device(cast.alice) as alice,
        scene.device(cast.bob) as bob,
        scene.device(cast.helper) as agent,
    ):
        await agent.ask("card", model="m3")
        await alice.next("agent_changed", model="m3")
        assert await told_of_agents(bob) == []
        assert await told_of_agents(agent) == []
        await scene.http.patch(admin, json={"visibility": "everyone", "specialty": "everything"}, headers=ADMIN)
        for device in (alice, bob):
            assert (await device.next("agent_changed", specialty="everything"))["model"] == "m3"


async def test_a_card_that_came_with_the_older_handshake_is_news_too(scene: Scene, cast: Cast) -> None:
    """Agents of the older protocol say it with every connection: it is told when it is another one."""
    async with scene.device(cast.alice) as phone:
        for model, is_news in (("m1", True), ("m1", False), ("m2", True)):
            answer = await scene.http.post(
                "/auth/agent", json={"agent_id": "helper", "agent_secret": cast.helper.secret, "model": model}
            )
            assert answer.json()["model"] == model
            if is_news:
                await phone.next("agent_changed", model=model)
        assert [each["model"] for each in await told_of_agents(phone)] == ["m1", "m2"]


async def test_a_card_outlives_the_server(tmp_path: Path) -> None:
    async with open_scene(tmp_path) as scene:
        helper = await scene.register_agent("helper")
        assert (await scene.http.put("/agent/card", json=WHOLE, headers=helper.headers)).status_code == 200
    async with open_scene(tmp_path) as scene:
        alice = await scene.register("alice")
        (agent,) = await scene.get("/agents", alice)
        assert {name: agent[name] for name in WHOLE} == WHOLE


async def test_people_have_no_card(scene: Scene, cast: Cast) -> None:
    async with scene.device(cast.alice) as phone:
        assert (await phone.ask("card", name="Alice"))["data"]["code"] == "forbidden"
    answer = await scene.http.put("/agent/card", json={"name": "Alice"}, headers=cast.alice.headers)
    assert answer.status_code == 403


def command(**fields: Any) -> Json:
    return {"commands": [{"name": "new", "description": "Begin again"} | fields]}


@pytest.mark.parametrize(
    ("card", "names"),
    [
        ({"description": "x" * 2001}, "description"),
        ({"name": "x" * 2001}, "name"),
        ({"name": ""}, "name"),
        ({"supports": ["stop"] * 33}, "supports"),
        ({"supports": ["Stop"]}, "supports"),
        ({"supports": ["x" * 33]}, "supports"),
        ({"supports": ["stop\n"]}, "supports"),
        ({"supports": "stop"}, "supports"),
        ({"capabilities": ["x" * 65]}, "capabilities"),
        ({"capabilities": [""]}, "capabilities"),
        ({"capabilities": ["x"] * 33}, "capabilities"),
        (command(name="/new"), "commands"),
        (command(name="x" * 33), "commands"),
        (command(name=""), "commands"),
        (command(description="x" * 201), "commands"),
        (command(description=None), "commands"),
        (command(arguments="x" * 101), "commands"),
        ({"commands": [{"name": "new"}]}, "commands"),
        ({"commands": [{"name": "new", "description": ""}] * 2}, "commands"),
        ({"commands": [{"name": f"c{number}", "description": ""} for number in range(101)]}, "commands"),
    ],
)
async def test_a_card_has_limits(scene: Scene, cast: Cast, card: Json, names: str) -> None:
    """The refusal names the field; nothing of that card is kept."""
    before = await shown(scene, cast)
    answer = await put(scene, cast, **({"model": "m9"} | card))
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")
    assert names in answer.json()["error"]
    async with scene.device(cast.helper) as agent:
        refused = (await agent.ask("card", **({"model": "m9"} | card)))["data"]
        assert refused["code"] == "malformed"
        assert names in refused["error"]
    assert await shown(scene, cast) == before


async def test_a_card_may_be_as_large_as_its_limits(scene: Scene, cast: Cast) -> None:
    card = {
        "description": "ä" * 2000,
        "supports": [f"w{number}" + "x" * 20 for number in range(32)],
        "commands": [
            {"name": f"{number}-{'x' * 20}_", "description": "d" * 200, "arguments": "a" * 100} for number in range(100)
        ],
        "capabilities": ["c" * 64] * 32,
    }
    assert (await put(scene, cast, **card)).status_code == 200
    kept = await shown(scene, cast)
    assert {name: kept[name] for name in card} == card
