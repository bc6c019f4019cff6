"""Sending, editing, deleting and paging messages."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
import trio

from amtrio.model.message import MAX_CONTENT_BYTES
from tests.features.conftest import Cast, page, post, send
from tests.harness import Scene, open_scene

Json = dict[str, Any]


# -- resending, as docs/protocol.md promises it


async def test_the_same_client_id_answers_with_the_first_number(scene: Scene, cast: Cast) -> None:
    """A resent message has the same id and number, is announced to nobody twice, and stands in the history once."""
    async with scene.device(cast.alice, "phone") as phone, scene.device(cast.helper) as agent:
        first = await phone.send(cast.talk, "hello", client_id="resend-me-0000001")
        again = await phone.send(cast.talk, "hello", client_id="resend-me-0000001")
        assert {**first, "repeated": True} == again
        over_rest = await send(scene, cast.alice, cast.talk, "hello", client_id="resend-me-0000001")
        assert over_rest["message_id"] == first["message_id"]
        await phone.send(cast.talk, "end")
        heard = [await agent.next("message") for _ in range(2)]
    assert [each["content"] for each in heard] == ["hello", "end"]
    assert await page(scene, cast.alice, cast.talk) == ["hello", "end"]


async def test_concurrent_resends_store_one_message(scene: Scene, cast: Cast) -> None:
    """Twenty requests at once with one client_id are one message with one number."""
    answers: list[Json] = []

    async def one() -> None:
        answers.append(await send(scene, cast.alice, cast.talk, "once", client_id="at-the-same-time-1"))

    async with trio.open_nursery() as nursery:
        for _ in range(20):
            nursery.start_soon(one)
    assert len({(each["message_id"], each["conversation_seq"]) for each in answers}) == 1
    assert sum(not each["repeated"] for each in answers) == 1
    assert await page(scene, cast.alice, cast.talk) == ["once"]


@pytest.mark.parametrize(
    "change", [{"content": "other"}, {"metadata": {"a": 1}}, {"reply_to": "first"}, {"conversation_id": "other"}]
)
async def test_the_same_client_id_with_another_message_is_refused(scene: Scene, cast: Cast, change: Json) -> None:
    """Another text, metadata, reply or place under a used client_id is an error of the client, not a message."""
    first = await send(scene, cast.alice, cast.talk, "said")
    second = await scene.conversation(cast.alice, await scene.register_agent("second"))
    change = {
        name: {"first": first["message_id"], "other": second}.get(str(value), value) for name, value in change.items()
    }
    async with scene.device(cast.alice) as phone:
        told = {"conversation_id": cast.talk, "content": "hello", "client_id": "used-twice-000001"}
        await phone.ask("message", **told)
        refused = await phone.ask("message", **(told | change))
        assert refused["type"] == "error"
        assert refused["data"]["code"] == "client_id_reused"
        assert refused["data"]["client_id"] == "used-twice-000001"
        assert refused["data"]["retry"] == "no"
    assert await page(scene, cast.alice, cast.talk) == ["said", "hello"]
    assert await page(scene, cast.alice, second) == []


async def test_the_same_client_id_to_another_agent_is_refused(scene: Scene, cast: Cast) -> None:
    """A message that names its agent instead of a conversation is another one if the agent is another."""
    await scene.register_agent("second")
    async with scene.device(cast.alice) as phone:
        told = {"content": "hello", "client_id": "used-twice-000001"}
        first = await phone.ask("message", agent_id="helper", **told)
        assert first["type"] == "message_sent"
        same = await phone.ask("message", agent_id="helper", **told)
        assert same["data"]["message_id"] == first["data"]["message_id"]
        refused = await phone.ask("message", agent_id="second", **told)
        assert refused["type"] == "error", refused
        assert refused["data"]["code"] == "client_id_reused"


async def test_client_ids_of_two_accounts_are_two_names(scene: Scene, cast: Cast) -> None:
    """Whoever guesses another's client_id neither finds nor blocks his message."""
    mine = await send(scene, cast.alice, cast.talk, "mine", client_id="the-same-name-001")
    theirs = await send(scene, cast.bob, cast.other, "theirs", client_id="the-same-name-001")
    assert mine["message_id"] != theirs["message_id"]
    assert not theirs["repeated"]


async def test_a_resend_after_a_restart_is_still_the_same(tmp_path: Path) -> None:
    """The server remembers client_ids on disk."""
    async with open_scene(tmp_path) as scene:
        alice = await scene.register("alice")
        talk = await scene.conversation(alice, await scene.register_agent("helper"))
        first = await send(scene, alice, talk, "hello", client_id="across-a-restart1")
    async with open_scene(tmp_path) as scene:
        again = await send(scene, alice, talk, "hello", client_id="across-a-restart1")
        assert (again["message_id"], again["repeated"]) == (first["message_id"], True)


