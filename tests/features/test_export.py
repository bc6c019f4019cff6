"""Taking one's data along."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing

from amtrio.features import export
from amtrio.media.archive import Archive
from amtrio.model.message import Message
from amtrio.protocol.codec import encode
from amtrio.store.database import Tx
from tests.features.conftest import Cast, send
from tests.harness import ADMIN_SECRET, PASSWORD, Agent, Person, Scene, open_scene


async def exported(scene: Scene, person: Person) -> zipfile.ZipFile:
    answer = await scene.http.get("/account/export", headers=person.headers)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "application/zip"
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    assert archive.testzip() is None
    return archive


def read(archive: zipfile.ZipFile, name: str) -> Any:
    return json.loads(archive.read(name))


def lines(archive: zipfile.ZipFile, name: str) -> list[Any]:
    return [json.loads(line) for line in archive.read(name).splitlines()]


async def test_everything_one_has_and_nothing_of_others(scene: Scene, cast: Cast) -> None:
    """Messages with what they said before, reactions, tags, preferences, keys; no secrets."""
    async with scene.device(cast.alice, "phone") as phone, scene.device(cast.helper) as agent:
        sent = await phone.send(cast.talk, "first words")
        for text in ("second words", "third words"):
            await phone.ask("edit", message_id=sent["message_id"], content=text)
        await agent.send(cast.talk, "an answer")
    await send(scene, cast.bob, cast.other, "bob's secret")
    account = f"u:{cast.alice.id}"

    def fill(tx: Tx) -> None:
        for sql in (
            "INSERT INTO conversation_tag VALUES (:talk, :account, 'work', 'tag_1', 0)",
            "INSERT INTO notification_preference VALUES (:account, 0, 60, 120, 'Europe/Berlin', 0)",
            """INSERT INTO public_key (id, account_key, kind, public_key, fingerprint, created_us)
               VALUES ('key_1', :account, 'identity', 'cHVibGlj', '00', 0)""",
            """INSERT INTO push_device (id, account_key, session_id, platform, address, created_us, updated_us)
               SELECT 'push_1', account_key, id, 'ios', 'the-address', 0, 0 FROM login_session
               WHERE account_key = :account""",
            "INSERT INTO reaction VALUES (:message, :account, '+1', 'rxn_1', 0)",
            "UPDATE message SET extras = 2 WHERE id = :message",
        ):
            params = {"talk": cast.talk, "account": account, "message": sent["message_id"]}
            tx.run(sql, **{name: value for name, value in params.items() if f":{name}" in sql})

    await scene.running.services.store.write(fill)
    archive = await exported(scene, cast.alice)
    talk = f"conversations/{cast.talk}"
    assert set(archive.namelist()) == {
        "README.txt", "account.json", "sessions.json", "notification_preferences.json", "push_devices.json",
        "public_keys.json", "conversations.json", f"{talk}/messages.jsonl", f"{talk}/edits.jsonl", "attachments.json",
    }  # fmt: skip
    assert "alice" in archive.read("README.txt").decode()
    assert read(archive, "account.json")["user_id"] == cast.alice.id
    assert [each["current"] for each in read(archive, "sessions.json")] == [True]
    assert read(archive, "notification_preferences.json")["time_zone"] == "Europe/Berlin"
    assert [(each["id"], each["platform"]) for each in read(archive, "push_devices.json")] == [("push_1", "ios")]
    assert [each["public_key"] for each in read(archive, "public_keys.json")] == ["cHVibGlj"]
    (conversation,) = read(archive, "conversations.json")
    assert (conversation["conversation_id"], conversation["tags"]) == (cast.talk, ["work"])
    messages = lines(archive, f"{talk}/messages.jsonl")
    assert [each["content"] for each in messages] == ["third words", "an answer"]
    assert [each["emoji"] for each in messages[0]["reactions"]] == ["+1"]
    edits = lines(archive, f"{talk}/edits.jsonl")
    assert [(each["version"], each["content"]) for each in edits] == [(1, "first words"), (2, "second words")]
    everything = b"\n".join(archive.read(name) for name in archive.namelist()).decode()
    for secret in ("bob's secret", "the-address", cast.alice.token, PASSWORD, ADMIN_SECRET, "argon2"):
        assert secret not in everything


async def test_files_of_ones_own_and_those_one_was_sent(scene: Scene, cast: Cast) -> None:
    """As they are, each in a folder of its own, also a large one and one that was not sent yet; not those of others."""
    large = bytes(range(256)) * 4096

    async def upload(who: Person | Agent, name: str, content: bytes, talk: str | None = None) -> str:
        answer = await scene.http.post("/attachments", files={"file": (name, content)}, headers=who.headers)
        assert answer.status_code in {200, 201}, answer.text
        id_ = str(answer.json()["attachment_id"])
        if talk is not None:
            answer = await scene.http.post(
                f"/conversations/{talk}/messages", json={"content": name, "attachment_ids": [id_]}, headers=who.headers
            )
            assert answer.status_code == 200, answer.text
        return id_

    sent = await upload(cast.alice, "large.bin", large, cast.talk)
    received = await upload(cast.helper, "../../received.txt", b"from the agent", cast.talk)
    waiting = await upload(cast.alice, "waiting.txt", b"not sent yet")
    await upload(cast.bob, "of-bob.txt", b"not yours", cast.other)
    archive = await exported(scene, cast.alice)
    named = {name for name in archive.namelist() if name.startswith("attachments/")}
    assert {name.split("/")[1] for name in named} == {sent, received, waiting}
    assert all(name.count("/") == 2 for name in named)
    assert ".." not in {part for name in named for part in name.split("/")}
    assert archive.read(f"attachments/{sent}/large.bin") == large
    assert archive.read(f"attachments/{waiting}/waiting.txt") == b"not sent yet"
    assert {each["attachment_id"] for each in read(archive, "attachments.json")} == {sent, received, waiting}


async def test_an_empty_account(scene: Scene) -> None:
    """Valid JSON all the same."""
    archive = await exported(scene, await scene.register("alice"))
    assert read(archive, "conversations.json") == read(archive, "attachments.json") == []
    assert read(archive, "notification_preferences.json") is None


async def test_pages_are_put_together(scene: Scene, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is missing and nothing twice where one page ends and the next begins."""
    for name in ("PAGE_ROWS", "CONVERSATION_ROWS", "VERSION_ROWS"):
        monkeypatch.setattr(export, name, 2)
    for number in range(3):
        await scene.conversation(cast.alice, await scene.register_agent(f"agent{number}"))
    async with scene.device(cast.alice, "phone") as phone:
        sent = [await phone.send(cast.talk, f"n{number}") for number in range(6)]
        for text in ("a", "b", "c", "d"):
            await phone.ask("edit", message_id=sent[0]["message_id"], content=text)
    archive = await exported(scene, cast.alice)
    assert len({each["conversation_id"] for each in read(archive, "conversations.json")}) == 4
    messages = lines(archive, f"conversations/{cast.talk}/messages.jsonl")
    assert [each["conversation_seq"] for each in messages] == [1, 2, 3, 4, 5, 6]
    edits = lines(archive, f"conversations/{cast.talk}/edits.jsonl")
    assert [each["content"] for each in edits] == ["n0", "a", "b", "c"]


