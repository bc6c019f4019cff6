"""A bridge as an agent of a server: who it is, where it keeps its place, what it says on the terminal.

Knows the SDK. Knows nothing of what is bridged.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import anyio
import httpx

from amtrio.bridges.turn import Handler, Incoming, Run
from amtrio.client import Agent, Card, ClientError, FileCursors, Rest, RunFailed, SlashCommand

Report = Callable[[str], None]
_LINE_CHARACTERS_AT_MOST: Final = 200


@dataclass(frozen=True, slots=True)
class Identity:
    """
    Which agent the bridge is.

    Attributes:
        token: the agent's credential.
        state_dir: where it keeps its place in the log, and what else must outlive it.
        concurrency: how many conversations are answered at once.
    """

    agent_id: str
    url: str
    token: str
    state_dir: Path
    concurrency: int = 16

    def state_file(self, kind: str) -> Path:
        """One per agent and server, so that a folder may serve several."""
        server = hashlib.sha256(self.url.rstrip("/").encode()).hexdigest()[:8]
        return self.state_dir / f"{self.agent_id}-{server}.{kind}.json"

    def rest(self, http: httpx.AsyncClient) -> Rest:
        return Rest(self.url, token=self.token, agent_id=self.agent_id, http=http)


async def host(
    identity: Identity, handler: Handler, card: Card, *, report: Report, http: httpx.AsyncClient, **options: Any
) -> None:
    """
    Answer people with the handler until cancelled.

    Args:
        report: gets a line when the connection comes and goes, and one for each turn.
        options: further ones of `Agent`.

    Raises:
        AuthenticationEnded: the credential is wrong or was revoked. Replaced: another program runs as this agent.
    """
    agent = Agent(
        identity.agent_id,
        url=identity.url,
        token=identity.token,
        card=card,
        cursors=FileCursors(identity.state_file("cursor")),
        concurrency=identity.concurrency,
        client="amtrio-bridge",
        http=http,
        on_error=lambda _message, _exc: None,  # `reported` has told it
        report=report,
        **options,
    )
    agent.on_message(reported(handler, report))
    await agent.serve()


def reported(handler: Handler, report: Report, now_s: Callable[[], float] = time.monotonic) -> Handler:
    """The same handler with one line about each turn: whose it was and how it ended, never what was said."""

    async def handle(message: Incoming, run: Run) -> None:
        begin_s, how = now_s(), "broken off"
        try:
            await handler(message, run)
            how = "answered"
        except anyio.get_cancelled_exc_class():
            how = "stopped"
            raise
        except RunFailed as exc:
            how = f"failed: {exc}"
            raise
        except Exception as exc:
            how = f"failed: {type(exc).__name__}: {exc}"
            raise
        finally:
            line = " ".join(f"{message.message_id} of {message.user_id} {how}".split())[:_LINE_CHARACTERS_AT_MOST]
            report(f"{line} ({now_s() - begin_s:.1f} s)")

    return handle


class LiveCommands:
    """
    The slash commands of a card, which may change while the agent runs.

    Attributes:
        commands: as they are now; a `Card` that holds this very list tells the newest after every connecting.
    """

    def __init__(self, rest: Rest, report: Report) -> None:
        self.commands: list[SlashCommand] = []
        self._rest = rest
        self._report = report
        self._changed = anyio.Event()

    def replace(self, commands: Sequence[SlashCommand]) -> None:
        if list(commands) != self.commands:
            self.commands[:] = commands
            self._changed.set()

    async def run(self) -> None:
        """Tell the server of each change, until cancelled."""
        while True:
            await self._changed.wait()
            self._changed = anyio.Event()
            body = {"commands": Card(commands=self.commands).fields()["commands"]}
            try:
                await self._rest.call("PUT", "/agent/card", body=body)
            except ClientError as exc:
                self._report(f"the server did not take the commands: {exc}")