async def test_commands_with_a_client_id_happen_once(scene: Scene, cast: Cast) -> None:
    """edit, delete, read and create answer a repeat as the first time and announce nothing more."""
    async with scene.device(cast.alice) as phone, scene.device(cast.helper) as agent:
        sent = await phone.send(cast.talk, "hello")
        await agent.send(cast.talk, "hi")
        commands: list[tuple[str, Json]] = [
            ("edit", {"message_id": sent["message_id"], "content": "hello!"}),
            ("read", {"conversation_id": cast.talk}),
            ("create_conversation", {"agent_id": "helper", "title": "Second"}),
            ("rename", {"conversation_id": cast.talk, "title": "First"}),
            ("delete", {"message_id": sent["message_id"]}),
        ]
        for number, (word, data) in enumerate(commands):
            named = {**data, "client_id": f"command-number-{number:04d}"}
            first = await phone.ask(word, **named)
            assert first["type"] == "done", first
            await phone.caught_up()
            seq = phone.seq
            again = await phone.ask(word, **named)
            assert again["data"] == first["data"], word
            await phone.caught_up()
            assert phone.seq == seq, f"{word} was announced twice"
            other = await phone.ask("rename", conversation_id=cast.talk, title="X", client_id=named["client_id"])
            if word != "rename":
                assert other["data"]["code"] == "client_id_reused"


@pytest.mark.parametrize("client_id", ["short", "x" * 65, "with a blank in it", "", 17])
async def test_a_client_id_of_the_wrong_shape_is_malformed(scene: Scene, cast: Cast, client_id: object) -> None:
    answer = await post(scene, cast.alice, f"/conversations/{cast.talk}/messages", content="x", client_id=client_id)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")


