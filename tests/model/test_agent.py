"""What every feature that touches an agent's account shares."""

from __future__ import annotations

from pathlib import Path

import pytest

from amtrio.app import open_services
from amtrio.context import Context
from amtrio.errors import Conflict, Malformed, NotFound
from amtrio.model.agent import (
    AGENT_COLUMNS,
    Abilities,
    Card,
    CardCommand,
    ChangedAgents,
    abilities,
    agent_view,
    check_agent_id,
    create_agent,
    describe,
    find_credential,
    new_credential,
    remove_agent,
    set_credential,
    supports,
)
from amtrio.tokens import fingerprint
from tests.features.conftest import Cast, cast, scene
from tests.harness import Scene, config_for

__all__ = ["cast", "scene"]


@pytest.mark.parametrize("agent_id", ["", "a b", "a/b", "x" * 65, "x\n"])
def test_ids_have_a_shape(agent_id: str) -> None:
    with pytest.raises(Malformed):
        check_agent_id(agent_id)
    check_agent_id("A-z_0.9")


async def test_only_the_hash_of_a_credential_is_kept(scene: Scene) -> None:
    services = scene.running.services
    token, kept = new_credential(services)
    assert kept == fingerprint(token)
    await services.store.write(create_agent, "own", Card(), kind="own", credential_hash=kept)
    assert await services.store.read(find_credential, "own") == ("own", kept)
    await services.store.write(set_credential, services, "own", None)
    assert await services.store.read(find_credential, "own") == ("revoked", None)
    assert await services.store.read(find_credential, "other") is None


async def test_a_removed_agents_id_is_not_given_out_again(scene: Scene, cast: Cast) -> None:
    services = scene.running.services
    await services.store.write(remove_agent, services, "helper")
    with pytest.raises(Conflict):
        await services.store.write(create_agent, "helper", Card(), kind="shared", credential_hash=None)
    for unit in (remove_agent, lambda tx, services, id_: set_credential(tx, services, id_, None)):
        with pytest.raises(NotFound):
            await services.store.write(unit, services, "helper")


async def test_how_an_agent_is_shown(scene: Scene, cast: Cast) -> None:
    """Its status while it is connected, when it was last seen afterwards."""
    services = scene.running.services
    (row,) = await services.store.read(lambda tx: tx.all(f"SELECT {AGENT_COLUMNS} FROM agent"))
    shown = agent_view(row, Context(services))
    assert (shown.id, shown.agent_id, shown.status, shown.online) == ("helper", "helper", "offline", False)
    async with scene.device(cast.helper) as helper:
        await helper.say("status", status="busy", message="thinking")
        await helper.caught_up()
        shown = agent_view(row, Context(services))
        assert (shown.status, shown.online, shown.status_text) == ("busy", True, "thinking")
        assert shown.last_seen is not None


async def test_what_differs_is_written_and_noted(tmp_path: Path) -> None:
    """Nothing else is, and neither is what is said of an agent that does not exist."""
    async with open_services(config_for(tmp_path)) as (services, _):
        await services.store.write(create_agent, "helper", Card(model="m1"), kind="shared", credential_hash=None)
        noted = []
        for account, words in (
            ("a:helper", {"name": "Aid", "model": ""}),
            ("a:helper", {"name": "Aid", "card": None}),
            ("a:helper", {"card": '{"supports":["stop"]}'}),
            ("a:nobody", {"name": "Aid"}),
            ("a:helper", {}),
        ):
            services.own(ChangedAgents).accounts.clear()
            await services.store.write(describe, services, account, words)
            noted.append(list(services.own(ChangedAgents).accounts))
        assert noted == [["a:helper"], [], ["a:helper"], [], []]
        row = await services.store.read(lambda tx: tx.one("SELECT name, model FROM agent WHERE id = 'helper'"))
        assert row == ("Aid", "")


async def test_what_an_agent_can_do_is_read_from_its_card(scene: Scene, cast: Cast) -> None:
    """Nothing, without a card and without an agent."""
    services = scene.running.services
    assert await services.store.read(supports, "a:helper") == frozenset()
    card = '{"supports":["stop","queue"],"commands":[{"name":"new","description":"Begin"}]}'
    await services.store.write(describe, services, "a:helper", {"card": card})
    assert await services.store.read(supports, "a:helper") == {"stop", "queue"}
    expected = Abilities(supports=("stop", "queue"), commands=(CardCommand(name="new", description="Begin"),))
    assert await services.store.read(abilities, "a:helper") == expected
    assert await services.store.read(abilities, "a:nobody") == Abilities()
