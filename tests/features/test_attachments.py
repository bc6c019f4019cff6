"""Files in messages: sent, shown, handed out, and to whom not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import trio

from amtrio.features.attachments import LINK_SECONDS
from tests.conftest import Journal
from tests.features.conftest import Cast, post, send
from tests.harness import Agent, Json, MovableClock, Person, Scene, open_scene
from tests.pictures import picture


async def stored(scene: Scene, who: Person | Agent, data: bytes = b"hello", name: str = "a.txt") -> Json:
    answer = await scene.http.post("/attachments", files={"file": (name, data)}, headers=who.headers)
    assert answer.status_code == 200, answer.text
    body: Json = answer.json()
    return body


async def status(scene: Scene, who: Person | Agent | None, path: str, **headers: str) -> int:
    answer = await scene.http.get(path, headers=(who.headers if who else {}) | headers)
    return answer.status_code


async def test_a_message_carries_files_to_every_device_and_view(scene: Scene, cast: Cast) -> None:
    """In the order of the sender; live, in the history, in the snapshot, over REST and to a device that was away."""
    one, two = await stored(scene, cast.alice, picture()), await stored(scene, cast.alice)
    ids = [two["id"], one["id"]]
    async with scene.device(cast.alice, "phone") as phone, scene.device(cast.helper) as agent:
        sent = await phone.send(cast.talk, "", attachment_ids=ids)
        heard = await agent.next("message")
        assert heard["content"] == ""
        assert [each["attachment_id"] for each in heard["attachments"]] == ids
        assert heard["attachments"][1] == {name: value for name, value in one.items() if value and name != "id"} | {
            "message_id": sent["message_id"]
        }
        assert "id" not in heard["attachments"][0]
        history = (await phone.ask("history", conversation_id=cast.talk))["data"]
        assert history["messages"][0]["attachments"] == heard["attachments"]
    async with scene.device(cast.helper, since=0, epoch=agent.greeting["data"]["epoch"]) as late:
        assert (await late.next("message"))["attachments"] == heard["attachments"]
    (shown,) = await scene.get(f"/conversations/{cast.talk}/messages", cast.helper)
    assert (shown["attachment_ids"], shown["attachments"][0]["id"]) == (ids, two["id"])
    snapshot = await scene.get("/snapshot", cast.helper)
    (talk,) = (each for each in snapshot["conversations"] if each["conversation_id"] == cast.talk)
    assert talk["messages"][0]["attachments"] == heard["attachments"]


async def test_older_clients_send_and_see_files(scene: Scene, cast: Cast) -> None:
    """The web client reads them under `data` of `agent_message`."""
    mine, theirs = await stored(scene, cast.alice), await stored(scene, cast.helper)
    async with (
        scene.old_device(cast.alice, user_agent="Mozilla", offers=()) as web,
        scene.old_device(cast.helper) as agent,
    ):
        await web.say("message", agent_id="helper", content="", attachment_ids=[mine["id"]])
        assert (await agent.next("message"))["attachment_ids"] == [mine["id"]]
        await agent.send(cast.talk, "here", attachment_ids=[theirs["id"]])
        while (frame := await web.frame())["type"] != "agent_message":
            pass
        assert frame["data"]["attachments"] == frame["attachments"]
        assert frame["attachments"][0]["id"] == theirs["id"]
        assert {"filename", "content_type", "size", "url"} <= frame["attachments"][0].keys()
        await agent.send(cast.talk, "plain")
        while (frame := await web.frame())["type"] != "agent_message":
            pass
        assert "data" not in frame


@pytest.mark.parametrize("case", ["foreign", "none", "linked", "twice", "eleven", "of the other member"])
async def test_what_is_not_ones_own_to_send_is_refused(scene: Scene, cast: Cast, case: str) -> None:
    """One answer for all that are not there for the sender, and nothing is stored."""
    own, foreign, theirs = (
        await stored(scene, cast.alice), await stored(scene, cast.bob), await stored(scene, cast.helper)
    )  # fmt: skip
    linked = await stored(scene, cast.alice)
    await send(scene, cast.alice, cast.talk, "first", attachment_ids=[linked["id"]])
    ids = {
        "foreign": [own["id"], foreign["id"]], "none": ["att_none"], "linked": [linked["id"]], "twice": [own["id"]] * 2,
        "eleven": [f"att_{n}" for n in range(11)], "of the other member": [theirs["id"]],
    }[case]  # fmt: skip
    answer = await post(scene, cast.alice, f"/conversations/{cast.talk}/messages", content="x", attachment_ids=ids)
    is_form = case in {"twice", "eleven"}
    assert (answer.status_code, answer.json()["code"]) == ((400, "malformed") if is_form else (404, "not_found"))
    if not is_form:
        assert answer.json()["error"] == f"attachment not found: {ids[-1]!r}"
    assert len(await scene.get(f"/conversations/{cast.talk}/messages", cast.alice)) == 1
    await send(scene, cast.alice, cast.talk, "still there", attachment_ids=[own["id"]])


async def test_the_same_message_twice_is_one_with_its_files(scene: Scene, cast: Cast) -> None:
    """And under the same client_id other files are another message."""
    file, other = await stored(scene, cast.alice), await stored(scene, cast.alice)
    how: dict[str, Any] = {"client_id": scene.client_id(), "attachment_ids": [file["id"]]}
    first = await send(scene, cast.alice, cast.talk, "x", **how)
    again = await send(scene, cast.alice, cast.talk, "x", **how)
    assert (again["message_id"], again["repeated"]) == (first["message_id"], True)
    path = f"/conversations/{cast.talk}/messages"
    for ids in ([other["id"]], list[str](), None):
        answer = await post(scene, cast.alice, path, content="x", **how | {"attachment_ids": ids})
        assert answer.json()["code"] == "client_id_reused"


async def test_a_message_needs_text_or_a_file(scene: Scene, cast: Cast) -> None:
    for ids in (list[str](), None):
        answer = await post(scene, cast.alice, f"/conversations/{cast.talk}/messages", content="", attachment_ids=ids)
        assert answer.json()["error"] == "content is required"


# ------------------------------------------------------------------------------------------------------- who may read


async def test_only_members_read_a_file(scene: Scene, cast: Cast) -> None:
    """Before it is sent its uploader alone, then the conversation; never another person or agent."""
    other = await scene.register_agent("other")
    file = await stored(scene, cast.alice, picture())
    for path in (file["url"], file["thumbnail_url"]):
        assert [await status(scene, who, path) for who in (cast.alice, cast.helper, cast.bob, other, None)] == [
            200, 404, 404, 404, 401,
        ]  # fmt: skip
    await send(scene, cast.alice, cast.talk, "x", attachment_ids=[file["id"]])
    for path in (file["url"], file["thumbnail_url"]):
        assert [await status(scene, who, path) for who in (cast.alice, cast.helper, cast.bob, other, None)] == [
            200, 200, 404, 404, 401,
        ]  # fmt: skip
    assert await status(scene, None, file["url"], **{"X-Agent-Secret": cast.helper.secret}) == 401
    assert await status(scene, cast.alice, "/attachments/att_none") == 404
    assert await status(scene, cast.alice, "/attachments/..%2f..%2famtrio.db") == 404
    plain = await stored(scene, cast.alice)
    assert await status(scene, cast.alice, plain["url"] + "/thumbnail") == 404


async def test_a_token_in_the_address_opens_a_file_and_is_never_logged(
    scene: Scene, cast: Cast, journal: Journal
) -> None:
    """COMPAT: for pictures in the older web client's pages. A wrong one is refused, and nothing but GET takes it."""
    file = await stored(scene, cast.alice)
    assert await status(scene, None, f"{file['url']}?token={cast.alice.token}") == 200
    assert await status(scene, None, f"{file['url']}?token={cast.bob.token}") == 404
    assert await status(scene, None, f"{file['url']}?token=wrong") == 401
    answer = await scene.http.delete(f"{file['url']}?token={cast.alice.token}")
    assert answer.status_code == 401
    assert await status(scene, None, f"/conversations?token={cast.alice.token}") == 401
    assert cast.alice.token not in str(journal.entries)