# -- what may be said


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (None, 400, "malformed"),
        ("", 400, "malformed"),
        ("x" * MAX_CONTENT_BYTES, 200, None),
        ("x" * (MAX_CONTENT_BYTES + 1), 413, "too_large"),
        ("ä" * (MAX_CONTENT_BYTES // 2), 200, None),
        ("ä" * (MAX_CONTENT_BYTES // 2) + "x", 413, "too_large"),
        (" ", 200, None),
        ("nul \x00, emoji \U0001f468\u200d\U0001f469, <script>, % _ ' \" \\", 200, None),
        (5, 400, "malformed"),
    ],
)
async def test_content_is_1_to_65536_bytes(
    scene: Scene, cast: Cast, content: object, status: int, code: str | None
) -> None:
    """Counted in bytes of UTF-8; whatever is taken comes back as it was."""
    answer = await post(scene, cast.alice, f"/conversations/{cast.talk}/messages", content=content)
    assert (answer.status_code, answer.json().get("code")) == (status, code)
    assert await page(scene, cast.alice, cast.talk) == ([content] if status == 200 else [])


async def test_metadata_is_an_object_of_bounded_size(scene: Scene, cast: Cast) -> None:
    """It comes back as the same object; a list, a text or 17 KiB do not."""
    kept = {"a": [1, {"b": None}], "ä": "\U0001f600"}
    await send(scene, cast.alice, cast.talk, "x", metadata=kept)
    (message,) = await scene.get(f"/conversations/{cast.talk}/messages", cast.alice)
    assert message["metadata"] == kept
    for bad, status in (([1], 400), ("text", 400), ({"a": "x" * 17_000}, 413)):
        answer = await post(scene, cast.alice, f"/conversations/{cast.talk}/messages", content="x", metadata=bad)
        assert answer.status_code == status


async def test_a_reply_names_a_message_of_the_same_conversation(scene: Scene, cast: Cast) -> None:
    """Another conversation's message is answered like one that does not exist."""
    mine = await send(scene, cast.alice, cast.talk, "question")
    theirs = await send(scene, cast.bob, cast.other, "secret")
    await send(scene, cast.alice, cast.talk, "answer", reply_to=mine["message_id"])
    (_, answer) = await scene.get(f"/conversations/{cast.talk}/messages", cast.alice)
    assert answer["reply_to"] == mine["message_id"]
    path = f"/conversations/{cast.talk}/messages"
    foreign = await post(scene, cast.alice, path, content="x", reply_to=theirs["message_id"])
    missing = await post(scene, cast.alice, path, content="x", reply_to="msg_missing")
    assert foreign.status_code == missing.status_code == 404
    assert foreign.text.replace(theirs["message_id"], "ID") == missing.text.replace("msg_missing", "ID")


async def test_an_agent_finds_its_people_but_accosts_nobody(scene: Scene, cast: Cast) -> None:
    """An agent may go on with a person who began; a stranger is not there for it."""
    carol = await scene.register("carol")
    async with scene.device(cast.helper) as agent:
        sent = await agent.ask("message", user_id=cast.alice.id, content="still there?")
        assert sent["data"]["conversation_id"] == cast.talk
        refused = await agent.ask("message", user_id=carol.id, content="buy this")
        missing = await agent.ask("message", user_id="user_missing", content="buy this")
    assert refused["data"]["code"] == missing["data"]["code"] == "not_found"
    assert refused["data"]["error"].replace(carol.id, "ID") == missing["data"]["error"].replace("user_missing", "ID")


async def test_numbers_of_a_conversation_have_no_gaps(scene: Scene, cast: Cast) -> None:
    """Refused messages leave no hole among those that were stored."""
    async with scene.device(cast.alice) as phone, scene.device(cast.helper) as agent:
        for number in range(5):
            await phone.send(cast.talk, f"a{number}")
            await phone.ask("message", conversation_id=cast.talk, content="")
            await phone.ask("message", conversation_id=cast.talk, content="x", reply_to="msg_missing")
            await agent.send(cast.talk, f"b{number}")
    messages = await scene.get(f"/conversations/{cast.talk}/messages", cast.alice)
    assert [each["conversation_seq"] for each in messages] == list(range(1, 11))


# -- edit and delete


async def test_an_edit_reaches_everybody_and_the_history(scene: Scene, cast: Cast) -> None:
    async with scene.device(cast.alice) as phone, scene.device(cast.helper) as agent:
        sent = await phone.send(cast.talk, "helo")
        await phone.ask("edit", message_id=sent["message_id"], content="hello")
        edited = await agent.next("message_edited")
        assert (edited["content"], edited["conversation_seq"]) == ("hello", 1)
        assert [each["data"]["content"] for each in phone.events if each["type"] == "message_edited"] == ["hello"]
    (message,) = await scene.get(f"/conversations/{cast.talk}/messages", cast.alice)
    assert (message["content"], message["edited"]) == ("hello", True)


async def test_a_deleted_message_leaves_its_number_and_nothing_else(scene: Scene, cast: Cast, tmp_path: Path) -> None:
    """Not even its earlier versions stay in the database."""
    sent = await send(scene, cast.alice, cast.talk, "first secret", metadata={"note": "third secret"})
    await scene.http.patch(
        f"/messages/{sent['message_id']}", json={"content": "second secret"}, headers=cast.alice.headers
    )
    answer = await scene.http.delete(f"/messages/{sent['message_id']}", headers=cast.alice.headers)
    assert answer.status_code == 200
    (message,) = await scene.get(f"/conversations/{cast.talk}/messages", cast.alice)
    assert (message["content"], message["deleted"], message["conversation_seq"]) == ("[deleted]", True, 1)
    with sqlite3.connect(tmp_path / "amtrio.db") as raw:
        kept = str(raw.execute("SELECT * FROM message").fetchall()) + str(
            raw.execute("SELECT * FROM message_version").fetchall()
        )
    raw.close()
    assert "secret" not in kept


async def test_what_cannot_be_edited_or_deleted(scene: Scene, cast: Cast) -> None:
    """Somebody else's: 403 within the conversation; a deleted one: 409; the owner may delete the agent's."""
    async with scene.device(cast.helper) as agent:
        theirs = await agent.send(cast.talk, "from the agent")
        mine = await send(scene, cast.alice, cast.talk, "from alice")
        refused = await agent.ask("edit", message_id=mine["message_id"], content="x")
        assert refused["data"]["code"] == "forbidden"
        refused = await agent.ask("delete", message_id=mine["message_id"])
        assert refused["data"]["code"] == "forbidden"
    for method, expected in (("PATCH", 403), ("DELETE", 200), ("DELETE", 409), ("PATCH", 403)):
        answer = await scene.http.request(
            method, f"/messages/{theirs['message_id']}", json={"content": "x"}, headers=cast.alice.headers
        )
        assert answer.status_code == expected, (method, answer.text)
    await scene.http.delete(f"/messages/{mine['message_id']}", headers=cast.alice.headers)
    answer = await scene.http.patch(
        f"/messages/{mine['message_id']}", json={"content": "x"}, headers=cast.alice.headers
    )
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/messages/{id}", None),
        ("PATCH", "/messages/{id}", {"content": "x"}),
        ("DELETE", "/messages/{id}", None),
        ("POST", "/messages/edit", {"message_id": "{id}", "content": "x"}),
        ("POST", "/messages/delete", {"message_id": "{id}"}),
        ("POST", "/conversations/mark-read", {"message_id": "{id}"}),
    ],
)
async def test_anothers_message_is_not_there(
    scene: Scene, cast: Cast, method: str, path: str, body: Json | None
) -> None:
    """The same answer, word for word, as for a message that never was; and nothing happens to it."""
    theirs = await send(scene, cast.bob, cast.other, "secret")

    async def asked(id_: str) -> tuple[int, str]:
        filled = {name: value.replace("{id}", id_) for name, value in (body or {}).items()}
        answer = await scene.http.request(
            method, path.replace("{id}", id_), json=filled if body else None, headers=cast.alice.headers
        )
        return answer.status_code, answer.text.replace(id_, "ID")

    there, missing = await asked(theirs["message_id"]), await asked("msg_" + "0" * 32)
    assert there == missing
    assert there[0] == 404
    assert cast.other not in there[1]
    (message,) = await scene.get(f"/conversations/{cast.other}/messages", cast.bob)
    assert (message["content"], message["edited"], message["read_at"]) == ("secret", False, None)


