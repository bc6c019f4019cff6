"""What becomes of files that nobody needs any more."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trio

from amtrio.context import account_key
from amtrio.features.leftover_files import collect_files
from amtrio.media.files import Files
from amtrio.model.attachment import Uploading, files
from tests.conftest import Journal
from tests.features.conftest import Cast, post, send
from tests.harness import Agent, Json, MovableClock, Person, Scene, open_scene
from tests.pictures import picture


async def stored(scene: Scene, who: Person | Agent, data: bytes = b"hello") -> Json:
    answer = await scene.http.post("/attachments", files={"file": ("a.txt", data)}, headers=who.headers)
    assert answer.status_code == 200, answer.text
    body: Json = answer.json()
    return body


def on_disk(scene: Scene) -> set[str]:
    return {path.name for path in scene.config.storage.upload_dir.rglob("*") if path.is_file()}


async def states(scene: Scene) -> dict[str, str]:
    found = await scene.running.services.store.read(lambda tx: tx.all("SELECT id, state FROM attachment"))
    return dict(found)


async def until(is_so: Callable[[], bool]) -> None:
    with trio.fail_after(10):
        while not is_so():
            await trio.lowlevel.checkpoint()


async def put_row(scene: Scene, owner: Person, state: str, name: str) -> None:
    def unit(tx: Any) -> None:
        sql = "INSERT INTO attachment (id, owner_key, state, filename, created_us) VALUES (:id, :owner, :state, 'a', 1)"
        tx.run(sql, id=name, owner=account_key("user", owner.id), state=state)

    await scene.running.services.store.write(unit)


@pytest.mark.parametrize("end", ["message", "conversation", "uploader", "other member"])
async def test_files_go_with_what_they_belong_to(scene: Scene, cast: Cast, end: str) -> None:
    """At once, small copy and row included; those of other conversations stay."""
    gone, stays = await stored(scene, cast.alice, picture()), await stored(scene, cast.bob)
    sent = await send(scene, cast.alice, cast.talk, "x", attachment_ids=[gone["id"]])
    await send(scene, cast.bob, cast.other, "x", attachment_ids=[stays["id"]])
    assert on_disk(scene) == {gone["id"], f"{gone['id']}.thumbnail", stays["id"]}
    services = scene.running.services
    if end == "message":
        await post(scene, cast.alice, "/messages/delete", message_id=sent["message_id"])
        (shown,) = await scene.get(f"/conversations/{cast.talk}/messages", cast.alice)
        assert (shown["attachments"], shown["attachment_ids"]) == ([], [])
    elif end == "conversation":
        await scene.http.delete(f"/conversations/{cast.talk}", headers=cast.alice.headers)
    elif end == "uploader":
        await services.store.write(services.remove_account, account_key("user", cast.alice.id))
    else:
        await services.store.write(services.remove_account, account_key("agent", cast.helper.id))
    left = set() if end == "other member" else {stays["id"]}
    await until(lambda: on_disk(scene) == left)
    with trio.fail_after(10):
        while set(await states(scene)) != left:
            await trio.lowlevel.checkpoint()


async def test_what_was_never_sent_goes_after_a_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """But not before, not what was sent, and not while ages are in doubt."""
    clock = MovableClock()
    async with open_scene(tmp_path, clock=clock) as scene:
        services = scene.running.services
        alice, helper = await scene.register("alice"), await scene.register_agent("helper")
        talk = await scene.conversation(alice, helper)
        forgotten, sent = await stored(scene, alice), await stored(scene, alice)
        await send(scene, alice, talk, "x", attachment_ids=[sent["id"]])
        clock.move(days=1.1)
        young = await stored(scene, await scene.login("alice"))
        await collect_files(services)
        assert on_disk(scene) == {forgotten["id"], sent["id"], young["id"]}
        monkeypatch.setattr("amtrio.chores.SETTLE_SECONDS", 0.0)
        await collect_files(services)
        assert on_disk(scene) == set(await states(scene)) == {sent["id"], young["id"]}


async def test_a_start_ends_the_uploads_of_the_life_before(tmp_path: Path, journal: Journal) -> None:
    """Half a file, a whole one whose row did not know it yet, and one that was to be removed: all go."""
    names = [f"att_{digit * 32}" for digit in "123"]
    async with open_scene(tmp_path) as scene:
        alice = await scene.register("alice")
        good = await stored(scene, alice)
        for name, state in zip(names, ("uploading", "uploading", "removing"), strict=True):
            await put_row(scene, alice, state, name)
            scene.running.services.own(Uploading).ids.add(name)
        store = files(scene.running.services)
        store.path(names[1]).parent.mkdir(parents=True)
        store.path(names[1]).write_bytes(b"whole")
        (store.root / "incoming" / names[0]).write_bytes(b"half")
    async with open_scene(tmp_path) as scene:
        await collect_files(scene.running.services)
        assert on_disk(scene) == set(await states(scene)) == {good["id"]}
        assert [
            (entry["files"], entry["rows"])
            for entry in journal.entries
            if entry["event"] == "unfinished_uploads_cleared"
        ] == [(1, 2)]


async def test_an_upload_whose_end_was_not_written_down_is_given_up(scene: Scene, cast: Cast) -> None:
    """The disk refused; those that are still going on are left alone."""
    await put_row(scene, cast.alice, "uploading", "att_lost")
    await put_row(scene, cast.alice, "uploading", "att_going_on")
    scene.running.services.own(Uploading).ids.add("att_going_on")
    await collect_files(scene.running.services)
    assert await states(scene) == {"att_going_on": "uploading"}


async def test_files_that_no_row_knows_are_deleted(
    scene: Scene, cast: Cast, monkeypatch: pytest.MonkeyPatch, journal: Journal
) -> None:
    """After an older backup was restored; what is not ours in the folder stays."""
    good = await stored(scene, cast.alice)
    store = files(scene.running.services)
    stray = f"att_{'7' * 32}"
    store.path(stray).parent.mkdir(parents=True)
    store.path(stray).write_bytes(b"x")
    (store.root / "notes.txt").write_bytes(b"not ours")
    await collect_files(scene.running.services)
    assert stray in on_disk(scene)
    monkeypatch.setattr("amtrio.chores.SETTLE_SECONDS", 0.0)
    await collect_files(scene.running.services)
    assert on_disk(scene) == {good["id"], "notes.txt"}
    assert [entry["count"] for entry in journal.entries if entry["event"] == "stray_files_deleted"] == [1]


async def test_a_disk_that_does_not_delete_keeps_the_row(
    scene: Scene, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until it does: the file is never forgotten while it is there."""
    file = await stored(scene, cast.alice)

    async def refuse(*_: object) -> None:
        raise OSError("read-only file system")

    with monkeypatch.context() as patch:
        patch.setattr(Files, "remove", refuse)
        await put_row(scene, cast.alice, "removing", "att_x")
        with pytest.raises(OSError, match="read-only"):
            await collect_files(scene.running.services)
        assert (await states(scene))["att_x"] == "removing"
    await collect_files(scene.running.services)
    assert set(await states(scene)) == {file["id"]}


async def test_a_folder_that_cannot_be_cleared_keeps_nobody_from_starting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, journal: Journal
) -> None:
    async def refuse(_: Files) -> int:
        raise OSError("read-only file system")

    monkeypatch.setattr(Files, "clear_incoming", refuse)
    async with open_scene(tmp_path) as scene:
        assert (await scene.http.get("/health")).status_code == 200
    assert [entry["level"] for entry in journal.entries if entry["event"] == "unfinished_uploads_kept"] == ["warning"]
