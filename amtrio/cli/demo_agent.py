"""`amtrio demo-agent`: an agent that answers live and knows a few commands, so that a newcomer sees life.

Built on the client library alone, as anybody's agent would be. Knows nothing of the server; what is said to what stands
in `demo_talk`.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import anyio
import typer

from amtrio.cli.demo_talk import (
    COMMANDS,
    ENDLESS_SENTENCES,
    Ask,
    Call,
    GoOn,
    HandOver,
    Plan,
    Read,
    Say,
    Send,
    Step,
    Think,
    Wait,
    endless_sentence,
    first_line,
    plan,
    words,
)
from amtrio.client import Agent, AuthenticationEnded, Card, ClientError, Incoming, Replaced, Run
from amtrio.clock import Clock, SystemClock

# 20 words a second: faster than one reads, slow enough to be seen.
_WORD_S = 0.05
_LINE_S = 0.06
# At full speed an answer without an end would fill a run, and the disk, in a moment.
_ENDLESS_WORD_AT_LEAST_S = 0.02
# Nobody has to answer for ever. The server closes the question then.
_QUESTION_S = 600.0
# Nobody sees an encrypted answer before its end, so it had better have one.
_SEALED_SENTENCES = 5

CARD = Card(
    name="Demo",
    model="none: a script",
    specialty="shows what amtrio does",
    description="Answers live, thinks aloud, runs a tool, follows a plan, asks back and looks at files. "
    "It knows nothing of the world: try /help.",
    supports=("stop", "queue", "steer", "questions", "attachments"),
    commands=COMMANDS,
    capabilities=("shows every kind of live answer",),
)


class Performance:
    """
    The steps of one answer, taken.

    Args:
        pace: factor on every pause; 0 takes none.
        is_sealed: it is sent encrypted, as a whole, when it is over.
    """

    def __init__(self, run: Run, pace: float, *, is_sealed: bool = False) -> None:
        self._run = run
        self._pace = pace
        self._is_sealed = is_sealed

    async def play(self, steps: Sequence[Step]) -> None:
        for step in steps:
            await self._take(step)

    async def _take(self, step: Step) -> None:
        match step:
            case Say():
                await self._type(step.text, self._run.write)
            case Send():
                await self._pause(step.after_s)
                await self._run.send(step.text)
            case Wait():
                if step.status:
                    await self._run.status(step.status)
                await self._pause(step.seconds)
            case Think():
                async with self._run.reasoning(step.title) as thoughts:
                    await self._type(step.text, thoughts.write)
            case Call():
                await self._call(step)
            case Plan():
                await self._run.plan(step.items)
            case Ask():
                await self._ask(step)
            case HandOver():
                await self._run.artifact(await self._run.upload(step.text.encode(), filename=step.filename))
                await self._type(step.said, self._run.write)
            case Read():
                await self._type(first_line(await self._run.download(step.file)), self._run.write)
            case GoOn():
                await self._go_on(step.topic)

    async def _type(self, text: str, write: Callable[[str], Any], at_least_s: float = 0.0) -> None:
        for word in words(text):
            await write(word)
            await anyio.sleep(max(_WORD_S * self._pace, at_least_s))

    async def _pause(self, seconds: float) -> None:
        await anyio.sleep(seconds * self._pace)

    async def _call(self, step: Call) -> None:
        async with self._run.tool(step.name, dict(step.arguments), title=step.title) as tool:
            for line in step.lines:
                await tool.write(line)
                await self._pause(_LINE_S)
            if step.error:
                tool.fail(step.error)
            else:
                tool.result = dict(step.result or {})

    async def _ask(self, step: Ask) -> None:
        if self._is_sealed:
            await self._run.write("Here I cannot ask with buttons: the server would read the question.")
            return
        answer = await self._run.ask(step.text, step.options, expires_in_s=_QUESTION_S)
        chosen = answer.option_ids[0] if answer and answer.option_ids else ""
        await self.play(step.then.get(chosen, step.otherwise))

    async def _go_on(self, topic: str) -> None:
        """Sentences about a topic, until the run is stopped; what is said into it becomes the topic."""
        said: list[str] = []

        async def listen() -> None:
            async for text in self._run.steering():
                said.append(text)  # noqa: PERF401 - it is read while it grows

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(listen)
            for number in range(1, (_SEALED_SENTENCES if self._is_sealed else ENDLESS_SENTENCES) + 1):
                if said:
                    topic = " ".join(said.pop(0).split())[:80]
                    await self._type(f"\nYou say “{topic}”. Then about that.\n\n", self._run.write)
                await self._type(endless_sentence(number, topic), self._run.write, _ENDLESS_WORD_AT_LEAST_S)
            tasks.cancel_scope.cancel()
        await self._run.write("\nNobody stopped me, so I do it myself.")


def demo(
    url: str,
    agent_id: str,
    token: str,
    *,
    pace: float = 1.0,
    clock: Clock | None = None,
    keys: Path | None = None,
    **options: Any,
) -> Agent:
    """
    The agent, to be run or served.

    Args:
        keys: the file of its keys, so that one can talk with it encrypted; without, one cannot.
        token: the agent's credential, as `amtrio agent add` printed it.
        pace: factor on every pause; 0 answers at once.
        options: further ones of `Agent`.

    Raises:
        ValueError: the keys are another agent's. OSError, sqlite3.Error: they cannot be read.
    """
    from amtrio.client.vault import Vault

    clock = clock or SystemClock()
    vault = None
    if keys is not None:
        vault = Vault(keys)
        vault.claim(f"agent:{agent_id}")
    agent = Agent(agent_id, url=url, token=token, card=CARD, vault=vault, client="amtrio-demo-agent", **options)

    @agent.on_message
    async def reply(message: Incoming, run: Run) -> None:
        steps = plan(message.content, message.conversation_seq, clock.now_us(), message.attachments)
        await Performance(run, pace, is_sealed=message.encrypted).play(steps)

    return agent


async def run_demo_agent(url: str, agent_id: str, token: str, **options: Any) -> None:
    """
    Answer until cancelled, over restarts of the server. Arguments as of `demo`.

    Raises:
        AuthenticationEnded: the credential is wrong or was revoked. Replaced: another program took over this agent.
    """
    await demo(url, agent_id, token, **options).serve()


def demo_agent(
    url: Annotated[str, typer.Option(envvar="AMTRIO_URL", help="Address of the server.")] = "http://127.0.0.1:8080",
    agent_id: Annotated[str, typer.Option(help="Which agent this is.")] = "demo",
    token: Annotated[
        str, typer.Option(envvar="AMTRIO_AGENT_TOKEN", help="Its credential, as `amtrio agent add` printed it.")
    ] = "",
    token_file: Annotated[Path | None, typer.Option(help="Read the credential from this file instead.")] = None,
    pace: Annotated[float, typer.Option(min=0, help="Factor on every pause; 0 answers at once.")] = 1.0,
    keys: Annotated[
        Path | None,
        typer.Option(help="File of its keys for encrypted conversations; made if missing.  [default: one per server]"),
    ] = None,
) -> None:
    """
    Run an agent that answers, until Ctrl-C.

    Exit codes: 0 stopped, 1 its keys cannot be used or the server said no, 2 no credential given, 3 credential
    refused, 4 another program runs as this agent.
    """
    if token_file is not None:
        try:
            token = token_file.read_text().strip()
        except OSError as exc:
            raise _failed(2, f"cannot read {token_file}: {exc.strerror}") from exc
    if not token:
        raise _failed(2, f"no credential: give --token or --token-file, as printed by `amtrio agent add {agent_id}`")
    keys = keys or _keys_file(url, agent_id)
    try:
        agent = demo(url, agent_id, token, pace=pace, keys=keys, report=typer.echo)
    except (OSError, sqlite3.Error, ValueError) as exc:
        raise _failed(1, f"cannot use the keys in {keys}: {exc}") from exc
    try:
        agent.run()
    except AuthenticationEnded as exc:
        raise _failed(3, f"the server refused the credential of {agent_id}: {exc}") from exc
    except Replaced as exc:
        raise _failed(4, f"another program runs as {agent_id}: {exc}") from exc
    except ClientError as exc:
        raise _failed(1, str(exc)) from exc


def _keys_file(url: str, agent_id: str) -> Path:
    from amtrio.cli.chat_account import account_file, state_dir

    return account_file(state_dir(os.environ), f"{url.rstrip('/')}/{agent_id}").with_suffix(".keys")


def _failed(code: int, text: str) -> typer.Exit:
    typer.echo(f"amtrio demo-agent: {text}", err=True)
    return typer.Exit(code)
