"""Agents: their accounts, credentials and card, and who may see them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import trio

from amtrio.errors import Conflict, Malformed, NotFound
from amtrio.features import agents
from amtrio.features.agents import AddAgent, AgentName, NoArguments
from tests.features.conftest import Cast
from tests.harness import ADMIN_SECRET, AGENT_SECRET, Agent, Scene, open_scene


async def knock(scene: Scene, agent_id: str, secret: str, extra: str = "") -> int:
    """The status of a v1 upgrade that is refused; 101 if it was not."""
    agent = Agent(agent_id, secret)
    answer = await scene.knock(f"/agent/connect?agent_id={agent_id}&agent_secret={secret}{extra}")
    del agent
    return answer.status_code


async def refusals(scene: Scene, agent_id: str, secret: str) -> None:
    """By URL, by header, and over REST."""
    assert await knock(scene, agent_id, secret) == 401
    headers = {"X-Agent-ID": agent_id, "X-Agent-Secret": secret}
    assert (await scene.knock("/agent/connect", headers=headers)).status_code == 401
    assert (await scene.http.get("/conversations", headers=headers)).status_code == 401
    answer = await scene.http.post("/auth/agent", data={"agent_id": agent_id, "agent_secret": secret})
    assert answer.status_code == 401


async def test_an_agent_registers_itself_by_connecting(scene: Scene, cast: Cast) -> None:
    """With the shared secret and its card in the URL; empty fields later keep what was there."""
    card = Agent("newcomer")
    card.secret += "&name=New&model=m1&personality=&specialty=tests"
    async with scene.old_device(card) as agent:
        assert agent.greeting["data"]["agent_id"] == "newcomer"
        shown = {each["id"]: each for each in await scene.get("/agents", cast.alice)}["newcomer"]
        assert (shown["name"], shown["model"], shown["personality"], shown["specialty"]) == ("New", "m1", "", "tests")
    async with scene.old_device(Agent("newcomer", AGENT_SECRET + "&name=&model=m2")):
        shown = {each["id"]: each for each in await scene.get("/agents", cast.alice)}["newcomer"]
        assert (shown["name"], shown["model"]) == ("New", "m2")


@pytest.mark.parametrize("agent_id", ["a b", "a/b", "x" * 65, "ä"])
async def test_ids_of_another_shape_are_refused(scene: Scene, agent_id: str) -> None:
    answer = await scene.http.post("/auth/agent", data={"agent_id": agent_id, "agent_secret": AGENT_SECRET})
    assert answer.status_code == 400
    assert (await scene.http.post("/auth/agent", data={"agent_secret": AGENT_SECRET})).status_code == 400


async def test_a_wrong_secret_is_refused_in_the_older_servers_words(scene: Scene, cast: Cast) -> None:
    """401 everywhere, and nothing is registered by it."""
    await refusals(scene, "helper", "wrong")
    await refusals(scene, "nobody", "wrong")
    told = [
        (await scene.knock(f"/agent/connect?agent_id={id_}&agent_secret=wrong")).text.replace(id_, "ID")
        for id_ in ("helper", "nobody")
    ]
    assert told[0] == told[1], "or anybody could find out which agents there are"
    assert (await scene.knock("/agent/connect?agent_secret=x")).status_code == 400
    answer = await scene.knock("/agent/connect?agent_id=helper")
    assert (answer.status_code, answer.json()["error"]) == (401, "missing agent_secret parameter")
    assert [each["id"] for each in await scene.get("/agents", cast.alice)] == ["helper"]


async def test_a_credential_of_its_own(scene: Scene, cast: Cast) -> None:
    """`agent add` shows it once; it opens v1, v2 and REST, and the shared secret opens this agent no more."""
    services = scene.running.services
    made = await agents.operation_add(services, AddAgent(agent_id="own", name="Own"))
    own = Agent("own", made["token"])
    assert made["token"].startswith("agt_")
    async with scene.old_device(own), scene.device(own) as agent:
        await agent.caught_up()
    assert await scene.get("/conversations", own) == []
    await refusals(scene, "own", AGENT_SECRET)
    with pytest.raises(Conflict):
        await agents.operation_add(services, AddAgent(agent_id="own"))
    with pytest.raises(Malformed):
        await agents.operation_add(services, AddAgent(agent_id="a b"))


@pytest.mark.parametrize("operation", [agents.operation_rotate, agents.operation_revoke])
async def test_a_rotated_or_revoked_credential_is_refused_at_once(scene: Scene, cast: Cast, operation: Any) -> None:
    """Its sockets close with 4401 within a second; the shared secret opens neither."""
    services = scene.running.services
    made = await agents.operation_add(services, AddAgent(agent_id="own"))
    for own in (Agent("own", made["token"]), cast.helper):
        async with scene.device(own) as agent:
            told = await operation(services, AgentName(agent_id=own.id))
            with trio.fail_after(1):
                assert (await agent.closed())[0] == 4401
        await refusals(scene, own.id, own.secret)
        await refusals(scene, own.id, AGENT_SECRET)
        if "token" in told:
            async with scene.device(Agent(own.id, told["token"])) as agent:
                await agent.caught_up()


async def test_a_removed_agent_is_gone_for_good(scene: Scene, cast: Cast) -> None:
    """Its people hear that the conversation is gone, and nobody takes over its id."""
    services = scene.running.services
    async with scene.device(cast.alice) as phone, scene.device(cast.helper) as agent:
        await agents.operation_remove(services, AgentName(agent_id="helper"))
        await phone.next("conversation_deleted", conversation_id=cast.talk)
        with trio.fail_after(1):
            assert (await agent.closed())[0] == 4401
    assert await scene.get("/agents", cast.alice) == []
    with pytest.raises(Conflict):
        await agents.operation_add(services, AddAgent(agent_id="helper"))
    assert await knock(scene, "helper", AGENT_SECRET) in {401, 409}
    with pytest.raises(NotFound):
        await agents.operation_remove(services, AgentName(agent_id="helper"))


@pytest.mark.parametrize(
    ("rule", "known", "new"), [("open", True, True), ("known", True, False), ("off", False, False)]
)
async def test_rules_of_self_registration(tmp_path: Path, rule: str, known: bool, new: bool) -> None:  # noqa: FBT001 - parameters
    """`open` lets in any agent, `known` only those there are, `off` none, with the shared secret."""
    async with open_scene(tmp_path) as scene:
        await scene.register_agent("helper")
    async with open_scene(tmp_path, auth={"agent_self_registration": rule}) as scene:
        for agent_id, is_let_in in (("helper", known), ("newcomer", new)):
            answer = await scene.http.post("/auth/agent", data={"agent_id": agent_id, "agent_secret": AGENT_SECRET})
            assert answer.status_code == (200 if is_let_in else 401), agent_id


@pytest.mark.parametrize(("visibility", "seen"), [("everyone", "ab"), ("listed", "ab"), ("owner", "a")])
async def test_one_rule_of_visibility_decides_everything(scene: Scene, cast: Cast, visibility: str, seen: str) -> None:
    """List, find-or-create, presence and status: for whom an agent is not there, it is nowhere there."""
    secret = await scene.register_agent("secret")

    def hide(tx: Any) -> None:
        tx.run(
            "UPDATE agent SET visibility = :v, owner_key = :owner WHERE id = 'secret'",
            v=visibility, owner=f"u:{cast.alice.id}",
        )  # fmt: skip
        tx.run("INSERT INTO agent_reader VALUES ('a:secret', :bob)", bob=f"u:{cast.bob.id}")

    await scene.running.services.store.write(hide)
    carol = await scene.register("carol")
    people = {"a": cast.alice, "b": cast.bob, "c": carol}
    seen = "abc" if visibility == "everyone" else seen
    for letter, person in people.items():
        is_seen = letter in seen
        assert ("secret" in {each["id"] for each in await scene.get("/agents", person)}) == is_seen
        async with scene.device(person) as phone:
            async with scene.device(secret) as agent:
                await agent.say("status", status="busy")
                # A second one that everybody sees marks the end of what the first caused.
                async with scene.device(cast.helper):
                    await phone.next("presence_update", id="helper", online=True)
            await phone.caught_up()
            heard = {f["data"].get("id") or f["data"].get("sender_id") for f in phone.ephemeral}
            assert ("secret" in heard) == is_seen, letter
            answers = [await phone.ask("create_conversation", agent_id=id_) for id_ in ("secret", "nobody")]
            if is_seen:
                assert answers[0]["type"] == "done"
            else:
                assert str(answers[0]["data"]).replace("secret", "ID") == str(answers[1]["data"]).replace(
                    "nobody", "ID"
                )


async def test_the_list_needs_a_token_and_names_what_apps_read(scene: Scene, cast: Cast) -> None:
    """Strings, never null; by name."""
    assert (await scene.http.get("/agents")).status_code == 401
    await scene.register_agent("another")
    listed = await scene.get("/agents", cast.alice)
    assert [each["id"] for each in listed] == ["another", "helper"]
    for each in listed:
        for name in ("id", "agent_id", "name", "model", "personality", "specialty", "status"):
            assert isinstance(each[name], str), name


async def test_the_admin_list_needs_the_admin_secret(scene: Scene, cast: Cast) -> None:
    """It shows since when an agent is connected; a person's token opens nothing."""
    assert (await scene.http.get("/admin/agents", headers=cast.alice.headers)).status_code == 403
    for headers in ({}, {"X-Admin-Secret": "wrong"}, {"X-Admin-Secret": ""}):
        assert (await scene.http.get("/admin/agents", headers=headers)).status_code == 401
    async with scene.device(cast.helper):
        for name in ("X-Admin-Secret", "X-Admin-Key"):
            (shown,) = (await scene.http.get("/admin/agents", headers={name: ADMIN_SECRET})).json()
            assert shown["connected_at"].endswith("Z")
            assert (shown["credential"], shown["connections"]) == ("shared", 1)
    (shown,) = (await scene.http.get("/admin/agents", headers={"X-Admin-Secret": ADMIN_SECRET})).json()
    assert "connected_at" not in shown
    (operated,) = await agents.operation_list(scene.running.services, NoArguments())
    assert operated["agent_id"] == "helper"
