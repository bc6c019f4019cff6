"""Frames to events."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from amtrio.client.events import (
    ConversationDeleted,
    Event,
    Gone,
    MessageEdited,
    MessagePosted,
    Offline,
    Online,
    PresenceChanged,
    ReceiptMoved,
    Snapshot,
    Unknown,
    read_event,
)
from amtrio.client.stream import read_frame

# What the connection does itself, and nobody iterates over.
TAKEN_BY_THE_CONNECTION = {"connected", "resync", "run_ack", "run_control"}
MESSAGE = {
    "message_id": "m1",
    "conversation_id": "c1",
    "conversation_seq": 1,
    "sender_type": "agent",
    "sender_id": "demo",
    "content": "hi",
    "created_at": "2026-11-22T10:00:00.000Z",
}


def test_known_words_become_typed_events_with_their_number() -> None:
    """
    The data of a message or a receipt is the thing itself, other data are the event's fields.
    """
    edited = read_event("message_edited", {**MESSAGE, "edited_at": "2026-11-22T10:00:01.000Z", "new_field": 1}, 7)
    assert isinstance(edited, MessageEdited)
    assert (edited.seq, edited.message.content, edited.message.deleted) == (7, "hi", False)
    receipt = {"conversation_id": "c1", "account_kind": "user", "account_id": "alice", "read_up_to": 3}
    moved = read_event("receipt", receipt, 8)
    assert isinstance(moved, ReceiptMoved)
    assert moved.receipt.read_up_to == 3
    assert read_event("conversation_deleted", {"conversation_id": "c1"}, 9) == ConversationDeleted(
        seq=9, conversation_id="c1"
    )
    assert read_event("gone", {}, 10) == Gone(seq=10)
    assert read_event("presence_update", {"id": "demo", "type": "agent", "online": True}, None) == PresenceChanged(
        id="demo", type="agent", online=True
    )


def test_what_is_not_understood_keeps_its_number() -> None:
    """
    A new word, or a known one in another shape: never an exception.
    """
    assert read_event("hologram", {"a": 1}, 3) == Unknown(seq=3, type="hologram", data={"a": 1})
    assert read_event("message", {"message_id": 5}, 4) == Unknown(seq=4, type="message", data={"message_id": 5})


def examples(label: str) -> list[str]:
    """The fenced blocks of docs/protocol.md that carry this label."""
    page = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text(encoding="utf-8")
    return re.findall(rf"^```json {label}\n(.*?)\n```$", page, re.MULTILINE | re.DOTALL)


def test_every_event_of_the_protocol_page_is_understood() -> None:
    """
    Each example of an event becomes a typed one, each kind of event has an example.
    """
    frames = [read_frame(text) for text in examples("server")]
    assert None not in frames
    seen: set[type[Event]] = set()
    for frame in frames:
        if frame is not None and frame.ref is None and frame.word not in TAKEN_BY_THE_CONNECTION:
            event = read_event(frame.word, frame.data, frame.seq)
            assert not isinstance(event, Unknown), frame
            seen.add(type(event))
    told_by_this_library = {Unknown, Snapshot, Online, Offline}
    assert seen == set(Event.__subclasses__()) - told_by_this_library


def test_a_message_of_the_protocol_page_says_how_it_came_to_be() -> None:
    """
    The end of a run: its outcome, what it cost and its parts.
    """
    frames = [frame for text in examples("server") if (frame := read_frame(text)) and "run" in frame.data]
    event = read_event(frames[0].word, frames[0].data, frames[0].seq)
    assert isinstance(event, MessagePosted)
    assert event.message.run is not None
    run = event.message.run
    assert (run.outcome, run.usage, [part.kind for part in run.parts]) == (
        "done",
        {"output_tokens": 412},
        ["text", "tool", "text"],
    )
    assert sum(part.length or 0 for part in run.parts) + len("\n\n") == len(event.message.content)


def test_the_snapshot_of_the_protocol_page_is_understood() -> None:
    """
    With conversations, marks and messages.
    """
    (text,) = examples("rest-snapshot")
    snapshot = msgspec.json.decode(text, type=Snapshot)
    (conversation,) = snapshot.conversations
    assert [(r.account_kind, r.read_up_to) for r in conversation.receipts] == [("user", 8), ("agent", 7)]
    assert conversation.messages[0].client_id == "0f8b6c1e4d2a49d0"
