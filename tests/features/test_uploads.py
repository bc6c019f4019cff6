"""Taking in files, and their life until they are part of a message."""

from __future__ import annotations

import errno
import hashlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import trio

from amtrio.media.files import Incoming
from tests.conftest import Journal
from tests.features.conftest import Cast, post, send
from tests.harness import Agent, Json, Person, Scene, open_scene
from tests.pictures import MAKER, animation, bomb, opened, picture


async def upload(
    scene: Scene,
    who: Person | Agent,
    data: bytes = b"hello",
    name: str = "a.txt",
    path: str = "/attachments",
    **fields: str,
) -> httpx.Response:
    return await scene.http.post(path, files={"file": (name, data, "text/html")}, data=fields, headers=who.headers)


async def stored(scene: Scene, who: Person | Agent, data: bytes = b"hello", name: str = "a.txt", **fields: str) -> Json:
    answer = await upload(scene, who, data, name, **fields)
    assert answer.status_code == 200, answer.text
    body: Json = answer.json()
    return body


def on_disk(scene: Scene) -> list[str]:
    return sorted(path.name for path in scene.config.storage.upload_dir.rglob("*") if path.is_file())


async def rows(scene: Scene) -> list[tuple[str, str]]:
    found = await scene.running.services.store.read(lambda tx: tx.all("SELECT id, state FROM attachment ORDER BY id"))
    return [(row[0], row[1]) for row in found]


async def emptied(scene: Scene) -> None:
    """Wait until neither a file nor a row is left; the chore that does it is woken, not waited for."""
    with trio.fail_after(10):
        while on_disk(scene) or await rows(scene):
            await trio.lowlevel.checkpoint()


async def content(scene: Scene, who: Person | Agent, file: Json) -> bytes:
    answer = await scene.http.get(file["url"], headers=who.headers)
    assert answer.status_code == 200, answer.text
    return answer.content


async def test_an_upload_is_described_and_can_be_read(scene: Scene, cast: Cast) -> None:
    """By its content, whatever the sender says it is; under the names that older clients read too."""
    data = bytes(range(256)) * 5000
    file = await stored(scene, cast.alice, data, "../x/a b.bin")
    assert file["id"] == file["attachment_id"]
    assert file["url"] == f"/attachments/{file['id']}"
    described = {name: file[name] for name in ("filename", "content_type", "size", "sha256", "message_id", "width")}
    assert described == {
        "filename": "a b.bin", "content_type": "application/octet-stream", "size": len(data),
        "sha256": hashlib.sha256(data).hexdigest(), "message_id": None, "width": None,
    }  # fmt: skip
    assert await content(scene, cast.alice, file) == data
    assert scene.running.services.metrics.uploads == 1
    assert scene.running.services.metrics.uploaded_bytes == len(data)


async def test_an_agent_uploads_and_so_does_the_older_path(scene: Scene, cast: Cast) -> None:
    assert (await stored(scene, cast.helper))["content_type"] == "text/plain"
    answer = await upload(scene, cast.alice, path="/attachments/upload", conversation_id=cast.talk)
    assert answer.status_code == 200


async def test_the_fixed_boundary_of_an_sdk(scene: Scene, cast: Cast) -> None:
    """Its form, byte by byte; the conversation comes before the file."""
    line = b"------AgentMessengerBoundary"
    body = b"\r\n".join([
        line, b'Content-Disposition: form-data; name="conversation_id"', b"", cast.talk.encode(),
        line, b'Content-Disposition: form-data; name="file"; filename="a.txt"', b"Content-Type: text/plain", b"", b"hi",
        line + b"--", b"",
    ])  # fmt: skip
    kind = {"Content-Type": "multipart/form-data; boundary=----AgentMessengerBoundary"}
    answer = await scene.http.post("/attachments/upload", content=body, headers=cast.alice.headers | kind)
    assert (answer.status_code, answer.json()["size"]) == (200, 2)


async def test_bare_bytes_are_a_file_too(scene: Scene, cast: Cast) -> None:
    """Streamed without saying how long they are; the fields stand in the query."""

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b"x" * 100_000

    answer = await scene.http.post(
        "/attachments",
        params={"filename": "x.txt", "conversation_id": cast.talk},
        content=pieces(),
        headers=cast.alice.headers,
    )
    assert (answer.json()["size"], answer.json()["filename"]) == (2_000_000, "x.txt")


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"", {"Content-Type": "text/plain"}, 400),
        (b"file=x", {"Content-Type": "application/x-www-form-urlencoded"}, 400),
        (b"nonsense", {"Content-Type": "multipart/form-data; boundary=x"}, 400),
        (b"nonsense", {"Content-Type": "multipart/form-data"}, 400),
    ],
)
async def test_what_is_no_upload_is_refused(
    scene: Scene, cast: Cast, body: bytes, headers: dict[str, str], status: int
) -> None:
    """And leaves nothing."""
    answer = await scene.http.post("/attachments", content=body, headers=cast.alice.headers | headers)
    assert (answer.status_code, answer.json()["code"]) == (status, "malformed")
    await emptied(scene)


