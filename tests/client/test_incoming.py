"""The message that a handler is given."""

from __future__ import annotations

from amtrio.client.events import Message
from amtrio.client.incoming import Incoming
from amtrio.client.shapes import Attachment, SealedAttachment


def test_it_says_who_wrote_what_where() -> None:
    """
    Absent metadata is an empty object; all else stays in `raw`.
    """
    message = Message(
        message_id="m1",
        conversation_id="c1",
        conversation_seq=3,
        sender_type="client",
        sender_id="usr_1",
        content="hi",
        created_at="2026-11-22T10:00:00.000Z",
        reply_to="m0",
        attachments=[Attachment(attachment_id="att_1")],
        edited_at="2026-11-22T10:00:01.000Z",
    )
    incoming = Incoming.of(message)
    assert (incoming.user_id, incoming.content, incoming.conversation_seq) == ("usr_1", "hi", 3)
    assert (incoming.reply_to, incoming.kind, incoming.metadata) == ("m0", None, {})
    assert incoming.attachments[0].attachment_id == "att_1"
    assert incoming.raw.edited_at is not None
    assert not incoming.encrypted


def test_what_came_encrypted_is_a_text_that_says_so() -> None:
    """
    The ciphertext stays in `raw`.
    """
    message = Message(
        message_id="m1",
        conversation_id="c1",
        conversation_seq=3,
        sender_type="client",
        sender_id="usr_1",
        content="AQAB",
        kind="encrypted",
    )
    incoming = Incoming.of(message, "hello")
    assert (incoming.content, incoming.kind, incoming.encrypted, incoming.raw.content) == ("hello", None, True, "AQAB")
    file = SealedAttachment(attachment_id="att_1", filename="a.txt", key="k")
    with_files = Incoming.of(message, "", [file], ["lost.txt"])
    assert (with_files.attachments, with_files.missing_files) == ([file], ["lost.txt"])
    unopened = Incoming.of(message)
    assert (unopened.content, unopened.kind, unopened.encrypted) == ("AQAB", "encrypted", False)
