"""How messages, questions and answers that are being written look, without a terminal."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from amtrio.cli.chat_drawing import (
    Fragments,
    agent_lines,
    clock_time,
    last_lines,
    live_head,
    markdown_lines,
    message_lines,
    one_line,
    part_lines,
    safe,
)
from amtrio.cli.chat_model import ChatModel, Line
from amtrio.cli.chat_runs import LiveRun
from amtrio.client import RunPart, RunView
from amtrio.client.events import Message
from amtrio.client.shapes import AgentInfo, Answer, Option, Question, RunRecord


def text_of(rows: Fragments) -> str:
    return "\n".join("".join(part[1] for part in row).rstrip() for row in rows)


def plain(line: Line, width: int = 60) -> str:
    return text_of(message_lines(line, width))


def part(kind: str, text: str = "", **meta: Any) -> RunPart:
    return RunPart(part=0, kind=kind, meta=meta, text=text)


def drawn(each: RunPart, *, is_live: bool = False, width: int = 60) -> str:
    return text_of(part_lines(each, width, is_live=is_live))


def told(content: str = "", question: Question | None = None, edited_at: str | None = None, **run: Any) -> str:
    """A message of an agent; with the fields of a run, the end of one."""
    message = Message(
        message_id="m1",
        conversation_id="c1",
        conversation_seq=1,
        sender_type="agent",
        sender_id="demo",
        content=content,
        question=question,
        edited_at=edited_at,
        run=RunRecord(run_id="run-of-the-test-1", **run) if run else None,
    )
    return plain(Line("m1", "Demo", content, message=message, is_edited=edited_at is not None))


@pytest.fixture
def east(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A terminal two hours east of Greenwich."""
    monkeypatch.setenv("TZ", "XXX-2")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("east")
def test_a_message_shows_who_when_what_and_how_far() -> None:
    """
    Markdown of agents is drawn, what people typed is shown as typed, times are those of the terminal.
    """
    ours = Line(
        "m1", "you", "*hi*", "2026-11-22T17:07:01.123Z", is_own=True, is_edited=True, quoted="before", state="read"
    )
    assert plain(ours) == "you  19:07  edited  ✓✓ read\n  > before\n  *hi*\n"
    theirs = Line("m2", "Demo", "**bold** and [here](https://example.org/x)")
    assert plain(theirs) == "Demo\n  bold and here (https://example.org/x)\n"
    assert "(deleted)" in plain(Line("m3", "Demo", "", is_deleted=True))
    assert "into the answer  ✓ queued" in plain(Line("m4", "you", "x", is_own=True, is_steering=True, state="queued"))
    assert clock_time("yesterday") == ""


def test_text_from_others_cannot_steer_the_terminal() -> None:
    """
    Escape sequences, control characters and changes of direction are taken out; umlauts and emoji stay.
    """
    assert safe("a\x1b[2J\x9b1mb\u202ec\r\x00d\n\täö🎉") == "a[2J1mbcd\n\täö🎉"
    assert "\x1b" not in plain(Line("m1", "De\x1b]0;x\x07mo", "\x1b]8;;http://evil\x1b\\click"))
    evil = "\x1b[2J\u202e"
    for shown in (
        drawn(part("tool", evil, name=evil, title=evil, state="failed", arguments={evil: 1}, result={"error": evil})),
        drawn(part("tool", evil, name=evil, state="running"), is_live=True),
        drawn(part("reasoning", evil, title=evil), is_live=True),
        drawn(part("plan", items=[{"text": evil, "state": evil}])),
        drawn(part("artifact", filename=evil)),
        drawn(part(evil, evil)),
        told(evil, outcome=evil, error=evil),
        told(evil, Question(options=[Option(id="x", label=evil, description=evil)], state=evil)),
        told("", Question(state="answered", answer=Answer(text=evil))),
        text_of(markdown_lines(evil, 60)),
    ):
        assert "\x1b" not in shown
        assert "\u202e" not in shown


def test_reasoning_is_folded_to_its_end_and_then_to_one_line() -> None:
    """
    Live one sees the last three lines; of what is over only how long it took.
    """
    thoughts = part("reasoning", "one\ntwo\n\nthree\nfour\n", title="Looking")
    assert drawn(thoughts, is_live=True) == "  ✦ thinking · Looking\n      two\n      three\n      four"
    assert drawn(part("reasoning", "one", duration_ms=2345)) == "  ✦ thought for 2.3 s"


@pytest.mark.parametrize(
    ("meta", "expected"),
    [
        ({"name": "ls", "state": "pending"}, "  ○ ls  pending"),
        ({"name": "ls", "state": "running", "arguments": {"in": "/"}}, '  ▸ ls  {"in":"/"}  running'),
        ({"name": "ls", "title": "List", "state": "done", "duration_ms": 12, "result": "2"}, "  ✓ List  12 ms  → 2"),
        ({"name": "ls", "state": "failed", "result": {"error": "no such folder"}}, "  ✗ ls  failed  → no such folder"),
        ({}, "  · tool"),
    ],
)
def test_a_tool_is_one_line(meta: dict[str, Any], expected: str) -> None:
    """
    State, name, what it was given, how long it took, what came out.
    """
    assert drawn(part("tool", "output\n", **meta)) == expected


