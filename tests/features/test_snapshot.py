"""Everything a device needs to start from nothing, at one place in the log."""

from __future__ import annotations

import pytest

from amtrio.features import snapshot
from amtrio.features.snapshot import CONVERSATIONS, MAX_RECENT_BYTES, RECENT_MESSAGES
from amtrio.protocol.codec import encode
from tests.features.conftest import Cast, send
from tests.harness import Agent, Person, Scene


async def test_a_snapshot_and_the_events_after_it_are_the_whole_truth(scene: Scene, cast: Cast) -> None:
    """Its seq is the place in the log at which it was true, also while messages keep coming."""
    async with scene.device(cast.helper) as agent, scene.device(cast.alice) as phone:
        for number in range(5):
            await agent.send(cast.talk, f"n{number}")
        shot = await scene.get("/snapshot", cast.alice)
        for number in range(5, 8):
            await agent.send(cast.talk, f"n{number}")
        await phone.next("message", content="n7")
        (shown,) = shot["conversations"]
        known = [each["content"] for each in shown["messages"]]
        later = [f["data"]["content"] for f in phone.events if f["seq"] > shot["seq"] and f["type"] == "message"]
        assert known + later == [f"n{number}" for number in range(8)]
        assert shot["epoch"] == phone.greeting["data"]["epoch"]


async def test_pages_are_pinned_to_the_first(scene: Scene, cast: Cast) -> None:
    """`seq` of the first page is that of all; every conversation stands on one page."""
    made = {cast.talk}
    for number in range(4):
        answer = await scene.http.post(
            "/conversations", json={"agent_id": "helper", "title": f"t{number}"}, headers=cast.alice.headers
        )
        made.add(answer.json()["conversation_id"])
    page = await scene.get("/snapshot", cast.alice, limit=2)
    first, seen = page["seq"], [each["conversation_id"] for each in page["conversations"]]
    while page["next"] is not None:
        async with scene.device(cast.helper) as agent:
            await agent.send(cast.talk, "meanwhile")
        page = await scene.get("/snapshot", cast.alice, limit=2, after=page["next"], seq=first)
        assert page["seq"] == first
        seen += [each["conversation_id"] for each in page["conversations"]]
    assert sorted(seen) == sorted(made)


async def test_it_holds_recent_messages_and_everybodys_marks(scene: Scene, cast: Cast) -> None:
    async with scene.device(cast.helper) as agent, scene.device(cast.alice) as phone:
        for number in range(RECENT_MESSAGES + 5):
            await agent.send(cast.talk, f"n{number}")
        await phone.ask("read", conversation_id=cast.talk, up_to=3)
        (shown,) = (await scene.get("/snapshot", cast.alice))["conversations"]
        assert [each["conversation_seq"] for each in shown["messages"]] == list(range(6, RECENT_MESSAGES + 6))
        marks = {each["account_kind"]: each["read_up_to"] for each in shown["receipts"]}
        assert marks == {"user": 3, "agent": 0}
        (shown,) = (await scene.get("/snapshot", cast.alice, messages=0))["conversations"]
        assert shown["messages"] == []


async def test_it_says_how_much_is_unread_and_which_number_is_the_newest(scene: Scene, cast: Cast) -> None:
    """As lists do, also without the messages themselves; a deleted one keeps its number and is not unread."""

    async def told(who: Person | Agent) -> tuple[int, int]:
        shown = (await scene.get("/snapshot", who, messages=0))["conversations"]
        (one,) = [each for each in shown if each["conversation_id"] == cast.talk]
        (listed,) = [each for each in await scene.get("/conversations", who) if each["id"] == cast.talk]
        assert listed["unread_count"] == one["unread_count"]
        return one["unread_count"], one["last_seq"]

    assert await told(cast.alice) == (0, 0)
    async with scene.device(cast.helper) as agent, scene.device(cast.alice) as phone:
        sent = [await agent.send(cast.talk, f"n{number}") for number in range(4)]
        assert (await told(cast.alice), await told(cast.helper)) == ((4, 4), (0, 4))
        await phone.ask("read", conversation_id=cast.talk, up_to=1)
        await agent.ask("delete", message_id=sent[3]["message_id"])
        assert await told(cast.alice) == (2, 4)


async def test_a_page_costs_what_is_on_it(scene: Scene, cast: Cast) -> None:
    """Found by index, in the order of the index, however many conversations and messages there are."""
    plan = await scene.running.services.store.read(
        lambda tx: tx.all(f"EXPLAIN QUERY PLAN {CONVERSATIONS}", account="u:x", after="", limit=21)
    )
    steps = [row[3] for row in plan]
    assert [step for step in steps if "USE TEMP" in step] == []
    assert [step for step in steps if step.startswith("SCAN") and step != "SCAN unread"] == []
    assert any("message_in_conversation (conversation_id=? AND seq>?)" in step for step in steps), steps


