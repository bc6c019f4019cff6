"""Taking a message from the queue: once, by an agent of its conversation, for all to hear."""

from __future__ import annotations

from typing import Any

import pytest

from amtrio.context import Context, Principal
from amtrio.errors import NotFound
from amtrio.model.posting import Post, store_message
from amtrio.model.queued import take
from tests.features.conftest import Cast, cast, scene
from tests.harness import Scene

__all__ = ["cast", "scene"]


async def test_only_what_waits_is_taken_and_only_once(scene: Scene, cast: Cast) -> None:
    """Whoever names the conversation takes nothing of another one; a stranger takes nothing at all."""
    services = scene.running.services
    account = f"u:{cast.alice.id}"
    alice = Context(services, Principal("user", cast.alice.id, account, "alice", session=""))
    helper, other = (
        Context(services, Principal("agent", name, f"a:{name}", name, session="")) for name in ("helper", "other")
    )

    def say(tx: Any, *, is_queued: bool) -> str:
        return store_message(tx, alice, Post(conversation_id=cast.talk), "hello", is_queued=is_queued).message_id

    store = services.store
    plain, waiting = [await store.write(say, is_queued=is_queued) for is_queued in (False, True)]
    with pytest.raises(NotFound):
        await store.write(take, other, waiting)
    tried = [(plain, None), (waiting, cast.other), ("msg_no", None), (waiting, cast.talk), (waiting, None)]
    taken = [await store.write(take, helper, message_id, talk) for message_id, talk in tried]
    assert taken == [False, False, False, True, False]
    told = await store.read(lambda tx: tx.all("SELECT conversation_id, subject_id FROM event WHERE kind = :kind",
                                              kind="message_taken"))  # fmt: skip
    assert told == [(cast.talk, waiting)]
