"""What the chat knows, without a terminal."""

from __future__ import annotations

from typing import Any

from amtrio.cli.chat_model import ChatModel
from amtrio.client.events import (
    Conversation,
    ConversationCreated,
    ConversationDeleted,
    DeliveredMoved,
    Message,
    MessageDeleted,
    MessageEdited,
    MessagePosted,
    Offline,
    Online,
    PresenceChanged,
    Receipt,
    ReceiptMoved,
    Snapshot,
    StatusChanged,
    TypingChanged,
)
from amtrio.client.shapes import AgentInfo

TALK = Conversation(conversation_id="c1", user_id="alice", agent_id="demo", is_default=True)


def message(number: int, sender: str = "agent", **fields: Any) -> Message:
    return Message(
        message_id=f"m{number}",
        conversation_id="c1",
        conversation_seq=number,
        sender_type="agent" if sender == "agent" else "client",
        sender_id="demo" if sender == "agent" else "alice",
        **{"content": f"no {number}", **fields},
    )


def model(*events: Any) -> ChatModel:
    made = ChatModel()
    made.set_agents(
        [AgentInfo(agent_id="demo", name="Demo", online=True, status="online"), AgentInfo(agent_id="bob", name="Bob")]
    )
    for event in (Online(id="alice", kind="user"), ConversationCreated(conversation=TALK), *events):
        made.apply(event, 0.0)
    made.current = "c1"
    return made


def receipt(kind: Any, read: int, delivered: int = 0) -> ReceiptMoved:
    return ReceiptMoved(
        receipt=Receipt(
            conversation_id="c1", account_kind=kind, account_id="x", read_up_to=read, delivered_up_to=delivered
        )
    )


def test_messages_stand_in_order_and_once() -> None:
    """
    Whatever order and however often they come in.
    """
    chat = model(*(MessagePosted(message=message(n)) for n in (2, 1, 2, 3)))
    assert [line.content for line in chat.lines()] == ["no 1", "no 2", "no 3"]


def test_ours_is_shown_at_once_and_replaced_by_what_the_log_brings() -> None:
    """
    The client_id joins them; no message is shown twice or not at all.
    """
    chat = model()
    chat.sending("c1", "id-1", "hi")
    chat.sending("c1", "id-2", "there")
    assert [(line.content, line.state) for line in chat.lines()] == [("hi", "sending"), ("there", "sending")]
    chat.apply(MessagePosted(message=message(1, "us", content="hi", client_id="id-1")), 0)
    assert [(line.content, line.state) for line in chat.lines()] == [("hi", "stored"), ("there", "sending")]
    chat.refused("c1", "id-2", "too long")
    assert chat.lines()[1].state == "refused"
    assert "too long" in chat.lines()[1].content


def test_marks_only_move_forward() -> None:
    """
    Stored, delivered, read; a late delivery mark takes nothing back.
    """
    chat = model(MessagePosted(message=message(1, "us")), MessagePosted(message=message(2, "us")))
    assert [line.state for line in chat.lines()] == ["stored", "stored"]
    chat.apply(DeliveredMoved(conversation_id="c1", account_kind="agent", account_id="demo", delivered_up_to=2), 0)
    assert [line.state for line in chat.lines()] == ["delivered", "delivered"]
    chat.apply(receipt("agent", read=1), 0)
    chat.apply(receipt("agent", read=0, delivered=1), 0)
    assert [line.state for line in chat.lines()] == ["read", "delivered"]


def test_unread_counts_what_agents_wrote_after_our_mark() -> None:
    """
    Ours and deleted ones do not count; reading on another device does.
    """
    chat = model(*(MessagePosted(message=message(n)) for n in (1, 2, 4)), MessagePosted(message=message(3, "us")))
    assert (chat.unread_with("demo"), chat.unread_elsewhere()) == (3, 0)
    chat.apply(MessageDeleted(message_id="m4", conversation_id="c1", conversation_seq=4), 0)
    assert chat.unread_with("demo") == 2
    chat.apply(receipt("user", read=1), 0)
    chat.current = None
    assert chat.unread_elsewhere() == 1


