"""Ciphertext is a message like any other, and never shown as text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from amtrio.features.encrypted import ALGORITHMS, OPAQUE
from amtrio.model.message import MAX_CONTENT_BYTES
from amtrio.model.pages import MAX_REST_PAGE_BYTES
from tests.features.conftest import Cast, send
from tests.harness import Agent, Json, Person, Scene, open_scene
from tests.key_owner import post, refused

SEALED: Json = {
    "ciphertext": "c2VhbGVk",
    "iv": "bm9uY2U",
    "algorithm": "x25519-aes-256-gcm",
    "recipient_key_id": "key_1",
    "sender_key_id": "AAECAw",
}
ENCRYPTION = {name: SEALED[name] for name in ("algorithm", "iv", "recipient_key_id", "sender_key_id")}


def path(talk: str) -> str:
    return f"/conversations/{talk}/messages/encrypted"


async def test_ciphertext_has_the_numbers_of_its_conversation(scene: Scene, cast: Cast) -> None:
    """Between plain messages, told to both sides with what is needed to decrypt it, counted and read like them."""
    async with scene.device(cast.alice) as phone, scene.device(cast.helper) as agent:
        await phone.send(cast.talk, "plain")
        sent = await phone.ask("encrypted_message", conversation_id=cast.talk, **SEALED)
        assert (sent["type"], sent["data"]["conversation_seq"]) == ("message_sent", 2)
        await phone.send(cast.talk, "plain again")
        told = await agent.next("message", kind="encrypted")
        assert told["content"] == "c2VhbGVk"
        assert told["encryption"] == ENCRYPTION
        assert (told["message_id"], told["conversation_seq"]) == (sent["data"]["message_id"], 2)
        assert (await phone.next("message", kind="encrypted"))["message_id"] == told["message_id"]
        assert (await agent.next("message"))["conversation_seq"] == 3
        assert (await scene.get(f"/conversations/{cast.talk}", cast.helper))["unread_count"] == 3
        assert (await agent.ask("read", conversation_id=cast.talk, up_to=2))["data"]["count"] == 2
        history = (await agent.ask("history", conversation_id=cast.talk))["data"]["messages"]
        assert [each.get("kind", "text") for each in history] == ["text", "encrypted", "text"]
        assert history[1]["encryption"] == ENCRYPTION
    shown = (await scene.get(f"/conversations/{cast.talk}/messages", cast.alice))[1]
    assert (shown["kind"], shown["content"], shown["encryption"]["iv"]) == ("encrypted", "c2VhbGVk", "bm9uY2U")
    shown = (await scene.get("/snapshot", cast.alice))["conversations"][0]["messages"][1]
    assert (shown["kind"], shown["content"], shown["encryption"]) == ("encrypted", "c2VhbGVk", ENCRYPTION)


async def test_who_was_away_gets_it_from_the_log(scene: Scene, cast: Cast) -> None:
    """Agents and people alike, of either protocol."""
    await post(scene, cast.alice, path(cast.talk), SEALED)
    async with scene.device(cast.helper) as agent:
        assert (await agent.next("message", kind="encrypted"))["encryption"] == ENCRYPTION
        await agent.ack()
        sent = await agent.ask("encrypted_message", user_id=cast.alice.id, **SEALED)
        assert sent["data"]["conversation_id"] == cast.talk, "an agent need not name the conversation either"
    async with scene.device(cast.alice, since=0) as phone, scene.old_device(cast.alice, "old") as old:
        told = await phone.next("message", sender_type="agent")
        assert (told["kind"], told["encryption"]) == ("encrypted", ENCRYPTION)
        await old.next("encrypted_message", sender_type="agent")


async def test_older_clients_are_told_that_there_is_one(scene: Scene, cast: Cast) -> None:
    """
    In the older server's shape, to the other side and to one's other devices; never the ciphertext as a text.
    """
    sent = await post(scene, cast.alice, "/messages/encrypted", {"conversation_id": cast.talk, **SEALED})
    async with scene.old_device(cast.helper) as agent, scene.old_device(cast.alice, "old") as own:
        frame = await agent.frame()
        while frame["type"] != "encrypted_message":
            assert frame["type"] not in {"message", "user_message", "chat"}
            frame = await agent.frame()
        data = frame["data"]
        assert {name: data[name] for name in ("type", "conversation_id", "content", "sender_type", "sender_id")} == {
            "type": "encrypted_message",
            "conversation_id": cast.talk,
            "content": f"encrypted:{sent['id']}",
            "sender_type": "user",
            "sender_id": cast.alice.id,
        }
        assert data["recipient_id"] == ""
        assert data["id"] == data["message_id"] == sent["id"]
        assert data["timestamp"] == sent["created_at"]
        assert {name: value for name, value in frame.items() if name != "data"} == data, "the same fields beside it"
        await own.next("encrypted_message", id=sent["id"])
        await own.say("encrypted_message", conversation_id=cast.talk, **SEALED)
        answer = await own.next("message_sent")
        assert answer["message_id"]
        await agent.next("encrypted_message", id=answer["message_id"])


async def test_the_same_client_id_is_stored_once(scene: Scene, cast: Cast) -> None:
    """By socket or REST; other ciphertext, or the same as plain text, under it is refused."""
    mine = {"client_id": scene.client_id()}
    async with scene.device(cast.alice) as phone:
        first = (await phone.ask("encrypted_message", conversation_id=cast.talk, **SEALED, **mine))["data"]
        again = await post(scene, cast.alice, path(cast.talk), SEALED | mine)
        assert (again["id"], again["repeated"]) == (first["message_id"], True)
        for change in ({"ciphertext": "b3RoZXI"}, {"iv": "b3RoZXI"}, {"algorithm": "aes-256-gcm"}):
            answer = await phone.ask("encrypted_message", **{"conversation_id": cast.talk, **SEALED, **mine, **change})
            assert answer["data"]["code"] == "client_id_reused"
        plain = await phone.ask("message", conversation_id=cast.talk, content=SEALED["ciphertext"], **mine)
        assert plain["data"]["code"] == "client_id_reused"
        await phone.caught_up()
        assert [event["type"] for event in phone.events].count("message") == 1


async def test_it_is_deleted_and_never_edited(scene: Scene, cast: Cast) -> None:
    """A plain text in its place would look encrypted; deleted, nothing of it is left."""
    async with scene.device(cast.alice) as phone, scene.old_device(cast.helper) as old:
        sent = (await phone.ask("encrypted_message", conversation_id=cast.talk, **SEALED))["data"]
        edit = await phone.ask("edit", message_id=sent["message_id"], content="plain")
        assert (edit["data"]["code"], "encrypted" in edit["data"]["error"]) == ("conflict", True)
        assert (await phone.ask("delete", message_id=sent["message_id"]))["data"]["status"] == "deleted"
        told = await phone.next("message_deleted")
        assert (told["content"], told["kind"], "encryption" in told) == ("", "encrypted", False)
        await old.next("message_deleted", message_id=sent["message_id"])
    assert await scene.get(path(cast.talk), cast.alice) == []
    rows = await scene.running.services.store.read(
        lambda tx: tx.all("SELECT content, envelope FROM message WHERE kind = 'encrypted'")
    )
    assert rows == [("", None)]
    async with scene.old_device(cast.helper) as old:
        await send(scene, cast.alice, cast.talk, "after it")
        frame = await old.frame()
        while frame["type"] != "user_message":
            assert frame["type"] != "encrypted_message", "it is gone"
            frame = await old.frame()


async def encrypted_file(scene: Scene, who: Person | Agent, data: bytes = b"ciphertext") -> Json:
    answer = await scene.http.post("/attachments?encrypted=true", content=data, headers=who.headers)
    assert answer.status_code == 200, answer.text
    file: Json = answer.json()
    return file


async def test_files_go_with_it_and_are_shown_beside_it(scene: Scene, cast: Cast) -> None:
    """By socket and REST, told and read again, to be fetched by both sides; other files are another message."""
    one, other = await encrypted_file(scene, cast.alice), await encrypted_file(scene, cast.alice)
    mine = {"client_id": scene.client_id(), "attachment_ids": [one["attachment_id"]]}
    async with scene.device(cast.alice) as phone, scene.device(cast.helper) as agent:
        sent = await phone.ask("encrypted_message", conversation_id=cast.talk, **SEALED, **mine)
        assert sent["type"] == "message_sent"
        told = await agent.next("message", kind="encrypted")
        assert [each["attachment_id"] for each in told["attachments"]] == mine["attachment_ids"]
        assert told["attachments"][0]["content_type"] == "application/octet-stream"
        again = await post(scene, cast.alice, path(cast.talk), SEALED | mine)
        assert (again["id"], again["repeated"]) == (sent["data"]["message_id"], True)
        changed = {**mine, "attachment_ids": [other["attachment_id"]]}
        answer = await phone.ask("encrypted_message", conversation_id=cast.talk, **SEALED, **changed)
        assert answer["data"]["code"] == "client_id_reused"
        answer = await agent.ask("encrypted_message", conversation_id=cast.talk, **SEALED, **changed)
        assert answer["data"]["code"] == "not_found", "it is not the agent's to send"
    (shown,) = await scene.get(f"/conversations/{cast.talk}/messages", cast.alice)
    assert [each["attachment_id"] for each in shown["attachments"]] == mine["attachment_ids"]
    assert (await scene.http.get(one["url"], headers=cast.helper.headers)).content == b"ciphertext"
    assert (await scene.http.get(other["url"], headers=cast.helper.headers)).status_code == 404


async def test_its_files_go_with_it(scene: Scene, cast: Cast) -> None:
    """Deleted, neither side can fetch them."""
    file = await encrypted_file(scene, cast.alice)
    fields = SEALED | {"attachment_ids": [file["attachment_id"]]}
    sent = await post(scene, cast.alice, path(cast.talk), fields)
    async with scene.device(cast.alice) as phone:
        await phone.ask("delete", message_id=sent["id"])
    for who in (cast.alice, cast.helper):
        assert (await scene.http.get(file["url"], headers=who.headers)).status_code == 404


async def test_a_preview_shows_no_ciphertext(scene: Scene, cast: Cast) -> None:
    """The list says what kind the last message is, and nothing of it."""
    await send(scene, cast.alice, cast.talk, "plain")
    await post(scene, cast.alice, path(cast.talk), SEALED)
    (listed,) = await scene.get("/conversations", cast.alice)
    assert (listed["last_message"]["kind"], listed["last_message"]["content"]) == ("encrypted", "")


@pytest.mark.parametrize("algorithm", [*ALGORITHMS, OPAQUE])
async def test_what_members_may_call_their_cipher(scene: Scene, cast: Cast, algorithm: str) -> None:
    await post(scene, cast.alice, path(cast.talk), SEALED | {"algorithm": algorithm})
    (shown,) = await scene.get(path(cast.talk), cast.helper)
    assert shown["algorithm"] == algorithm


REQUIRED = "ciphertext and algorithm are required"


@pytest.mark.parametrize(
    ("change", "status", "rule"),
    [
        ({"ciphertext": None}, 400, REQUIRED),
        ({"ciphertext": ""}, 400, REQUIRED),
        ({"iv": ""}, 400, "iv is required with"),
        ({"algorithm": None}, 400, REQUIRED),
        ({"algorithm": "", "sender_device_id": "phone"}, 400, REQUIRED),
        ({"algorithm": "rot13"}, 400, "unsupported algorithm"),
        ({"algorithm": "AES-256-GCM"}, 400, "unsupported algorithm"),
        ({"iv": "x" * 129}, 400, "iv"),
        ({"sender_key_id": "x" * 257}, 400, "sender_key_id"),
        ({"ciphertext": ["x"]}, 400, "ciphertext"),
        ({"ciphertext": "x" * (MAX_CONTENT_BYTES + 1)}, 413, "at most 65536 bytes"),
        ({"ciphertext": "ä" * MAX_CONTENT_BYTES}, 413, "at most 65536 bytes"),
    ],
)
async def test_what_is_refused(scene: Scene, cast: Cast, change: Json, status: int, rule: str) -> None:
    """And uses up no number."""
    found, _, text = await refused(scene, cast.alice, "POST", path(cast.talk), json=SEALED | change)
    assert found == status
    assert rule in text
    longest = SEALED | {"ciphertext": "x" * MAX_CONTENT_BYTES}
    assert (await post(scene, cast.alice, path(cast.talk), longest))["conversation_seq"] == 1


async def test_strangers_neither_send_nor_read(scene: Scene, cast: Cast) -> None:
    """One answer for another's conversation and for none."""
    agent = await scene.register_agent("other")
    for who, talk in ((cast.bob, cast.talk), (agent, cast.talk), (cast.bob, "conv_none")):
        for method in ("GET", "POST"):
            assert (await refused(scene, who, method, path(talk), json=SEALED))[:2] == (404, "not_found")
    async with scene.device(cast.bob) as phone:
        answer = await phone.ask("encrypted_message", conversation_id=cast.talk, **SEALED)
        assert answer["data"]["code"] == "not_found"
    await scene.http.delete(f"/conversations/{cast.talk}", headers=cast.alice.headers)
    assert (await refused(scene, cast.alice, "GET", path(cast.talk)))[0] == 404


