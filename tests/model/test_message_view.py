"""A message as REST shows it, under every name that a shipped client reads."""

from __future__ import annotations

from pathlib import Path

import msgspec

from amtrio.model.message_view import message_view, read_marks
from tests.harness import open_scene
from tests.model.test_message import ROW, NoQuery


def test_over_rest_a_message_has_every_name() -> None:
    """The Android app calls people `user`; only the sender sees its client_id."""
    mine, theirs = (message_view(NoQuery(), ROW, viewer=who) for who in ("u:1", "a:x"))
    assert mine.id == mine.message_id == "msg_1"
    assert (mine.client_id, mine.timestamp) == ("mine", mine.created_at)
    assert theirs.client_id is not mine.client_id
    assert message_view(NoQuery(), ROW, viewer="u:1", user_agent="okhttp/4.12.0").sender_type == "user"
    read = {"u:1": (9, 1), "a:x": (3, 2_000_000)}
    assert message_view(NoQuery(), ROW, viewer="u:1", read=read).read_at == "1970-01-01T00:00:02.000Z"


def test_what_most_messages_are_not_is_left_out() -> None:
    plain = message_view(NoQuery(), ROW, viewer="u:1")
    assert not any(isinstance(value, (bool, str)) for value in (plain.run, plain.question, plain.queued, plain.steers))
    assert plain.deleted_by is msgspec.UNSET
    assert message_view(NoQuery(), (*ROW[:14], 1, "u:1", *ROW[16:]), viewer="a:x").deleted_by == "1"
    assert message_view(NoQuery(), (*ROW[:18], "queued", None), viewer="u:1").queued is True
    assert message_view(NoQuery(), (*ROW[:18], None, "run-id-0000000001"), viewer="u:1").steers == "run-id-0000000001"


async def test_how_far_each_member_has_read(tmp_path: Path) -> None:
    async with open_scene(tmp_path) as scene:
        alice, helper = await scene.register("alice"), await scene.register_agent("helper")
        talk = await scene.conversation(alice, helper)
        async with scene.device(alice) as phone:
            await phone.send(talk, "look")
            await phone.ask("read", conversation_id=talk)
        marks = await scene.running.services.store.read(read_marks, talk)
        assert {account: up_to for account, (up_to, _) in marks.items()} == {f"u:{alice.id}": 1, "a:helper": 0}
