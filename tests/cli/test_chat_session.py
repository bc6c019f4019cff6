"""A person at a terminal against the real server, and against a small one with knobs for what goes wrong."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest
import trio
from prompt_toolkit.input import PipeInput

from amtrio.cli.chat_session import Chat
from amtrio.cli.demo_agent import run_demo_agent
from amtrio.client import AuthenticationEnded, Backoff, Incoming, Replaced, Run
from tests.cli.chat_stage import Scene, news, play, shown, until
from tests.cli.real_server import an_agent, real_server, the_demo_agent
from tests.client.fake_server import FakeServer, fake_server


@pytest.fixture
def small() -> Iterator[FakeServer]:
    with fake_server() as running:
        yield running


def play_small(small: FakeServer, scene: Scene, *, agent: str | None = None, with_demo: bool = True) -> Chat:
    """Against the small small, with the demo agent."""

    async def demo() -> None:
        backoff = Backoff(first_s=0.01, longest_s=0.05)
        await run_demo_agent(small.url, "demo", "agt_demo", pace=0.01, backoff=backoff)

    async def online_first(chat: Chat, keys: PipeInput) -> None:
        if with_demo:
            await anyio.to_thread.run_sync(small.until, lambda: bool(small.account("a:demo").sockets))
        await scene(chat, keys)

    return play(small.url, "alice-token", online_first, agent=agent, beside=demo if with_demo else None)


# ------------------------------------------------------------------------------------------------------ live answers


def test_an_answer_grows_on_the_screen_and_is_a_message_then(tmp_path: Path) -> None:
    """
    Reasoning, a tool with its output, text in Markdown; afterwards folded, and nothing is live any more.
    """
    go_on = trio.Event()

    async def reply(message: Incoming, run: Run) -> None:
        async with run.reasoning("Looking") as thoughts:
            await thoughts.write("first\nsecond\nthird\nfourth\n")
            await go_on.wait()
        async with run.tool("ls", {"in": "/tmp"}) as tool:
            await tool.write("a.txt\n")
            tool.result = "1 file"
        await run.write("There is **one**.")

    async def scene(chat: Chat, keys: PipeInput) -> None:
        keys.send_text("what is there\r")
        await shown(chat, "writing…", "thinking · Looking", "fourth")
        assert "first" not in chat.screen.text(), "only the end of the thoughts"
        await anyio.to_thread.run_sync(server.do, go_on.set)
        await shown(chat, "✦ thought for", "✓ ls", "→ 1 file", "There is one.")
        await until(lambda: not chat.model.live())
        assert "fourth" not in chat.screen.text()
        keys.send_text("/quit\r")

    with real_server(tmp_path, an_agent(reply)) as server:
        play(server.url, server.token, scene, agent="demo")


def test_ctrl_c_stops_the_answer_and_leaves_when_there_is_none(tmp_path: Path) -> None:
    """
    The first one is about the run that is shown, the next one, with nothing running, about the program.
    """

    async def scene(chat: Chat, keys: PipeInput) -> None:
        keys.send_text("/endless\r")
        await shown(chat, "This answer has no end")
        await news(chat, "Ctrl-C stops")
        keys.send_text("\x03")
        await shown(chat, "■ stopped")
        await until(lambda: not chat.model.live())
        chat.model._interrupted_at -= 10  # so long ago that another one is not about leaving at once
        keys.send_text("\x03")

    with real_server(tmp_path, the_demo_agent()) as server:
        play(server.url, server.token, scene, agent="demo")
        assert server.messages()[-1]["run"]["outcome"] == "stopped"


def test_an_agent_that_does_not_stop_is_said_to_and_a_second_ctrl_c_leaves(tmp_path: Path) -> None:
    """
    Within two seconds, though the answer goes on.
    """

    async def reply(message: Incoming, run: Run) -> None:
        await run.write("I go on.")
        with run.uncancelled():
            await run.wait_for_stop()
            await trio.sleep_forever()

    async def scene(chat: Chat, keys: PipeInput) -> None:
        keys.send_text("go\r")
        await shown(chat, "I go on.")
        keys.send_text("\x03")
        await shown(chat, "stopping…")
        assert chat.screen.news().strip() == "stopping…"
        keys.send_text("\x03")

    with real_server(tmp_path, an_agent(reply)) as server:
        play(server.url, server.token, scene, agent="demo")


def test_what_is_said_meanwhile_waits_is_taken_back_or_goes_into_the_answer(tmp_path: Path) -> None:
    """
    `queued` is marked; /withdraw takes back the last one; /steer changes what is being written.
    """

    async def scene(chat: Chat, keys: PipeInput) -> None:
        keys.send_text("/endless\r")
        await shown(chat, "This answer")
        keys.send_text("/echo one\r/echo two\r")
        await until(lambda: chat.screen.text().count("✓ queued") == 2)
        keys.send_text("/withdraw\r")
        await shown(chat, "(deleted)")
        keys.send_text("/steer soup\r")
        await shown(chat, "into the answer", "You say “soup”", "Soup ")
        keys.send_text("\x03")
        await until(lambda: any(line.content == "one" for line in chat.model.lines()))
        assert "queued" not in chat.screen.text()
        keys.send_text("/withdraw\r")
        await news(chat, "no message of yours waits")
        keys.send_text("/steer more\r")
        await news(chat, "nothing is being written")
        keys.send_text("/quit\r")

    with real_server(tmp_path, the_demo_agent()) as server:
        play(server.url, server.token, scene, agent="demo")
        said = [m["content"] for m in server.messages() if m["sender_type"] == "agent"]
        assert (said[-1], len(said)) == ("one", 2)


def test_a_question_is_answered_by_a_number(tmp_path: Path) -> None:
    """
    Options are numbered; what is no option is told; the answer is marked and the agent goes on with it.
    """

    async def scene(chat: Chat, keys: PipeInput) -> None:
        keys.send_text("/ask\r")
        await shown(chat, " 1 The short one", " 3 Neither", "Answer with a number.")
        keys.send_text("7\r")
        await news(chat, "a number from 1 to 3")
        keys.send_text("/answer\r")
        await news(chat, "a number from 1 to 3")
        keys.send_text("3\r")
        await shown(chat, "✓ Neither", "nothing to add")
        keys.send_text("/answer 1\r")
        await news(chat, "no open question")
        keys.send_text("3\r")
        await shown(chat, "You wrote 1 word")
        keys.send_text("/quit\r")

    with real_server(tmp_path, the_demo_agent()) as server:
        play(server.url, server.token, scene, agent="demo")


def test_a_text_of_ones_own_and_several_options(tmp_path: Path) -> None:
    """
    /answer TEXT where a text is wanted, several numbers where several may be chosen.
    """

    async def reply(message: Incoming, run: Run) -> None:
        name = await run.ask("Your name?", ["Nobody"], free_text=True)
        days = await run.ask("Which days?", ["Mon", "Tue", "Wed"], multiple=True)
        assert name is not None
        assert days is not None
        await run.write(f"{name.text}: {' '.join(sorted(days.option_ids))}")

    async def scene(chat: Chat, keys: PipeInput) -> None:
        keys.send_text("hi\r")
        await shown(chat, "Answer with a number or /answer TEXT.")
        keys.send_text("/answer Alice B.\r")
        await shown(chat, "✓ Alice B.", "Which days?", "numbers, as in 1 3")
        keys.send_text("1, 3\r")
        await shown(chat, "Alice B.: Mon Wed", "✓ Mon", "✓ Wed")
        keys.send_text("/quit\r")

    with real_server(tmp_path, an_agent(reply)) as server:
        play(server.url, server.token, scene, agent="demo")


def test_an_answer_goes_on_over_a_restart_of_the_server(tmp_path: Path) -> None:
    """
    "reconnecting" is shown, what was written stays on the screen, and the answer goes on to its end, whole.
    """
    go_on = trio.Event()

    async def reply(message: Incoming, run: Run) -> None:
        await run.write("Before. ")
        await go_on.wait()
        await run.write("After.")

    async def scene(chat: Chat, keys: PipeInput) -> None:
        keys.send_text("go\r")
        await shown(chat, "Before.")
        await anyio.to_thread.run_sync(server.stop)
        await until(lambda: "reconnecting" in "".join(part[1] for part in chat.screen._header()))
        assert "Before." in chat.screen.text()
        await anyio.to_thread.run_sync(server.start)
        await until(lambda: not chat.model.trouble)
        await shown(chat, "Before.", "writing…")
        await anyio.to_thread.run_sync(server.do, go_on.set)
        await shown(chat, "Before. After.")
        await until(lambda: not chat.model.live())
        keys.send_text("/quit\r")

    with real_server(tmp_path, an_agent(reply)) as server:
        play(server.url, server.token, scene, agent="demo")
        (answer,) = (m for m in server.messages() if m["sender_type"] == "agent")
        assert (answer["content"], answer["run"]["outcome"]) == ("Before. After.", "done")


def test_a_failed_answer_says_why(tmp_path: Path) -> None:
    """
    What was written stays, with the reason below it.
    """

    async def reply(message: Incoming, run: Run) -> None:
        await run.write("It begins well.")
        raise ValueError("no such thing")

    async def scene(chat: Chat, keys: PipeInput) -> None:
        keys.send_text("go\r")
        await shown(chat, "It begins well.", "✗ failed: ValueError: no such thing")
        keys.send_text("/quit\r")

    with real_server(tmp_path, an_agent(reply, on_error=lambda _message, _error: None)) as server:
        play(server.url, server.token, scene, agent="demo")


def test_commands_of_the_agent_are_completed(tmp_path: Path) -> None:
    """
    As its card has them, beside those of this program.
    """

    async def scene(chat: Chat, keys: PipeInput) -> None:
        await until(lambda: chat.model.agent is not None and bool(chat.model.agent.commands))
        keys.send_text("/thi\t")
        await until(lambda: chat.screen.typed() == "/think")
        keys.send_text(" of tea\r")
        await shown(chat, "/think of tea")
        keys.send_text("/quit\r")

    with real_server(tmp_path, the_demo_agent()) as server:
        play(server.url, server.token, scene, agent="demo")


# --------------------------------------------------------------------------------------------------- everything else


def test_a_newcomer_picks_an_agent_talks_and_leaves(small: FakeServer) -> None:
    """
    The list, a choice by number, a greeting, an answer drawn from Markdown, the marks of ours, /quit.
    """

    async def scene(chat: Chat, keys: PipeInput) -> None:
        await shown(chat, "1  ● Demo")
        keys.send_text("1\r")
        await until(lambda: chat.model.current is not None)
        keys.send_text("hello\r")
        await shown(chat, "hello", "I am the demo agent", "You wrote 1 word", "✓")
        keys.send_text("/echo **x**\r")
        await until(lambda: len(small.messages["c1"]) == 4)
        await shown(chat, "/echo **x**")
        keys.send_text("/quit\r")

    chat = play_small(small, scene)
    assert chat.failure is None
    assert [m["content"] for m in small.messages["c1"] if m["sender_type"] == "client"] == ["hello", "/echo **x**"]
    small.until(lambda: small.read_up_to["c1", "alice"] >= 2)


def test_a_drop_in_the_middle_is_seen_and_loses_nothing(small: FakeServer) -> None:
    """
    "reconnecting" is shown, what is written meanwhile arrives once and in order, and so do the answers.
    """

    async def scene(chat: Chat, keys: PipeInput) -> None:
        keys.send_text("/echo one\r")
        await until(lambda: len(small.messages["c1"]) == 2)
        small.is_up = False
        await anyio.to_thread.run_sync(small.close_all, 1012, "the server restarts")
        await until(lambda: chat.model.trouble != "")
        assert "reconnecting" in "".join(part[1] for part in chat.screen._header())
        keys.send_text("/echo two\r/echo three\r")
        await shown(chat, "/echo three")
        small.is_up = True
        await until(lambda: len(small.messages["c1"]) == 6)
        await until(lambda: not chat.model.trouble and len(chat.model.lines()) == 6)
        keys.send_text("/quit\r")

    play_small(small, scene, agent="demo")
    contents = [m["content"] for m in small.messages["c1"]]
    assert [c for c in contents if c.startswith("/echo")] == ["/echo one", "/echo two", "/echo three"]
    assert [c.splitlines()[-1] for c in contents if not c.startswith("/echo")] == ["one", "two", "three"]


def test_lost_pieces_of_an_answer_are_asked_for(small: FakeServer) -> None:
    """
    A hole is filled by a picture of the whole.
    """

    async def scene(chat: Chat, keys: PipeInput) -> None:
        await until(lambda: chat.model.current is not None)
        start: dict[str, Any] = {"run_id": "run-of-the-test-1", "conversation_id": "c1"}
        small.do(partial(small.runs.command, "run_start", start))
        run = small.runs.runs["run-of-the-test-1"]
        run.parts.append({"kind": "text", "meta": {}, "text": "never told "})
        run.rev = 1
        said = {"run_id": "run-of-the-test-1", "part": 0, "offset": 11, "text": "and this"}
        small.do(partial(small.runs.command, "run_append", said))
        await shown(chat, "never told and this")
        small.do(partial(small.runs.end, "run-of-the-test-1", "done"))
        await until(lambda: not chat.model.live())
        keys.send_text("/quit\r")

    play_small(small, scene, agent="demo", with_demo=False)


def test_editing_deleting_and_scrolling_back(small: FakeServer) -> None:
    """
    /edit and /delete are about one's last message; PageUp at the top fetches what is older.
    """
    for number in range(130):
        data = {"content": f"old {number}", "client_id": f"long-ago-{number:08}"}
        small.do(partial(small.post, small.account("u:alice"), data))

    async def scene(chat: Chat, keys: PipeInput) -> None:
        keys.send_text("/edit better\r")
        await shown(chat, "better", "edited")
        keys.send_text("/delete\r")
        await shown(chat, "(deleted)")
        assert "old 79" not in chat.screen.text()
        while "old 0\n" not in chat.screen.text().replace(" \n", "\n").replace("  ", ""):
            keys.send_text("\x1b[5~")
            await anyio.sleep(0.02)
        keys.send_text("/quit\r")

    chat = play_small(small, scene, agent="demo", with_demo=False)
    assert len(chat.model.lines()) == 130
    assert small.messages["c1"][-1]["deleted"]


def test_titled_conversations_unknown_names_and_help(small: FakeServer) -> None:
    """
    What cannot be done is said in the line of news.
    """

    async def scene(chat: Chat, keys: PipeInput) -> None:
        await shown(chat, "Demo")
        keys.send_text("nobody\r")
        await news(chat, "no agent 'nobody'")
        keys.send_text("/new Plans\r")
        await news(chat, "/new TITLE")
        keys.send_text("/switch demo\r")
        await until(lambda: chat.model.current == "c1")
        keys.send_text("/delete\r")
        await news(chat, "no message of yours")
        keys.send_text("/new Plans\r")
        await until(lambda: chat.model.current == "c2")
        keys.send_text("/help\r")
        await news(chat, "/switch NAME")
        keys.send_text("//help\r")
        await until(lambda: [m["content"] for m in small.messages["c2"]] == ["/help"])
        keys.send_text("/agents\r")
        await until(lambda: chat.model.current is None)
        keys.send_text("\x03")

    play_small(small, scene, with_demo=False)
    assert small.conversations["c2"]["title"] == "Plans"


@pytest.mark.parametrize(("code", "kind"), [(4401, AuthenticationEnded), (4000, Replaced)])
def test_an_end_for_good_leaves_the_screen(small: FakeServer, code: int, kind: type) -> None:
    """
    And says why afterwards, on the ordinary terminal.
    """

    async def scene(chat: Chat, _keys: PipeInput) -> None:
        await until(lambda: chat.screen.app.is_running and not chat.model.trouble)
        await anyio.to_thread.run_sync(small.close_all, code, "over")

    assert type(play_small(small, scene, with_demo=False).failure) is kind
