"""What all bridges of the command line share: which agent it is, how they are run, and with which code they end.

Knows options, signals and exit codes. Knows nothing of what is bridged.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import anyio
import httpx
import msgspec
import typer

from amtrio.bridges.children import CannotStart
from amtrio.bridges.files import Files
from amtrio.bridges.groups import unwrapped
from amtrio.bridges.host import Identity, host
from amtrio.bridges.openai import EndpointUnusable
from amtrio.bridges.turn import Handler
from amtrio.bridges.webhook import HookUnusable
from amtrio.client import AuthenticationEnded, Card, ClientError, Replaced
from amtrio.client.card import ALWAYS_SUPPORTED
from amtrio.client.rest import new_http

_COMMON: Final = "Which agent it is"

Url = Annotated[str, typer.Option(envvar="AMTRIO_URL", help="Address of the server.", rich_help_panel=_COMMON)]
AgentId = Annotated[str, typer.Option(envvar="AMTRIO_AGENT_ID", help="Which agent this is.", rich_help_panel=_COMMON)]
Token = Annotated[
    str,
    typer.Option(
        envvar="AMTRIO_AGENT_TOKEN",
        help="Its credential, as `amtrio agent add` printed it. Others on this machine may see it among the arguments.",
        rich_help_panel=_COMMON,
    ),
]
TokenFile = Annotated[
    Path | None, typer.Option(help="Read the credential from this file instead.", rich_help_panel=_COMMON)
]
Name = Annotated[str | None, typer.Option(help="What people see it called.", rich_help_panel=_COMMON)]
StateDir = Annotated[
    Path | None,
    typer.Option(
        envvar="AMTRIO_STATE_DIR",
        help="Where it keeps its place and its sessions, if not in ~/.local/state/amtrio.",
        rich_help_panel=_COMMON,
    ),
]
Concurrency = Annotated[
    int, typer.Option(min=1, help="How many conversations are answered at once.", rich_help_panel=_COMMON)
]


@dataclass(frozen=True, slots=True)
class Common:
    """What every bridge is given."""

    identity: Identity
    name: str | None

    def card(self, *more: str, **fields: Any) -> Card:
        """Args: more: what it supports beyond what every agent does."""
        return Card(name=self.name, supports=(*ALWAYS_SUPPORTED, *more), **fields)

    def files(self, http: httpx.AsyncClient) -> Files:
        return Files(http, self.identity.url, self.identity.token, self.identity.agent_id)


Opened = AbstractAsyncContextManager[tuple[Handler, Card]]
# Opens what is bridged; what it raises before it is open ends the program with 5.
Opening = Callable[[httpx.AsyncClient], Opened]


def common_of(
    url: str,
    agent_id: str,
    token: str,
    token_file: Path | None,
    name: str | None,
    state_dir: Path | None,
    concurrency: int,
) -> Common:
    """
    Raises:
        typer.Exit: 2, there is no credential.
    """
    token = read(token_file) if token_file is not None else token
    if not token:
        raise failed(
            2,
            "no credential: set AMTRIO_AGENT_TOKEN, or give --token-file, to what `amtrio agent add "
            f"{agent_id}` printed",
        )
    folder = state_dir or Path.home() / ".local" / "state" / "amtrio"
    return Common(Identity(agent_id, url, token, folder, concurrency), name)


def run(common: Common, opening: Opening) -> None:
    """
    Bridge until SIGINT, SIGTERM or SIGHUP.

    Raises:
        typer.Exit: with one of the codes that `amtrio bridge --help` lists.
    """
    agent_id = common.identity.agent_id
    try:
        anyio.run(_until_stopped, common, opening, backend="trio")
    except (CannotStart, EndpointUnusable, HookUnusable) as exc:
        raise failed(5, str(exc)) from exc
    except AuthenticationEnded as exc:
        raise failed(3, f"the server refused the credential of {agent_id}: {exc}") from exc
    except Replaced as exc:
        raise failed(4, f"another program runs as {agent_id}: {exc}") from exc
    except ClientError as exc:
        raise failed(1, str(exc)) from exc


async def _until_stopped(common: Common, opening: Opening) -> None:
    with unwrapped():
        async with anyio.create_task_group() as tasks:

            async def bridge() -> None:
                async with new_http() as http, opening(http) as (handler, card):
                    await host(common.identity, handler, card, report=say, http=http)

            # Before anything is started, so that a signal finds somebody to end it in order.
            with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM, signal.SIGHUP) as signals:
                tasks.start_soon(bridge)
                async for _ in signals:
                    tasks.cancel_scope.cancel()


def say(line: str) -> None:
    """A line for the terminal; what programs say must not steer it."""
    typer.echo("".join(c if c.isprintable() else " " for c in line))


def read(path: Path) -> str:
    """
    The text of a file, without white space round it.

    Raises:
        typer.Exit: 2, it cannot be read.
    """
    try:
        return path.read_text().strip()
    except (OSError, UnicodeDecodeError) as exc:
        raise failed(2, f"cannot read {path}: {getattr(exc, 'strerror', None) or 'it is no text'}") from exc


def split(text: str, separator: str, option: str) -> tuple[str, str]:
    """
    Raises:
        typer.Exit: 2, there is no name or no separator.
    """
    name, found, value = text.partition(separator)
    if not found or not name.strip():
        raise failed(2, f"{option} wants NAME{separator}VALUE, not {text!r}")
    return name.strip(), value.strip()


def fields_of(options: list[str]) -> dict[str, Any]:
    """`temperature=0.5` is a number, `stop=["END"]` a list, `user=me` a text: JSON where it is some."""
    found: dict[str, Any] = {}
    for each in options:
        name, value = split(each, "=", "--set")
        try:
            found[name] = msgspec.json.decode(value)
        except msgspec.DecodeError:
            found[name] = value
    return found


def failed(code: int, text: str) -> typer.Exit:
    typer.echo(f"amtrio bridge: {text}", err=True)
    return typer.Exit(code)