def test_edits_and_deletions_change_the_line() -> None:
    """
    A reply shows what it quotes as it is now.
    """
    chat = model(MessagePosted(message=message(1)), MessagePosted(message=message(2, "us", reply_to="m1")))
    chat.apply(MessageEdited(message=message(1, content="better", edited_at="2026-11-22T10:00:00.000Z")), 0)
    first, second = chat.lines()
    assert (first.content, first.is_edited, second.quoted) == ("better", True, "better")
    chat.apply(MessageDeleted(message_id="m1", conversation_id="c1", conversation_seq=1), 0)
    assert chat.lines()[0].is_deleted
    own = chat.last_own()
    assert own is not None
    assert own.message_id == "m2"


def test_ciphertext_is_not_shown_as_a_text() -> None:
    chat = model(MessagePosted(message=message(1, kind="encrypted", content="c2VhbGVk")))
    chat.apply(MessagePosted(message=message(2, reply_to="m1")), 0)
    first, second = chat.lines()
    assert (first.content, second.quoted) == ("(encrypted message)", "(encrypted message)")


def test_typing_ends_with_the_message_the_word_or_the_time() -> None:
    """
    Each of the three, since any of the first two may get lost.
    """
    types = TypingChanged(conversation_id="c1", sender_type="agent", sender_id="demo", typing=True)
    chat = model()
    chat.apply(types, 10.0)
    assert (chat.is_typing(15.0), chat.is_typing(16.5)) == (True, False)
    chat.apply(MessagePosted(message=message(1)), 11.0)
    assert not chat.is_typing(11.0)
    chat.apply(types, 12.0)
    chat.apply(TypingChanged(conversation_id="c1", sender_type="agent", sender_id="demo", typing=False), 13.0)
    assert not chat.is_typing(13.0)


def test_presence_and_status_show_in_the_list() -> None:
    """
    Those who are there come first; an agent is found by number, id or beginning of its name.
    """
    chat = model()
    assert [agent.agent_id for agent in chat.agent_list()] == ["demo", "bob"]
    chat.apply(PresenceChanged(id="bob", type="agent", online=True), 0)
    chat.apply(StatusChanged(sender_type="agent", sender_id="bob", status="busy", text="at lunch"), 0)
    chat.apply(PresenceChanged(id="demo", type="agent", online=False), 0)
    assert [(a.agent_id, a.status, a.status_text) for a in chat.agent_list()] == [
        ("bob", "busy", "at lunch"),
        ("demo", "offline", None),
    ]
    found = [chat.find_agent(text) for text in ("1", "demo", "DE", "3", "", "x")]
    assert [agent.agent_id if agent else None for agent in found] == ["bob", "demo", "demo", None, None, None]


def test_a_snapshot_replaces_everything_but_what_is_on_its_way() -> None:
    """
    Ours that the snapshot has are no longer on their way; a conversation that is gone is left.
    """
    chat = model(MessagePosted(message=message(9)))
    chat.sending("c1", "id-1", "there")
    chat.sending("c1", "id-2", "not there")
    there = message(1, "us", content="there", client_id="id-1")
    marks = [Receipt(account_kind="agent", account_id="demo", read_up_to=1)]
    conversation = Conversation(conversation_id="c1", agent_id="demo", messages=[there], receipts=marks)
    chat.apply(Snapshot(seq=5, epoch="e2", conversations=[conversation]), 0)
    assert [(line.content, line.state) for line in chat.lines()] == [("there", "read"), ("not there", "sending")]
    assert chat.current == "c1"
    chat.apply(Snapshot(seq=6, epoch="e2", conversations=[]), 0)
    assert chat.talks == {}
    assert chat.talk is None


def test_history_fills_in_front_and_never_overwrites() -> None:
    """
    Numbers say whether there is more.
    """
    chat = model(MessagePosted(message=message(3, content="edited")))
    talk = chat.talk
    assert talk is not None
    assert talk.has_older
    chat.add_older("c1", [message(1), message(2), message(3, content="old text")])
    assert [line.content for line in chat.lines()] == ["no 1", "no 2", "edited"]
    assert not talk.has_older


def test_trouble_and_a_deleted_conversation_are_told() -> None:
    """
    Offline shows why, Online clears it; a conversation deleted elsewhere leaves the screen.
    """
    chat = model(Offline(reason="server restarts", retry_in_s=1))
    assert chat.trouble == "server restarts"
    chat.apply(Online(id="alice", kind="user"), 0)
    assert chat.trouble == ""
    chat.apply(ConversationDeleted(conversation_id="c1"), 0)
    assert (chat.current, chat.notice) == (None, "this conversation was deleted")
    chat.apply(MessagePosted(message=message(1)), 0)
    assert chat.lines() == []
