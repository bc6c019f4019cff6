"""The part of the screen that scrolls, without a terminal."""

from __future__ import annotations

from amtrio.cli.chat_body import Body, LivePicture
from amtrio.cli.chat_drawing import Fragments
from amtrio.cli.chat_model import ChatModel
from amtrio.cli.chat_runs import LiveRun
from amtrio.client import RunView
from amtrio.client.events import Conversation, ConversationCreated, Message, MessagePosted, RunDelta, RunSnapshot
from amtrio.client.shapes import PartDelta, RunPart, RunRecord

RUN = "run-of-the-test-1"


def talking(count: int) -> ChatModel:
    model = ChatModel()
    model.apply(ConversationCreated(conversation=Conversation(conversation_id="c1", agent_id="demo")), 0)
    model.current = "c1"
    add(model, range(1, count + 1))
    return model


def add(model: ChatModel, numbers: range, run: RunRecord | None = None) -> None:
    for number in numbers:
        message = Message(
            message_id=f"m{number}",
            conversation_id="c1",
            conversation_seq=number,
            sender_type="agent",
            sender_id="demo",
            content=f"line {number}",
            run=run,
        )
        model.apply(MessagePosted(message=message), 0)


def write(model: ChatModel, text: str) -> None:
    """The agent writes so much more of its answer."""
    run = model.runs.live.get(RUN)
    if run is None:
        model.apply(RunSnapshot(run_id=RUN, conversation_id="c1", agent_id="demo", rev=0), 0)
        run = model.runs.live[RUN]
    offset = len(run.text)
    change = PartDelta(part=0, kind=None if offset else "text", offset=offset, text=text)
    model.apply(RunDelta(run_id=RUN, conversation_id="c1", rev=run.view.rev + 1, parts=[change]), 0)


def text_of(rows: Fragments) -> str:
    return "\n".join("".join(part[1] for part in row).rstrip() for row in rows)


def window(body: Body, height: int = 10) -> str:
    content = body.create_content(60, height)
    return "\n".join("".join(part[1] for part in content.get_line(row)) for row in range(content.line_count))


def test_what_comes_in_below_does_not_move_who_reads_above() -> None:
    """
    Scrolled up, the same lines stay on the screen; at the bottom the newest shows.
    """
    model = talking(40)
    body = Body(model)
    assert "line 40" in window(body)
    assert not body.scroll(1)
    before = window(body)
    assert "line 40" not in before
    add(model, range(41, 45))
    assert window(body) == before
    while not body.scroll(1):
        pass
    assert "line 1 " in window(body)
    for _ in range(50):
        body.scroll(-1)
    assert "line 44" in window(body)


def test_an_answer_that_grows_does_not_move_who_reads_above() -> None:
    """
    Nor does its becoming a message. At the bottom one follows it.
    """
    model = talking(40)
    body = Body(model)
    window(body)
    body.scroll(1)
    before = window(body)
    for number in range(30):
        write(model, f"- item {number}\n")
        assert window(body) == before
    body.above_bottom, kept = 0, body.above_bottom
    assert "item 29" in window(body)
    body.above_bottom = kept
    add(model, range(41, 42), RunRecord(run_id=RUN, parts=[RunPart(part=0, kind="text", length=7)]))
    assert window(body) == before


def test_an_answer_stands_below_the_messages_until_it_is_one() -> None:
    """
    In Markdown, and never twice.
    """
    model = talking(1)
    body = Body(model)
    write(model, "It is **bold**")
    assert text_of(body.lines(60)) == "demo\n  line 1\n\ndemo  writing…\n  It is bold\n"
    add(model, range(2, 3), RunRecord(run_id=RUN, parts=[RunPart(part=0, kind="text", length=6)]))
    assert text_of(body.lines(60)) == "demo\n  line 1\n\ndemo\n  line 2\n"


def test_only_what_grows_is_drawn_anew() -> None:
    """
    Messages, and what an answer said before its last paragraph, are the very rows that were drawn before.
    """
    model = talking(20)
    body = Body(model)
    for _ in range(6):
        write(model, "word " * 100 + "\n\n")
    before = body.lines(60)
    write(model, "more")
    after = body.lines(60)
    same = [one is other for one, other in zip(before, after, strict=False)]
    assert len(talking(20).lines()) * 3 == same.index(False), "the head of the answer is drawn each time"
    assert all(same[same.index(False) + 1 :][:30])


def test_an_answer_that_begins_anew_is_drawn_so() -> None:
    """
    After a restart the server may know less of it, or, restored from a backup, something else.
    """
    model = talking(0)
    body = Body(model)
    write(model, "first " * 1000)
    body.lines(60)
    model.runs.lost()
    parts = [RunPart(part=0, kind="text", text="second " * 1000)]
    model.apply(RunSnapshot(run_id=RUN, conversation_id="c1", agent_id="demo", rev=1, parts=parts), 0)
    shown = text_of(body.lines(60))
    assert "first" not in shown
    assert shown.count("second") == 1000


def test_another_width_draws_everything_anew() -> None:
    """
    And so does an edit of one message, but only that one.
    """
    model = talking(2)
    body = Body(model)
    write(model, "word " * 30)
    assert len(body.lines(40)) > len(body.lines(80))
    assert max(len(row) for row in text_of(body.lines(40)).split("\n")) <= 40


def test_parts_are_drawn_anew_only_when_they_change() -> None:
    """
    A tool whose output grows, beside a text that is finished.
    """
    view = RunView(RUN, "c1")
    parts = [RunPart(part=0, kind="text", text="Hello"), RunPart(part=1, kind="tool", meta={"name": "ls"})]
    view.apply(RunSnapshot(run_id=RUN, conversation_id="c1", agent_id="demo", rev=0, parts=parts))
    picture, run = LivePicture(60), LiveRun(view)
    before = picture.lines(run, "Demo")
    change = PartDelta(part=1, offset=0, text="a.txt\n")
    view.apply(RunDelta(run_id=RUN, conversation_id="c1", rev=1, parts=[change]))
    after = picture.lines(run, "Demo")
    assert after[1] is before[1]
    assert "a.txt" in text_of(after)
    assert "a.txt" not in text_of(before)
