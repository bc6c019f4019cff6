"""`amtrio demo-agent`: an agent that answers, shows typing and knows a few commands, so that a newcomer sees life.

Built on the client library alone, as anybody's agent would be. Knows nothing of the server.
"""

from __future__ import annotations

import hashlib
import signal
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import anyio
import typer
from anyio.abc import TaskGroup

from amtrio.client import AuthenticationEnded, ClientError, Connection, Refused, Replaced
from amtrio.client.events import Event, Message, MessagePosted, Offline, Online, Snapshot
from amtrio.clock import MICROS_PER_SECOND, Clock, SystemClock

# The server ends a typing mark after 5 s; said again every 3 s it stays on.
_TYPING_AGAIN_S = 3.0
# `/count 100` is a joke; `/count 100000` is an attack on the reader.
_COUNT_AT_MOST = 20
_SECONDS_BUSY = 10.0

HELP: Final = """**Commands**

- `/help` shows this
- `/time` tells the time
- `/count N` counts to N, one message each
- `/typing` types for a while before it answers
- `/busy` sets a status for ten seconds
- `/long` answers at length
- `/echo TEXT` says TEXT
- `/quote` replies to your message, quoting it

Anything else gets an answer too."""

_GREETING: Final = """Hello! I am the **demo agent** of this server. I understand a few commands: try `/help`.

I am a few hundred lines of Python on top of `amtrio.client`, so your own agent can do all that I do."""

_LONG: Final = """# A long answer

Long answers show how the client scrolls, wraps and renders *Markdown*.

1. Your message was stored before I saw it.
2. Mine was stored before you saw it.
3. Neither needs both of us to be there at the same time.

```python
async with Connection(url, token=token) as connection:
    async for event in connection:
        print(event)
```

> A hole is never silent: from the numbers alone a client knows that it has everything.

| what happens | what you see |
|---|---|
| the server restarts | a short pause |
| your network drops | the same |
| you write meanwhile | it arrives once |"""


@dataclass(frozen=True, slots=True)
class Say:
    """One message, after typing for a while."""

    text: str
    after_s: float = 1.0
    is_reply: bool = False


@dataclass(frozen=True, slots=True)
class Show:
    """A status, and how long to stay in it."""

    status: Literal["online", "busy", "idle"]
    text: str | None = None
    for_s: float = 0.0


Step = Say | Show


def plan(message: Message, now_us: int) -> list[Step]:
    """What to do about a message, in order. The same message gets the same plan, but for the time of day."""
    word, _, rest = message.content.strip().partition(" ")
    is_command = word.startswith("/")
    steps = _command(word.lower(), rest.strip(), now_us) if is_command else [_talk(message.content)]
    return [Say(_GREETING), *steps] if message.conversation_seq == 1 else list(steps)


def _command(word: str, rest: str, now_us: int) -> Sequence[Step]:
    if word == "/count":
        return _count(rest)
    commands: dict[str, Sequence[Step]] = {
        "/help": [Say(HELP, after_s=0.3)],
        "/time": [Say(f"It is **{datetime.fromtimestamp(now_us / MICROS_PER_SECOND, UTC):%H:%M:%S}** UTC.")],
        "/typing": [Say("That was about seven seconds of typing.", after_s=7.0)],
        "/busy": [
            Show("busy", "counting sheep", for_s=_SECONDS_BUSY),
            Show("online"),
            Say("I was busy for ten seconds and am back.", after_s=0.3),
        ],
        "/long": [Say(_LONG, after_s=2.0)],
        "/echo": [Say(rest or "(nothing to echo)", after_s=0.3)],
        "/quote": [Say("This is a reply to your message.", is_reply=True)],
    }
    return commands.get(word, [Say(f"I do not know `{word[:40]}`. Try `/help`.", after_s=0.3)])


def _count(rest: str) -> Sequence[Step]:
    if not rest.isdecimal() or not 1 <= int(rest[:6]) <= _COUNT_AT_MOST:
        return [Say(f"`/count N` takes a number from 1 to {_COUNT_AT_MOST}.", after_s=0.3)]
    return [Say(str(number), after_s=0.7) for number in range(1, int(rest) + 1)]


