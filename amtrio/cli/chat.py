"""`amtrio chat`: talk to agents from a terminal.

Knows options, exit codes and who one is. What happens at the terminal stands in `chat_session`, a single question in
`chat_once`.
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Annotated, Final, Literal

import anyio
import msgspec
import typer
from anyio.abc import TaskStatus

from amtrio.cli.chat_account import (
    Account,
    NoCredential,
    Questions,
    account_file,
    device,
    keep_account,
    kept_account,
    sign_in,
    state_dir,
)
from amtrio.cli.chat_drawing import safe
from amtrio.cli.chat_model import ChatModel
from amtrio.cli.chat_once import Once, open_once
from amtrio.cli.chat_session import Chat
from amtrio.client import (
    AgentInfo,
    AuthenticationEnded,
    Backoff,
    ClientError,
    Connection,
    Refused,
    Replaced,
    Rest,
    Unreachable,
)
from amtrio.clock import SystemClock

# Somebody is looking at the screen: come back sooner than an unattended agent would.
LONGEST_WAIT_SECONDS: Final = 5.0
_UNAUTHORIZED = 401  # RFC 9110, 15.5.2

EXIT_FAILED: Final = 1
EXIT_USAGE: Final = 2
EXIT_NOT_SIGNED_IN: Final = 3
EXIT_UNREACHABLE: Final = 4
EXIT_NO_ANSWER: Final = 5
EXIT_NO_SUCH_AGENT: Final = 6
EXIT_NOT_WHOLE: Final = 7
_EXIT_INTERRUPTED: Final = 130  # as shells report a program that SIGINT ended


class _Options(msgspec.Struct, frozen=True, kw_only=True):
    url: str
    user: str | None
    register: bool
    agent: str | None
    once: str | None
    password: str | None
    timeout_s: float
    state: Path


def chat(
    url: Annotated[str, typer.Option(envvar="AMTRIO_URL", help="Address of the server.")] = "http://127.0.0.1:8080",
    user: Annotated[str | None, typer.Option(envvar="AMTRIO_USER", help="Your name on the server.")] = None,
    register: Annotated[bool, typer.Option("--register", help="Make an account of this name first.")] = False,
    agent: Annotated[str | None, typer.Option(help="Open the conversation with this agent at once.")] = None,
    once: Annotated[
        str | None, typer.Option(help="Say this to --agent, print the answer as it comes and leave.")
    ] = None,
    timeout: Annotated[float, typer.Option(min=0.1, help="Seconds to wait for the answer to --once to begin.")] = 60.0,
    password_file: Annotated[
        Path | None, typer.Option(help="Read the password from this file; else $AMTRIO_PASSWORD, else you are asked.")
    ] = None,
) -> None:
    """
    Talk to agents from a terminal.

    Exit codes: 0 done or left, 1 failed, 2 wrong usage, 3 not signed in, 4 server not reachable, 5 no answer within
    --timeout, 6 no such agent, 7 the answer is not whole: it failed, was interrupted, or was stopped elsewhere; 130
    ended by Ctrl-C, which stops the answer.
    """
    if once is not None and agent is None:
        raise _failed(EXIT_USAGE, "--once needs --agent")
    options = _Options(
        url=url,
        user=user,
        register=register,
        agent=agent,
        once=once,
        password=_given_password(password_file),
        timeout_s=timeout,
        state=state_dir(os.environ),
    )
    # prompt-toolkit runs on asyncio alone; the client library does not mind.
    try:
        anyio.run(_main, options, backend="asyncio")
    except (NoCredential, AuthenticationEnded) as exc:
        raise _failed(EXIT_NOT_SIGNED_IN, f"not signed in: {exc}") from exc
    except Unreachable as exc:
        raise _failed(EXIT_UNREACHABLE, str(exc)) from exc
    except Replaced as exc:
        raise _failed(EXIT_FAILED, f"this device was opened elsewhere: {exc}") from exc
    except (ClientError, OSError) as exc:
        raise _failed(EXIT_FAILED, str(exc)) from exc
    except KeyboardInterrupt:
        raise typer.Exit(_EXIT_INTERRUPTED) from None


async def _main(options: _Options) -> None:
    failure: ClientError | None = None
    file = account_file(options.state, options.url)
    async with AsyncExitStack() as stack:
        device_id = stack.enter_context(device(options.state, SystemClock()))
        account = await _signed_in(options, file, device_id)
        try:
            connection = await stack.enter_async_context(
                Connection(
                    options.url,
                    token=account.token,
                    device_id=device_id,
                    begin="snapshot" if options.once is None else "log",
                    client="amtrio-chat",
                    backoff=Backoff(longest_s=LONGEST_WAIT_SECONDS),
                )
            )
            if options.once is None:
                failure = await _talk(connection, options.agent)
            else:
                await _once(connection, options, options.once)
        except AuthenticationEnded:
            file.unlink(missing_ok=True)
            raise
    if isinstance(failure, AuthenticationEnded):
        file.unlink(missing_ok=True)
    if failure is not None:
        raise failure


async def _talk(connection: Connection, agent: str | None) -> ClientError | None:
    async with anyio.create_task_group() as tasks:
        talk = Chat(connection, tasks, agent=agent)
        await talk.run()
    return talk.failure


async def _once(connection: Connection, options: _Options, text: str) -> None:
    agent = await _find_agent(connection, options)
    once = await open_once(connection, agent.agent_id, _write)
    failure: ClientError | None = None
    async with anyio.create_task_group() as tasks:
        await tasks.start(_on_ctrl_c, once)
        try:
            await once.ask(text, timeout_s=options.timeout_s)
        except ClientError as exc:
            failure = exc  # raised outside of the group, which would wrap it
        tasks.cancel_scope.cancel()
    if once.reply.has_written:
        _write("\n")
    if failure is not None:
        raise failure
    _judge(once, agent.agent_id, options.timeout_s)


async def _find_agent(connection: Connection, options: _Options) -> AgentInfo:
    model = ChatModel()
    try:
        model.set_agents(await connection.rest.agents())
    except Refused as exc:
        if exc.status == _UNAUTHORIZED:
            raise AuthenticationEnded(str(exc)) from exc
        raise
    agent = model.find_agent(options.agent or "")
    if agent is None:
        raise _failed(EXIT_NO_SUCH_AGENT, f"no agent {options.agent!r} on {options.url}")
    return agent


async def _on_ctrl_c(once: Once, *, task_status: TaskStatus[None]) -> None:
    with anyio.open_signal_receiver(signal.SIGINT) as signals:
        task_status.started()
        async for _ in signals:
            once.interrupt()


def _write(text: str) -> None:
    """At once, into a pipe as well: whoever reads it wants to see it grow."""
    sys.stdout.write(text)
    sys.stdout.flush()


def _judge(once: Once, agent_id: str, timeout_s: float) -> None:
    reply = once.reply
    if once.was_interrupted:
        raise typer.Exit(_EXIT_INTERRUPTED)
    if reply.outcome not in {None, "done"}:
        why = f": {safe(reply.error)}" if reply.error else ""
        raise _failed(EXIT_NOT_WHOLE, f"the answer is not whole, {agent_id} says {reply.outcome}{why}")
    if not reply.has_messages:
        when = f"within {timeout_s:g} s" if reply.outcome is None else "anything"
        raise _failed(EXIT_NO_ANSWER, f"{agent_id} did not answer {when}")


async def _signed_in(options: _Options, file: Path, device_id: str) -> Account:
    kept = None if options.register else kept_account(file, options.user)
    if kept is not None:
        return kept
    questions = Questions(
        username=lambda: str(typer.prompt("Name")),
        password=lambda: str(typer.prompt("Password", hide_input=True)),
        after_refusal=_what_now,
    )
    if options.password is not None:
        given = options.password
        questions = Questions(username=questions.username, password=lambda: given, after_refusal=lambda _why: "quit")
    elif options.once is not None:
        raise NoCredential("run `amtrio chat` once, or give --user and --password-file")
    async with Rest(options.url) as rest:
        account = await sign_in(rest, questions, options.user, register=options.register, device_id=device_id)
    keep_account(file, account)
    return account


def _what_now(why: str) -> Literal["again", "register", "quit"]:
    typer.echo(why, err=True)
    choice = str(typer.prompt("(t)ry again, (r)egister a new account of this name, or (q)uit", default="t"))
    match choice[:1].lower():
        case "t":
            return "again"
        case "r":
            return "register"
        case _:
            return "quit"


def _given_password(file: Path | None) -> str | None:
    if file is None:
        return os.environ.get("AMTRIO_PASSWORD") or None
    try:
        return file.read_text().rstrip("\r\n")
    except OSError as exc:
        raise _failed(EXIT_USAGE, f"cannot read {file}: {exc.strerror}") from exc


def _failed(code: int, text: str) -> typer.Exit:
    typer.echo(f"amtrio chat: {text}", err=True)
    return typer.Exit(code)
