"""An agent that says what you say, word by word.

AMTRIO_AGENT_TOKEN is what `amtrio agent add echo` printed, AMTRIO_URL the server.
"""
# ruff: noqa: INP001 - a program, not a package

import os
from collections.abc import AsyncIterator

import anyio

from amtrio.client import Agent, Card, Incoming

agent = Agent(
    "echo",
    url=os.environ.get("AMTRIO_URL", "http://127.0.0.1:8080"),
    token=os.environ["AMTRIO_AGENT_TOKEN"],
    card=Card(name="Echo", description="Says what you say."),
)


@agent.on_message
async def echo(message: Incoming) -> AsyncIterator[str]:
    """What is yielded is shown at once. Pressing stop cancels this; no code is needed for it."""
    for word in message.content.split():
        yield f"{word} "
        await anyio.sleep(0.05)


if __name__ == "__main__":
    agent.run()