def _talk(content: str) -> Say:
    words = len(content.split())
    if content.rstrip().endswith("?"):
        return Say("Good question. I am only a demo, but a real agent would *think* now. Try `/help`.")
    return Say(f"You wrote {words} word{'' if words == 1 else 's'}. I heard you: every one of them is stored.")


def answer_id(message_id: str, number: int) -> str:
    """
    The client_id of the answer number `number` to a message.

    Made from the message alone: whoever handles it a second time, after a crash or in another process, sends the same
    id, and the server stores the answer once.
    """
    return "demo:" + hashlib.sha256(f"{message_id}/{number}".encode()).hexdigest()[:40]


@dataclass(frozen=True, slots=True)
class _Job:
    message: Message
    when_done: Callable[[], None]


class DemoAgent:
    """
    Answers each conversation in order, several conversations at a time.

    Args:
        pace: factor on every pause; 0 answers at once.
    """

    def __init__(self, connection: Connection, tasks: TaskGroup, *, pace: float, clock: Clock) -> None:
        self._connection = connection
        self._tasks = tasks
        self._pace = pace
        self._clock = clock
        self._jobs: dict[str, deque[_Job]] = {}

    def take(self, event: Event) -> None:
        """Look at one event; it is done with when it needs no answer, or when its answers are stored."""
        if isinstance(event, MessagePosted) and _needs_answer(event.message):
            self._add(event.message, lambda: self._connection.done(event))
        elif isinstance(event, Snapshot):
            self._catch_up(event)
        else:
            self._connection.done(event)

    def _catch_up(self, snapshot: Snapshot) -> None:
        """The log could not tell all: answer what people wrote after our last word in each conversation."""
        open_messages = [
            message for conversation in snapshot.conversations for message in _after_our_last(conversation.messages)
        ]
        left = len(open_messages)

        def one_less() -> None:
            nonlocal left
            left -= 1
            if left <= 0:
                self._connection.done(snapshot)

        for message in open_messages:
            self._add(message, one_less)
        if not open_messages:
            one_less()

    def _add(self, message: Message, when_done: Callable[[], None]) -> None:
        waiting = self._jobs.setdefault(message.conversation_id, deque())
        waiting.append(_Job(message, when_done))
        if len(waiting) == 1:
            self._tasks.start_soon(self._work, message.conversation_id)

    async def _work(self, conversation_id: str) -> None:
        """Answer one conversation until nothing waits in it."""
        waiting = self._jobs[conversation_id]
        while waiting:
            await self._answer(waiting[0].message)
            waiting.popleft().when_done()
        del self._jobs[conversation_id]

    async def _answer(self, message: Message) -> None:
        try:
            await self._connection.mark_read(message.conversation_id, message.conversation_seq)
            for number, step in enumerate(plan(message, self._clock.now_us())):
                await self._do(message, number, step)
        except Refused as exc:
            # Deleted meanwhile, or answered by an earlier life of ours with another time of day: nothing to add.
            if exc.code not in {"not_found", "client_id_reused", "forbidden", "conflict"}:
                raise

    async def _do(self, message: Message, number: int, step: Step) -> None:
        if isinstance(step, Show):
            self._connection.status(step.status, step.text)
            await anyio.sleep(step.for_s * self._pace)
            return
        await self._think(message.conversation_id, step.after_s * self._pace)
        await self._connection.send_message(
            step.text,
            conversation_id=message.conversation_id,
            client_id=answer_id(message.message_id, number),
            reply_to=message.message_id if step.is_reply else None,
        )

    async def _think(self, conversation_id: str, seconds: float) -> None:
        while seconds > 0:
            self._connection.typing(conversation_id)
            await anyio.sleep(min(seconds, _TYPING_AGAIN_S))
            seconds -= _TYPING_AGAIN_S


