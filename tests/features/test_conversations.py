"""Conversations: begin, list by activity, delete."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import trio

from amtrio.model.conversation import MAX_UNREAD
from tests.features.conftest import Cast, send
from tests.harness import Agent, Device, MovableClock, Person, Scene, open_scene


async def listed(scene: Scene, who: Person | Agent, **query: Any) -> list[str]:
    return [each["conversation_id"] for each in await scene.get("/conversations", who, **query)]


async def titled(scene: Scene, who: Person, title: str) -> str:
    answer = await scene.http.post("/conversations", json={"agent_id": "helper", "title": title}, headers=who.headers)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["conversation_id"])


async def test_without_a_title_there_is_one_conversation_with_an_agent(scene: Scene, cast: Cast) -> None:
    """Asked for again it is found, under the older route as well; with a title there is a new one each time."""
    for path in ("/conversations", "/conversations/create"):
        answer = await scene.http.post(path, data={"agent_id": "helper"}, headers=cast.alice.headers)
        assert answer.json()["conversation_id"] == answer.json()["id"] == cast.talk
    assert len({cast.talk, await titled(scene, cast.alice, "One"), await titled(scene, cast.alice, "One")}) == 3


async def test_both_sides_hear_of_a_new_conversation(scene: Scene, cast: Cast) -> None:
    async with scene.device(cast.alice) as phone, scene.device(cast.helper) as agent:
        made = await titled(scene, cast.alice, "Plans")
        for device in (phone, agent):
            told = await device.next("conversation_created", conversation_id=made)
            assert (told["title"], told["is_default"], told["user_id"]) == ("Plans", False, cast.alice.id)


async def test_the_latest_activity_stands_first(scene: Scene, cast: Cast) -> None:
    """A message moves a conversation up, a title does not."""
    one, two = await titled(scene, cast.alice, "One"), await titled(scene, cast.alice, "Two")
    assert await listed(scene, cast.alice) == [two, one, cast.talk]
    async with scene.device(cast.helper) as agent:
        await agent.send(cast.talk, "hi")
    await scene.http.patch(f"/conversations/{one}", json={"title": "Uno"}, headers=cast.alice.headers)
    assert await listed(scene, cast.alice) == [cast.talk, two, one]


async def test_order_holds_when_the_clock_jumps(tmp_path: Path) -> None:
    """Activity is a counter, not a time."""
    clock = MovableClock()
    async with open_scene(tmp_path, clock=clock) as scene:
        alice = await scene.register("alice")
        first = await scene.conversation(alice, await scene.register_agent("helper"))
        clock.move(days=-0.5)
        second = await titled(scene, alice, "Second")
        assert await listed(scene, alice) == [second, first]
        clock.move(days=0.9)
        third = await titled(scene, alice, "Third")
        assert await listed(scene, alice) == [third, second, first]


async def test_the_list_is_paged_by_the_conversation_seen_last(scene: Scene, cast: Cast) -> None:
    for number in range(4):
        await titled(scene, cast.alice, f"t{number}")
    whole = await listed(scene, cast.alice)
    seen: list[str] = []
    page = await listed(scene, cast.alice, limit=2)
    while page:
        seen += page
        page = await listed(scene, cast.alice, limit=2, before=seen[-1])
    assert seen == whole
    assert await listed(scene, cast.alice, limit=2, offset=2) == whole[2:4]
    for limit in (0, -1, 201):
        assert await listed(scene, cast.alice, limit=limit) == whole


async def test_however_many_ask_at_once_there_is_one_default_conversation(scene: Scene, cast: Cast) -> None:
    """By the route, by the older one and by writing; told to the agent once."""
    other = await scene.register_agent("other")
    found: list[str] = []

    async def ask(path: str) -> None:
        answer = await scene.http.post(path, json={"agent_id": "other"}, headers=cast.alice.headers)
        found.append(answer.json()["conversation_id"])

    async def write(phone: Device) -> None:
        reply = await phone.ask("message", agent_id="other", content="hello")
        found.append(reply["data"]["conversation_id"])

    async with (
        scene.device(cast.alice, "phone") as phone,
        scene.device(cast.alice, "tablet") as tablet,
        trio.open_nursery() as nursery,
    ):
        for _ in range(12):
            nursery.start_soon(ask, "/conversations")
            nursery.start_soon(ask, "/conversations/create")
        nursery.start_soon(write, phone)
        nursery.start_soon(write, tablet)
    assert len(found) == 26
    assert len(set(found)) == 1
    assert await listed(scene, other) == [found[0]]
    async with scene.device(other, since=0) as agent:
        await agent.next("message")
        await agent.next("message")
        assert [each["type"] for each in agent.events].count("conversation_created") == 1


async def test_topics_with_one_agent_are_listed_and_found_separately(scene: Scene, cast: Cast) -> None:
    """Each has its own title, messages and unread count, also under the same title."""
    one, two = await titled(scene, cast.alice, "Trip"), await titled(scene, cast.alice, "Trip")
    async with scene.device(cast.helper) as agent:
        await agent.send(one, "in one")
        await agent.send(two, "in two")
        await agent.send(two, "in two again")
    shown = {each["id"]: each for each in await scene.get("/conversations", cast.alice, agent_id="helper")}
    assert {id_: (each["title"], each["unread_count"]) for id_, each in shown.items()} == {
        cast.talk: (None, 0), one: ("Trip", 1), two: ("Trip", 2),
    }  # fmt: skip
    assert shown[one]["last_message"]["content"] == "in one"
    assert (await scene.get(f"/conversations/{two}", cast.alice))["last_message"]["content"] == "in two again"


async def test_the_list_is_filtered(scene: Scene, cast: Cast) -> None:
    """By agent, label, pin and archive, each with the others; paging goes through what is left."""
    other = await scene.register_agent("other")
    elsewhere = await scene.conversation(cast.alice, other)
    plans = [await titled(scene, cast.alice, f"Plan {number}") for number in range(4)]
    for place, talk in enumerate(plans):
        fields = {"tags": ["plan", f"n{place}"], "pinned": place % 2 == 0, "archived": place == 3}
        await scene.http.patch(f"/conversations/{talk}", json=fields, headers=cast.alice.headers)
    not_archived = [plans[2], plans[1], plans[0], elsewhere, cast.talk]
    queries: list[tuple[dict[str, Any], list[str]]] = [
        ({}, not_archived),
        ({"archived": "false"}, not_archived),
        ({"archived": "true"}, [plans[3]]),
        ({"archived": "all"}, [plans[3], *not_archived]),
        ({"agent_id": "other"}, [elsewhere]),
        ({"agent_id": "nobody"}, []),
        ({"tag": "plan"}, [plans[2], plans[1], plans[0]]),
        ({"tag": " n3 ", "archived": "all"}, [plans[3]]),
        ({"tag": "n3"}, []),
        ({"tag": "PLAN"}, []),
        ({"pinned": "true"}, [plans[2], plans[0]]),
        ({"pinned": "false"}, [plans[1], elsewhere, cast.talk]),
        ({"pinned": "false", "tag": "plan", "agent_id": "helper"}, [plans[1]]),
        ({"tag": "plan", "limit": 2}, [plans[2], plans[1]]),
        ({"tag": "plan", "limit": 2, "before": plans[1]}, [plans[0]]),
        ({"tag": "plan", "limit": 1, "offset": 2}, [plans[0]]),
        # Where one left off may have been archived meanwhile.
        ({"before": plans[3], "limit": 1}, [plans[2]]),
    ]
    for path in ("/conversations", "/conversations/list"):
        for query, expected in queries:
            shown = await scene.get(path, cast.alice, **query)
            assert [each["conversation_id"] for each in shown] == expected, query
    assert await listed(scene, cast.helper, tag="plan") == [], "labels are alice's own"
    assert set(await listed(scene, cast.helper)) == {cast.talk, cast.other, *plans}, "and so is her archive"
    for query in ({"archived": "maybe"}, {"pinned": "maybe"}):
        answer = await scene.http.get("/conversations", params=query, headers=cast.alice.headers)
        assert answer.status_code == 400


async def test_unread_counts_never_count_own_or_deleted_messages(scene: Scene, cast: Cast) -> None:
    """They reach 0 by reading, and each side has its own."""
    async with scene.device(cast.alice) as phone, scene.device(cast.helper) as agent:
        await phone.send(cast.talk, "mine")
        theirs = [await agent.send(cast.talk, f"theirs {number}") for number in range(3)]
        await agent.ask("delete", message_id=theirs[0]["message_id"])

        async def unread() -> tuple[int, int]:
            path = f"/conversations/{cast.talk}"
            return (
                (await scene.get(path, cast.alice))["unread_count"],
                (await scene.get(path, cast.helper))["unread_count"],
            )

        assert await unread() == (2, 1)
        await phone.ask("read", conversation_id=cast.talk, up_to=theirs[1]["conversation_seq"])
        assert await unread() == (1, 1)
        await phone.ask("read", conversation_id=cast.talk)
        assert await unread() == (0, 1)


async def test_unread_counts_are_capped(scene: Scene, cast: Cast) -> None:
    """Nobody reads more out of a number above a thousand."""

    def fill(tx: Any) -> None:
        tx.run("UPDATE conversation SET last_seq = :n WHERE id = :id", n=MAX_UNREAD + 5, id=cast.talk)
        for seq in range(1, MAX_UNREAD + 6):
            tx.run(
                "INSERT INTO message (id, conversation_id, seq, sender_key, content, created_us)"
                " VALUES (:id, :talk, :seq, 'a:helper', 'x', 0)",
                id=f"msg_{seq}", talk=cast.talk, seq=seq,
            )  # fmt: skip

    await scene.running.services.store.write(fill)
    assert (await scene.get(f"/conversations/{cast.talk}", cast.alice))["unread_count"] == MAX_UNREAD


async def test_the_last_message_is_the_last_that_was_not_deleted(scene: Scene, cast: Cast) -> None:
    async with scene.device(cast.helper) as agent:
        await agent.send(cast.talk, "first")
        second = await agent.send(cast.talk, "second")
        (shown, *_) = await scene.get("/conversations", cast.alice)
        assert (shown["last_message"]["content"], shown["last_message"]["sender_type"]) == ("second", "agent")
        await agent.ask("delete", message_id=second["message_id"])
        (shown, *_) = await scene.get("/conversations", cast.alice)
        assert shown["last_message"]["content"] == "first"
    (shown,) = await scene.get("/conversations", cast.bob)
    assert shown["last_message"] is None
    for name in ("id", "user_id", "agent_id", "created_at", "updated_at"):
        assert isinstance(shown[name], str), "a shipped app decodes nothing without it"


async def test_a_list_says_when_it_was_true(scene: Scene, cast: Cast) -> None:
    answer = await scene.http.get("/conversations", headers=cast.alice.headers)
    async with scene.device(cast.alice) as phone:
        assert answer.headers["X-Amtrio-Epoch"] == phone.greeting["data"]["epoch"]
        assert int(answer.headers["X-Amtrio-Seq"]) == phone.greeting["data"]["head"]


@pytest.mark.parametrize(("title", "status"), [("x", 200), ("ä" * 200, 200), ("x" * 201, 400), ("", 400), (5, 400)])
async def test_titles_have_bounds(scene: Scene, cast: Cast, title: object, status: int) -> None:
    body = {"agent_id": "helper", "title": title}
    assert (await scene.http.post("/conversations", json=body, headers=cast.alice.headers)).status_code == status
    answer = await scene.http.patch(f"/conversations/{cast.talk}", json={"title": title}, headers=cast.alice.headers)
    assert answer.status_code == status


async def test_a_new_title_reaches_both(scene: Scene, cast: Cast) -> None:
    async with scene.device(cast.alice) as phone, scene.device(cast.helper) as agent:
        await agent.ask("rename", conversation_id=cast.talk, title="Named by the agent")
        assert (await phone.next("conversation_updated"))["title"] == "Named by the agent"


async def test_only_the_owner_deletes(scene: Scene, cast: Cast) -> None:
    """Then it is gone for both, messages included, and a new default conversation is another one."""
    async with scene.device(cast.alice) as phone, scene.device(cast.helper) as agent:
        sent = await phone.send(cast.talk, "hello")
        refused = await agent.ask("delete_conversation", conversation_id=cast.talk)
        assert refused["data"]["code"] == "forbidden"
        answer = await scene.http.delete(
            f"/conversations/delete?conversation_id={cast.talk}", headers=cast.alice.headers
        )
        assert answer.json() == {"status": "deleted", "conversation_id": cast.talk}
        await agent.next("conversation_deleted", conversation_id=cast.talk)
        await phone.next("conversation_deleted", conversation_id=cast.talk)
        again = await agent.ask("message", conversation_id=cast.talk, content="still?", client_id="to-a-deleted-one")
        assert again["data"]["code"] == "not_found"
    assert await listed(scene, cast.alice) == []
    answer = await scene.http.get(f"/messages/{sent['message_id']}", headers=cast.alice.headers)
    assert answer.status_code == 404
    assert await scene.conversation(cast.alice, cast.helper) != cast.talk


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/conversations/{id}", None),
        ("GET", "/conversations/{id}/messages", None),
        ("GET", "/conversations/messages?conversation_id={id}", None),
        ("GET", "/conversations?before={id}", None),
        ("POST", "/conversations/{id}/messages", {"content": "x"}),
        ("POST", "/conversations/{id}/read", {}),
        ("POST", "/conversations/mark-read", {"conversation_id": "{id}"}),
        ("PATCH", "/conversations/{id}", {"title": "mine"}),
        ("DELETE", "/conversations/{id}", None),
    ],
)
async def test_anothers_conversation_is_not_there(
    scene: Scene, cast: Cast, method: str, path: str, body: dict[str, str] | None
) -> None:
    """The same answer, word for word, as for one that never was; and nothing happens to it."""

    async def asked(id_: str) -> tuple[int, str]:
        filled = None if body is None else {name: value.replace("{id}", id_) for name, value in body.items()}
        answer = await scene.http.request(method, path.replace("{id}", id_), json=filled, headers=cast.alice.headers)
        return answer.status_code, answer.text.replace(id_, "ID")

    before = await scene.get(f"/conversations/{cast.other}", cast.bob)
    there, missing = await asked(cast.other), await asked("conv_" + "0" * 32)
    assert there == missing
    assert there[0] == 404
    assert await scene.get(f"/conversations/{cast.other}", cast.bob) == before


@pytest.mark.parametrize(
    "word",
    ["message", "read", "rename", "update_conversation", "tag", "delete_conversation", "history", "typing", "status"],
)
async def test_anothers_conversation_is_not_there_for_any_command(scene: Scene, cast: Cast, word: str) -> None:
    """The same over the socket, for every command that names a conversation."""
    extras: dict[str, dict[str, Any]] = {
        "message": {"content": "x"},
        "rename": {"title": "x"},
        "update_conversation": {"pinned": True},
        "tag": {"tag": "x"},
        "status": {"status": "busy"},
    }
    async with scene.device(cast.alice) as phone:
        answers = []
        for id_ in (cast.other, "conv_missing"):
            told = await phone.ask(word, conversation_id=id_, **extras.get(word, {}))
            assert told["type"] == "error"
            answers.append(str(told["data"]).replace(id_, "ID"))
    assert answers[0] == answers[1]
    assert "not_found" in answers[0]


async def test_agents_begin_no_conversations(scene: Scene, cast: Cast) -> None:
    answer = await scene.http.post("/conversations", json={"agent_id": "helper"}, headers=cast.helper.headers)
    assert answer.status_code == 403
    async with scene.device(cast.helper) as agent:
        assert (await agent.ask("create_conversation", agent_id="helper"))["data"]["code"] == "forbidden"


@pytest.mark.parametrize("agent_id", ["", None, "nobody", "alice"])
async def test_there_is_no_conversation_with_nobody(scene: Scene, cast: Cast, agent_id: str | None) -> None:
    """A missing id is malformed; an unknown one, or a person's, is not there."""
    answer = await scene.http.post("/conversations", json={"agent_id": agent_id}, headers=cast.alice.headers)
    assert answer.status_code == (404 if agent_id else 400)


