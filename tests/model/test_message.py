"""What features share of messages: shapes from rows, and what hangs on a message."""

from __future__ import annotations

from pathlib import Path

import pytest

import amtrio.features  # noqa: F401 - registers every capability
from amtrio.errors import NotFound
from amtrio.model.message import (
    HAS_ATTACHMENTS,
    HAS_REACTIONS,
    Message,
    MessagePosted,
    message,
    message_row,
    sender_type,
    visible_message,
)
from amtrio.store.database import ReadTx, Row, Tx, Value
from tests.harness import open_scene

ROW: Row = (
    "msg_1", "conv_1", 3, "u:1", "a:x", "u:1", "hi", 0, "text", "markdown", "mine", None, '{"a":1}', None, None, None,
    0, None, None, None,
)  # fmt: skip


class NoQuery:
    """A message without extras asks the database nothing."""

    def one(self, sql: str, /, **params: Value) -> Row | None:
        raise AssertionError(sql, params)

    def all(self, sql: str, /, **params: Value) -> list[Row]:
        raise AssertionError(sql, params)


def test_a_row_becomes_a_message() -> None:
    """Prefixes that keep accounts apart never reach the wire; the client_id is for its sender alone."""
    tx = NoQuery()
    shown = message(tx, MessagePosted, ROW)
    assert (shown.user_id, shown.agent_id, shown.sender_id, shown.sender_type) == ("1", "x", "1", "client")
    assert (shown.metadata, shown.created_at, shown.deleted) == ({"a": 1}, "1970-01-01T00:00:00.000Z", False)
    assert (shown.log_conversation, shown.log_subject) == ("conv_1", "msg_1")
    assert [message(tx, Message, ROW, viewer=who).client_id for who in (None, "u:1", "a:x")] == ["mine", "mine", None]
    deleted = message(tx, Message, (*ROW[:13], 1_000_000, 2_000_000, "a:x", 0, None, None, None))
    assert (deleted.deleted, deleted.deleted_by) == (True, "x")
    assert deleted.edited_at is not None


def test_an_envelope_says_how_to_decrypt() -> None:
    encrypted = message(
        NoQuery(), Message, (*ROW[:8], "encrypted", *ROW[9:17], '{"algorithm":"aes-256-gcm","iv":"AA"}', None, None)
    )
    assert encrypted.encryption is not None
    assert (encrypted.kind, encrypted.encryption.algorithm, encrypted.encryption.iv) == (
        "encrypted",
        "aes-256-gcm",
        "AA",
    )


def test_a_message_says_what_it_waits_for_or_was_said_into() -> None:
    """Only while it waits: what was taken or taken back is no longer queued."""
    states = {word: message(NoQuery(), Message, (*ROW[:18], word, None)).queued for word in ("queued", "taken", None)}
    assert states == {"queued": True, "taken": False, None: False}
    steering = (*ROW[:18], None, "run-id-0000000001")
    assert message(NoQuery(), Message, steering).steers == "run-id-0000000001"


async def test_attachments_and_reactions_come_with_the_message(tmp_path: Path) -> None:
    """In the order of the message, and only files that are whole."""
    async with open_scene(tmp_path) as scene:
        alice, helper = await scene.register("alice"), await scene.register_agent("helper")
        talk = await scene.conversation(alice, helper)
        async with scene.device(alice) as phone:
            sent = (await phone.send(talk, "look"))["message_id"]
        account = f"u:{alice.id}"

        def hang(tx: Tx) -> None:
            for id_, position, state in (("att_0", 1, "stored"), ("att_1", 0, "stored"), ("att_2", 2, "removing")):
                tx.run(
                    """
                    INSERT INTO attachment (id, owner_key, message_id, position, state, filename, created_us,
                        has_thumbnail) VALUES (:id, :a, :m, :position, :state, :id, 0, :position = 1)""",
                    id=id_,
                    a=account,
                    m=sent,
                    position=position,
                    state=state,
                )
            tx.run(
                "INSERT INTO reaction (message_id, account_key, emoji, id, created_us)"
                " VALUES (:m, 'a:helper', '👍', 'rxn_1', 0)",
                m=sent,
            )
            tx.run("UPDATE message SET extras = :both WHERE id = :m", both=HAS_ATTACHMENTS | HAS_REACTIONS, m=sent)

        store = scene.running.services.store
        await store.write(hang)

        def look(tx: ReadTx) -> Message:
            row = message_row(tx, sent)
            assert row is not None
            return message(tx, Message, row)

        shown = await store.read(look)
        assert [each.attachment_id for each in shown.attachments] == ["att_1", "att_0"]
        assert [each.thumbnail_url for each in shown.attachments] == [None, "/attachments/att_0/thumbnail"]
        assert [(each.emoji, each.account_kind, each.account_id) for each in shown.reactions] == [
            ("👍", "agent", "helper")
        ]
        with pytest.raises(NotFound):
            await store.read(visible_message, sent, "u:stranger")


def test_people_are_called_clients_where_messages_say_who_sent_them() -> None:
    assert (sender_type("u:1"), sender_type("a:1")) == ("client", "agent")