async def test_a_link_needs_no_credential_for_a_while(tmp_path: Path) -> None:
    """It is good for its file and its time, and ends with the file."""
    clock = MovableClock()
    async with open_scene(tmp_path, clock=clock) as scene:
        alice, helper, bob = (
            await scene.register("alice"),
            await scene.register_agent("helper"),
            await scene.register("bob"),
        )
        talk = await scene.conversation(alice, helper)
        file, other = await stored(scene, alice, picture()), await stored(scene, alice)
        sent = await send(scene, alice, talk, "x", attachment_ids=[file["id"]])
        path = f"/attachments/{file['id']}/link"
        assert (await scene.http.post(path, headers=bob.headers)).status_code == 404
        assert (await scene.http.post(path)).status_code == 401
        link = (await scene.http.post(path, headers=helper.headers)).json()
        assert await status(scene, None, link["url"]) == 200
        assert await status(scene, None, link["thumbnail_url"]) == 200
        signature = link["url"].partition("?")[2]
        assert await status(scene, None, f"/attachments/{other['id']}?{signature}") == 401
        assert await status(scene, None, f"{file['thumbnail_url']}?{signature}") == 401
        assert await status(scene, None, link["url"][:-1] + ("0" if link["url"][-1] != "0" else "1")) == 401
        expires = int(link["url"].partition("expires=")[2].partition("&")[0])
        assert await status(scene, None, link["url"].replace(str(expires), str(expires + 1))) == 401
        plain = (await scene.http.post(f"/attachments/{other['id']}/link", headers=alice.headers)).json()
        assert plain["thumbnail_url"] is None
        clock.move(days=(LINK_SECONDS + 1) / 86_400)
        answer = await scene.http.get(link["url"])
        assert (answer.status_code, answer.json()["error"]) == (401, "the link is expired")
        link = (await scene.http.post(path, headers=helper.headers)).json()
        await post(scene, alice, "/messages/delete", message_id=sent["message_id"])
        assert await status(scene, None, link["url"]) == 404


