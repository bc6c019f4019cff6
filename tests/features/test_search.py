"""Searching over real sockets and REST: one's own messages alone, as they are now, newest first."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import trio

from amtrio.features.search import SNIPPET_BYTES, Hit, clean_index, follow_messages
from amtrio.model.message import Message
from amtrio.model.search_index import newest_event, place_of
from amtrio.protocol.codec import encode
from amtrio.text.words import parse, snippet
from tests.features.conftest import Cast, post, send
from tests.harness import Agent, Json, MovableClock, Person, Scene, open_scene


async def found(scene: Scene, who: Person | Agent, q: str, **query: Any) -> list[str]:
    """The texts that a search brings."""
    told = await scene.get("/search", who, q=q, **query)
    assert told["is_complete"] is True
    return [hit["message"]["content"] for hit in told["results"]]


async def refused(scene: Scene, who: Person | Agent, **query: Any) -> Json:
    answer = await scene.http.get("/search", headers=who.headers, params=query)
    body: Json = answer.json()
    return {"http": answer.status_code, **body}


async def test_what_was_just_said_is_found(scene: Scene, cast: Cast) -> None:
    """A search catches up first: what was acknowledged before it is there, newest first."""
    for text in ("Guten Morgen", "Das Café ist geöffnet", "café noir", "nothing"):
        await send(scene, cast.alice, cast.talk, text)
        assert await found(scene, cast.alice, text) == [text]
    assert await found(scene, cast.alice, "CAFE") == ["café noir", "Das Café ist geöffnet"]
    assert await found(scene, cast.alice, "geof") == ["Das Café ist geöffnet"], "the last word may still be growing"
    assert await found(scene, cast.alice, "geof ") == []
    assert await found(scene, cast.alice, "cafe ist") == ["Das Café ist geöffnet"]
    assert await found(scene, cast.alice, '"cafe geöffnet"') == []
    assert await found(scene, cast.alice, '"das cafe"') == ["Das Café ist geöffnet"]


async def test_everybody_finds_their_own_alone(scene: Scene, cast: Cast) -> None:
    """Two people say the same to the same agent; it finds both, each of them their own, a stranger nothing."""
    await send(scene, cast.alice, cast.talk, "the needle of alice")
    await send(scene, cast.bob, cast.other, "the needle of bob")
    async with scene.device(cast.helper) as agent:
        await agent.send(cast.talk, "a needle for alice")
    carol = await scene.register("carol")
    assert await found(scene, cast.alice, "needle") == ["a needle for alice", "the needle of alice"]
    assert await found(scene, cast.bob, "needle") == ["the needle of bob"]
    assert await found(scene, carol, "needle") == []
    assert await found(scene, cast.helper, "needle") == [
        "a needle for alice",
        "the needle of bob",
        "the needle of alice",
    ]
    assert (await refused(scene, cast.bob, q="needle", conversation_id=cast.talk))["http"] == 404
    assert (await refused(scene, cast.bob, q="needle", conversation_id="conv_none"))["http"] == 404
    answer = await scene.http.get("/search", params={"q": "needle"})
    assert answer.status_code == 401


async def test_edits_and_deletions_count_at_once(scene: Scene, cast: Cast) -> None:
    """An edited message is found by its new words only, a deleted one by none."""
    sent = [await send(scene, cast.alice, cast.talk, f"draft {number}") for number in range(3)]
    assert await found(scene, cast.alice, "draft") == ["draft 2", "draft 1", "draft 0"]
    await post(scene, cast.alice, "/messages/edit", message_id=sent[1]["message_id"], content="final 1")
    assert await found(scene, cast.alice, "draft") == ["draft 2", "draft 0"]
    assert await found(scene, cast.alice, "final") == ["final 1"]
    await post(scene, cast.alice, "/messages/delete", message_id=sent[1]["message_id"])
    await post(scene, cast.alice, "/messages/delete", message_id=sent[2]["message_id"])
    assert await found(scene, cast.alice, "final") == []
    assert await found(scene, cast.alice, "draft") == ["draft 0"]
    assert await found(scene, cast.alice, "deleted") == []
    await scene.http.delete(f"/conversations/{cast.talk}", headers=cast.alice.headers)
    assert await found(scene, cast.alice, "draft") == []
    await follow_messages(scene.running.services)
    await clean_index(scene.running.services)
    count = await scene.running.services.store.read(lambda tx: tx.one("SELECT count(*) FROM search_text"))
    assert count == (0,)


async def test_a_removed_account_leaves_no_words(scene: Scene, cast: Cast) -> None:
    """Its conversations go, and the other side finds them no more."""
    await send(scene, cast.alice, cast.talk, "needle")
    await send(scene, cast.bob, cast.other, "needle of bob")
    assert len(await found(scene, cast.helper, "needle")) == 2
    services = scene.running.services
    await services.store.write(lambda tx: services.remove_account(tx, f"u:{cast.alice.id}"))
    assert await found(scene, cast.helper, "needle") == ["needle of bob"]
    await follow_messages(services)
    rows = await services.store.read(lambda tx: tx.all("SELECT words FROM search_text"))
    assert rows == [("needle of bob",)]


async def test_a_snippet_shows_where(scene: Scene, cast: Cast) -> None:
    """A piece of the text as it was written, and the places of the matches in it."""
    await send(scene, cast.alice, cast.talk, "Größe: 5 " + "x " * 200)
    (hit,) = (await scene.get("/search", cast.alice, q="grosse"))["results"]
    assert hit["snippet"]["text"].startswith("Größe: 5 x")
    assert hit["snippet"]["text"].endswith("x…")
    assert hit["snippet"]["matches"] == [[0, 5]]
    assert hit["message"]["content"].startswith("Größe")
    assert hit["message"]["id"] == hit["message"]["message_id"]


async def test_pages_meet_every_message_once(scene: Scene, cast: Cast) -> None:
    """Also when new ones come and shown ones are deleted in between."""
    async with scene.device(cast.alice) as phone:
        sent = [await phone.send(cast.talk, f"word {number}") for number in range(9)]
        seen: list[str] = []
        cursor: str | None = None
        while True:
            told = await scene.get("/search", cast.alice, q="word", limit=2, **({"cursor": cursor} if cursor else {}))
            seen += [hit["message"]["content"] for hit in told["results"]]
            cursor = told["next"]
            if cursor is None:
                break
            assert cursor == told["results"][-1]["message"]["id"]
            await phone.send(cast.talk, "word that came later")
            await phone.ask("delete", message_id=cursor)
    assert seen == [f"word {number}" for number in range(8, -1, -1)]
    assert len(sent) == 9


@pytest.mark.parametrize(("limit", "count"), [(None, 50), (0, 50), (-1, 50), (1, 1), (200, 60), (1000, 60)])
async def test_limits_are_those_of_the_older_server(scene: Scene, cast: Cast, limit: int | None, count: int) -> None:
    """Too few means 50, too many 200."""
    async with scene.device(cast.alice) as phone:
        for number in range(60):
            await phone.send(cast.talk, f"word {number}")
    query = {} if limit is None else {"limit": limit}
    assert len(await found(scene, cast.alice, "word", **query)) == count
    older = await scene.get("/messages/search", cast.alice, q="word", **query)
    assert [each["content"] for each in older][:1] == ["word 59"]
    assert len(older) == count


async def test_older_clients_get_a_bare_array(scene: Scene, cast: Cast) -> None:
    """Messages with both spellings, newest first; wildcards of the older server's database are letters like others."""
    await send(scene, cast.alice, cast.talk, "100% sure_thing")
    await send(scene, cast.alice, cast.talk, "Sure")
    told = await scene.get("/messages/search", cast.alice, q="sure")
    assert [each["content"] for each in told] == ["Sure", "100% sure_thing"]
    assert told[0]["id"] == told[0]["message_id"]
    assert told[0]["timestamp"] == told[0]["created_at"]
    for q in ("%", "_", "%%", "*"):
        answer = await scene.http.get("/messages/search", headers=cast.alice.headers, params={"q": q})
        assert (answer.status_code, answer.json()["error"]) == (400, "q has no word to search for")
    answer = await scene.http.get("/messages/search", headers=cast.alice.headers)
    assert (answer.status_code, answer.json()["error"]) == (400, "missing search query (q)")


