"""What the chat knows, without a terminal."""

from __future__ import annotations

from typing import Any

import msgspec

from amtrio.cli.chat_model import ChatModel
from amtrio.client.events import (
    AgentChanged,
    Conversation,
    ConversationCreated,
    ConversationDeleted,
    DeliveredMoved,
    Message,
    MessageDeleted,
    MessageEdited,
    MessagePosted,
    MessageTaken,
    Offline,
    Online,
    PresenceChanged,
    QuestionAnswered,
    Receipt,
    ReceiptMoved,
    RunDelta,
    RunEnded,
    RunSnapshot,
    Snapshot,
    StatusChanged,
    TypingChanged,
)
from amtrio.client.shapes import AgentInfo, Option, PartDelta, Question, RunPart, RunRecord, SlashCommand

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


def run_snapshot(rev: int = 0, run_id: str = "run-of-the-test-1", text: str = "") -> RunSnapshot:
    parts = [RunPart(part=0, kind="text", text=text)] if text else []
    return RunSnapshot(run_id=run_id, conversation_id="c1", agent_id="demo", rev=rev, reply_to="m1", parts=parts)


def run_message(number: int, **fields: Any) -> Message:
    return message(number, run=RunRecord(run_id="run-of-the-test-1", **fields), reply_to="m1")


def test_a_live_answer_becomes_its_message() -> None:
    """
    Never both and never neither, also when the message is told by a snapshot of the account.
    """
    chat = model(MessagePosted(message=message(1, "us")), run_snapshot(0, text="so far"))
    assert [run.text for run in chat.live()] == ["so far"]
    chat.apply(MessagePosted(message=run_message(2)), 0)
    assert (len(chat.live()), len(chat.lines())) == (0, 2)
    chat = model(run_snapshot())
    chat.apply(Snapshot(seq=5, epoch="e2", conversations=[msgspec.structs.replace(TALK, messages=[run_message(2)])]), 0)
    chat.apply(run_snapshot(), 0)
    assert (len(chat.live()), len(chat.lines())) == (0, 1)


def test_an_answer_that_leaves_nothing_says_so_unless_it_was_done() -> None:
    """
    Stopped before the first word: there is no message that would tell.
    """
    ended = RunEnded(run_id="run-of-the-test-1", conversation_id="c1", agent_id="demo", outcome="stopped")
    chat = model(run_snapshot())
    chat.apply(ended, 0)
    assert (chat.live(), chat.notice) == ([], "Demo: stopped, before anything was said")
    chat = model(run_snapshot())
    chat.apply(msgspec.structs.replace(ended, outcome="done"), 0)
    assert (chat.live(), chat.notice) == ([], "")


def test_the_first_ctrl_c_is_for_the_newest_answer_the_second_leaves() -> None:
    """
    Within two seconds; later it is for the answer again. With nothing running it leaves at once.
    """
    chat = model()
    assert chat.interrupted(100.0) is None
    chat = model(run_snapshot(), run_snapshot(run_id="run-of-the-test-2"))
    for now, expected in ((100.0, "run-of-the-test-2"), (102.5, "run-of-the-test-2"), (103.0, None)):
        run = chat.interrupted(now)
        assert (run.run_id if run else None) == expected, now


def test_only_what_changes_a_message_changes_the_revision() -> None:
    """
    What is drawn of messages stays while an answer grows.
    """
    chat = model(MessagePosted(message=message(1, "us")))
    before = chat.revision
    chat.apply(run_snapshot(text="a"), 0)
    chat.apply(TypingChanged(conversation_id="c1", sender_type="agent", sender_id="demo", typing=True), 0)
    delta = RunDelta(
        run_id="run-of-the-test-1", conversation_id="c1", rev=1, parts=[PartDelta(part=0, offset=1, text="b")]
    )
    chat.apply(delta, 0)
    assert (chat.revision, chat.live()[0].text) == (before, "ab")
    chat.apply(MessageTaken(message_id="m1", conversation_id="c1", conversation_seq=1), 0)
    assert chat.revision > before


def test_an_answer_quotes_only_what_is_not_just_above() -> None:
    """
    Every run replies to something; a reply that no run made is always shown as one.
    """
    first = message(1, "us")
    assert model(MessagePosted(message=first), MessagePosted(message=run_message(2))).lines()[-1].quoted == ""
    between = MessagePosted(message=message(2, "us"))
    assert model(MessagePosted(message=first), between, MessagePosted(message=run_message(3))).lines()[-1].quoted
    reply = message(2, reply_to="m1")
    assert model(MessagePosted(message=first), MessagePosted(message=reply)).lines()[-1].quoted == "no 1"


def test_questions_and_queued_messages_follow_the_log() -> None:
    """
    Asked, answered; waiting, taken.
    """
    asked = message(1, question=Question(options=[Option(id="y", label="Yes")]))
    chat = model(MessagePosted(message=asked), MessagePosted(message=message(2, "us", queued=True)))
    waiting = chat.last_queued()
    assert waiting is not None
    assert waiting.message_id == "m2"
    assert chat.lines()[1].state == "queued"
    chat.apply(MessageTaken(message_id="m2", conversation_id="c1", conversation_seq=2), 0)
    assert chat.last_queued() is None
    answered = Question(options=[Option(id="y", label="Yes")], state="answered")
    chat.apply(QuestionAnswered(message_id="m1", conversation_id="c1", question=answered), 0)
    assert chat.talk is not None
    assert chat.talk.open_question() is None


def test_an_agent_that_says_something_else_of_itself_is_shown_so() -> None:
    """
    Its commands can be completed then.
    """
    chat = model()
    commands = [SlashCommand(name="think", description="thinks")]
    chat.apply(AgentChanged(agent=AgentInfo(agent_id="demo", name="Demon", commands=commands)), 0)
    assert chat.agent is not None
    assert (chat.agent.name, len(chat.agent.commands)) == ("Demon", 1)


def test_a_deleted_conversation_takes_its_answers_along() -> None:
    """
    What is said in them later is of no interest.
    """
    chat = model(run_snapshot())
    chat.apply(ConversationDeleted(conversation_id="c1"), 0)
    chat.apply(run_snapshot(rev=1), 0)
    assert chat.runs.live == {}