# ------------------------------------------------------------------------------------------------------------- as HTTP


async def test_a_file_is_served_so_that_a_browser_runs_nothing_of_it(scene: Scene, cast: Cast) -> None:
    """Pages and drawings are text to be saved; a picture is shown in place."""
    page = await stored(scene, cast.alice, b"<html><script>alert(1)</script>", "ü.html")
    drawing = await stored(scene, cast.alice, b"<svg xmlns='http://www.w3.org/2000/svg' onload='x()'/>", "a.svg")
    photo = await stored(scene, cast.alice, picture("PNG"), "a.png")
    for file, kind, shown in (
        (page, "text/plain; charset=utf-8", "attachment; filename=\"_.html\"; filename*=UTF-8''%C3%BC.html"),
        (drawing, "text/plain; charset=utf-8", 'attachment; filename="a.svg"'),
        (photo, "image/png", 'inline; filename="a.png"'),
    ):
        headers = (await scene.http.get(file["url"], headers=cast.alice.headers)).headers
        assert (headers["Content-Type"], headers["Content-Disposition"]) == (kind, shown)
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
        assert headers["Cache-Control"].startswith("private")


async def test_ranges_conditions_and_heads(scene: Scene, cast: Cast) -> None:
    data = bytes(range(256)) * 4000
    file = await stored(scene, cast.alice, data)
    url, who = file["url"], cast.alice.headers
    part = await scene.http.get(url, headers=who | {"Range": "bytes=255-256"})
    assert (part.status_code, part.content, part.headers["Content-Length"]) == (206, b"\xff\x00", "2")
    assert part.headers["Content-Range"] == f"bytes 255-256/{len(data)}"
    tag = part.headers["ETag"]
    assert tag == f'"{file["sha256"]}"'
    rest = await scene.http.get(url, headers=who | {"Range": "bytes=1000000-", "If-Range": tag})
    assert rest.content == data[1_000_000:]
    whole = await scene.http.get(url, headers=who | {"Range": "bytes=1000000-", "If-Range": '"other"'})
    assert (whole.status_code, whole.content == data) == (200, True)
    none = await scene.http.get(url, headers=who | {"Range": "bytes=2000000-"})
    assert (none.status_code, none.headers["Content-Range"]) == (416, f"bytes */{len(data)}")
    same = await scene.http.get(url, headers=who | {"If-None-Match": tag})
    assert (same.status_code, same.content, "Content-Length" in same.headers) == (304, b"", False)
    head = await scene.http.head(url, headers=who)
    assert (head.status_code, head.content, head.headers["Content-Length"]) == (200, b"", str(len(data)))
    since = {"If-Modified-Since": head.headers["Last-Modified"]}
    assert (await scene.http.get(url, headers=who | since)).status_code == 304
    empty = await stored(scene, cast.alice, b"")
    assert (await scene.http.get(empty["url"], headers=who)).content == b""


