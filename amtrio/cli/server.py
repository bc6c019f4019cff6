"""`amtrio serve`: run the server until it is told to stop.

Knows settings, exit codes and what a newcomer wants to read on the screen.
"""

from __future__ import annotations

import os
import sys
import threading
from functools import partial
from pathlib import Path
from typing import Annotated

import structlog
import trio
import typer
from rich.console import Console

import amtrio.features  # noqa: F401 - registers every capability
from amtrio.app import CannotTrace, Running, Stop
from amtrio.app import serve as run_server
from amtrio.config import Config, Loaded, load
from amtrio.errors import Conflict
from amtrio.features.agents import AddAgent, AgentName, operation_add, operation_rotate
from amtrio.features.invitations import invite_first_administrator
from amtrio.log import configure
from amtrio.push.provider import CannotPush
from amtrio.store.problems import CannotOpen
from amtrio.transports.webchat import CannotServe

log = structlog.stdlib.get_logger(__name__)

EXIT_FAILED = 1
EXIT_FORCED = 4
DEMO_AGENT_ID = "demo"


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.  [default: 0.0.0.0]")] = None,
    port: Annotated[
        int | None, typer.Option("--port", "-p", help="Port; 0 takes any free one.  [default: 8080]")
    ] = None,
    db: Annotated[Path | None, typer.Option(help="Database file.  [default: data/amtrio.db]")] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Folder of everything that lasts.")] = None,
    config: Annotated[Path | None, typer.Option(help="Settings file (TOML).")] = None,
    log_level: Annotated[str | None, typer.Option(help="debug, info, warning or error.")] = None,
    log_format: Annotated[str | None, typer.Option(help="auto, json or console.")] = None,
    tls_cert: Annotated[Path | None, typer.Option(help="Certificate chain (PEM), for TLS of our own.")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="Private key (PEM).")] = None,
    demo: Annotated[bool, typer.Option("--demo", help="Also run an agent to talk to, in this process.")] = False,
) -> None:
    """
    Run the server.

    Settings: defaults, then the file, the environment, these flags; `amtrio config` shows them all. SIGTERM or Ctrl-C
    stops it in order within ten seconds, a second one at once.

    Exit codes: 0 stopped in order, 1 could not start (a setting it refuses, the port, the
    database) or broke, 2 unknown arguments, 4 did not end in time and was ended.
    """
    flags = {
        "host": host,
        "port": port,
        "db": db,
        "data-dir": data_dir,
        "config": config,
        "log-level": log_level,
        "log-format": log_format,
        "tls-cert": tls_cert,
        "tls-key": tls_key,
    }
    given = {name: str(value) for name, value in flags.items() if value is not None}
    loaded = load(given, os.environ, Path.cwd())
    configure(level=loaded.config.log.level, style=loaded.config.log.format)
    for warning in loaded.warnings:
        log.warning("setting_doubtful", text=warning)
    sys.exit(_run(loaded, demo=demo))


def _run(loaded: Loaded, *, demo: bool) -> int:
    code = 0
    try:
        trio.run(partial(_main, loaded.config, demo=demo), strict_exception_groups=True)
    except* (CannotOpen, CannotTrace, CannotPush, CannotServe) as group:
        for exc in _leaves(group):
            Console(stderr=True, highlight=False).print(f"amtrio: {exc}", markup=False, soft_wrap=True)
        code = EXIT_FAILED
    except* OSError as group:
        for exc in _leaves(group):
            where = f"{loaded.config.server.host}:{loaded.config.server.port}"
            Console(stderr=True, highlight=False).print(
                f"amtrio: cannot start on {where}: {exc}", markup=False, soft_wrap=True
            )
        code = EXIT_FAILED
    return code


def _leaves(group: BaseExceptionGroup[BaseException]) -> list[BaseException]:
    found: list[BaseException] = []
    for exc in group.exceptions:
        found += _leaves(exc) if isinstance(exc, BaseExceptionGroup) else [exc]
    return found


async def _main(config: Config, *, demo: bool) -> None:
    async with trio.open_nursery() as nursery:
        running: Running = await nursery.start(partial(run_server, config, has_signals=True))
        nursery.start_soon(_end_in_time, running.stop, config.server.drain_s)
        if sys.stderr.isatty():
            await _say_where(config, running, demo=demo)
        if demo:
            async with trio.open_nursery() as demonstrating:
                demonstrating.start_soon(_demonstrate, running)
                await running.stop.wait()
                demonstrating.cancel_scope.cancel()


async def _end_in_time(stop: Stop, budget_seconds: float) -> None:
    """A disk that hangs must not hold the process: past the budget it ends, whatever it is doing."""
    await stop.wait()

    def end() -> None:
        sys.stderr.write("amtrio: did not stop in time, ending now\n")
        sys.stderr.flush()
        os._exit(EXIT_FORCED)

    timer = threading.Timer(budget_seconds, end)
    timer.daemon = True
    timer.start()


async def _say_where(config: Config, running: Running, *, demo: bool) -> None:
    """For somebody who looks at a terminal and for no log: the link is as good as an administrator's password."""
    scheme = "https" if config.server.tls_cert else "http"
    origin = f"{scheme}://localhost:{running.port}"
    console = Console(stderr=True, highlight=False)
    console.print(f"\n  [bold]amtrio[/bold] listens on [bold cyan]{origin}[/bold cyan]")
    if running.has_webchat:
        console.print(f"  web chat at [bold cyan]{origin}/[/bold cyan]")
        link = await invite_first_administrator(running.services, origin)
        if link is not None:
            console.print(f"  make its first administrator at [bold cyan]{link}[/bold cyan]", soft_wrap=True)
    console.print(f"  data in [cyan]{config.storage.data_dir.resolve()}[/cyan], Ctrl-C stops it")
    if demo:
        url = f" --url {origin}" if running.port != 8080 else ""  # noqa: PLR2004 - the default
        console.print(f"\n  Talk to the demo agent from another terminal: [bold].venv/bin/amtrio chat{url}[/bold]\n")


async def _demonstrate(running: Running) -> None:
    """Run the demo agent over a real socket, like any other agent."""
    from amtrio.cli.demo_agent import run_demo_agent

    services = running.services
    try:
        made = await operation_add(
            services,
            AddAgent(agent_id=DEMO_AGENT_ID, name="Demo", specialty="shows what amtrio does", model="none: a script"),
        )
    except Conflict:
        made = await operation_rotate(services, AgentName(agent_id=DEMO_AGENT_ID))
    scheme = "https" if services.config.server.tls_cert else "http"
    keys = services.config.storage.data_dir / "demo-agent.keys"
    await run_demo_agent(f"{scheme}://localhost:{running.port}", DEMO_AGENT_ID, made["token"], keys=keys)
