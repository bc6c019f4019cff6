"""The record of who administered what, written in the transaction that did it."""

from __future__ import annotations

import pytest

from amtrio.context import Context
from amtrio.model.audit import BY_COMMAND_LINE, record
from amtrio.store.database import Tx
from tests.features.conftest import Cast, audited, cast, scene
from tests.harness import Scene

__all__ = ["cast", "scene"]


async def test_an_act_that_fails_leaves_no_record(scene: Scene, cast: Cast) -> None:
    """Record and act are one transaction."""
    services = scene.running.services
    ctx = Context(services, actor=BY_COMMAND_LINE, address="192.0.2.1")

    def act(tx: Tx, *, fails: bool) -> None:
        record(tx, ctx, "thing.done", "x", size=3)
        if fails:
            raise KeyError

    with pytest.raises(KeyError):
        await services.store.write(act, fails=True)
    await services.store.write(act, fails=False)
    (entry,) = await audited(scene)
    assert entry | {"at": ""} == {
        "number": 1, "at": "", "actor": "cli", "actor_id": None, "address": "192.0.2.1",
        "action": "thing.done", "subject": "x", "details": {"size": 3},
    }  # fmt: skip
