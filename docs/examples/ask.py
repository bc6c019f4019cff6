"""Ask an agent something from a script, and watch the answer being written: ask.py AGENT TEXT.

AMTRIO_URL is the server, AMTRIO_USER and AMTRIO_PASSWORD say who you are. A question of the agent is answered with the
number of a choice on standard input.
"""
# ruff: noqa: INP001, T201 - a program that speaks on standard output

import os
import sys

import anyio

from amtrio.client import Client, RunChanged
from amtrio.client.events import Message, MessagePosted, RunEnded


async def main(agent_id: str, text: str) -> None:
    client = await Client.login(
        os.environ.get("AMTRIO_URL", "http://127.0.0.1:8080"), os.environ["AMTRIO_USER"], os.environ["AMTRIO_PASSWORD"]
    )
    async with client:
        room = await client.open(agent_id)
        news = client.follow(room)  # from here on nothing is missed
        sent = await client.send(text, conversation_id=room)
        shown = 0
        async for item in news:
            if isinstance(item, RunChanged) and item.run.reply_to == sent.message_id:
                print(item.run.text[shown:], end="", flush=True)
                shown = len(item.run.text)
            elif isinstance(item, MessagePosted) and item.message.question is not None:
                await decide(client, item.message)
            elif isinstance(item, MessagePosted) and item.message.reply_to == sent.message_id:
                print(item.message.content[shown:])
                for attachment in item.message.attachments:
                    print(f"[{attachment.filename}, {attachment.size} bytes]")
                return
            elif isinstance(item, RunEnded):
                return


async def decide(client: Client, message: Message) -> None:
    assert message.question is not None
    print(f"\n{message.content}")
    for number, option in enumerate(message.question.options, start=1):
        print(f"  {number}. {option.label}")
    line = await anyio.to_thread.run_sync(sys.stdin.readline)
    chosen = message.question.options[int(line) - 1]
    await client.answer(message.message_id, [chosen.id])


if __name__ == "__main__":
    anyio.run(main, sys.argv[1], " ".join(sys.argv[2:]))
