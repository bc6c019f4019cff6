"""What happens in conversations, told to whoever follows them."""

from __future__ import annotations

import gc
from typing import Any

import anyio
import pytest

from amtrio.client.errors import ClientError
from amtrio.client.events import (
    Conversation,
    ConversationUpdated,
    Event,
    Gone,
    Message,
    MessagePosted,
    Receipt,
    ReceiptMoved,
    RunDelta,
    RunEnded,
    RunSnapshot,
    Snapshot,
    TypingChanged,
)
from amtrio.client.follow import Follow, Followers, Item, Resynced, RunChanged, conversation_of
from amtrio.client.shapes import PartDelta, RunPart, RunRecord


def message(conversation_id: str = "c1", **fields: Any) -> Message:
    place: dict[str, Any] = {"message_id": "m1", "conversation_id": conversation_id, "conversation_seq": 1}
    return Message(**place, sender_type="agent", sender_id="demo", content="hi", **fields)


def begun(run_id: str = "run:1", rev: int = 0, conversation_id: str = "c1") -> RunSnapshot:
    parts = [RunPart(part=0, kind="text", text="a")]
    return RunSnapshot(run_id=run_id, conversation_id=conversation_id, agent_id="demo", rev=rev, parts=parts)


def more(rev: int, offset: int = 1, run_id: str = "run:1") -> RunDelta:
    return RunDelta(run_id=run_id, conversation_id="c1", rev=rev, parts=[PartDelta(part=0, offset=offset, text="b")])


def taken(follow: Follow, count: int, backend: str = "trio") -> list[Item]:
    async def take() -> list[Item]:
        with anyio.fail_after(5):
            return [await follow.__anext__() for _ in range(count)]

    return anyio.run(take, backend=backend)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_each_hears_of_its_own_conversation(backend: str) -> None:
    """
    In order; several may follow the same one.
    """
    followers = Followers()
    first, second, other = followers.follow("c1"), followers.follow("c1"), followers.follow("c2")
    posted, elsewhere = MessagePosted(seq=1, message=message()), MessagePosted(seq=2, message=message("c2"))
    typing = TypingChanged(conversation_id="c1", sender_type="agent", sender_id="demo")
    for event in (posted, elsewhere, typing, Gone(seq=3)):
        assert followers.hear(event) is None
    assert taken(first, 2, backend) == taken(second, 2, backend) == [posted, typing]
    assert taken(other, 1, backend) == [elsewhere]


def test_a_live_run_is_told_once_as_it_is_when_it_is_taken() -> None:
    """
    A slow follower is not buried in tokens, and whoever comes late begins with the whole run.
    """
    followers = Followers()
    follow = followers.follow("c1")
    followers.hear(begun())
    for rev in range(1, 50):
        assert followers.hear(more(rev, rev)) is None
    (item,) = taken(follow, 1)
    assert isinstance(item, RunChanged)
    assert item.run.text == "a" + "b" * 49
    followers.hear(more(50, 50))
    late = followers.follow("c1")
    assert len(taken(follow, 1) + taken(late, 1)) == 2


def test_a_hole_is_told_to_the_one_who_can_ask() -> None:
    """
    Also news of a run that nobody has begun.
    """
    followers = Followers()
    assert followers.hear(more(3)) == "run:1"
    follow = followers.follow("c1")
    followers.hear(begun(rev=3))
    assert followers.hear(more(5)) == "run:1"
    assert followers.hear(more(4)) is None
    assert isinstance(taken(follow, 1)[0], RunChanged)


@pytest.mark.parametrize(
    "end",
    [
        RunEnded(seq=1, run_id="run:1", conversation_id="c1", agent_id="demo", outcome="done"),
        MessagePosted(seq=1, message=message(run=RunRecord(run_id="run:1"))),
    ],
)
def test_what_comes_after_the_end_of_a_run_is_ignored(end: Event) -> None:
    """
    The end is told; late news of it is not.
    """
    followers = Followers()
    followers.hear(begun())
    follow = followers.follow("c1")
    followers.hear(end)
    assert followers.hear(more(1)) is None
    assert followers.hear(begun(rev=2)) is None
    assert followers.runs == {}
    followers.hear(Gone())
    items = taken(follow, 2)
    assert isinstance(items[0], RunChanged)
    assert items[1] is end


def test_after_a_resync_each_gets_what_there_is() -> None:
    """
    Nothing, if the conversation is gone.
    """
    followers = Followers()
    followers.hear(begun())
    first, gone = followers.follow("c2"), followers.follow("c9")
    there = Conversation(conversation_id="c2", messages=[message("c2")])
    followers.hear(Snapshot(seq=1, epoch="e", conversations=[there]))
    assert taken(first, 1) == [Resynced([message("c2")])]
    assert taken(gone, 1) == [Resynced([])]
    assert followers.runs == {}


def test_the_end_of_the_connection_reaches_everybody() -> None:
    """
    Behind what is there already; also those who come later.
    """
    followers = Followers()
    follow = followers.follow("c1")
    followers.hear(MessagePosted(seq=1, message=message()))
    followers.end(ClientError("over"))
    taken(follow, 1)
    for each in (follow, followers.follow("c1")):
        with pytest.raises(ClientError, match="over"):
            taken(each, 1)


def test_a_follow_that_is_left_costs_nothing() -> None:
    """
    A loop may be left at any time.
    """
    followers = Followers()
    followers.follow("c1")
    gc.collect()
    assert len(followers._follows) == 0


def test_every_event_knows_its_conversation() -> None:
    """
    Wherever it stands in it.
    """
    assert conversation_of(ReceiptMoved(seq=1, receipt=_receipt())) == "c1"
    updated = ConversationUpdated(seq=1, conversation=Conversation(conversation_id="c7"))
    assert conversation_of(updated) == "c7"
    assert conversation_of(Gone(seq=1)) is None


def _receipt() -> Receipt:
    return Receipt(conversation_id="c1", account_kind="user", account_id="alice")
