"""Reading messages: pages by every kind of cursor, and both spellings of a message."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from amtrio.features import history
from tests.features.conftest import Cast, page, send
from tests.harness import Agent, MovableClock, Person, Scene, open_scene

Json = dict[str, Any]


async def filled(scene: Scene, cast: Cast, count: int) -> list[Json]:
    async with scene.device(cast.alice) as phone:
        return [await phone.send(cast.talk, f"m{number}") for number in range(1, count + 1)]


async def test_the_newest_page_comes_first_in_ascending_order(scene: Scene, cast: Cast) -> None:
    await filled(scene, cast, 60)
    assert await page(scene, cast.alice, cast.talk) == [f"m{number}" for number in range(11, 61)]
    assert await page(scene, cast.alice, cast.talk, limit=2) == ["m59", "m60"]


@pytest.mark.parametrize("limit", [0, -1, 201, 10**9])
async def test_a_limit_out_of_bounds_means_fifty(scene: Scene, cast: Cast, limit: int) -> None:
    """As older clients expect; 1 and 200 are bounds within."""
    await filled(scene, cast, 55)
    assert len(await page(scene, cast.alice, cast.talk, limit=limit)) == 50
    assert len(await page(scene, cast.alice, cast.talk, limit=200)) == 55
    assert len(await page(scene, cast.alice, cast.talk, limit=1)) == 1


async def test_pages_by_number_and_by_id(scene: Scene, cast: Cast) -> None:
    """Strictly older, strictly newer; both bounds together; paging back meets every message once."""
    sent = await filled(scene, cast, 9)
    for cursor in (5, "5", sent[4]["message_id"]):
        assert await page(scene, cast.alice, cast.talk, before=cursor) == ["m1", "m2", "m3", "m4"]
        assert await page(scene, cast.alice, cast.talk, before=cursor, limit=2) == ["m3", "m4"]
        assert await page(scene, cast.alice, cast.talk, after=cursor) == ["m6", "m7", "m8", "m9"]
        assert await page(scene, cast.alice, cast.talk, after=cursor, limit=2) == ["m6", "m7"]
    assert await page(scene, cast.alice, cast.talk, after=2, before=5) == ["m3", "m4"]
    assert await page(scene, cast.alice, cast.talk, before=1) == []
    assert await page(scene, cast.alice, cast.talk, after=9) == []
    assert await page(scene, cast.alice, cast.talk, before=10**30) == [f"m{number}" for number in range(1, 10)]
    seen: list[str] = []
    oldest = ""
    while older := await scene.get(f"/conversations/{cast.talk}/messages", cast.alice, before=oldest, limit=4):
        seen = [each["content"] for each in older] + seen
        oldest = older[0]["id"]
    assert seen == [f"m{number}" for number in range(1, 10)]


async def test_pages_by_time_in_every_spelling(tmp_path: Path) -> None:
    """RFC 3339 with any precision and zone, and the older server's spelling with a space."""
    clock = MovableClock()
    async with open_scene(tmp_path, clock=clock) as scene:
        alice = await scene.register("alice")
        talk = await scene.conversation(alice, await scene.register_agent("helper"))
        await send(scene, alice, talk, "m1")
        clock.move(days=0.25)
        await send(scene, alice, talk, "m2")
        clock.move(days=0.25)
        await send(scene, alice, talk, "m3")
        second = (await scene.get(f"/conversations/{talk}/messages", alice))[1]["created_at"]
        day, time = second[:-1].split("T")
        for spelling in (f"{day}T{time}Z", f"{day}T{time}000000Z", f"{day}T{time}+00:00", f"{day} {time}+00:00"):
            assert await page(scene, alice, talk, before=spelling) == ["m1"], spelling
        assert await page(scene, alice, talk, before=f"{day}T{time[:8]}Z") == ["m1"]
        assert (await page(scene, alice, talk, after=f"{day}T{time}999Z"))[-1] == "m3"
        hours = int(time[:2])
        if 2 <= hours < 22:
            east = f"{day}T{hours + 2:02d}{time[2:]}+02:00"
            assert await page(scene, alice, talk, before=east) == ["m1"]
        for bad in ("yesterday", "2026-13-45T00:00:00Z", "T", "msg_missing", "-1", "1e3", "٣"):
            answer = await scene.http.get(
                f"/conversations/{talk}/messages", params={"before": bad}, headers=alice.headers
            )
            assert answer.status_code in {200, 404}, (bad, answer.text)
            if bad != "٣":
                assert answer.json()["code"] == "not_found", bad


async def test_history_by_socket_says_whether_there_is_more(scene: Scene, cast: Cast) -> None:
    """And at which place of the log it is true."""
    await filled(scene, cast, 5)
    async with scene.device(cast.alice) as phone:
        await phone.caught_up()
        for limit, more in ((4, True), (5, False), (200, False)):
            told = (await phone.ask("history", conversation_id=cast.talk, limit=limit))["data"]
            assert told["has_more"] is more
            assert [each["conversation_seq"] for each in told["messages"]] == list(range(6 - min(limit, 5), 6))
            assert (told["epoch"], told["seq"]) == (phone.greeting["data"]["epoch"], phone.greeting["data"]["head"])
    answer = await scene.http.get(
        f"/conversations/{cast.talk}/messages", params={"limit": 4}, headers=cast.alice.headers
    )
    assert answer.headers["X-Amtrio-Has-More"] == "true"


