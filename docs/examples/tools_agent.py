"""An agent that shows its work: a plan, thoughts, a tool, a question with buttons, and a file.

AMTRIO_AGENT_TOKEN is what `amtrio agent add counter` printed, AMTRIO_URL the server.
"""
# ruff: noqa: INP001 - a program, not a package

import os
from collections import Counter

from amtrio.client import Agent, Card, Incoming, Option, PlanItem, Run, RunFailed, SlashCommand

agent = Agent(
    "counter",
    url=os.environ.get("AMTRIO_URL", "http://127.0.0.1:8080"),
    token=os.environ["AMTRIO_AGENT_TOKEN"],
    card=Card(
        name="Counter",
        description="Counts the words of a conversation.",
        commands=[SlashCommand("count", "counts the words said so far")],
    ),
)


@agent.on_message
async def answer(message: Incoming, run: Run) -> None:
    """Each step is seen while it happens, and stays in the message."""
    if not message.content.startswith("/count"):
        raise RunFailed("I can only count. Say /count.")

    await run.plan([PlanItem("read what was said", "running"), PlanItem("count"), PlanItem("report")])
    async with run.reasoning("Where to look") as thoughts:
        await thoughts.write("The last 200 messages should do.")
    async with run.tool("history", {"limit": 200}, title="Reading the conversation") as tool:
        messages = await run.history(limit=200)
        tool.result = {"messages": len(messages)}

    await run.plan([PlanItem("read what was said", "done"), PlanItem("count", "running"), PlanItem("report")])
    words = Counter(word.lower() for each in messages for word in each.content.split())

    choice = await run.ask(
        f"There are {len(words)} different words. How do you want them?",
        [Option(id="top", label="The top three", style="primary"), Option(id="file", label="All, as a file")],
        expires_in_s=3600,
    )
    if choice is None:
        await run.write("Never mind, then.")
    elif choice.option_ids == ["file"]:
        table = "".join(f"{word},{count}\n" for word, count in words.most_common())
        await run.artifact(await run.upload(table.encode(), filename="words.csv", content_type="text/csv"))
        await run.write("Here they are.")
    else:
        for word, count in words.most_common(3):
            await run.write(f"- `{word}` {count}\n")
    await run.plan([PlanItem(text, "done") for text in ("read what was said", "count", "report")])
    run.usage = {"words": words.total()}


if __name__ == "__main__":
    agent.run()