async def test_it_holds_own_state_and_reactions(scene: Scene, cast: Cast) -> None:
    """What the own devices were told by events; each member sees its own."""
    async with scene.device(cast.alice) as phone, scene.device(cast.helper) as agent:
        sent = await agent.send(cast.talk, "hello")
        await phone.ask("react", message_id=sent["message_id"], emoji="👍", on=True)
        await phone.ask("update_conversation", conversation_id=cast.talk, title="Plans", pinned=True, tags=["b", "a"])
        await phone.ask("update_conversation", conversation_id=cast.talk, archived=True)
        state = await phone.next("conversation_state", archived=True)
        (mine,) = (await scene.get("/snapshot", cast.alice))["conversations"]
        assert {name: mine[name] for name in state} == state
        assert (mine["title"], mine["is_default"], mine["messages"][0]["reactions"][0]["emoji"]) == (
            "Plans",
            True,
            "👍",
        )
        shown = (await scene.get("/snapshot", cast.helper))["conversations"]
        (theirs,) = (each for each in shown if each["conversation_id"] == cast.talk)
        assert (theirs["title"], theirs["pinned"], theirs["archived"], theirs["tags"]) == ("Plans", False, False, [])


async def test_nobody_sees_anothers(scene: Scene, cast: Cast) -> None:
    """Not even as a cursor."""
    for who, own in ((cast.alice, [cast.talk]), (cast.bob, [cast.other])):
        shot = await scene.get("/snapshot", who)
        assert [each["conversation_id"] for each in shot["conversations"]] == own
    assert len((await scene.get("/snapshot", cast.helper))["conversations"]) == 2
    assert (await scene.http.get("/snapshot")).status_code == 401


async def test_client_ids_are_for_their_sender_alone(scene: Scene, cast: Cast) -> None:
    """As in events and over REST: the other side's names for its messages are nobody's business."""
    async with scene.device(cast.helper) as agent, scene.device(cast.alice) as phone:
        await agent.send(cast.talk, "x", client_id="the-agents-own-name")
        await phone.send(cast.talk, "y", client_id="alices-own-name-01")
        history = (await phone.ask("history", conversation_id=cast.talk))["data"]["messages"]
    (shown,) = (await scene.get("/snapshot", cast.alice))["conversations"]
    for messages in (shown["messages"], history):
        assert [each.get("client_id") for each in messages] == [None, "alices-own-name-01"]


async def test_a_conversation_brings_as_many_messages_as_fit_and_always_its_latest(scene: Scene, cast: Cast) -> None:
    for number in range(6):
        await send(scene, cast.alice, cast.talk, f"{number}" * 60_000)
    (shown,) = (await scene.get("/snapshot", cast.alice))["conversations"]
    assert [each["conversation_seq"] for each in shown["messages"]] == [3, 4, 5, 6]
    assert len(encode(shown["messages"])) <= MAX_RECENT_BYTES
    await send(scene, cast.alice, cast.talk, "\x01" * 60_000)
    (shown,) = (await scene.get("/snapshot", cast.alice))["conversations"]
    assert [each["conversation_seq"] for each in shown["messages"]] == [7]


async def test_a_page_ends_before_it_is_too_long_and_the_next_one_goes_on(
    scene: Scene, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever limit was asked for; a conversation that is too long for any page has one of its own."""
    monkeypatch.setattr(snapshot, "MAX_REST_PAGE_BYTES", 50_000)
    made = {cast.talk: 100}
    for size in (10_000, 20_000, 25_000, 60_000, 10, 20, 30):
        answer = await scene.http.post(
            "/conversations", json={"agent_id": "helper", "title": f"{size}"}, headers=cast.alice.headers
        )
        made[answer.json()["conversation_id"]] = size
    for talk, size in made.items():
        await send(scene, cast.alice, talk, "x" * size)
    for limit in (1, 2, 3, 100):
        seen: list[str] = []
        after: str | None = ""
        while after is not None:
            page = await scene.get("/snapshot", cast.alice, limit=limit, after=after)
            ids = [each["conversation_id"] for each in page["conversations"]]
            assert len(ids) == 1 or len(encode(page["conversations"])) <= 50_000
            assert 1 <= len(ids) <= limit
            seen += ids
            after = page["next"]
            assert (after is None) == (len(seen) == len(made)), "no page is asked for in vain"
        assert seen == sorted(made)
    first = await scene.get("/snapshot", cast.alice, limit=100)
    assert [made[each["conversation_id"]] for each in first["conversations"]] == [100, 10_000, 20_000]