async def test_filters(tmp_path: Path) -> None:
    """By conversation, agent and time, and by the id of a message."""
    clock = MovableClock()
    async with open_scene(tmp_path, clock=clock) as scene:
        alice = await scene.register("alice")
        helper, other = await scene.register_agent("helper"), await scene.register_agent("other")
        talk, second = await scene.conversation(alice, helper), await scene.conversation(alice, other)
        sent = []
        for conversation, text in ((talk, "word 1"), (second, "word 2"), (talk, "word 3")):
            sent.append(await send(scene, alice, conversation, text))
            clock.move(days=0.1)
        assert await found(scene, alice, "word", conversation_id=talk) == ["word 3", "word 1"]
        assert await found(scene, alice, "word", agent_id="other") == ["word 2"]
        assert await found(scene, alice, "word", agent_id="nobody") == []
        middle = sent[1]
        for bound in (middle["message_id"], middle["created_at"]):
            assert await found(scene, alice, "word", before=bound) == ["word 1"]
            assert await found(scene, alice, "word", after=bound) == ["word 3"]
        bounds = {"after": sent[0]["created_at"], "before": sent[2]["message_id"]}
        assert await found(scene, alice, "word", **bounds) == ["word 2"]
        assert await found(scene, alice, "word", cursor=middle["message_id"], conversation_id=talk) == ["word 1"]
        bob = await scene.register("bob")
        for field in ("before", "after"):
            for bad in ("yesterday", "msg_none"):
                assert (await refused(scene, alice, q="word", **{field: bad}))["code"] == "not_found"
            stranger = await refused(scene, bob, q="word", **{field: middle["message_id"]})
            assert (stranger["http"], stranger["code"]) == (404, "not_found")