async def test_a_page_of_ciphertext(scene: Scene, cast: Cast) -> None:
    """The newest page by default, then by cursor; plain messages are not in it."""
    sent = []
    for number in range(6):
        await send(scene, cast.alice, cast.talk, f"plain {number}")
        sent.append((await post(scene, cast.alice, path(cast.talk), SEALED | {"ciphertext": f"c{number}"}))["id"])

    async def listed(**query: Any) -> list[str]:
        return [each["ciphertext"] for each in await scene.get(path(cast.talk), cast.helper, **query)]

    assert await listed() == [f"c{number}" for number in range(6)]
    assert await listed(limit=2) == ["c4", "c5"]
    assert await listed(limit=2, before=sent[4]) == ["c2", "c3"]
    assert await listed(limit=2, after=sent[0]) == ["c1", "c2"]
    answer = await scene.http.get(path(cast.talk), params={"limit": 2}, headers=cast.alice.headers)
    assert answer.headers["X-Amtrio-Has-More"] == "true"
    assert (await refused(scene, cast.alice, "GET", path(cast.talk), params={"before": "yesterday"}))[0] == 404


async def test_a_page_of_the_longest_ciphertexts_is_bounded(scene: Scene, cast: Cast) -> None:
    """Also of such as nobody would send: of characters that JSON writes with six bytes."""
    for _ in range(12):
        await post(scene, cast.alice, path(cast.talk), SEALED | {"ciphertext": "\x01" * 65_000})
    told = []
    for before in (None, 3):
        answer = await scene.http.get(path(cast.talk), params={"before": before}, headers=cast.alice.headers)
        assert len(answer.content) <= MAX_REST_PAGE_BYTES
        told.append(([each["conversation_seq"] for each in answer.json()], answer.headers["X-Amtrio-Has-More"]))
    assert told == [(list(range(3, 13)), "true"), ([1, 2], "false")]


