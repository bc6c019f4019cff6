"""What the scenes of the chat share: a person at a terminal without a terminal, and ways to wait for what it shows."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import anyio
from prompt_toolkit.input import PipeInput, create_pipe_input
from prompt_toolkit.output import DummyOutput

from amtrio.cli.chat_session import Chat
from amtrio.client import Backoff, Connection

Scene = Callable[[Chat, PipeInput], Coroutine[Any, Any, None]]
PATIENCE_SECONDS = 30.0


def play(
    url: str,
    token: str,
    scene: Scene,
    *,
    agent: str | None = None,
    beside: Callable[[], Coroutine[Any, Any, None]] | None = None,
) -> Chat:
    """
    A person at a terminal; prompt-toolkit needs asyncio.

    Args:
        agent: whom to open at once; the scene begins then. beside: what else is to run meanwhile.
    """
    chats: list[Chat] = []

    async def main() -> None:
        with anyio.fail_after(PATIENCE_SECONDS), create_pipe_input() as keys:
            async with anyio.create_task_group() as outer:
                if beside is not None:
                    outer.start_soon(beside)
                async with (
                    Connection(
                        url,
                        token=token,
                        device_id="t1",
                        begin="snapshot",
                        backoff=Backoff(first_s=0.01, longest_s=0.05),
                    ) as connection,
                    anyio.create_task_group() as tasks,
                ):
                    chat = Chat(connection, tasks, agent=agent, source=keys, output=DummyOutput())
                    chats.append(chat)
                    tasks.start_soon(_once_it_is_open, chat, keys, scene, agent)
                    await chat.run()
                outer.cancel_scope.cancel()

    anyio.run(main, backend="asyncio")
    return chats[0]


async def _once_it_is_open(chat: Chat, keys: PipeInput, scene: Scene, agent: str | None) -> None:
    if agent is not None:
        await until(lambda: chat.model.current is not None)
    await scene(chat, keys)


async def shown(chat: Chat, *texts: str) -> None:
    """Wait until the screen shows all of these."""
    await until(lambda: all(text in chat.screen.text() for text in texts))


async def news(chat: Chat, text: str) -> None:
    """Wait until the line of news says this."""
    await until(lambda: text in chat.screen.news())


async def until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 - the screen is looked at, as a person would; it sets no event
        await anyio.sleep(0.01)
