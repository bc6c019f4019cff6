"""How the chat looks round the conversation, without a terminal."""

from __future__ import annotations

import time
from typing import Any

import anyio
import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.input import DummyInput, create_pipe_input
from prompt_toolkit.output import DummyOutput

from amtrio.cli.chat_model import ChatModel
from amtrio.cli.chat_screen import DRAW_AGAIN_S, Actions, Screen
from amtrio.client.events import (
    Conversation,
    ConversationCreated,
    Offline,
    Online,
    PresenceChanged,
    RunControlState,
    RunSnapshot,
    TypingChanged,
)
from amtrio.client.shapes import AgentInfo, RunPart

RUN = "run-of-the-test-1"


def actions(**given: Any) -> Actions:
    nothing: dict[str, Any] = {
        "entered": lambda _text: None,
        "interrupted": lambda: None,
        "wants_older": lambda: None,
        "typed": lambda _text: None,
        "now": lambda: 0.0,
    }
    return Actions(**nothing | given)


def screen(model: ChatModel) -> Screen:
    with create_app_session(input=DummyInput(), output=DummyOutput()):
        return Screen(model, actions())


def talking(*supports: str) -> ChatModel:
    model = ChatModel()
    model.set_agents([AgentInfo(agent_id="demo", name="Demo", online=True, supports=list(supports))])
    model.apply(Online(id="alice", kind="user"), 0)
    model.apply(ConversationCreated(conversation=Conversation(conversation_id="c1", agent_id="demo")), 0)
    model.current = "c1"
    return model


def begin(model: ChatModel, status: str = "") -> None:
    parts = [RunPart(part=0, kind="status", meta={"text": status})] if status else []
    model.apply(RunSnapshot(run_id=RUN, conversation_id="c1", agent_id="demo", rev=0, parts=parts), 0)


def control(model: ChatModel, action: str, state: str) -> None:
    model.apply(RunControlState(run_id=RUN, conversation_id="c1", control_id="k1", action=action, state=state), 0)


def test_the_news_say_what_the_agent_does() -> None:
    """
    Typing, then writing, or what its status line says; and what one can do about it.
    """
    model = talking("stop", "steer")
    shown = screen(model)
    assert "/help" in shown.news()
    model.apply(TypingChanged(conversation_id="c1", sender_type="agent", sender_id="demo", typing=True), 0)
    assert shown.news() == " Demo is typing…"
    begin(model)
    assert shown.news() == " Demo writes · Ctrl-C stops · /steer TEXT speaks into it"
    begin(model, "searching the web")
    assert shown.news() == " searching the web · Ctrl-C stops · /steer TEXT speaks into it"


def test_steering_is_offered_only_where_it_works() -> None:
    model = talking("stop")
    begin(model)
    assert screen(model).news() == " Demo writes · Ctrl-C stops"


def test_the_news_say_how_a_stop_fares() -> None:
    """
    On its way, then not heard; and the same of a word into the answer.
    """
    model = talking("stop", "steer")
    shown = screen(model)
    begin(model)
    control(model, "steer", "unresponsive")
    assert "has not heard" in shown.news()
    control(model, "stop", "sent")
    assert shown.news() == " stopping…"
    control(model, "stop", "unresponsive")
    assert "Demo does not answer" in shown.news()


def test_nobody_is_said_to_write_who_is_not_there() -> None:
    """
    Neither while the agent is away nor while we are.
    """
    model = talking("stop")
    shown = screen(model)
    begin(model)
    model.apply(PresenceChanged(id="demo", type="agent", online=False), 0)
    assert "Demo is away" in shown.news()
    model.apply(Offline(reason="gone", retry_in_s=1), 0)
    assert shown.news() == " the answer goes on when the connection is back"


def test_a_notice_comes_before_everything_and_may_have_lines() -> None:
    """
    And is as safe as everything else.
    """
    model = talking()
    begin(model)
    model.notice = "one\ntwo\x1b[2J"
    assert screen(model).news() == " one\n two[2J"


def test_what_is_below_is_said_besides() -> None:
    """
    Who has scrolled up still sees that something is written.
    """
    model = talking()
    begin(model)
    shown = screen(model)
    shown._body.above_bottom = 7
    assert shown.news() == " Demo writes · Ctrl-C stops · 7 lines below · PageDown"


@pytest.mark.parametrize(("keys", "expected"), [("\x03", ["interrupted"]), ("\x04", []), ("hi\r\x04", ["entered hi"])])
def test_keys_do_what_they_say(keys: str, expected: list[str]) -> None:
    """
    Ctrl-C is for others to decide about, Ctrl-D leaves, Enter sends.
    """
    done: list[str] = []

    async def main() -> None:
        with anyio.fail_after(20), create_pipe_input() as source:
            shown: list[Screen] = []

            def interrupted() -> None:
                done.append("interrupted")
                shown[0].leave()

            acting = actions(entered=lambda text: done.append(f"entered {text}"), interrupted=interrupted)
            shown.append(Screen(talking(), acting, source=source, output=DummyOutput()))
            source.send_text(keys)
            await shown[0].run()

    anyio.run(main, backend="asyncio")
    assert done == expected


def test_it_is_drawn_at_most_twenty_times_a_second() -> None:
    """
    However much is new.
    """
    pictures = 0
    took_s = 0.0

    async def main() -> None:
        nonlocal pictures, took_s
        with anyio.fail_after(20), create_pipe_input() as source:
            shown = Screen(talking(), actions(), source=source, output=DummyOutput())
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(shown.run)
                while not shown.app.render_counter:
                    await anyio.lowlevel.checkpoint()
                before, began_at = shown.app.render_counter, time.monotonic()
                while shown.app.render_counter < before + 3:
                    shown.redraw()
                    await anyio.lowlevel.checkpoint()
                pictures, took_s = shown.app.render_counter - before, time.monotonic() - began_at
                shown.leave()

    anyio.run(main, backend="asyncio")
    assert pictures == 3
    assert took_s >= 2 * DRAW_AGAIN_S


def test_pictures_that_take_long_are_drawn_less_often() -> None:
    """
    Drawing must not take all the time there is.
    """
    now = 0.0
    with create_app_session(input=DummyInput(), output=DummyOutput()):
        shown = Screen(talking(), actions(now=lambda: now))
    for took_s, pause_s in ((0.001, DRAW_AGAIN_S), (0.2, 0.4), (0.0, DRAW_AGAIN_S)):
        shown.app.before_render.fire()
        now += took_s
        shown.app.after_render.fire()
        assert shown.app.min_redraw_interval == pytest.approx(pause_s)