def _needs_answer(message: Message) -> bool:
    return message.sender_type == "client" and not message.deleted


def _after_our_last(messages: Sequence[Message]) -> list[Message]:
    ours = [message.conversation_seq for message in messages if message.sender_type == "agent"]
    last = max(ours, default=0)
    return [message for message in messages if message.conversation_seq > last and _needs_answer(message)]


async def run_demo_agent(
    url: str,
    agent_id: str,
    token: str,
    *,
    pace: float = 1.0,
    clock: Clock | None = None,
    report: Callable[[str], None] = lambda _line: None,
    **options: Any,
) -> None:
    """
    Answer until cancelled, over restarts of the server. Runs under Trio and asyncio alike.

    Args:
        token: the agent's credential, as `amtrio agent add` printed it.
        pace: factor on every pause; 0 answers at once.
        report: gets a line when the connection comes and goes.
        options: further ones of `Connection`.

    Raises:
        AuthenticationEnded: the credential is wrong or was revoked. Replaced: another program took over this agent.
    """
    async with Connection(
        url, token=token, agent_id=agent_id, confirm="manual", client="amtrio-demo-agent", **options
    ) as connection:
        failure: ClientError | None = None
        async with anyio.create_task_group() as tasks:
            agent = DemoAgent(connection, tasks, pace=pace, clock=clock or SystemClock())
            try:
                async for event in connection:
                    if isinstance(event, Online):
                        report(f"{event.id} is online at {url}")
                    elif isinstance(event, Offline):
                        report(f"connection lost ({event.reason}), trying again")
                    agent.take(event)
            except ClientError as exc:
                failure = exc  # raised outside of the group, which would wrap it
                tasks.cancel_scope.cancel()
        if failure is not None:
            raise failure


def demo_agent(
    url: Annotated[str, typer.Option(envvar="AMTRIO_URL", help="Address of the server.")] = "http://127.0.0.1:8080",
    agent_id: Annotated[str, typer.Option(help="Which agent this is.")] = "demo",
    token: Annotated[
        str, typer.Option(envvar="AMTRIO_AGENT_TOKEN", help="Its credential, as `amtrio agent add` printed it.")
    ] = "",
    token_file: Annotated[Path | None, typer.Option(help="Read the credential from this file instead.")] = None,
    pace: Annotated[float, typer.Option(min=0, help="Factor on every pause; 0 answers at once.")] = 1.0,
) -> None:
    """
    Run an agent that answers, until Ctrl-C.

    Exit codes: 0 stopped, 2 no credential given, 3 credential refused, 4 another program runs as this agent.
    """
    if token_file is not None:
        try:
            token = token_file.read_text().strip()
        except OSError as exc:
            raise _failed(2, f"cannot read {token_file}: {exc.strerror}") from exc
    if not token:
        raise _failed(2, f"no credential: give --token or --token-file, as printed by `amtrio agent add {agent_id}`")
    try:
        anyio.run(_until_stopped, url, agent_id, token, pace, backend="trio")
    except AuthenticationEnded as exc:
        raise _failed(3, f"the server refused the credential of {agent_id}: {exc}") from exc
    except Replaced as exc:
        raise _failed(4, f"another program runs as {agent_id}: {exc}") from exc
    except ClientError as exc:
        raise _failed(1, str(exc)) from exc


async def _until_stopped(url: str, agent_id: str, token: str, pace: float) -> None:
    failure: ClientError | None = None
    async with anyio.create_task_group() as tasks:

        async def run() -> None:
            nonlocal failure
            try:
                await run_demo_agent(url, agent_id, token, pace=pace, report=typer.echo)
            except ClientError as exc:
                failure = exc
            tasks.cancel_scope.cancel()

        with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
            tasks.start_soon(run)
            async for _ in signals:
                tasks.cancel_scope.cancel()
    if failure is not None:
        raise failure


def _failed(code: int, text: str) -> typer.Exit:
    typer.echo(f"amtrio demo-agent: {text}", err=True)
    return typer.Exit(code)
