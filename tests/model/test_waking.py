"""The words of a notice, and that the question costs little."""

from __future__ import annotations

import pytest

from amtrio.model.waking import MAX_BODY_CHARS, cut, decide_to_wake, decide_to_withdraw, mark_shown, remembered, words
from amtrio.store.database import ReadTx, Tx
from tests.features.conftest import Cast, cast, post, scene, send
from tests.harness import Scene

__all__ = ["cast", "scene"]


@pytest.mark.parametrize(
    ("text", "most", "shown"),
    [
        ("", 10, ""),
        (" \n\t ", 10, ""),
        ("one\n\ntwo   three", 20, "one two three"),
        ("exactly 10", 10, "exactly 10"),
        ("exactly 10!", 10, "exactly…"),
        ("unbreakable", 5, "unbr…"),
        ("ééééééé", 5, "éééé…"),
        ("漢字漢字漢字", 4, "漢字漢…"),
        ("ab👨\u200d👩\u200d👧", 5, "ab👨…"),
        ("abc❤\ufe0fx and", 6, "abc❤…"),
    ],
)
def test_texts_are_cut_between_characters(text: str, most: int, shown: str) -> None:
    """In one line, at a space if there is one; nothing that joins is left at the end."""
    assert cut(text, most) == shown
    assert len(cut(text, most)) <= most
    cut(text, most).encode()


def test_no_notice_is_longer_than_a_service_takes() -> None:
    """4 KiB with everything around it, even if each character is of the longest."""
    title, body = words("\U0001f600" * 500, "text", "\U0001f600" * 5000, has_files=False, has_text=True)
    assert len(body) == MAX_BODY_CHARS
    assert len((title + body).encode()) < 1500


@pytest.mark.parametrize(
    ("kind", "content", "has_files", "has_text", "shown"),
    [
        ("text", "hello", False, True, ("helper", "hello")),
        ("text", "", True, True, ("helper", "Sent a file")),
        ("text", "look", True, True, ("helper", "look")),
        ("text", "", False, True, ("helper", "New message")),
        ("encrypted", "3q2-7w", False, True, ("helper", "New encrypted message")),
        ("encrypted", "3q2-7w", True, False, ("New message", "Open the app to read it")),
        ("text", "hello", False, False, ("New message", "Open the app to read it")),
    ],
)
def test_what_a_notice_says(kind: str, content: str, has_files: bool, has_text: bool, shown: tuple[str, str]) -> None:  # noqa: FBT001
    assert words("helper", kind, content, has_files=has_files, has_text=has_text) == shown


async def test_what_is_shown_and_read(scene: Scene, cast: Cast) -> None:
    """One look at the database knows what is new, what was shown and what is to be taken back."""
    store, alice = scene.running.services.store, f"u:{cast.alice.id}"

    def wake(tx: ReadTx, shown: int) -> tuple[str, int, str, int]:
        found = decide_to_wake(tx, alice, cast.talk, shown=shown, now_us=0)
        return found.reason, found.seq, *(("", 0) if found.notice is None else (found.notice.body, found.notice.unread))

    def withdraw(tx: ReadTx, shown: int) -> tuple[str, int]:
        found = decide_to_withdraw(tx, alice, cast.talk, shown=shown)
        return found.reason, len(found.devices)

    assert await store.read(wake, 0) == ("read", 0, "", 0)
    await send(scene, cast.helper, cast.talk, "one")
    assert await store.read(wake, 0) == ("no devices", 0, "", 0)
    await post(scene, cast.alice, "/push/devices", platform="ios", token="a")
    await post(scene, cast.alice, "/push/devices", platform="ios", token="b", can_withdraw=True)
    assert await store.read(wake, 0) == ("wake", 1, "one", 1)
    assert await store.read(wake, 1) == ("shown already", 0, "", 0)
    assert await store.read(withdraw, 1) == ("still unread", 0)
    await send(scene, cast.alice, cast.talk, "mine")
    assert await store.read(wake, 1) == ("shown already", 0, "", 0)
    three = await send(scene, cast.helper, cast.talk, "three")
    assert await store.read(wake, 1) == ("wake", 3, "three", 2)
    await scene.http.delete(f"/messages/{three['message_id']}", headers=cast.helper.headers)
    assert await store.read(wake, 0) == ("wake", 1, "one", 1)
    assert await store.read(withdraw, 3) == ("withdraw", 1)
    await post(scene, cast.alice, f"/conversations/{cast.talk}/read", up_to=1)
    assert await store.read(wake, 0) == ("read", 0, "", 0)
    assert await store.read(withdraw, 1) == ("withdraw", 1)
    stranger = f"u:{cast.bob.id}"
    assert (await store.read(lambda tx: decide_to_wake(tx, stranger, cast.talk, shown=0, now_us=0))).reason == "read"


async def test_what_a_start_finds(scene: Scene, cast: Cast) -> None:
    """Who can be woken, what is on the screens, and where something may have to be done."""
    store, alice = scene.running.services.store, f"u:{cast.alice.id}"
    place = (alice, cast.talk)
    await post(scene, cast.alice, "/push/devices", platform="ios", token="a")
    await send(scene, cast.helper, cast.talk, "one")
    await send(scene, cast.helper, cast.other, "to bob, who has no devices")
    found = await store.read(remembered, 0, 10)
    assert (found.reachable, found.shown, found.open, found.read) == ({alice}, {}, [place], [])

    def mark(tx: Tx, seq: int, conversation: str = cast.talk) -> None:
        mark_shown(tx, alice, conversation, seq)

    await store.write(mark, 1)
    await store.write(mark, 2)
    await store.write(mark, 2, "conv_gone")
    found = await store.read(remembered, scene.running.services.clock.now_us(), 10)
    assert (found.shown, found.open, found.read) == ({place: 2}, [], [])
    two = await send(scene, cast.helper, cast.talk, "two")
    await scene.http.delete(f"/messages/{two['message_id']}", headers=cast.helper.headers)
    assert (await store.read(remembered, 0, 10)).read == [place]
    await store.write(mark, 1)
    assert (await store.read(remembered, 0, 10)).read == []
    await post(scene, cast.alice, f"/conversations/{cast.talk}/read")
    assert (await store.read(remembered, 0, 10)).read == [place]
    await store.write(mark, 0)
    assert (await store.read(remembered, 0, 10)).shown == {}