def test_a_tool_that_runs_shows_the_end_of_its_output() -> None:
    """
    Each line cut to the width.
    """
    running = part("tool", "".join(f"line {number} {'x' * 80}\n" for number in range(9)), name="make", state="running")
    rows = drawn(running, is_live=True, width=30).split("\n")
    assert [row[:12] for row in rows[1:]] == ["      line 6", "      line 7", "      line 8"]
    assert all(row.endswith("…") and len(row) <= 30 for row in rows[1:])


def test_a_plan_is_a_checklist() -> None:
    """
    Whatever an agent calls an item.
    """
    items = [
        {"text": "look", "state": "done"},
        {"text": "think", "state": "running"},
        {"text": "act", "state": "pending"},
        "odd",
    ]
    assert drawn(part("plan", items=items)) == "  ☑ look\n  ▸ think\n  ☐ act\n  ☐"
    assert drawn(part("plan", items=None)).strip() == ""


def test_files_status_lines_and_kinds_of_tomorrow() -> None:
    """
    A status line is about the moment; what is not known is shown by its text.
    """
    assert drawn(part("artifact", filename="report.pdf")) == "  ⎘ report.pdf"
    assert drawn(part("status", text="searching")) == ""
    assert drawn(part("poem", "roses\n")) == "  · poem\n      roses"


def test_the_end_of_a_run_shows_its_parts_in_order() -> None:
    """
    Texts where they were said, and how it ended if not well.
    """
    parts = [
        RunPart(part=0, kind="text", length=6),
        RunPart(part=1, kind="tool", meta={"name": "ls", "state": "done"}, text="a\nb\n"),
        RunPart(part=2, kind="text", length=5),
    ]
    shown = told("Before\n\nAfter", outcome="failed", error="out of luck", parts=parts)
    assert shown == "Demo\n  Before\n  ✓ ls  done\n  After\n  ✗ failed: out of luck\n"
    edited = told("Other", outcome="done", parts=parts, edited_at="2026-11-22T17:07:01.123Z")
    assert edited == "Demo    edited\n  Other\n  ✓ ls  done\n"


def test_a_stand_in_is_shown_only_where_nothing_else_is() -> None:
    """
    The server writes one for clients that know no runs.
    """
    tool = [RunPart(part=0, kind="tool", meta={"name": "ls", "state": "done"})]
    assert "(stopped)" not in told("(stopped)", outcome="stopped", parts=tool)
    assert told("out of luck", outcome="failed", error="out of luck").count("out of luck") == 1
    assert told("(stopped)", outcome="stopped") == "Demo\n  ■ stopped\n"
    assert "(nothing)" in told("(nothing)", outcome="done")


def test_a_question_shows_what_can_be_answered_and_then_what_was() -> None:
    """
    Numbered while it is open; the chosen ones are marked after.
    """
    options = [Option(id="y", label="Yes", style="primary"), Option(id="n", label="No", description="never")]
    assert told("Shall I?", Question(options=options)) == (
        "Demo\n  Shall I?\n   1 Yes\n   2 No  never\n  Answer with a number.\n"
    )
    answered = Question(options=options, state="answered", answer=Answer(option_ids=["n"]))
    assert told("Shall I?", answered) == "Demo\n  Shall I?\n     Yes\n   ✓ No  never\n"
    assert "✓ perhaps" in told("Shall I?", Question(options=options, state="answered", answer=Answer(text="perhaps")))
    assert "(expired)" in told("Shall I?", Question(options=options, state="expired"))
    wide = Question(options=options, multiple=True, free_text=True)
    assert "Answer with numbers, as in 1 3 or /answer TEXT." in told("Shall I?", wide)


@pytest.mark.parametrize(
    ("stop", "expected"),
    [("", "Demo  …"), ("sent", "Demo  stopping…"), ("acknowledged", "Demo  stopping…"),
     ("unresponsive", "Demo  does not answer")],
)  # fmt: skip
def test_the_head_of_an_answer_says_whether_it_is_to_end(stop: str, expected: str) -> None:
    run = LiveRun(RunView("run-of-the-test-1", "c1"), stop=stop)
    assert text_of(live_head(run, "Demo", 60)) == expected


def test_the_list_shows_who_is_there_and_what_is_unread() -> None:
    """
    Numbered, with status; without agents it says how to get one.
    """
    model = ChatModel()
    assert "Looking who is there" in text_of(agent_lines(model, 60))
    model.set_agents([])
    assert "amtrio agent add" in text_of(agent_lines(model, 60))
    model.set_agents([AgentInfo(agent_id="demo", name="Demo", status="busy", status_text="thinking", online=True)])
    assert "1  ● Demo  thinking" in text_of(agent_lines(model, 60))


def test_long_things_are_cut_to_one_line() -> None:
    assert one_line("a\n b", 10) == "a b"
    assert one_line("x" * 20, 10) == "x" * 9 + "…"
    assert one_line({"a": [1, 2]}, 10) == '{"a":[1,2…'


def test_the_last_lines_are_of_the_end() -> None:
    """
    Without empty ones, however long the text is.
    """
    assert last_lines("x" * 10_000 + "\na\n\n \nb\n", 2) == "a\nb"
    assert last_lines("") == ""
