"""`amtrio`: the server and everything that is done to it from a shell.

Knows arguments, output and exit codes: 0 done, 1 refused or failed (the text says why), 2 wrong arguments.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console

from amtrio import __version__
from amtrio.cli import accounts, server
from amtrio.cli.config import print_config
from amtrio.config import ConfigError, load

app = typer.Typer(
    name="amtrio",
    help="Your own messenger for talking to your AI agents: your server, your apps, your data.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("serve")(server.serve)
app.add_typer(accounts.users, name="user")
app.add_typer(accounts.agents, name="agent")
app.command("invite")(accounts.invite)
app.command("audit")(accounts.audit)


@app.command("config")
def show_config(
    config: Annotated[Path | None, typer.Option(help="Settings file (TOML).")] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Folder of everything that lasts.")] = None,
) -> None:
    """Print every setting in force and where it comes from; secrets are masked."""
    flags = {"config": str(config) if config else None, "data-dir": str(data_dir) if data_dir else None}
    given = {name: value for name, value in flags.items() if value is not None}
    loaded = load(given, os.environ, Path.cwd(), make_secrets=False)
    print_config(loaded, Console())


@app.command("version")
def show_version() -> None:
    """Print the version."""
    typer.echo(f"amtrio {__version__}")


def add_clients() -> None:
    """The commands that talk to a server; a server that starts has no use for the third of a second they import."""
    from amtrio.cli import bridge, chat, demo_agent

    app.command("chat")(chat.chat)
    app.command("demo-agent")(demo_agent.demo_agent)
    app.add_typer(bridge.bridges, name="bridge")


def main() -> NoReturn:
    """Run the command line; exits with its code."""
    if sys.argv[1:2] != ["serve"]:
        add_clients()
    try:
        app()
    except ConfigError as exc:
        Console(stderr=True, highlight=False).print(f"amtrio: {exc}", markup=False, soft_wrap=True)
        sys.exit(1)
    sys.exit(0)
