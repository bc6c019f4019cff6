"""The server as a program of its own: started, killed, started again on the same port, its log read line by line."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import socket as stdlib_socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import httpx
import trio

from tests.harness import ADMIN_SECRET, AGENT_SECRET, JWT_SECRET, PASSWORD

Json = dict[str, Any]
ROOT = Path(__file__).parents[2]
START_SECONDS = 30.0
SETTINGS = {
    "JWT_SECRET": JWT_SECRET,
    "AGENT_SECRET": AGENT_SECRET,
    "ADMIN_SECRET": ADMIN_SECRET,
    "MESSAGE_RATE_USER": "0",
    "MESSAGE_RATE_AGENT": "0",
    "EPHEMERAL_RATE": "0",
    "AUTH_RATE_LIMIT": "0",
    "AMTRIO_LIMITS_REQUESTS_PER_MINUTE": "0",
    "AMTRIO_LIMITS_FREE_REQUESTS_PER_MINUTE": "0",
}


def free_port() -> int:
    """
    One that nobody has now, and that nobody gets by chance while the server is down between two lives.

    Connections going out take theirs from 32768 upwards.
    """
    for _ in range(100):
        port = random.randrange(20_000, 32_000)
        with stdlib_socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(stdlib_socket.SOL_SOCKET, stdlib_socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no free port")


@dataclass
class Program:
    """
    One life of `amtrio serve`.

    Attributes:
        log: what it has logged so far. other: what else it has written to standard error.
    """

    process: trio.Process
    log: list[Json] = field(default_factory=list)
    other: list[str] = field(default_factory=list)
    over: trio.Event = field(default_factory=trio.Event)
    _news: trio.Event = field(default_factory=trio.Event)

    @property
    def port(self) -> int:
        """Where it listens."""
        (started,) = (line for line in self.log if line["event"] == "server_started")
        port: int = started["addresses"][0][1]
        return port

    def logged(self, event: str) -> list[Json]:
        """Every line of this event."""
        return [line for line in self.log if line["event"] == event]

    def errors(self) -> list[Json]:
        """What nobody expected."""
        return [line for line in self.log if line["level"] in {"error", "critical"}]

    async def wait_for_log(self, event: str) -> Json:
        """The first line of this event."""
        while not (found := self.logged(event)):
            if self.over.is_set():
                text = f"ended without {event!r}: {self.process.returncode} {self.log} {self.other}"
                raise AssertionError(text)
            await self._news.wait()
        return found[0]

    def tell(self, number: signal.Signals) -> None:
        """Send a signal."""
        self.process.send_signal(number)

    async def kill(self) -> None:
        """`kill -9`: not one instruction more."""
        self.process.kill()
        await self.over.wait()

    async def wait(self) -> int:
        """Its exit code; the log is whole by then."""
        await self.over.wait()
        code = self.process.returncode
        assert code is not None
        return code

    async def _read(self) -> None:
        assert self.process.stderr is not None
        rest = b""
        async for chunk in self.process.stderr:
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                try:
                    self.log.append(json.loads(line))
                except ValueError:
                    self.other.append(line.decode(errors="replace"))
            self._tell_news()
        if rest:
            self.other.append(rest.decode(errors="replace"))
        await self.process.wait()
        self.over.set()
        self._tell_news()

    def _tell_news(self) -> None:
        self._news.set()
        self._news = trio.Event()


@asynccontextmanager
async def launch(
    directory: Path,
    *,
    port: int = 0,
    prepare: Callable[[], None] | None = None,
    program: Sequence[str] = ("-m", "amtrio", "serve"),
    **settings: str,
) -> AsyncIterator[Program]:
    """
    Run the server with its data in `directory`; on leaving it is killed if it still runs.

    Args:
        prepare: runs in the child before the server does.
        program: what Python is to run instead.
        settings: further environment.
    """
    environment: Mapping[str, str] = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
        **SETTINGS,
        **settings,
    }
    flags = ["--host", "127.0.0.1", "--port", str(port), "--data-dir", str(directory), "--log-format", "json"]
    process = await trio.lowlevel.open_process(
        [sys.executable, *program, *flags],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
        env=environment,
        cwd=str(directory.parent),
        preexec_fn=prepare,
    )
    life = Program(process)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(life._read)
        try:
            yield life
        finally:
            if process.returncode is None:
                process.kill()
            with trio.CancelScope(shield=True), trio.move_on_after(START_SECONDS):
                await life.over.wait()


async def started(life: Program) -> int:
    """Wait until it accepts connections; its port."""
    with trio.fail_after(START_SECONDS):
        await life.wait_for_log("server_started")
    return life.port


class Rest:
    """REST against a program."""

    def __init__(self, port: int) -> None:
        self.http = httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.http.aclose()

    async def register(self, name: str) -> str:
        """Make an account; a token."""
        return str(await self._token("/auth/register", name))

    async def login(self, name: str) -> str:
        """Another login session: a token."""
        return str(await self._token("/auth/login", name))

    async def _token(self, path: str, name: str) -> Any:
        answer = await self.http.post(path, json={"username": name, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        return answer.json()["token"]

    async def register_agent(self, agent_id: str) -> None:
        """As the older protocol does."""
        answer = await self.http.post(
            "/auth/agent", data={"agent_id": agent_id}, headers={"X-Agent-Secret": AGENT_SECRET}
        )
        assert answer.status_code == 200, answer.text

    async def conversation(self, token: str, agent_id: str) -> str:
        """The default one with this agent."""
        answer = await self.http.post("/conversations", json={"agent_id": agent_id}, headers=bearer(token))
        assert answer.status_code == 200, answer.text
        return str(answer.json()["conversation_id"])

    async def history(self, token: str, conversation_id: str) -> list[Json]:
        """All of it, oldest first."""
        found: list[Json] = []
        while True:
            query: dict[str, Any] = {"limit": 200} | ({"before": found[0]["conversation_seq"]} if found else {})
            answer = await self.http.get(
                f"/conversations/{conversation_id}/messages", params=query, headers=bearer(token)
            )
            assert answer.status_code == 200, answer.text
            page: list[Json] = answer.json()
            if not page:
                return found
            found = page + found


def bearer(token: str) -> dict[str, str]:
    """The header that carries it."""
    return {"Authorization": f"Bearer {token}"}
