"""`amtrio chat`: talk to agents from a terminal.

Brings model, screen and connection together. Knows nothing of the server; it speaks to it as any client does.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import anyio
import msgspec
import typer
from anyio.abc import TaskGroup
from prompt_toolkit.input import Input
from prompt_toolkit.output import Output

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
from amtrio.cli.chat_model import PAGE_MESSAGES, ChatModel
from amtrio.cli.chat_screen import Actions, Screen, safe
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
    new_client_id,
)
from amtrio.client.events import Conversation, Event, MessagePosted, Online, TypingChanged
from amtrio.clock import SystemClock

# One line of a terminal with 80 columns.
HELP: Final = "/agents · /switch NAME · /new TITLE · /edit TEXT · /delete · /quit · //help asks it"
# Somebody is looking at the screen: come back sooner than an unattended agent would.
LONGEST_WAIT_SECONDS: Final = 5.0
# The server ends a typing mark after 5 s.
_TYPING_AGAIN_S = 3.0
# An answer may be several messages: it is over when the agent neither types nor writes for this long.
_ANSWER_SETTLES_S = 1.0
_TYPING_LASTS_S = 6.0

_UNAUTHORIZED = 401  # RFC 9110, 15.5.2

EXIT_FAILED: Final = 1
EXIT_USAGE: Final = 2
EXIT_NOT_SIGNED_IN: Final = 3
EXIT_UNREACHABLE: Final = 4
EXIT_NO_ANSWER: Final = 5
EXIT_NO_SUCH_AGENT: Final = 6


class Chat:
    """
    One person at one terminal.

    Args:
        agent: id or beginning of the name of the agent to open at once; None shows the list.
    """

    def __init__(
        self,
        connection: Connection,
        tasks: TaskGroup,
        *,
        agent: str | None = None,
        source: Input | None = None,
        output: Output | None = None,
    ) -> None:
        self._connection = connection
        self._tasks = tasks
        self._wanted = agent
        self._typing_told_at = -_TYPING_AGAIN_S
        self._read_asked: dict[str, int] = {}
        self._loading: set[str] = set()
        self._to_send, self._sending = anyio.create_memory_object_stream[tuple[str, str, str]](1000)
        self.model = ChatModel()
        self.failure: ClientError | None = None
        self.screen = Screen(
            self.model,
            Actions(entered=self.entered, wants_older=self._older, typed=self._typed, now=anyio.current_time),
            source=source,
            output=output,
        )

    async def run(self) -> None:
        """
        Until the person leaves, or the connection has ended for good: `failure` then says why.
        """
        with self._to_send, self._sending:
            self._tasks.start_soon(self._follow)
            self._tasks.start_soon(self._send_in_order)
            await self.screen.run()
            self._tasks.cancel_scope.cancel()

    async def _follow(self) -> None:
        try:
            async for event in self._connection:
                self.model.apply(event, anyio.current_time())
                if isinstance(event, Online):
                    self._tasks.start_soon(self._trying, self._look_who_is_there)
                self._read_what_is_shown()
                self.screen.redraw()
        except ClientError as exc:
            self.failure = exc
            self.screen.leave()

    async def _send_in_order(self) -> None:
        """One after the other, so that the order on the screen is the order on the server."""
        async for conversation_id, client_id, content in self._sending:
            try:
                await self._connection.send_message(content, conversation_id=conversation_id, client_id=client_id)
            except Refused as exc:
                self.model.refused(conversation_id, client_id, str(exc))
                self.screen.redraw()
            except ClientError:
                return  # the connection has ended; _follow says so

    async def _trying(self, action: Callable[..., Any], *args: object) -> None:
        """Do something that may be refused, and say so."""
        try:
            await action(*args)
        except (Refused, Unreachable) as exc:
            self.model.notice = str(exc)
        except ClientError:
            return  # the connection has ended; _follow says so
        self.screen.redraw()

    # ------------------------------------------------------------------------------------------- what the person does

    def entered(self, text: str) -> None:
        """A line was entered: a command, a choice from the list, or a message."""
        self.model.notice = ""
        if text.startswith("/"):
            self._command(*text.partition(" ")[::2])
        elif self.model.current is None:
            self._switch(text)
        else:
            self._say(text)
        self.screen.redraw()

    def _command(self, word: str, rest: str) -> None:
        last = self.model.last_own()
        match word, rest.strip():
            case "/quit" | "/q", _:
                self.screen.leave()
            case "/agents", _:
                self.model.current = None
                self._tasks.start_soon(self._trying, self._look_who_is_there)
            case "/switch", name if name:
                self._switch(name)
            case "/new", title if title and self.model.talk:
                self._tasks.start_soon(self._trying, self._open, self.model.talk.agent_id, title)
            case "/edit", content if content and last:
                self._tasks.start_soon(self._trying, self._connection.edit, last.message_id, content)
            case "/delete", _ if last:
                self._tasks.start_soon(self._trying, self._connection.delete, last.message_id)
            case _, _ if word.startswith("//") and self.model.current:
                self._say(f"{word[1:]} {rest}".strip())
            case _, _ if word not in {"/help", "/switch", "/new", "/edit", "/delete"} and self.model.current:
                # The agent's own commands begin with a slash too.
                self._say(f"{word} {rest}".strip())
            case _:
                self.model.notice = HELP

    def _say(self, text: str) -> None:
        assert self.model.current is not None
        client_id = new_client_id()
        self.model.sending(self.model.current, client_id, text)
        self._to_send.send_nowait((self.model.current, client_id, text))

    def _switch(self, text: str) -> None:
        agent = self.model.find_agent(text)
        if agent is None:
            self.model.notice = f"no agent {text!r}; /agents lists them"
            return
        talk = self.model.talk_with(agent.agent_id)
        if talk is None:
            self._tasks.start_soon(self._trying, self._open, agent.agent_id, None)
        else:
            self._show(talk.id)

    def _show(self, conversation_id: str) -> None:
        self.model.current = conversation_id
        self.screen.to_bottom()
        self._read_what_is_shown()

    def _older(self) -> None:
        talk = self.model.talk
        if talk is not None and talk.has_older and talk.id not in self._loading:
            self._loading.add(talk.id)
            self._tasks.start_soon(self._trying, self._load_older, talk.id, talk.first_seq)

    def _typed(self, text: str) -> None:
        now = anyio.current_time()
        is_message = bool(text) and not text.startswith("/")
        if self.model.current is None or not is_message or now - self._typing_told_at < _TYPING_AGAIN_S:
            return
        self._typing_told_at = now
        self._connection.typing(self.model.current)

    # ------------------------------------------------------------------------------------------------ what that takes

    async def _look_who_is_there(self) -> None:
        self.model.set_agents(await self._connection.rest.agents())
        if self._wanted is not None:
            wanted, self._wanted = self._wanted, None
            self._switch(wanted)

    async def _open(self, agent_id: str, title: str | None) -> None:
        conversation = await open_conversation(self._connection, agent_id, title)
        self.model.know(conversation)
        self._show(conversation.conversation_id)

    async def _load_older(self, conversation_id: str, before: int) -> None:
        try:
            page = await self._connection.history(conversation_id, before=before, limit=PAGE_MESSAGES)
            self.model.add_older(conversation_id, page.messages)
        finally:
            self._loading.discard(conversation_id)

    def _read_what_is_shown(self) -> None:
        talk = self.model.talk
        if talk is None or not talk.unread or self._read_asked.get(talk.id, 0) >= talk.last_seq:
            return
        self._read_asked[talk.id] = talk.last_seq
        self._tasks.start_soon(self._trying, self._connection.mark_read, talk.id, talk.last_seq)


async def open_conversation(connection: Connection, agent_id: str, title: str | None = None) -> Conversation:
    """The default conversation with an agent, or with a title a new one."""
    answer = await connection.send("create_conversation", agent_id=agent_id, title=title)
    found = answer.get("conversation", answer)
    try:
        return msgspec.convert(found, Conversation)
    except msgspec.ValidationError as exc:
        raise Refused(f"the server's answer has another shape: {exc}", code="unknown") from exc


async def ask_once(connection: Connection, agent: AgentInfo, text: str, *, timeout_s: float) -> list[str]:
    """
    Say one thing and collect the answer.

    Returns:
        The agent's messages after ours, until it neither types nor writes for a second; empty if none came in time.
    """
    answers: dict[int, str] = {}
    typing_until = 0.0
    changed = anyio.Event()
    failure: ClientError | None = None
    conversation = await open_conversation(connection, agent.agent_id)

    def take(event: Event) -> None:
        nonlocal typing_until, changed
        if isinstance(event, MessagePosted) and event.message.conversation_id == conversation.conversation_id:
            if event.message.sender_type == "agent" and not event.message.deleted:
                answers[event.message.conversation_seq] = event.message.content
                typing_until = 0.0
        elif isinstance(event, TypingChanged) and event.conversation_id == conversation.conversation_id:
            typing_until = anyio.current_time() + _TYPING_LASTS_S if event.typing else 0.0
        changed.set()
        changed = anyio.Event()

    async with anyio.create_task_group() as tasks:

        async def follow() -> None:
            nonlocal failure
            try:
                async for event in connection:
                    take(event)
            except ClientError as exc:
                failure = exc
                tasks.cancel_scope.cancel()

        tasks.start_soon(follow)
        with anyio.move_on_after(timeout_s):
            try:
                sent = await connection.send_message(text, conversation_id=conversation.conversation_id)
            except ClientError as exc:
                failure = exc
            while failure is None:
                wait_s = max(typing_until - anyio.current_time(), _ANSWER_SETTLES_S)
                with anyio.move_on_after(wait_s) as quiet:
                    await changed.wait()
                if quiet.cancelled_caught and any(seq > sent.conversation_seq for seq in answers):
                    break
        tasks.cancel_scope.cancel()
    if failure is not None:
        raise failure
    return [answers[seq] for seq in sorted(answers) if seq > sent.conversation_seq]


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
    once: Annotated[str | None, typer.Option(help="Say this to --agent, print the answer and leave.")] = None,
    timeout: Annotated[float, typer.Option(min=0.1, help="Seconds to wait for the answer to --once.")] = 60.0,
    password_file: Annotated[
        Path | None, typer.Option(help="Read the password from this file; else $AMTRIO_PASSWORD, else you are asked.")
    ] = None,
) -> None:
    """
    Talk to agents from a terminal.

    Exit codes: 0 done or left, 1 failed, 2 wrong usage, 3 not signed in, 4 server not reachable, 5 no answer within
    --timeout, 6 no such agent.
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
        raise typer.Exit(130) from None  # as shells report a program that SIGINT ended


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
    answers = await ask_once(connection, agent, text, timeout_s=options.timeout_s)
    if not answers:
        raise _failed(EXIT_NO_ANSWER, f"{agent.agent_id} did not answer within {options.timeout_s:g} s")
    typer.echo(safe("\n\n".join(answers)))


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
