"""`amtrio chat` as a program, in scripts: what it prints, and what its exit code tells."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import trio

from amtrio.client import Incoming, Run
from tests.cli.real_server import RealServer, an_agent, real_server, the_demo_agent
from tests.client.fake_server import FakeServer, fake_server
from tests.harness import PASSWORD

CODE = "import typer; from amtrio.cli.chat import chat; typer.run(chat)"


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with fake_server() as running:
        yield running


def program(server: FakeServer, state: Path, *arguments: str, password: str = "") -> subprocess.CompletedProcess[str]:
    with started(server.url, state, *arguments, password=password) as process:
        out, err = process.communicate(timeout=30)
    return subprocess.CompletedProcess(arguments, process.returncode, out, err)


def started(url: str, state: Path, *arguments: str, password: str = "") -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", CODE, "--url", url, *arguments],
        env={**os.environ, "XDG_STATE_HOME": str(state), "AMTRIO_PASSWORD": password},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def asked(server: RealServer, state: Path, text: str) -> subprocess.Popen[str]:
    """Alice asks the agent once."""
    return started(server.url, state, "--user", "alice", "--agent", "demo", "--once", text, password=PASSWORD)


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


def test_a_session_that_ends_in_the_middle_is_told_from_an_answer(server: FakeServer, tmp_path: Path) -> None:
    """
    The kept token is worth nothing then, and goes.
    """
    once = ("--user", "alice", "--agent", "demo", "--once", "hello")
    with started(server.url, tmp_path, *once, password="correct horse") as process:
        server.until(lambda: bool(server.messages.get("c1")))
        assert list(tmp_path.glob("amtrio/*.json"))
        server.close_all(4401, "signed out elsewhere")
        _, err = process.communicate(timeout=30)
    assert (process.returncode, "not signed in" in err) == (3, True)
    assert not list(tmp_path.glob("amtrio/*.json"))


def test_the_answer_is_printed_and_0_is_returned(tmp_path: Path) -> None:
    """
    As it is, for the next program; nothing else is on standard output.
    """
    with real_server(tmp_path / "server", the_demo_agent()) as server:
        with asked(server, tmp_path, "hi") as process:
            process.communicate(timeout=30)
        with asked(server, tmp_path, "/think a bb") as process:
            out, err = process.communicate(timeout=30)
        assert (process.returncode, out, err) == (0, "The longest word is **bb**, with 2 characters.\n", "")


def test_the_answer_comes_while_it_is_written_and_7_says_that_it_is_not_whole(tmp_path: Path) -> None:
    """
    Into a pipe too; the reason goes to standard error.
    """
    go_on = trio.Event()

    async def reply(message: Incoming, run: Run) -> None:
        await run.write("The first line.\n")
        await go_on.wait()
        raise ValueError("no such thing")

    agent = an_agent(reply, on_error=lambda _message, _error: None)
    with real_server(tmp_path / "server", agent) as server, asked(server, tmp_path, "go") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "The first line.\n"
        server.do(go_on.set)
        _, err = process.communicate(timeout=30)
        assert process.returncode == 7
        assert "demo says failed: ValueError: no such thing" in err


def test_ctrl_c_stops_the_answer(tmp_path: Path) -> None:
    """
    Not only the program that shows it.
    """

    async def reply(message: Incoming, run: Run) -> None:
        await run.write("On and on.\n")
        await trio.sleep_forever()

    with real_server(tmp_path / "server", an_agent(reply)) as server, asked(server, tmp_path, "go") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "On and on.\n"
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
        assert server.messages()[-1]["run"]["outcome"] == "stopped"
