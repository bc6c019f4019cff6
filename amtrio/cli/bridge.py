"""`amtrio bridge`: turn something that exists into an agent: a program, a model, a coding agent, a web service.

Knows arguments, output and exit codes; what each bridge does stands in `amtrio.bridges`.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Final

import anyio
import httpx
import typer

from amtrio import __version__
from amtrio.bridges.acp import Acp
from amtrio.bridges.acp_program import Launch, open_programs
from amtrio.bridges.children import open_children
from amtrio.bridges.command import Command, Program, check
from amtrio.bridges.host import LiveCommands
from amtrio.bridges.openai import Model, OpenAI, choose, look
from amtrio.bridges.sessions import Ending, open_sessions
from amtrio.bridges.turn import Handler
from amtrio.bridges.webhook import Hook, Webhook, knock
from amtrio.cli.bridge_common import (
    AgentId,
    Concurrency,
    Name,
    StateDir,
    Token,
    TokenFile,
    Url,
    common_of,
    failed,
    fields_of,
    read,
    run,
    say,
    split,
)
from amtrio.client import Card

bridges = typer.Typer(
    no_args_is_help=True,
    help="""Turn something that exists into an agent.

    Each runs until Ctrl-C and says on the terminal who is online and how
    each message ended. Make the agent first: `amtrio agent add NAME` prints
    its credential; give it as AMTRIO_AGENT_TOKEN, --token-file or --token.

    A model of Ollama:

        amtrio bridge openai --base-url http://127.0.0.1:11434/v1

    A coding agent:

        amtrio bridge acp --cwd ~/project claude-agent-acp

    A script, the message in, the answer out:

        amtrio bridge command ./answer.sh

    A web service:

        amtrio bridge webhook https://example.org/hook

    Exit codes: 0 stopped, 1 the server refused something, 2 wrong or missing
    options, 3 credential refused, 4 another program runs as this agent, 5 the
    program or endpoint cannot be started or reached.
    """,
)
# Everything after the name of a program belongs to that program.
_PROGRAM: Final = {"allow_interspersed_args": False}

Cwd = Annotated[
    Path | None, typer.Option(exists=True, file_okay=False, help="Folder that it runs in, if not this one.")
]
GraceS = Annotated[
    float,
    typer.Option(min=0.1, max=4.0, help="Seconds between the first signal to a stopped program and SIGKILL."),
]


@bridges.command("command", context_settings=_PROGRAM)
def bridge_command(
    argv: Annotated[
        list[str], typer.Argument(metavar="PROGRAM [ARGUMENT]...", help="What to run; {message} is the message.")
    ],
    url: Url = "http://127.0.0.1:8080",
    agent_id: AgentId = "command",
    token: Token = "",
    token_file: TokenFile = None,
    name: Name = None,
    state_dir: StateDir = None,
    concurrency: Concurrency = 16,
    cwd: Cwd = None,
    json_input: Annotated[bool, typer.Option("--json-input", help="Give it the message as one line of JSON.")] = False,
    timeout_s: Annotated[float | None, typer.Option(min=0, help="Break off an answer that takes longer.")] = None,
    session: Annotated[bool, typer.Option("--session", help="Keep one process per conversation.")] = False,
    end_marker: Annotated[
        str | None, typer.Option(help="With --session: the line by which the program ends each answer.")
    ] = None,
    quiet_s: Annotated[
        float | None, typer.Option(min=0, help="With --session: this long without output ends the answer.")
    ] = None,
    idle_s: Annotated[float, typer.Option(min=1, help="With --session: end a process that waits longer.")] = 900.0,
    grace_s: GraceS = 3.0,
) -> None:
    """
    Any program: it gets the message, and what it prints is the answer, shown as it comes.

    The message is its standard input, or stands where an argument says
    {message}. AMTRIO_CONVERSATION_ID, AMTRIO_USER_ID, AMTRIO_MESSAGE_ID and
    AMTRIO_ATTACHMENTS (a path per line) are in its environment.

    A first line {"amtrio":1} says that JSON lines follow, which can show
    thoughts, tools and plans: see docs/bridges.md. An exit code other than 0
    means that it failed; the end of its standard error says why.

    Stop sends SIGINT, SIGTERM and SIGKILL to it and all that it started.

        amtrio bridge command tr a-z A-Z

        amtrio bridge command claude -p {message}

        amtrio bridge command --session --end-marker . ./repl.sh
    """
    common = common_of(url, agent_id, token, token_file, name, state_dir, concurrency)
    program = Program(argv, cwd, sends_json=json_input, timeout_s=timeout_s)
    if session and program.takes_argument:
        raise failed(2, "a program that is kept gets its messages on standard input: no {message} with --session")
    if session and end_marker is None and quiet_s is None and not json_input:
        raise failed(2, "--session needs --end-marker or --quiet-s, or --json-input and a program that says its end")
    if not session and (end_marker is not None or quiet_s is not None):
        raise failed(2, "--end-marker and --quiet-s are for --session")

    @asynccontextmanager
    async def opened(http: httpx.AsyncClient) -> AsyncIterator[tuple[Handler, Card]]:
        check(program)
        # A program that only reads lines of text would not learn of files.
        card = common.card(*(() if session and not json_input else ["attachments"]))
        files = common.files(http)
        async with open_children(grace_s) as children:
            if session:
                ending = Ending(end_marker, quiet_s)
                async with open_sessions(program, ending, children, files, idle_s=idle_s, report=say) as sessions:
                    yield sessions.handle, card
            else:
                yield Command(program, children, files, say).handle, card

    run(common, opened)


@bridges.command("openai")
def bridge_openai(
    base_url: Annotated[
        str, typer.Option(envvar="OPENAI_BASE_URL", help="What comes before /chat/completions; often ends in /v1.")
    ],
    model: Annotated[str, typer.Option(help="Which model, if there are several.")] = "",
    api_key_env: Annotated[
        str, typer.Option(help="Name of the environment variable with the key, if it needs one.")
    ] = "OPENAI_API_KEY",
    system: Annotated[str, typer.Option(help="What the model is told beforehand.")] = "",
    system_file: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Read that from this file instead.")
    ] = None,
    images: Annotated[bool, typer.Option("--images", help="The model sees pictures: send those attached.")] = False,
    history_messages: Annotated[int, typer.Option(min=0, max=199, help="Earlier messages sent along, at most.")] = 50,
    history_characters: Annotated[int, typer.Option(min=0, help="Characters in all, at most.")] = 48_000,
    silence_s: Annotated[float, typer.Option(min=1, help="Give up when nothing comes for so long.")] = 300.0,
    option: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A further field, such as temperature=0.5.")
    ] = None,
    url: Url = "http://127.0.0.1:8080",
    agent_id: AgentId = "model",
    token: Token = "",
    token_file: TokenFile = None,
    name: Name = None,
    state_dir: StateDir = None,
    concurrency: Concurrency = 16,
) -> None:
    """
    Any endpoint of chat completions: Ollama, llama.cpp, vLLM, LM Studio and the hosted ones.

    Answers stream in, thoughts are shown as thoughts, tool calls as tools;
    the conversation so far goes along. Stop closes the stream, on which most
    servers stop computing.

        amtrio bridge openai --base-url http://127.0.0.1:11434/v1

        amtrio bridge openai --base-url http://127.0.0.1:8081/v1 --images
    """
    common = common_of(url, agent_id, token, token_file, name, state_dir, concurrency)
    asked = Model(
        base_url,
        model,
        api_key=os.environ.get(api_key_env) or None,
        system=read(system_file) if system_file else system,
        silence_s=silence_s,
        history_messages=history_messages,
        history_characters=history_characters,
        sees_pictures=images,
        options=fields_of(option or []),
    )

    @asynccontextmanager
    async def opened(http: httpx.AsyncClient) -> AsyncIterator[tuple[Handler, Card]]:
        chosen = choose(asked, await look(asked, http), say)
        card = common.card(*(["attachments"] if images else []), model=chosen.name)
        yield OpenAI(chosen, http, common.files(http)).handle, card

    run(common, opened)


@bridges.command("acp", context_settings=_PROGRAM)
def bridge_acp(
    argv: Annotated[list[str], typer.Argument(metavar="PROGRAM [ARGUMENT]...", help="What to run.")],
    url: Url = "http://127.0.0.1:8080",
    agent_id: AgentId = "acp",
    token: Token = "",
    token_file: TokenFile = None,
    name: Name = None,
    state_dir: StateDir = None,
    concurrency: Concurrency = 16,
    cwd: Cwd = None,
    auth_method: Annotated[
        str | None, typer.Option(help="Sign in with this method; the error names those there are.")
    ] = None,
    mode: Annotated[str | None, typer.Option(help="Put each session into this mode of the program's.")] = None,
    start_s: Annotated[float, typer.Option(min=1, help="Seconds that it may take to start.")] = 60.0,
    grace_s: GraceS = 3.0,
) -> None:
    """
    Any program of the Agent Client Protocol: claude-agent-acp, codex-acp, gemini --acp and many more.

    Each conversation is a session of it, gone on with after restarts where
    the program can. Text, thoughts, tools and plans are shown as they come;
    what it asks permission for is a question with buttons.

    It works in this folder (or --cwd) with your rights: whoever may write to
    the agent makes it work there.

        amtrio bridge acp --cwd ~/project claude-agent-acp

        amtrio bridge acp --auth-method gemini-api-key gemini --acp
    """
    common = common_of(url, agent_id, token, token_file, name, state_dir, concurrency)
    launch = Launch(argv, (cwd or Path.cwd()).resolve(), auth_method, mode, start_s, __version__)

    @asynccontextmanager
    async def opened(http: httpx.AsyncClient) -> AsyncIterator[tuple[Handler, Card]]:
        commands = LiveCommands(common.identity.rest(http), say)
        sessions = common.identity.state_file("acp")
        async with (
            open_children(grace_s) as children,
            open_programs(launch, children, state_file=sessions, report=say, on_commands=commands.replace) as programs,
            anyio.create_task_group() as tasks,
        ):
            await (await programs.running()).prepare()
            tasks.start_soon(commands.run)
            handler = Acp(programs, common.files(http), say).handle
            yield handler, common.card("attachments", commands=commands.commands)
            tasks.cancel_scope.cancel()

    run(common, opened)


@bridges.command("webhook")
def bridge_webhook(
    address: Annotated[str, typer.Argument(metavar="ADDRESS", help="Where messages are posted.")],
    secret_env: Annotated[
        str, typer.Option(help="Name of the environment variable with the secret that signs them.")
    ] = "AMTRIO_WEBHOOK_SECRET",  # noqa: S107 - the name of a variable is no secret
    secret_file: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Read the secret from this file instead.")
    ] = None,
    header: Annotated[
        list[str] | None, typer.Option(metavar="NAME:VALUE", help="A further header of each request.")
    ] = None,
    silence_s: Annotated[float, typer.Option(min=1, help="Give up when nothing comes for so long.")] = 120.0,
    url: Url = "http://127.0.0.1:8080",
    agent_id: AgentId = "webhook",
    token: Token = "",
    token_file: TokenFile = None,
    name: Name = None,
    state_dir: StateDir = None,
    concurrency: Concurrency = 16,
) -> None:
    """
    A web service: it gets each message as a signed POST and answers with JSON, text or a stream.

    X-Amtrio-Signature is t=SECONDS,v1=HEX, with the HMAC-SHA256 of
    "SECONDS.BODY" under the secret. 202 and 204 mean no answer. Failures of
    the service are tried again, with the same Idempotency-Key.
    docs/bridges.md has it all.

        AMTRIO_WEBHOOK_SECRET=... amtrio bridge webhook https://example.org/hook
    """
    common = common_of(url, agent_id, token, token_file, name, state_dir, concurrency)
    secret = read(secret_file) if secret_file else os.environ.get(secret_env, "")
    if not secret:
        raise failed(2, f"no secret: set {secret_env}, or give --secret-file")
    fields = dict(split(each, ":", "--header") for each in header or [])
    hook = Hook(address, secret, agent_id, silence_s=silence_s, headers=fields)

    @asynccontextmanager
    async def opened(http: httpx.AsyncClient) -> AsyncIterator[tuple[Handler, Card]]:
        await knock(hook, http)
        yield Webhook(hook, http).handle, common.card("attachments")

    run(common, opened)
