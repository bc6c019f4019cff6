"""Runs in the database: chunk by chunk while they are open, and what is kept beside the message."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from amtrio.errors import Conflict, NotFound, RunClosed
from amtrio.model.run import (
    append_chunk,
    chunks_of,
    close_run,
    forget_body,
    insert_run,
    open_rows,
    own_run,
    refusal,
    run_of_message,
    run_row,
)
from amtrio.model.run_part import PartChange, PartKept
from amtrio.store.database import ReadTx, Tx
from tests.harness import Scene, open_scene

RUN = "run-of-the-tests-01"


async def begun(scene: Scene) -> tuple[str, str]:
    """A run in alice's conversation with `helper`; both ids."""
    alice, helper = await scene.register("alice"), await scene.register_agent("helper")
    talk = await scene.conversation(alice, helper)
    await scene.running.services.store.write(insert_run, RUN, "a:helper", talk, None)
    return talk, f"u:{alice.id}"


async def test_chunks_come_back_in_order_and_are_gone_with_the_end(tmp_path: Path) -> None:
    async with open_scene(tmp_path) as scene:
        store = scene.running.services.store
        await begun(scene)
        changes = [
            (PartChange(part=0, kind="text", offset=0, text="a"),),
            (PartChange(part=0, offset=1, text="b"), PartChange(part=1, kind="tool", meta={"name": "x"})),
        ]
        for each in changes:
            await store.write(append_chunk, RUN, each)
        assert await store.read(chunks_of, RUN) == changes
        (row,) = await store.read(open_rows)
        assert (row.id, row.state, row.agent_key) == (RUN, "open", "a:helper")
        await store.write(close_run, RUN, "done", message_id=None, parts=(), error=None, usage=None)
        assert await store.read(chunks_of, RUN) == []
        assert await store.read(open_rows) == []
        await store.write(append_chunk, RUN, changes[0])
        assert await store.read(chunks_of, RUN) == [], "a chunk that comes late is not stored"


async def test_what_is_kept_of_a_run_is_found_by_its_message_until_that_is_deleted(tmp_path: Path) -> None:
    async with open_scene(tmp_path) as scene:
        store = scene.running.services.store
        await begun(scene)
        kept: dict[str, Any] = {
            "parts": (PartKept(part=0, kind="text", length=3),), "error": "why", "usage": {"tokens": 7}
        }  # fmt: skip
        await store.write(close_run, RUN, "failed", message_id="msg_1", **kept)
        run = await store.read(run_of_message, "msg_1")
        assert run is not None
        assert (run.run_id, run.outcome, run.parts, run.error, run.usage) == (RUN, "failed", *kept.values())
        await store.write(forget_body, "msg_1")
        run = await store.read(run_of_message, "msg_1")
        assert run is not None
        assert (run.parts, run.error, run.usage) == ((), None, None)
        assert await store.read(run_of_message, "msg_2") is None


async def test_why_a_run_is_not_open_is_for_its_members_alone(tmp_path: Path) -> None:
    async with open_scene(tmp_path) as scene:
        store = scene.running.services.store
        _, alice = await begun(scene)

        def units(tx: ReadTx) -> list[type]:
            return [type(refusal(tx, who, RUN)) for who in (alice, "a:helper", "u:bob", "a:rival")]

        assert await store.read(units) == [RunClosed, RunClosed, NotFound, NotFound]
        with pytest.raises(Conflict):
            await store.read(own_run, RUN, "a:rival")
        with pytest.raises(NotFound):
            await store.read(own_run, "another-run-0000001", "a:helper")


async def test_a_run_goes_with_its_conversation(tmp_path: Path) -> None:
    async with open_scene(tmp_path) as scene:
        store = scene.running.services.store
        talk, _ = await begun(scene)
        await store.write(append_chunk, RUN, (PartChange(part=0, kind="text"),))

        def remove(tx: Tx) -> None:
            tx.run("DELETE FROM conversation WHERE id = :id", id=talk)

        await store.write(remove)
        assert await store.read(run_row, RUN) is None
        assert await store.read(chunks_of, RUN) == []