async def test_a_reader_who_takes_nothing_holds_nobody_up(scene: Scene, cast: Cast) -> None:
    """While one stands still in the middle of a large file, another is served."""
    data = bytes(20_000_000)
    file = await stored(scene, cast.alice, data)
    async with await trio.open_tcp_stream("127.0.0.1", scene.running.port) as slow:
        head = f"GET {file['url']} HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer {cast.alice.token}\r\n\r\n"
        await slow.send_all(head.encode())
        assert (await slow.receive_some(1000)).startswith(b"HTTP/1.1 200")
        assert len((await scene.http.get(file["url"], headers=cast.alice.headers)).content) == len(data)


async def test_a_file_that_is_missing_is_not_found(scene: Scene, cast: Cast, journal: Journal) -> None:
    """The folder was emptied behind our back: 404 and a warning."""
    file = await stored(scene, cast.alice)
    for path in scene.config.storage.upload_dir.rglob("att_*"):
        path.unlink()
    assert await status(scene, cast.alice, file["url"]) == 404
    assert [entry["level"] for entry in journal.entries if entry["event"] == "file_missing"] == ["warning"]


# --------------------------------------------------------------------------------------------------------------- lists


async def test_files_are_listed_by_conversation_and_by_message(scene: Scene, cast: Cast) -> None:
    """Newest first, in pages; only what was sent, and only to members."""
    files = [await stored(scene, cast.alice, name=f"{n}.txt") for n in range(5)]
    ids = [file["id"] for file in files]
    first = await send(scene, cast.alice, cast.talk, "x", attachment_ids=ids[:2])
    await send(scene, cast.alice, cast.talk, "y", attachment_ids=ids[2:4])
    path = f"/conversations/{cast.talk}/attachments"

    async def listed(path: str, **query: Any) -> list[str]:
        return [each["id"] for each in await scene.get(path, cast.helper, **query)]

    assert await listed(path) == ids[3::-1]
    assert await listed(path, limit=3) == ids[3:0:-1]
    assert await listed(path, before=ids[1]) == ids[:1]
    page = await scene.http.get(path, params={"limit": 3}, headers=cast.helper.headers)
    assert page.headers["X-Amtrio-Has-More"] == "true"
    assert await listed(f"/messages/{first['message_id']}/attachments") == ids[:2]
    assert await listed("/messages/attachments", conversation_id=cast.talk) == ids[3::-1]
    assert await listed("/messages/attachments", message_id=first["message_id"]) == ids[:2]
    for foreign in (
        path, f"/messages/{first['message_id']}/attachments", f"/messages/attachments?conversation_id={cast.talk}",
        f"/messages/attachments?message_id={first['message_id']}",
    ):  # fmt: skip
        assert await status(scene, cast.bob, foreign) == 404
    assert await status(scene, cast.alice, "/messages/attachments") == 400
    await post(scene, cast.alice, "/messages/delete", message_id=first["message_id"])
    assert await listed(path) == ids[3:1:-1]
