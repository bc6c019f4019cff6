"""`amtrio bridge` as a program, against a small server over real sockets."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
import trio
from typer.testing import CliRunner

from amtrio.cli.bridge import bridges
from tests.bridges.acp_stage import STANDIN
from tests.bridges.conftest import Lifeline
from tests.bridges.endpoint import Answer, Request, Wire, open_endpoint
from tests.bridges.families import stubborn
from tests.client.fake_server import FakeServer, fake_server
from tests.client.stage import has_ended, said, write

COMMAND = [sys.executable, "-m", "amtrio", "bridge"]


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with fake_server() as running:
        yield running


@pytest.fixture
def lifeline(tmp_path: Path) -> Iterator[Lifeline]:
    line = Lifeline(tmp_path / "lifeline")
    yield line
    line.close()


def environment(server: FakeServer | None, folder: Path, **more: str) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("AMTRIO_", "OPENAI_"))}
    known = {"AMTRIO_URL": server.url, "AMTRIO_AGENT_TOKEN": "agt_demo", "AMTRIO_AGENT_ID": "demo"} if server else {}
    return {**clean, "AMTRIO_STATE_DIR": str(folder), **known, **more}


def ended(server: FakeServer | None, folder: Path, *arguments: str, **more: str) -> tuple[int, str]:
    """Exit code and standard error of one that ends by itself."""
    done = subprocess.run(
        [*COMMAND, *arguments],
        env=environment(server, folder, **more),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stderr


def start(server: FakeServer, folder: Path, *arguments: str, **more: str) -> subprocess.Popen[str]:
    """One that is online when this returns."""
    bridge = subprocess.Popen(
        [*COMMAND, *arguments], env=environment(server, folder, **more), stdout=subprocess.PIPE, text=True
    )
    assert bridge.stdout is not None
    while "demo is online" not in (line := bridge.stdout.readline()):
        assert line, bridge.wait()
    return bridge


def asked(server: FakeServer, content: str) -> str:
    """What the agent answers."""
    message_id = write(server, content)
    server.until(lambda: has_ended(server, message_id))
    return said(server)[-1]


def test_a_script_is_an_agent_until_ctrl_c(server: FakeServer, tmp_path: Path) -> None:
    """
    Options behind its name are its own; the terminal shows each turn; it keeps its place for the next time.
    """
    with start(server, tmp_path, "command", "--name", "Upper", "sh", "-c", "tr a-z A-Z") as bridge:
        assert asked(server, "hello") == "HELLO\n"
        assert bridge.stdout is not None
        assert " answered (" in bridge.stdout.readline()
        bridge.send_signal(signal.SIGINT)
        assert bridge.wait(20) == 0
    assert (server.runs.card["name"], server.runs.card["supports"][-1]) == ("Upper", "attachments")
    assert [path.name.partition(".")[2] for path in tmp_path.iterdir()] == ["cursor.json"]


def test_a_program_that_is_kept_ends_with_the_terminal(server: FakeServer, tmp_path: Path, lifeline: Lifeline) -> None:
    """
    SIGHUP ends the bridge in order, and with it the process that waits for the next message.
    """
    arguments = ["command", "--session", "--end-marker", "ready", "--grace-s", "0.1", *stubborn(lifeline.path)]
    with start(server, tmp_path, *arguments) as bridge:
        message_id = write(server, "hello")
        server.until(lambda: has_ended(server, message_id))
        bridge.send_signal(signal.SIGHUP)
        assert bridge.wait(20) == 0
        lifeline._read_to_the_end()


def test_a_coding_agent_is_an_agent(server: FakeServer, tmp_path: Path) -> None:
    """
    Its first session is begun before anybody writes; it is remembered in the folder for that.
    """
    (tmp_path / "memory").mkdir()
    state = tmp_path / "state"
    program = [sys.executable, str(STANDIN), "--memory", str(tmp_path / "memory"), "--frames", str(tmp_path / "frames")]
    with start(server, state, "acp", "--cwd", str(tmp_path), *program) as bridge:
        assert asked(server, "hello") == "1: hello"
        assert asked(server, "again") == "2: again"
        bridge.terminate()
        assert bridge.wait(20) == 0
    assert len(list((tmp_path / "memory").iterdir())) == 1
    assert sorted(path.name.partition(".")[2] for path in state.iterdir()) == ["acp.json", "cursor.json"]


async def bridged(server: FakeServer, folder: Path, answer: Answer, *arguments: str, **more: str) -> tuple[str, Any]:
    """What the agent says to `hello`, with an endpoint for `{}` in the arguments; and what that was asked last."""
    async with open_endpoint(answer) as endpoint:
        command = [each.format(endpoint.url) for each in arguments]

        def scene() -> str:
            with start(server, folder, *command, **more) as bridge:
                said = asked(server, "hello")
                bridge.terminate()
                assert bridge.wait(20) == 0
                return said

        return await trio.to_thread.run_sync(scene), endpoint.requests[-1]


async def test_a_model_is_an_agent(server: FakeServer, tmp_path: Path) -> None:
    """
    The only one there, with its key, what it is told beforehand, and the fields that were set.
    """

    async def answer(request: Request, wire: Wire) -> None:
        if request.target == "/v1/models":
            await wire.answer(200, {"data": [{"id": "echo-1"}]})
        else:
            message = {"content": request.json["messages"][-1]["content"].upper()}
            await wire.answer(200, {"choices": [{"message": message, "finish_reason": "stop"}]})

    arguments = ["openai", "--base-url", "{}/v1", "--system", "Be brief.", "--set", "temperature=0.5", "--images"]
    said, request = await bridged(server, tmp_path, answer, *arguments, OPENAI_API_KEY="sk-1")
    assert said == "HELLO"
    assert (request.headers["authorization"], request.json["model"]) == ("Bearer sk-1", "echo-1")
    assert (request.json["temperature"], request.json["messages"][0]["content"]) == (0.5, "Be brief.")
    assert server.runs.card["model"] == "echo-1"


async def test_a_web_service_is_an_agent(server: FakeServer, tmp_path: Path) -> None:
    """
    With the secret from a file, and headers of one's own.
    """

    async def answer(_request: Request, wire: Wire) -> None:
        await wire.answer(200, {"content": "Hello yourself"})

    await anyio.Path(tmp_path / "secret").write_text("s3cret\n")
    arguments = ["webhook", "--secret-file", str(tmp_path / "secret"), "--header", "X-Key: k", "{}/hook"]
    said, request = await bridged(server, tmp_path / "state", answer, *arguments)
    assert said == "Hello yourself"
    assert (request.headers["x-key"], request.json["agent_id"]) == ("k", "demo")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["command"], "PROGRAM"),
        (["command", "--session", "cat"], "--session needs --end-marker or --quiet-s"),
        (["command", "--session", "--quiet-s", "1", "ask", "{message}"], "no {message} with --session"),
        (["command", "--quiet-s", "1", "cat"], "--end-marker and --quiet-s are for --session"),
        (["openai"], "--base-url"),
        (["openai", "--base-url", "http://x", "--set", "temperature"], "--set wants NAME=VALUE, not 'temperature'"),
        (["webhook", "http://x"], "no secret: set AMTRIO_WEBHOOK_SECRET, or give --secret-file"),
        (["acp"], "PROGRAM"),
    ],
)
def test_wrong_arguments_are_2(server: FakeServer, tmp_path: Path, arguments: list[str], words: str) -> None:
    """
    With a sentence, before anything is started.
    """
    code, errors = ended(server, tmp_path, *arguments)
    assert (code, words in errors) == (2, True), errors


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["command", "no-such-program-here"], "cannot start no-such-program-here"),
        (["acp", "true"], "true ended in the middle of its work"),
        (["openai", "--base-url", "http://127.0.0.1:9/v1"], "cannot reach the model's server at http://127.0.0.1:9/v1"),
        (["webhook", "http://127.0.0.1:9/"], "nobody listens at http://127.0.0.1:9/"),
    ],
)
def test_what_cannot_be_reached_is_5(server: FakeServer, tmp_path: Path, arguments: list[str], words: str) -> None:
    """
    Before the agent comes online: people do not see one that could not answer.
    """
    code, errors = ended(server, tmp_path, *arguments, AMTRIO_WEBHOOK_SECRET="s")
    assert (code, words in errors) == (5, True), errors
    assert server.hellos == []


def test_no_credential_is_2_a_refused_one_3_another_program_4(server: FakeServer, tmp_path: Path) -> None:
    """
    As `amtrio demo-agent` has it.
    """
    code, errors = ended(None, tmp_path, "command", "cat")
    assert (code, "no credential: set AMTRIO_AGENT_TOKEN" in errors) == (2, True)
    code, errors = ended(server, tmp_path, "command", "--token-file", str(tmp_path / "none"), "cat")
    assert (code, "cannot read" in errors) == (2, True)
    code, errors = ended(server, tmp_path, "command", "--token", "agt_wrong", "cat")
    assert (code, "the server refused the credential of demo" in errors) == (3, True)
    server.door.append((None, 4000, "no more"))
    code, errors = ended(server, tmp_path, "command", "cat")
    assert (code, "another program runs as demo" in errors) == (4, True)


@pytest.mark.parametrize("name", ["", "command", "openai", "acp", "webhook"])
def test_the_help_shows_one_of_each(name: str) -> None:
    """
    Something to copy, and what it is.
    """
    done = CliRunner().invoke(bridges, [name, "--help"] if name else ["--help"], terminal_width=100)
    assert done.exit_code == 0
    assert f"amtrio bridge {name}".strip() in done.stdout