async def test_by_socket(scene: Scene, cast: Cast) -> None:
    """A command like others: people and agents, with a reply of its own."""
    async with scene.device(cast.alice) as phone, scene.device(cast.helper) as agent:
        sent = await phone.send(cast.talk, "the needle")
        for device in (phone, agent):
            told = await device.ask("search", q="need")
            assert told["type"] == "search_results"
            assert (told["data"]["next"], told["data"]["is_complete"]) == (None, True)
            (hit,) = told["data"]["results"]
            assert hit["message"]["message_id"] == sent["message_id"]
            assert ("client_id" in hit["message"]) == (device is phone)
            assert hit["snippet"] == {"text": "the needle", "matches": [[4, 10]]}
        told = await phone.ask("search", q=" ")
        assert (told["type"], told["data"]["code"]) == ("error", "malformed")
        told = await phone.ask("search")
        assert told["data"]["error"] == "missing search query (q)"


async def test_syntax_of_the_engine_means_nothing(scene: Scene, cast: Cast) -> None:
    """Whatever a person types is words, never an error of the database."""
    await send(scene, cast.alice, cast.talk, "near who words or and not")
    for q in ("near(who words)", "who:1", "words : near", "near OR", "near AND who", '"near"*', "^near", "near + who",
              "{who words}", "near--", "near'", "-near", 'who : "1" OR near', "near\x00"):  # fmt: skip
        told = await scene.get("/search", cast.alice, q=q)
        assert isinstance(told["results"], list), q
    assert await found(scene, cast.alice, "NOT near") == ["near who words or and not"]


async def test_what_was_there_before_the_index(tmp_path: Path) -> None:
    """
    It is read in the background, newest first; until then a search says that it is not complete.
    """
    async with open_scene(tmp_path) as scene:
        alice = await scene.register("alice")
        talk = await scene.conversation(alice, await scene.register_agent("helper"))
        sent = [await send(scene, alice, talk, f"word {number}") for number in range(3)]
        services = scene.running.services
        await follow_messages(services)

        def forget(tx: Any) -> None:
            tx.run("DELETE FROM search_entry")
            tx.run("UPDATE search_place SET backfill_id = '~'")

        await services.store.write(forget)
        await post(scene, alice, "/messages/edit", message_id=sent[0]["message_id"], content="word edited")
        await send(scene, alice, talk, "word new")
        told = await scene.get("/search", alice, q="word")
        assert told["is_complete"] is False
        assert [hit["message"]["content"] for hit in told["results"]] == ["word new"]
    async with open_scene(tmp_path) as scene:
        alice = await scene.login("alice")
        await follow_messages(scene.running.services)
        assert await found(scene, alice, "word") == ["word new", "word 2", "word 1", "word edited"]


async def test_the_index_follows_by_itself(scene: Scene, cast: Cast) -> None:
    """Without any search, soon; a server that stops meanwhile stops in time."""
    services = scene.running.services
    await send(scene, cast.alice, cast.talk, "needle")
    services.wake("follow_messages")
    with trio.fail_after(10):
        while (await services.store.read(place_of)).event < await services.store.read(newest_event):  # noqa: ASYNC110
            await trio.sleep(0.01)
    rows = await services.store.read(lambda tx: tx.all("SELECT words FROM search_text"))
    assert rows == [("needle",)]


@pytest.mark.parametrize("around", ["👍", "東", "a ", "a \x01", "\x01" * 20 + " a "])
def test_no_snippet_is_longer_than_reckoned(around: str) -> None:
    """Every character a match of its own, or one that JSON writes with six bytes; with all that stands round it."""
    shown = snippet(parse("👍" if around == "👍" else "東" if around == "東" else "a "), around * 200)
    assert shown is not None
    said = Message(
        message_id="",
        conversation_id="",
        conversation_seq=1,
        user_id="",
        agent_id="",
        sender_type="client",
        sender_id="",
        content="",
        created_at="",
    )
    assert len(encode(Hit(message=said, snippet=shown))) + 1 - len(encode(said)) <= SNIPPET_BYTES


async def test_two_hundred_short_messages_are_one_page(scene: Scene, cast: Cast) -> None:
    """The room that is kept for snippets leaves that much for messages."""
    async with scene.device(cast.alice) as phone:
        for number in range(201):
            await phone.send(cast.talk, f"needle {number} " + "hay " * 50)
        told = (await phone.ask("search", q="needle", limit=200))["data"]
    assert len(told["results"]) == 200
    assert told["next"] == told["results"][-1]["message"]["message_id"]
