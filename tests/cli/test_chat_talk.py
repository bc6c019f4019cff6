"""One conversation without a terminal."""

from __future__ import annotations

from typing import Any

from amtrio.cli.chat_talk import Talk
from amtrio.client.events import Conversation, Message
from amtrio.client.shapes import Answer, Option, Question


def message(number: int, sender: str = "agent", **fields: Any) -> Message:
    return Message(
        message_id=f"m{number}",
        conversation_id="c1",
        conversation_seq=number,
        sender_type="agent" if sender == "agent" else "client",
        sender_id="demo" if sender == "agent" else "alice",
        **{"content": f"no {number}", **fields},
    )


def talk(*messages: Message) -> Talk:
    made = Talk(Conversation(conversation_id="c1", agent_id="demo"))
    made.add(messages)
    return made


def test_what_is_queued_is_so_until_it_is_taken_or_deleted() -> None:
    """
    The mark says so before anything about delivery.
    """
    made = talk(message(1, "us", queued=True), message(2, "us", queued=True))
    assert [made.state_of(each) for each in made.in_order()] == ["queued", "queued"]
    made.take(1)
    made.delete(2)
    assert [made.state_of(each) for each in made.in_order()] == ["stored", "stored"]
    assert [each.message_id for each in made.own()] == ["m1"]
    made.take(9)
    made.delete(9)


def test_the_newest_open_question_is_the_one_to_answer() -> None:
    """
    Until it is settled; then the one before it.
    """
    question = Question(options=[Option(id="yes", label="Yes")])
    made = talk(message(1, question=question), message(2), message(3, question=question))
    asked = made.open_question()
    assert asked is not None
    assert asked.message_id == "m3"
    made.settle("m3", Question(options=question.options, state="answered", answer=Answer(option_ids=["yes"])))
    before = made.open_question()
    assert before is not None
    assert before.message_id == "m1"
    made.settle("m1", Question(options=question.options, state="expired"))
    made.settle("unknown", question)
    assert made.open_question() is None


def test_it_knows_whether_we_spoke_between_two_messages() -> None:
    """
    What was deleted, or said by the agent, does not count.
    """
    made = talk(message(1, "us"), message(2), message(3, "us"), message(4))
    assert not made.has_own_between(1, 3)
    assert made.has_own_between(1, 4)
    made.delete(3)
    assert not made.has_own_between(1, 4)


def test_a_replaced_message_must_be_known() -> None:
    """
    An edit of what was never loaded leaves no hole in the numbers.
    """
    made = talk(message(5))
    made.replace(message(5, content="better"))
    made.replace(message(2, content="unknown"))
    assert [each.content for each in made.in_order()] == ["better"]
    assert (made.first_seq, made.last_seq, made.has_older) == (5, 5, True)
