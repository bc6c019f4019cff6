"""`amtrio chat` against a small server over real sockets, with and without a terminal."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Coroutine, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest
from prompt_toolkit.input import PipeInput, create_pipe_input
from prompt_toolkit.output import DummyOutput

from amtrio.cli.chat import Chat, ask_once
from amtrio.cli.demo_agent import run_demo_agent
from amtrio.client import AgentInfo, AuthenticationEnded, Backoff, Connection, Replaced
from tests.client.fake_server import FakeServer, fake_server

Scene = Callable[[Chat, PipeInput], Coroutine[Any, Any, None]]


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with fake_server() as running:
        yield running


def backoff() -> Backoff:
    return Backoff(first_s=0.01, longest_s=0.05)


def play(server: FakeServer, scene: Scene, *, agent: str | None = None, with_demo: bool = True) -> Chat:
    """A person at a terminal, and the demo agent; prompt-toolkit needs asyncio."""
    chats: list[Chat] = []

    async def main() -> None:
        with anyio.fail_after(20), create_pipe_input() as keys:
            async with anyio.create_task_group() as outer:
                if with_demo:
                    outer.start_soon(_demo, server.url)
                    await anyio.to_thread.run_sync(server.until, lambda: bool(server.account("a:demo").sockets))
                async with (
                    Connection(
                        server.url, token="alice-token", device_id="t1", begin="snapshot", backoff=backoff()
                    ) as connection,
                    anyio.create_task_group() as tasks,
                ):
                    chat = Chat(connection, tasks, agent=agent, source=keys, output=DummyOutput())
                    chats.append(chat)
                    tasks.start_soon(scene, chat, keys)
                    await chat.run()
                outer.cancel_scope.cancel()

    anyio.run(main, backend="asyncio")
    return chats[0]


async def _demo(url: str) -> None:
    await run_demo_agent(url, "demo", "agt_demo", pace=0.01, backoff=backoff())


async def shown(chat: Chat, *texts: str) -> None:
    """Wait until the screen shows all of these."""
    await until(lambda: all(text in chat.screen.text() for text in texts))


async def until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 - the screen is looked at, as a person would; it sets no event
        await anyio.sleep(0.01)


def test_a_newcomer_picks_an_agent_talks_and_leaves(server: FakeServer) -> None:
    """
    The list, a choice by number, a greeting, an answer drawn from Markdown, the marks of ours, /quit.
    """

    async def scene(chat: Chat, keys: PipeInput) -> None:
        await shown(chat, "1  ● Demo")
        keys.send_text("1\r")
        await until(lambda: chat.model.current is not None)
        keys.send_text("hello\r")
        await shown(chat, "hello", "I am the demo agent", "You wrote 1 word", "✓✓ read")
        keys.send_text("/echo **x**\r")
        await until(lambda: len(server.messages["c1"]) == 5)
        await shown(chat, "/echo **x**")
        keys.send_text("/quit\r")

    chat = play(server, scene)
    assert chat.failure is None
    assert [m["content"] for m in server.messages["c1"] if m["sender_type"] == "client"] == ["hello", "/echo **x**"]
    server.until(lambda: server.read_up_to["c1", "alice"] >= 3)


def test_a_restart_in_the_middle_is_seen_and_loses_nothing(server: FakeServer) -> None:
    """
    "reconnecting" is shown, what is written meanwhile arrives once and in order, and so do the answers.
    """

    async def scene(chat: Chat, keys: PipeInput) -> None:
        await until(lambda: chat.model.current is not None)
        keys.send_text("/echo one\r")
        await until(lambda: len(server.messages["c1"]) == 3)
        server.is_up = False
        await anyio.to_thread.run_sync(server.close_all, 1012, "the server restarts")
        await until(lambda: chat.model.trouble != "")
        assert "reconnecting" in "".join(part[1] for part in chat.screen._header())
        keys.send_text("/echo two\r/echo three\r")
        await shown(chat, "/echo three")
        server.is_up = True
        await until(lambda: len(server.messages["c1"]) == 7)
        await until(lambda: not chat.model.trouble and len(chat.model.lines()) == 7)
        keys.send_text("/quit\r")

    play(server, scene, agent="demo")
    contents = [m["content"] for m in server.messages["c1"]]
    assert [c for c in contents if c.startswith("/echo")] == ["/echo one", "/echo two", "/echo three"]
    assert [c for c in contents if c in ("one", "two", "three")] == ["one", "two", "three"]


def test_editing_deleting_and_scrolling_back(server: FakeServer) -> None:
    """
    /edit and /delete are about one's last message; PageUp at the top fetches what is older.
    """
    for number in range(130):
        data = {"content": f"old {number}", "client_id": f"long-ago-{number:08}"}
        server.do(partial(server.post, server.account("u:alice"), data))

    async def scene(chat: Chat, keys: PipeInput) -> None:
        await until(lambda: chat.model.current is not None)
        keys.send_text("/edit better\r")
        await shown(chat, "better", "edited")
        keys.send_text("/delete\r")
        await shown(chat, "(deleted)")
        assert "old 79" not in chat.screen.text()
        while "old 0\n" not in chat.screen.text().replace(" \n", "\n").replace("  ", ""):
            keys.send_text("\x1b[5~")
            await anyio.sleep(0.02)
        keys.send_text("/quit\r")

    chat = play(server, scene, agent="demo", with_demo=False)
    assert len(chat.model.lines()) == 130
    assert server.messages["c1"][-1]["deleted"]


def test_titled_conversations_unknown_names_and_help(server: FakeServer) -> None:
    """
    What cannot be done is said in the line of news.
    """

    async def scene(chat: Chat, keys: PipeInput) -> None:
        await shown(chat, "Demo")
        keys.send_text("nobody\r")
        await until(lambda: "no agent 'nobody'" in chat.model.notice)
        keys.send_text("/switch demo\r")
        await until(lambda: chat.model.current == "c1")
        keys.send_text("/new Plans\r")
        await until(lambda: chat.model.current == "c2")
        keys.send_text("/help\r")
        await until(lambda: "/switch" in chat.model.notice)
        keys.send_text("/agents\r")
        await until(lambda: chat.model.current is None)
        keys.send_text("\x03")

    play(server, scene, with_demo=False)
    assert server.conversations["c2"]["title"] == "Plans"


@pytest.mark.parametrize(("code", "kind"), [(4401, AuthenticationEnded), (4000, Replaced)])
def test_an_end_for_good_leaves_the_screen(server: FakeServer, code: int, kind: type) -> None:
    """
    And says why afterwards, on the ordinary terminal.
    """

    async def scene(chat: Chat, _keys: PipeInput) -> None:
        await until(lambda: chat.screen.app.is_running and not chat.model.trouble)
        await anyio.to_thread.run_sync(server.close_all, code, "over")

    assert type(play(server, scene, with_demo=False).failure) is kind


def test_one_question_collects_the_whole_answer(server: FakeServer) -> None:
    """
    Several messages with typing between them are one answer.
    """
    answers: list[str] = []

    async def main() -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_demo, server.url)
            async with Connection(server.url, token="alice-token", backoff=backoff()) as connection:
                answers.extend(await ask_once(connection, AgentInfo(agent_id="demo"), "/count 3", timeout_s=10))
                answers.extend(await ask_once(connection, AgentInfo(agent_id="demo"), "/echo x", timeout_s=10))
            tasks.cancel_scope.cancel()

    anyio.run(main, backend="trio")
    assert answers[1:] == ["1", "2", "3", "x"]


def program(server: FakeServer, state: Path, *arguments: str, password: str = "") -> subprocess.CompletedProcess[str]:
    code = "import typer; from amtrio.cli.chat import chat; typer.run(chat)"
    return subprocess.run(
        [sys.executable, "-c", code, "--url", server.url, *arguments],
        env={**os.environ, "XDG_STATE_HOME": str(state), "AMTRIO_PASSWORD": password},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_in_a_script_the_exit_code_tells(server: FakeServer, tmp_path: Path) -> None:
    """
    2 usage, 3 not signed in, 4 not reachable, 5 no answer, 6 no such agent; the token is kept for the next call.
    """
    once = ("--agent", "demo", "--once", "hello")
    assert program(server, tmp_path, "--once", "hello").returncode == 2
    assert program(server, tmp_path, *once).returncode == 3
    assert program(server, tmp_path, *once, "--user", "alice", password="wrong").returncode == 3
    done = program(server, tmp_path, *once, "--user", "alice", "--timeout", "0.3", password="correct horse")
    assert (done.returncode, "did not answer" in done.stderr) == (5, True)
    assert program(server, tmp_path, "--agent", "nobody", "--once", "hello").returncode == 6
    server.do(lambda: setattr(server, "is_up", False))
    assert program(server, tmp_path, *once, "--url", "http://127.0.0.1:1").returncode in {3, 4}