async def test_the_budget_is_that_of_messages(tmp_path: Path) -> None:
    """Encrypting buys nobody more of it."""
    async with open_scene(
        tmp_path, limits={"user_messages_per_minute": 2}, sessions={"max_read_delay_s": 0.0}
    ) as scene:
        alice, helper = await scene.register("alice"), await scene.register_agent("helper")
        talk = await scene.conversation(alice, helper)
        mine = {"client_id": scene.client_id()}
        async with scene.device(alice) as phone:
            await phone.ask("encrypted_message", conversation_id=talk, **SEALED, **mine)
            again = await phone.ask("encrypted_message", conversation_id=talk, **SEALED, **mine)
            assert again["data"]["repeated"], "what is sent again costs nothing"
            await phone.send(talk, "two")
            refused_ = await phone.ask("encrypted_message", conversation_id=talk, **SEALED)
            assert refused_["data"]["code"] == "rate_limited"
        assert (await refused(scene, alice, "POST", path(talk), json=SEALED))[:2] == (429, "rate_limited")


# -- as shipped clients do it ------------------------------------------------------------------------------------------


async def test_as_the_older_server_has_it(scene: Scene, cast: Cast) -> None:
    """The web chat's request and what it reads, by JSON and by form, from a person and from an agent."""
    sent = await post(scene, cast.alice, "/messages/encrypted", {"conversation_id": cast.talk, **SEALED})
    assert (sent["status"], sent["message"]) == ("stored", "encrypted message stored")
    form = {"conversation_id": cast.talk, **SEALED, "sender_key_id": ""}
    answer = await scene.http.post("/messages/encrypted", data=form, headers=cast.helper.headers)
    assert answer.status_code == 200, answer.text
    who: tuple[Person | Agent, ...] = (cast.alice, cast.helper)
    for asker in who:
        first, second = await scene.get("/messages/encrypted/list", asker, conversation_id=cast.talk)
        expected = {
            "id": sent["id"],
            "message_id": sent["id"],
            "conversation_id": cast.talk,
            "sender_id": cast.alice.id,
            "sender_type": "user",
            **SEALED,
            "created_at": sent["created_at"],
            "timestamp": sent["created_at"],
        }
        assert {name: first[name] for name in expected} == expected
        assert (second["sender_type"], second["sender_id"], second["sender_key_id"]) == ("agent", "helper", None)
    missing = await refused(scene, cast.alice, "POST", "/messages/encrypted", json=SEALED)
    assert missing[:2] == (400, "malformed")