async def test_a_user_id_is_no_agent_id(scene: Scene, cast: Cast) -> None:
    """People and agents have separate name spaces: bob's id in an agent's place is nobody."""
    answers = [
        await scene.http.post("/conversations", json={"agent_id": id_}, headers=cast.alice.headers)
        for id_ in (cast.bob.id, "user_" + "0" * 32)
    ]
    assert [each.status_code for each in answers] == [404, 404]
    assert answers[0].text.replace(cast.bob.id, "ID") == answers[1].text.replace("user_" + "0" * 32, "ID")
    # An agent that calls itself like bob is another account, and gets nothing of his.
    twin = await scene.register_agent(cast.bob.id)
    assert await scene.get("/conversations", twin) == []
    async with scene.device(twin) as agent, scene.device(cast.bob) as bob:
        refused = await agent.ask("history", conversation_id=cast.other)
        assert refused["data"]["code"] == "not_found"
        await bob.send(cast.other, "for the helper alone")
        await agent.caught_up()
        assert agent.events == []


@pytest.mark.parametrize("title", ["\u200b", "\ufeff\u2060", "abc\u202edef", "\u2066x"])
async def test_a_title_can_be_seen_and_runs_one_way(scene: Scene, cast: Cast, title: str) -> None:
    """Agents name conversations too, and a name that hides or runs backwards is made to deceive."""
    path = f"/conversations/{cast.talk}"
    answer = await scene.http.patch(path, json={"title": title}, headers=cast.helper.headers)
    assert answer.status_code == 400, answer.text
    assert "title" in answer.json()["error"]
    family = await scene.http.patch(
        path, json={"title": "\U0001f468\u200d\U0001f469\u200d\U0001f467"}, headers=cast.helper.headers
    )
    assert family.status_code == 200


async def test_a_list_shows_the_beginning_of_the_last_message(scene: Scene, cast: Cast) -> None:
    """Answers may have half a megabyte, and a list two hundred conversations."""
    await send(scene, cast.helper, cast.talk, "é" * 5_000)
    (shown,) = await scene.get("/conversations", cast.alice)
    assert shown["last_message"]["content"] == "é" * 1_000