async def test_android_reads_its_own_messages_as_user(scene: Scene, cast: Cast) -> None:
    """Its bubble is its own if the sender's type is `user`; everybody else reads `client`."""
    await send(scene, cast.alice, cast.talk, "x")
    for agent, expected in (("okhttp/4.12.0", "user"), ("Python-urllib/3.12", "client")):
        answer = await scene.http.get(
            f"/conversations/{cast.talk}/messages", headers=cast.alice.headers | {"User-Agent": agent}
        )
        assert answer.json()[0]["sender_type"] == expected
        # The older route is what other programs built on the same library read.
        older = f"/conversations/messages?conversation_id={cast.talk}"
        answer = await scene.http.get(older, headers=cast.alice.headers | {"User-Agent": agent})
        assert answer.json()[0]["sender_type"] == "client"


async def test_a_message_over_rest_has_both_spellings(scene: Scene, cast: Cast) -> None:
    """Every field that a shipped client reads, under each of its names; the client_id for its sender alone."""
    await send(scene, cast.alice, cast.talk, "x", client_id="mine-and-mine-only")
    (mine,) = await scene.get(f"/conversations/{cast.talk}/messages", cast.alice)
    (theirs,) = await scene.get(f"/conversations/{cast.talk}/messages", cast.helper)
    assert mine["id"] == mine["message_id"]
    assert mine["created_at"] == mine["timestamp"]
    assert (mine["edited"], mine["is_deleted"], mine["deleted"]) == (False, False, False)
    assert (mine["user_id"], mine["agent_id"]) == (cast.alice.id, "helper")
    assert mine["client_id"] == "mine-and-mine-only"
    assert "client_id" not in theirs


async def edits(scene: Scene, who: Person | Agent, message_id: str, **query: Any) -> list[tuple[int, str]]:
    answer = await scene.get(f"/messages/{message_id}/edits", who, **query)
    return [(each["version"], each["content"]) for each in answer["edits"]]


async def edit(scene: Scene, who: Person | Agent, message_id: str, content: str) -> None:
    answer = await scene.http.patch(f"/messages/{message_id}", json={"content": content}, headers=who.headers)
    assert answer.status_code == 200, answer.text


async def test_members_see_what_a_message_said_before_each_edit(tmp_path: Path) -> None:
    """Oldest first, each with when it was written; strangers learn nothing, not even that there is a message."""
    clock = MovableClock()
    async with open_scene(tmp_path, clock=clock) as scene:
        alice, bob, helper = await scene.register("alice"), await scene.register("bob"), await scene.register_agent("h")
        sent = await send(scene, alice, await scene.conversation(alice, helper), "helo")
        path = f"/messages/{sent['message_id']}/edits"
        assert await scene.get(path, alice) == {"edits": [], "has_more": False}
        for content in ("hello", "Hello"):
            clock.move(days=0.1)
            await edit(scene, alice, sent["message_id"], content)
        for who in (alice, helper):
            shown = await scene.get(path, who)
            assert [(each["version"], each["content"]) for each in shown["edits"]] == [(1, "helo"), (2, "hello")]
        first, second = shown["edits"]
        assert first["at"] == sent["created_at"] < second["at"]
        assert second["at"] < (await scene.get(f"/messages/{sent['message_id']}", alice))["edited_at"]
        missing = await scene.http.get("/messages/msg_missing/edits", headers=bob.headers)
        theirs = await scene.http.get(path, headers=bob.headers)
        assert (theirs.status_code, missing.status_code) == (404, 404)
        assert theirs.text.replace(sent["message_id"], "msg_missing") == missing.text
        assert (await scene.http.get(path)).status_code == 401


async def test_the_earlier_texts_of_a_deleted_message_are_gone(scene: Scene, cast: Cast) -> None:
    sent = await send(scene, cast.alice, cast.talk, "secret")
    await edit(scene, cast.alice, sent["message_id"], "another")
    await scene.http.delete(f"/messages/{sent['message_id']}", headers=cast.alice.headers)
    assert await edits(scene, cast.alice, sent["message_id"]) == []


async def test_many_edits_come_in_pages(scene: Scene, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest first, and each page oldest first; a page ends before it is too long, but never empty."""
    async with scene.device(cast.helper) as agent:
        sent = (await agent.send(cast.talk, "1"))["message_id"]
        for number in range(2, 8):
            await agent.ask("edit", message_id=sent, content=f"{number}" * (1 if number < 4 else 100))
    assert await edits(scene, cast.alice, sent, limit=2) == [(5, "5" * 100), (6, "6" * 100)]
    assert [version for version, _ in await edits(scene, cast.alice, sent, before=3)] == [1, 2]
    for cursor in (0, -1, 10**30):
        answer = await scene.http.get(f"/messages/{sent}/edits?before={cursor}", headers=cast.alice.headers)
        assert (answer.status_code, len(answer.json()["edits"])) == (200, 6)
    monkeypatch.setattr(history, "MAX_REST_PAGE_BYTES", 210)
    seen: list[list[int]] = []
    before: int | None = 10**6
    while before is not None:
        answer = await scene.get(f"/messages/{sent}/edits", cast.alice, before=before)
        seen.append([each["version"] for each in answer["edits"]])
        before = answer["edits"][0]["version"] if answer["has_more"] else None
    assert seen == [[5, 6], [1, 2, 3, 4]]
    monkeypatch.setattr(history, "MAX_REST_PAGE_BYTES", 1)
    assert [version for version, _ in await edits(scene, cast.alice, sent)] == [6]