@pytest.mark.parametrize("way", ["json", "data"])
async def test_as_the_sdks_have_it(scene: Scene, cast: Cast, way: str) -> None:
    """Neither nonce nor algorithm: what the device's library made is opaque here."""
    body: Json = {"conversation_id": cast.talk, "ciphertext": '{"type":3,"body":"..."}', "sender_device_id": "phone"}
    for message_type in (None, "prekey"):
        more = {"message_type": message_type} if message_type else {}
        request: Json = {way: body | more}
        answer = await scene.http.post("/messages/encrypted", headers=cast.alice.headers, **request)
        assert answer.status_code == 200, answer.text
        assert answer.json()["id"].startswith("msg_")
    query = {"conversation_id": cast.talk, "device_id": "laptop", "limit": 50}
    first, second = await scene.get("/messages/encrypted/list", cast.alice, **query)
    assert (first["ciphertext"], first["sender_device_id"], first["message_type"]) == (
        body["ciphertext"], "phone", None,
    )  # fmt: skip
    assert (first["algorithm"], first["iv"], second["message_type"]) == ("opaque", "", "prekey")
    after = await scene.get("/messages/encrypted/list", cast.alice, **query, after=first["id"])
    assert [each["id"] for each in after] == [second["id"]]


async def test_ids_may_be_numbers(scene: Scene, cast: Cast) -> None:
    """Signal's message types and key ids are."""
    body = SEALED | {"recipient_key_id": 7, "message_type": 3}
    await post(scene, cast.alice, path(cast.talk), body)
    (shown,) = await scene.get(path(cast.talk), cast.helper)
    assert (shown["recipient_key_id"], shown["message_type"]) == ("7", "3")
