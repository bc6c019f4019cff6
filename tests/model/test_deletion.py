"""What is left of a message that is deleted or taken back: its place and number."""

from __future__ import annotations

from amtrio.context import Context, Principal
from amtrio.model.deletion import delete
from amtrio.model.message import Message, message, visible_message
from amtrio.model.posting import Post, store_message
from amtrio.model.question import Question, question_of
from amtrio.store.database import Tx
from tests.features.conftest import Cast, cast, scene, send
from tests.harness import Scene

__all__ = ["cast", "scene"]


async def test_nothing_hangs_on_a_deleted_message(scene: Scene, cast: Cast) -> None:
    """Neither what it said before nor who reacted; whoever deletes it is named."""
    services, account = scene.running.services, f"u:{cast.alice.id}"
    sent = (await send(scene, cast.alice, cast.talk, "first", metadata={"a": 1}))["message_id"]
    await scene.http.patch(f"/messages/{sent}", json={"content": "second"}, headers=cast.alice.headers)
    await scene.http.put(f"/messages/{sent}/reactions/👍", headers=cast.helper.headers)
    ctx = Context(services, Principal("user", cast.alice.id, account, "alice", session=""))

    def unit(tx: Tx) -> tuple[Message, int, int]:
        row, accounts = visible_message(tx, sent, account)
        delete(tx, ctx, row, accounts)
        shown = message(tx, Message, visible_message(tx, sent, account)[0])
        return shown, len(tx.all("SELECT 1 FROM message_version")), len(tx.all("SELECT 1 FROM reaction"))

    shown, versions, reactions = await services.store.write(unit)
    assert (shown.content, shown.metadata, shown.reactions, shown.conversation_seq) == ("", None, (), 1)
    assert (shown.deleted, shown.deleted_by, versions, reactions) == (True, cast.alice.id, 0, 0)


async def test_a_deleted_message_asks_nothing(scene: Scene, cast: Cast) -> None:
    """Its question goes with it, and the answer."""
    services, account = scene.running.services, f"u:{cast.alice.id}"
    question = {"options": [{"id": "yes", "label": "Yes"}]}
    sent = (await send(scene, cast.helper, cast.talk, "Well?", question=question))["message_id"]
    ctx = Context(services, Principal("user", cast.alice.id, account, "alice", session=""))

    def unit(tx: Tx) -> tuple[Question | None, Question | None]:
        row, accounts = visible_message(tx, sent, account)
        before = message(tx, Message, row).question
        delete(tx, ctx, row, accounts)
        return before, question_of(tx, sent)

    before, after = await services.store.write(unit)
    assert before is not None
    assert after is None


async def test_a_deleted_message_waits_for_nobody(scene: Scene, cast: Cast) -> None:
    """One that waited counts as taken back, one that was taken stays so, one that never waited has no such state."""
    services, account = scene.running.services, f"u:{cast.alice.id}"
    ctx = Context(services, Principal("user", cast.alice.id, account, "alice", session=""))

    def unit(tx: Tx, queue_state: str | None) -> str | None:
        sent = store_message(tx, ctx, Post(conversation_id=cast.talk), "hello").message_id
        tx.run("UPDATE message SET queue_state = :state WHERE id = :id", state=queue_state, id=sent)
        delete(tx, ctx, *visible_message(tx, sent, account))
        left: str | None = visible_message(tx, sent, account)[0][18]
        return left

    states = {each: await services.store.write(unit, each) for each in ("queued", "taken", None)}
    assert states == {"queued": "withdrawn", "taken": "taken", None: None}
