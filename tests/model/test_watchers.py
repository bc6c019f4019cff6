"""Who may know whether an account is here."""

from __future__ import annotations

from amtrio.model.watchers import watchers_of
from amtrio.store.database import Tx
from tests.features.conftest import Cast, cast, scene
from tests.harness import Scene

__all__ = ["cast", "scene"]


async def test_people_are_seen_by_their_agents_and_agents_by_whom_they_show_themselves(
    scene: Scene, cast: Cast
) -> None:
    """Only of those who are online; nobody sees an agent that is not there."""
    store = scene.running.services.store
    alice, bob = f"u:{cast.alice.id}", f"u:{cast.bob.id}"
    online = [alice, bob, "a:helper", "a:stranger"]
    assert await store.read(watchers_of, alice, online) == [alice, "a:helper"]
    assert await store.read(watchers_of, "a:helper", online) == [alice, bob]
    assert await store.read(watchers_of, "a:helper", [bob]) == [bob]
    assert await store.read(watchers_of, "a:nobody", online) == []

    def hide(tx: Tx, visibility: str) -> list[str]:
        tx.run("UPDATE agent SET visibility = :word, owner_key = :owner", word=visibility, owner=alice)
        return watchers_of(tx, "a:helper", online)

    assert await store.write(hide, "owner") == [alice]
    assert await store.write(hide, "listed") == [alice]
    await store.write(lambda tx: tx.run("INSERT INTO agent_reader VALUES ('a:helper', :bob)", bob=bob))
    assert await store.write(hide, "listed") == [alice, bob]
