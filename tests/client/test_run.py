"""What a handler may do with its run, against a small server, under asyncio and Trio alike."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import anyio
import pytest

from amtrio.client import Answer, Attachment, Incoming, Option, PlanItem, Run
from amtrio.client.turn import Handler, run_id_of
from tests.client.fake_server import FakeServer
from tests.client.stage import Play, an_agent, did, has_ended, order, said, seen, serving, the_run, write


def handled(server: FakeServer, play: Play, handler: Handler) -> str:
    """One message handled from its beginning to its end; its id."""
    asked = ""

    async def scene() -> None:
        nonlocal asked
        asked = await did(write, server, "go")
        async with serving(an_agent(server, handler, on_error=_raise)):
            await seen(server, lambda: has_ended(server, asked))

    play(scene)
    return asked


def _raise(message: Incoming, error: Exception) -> None:
    raise error


def test_parts_stand_in_the_order_in_which_they_began(server: FakeServer, play: Play) -> None:
    """
    After thoughts, a tool or a plan a new paragraph begins; a status interrupts nothing; plan and status are replaced.
    """

    async def busy(message: Incoming, run: Run) -> None:
        await run.status("reading")
        async with run.reasoning("Thinking") as thoughts:
            await thoughts.write("hm")
        await run.write("One ")
        await run.status("still\nreading")
        await run.write("moment.")
        await run.plan([PlanItem("look"), PlanItem("tell")])
        async with run.tool("search", {"q": "x"}, title="Searching") as tool:
            await tool.write("3 hits")
            tool.result = 3
        await run.plan([PlanItem("look", "done"), PlanItem("tell", "running")])
        await run.write("Found it.")
        await run.write("")

    asked = handled(server, play, busy)
    parts = [(part["kind"], part["text"]) for part in the_run(server, asked).parts]
    assert parts == [
        ("status", ""),
        ("reasoning", "hm"),
        ("text", "One moment."),
        ("plan", ""),
        ("tool", "3 hits"),
        ("text", "Found it."),
    ]
    metas = [part["meta"] for part in the_run(server, asked).parts]
    assert metas[0] == {"text": "still reading"}
    assert [item["state"] for item in metas[3]["items"]] == ["done", "running"]
    assert (metas[4]["title"], metas[4]["arguments"], metas[4]["result"]) == ("Searching", {"q": "x"}, 3)
    assert said(server) == ["One moment.\n\nFound it."]


def test_a_tool_left_by_an_error_has_failed(server: FakeServer, play: Play) -> None:
    """
    The handler may go on.
    """

    async def unlucky(message: Incoming, run: Run) -> None:
        try:
            async with run.tool("search"):
                raise LookupError("no network")  # noqa: TRY301 - the error of whatever the tool does
        except LookupError:
            await run.write("I could not look.")

    asked = handled(server, play, unlucky)
    tool = the_run(server, asked).parts[0]["meta"]
    assert (tool["state"], tool["result"]) == ("failed", {"error": "LookupError: no network"})


def test_usage_is_told_at_the_end(server: FakeServer, play: Play) -> None:
    """
    As the handler left it.
    """

    async def counted(message: Incoming, run: Run) -> str:
        run.usage = {"output_tokens": 2}
        return "Hello."

    asked = handled(server, play, counted)
    finish = the_run(server, asked).finish
    assert finish is not None
    assert finish["usage"] == {"output_tokens": 2}


def test_a_question_is_answered(server: FakeServer, play: Play) -> None:
    """
    By option or by text, whichever comes; over a drop in between.
    """
    answers: list[Answer | None] = []

    async def asking(message: Incoming, run: Run) -> None:
        answers.append(await run.ask("Run it?", ["Yes", Option(id="no", label="No", style="danger")]))
        answers.append(await run.ask("Which one?", ["Any"], free_text=True))

    async def scene() -> None:
        asked = await did(write, server, "go")
        async with serving(an_agent(server, asking)):
            await seen(server, lambda: len(said(server)) == 1)
            assert server.messages["c1"][1]["question"]["options"] == [
                {"id": "Yes", "label": "Yes"},
                {"id": "no", "label": "No", "style": "danger"},
            ]
            await did(server.cut_all)
            await did(partial(order, server, "answer", message_id="m2", option_ids=["Yes"]))
            await seen(server, lambda: len(said(server)) == 2)
            await did(partial(order, server, "answer", message_id="m3", text="the red one"))
            await seen(server, lambda: has_ended(server, asked))

    play(scene)
    first, second = answers
    assert first is not None
    assert second is not None
    assert (first.option_ids, second.text, first.answered_by) == (["Yes"], "the red one", "alice")


def test_a_question_that_nobody_waits_for_any_more_is_closed(server: FakeServer, play: Play) -> None:
    """
    After its time, and when the handler is stopped.
    """
    got: list[Answer | None] = []

    async def asking(message: Incoming, run: Run) -> None:
        got.append(await run.ask("Quick?", ["Yes"], timeout_s=0.01))
        await run.ask("Slow?", ["Yes"])

    def states() -> list[str]:
        return [each["question"]["state"] for each in server.messages["c1"] if "question" in each]

    async def scene() -> None:
        asked = await did(write, server, "go")
        async with serving(an_agent(server, asking)):
            await seen(server, lambda: states() == ["closed", "open"])
            await did(partial(order, server, "run_control", run_id=run_id_of(asked), action="stop"))
            await seen(server, lambda: has_ended(server, asked) and states() == ["closed", "closed"])

    play(scene)
    assert got == [None]


def test_a_question_that_expires_is_no_answer(server: FakeServer, play: Play) -> None:
    """
    None, and the handler goes on.
    """
    got: list[Answer | None] = []

    async def asking(message: Incoming, run: Run) -> None:
        got.append(await run.ask("Still there?", ["Yes"], expires_in_s=5))

    async def scene() -> None:
        asked = await did(write, server, "go")
        async with serving(an_agent(server, asking)):
            await seen(server, lambda: len(said(server)) == 1)
            await did(server.do, lambda: server.runs.settle("m2", "expired", None))
            await seen(server, lambda: has_ended(server, asked))

    play(scene)
    assert got == [None]


def test_a_question_that_is_deleted_is_no_answer(server: FakeServer, play: Play) -> None:
    """
    The person may delete what the agent asked.
    """
    got: list[Answer | None] = []

    async def asking(message: Incoming, run: Run) -> None:
        got.append(await run.ask("Still there?", ["Yes"]))

    def delete() -> None:
        data = {"message_id": "m2", "client_id": "delete-0123456789"}
        server.do(lambda: server.command(server.account("u:alice"), "delete", data))

    async def scene() -> None:
        asked = await did(write, server, "go")
        async with serving(an_agent(server, asking)):
            await seen(server, lambda: len(said(server)) == 1)
            await did(delete)
            await seen(server, lambda: has_ended(server, asked))

    play(scene)
    assert got == [None]


def test_words_into_a_run_reach_its_handler_once(server: FakeServer, play: Play) -> None:
    """
    They come both as a control and as a message of the log; neither is handled as a message of its own.
    """
    heard: list[str] = []

    async def listening(message: Incoming, run: Run) -> None:
        await run.write("…")
        async for text in run.steering():
            heard.append(text)
            if text == "enough":
                return

    async def scene() -> None:
        asked = await did(write, server, "go")
        async with serving(an_agent(server, listening)):
            await seen(server, lambda: run_id_of(asked) in server.runs.runs)
            for text in ("shorter", "enough"):
                await did(partial(order, server, "run_control", run_id=run_id_of(asked), action="steer", text=text))
            await seen(server, lambda: has_ended(server, asked))

    play(scene)
    assert heard == ["shorter", "enough"]
    assert len(server.runs.runs) == 1


def test_words_that_nobody_read_are_a_message_like_others(server: FakeServer, play: Play) -> None:
    """
    Nothing that a person said gets lost because a handler did not listen.
    """
    contents: list[str] = []
    may_end = anyio.Event()

    async def deaf(message: Incoming, run: Run) -> None:
        contents.append(message.content)
        if message.content == "go":
            await may_end.wait()

    async def scene() -> None:
        nonlocal may_end
        may_end = anyio.Event()
        asked = await did(write, server, "go")
        async with serving(an_agent(server, deaf)):
            await seen(server, lambda: run_id_of(asked) in server.runs.runs)
            steered = await did(
                partial(order, server, "run_control", run_id=run_id_of(asked), action="steer", text="wait")
            )
            await seen(server, lambda: bool(the_run(server, asked).acked))
            may_end.set()
            await seen(server, lambda: has_ended(server, steered["message_id"]))

    play(scene)
    assert contents == ["go", "wait"]


def test_files_history_and_messages_of_its_own(server: FakeServer, play: Play, tmp_path: Path) -> None:
    """
    An uploaded file is handed over as an artifact, from memory and from disk.
    """
    uploaded: list[Attachment] = []
    pages: list[list[str]] = []
    (tmp_path / "notes.txt").write_bytes(b"x" * 200_000)

    async def working(message: Incoming, run: Run) -> None:
        await run.send("I have begun.")
        uploaded.append(await run.upload(b"a,b\n", filename="table.csv", content_type="text/csv"))
        uploaded.append(await run.upload(tmp_path / "notes.txt"))
        for attachment in uploaded[-2:]:
            await run.artifact(attachment)
        pages.append([each.content for each in await run.history(limit=10)])

    asked = handled(server, play, working)
    assert [part["meta"]["filename"] for part in the_run(server, asked).parts] == ["table.csv", "notes.txt"]
    assert [attachment.size for attachment in uploaded] == [4, 200_000]
    assert pages == [["go", "I have begun."]]


@pytest.mark.parametrize("kind", ["text", "tool"])
def test_those_who_relay_say_parts_themselves(server: FakeServer, play: Play, kind: str) -> None:
    """
    Any kind, with any meta.
    """

    async def relay(message: Incoming, run: Run) -> None:
        part = await run.part("tool" if kind == "tool" else "text", {"name": "x"} if kind == "tool" else None)
        await part.write("out")
        if kind == "tool":
            await part.update({"name": "x", "state": "done"})

    asked = handled(server, play, relay)
    (part,) = the_run(server, asked).parts
    assert (part["kind"], part["text"]) == (kind, "out")