async def test_nobody_uploads_without_a_proof(scene: Scene, cast: Cast) -> None:
    answer = await scene.http.post("/attachments", files={"file": ("a", b"x")})
    assert answer.status_code == 401
    assert (
        await scene.http.post(f"/attachments?token={cast.alice.token}", files={"file": ("a", b"x")})
    ).status_code == 401


# ------------------------------------------------------------------------------------------------------------- limits


async def test_a_file_above_the_limit_is_refused_unread(tmp_path: Path) -> None:
    """By what it announces: not one byte of it has to be sent. The text names the limit."""
    async with open_scene(tmp_path, limits={"max_upload_bytes": 100_000}) as scene:
        alice = await scene.register("alice")
        async with await trio.open_tcp_stream("127.0.0.1", scene.running.port) as client:
            head = f"POST /attachments HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer {alice.token}\r\n"
            await client.send_all(f"{head}Content-Type: x/y\r\nContent-Length: 9000000\r\n\r\n".encode())
            with trio.fail_after(10):
                answer = await client.receive_some(65_536)
        assert b" 413 " in answer.split(b"\r\n")[0]
        assert b"\r\nconnection: close\r\n" in answer.lower()
        assert await rows(scene) == []


@pytest.mark.parametrize("is_announced", [True, False])
async def test_the_limit_is_that_of_the_file(tmp_path: Path, *, is_announced: bool) -> None:
    """What surrounds it in the form does not count; one byte more is refused in the middle."""
    async with open_scene(tmp_path, limits={"max_upload_bytes": 100_000}) as scene:
        alice = await scene.register("alice")
        for size, status in ((100_000, 200), (100_001, 413)):
            request = scene.http.build_request(
                "POST", "/attachments", files={"file": ("a", b"x" * size)}, headers=alice.headers
            )
            body = request.read()

            async def pieces(body: bytes = body) -> AsyncIterator[bytes]:
                yield body

            answer = await scene.http.post(
                "/attachments",
                content=body if is_announced else pieces(),
                headers=alice.headers | {"Content-Type": request.headers["Content-Type"]},
            )
            assert answer.status_code == status, answer.text
        assert (answer.json()["code"], "100000 bytes" in answer.text) == ("too_large", True)
        with trio.fail_after(10):
            while len(await rows(scene)) > 1:
                await trio.lowlevel.checkpoint()
        assert len(on_disk(scene)) == 1


async def test_the_quota_holds_for_uploads_at_the_same_time(tmp_path: Path) -> None:
    """Ten at once, room for three: three are stored and the others told why; who deletes has room again."""
    async with open_scene(tmp_path, limits={"upload_quota_bytes": 100_000}) as scene:
        alice, bob = await scene.register("alice"), await scene.register("bob")
        answers: list[httpx.Response] = []

        async def one() -> None:
            answers.append(await upload(scene, alice, b"x" * 30_000))

        async with trio.open_nursery() as nursery:
            for _ in range(10):
                nursery.start_soon(one)
        good = [answer.json() for answer in answers if answer.status_code == 200]
        bad = [answer.json() for answer in answers if answer.status_code == 413]
        assert (len(good) <= 3, len(good) + len(bad)) == (True, 10)
        while len(good) < 3:  # those that were going on kept room for a little more than their file
            good.append(await stored(scene, alice, b"x" * 30_000))
        assert {(each["code"], "100000 bytes" in each["error"]) for each in bad} == {("quota_exceeded", True)}
        assert (await scene.get("/attachments/room", alice))["used_bytes"] == 90_000
        assert (await upload(scene, bob, b"x" * 90_000)).status_code == 200
        assert (await upload(scene, alice, b"x" * 30_000)).status_code == 413
        gone = await scene.http.delete(good[0]["url"], headers=alice.headers)
        assert gone.json() == {"status": "deleted", "attachment_id": good[0]["id"]}
        await stored(scene, alice, b"x" * 30_000)


