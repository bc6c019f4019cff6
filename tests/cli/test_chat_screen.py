"""How the chat looks, without a terminal."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.input import DummyInput
from prompt_toolkit.output import DummyOutput

from amtrio.cli.chat_model import ChatModel, Line
from amtrio.cli.chat_screen import Actions, Screen, clock_time, message_lines, safe
from amtrio.client.events import Conversation, ConversationCreated, Message, MessagePosted
from amtrio.client.shapes import AgentInfo


def plain(line: Line, width: int = 60) -> str:
    return "\n".join("".join(part[1] for part in row).rstrip() for row in message_lines(line, width))


def screen(model: ChatModel) -> Screen:
    actions = Actions(entered=lambda _text: None, wants_older=lambda: None, typed=lambda _text: None, now=lambda: 0.0)
    with create_app_session(input=DummyInput(), output=DummyOutput()):
        return Screen(model, actions)


def talking(count: int) -> ChatModel:
    model = ChatModel()
    model.apply(ConversationCreated(conversation=Conversation(conversation_id="c1", agent_id="demo")), 0)
    model.current = "c1"
    add(model, range(1, count + 1))
    return model


def add(model: ChatModel, numbers: range) -> None:
    for number in numbers:
        message = Message(
            message_id=f"m{number}",
            conversation_id="c1",
            conversation_seq=number,
            sender_type="agent",
            sender_id="demo",
            content=f"line {number}",
        )
        model.apply(MessagePosted(message=message), 0)


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
    assert clock_time("yesterday") == ""


def test_text_from_others_cannot_steer_the_terminal() -> None:
    """
    Escape sequences, control characters and changes of direction are taken out; umlauts and emoji stay.
    """
    assert safe("a\x1b[2J\x9b1mb\u202ec\r\x00d\n\täö🎉") == "a[2J1mbcd\n\täö🎉"
    assert "\x1b" not in plain(Line("m1", "De\x1b]0;x\x07mo", "\x1b]8;;http://evil\x1b\\click"))


def test_the_list_shows_who_is_there_and_what_is_unread() -> None:
    """
    Numbered, with status and unread count; without agents it says how to get one.
    """
    model = talking(2)
    model.current = None
    assert "Looking who is there" in screen(model).text()
    model.set_agents([])
    assert "amtrio agent add" in screen(model).text()
    model.set_agents([AgentInfo(agent_id="demo", name="Demo", status="busy", status_text="thinking", online=True)])
    text = screen(model).text()
    assert "1  ● Demo  thinking  2 unread" in text


def test_what_comes_in_below_does_not_move_who_reads_above() -> None:
    """
    Scrolled up, the same lines stay on the screen; at the bottom the newest shows.
    """
    model = talking(40)
    shown = screen(model)._body

    def top() -> str:
        content = shown.create_content(60, 10)
        return "\n".join("".join(part[1] for part in content.get_line(row)) for row in range(content.line_count))

    assert "line 40" in top()
    assert not shown.scroll(1)
    before = top()
    assert "line 40" not in before
    add(model, range(41, 45))
    assert top() == before
    while not shown.scroll(1):
        pass
    assert "line 1 " in top()
    for _ in range(50):
        shown.scroll(-1)
    assert "line 44" in top()