async def test_answers_forget_what_was_deleted(scene: Scene, cast: Cast) -> None:
    """
    No kept answer holds the text of a deleted message or conversation; what was done is not done again.
    """
    async with scene.device(cast.alice) as phone, scene.device(cast.helper) as agent:
        sent = await phone.send(cast.talk, "a secret")
        edit = {"message_id": sent["message_id"], "content": "another secret", "client_id": scene.client_id()}
        rename = {"conversation_id": cast.talk, "title": "secret title", "client_id": scene.client_id()}
        begin = {"agent_id": "helper", "title": "secret topic", "client_id": scene.client_id()}
        assert (await phone.ask("edit", **edit))["type"] == "done"
        assert (await agent.ask("rename", **rename))["type"] == "done", "which shows the last message too"
        topic = (await phone.ask("create_conversation", **begin))["data"]["conversation_id"]
        kept = "SELECT answer FROM command_done WHERE answer LIKE :secret"
        store = scene.running.services.store
        assert len(await store.read(lambda tx: tx.all(kept, secret="%another secret%"))) == 2  # or this proves nothing

        await phone.ask("delete", message_id=sent["message_id"])
        assert await store.read(lambda tx: tx.all(kept, secret="%another secret%")) == []
        again = await phone.ask("edit", **edit)
        assert (again["data"]["code"], "deleted since" in again["data"]["error"]) == ("not_found", True)

        for gone in (cast.talk, topic):
            await phone.ask("delete_conversation", conversation_id=gone)
        assert await store.read(lambda tx: tx.all(kept, secret="%secret%")) == []
        assert (await phone.ask("create_conversation", **begin))["data"]["code"] == "not_found"
        assert await scene.get("/conversations", cast.alice) == []


# -- pages


async def test_a_message_costs_at_most_six_statements(scene: Scene, cast: Cast) -> None:
    """Log included, apart from what only opens and closes a transaction, which a batch shares."""
    said: list[str] = []
    commit = scene.running.services.store._commit  # type: ignore[attr-defined]  # the adapter in use
    async with scene.device(cast.alice) as phone:
        await phone.caught_up()
        commit._conn.set_trace_callback(said.append)
        await phone.send(cast.talk, "hello", client_id="six-statements-01")
        commit._conn.set_trace_callback(None)
    frame = ("BEGIN", "SAVEPOINT", "RELEASE", "COMMIT", "--")
    # Chores of the same second are no part of it.
    chores = ("INTO cursor ", "last_seen_us")
    counted = [sql for sql in said if not sql.startswith(frame) and not any(word in sql for word in chores)]
    assert 1 <= len(counted) <= 6, counted


async def test_sending_again_over_rest_costs_no_budget(tmp_path: Path) -> None:
    """The answer of the first time, and the token comes back."""
    async with open_scene(tmp_path, limits={"user_messages_per_minute": 3}) as scene:
        alice, helper = await scene.register("alice"), await scene.register_agent("helper")
        talk = await scene.conversation(alice, helper)
        path, said = f"/conversations/{talk}/messages", {"content": "x", "client_id": scene.client_id()}
        for _ in range(6):
            answer = await scene.http.post(path, json=said, headers=alice.headers)
            assert answer.status_code == 200, answer.text
        assert answer.json()["repeated"] is True
