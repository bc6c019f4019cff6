"""`amtrio user|agent|invite|audit`: through the running server's admin socket, or directly if none runs.

Knows arguments and output. What is done stands in the features' operations.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Any, NoReturn

import msgspec
import trio
import typer
from rich.console import Console
from rich.table import Table

import amtrio.features  # noqa: F401 - registers every operation
from amtrio.app import open_services
from amtrio.config import Config, load
from amtrio.errors import AmtrioError
from amtrio.store.problems import CannotOpen
from amtrio.transports.admin import SOCKET_NAME, operate

users = typer.Typer(help="People: add, list, give a new password, a tier or rights, remove.", no_args_is_help=True)
agents = typer.Typer(help="Agents: add, list, rotate or revoke their credential, remove.", no_args_is_help=True)

DataDir = Annotated[Path | None, typer.Option(help="Folder of everything that lasts.")]
Db = Annotated[Path | None, typer.Option(help="Database file.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
_TIMEOUT_SECONDS = 30.0
_PIPE_COLUMNS = 10_000


@users.command("add")
def add_user(
    username: str,
    password_stdin: Annotated[bool, typer.Option(help="Read the password from standard input.")] = False,
    db: Db = None,
    data_dir: DataDir = None,
) -> None:
    """Make an account; asks for the password."""
    password = _password(is_piped=password_stdin)
    made = _operate("user.add", {"username": username, "password": password}, db, data_dir)
    typer.echo(f"user {made['username']} added, id {made['user_id']}")


@users.command("list")
def list_users(as_json: AsJson = False, db: Db = None, data_dir: DataDir = None) -> None:
    """Everybody with an account."""
    _print(
        _operate("user.list", {}, db, data_dir),
        ("username", "user_id", "tier", "is_admin", "connections", "last_seen", "created_at"),
        as_json=as_json,
    )


@users.command("passwd")
def set_password(
    username: str,
    password_stdin: Annotated[bool, typer.Option(help="Read the password from standard input.")] = False,
    db: Db = None,
    data_dir: DataDir = None,
) -> None:
    """Give a person a new password; all their sessions end."""
    _operate("user.passwd", {"username": username, "password": _password(is_piped=password_stdin)}, db, data_dir)
    typer.echo(f"password of {username} changed; all sessions ended")


@users.command("remove")
def remove_user(username: str, yes: Yes = False, db: Db = None, data_dir: DataDir = None) -> None:
    """Remove a person with all conversations and messages."""
    if not yes:
        typer.confirm(f"Remove {username} and everything they wrote?", abort=True)
    _operate("user.remove", {"username": username}, db, data_dir)
    typer.echo(f"user {username} removed")


@users.command("promote")
def promote_user(username: str, db: Db = None, data_dir: DataDir = None) -> None:
    """Make a person an administrator."""
    _operate("user.promote", {"username": username}, db, data_dir)
    typer.echo(f"{username} is an administrator")


@users.command("demote")
def demote_user(username: str, db: Db = None, data_dir: DataDir = None) -> None:
    """Make an administrator a person like others; their open invitations end."""
    _operate("user.demote", {"username": username}, db, data_dir)
    typer.echo(f"{username} is no administrator")


@users.command("tier")
def set_tier(
    username: str,
    tier: Annotated[str, typer.Argument(help="free, pro or enterprise.")],
    db: Db = None,
    data_dir: DataDir = None,
) -> None:
    """Change how many REST requests a person has; it counts at once."""
    _operate("user.tier", {"username": username, "tier": tier}, db, data_dir)
    typer.echo(f"{username} is in tier {tier}")


def invite(
    admin: Annotated[bool, typer.Option("--admin", help="The account becomes an administrator's.")] = False,
    tier: Annotated[str | None, typer.Option(help="free, pro or enterprise.  [default: free]")] = None,
    uses: Annotated[int | None, typer.Option(help="How many accounts.  [default: 1]")] = None,
    hours: Annotated[float | None, typer.Option(help="How long it can be used.  [default: 168]")] = None,
    note: Annotated[str | None, typer.Option(help="Whom it is for.")] = None,
    origin: Annotated[str | None, typer.Option(help="How the link begins, https://chat.example")] = None,
    db: Db = None,
    data_dir: DataDir = None,
) -> None:
    """Make a link with which somebody makes an account. The link alone goes to standard output."""
    wish = {"is_admin": admin, "tier": tier, "uses": uses, "hours": hours, "note": note, "origin": origin}
    made = _operate("invitation.add", wish, db, data_dir)
    typer.echo(f"the invitation is shown this once and can be used until {made['expires_at']}:", err=True)
    if origin is None:
        typer.echo("put the address of your server before it", err=True)
    typer.echo(made["link"])


def audit(
    actor: Annotated[str | None, typer.Option(help="secret, cli, start or a user id.")] = None,
    action: Annotated[str | None, typer.Option(help="user.tier and the like.")] = None,
    subject: Annotated[str | None, typer.Option(help="The id of what was changed.")] = None,
    limit: Annotated[int | None, typer.Option(help="How many, the newest.  [default: 50]")] = None,
    as_json: AsJson = False,
    db: Db = None,
    data_dir: DataDir = None,
) -> None:
    """Who administered what, newest first."""
    wish = {"actor": actor, "action": action, "subject": subject, "limit": limit}
    entries = _operate("audit.list", wish, db, data_dir)["entries"]
    columns = ("number", "at", "actor", "actor_id", "address", "action", "subject", "details")
    _print(entries, columns, as_json=as_json)


@agents.command("add")
def add_agent(
    agent_id: str,
    name: Annotated[str | None, typer.Option(help="Shown to people.  [default: the id]")] = None,
    model: Annotated[str | None, typer.Option(help="What it runs on.")] = None,
    personality: Annotated[str | None, typer.Option()] = None,
    specialty: Annotated[str | None, typer.Option(help="What it is good at.")] = None,
    db: Db = None,
    data_dir: DataDir = None,
) -> None:
    """Make an agent and print its token, this once. The token alone goes to standard output."""
    card = {"name": name, "model": model, "personality": personality, "specialty": specialty}
    made = _operate("agent.add", {"agent_id": agent_id, **card}, db, data_dir)
    _show_token(f"agent {agent_id} added; its token is shown this once:", made["token"])


@agents.command("list")
def list_agents(as_json: AsJson = False, db: Db = None, data_dir: DataDir = None) -> None:
    """Every agent."""
    columns = ("agent_id", "name", "status", "credential", "connections", "last_seen")
    _print(_operate("agent.list", {}, db, data_dir), columns, as_json=as_json)


@agents.command("rotate")
def rotate_agent(agent_id: str, db: Db = None, data_dir: DataDir = None) -> None:
    """Give an agent a new token; the old one, and the shared secret, are refused from now on."""
    made = _operate("agent.rotate", {"agent_id": agent_id}, db, data_dir)
    _show_token(f"the new token of {agent_id}, shown this once:", made["token"])


@agents.command("revoke")
def revoke_agent(agent_id: str, db: Db = None, data_dir: DataDir = None) -> None:
    """Refuse an agent until `rotate`; its conversations stay."""
    _operate("agent.revoke", {"agent_id": agent_id}, db, data_dir)
    typer.echo(f"agent {agent_id} revoked")


@agents.command("remove")
def remove_agent(agent_id: str, yes: Yes = False, db: Db = None, data_dir: DataDir = None) -> None:
    """Remove an agent with all its conversations."""
    if not yes:
        typer.confirm(f"Remove {agent_id} and every conversation with it?", abort=True)
    _operate("agent.remove", {"agent_id": agent_id}, db, data_dir)
    typer.echo(f"agent {agent_id} removed")


def _show_token(text: str, token: str) -> None:
    typer.echo(text, err=True)
    typer.echo(token)


def _password(*, is_piped: bool) -> str:
    if is_piped:
        return sys.stdin.readline().rstrip("\n")
    password: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    return password


def _print(rows: list[Mapping[str, Any]], columns: tuple[str, ...], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return
    table = Table(*(column.replace("_", " ") for column in columns), box=None, header_style="bold")
    for row in rows:
        table.add_row(*(_cell(row.get(column)) for column in columns))
    # A file or a pipe has no width, and what is cut off there is lost.
    Console(width=None if sys.stdout.isatty() else _PIPE_COLUMNS).print(table)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return json.dumps(value) if isinstance(value, dict | list) else str(value)


def _operate(operation: str, arguments: Mapping[str, Any], db: Path | None, data_dir: Path | None) -> Any:
    """Ask the running server; if there is none, open the database. Ends the program with 1 if it is refused."""
    flags = {"db": db, "data-dir": data_dir}
    given = {name: str(value) for name, value in flags.items() if value is not None}
    # Only what adds something may begin a new database; anything else on none is a mistyped folder.
    is_beginning = operation.endswith(".add")
    config = load(given, os.environ, Path.cwd(), make_secrets=is_beginning).config
    if not is_beginning and not config.storage.db_path.exists():
        _end(f"no database at {config.storage.db_path}; --data-dir or --db names another")
    arguments = {name: value for name, value in arguments.items() if value is not None}
    try:
        answer = _ask(config.storage.data_dir, operation, arguments)
        if answer is None:
            answer = {"result": trio.run(partial(_directly, config, operation, arguments))}
    except (AmtrioError, CannotOpen) as exc:
        _end(str(exc))
    if "error" in answer:
        _end(answer["error"])
    return answer["result"]


def _end(text: str) -> NoReturn:
    Console(stderr=True, highlight=False).print(f"amtrio: {text}", markup=False, soft_wrap=True)
    sys.exit(1)


def _ask(data_dir: Path, operation: str, arguments: Mapping[str, Any]) -> dict[str, Any] | None:
    """The server's answer; None if no server listens."""
    try:
        directory = os.open(data_dir, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link:
            link.settimeout(_TIMEOUT_SECONDS)
            try:
                link.connect(f"/proc/self/fd/{directory}/{SOCKET_NAME}")
            except (FileNotFoundError, ConnectionRefusedError):
                return None
            link.sendall(json.dumps({"operation": operation, "arguments": arguments}).encode() + b"\n")
            with link.makefile("rb") as answers:
                answer: dict[str, Any] = json.loads(answers.readline())
                return answer
    finally:
        os.close(directory)


async def _directly(config: Config, operation: str, arguments: Mapping[str, Any]) -> Any:
    async with open_services(config) as (services, _):
        return msgspec.to_builtins(await operate(services, operation, arguments))
