"""What the older server did wrong and no test of one file holds: each test names the defect by its number.

The numbers are those of the list that this server was written against: D storage, M messages, A security, W protocol.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from amtrio.features.leftover_files import collect_files
from amtrio.features.search import clean_index, follow_messages
from amtrio.store.database import ReadTx
from tests.features.conftest import ADMIN, Cast, cast, scene
from tests.harness import PASSWORD, Scene
from tests.key_owner import KeyOwner

__all__ = ["cast", "scene"]

WORD = "zebrafish"


def rows_with(tx: ReadTx, *texts: str) -> set[str]:
    """The tables in which one of these texts stands anywhere; for an index of words, in the words that it keeps."""
    tables = [name for (name,) in tx.all("SELECT name FROM sqlite_master WHERE type = 'table'")]
    shadows = ("search_text_data", "search_text_idx", "search_text_docsize", "search_text_config")
    return {
        table
        for table in tables
        if table not in shadows
        for row in tx.all(f"SELECT * FROM {table}")
        if any(text in str(value) for value in row for text in texts)
    }


async def fill(scene: Scene, cast: Cast) -> list[str]:
    """A conversation with one of everything in it; the ids of all its messages."""
    sent = []
    async with scene.device(cast.alice, "phone") as phone, scene.device(cast.helper) as agent:
        for who, device in ((cast.alice, phone), (cast.helper, agent)):
            file = {"file": (f"{WORD}.txt", WORD.encode())}
            upload = (await scene.http.post("/attachments", files=file, headers=who.headers)).json()["attachment_id"]
            with_file = {"content": f"{WORD} with a file", "attachment_ids": [upload], "metadata": {"about": WORD}}
            for message in (with_file, {"content": f"{WORD} to be edited"}):
                told = await device.send(cast.talk, **message)
                sent.append(told["message_id"])
            sealed = {"ciphertext": f"{WORD}cipher", "iv": "aXY=", "algorithm": "aes-256-gcm"}
            await device.ask("encrypted_message", conversation_id=cast.talk, **sealed)
            for word, more in (
                ("edit", {"message_id": sent[-1], "content": f"{WORD} that was edited"}),
                ("react", {"message_id": sent[-1], "emoji": "👍", "on": True}),
                ("tag", {"conversation_id": cast.talk, "tag": f"{WORD}-{who.id}"}),
                ("update_conversation", {"conversation_id": cast.talk, "title": f"{WORD} title", "pinned": True}),
                ("read", {"conversation_id": cast.talk}),
            ):
                told = await device.ask(word, client_id=scene.client_id(), **more)
                assert told["type"] == "done", told
    muted = await scene.http.put(
        f"/conversations/{cast.talk}/notifications", json={"muted": True}, headers=cast.alice.headers
    )
    assert muted.status_code == 200
    for who in (cast.alice, cast.helper):
        await KeyOwner().publish(scene, who, one_time=2)
    await follow_messages(scene.running.services)
    return sent


@pytest.mark.parametrize("what", ["conversation", "person", "agent"])
async def test_d5_whatever_is_deleted_goes_whole(scene: Scene, cast: Cast, tmp_path: Path, what: str) -> None:
    """
    D5: files, ciphertext, reactions, words of the index and kept answers block nothing and do not stay.

    What is left is the account log, which names ids, kinds and never a text, and that commands were done.
    """
    services, store = scene.running.services, scene.running.services.store
    messages = await fill(scene, cast)
    assert await store.read(rows_with, WORD) >= {
        "message", "message_version", "attachment", "conversation", "conversation_tag", "command_done", "search_text",
    }  # fmt: skip
    path, method, headers, body = {
        "conversation": (f"/conversations/{cast.talk}", "DELETE", cast.alice.headers, None),
        "person": ("/account", "DELETE", cast.alice.headers, {"password": PASSWORD}),
        "agent": ("/admin/agents/helper", "DELETE", ADMIN, None),
    }[what]
    answer = await scene.http.request(method, path, headers=headers, json=body)
    assert answer.status_code == 200, answer.text
    await collect_files(services)
    await follow_messages(services)
    await clean_index(services)
    # An unlinked upload would be its owner's; here all were sent.
    assert await store.read(rows_with, WORD) == set()
    assert await store.read(rows_with, cast.talk, *messages) <= {"event", "command_done"}
    assert [each for each in (tmp_path / "uploads").rglob("*") if each.is_file()] == []
    assert await store.read(lambda tx: tx.all("SELECT * FROM pragma_foreign_key_check")) == []
    if what != "conversation":
        gone = cast.alice.id if what == "person" else "a:helper"
        # The tombstone, the record of administration, and what the others have to hear of it.
        assert await store.read(rows_with, gone) <= {"account", "audit", "event"}


async def test_m22_the_time_of_a_message_is_the_servers(scene: Scene, cast: Cast) -> None:
    """M22: what a client says of the time counts for nothing, on either protocol and over REST."""
    claimed: dict[str, Any] = {"timestamp": "1999-01-01T00:00:00Z", "created_at": "1999-01-01T00:00:00Z"}
    async with scene.old_device(cast.alice) as old, scene.device(cast.helper) as agent:
        await old.send(cast.talk, "old", **claimed)
        await agent.send(cast.talk, "new", **claimed)
        await scene.http.post(
            f"/conversations/{cast.talk}/messages", json={"content": "rest", **claimed}, headers=cast.alice.headers
        )
        assert "1999" not in (await old.next("message", content="new"))["timestamp"]
        assert "1999" not in (await agent.next("message", content="rest"))["created_at"]
    shown = await scene.get(f"/conversations/{cast.talk}/messages", cast.alice)
    assert [each["content"] for each in shown] == ["old", "new", "rest"]
    assert "1999" not in str(shown)


async def test_a9_no_status_reaches_a_conversation_of_others(scene: Scene, cast: Cast) -> None:
    """A9: an agent that names a conversation it is not in is refused, and nobody there hears of it."""
    stranger = await scene.register_agent("stranger")
    async with scene.device(cast.alice) as alice:
        async with scene.device(stranger) as agent:
            told = await agent.ask("status", status="busy", conversation_id=cast.talk)
            assert told["data"]["code"] == "not_found"
        async with scene.old_device(stranger) as old:
            await old.say("status", status="busy", conversation_id=cast.talk)
            await old.next("error")
        await alice.caught_up()
        assert "busy" not in str(alice.ephemeral)


async def test_m19_m20_the_list_of_conversations(scene: Scene, cast: Cast) -> None:
    """M19, M20: times are RFC 3339; `limit`, `offset` and `tag` count, under both spellings alike."""
    await scene.register_agent("second")
    made = await scene.http.post("/conversations", json={"agent_id": "second"}, headers=cast.alice.headers)
    second = made.json()["conversation_id"]
    async with scene.device(cast.alice) as phone:
        await phone.send(cast.talk, "newer")
        await phone.ask("tag", conversation_id=second, tag="work")
    for path in ("/conversations", "/conversations/list"):
        for query, expected in (
            ({}, [cast.talk, second]),
            ({"limit": 1}, [cast.talk]),
            ({"limit": 1, "offset": 1}, [second]),
            ({"offset": 2}, []),
            ({"tag": "work"}, [second]),
            ({"tag": "work", "offset": 1}, []),
            ({"tag": "none"}, []),
        ):
            shown = await scene.get(path, cast.alice, **query)
            assert [each["conversation_id"] for each in shown] == expected, (path, query)
    newest = (await scene.get("/conversations/list", cast.alice, limit=1))[0]["last_message"]
    assert newest["created_at"][10] == "T"
    assert newest["created_at"].endswith("Z")


async def test_a28_wildcards_are_letters(scene: Scene, cast: Cast) -> None:
    """A28: `%` and `_` find themselves, in searches of messages and of people."""
    async with scene.device(cast.alice) as phone:
        await phone.send(cast.talk, "one hundred per cent")
    for wild in ("%", "_", "o%e", "o_e"):
        answer = await scene.http.get("/messages/search", params={"q": wild}, headers=cast.alice.headers)
        assert answer.status_code == 400 or answer.json() == [], wild
    users = await scene.http.get("/admin/users", params={"q": "a%e"}, headers=ADMIN)
    assert users.json()["users"] == []
    await scene.register("under_score")
    users = await scene.http.get("/admin/users", params={"q": "_"}, headers=ADMIN)
    assert [each["username"] for each in users.json()["users"]] == ["under_score"]