async def test_the_room_that_is_left_can_be_asked_for(scene: Scene, cast: Cast) -> None:
    assert await scene.get("/attachments/room", cast.helper) == {
        "max_file_bytes": 50 << 20, "quota_bytes": 1 << 30, "used_bytes": 0, "max_per_message": 10,
    }  # fmt: skip


# ----------------------------------------------------------------------------------------------------------- pictures


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF"])
async def test_a_photo_loses_its_place_and_keeps_its_turn(scene: Scene, cast: Cast, kind: str) -> None:
    """Size and digest are those of what is served; with a small copy that stands upright."""
    data = picture(kind, size=(800, 600), orientation=6)
    assert MAKER.encode() in data
    file = await stored(scene, cast.alice, data)
    served = await content(scene, cast.alice, file)
    assert MAKER.encode() not in served
    assert opened(served).getexif()[0x0112] == 6
    assert opened(served).tobytes() == opened(data).tobytes()
    assert (file["size"], file["sha256"]) == (len(served), hashlib.sha256(served).hexdigest())
    assert (file["width"], file["height"]) == (600, 800)
    small = await scene.http.get(file["thumbnail_url"], headers=cast.alice.headers)
    assert (small.headers["Content-Type"], opened(small.content).size) == ("image/webp", (384, 512))


async def test_metadata_stays_if_the_upload_says_so(scene: Scene, cast: Cast) -> None:
    data = picture(orientation=6)
    file = await stored(scene, cast.alice, data, keep_metadata="true")
    assert await content(scene, cast.alice, file) == data
    assert file["width"] == 60
    assert (await upload(scene, cast.alice, data, keep_metadata="perhaps")).status_code == 400


@pytest.mark.parametrize("data", [picture(orientation=6), b"\xff\xfb as sound begins", b"or like a text"])
async def test_ciphertext_is_kept_as_it_is_whatever_it_looks_like(scene: Scene, cast: Cast, data: bytes) -> None:
    """Nothing is told from it, taken out of it or made of it; in the form and in the query."""
    file = await stored(scene, cast.alice, data, "encrypted", encrypted="true")
    told = {name: file[name] for name in ("content_type", "width", "height", "thumbnail_url", "size", "sha256")}
    assert told == {
        "content_type": "application/octet-stream",
        "width": None,
        "height": None,
        "thumbnail_url": None,
        "size": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
    }
    assert await content(scene, cast.alice, file) == data
    bare = await scene.http.post("/attachments?encrypted=true", content=data, headers=cast.alice.headers)
    assert bare.json()["content_type"] == "application/octet-stream"
    assert on_disk(scene) == sorted([file["attachment_id"], bare.json()["attachment_id"]])


@pytest.mark.parametrize("kind", ["GIF", "WEBP"])
async def test_animations_move_still(scene: Scene, cast: Cast, kind: str) -> None:
    file = await stored(scene, cast.alice, animation(kind))
    assert opened(await content(scene, cast.alice, file)).n_frames == 3  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "data", [bomb(), picture()[:400], b"\x89PNG\r\n\x1a\n" + bytes(50)], ids=["bomb", "cut", "empty"]
)
async def test_what_is_no_whole_picture_is_a_plain_file(scene: Scene, cast: Cast, data: bytes) -> None:
    file = await stored(scene, cast.alice, data, "a.jpg")
    assert (file["content_type"], file["width"], file["thumbnail_url"]) == ("application/octet-stream", None, None)
    answer = await scene.http.get(file["url"], headers=cast.alice.headers)
    assert answer.headers["Content-Disposition"].startswith("attachment")


# ------------------------------------------------------------------------------------------------------------ linking


async def test_a_file_can_be_added_to_an_own_message(scene: Scene, cast: Cast) -> None:
    """Both members' devices hear of it; the message shows it from then on."""
    sent = await send(scene, cast.alice, cast.talk, "see below")
    async with scene.device(cast.helper) as agent:
        file = await stored(scene, cast.alice, message_id=sent["message_id"])
        told = await agent.next("message_edited", message_id=sent["message_id"])
        assert [each["attachment_id"] for each in told["attachments"]] == [file["id"]]
    assert file["message_id"] == sent["message_id"]
    second = await stored(scene, cast.alice, message_id=sent["message_id"])
    (shown,) = await scene.get(f"/conversations/{cast.talk}/messages", cast.helper)
    assert shown["attachment_ids"] == [file["id"], second["id"]]
    assert (await upload(scene, cast.helper, message_id=sent["message_id"])).status_code == 403
    assert (await upload(scene, cast.bob, message_id=sent["message_id"])).status_code == 404
    assert (await upload(scene, cast.alice, message_id="msg_none")).status_code == 404
    await post(scene, cast.alice, "/messages/delete", message_id=sent["message_id"])
    assert (await upload(scene, cast.alice, message_id=sent["message_id"])).status_code == 409
    await emptied(scene)


