"""`amtrio serve` as a program: it starts, stops in order, and says why it cannot."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from amtrio.cli import server as module
from tests.web_client import make_web_client

PATIENCE_SECONDS = 30


@dataclass
class Program:
    """A running `amtrio serve`, and what it logs."""

    process: subprocess.Popen[str]
    port: int = 0
    entries: list[dict[str, Any]] = field(default_factory=list)
    other: list[str] = field(default_factory=list)

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=PATIENCE_SECONDS) as answer:
            return json.load(answer)

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_SECONDS)


def command(directory: Path, *arguments: str, stderr: int = subprocess.PIPE) -> subprocess.Popen[str]:
    """Start it with its data in `directory`."""
    return subprocess.Popen(
        [sys.executable, "-m", "amtrio", "serve", "--host", "127.0.0.1", "--port", "0", "--log-format", "json",
         "--data-dir", str(directory), *arguments],
        cwd=Path(__file__).parents[2], env={"PATH": os.environ["PATH"]}, stderr=stderr, text=True,
    )  # fmt: skip


@contextmanager
def running(directory: Path, *arguments: str) -> Iterator[Program]:
    program = Program(command(directory, *arguments))
    started = threading.Event()

    def read() -> None:
        assert program.process.stderr is not None
        with program.process.stderr as lines:
            for line in lines:
                try:
                    program.entries.append(json.loads(line))
                except ValueError:
                    program.other.append(line)
                    continue
                if program.entries[-1]["event"] == "server_started":
                    program.port = program.entries[-1]["addresses"][0][1]
                    started.set()
        started.set()

    reader = threading.Thread(target=read)
    reader.start()
    try:
        assert started.wait(PATIENCE_SECONDS)
        assert program.port, program.other
        yield program
    finally:
        if program.process.poll() is None:
            program.process.kill()
        program.process.wait(PATIENCE_SECONDS)
        reader.join(PATIENCE_SECONDS)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_in_order(tmp_path: Path, number: int) -> None:
    """Exit code 0; what it holds is closed, and its secrets are the owner's alone."""
    with running(tmp_path) as program:
        assert program.get("/health")["status"] == "ok"
        assert program.stop(number) == 0
    assert [entry["event"] for entry in program.entries][-1] == "server_stopped"
    assert not [entry for entry in program.entries if entry.get("level") in {"error", "critical"}]
    assert program.other == []
    secrets = [path for path in tmp_path.iterdir() if path.stat().st_mode & 0o077 and "secret" in path.name]
    assert secrets == []


def test_a_restart_keeps_secrets_and_data(tmp_path: Path) -> None:
    """A token of before opens the server of after."""
    with running(tmp_path) as program:
        body = json.dumps({"username": "alice", "password": "correct horse"}).encode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{program.port}/auth/register", body, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as answer:
            token = json.load(answer)["token"]
        assert program.stop() == 0
    with running(tmp_path) as program:
        request = urllib.request.Request(f"http://127.0.0.1:{program.port}/agents")
        request.add_header("Authorization", f"Bearer {token}")
        with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as answer:
            assert json.load(answer) == []
        assert program.stop() == 0


def refused(process: subprocess.Popen[str]) -> str:
    _, text = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == module.EXIT_FAILED
    assert "Traceback" not in text
    return text


def test_a_second_one_on_the_same_data_is_refused(tmp_path: Path) -> None:
    """With words an operator can act on; the first goes on."""
    with running(tmp_path) as program:
        assert "amtrio:" in refused(command(tmp_path))
        assert program.get("/health")["status"] == "ok"


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert f"cannot start on 127.0.0.1:{port}" in refused(command(tmp_path, "--port", str(port)))


def test_a_push_service_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    path = tmp_path / "amtrio.toml"
    path.write_text('[push]\nfcm_enabled = true\nfcm_credentials_path = "account.json"\n')
    text = refused(command(tmp_path / "data", "--config", str(path)))
    assert "amtrio: push.fcm_credentials_path" in text
    assert "account.json cannot be read: No such file or directory" in text.replace("\n", "")


def test_a_web_client_that_cannot_be_served_is_named(tmp_path: Path) -> None:
    path = tmp_path / "amtrio.toml"
    path.write_text('[server]\nwebchat_dir = "nowhere"\n')
    text = refused(command(tmp_path / "data", "--config", str(path))).replace("\n", "")
    assert f"amtrio: server.webchat_dir: {tmp_path}/nowhere cannot be read: No such file or directory" in text


def on_a_terminal(directory: Path, *arguments: str) -> str:
    """What it says there before it is stopped."""
    terminal, theirs = pty.openpty()
    program = command(directory, *arguments, stderr=theirs)
    os.close(theirs)
    said = b""
    try:
        while b"Ctrl-C" not in said:
            said += os.read(terminal, 4096)
    finally:
        program.kill()
        program.wait(PATIENCE_SECONDS)
        os.close(terminal)
    return re.sub(r"\x1b\[[0-9;]*m", "", said.decode())


@pytest.mark.parametrize("is_served", [True, False])
def test_on_a_terminal_it_says_where_to_look(tmp_path: Path, *, is_served: bool) -> None:
    """The address of the web chat, when there is one, and the link that makes its first administrator."""
    path = tmp_path / "amtrio.toml"
    folder = make_web_client(tmp_path / "built")
    path.write_text(f'[server]\nwebchat_dir = "{folder}"\nwebchat_enabled = {str(is_served).lower()}\n')
    tokens = set()
    for _ in range(2):
        plain = on_a_terminal(tmp_path / "data", "--config", str(path), "--demo")
        port = re.search(r"listens on http://localhost:(\d+)\s", plain)
        assert port is not None
        assert (f"web chat at http://localhost:{port[1]}/\r\n" in plain) == is_served
        link = re.search(rf"first administrator at http://localhost:{port[1]}/#/join/(inv_[\w-]{{43}})\r\n", plain)
        assert (link is not None) == is_served
        tokens |= {link[1]} if link is not None else set()
        # Of what is printed, all that is logged is one line of JSON each.
        logged = "".join(line for line in plain.splitlines() if line.startswith("{"))
        assert "server_started" in logged
        assert "inv_" not in logged.replace("invitation", "")
    assert len(tokens) == 2 * is_served, "each start makes a link of its own"


def test_without_a_terminal_nobody_is_invited(tmp_path: Path) -> None:
    """What it says is somebody's log then, and a log is no place for a token."""
    path = tmp_path / "amtrio.toml"
    path.write_text(f'[server]\nwebchat_dir = "{make_web_client(tmp_path / "built")}"\n')
    with running(tmp_path / "data", "--config", str(path)) as program:
        assert program.get("/auth/options")["needs_administrator"] is True
        assert program.stop() == 0
    assert program.other == []
    assert "inv_" not in repr(program.entries)
    with sqlite3.connect(tmp_path / "data" / "amtrio.db") as raw:
        assert raw.execute("SELECT count(*) FROM invitation").fetchone() == (0,)
    raw.close()


def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "amtrio.db"
    path.write_bytes(b"my diary" * 1000)
    assert "amtrio.db" in refused(command(tmp_path, "--db", str(path))).replace("\n", "")
    assert path.read_bytes() == b"my diary" * 1000


def test_it_can_bring_an_agent_to_talk_to(tmp_path: Path) -> None:
    """`--demo`, also on the second start."""
    for _ in range(2):
        with running(tmp_path, "--demo") as program:
            for _attempt in range(200):
                if program.get("/health")["agents_connected"] == 1:
                    break
                threading.Event().wait(0.05)
            assert program.get("/health")["agents_connected"] == 1
            assert program.stop() == 0