async def test_no_more_is_in_memory_than_a_slice(scene: Scene, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted in bytes, not only in messages; a message that is longer than a slice is one by itself."""
    monkeypatch.setattr(export, "PAGE_BYTES", 100_000)
    sizes = [10, 20, 40_000, 50_000, 60_000, 10, 50_000, 30_000, 10]
    for size in sizes:
        await send(scene, cast.alice, cast.talk, "\n" * size)
    slices: list[int] = []
    read = export._messages

    def measured(*args: Any) -> list[Message]:
        found = read(*args)
        slices.append(sum(len(encode(each)) for each in found))
        assert len(found) == 1 or slices[-1] <= 100_000
        return found

    monkeypatch.setattr(export, "_messages", measured)
    archive = await exported(scene, cast.alice)
    messages = lines(archive, f"conversations/{cast.talk}/messages.jsonl")
    assert [len(each["content"]) for each in messages] == sizes
    assert max(slices) > 120_000


async def test_five_an_hour_and_only_for_people(tmp_path: Path) -> None:
    """HEAD looks and costs nothing."""
    async with open_scene(tmp_path) as scene:
        alice, helper = await scene.register("alice"), await scene.register_agent("helper")
        for _ in range(7):
            answer = await scene.http.head("/account/export", headers=alice.headers)
            assert (answer.status_code, answer.content) == (200, b"")
            assert answer.headers["Content-Disposition"].startswith('attachment; filename="amtrio-alice-')
        for _ in range(5):
            await exported(scene, alice)
        answer = await scene.http.get("/account/export", headers=alice.headers)
        assert (answer.status_code, answer.json()["code"]) == (429, "rate_limited")
        assert int(answer.headers["Retry-After"]) > 600
        await exported(scene, await scene.register("bob"))
        assert (await scene.http.get("/account/export", headers=helper.headers)).status_code == 403


async def test_one_at_a_time_and_a_client_that_goes_away_frees_the_place(
    scene: Scene, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is left running; the next one works."""
    monkeypatch.setattr(export, "MIN_CHUNK_BYTES", 1)
    put = export._put
    has_begun, has_ended = trio.Event(), trio.Event()

    async def wait() -> None:
        has_begun.set()
        try:
            await trio.sleep_forever()
        finally:
            has_ended.set()

    def put_first_only(archive: Archive, name: str | None, data: bytes) -> bytes:
        """The rest has to wait until the reader goes away."""
        if name != "README.txt":
            trio.from_thread.run(wait)
        return put(archive, name, data)

    monkeypatch.setattr(export, "_put", put_first_only)
    running = scene.running.services.own(export._Running)
    with trio.fail_after(10):
        async with await trio.open_tcp_stream("127.0.0.1", scene.running.port) as reader:
            await reader.send_all(
                b"GET /account/export HTTP/1.1\r\nHost: x\r\nAuthorization: %b\r\n\r\n"
                % cast.alice.headers["Authorization"].encode()
            )
            told = b""
            while b"README.txt" not in told:
                told += await reader.receive_some()
            assert running == {f"u:{cast.alice.id}"}
            second = await scene.http.get("/account/export", headers=cast.alice.headers)
            assert (second.status_code, second.json()["code"]) == (409, "conflict")
            await has_begun.wait()
        while not has_ended.is_set() or running:
            await trio.testing.wait_all_tasks_blocked(0.01)
    monkeypatch.undo()
    assert (await exported(scene, cast.alice)).namelist()


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("photo.jpg", "photo.jpg"), ("../../etc/passwd", "_.._etc_passwd"), ("a/b\\c:d", "a_b_c_d"), ("...", "file"),
        ("", "file"), ("line\nfeed", "line_feed"), ("\N{SNOWMAN}" * 100, "\N{SNOWMAN}" * 50), ("\ud800", "_"),
    ],
)  # fmt: skip
def test_names_unpack_into_their_own_folder(given: str, kept: str) -> None:
    """Whatever their sender called them."""
    assert export._safe(given) == kept
