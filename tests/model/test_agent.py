"""What every feature that touches an agent's account shares."""

from __future__ import annotations

import pytest

from amtrio.context import Context
from amtrio.errors import Conflict, Malformed, NotFound
from amtrio.model.agent import (
    AGENT_COLUMNS,
    Card,
    agent_view,
    check_agent_id,
    create_agent,
    find_credential,
    new_credential,
    remove_agent,
    set_credential,
)
from amtrio.tokens import fingerprint
from tests.features.conftest import Cast, cast, scene
from tests.harness import Scene

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