async def test_a_message_has_at_most_ten_files(scene: Scene, cast: Cast) -> None:
    sent = await send(scene, cast.alice, cast.talk, "many")
    for _ in range(10):
        await stored(scene, cast.alice, message_id=sent["message_id"])
    assert (await upload(scene, cast.alice, message_id=sent["message_id"])).status_code == 400


async def test_an_upload_for_somebody_elses_conversation_is_refused(scene: Scene, cast: Cast) -> None:
    """Before it is read where that is known, at its end where the form says it last."""
    assert (await upload(scene, cast.alice, conversation_id=cast.other)).status_code == 404
    params = {"conversation_id": cast.other}
    answer = await scene.http.post("/attachments", params=params, content=b"x", headers=cast.alice.headers)
    assert answer.status_code == 404
    await emptied(scene)


async def test_only_an_unlinked_own_file_can_be_taken_back(scene: Scene, cast: Cast) -> None:
    file = await stored(scene, cast.alice)
    sent = await stored(scene, cast.alice)
    await send(scene, cast.alice, cast.talk, "", attachment_ids=[sent["id"]])
    for who, each, status in (
        (cast.bob, file, 404), (cast.helper, file, 404), (cast.helper, sent, 404), (cast.alice, sent, 409),
        (cast.alice, file, 200), (cast.alice, file, 404),
    ):  # fmt: skip
        assert (await scene.http.delete(each["url"], headers=who.headers)).status_code == status


# ----------------------------------------------------------------------------------------------------------- failures


def _refuse(*_: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("step", ["open", "_write", "take_stripped", "_keep"])
async def test_a_full_disk_leaves_nothing(
    scene: Scene, cast: Cast, monkeypatch: pytest.MonkeyPatch, journal: Journal, step: str
) -> None:
    """503 at whatever step, nothing on disk and no row; and the next upload works."""
    with monkeypatch.context() as patch:
        patch.setattr(Incoming, step, _refuse)
        answer = await upload(scene, cast.alice, picture(orientation=6))
    assert (answer.status_code, answer.json()["code"]) == (503, "storage_unavailable")
    assert "disk" in answer.json()["error"]
    await emptied(scene)
    assert [entry for entry in journal.entries if entry["event"] == "upload_refused_by_disk"]
    await stored(scene, cast.alice)


async def test_a_sender_who_leaves_leaves_nothing(scene: Scene, cast: Cast) -> None:
    """A connection cut in the middle of an upload."""
    head = f"POST /attachments HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer {cast.alice.token}\r\n"
    async with await trio.open_tcp_stream("127.0.0.1", scene.running.port) as client:
        await client.send_all(f"{head}Content-Type: x/y\r\nContent-Length: 1000000\r\n\r\n".encode() + bytes(300_000))
        with trio.fail_after(10):
            while not on_disk(scene):
                await trio.lowlevel.checkpoint()
        assert [state for _, state in await rows(scene)] == ["uploading"]
    await emptied(scene)


@pytest.mark.parametrize("end", ["conversation", "account"])
async def test_an_upload_whose_place_goes_meanwhile_fails(
    scene: Scene, cast: Cast, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    """The conversation is deleted, or the account, while the last bytes come: 404 and nothing left."""
    keep = Incoming.keep

    async def late(part: Incoming) -> None:
        if end == "conversation":
            await scene.http.delete(f"/conversations/{cast.talk}", headers=cast.alice.headers)
        else:
            services = scene.running.services
            await services.store.write(services.remove_account, f"u:{cast.alice.id}")
        await keep(part)

    monkeypatch.setattr(Incoming, "keep", late)
    answer = await upload(scene, cast.alice, conversation_id=cast.talk)
    assert answer.status_code == 404, answer.text
    await emptied(scene)


async def test_a_large_file_is_written_in_small_pieces(scene: Scene, cast: Cast) -> None:
    """No more of it than one is in memory; that the sender waits meanwhile is tested with the port."""
    seen: list[int] = []

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(300):
            yield bytes(100_000)

    original: Callable[..., Any] = Incoming._write

    def watch(part: Incoming, piece: bytes) -> None:
        seen.append(len(piece))
        original(part, piece)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Incoming, "_write", watch)
        answer = await scene.http.post("/attachments", content=pieces(), headers=cast.alice.headers)
    assert answer.json()["size"] == sum(seen) == 30_000_000
    assert max(seen) <= 1 << 20
