"""A person's program against the real server, under asyncio and Trio alike."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import anyio
import httpx
import pytest

from amtrio.client import (
    Agent,
    Backoff,
    Card,
    Client,
    Follow,
    Incoming,
    PlanItem,
    Refused,
    Run,
    RunChanged,
    Unreachable,
)
from amtrio.client.card import ALWAYS_SUPPORTED
from amtrio.client.events import MessageDeleted, MessagePosted, QuestionAnswered
from tests.client.real_server import RealServer
from tests.client.stage import Play, did, serving
from tests.harness import PASSWORD

T = TypeVar("T")


def quick() -> Backoff:
    return Backoff(first_s=0.05, longest_s=0.1)


def client_of(real: RealServer) -> Client:
    return Client(real.url, token=real.alice.token, device_id="script", backoff=quick())


def demo(real: RealServer, handler: Any) -> Agent:
    card = Card(supports=[*ALWAYS_SUPPORTED, "steer"])
    agent = Agent("demo", url=real.url, token=real.agent_token, card=card, backoff=quick())
    agent.on_message(handler)
    return agent


async def first(follow: Follow, kind: type[T], condition: Callable[[T], bool] = lambda _: True) -> T:
    """The next item of a kind that is as wanted."""
    async for item in follow:
        if isinstance(item, kind) and condition(item):
            return item
    raise AssertionError


def answers(item: MessagePosted) -> bool:
    return item.message.sender_type == "agent"


def test_a_script_logs_in_asks_and_reads_the_answer_while_it_is_written(real: RealServer, play: Play) -> None:
    """
    Signed in by name and password; the run as it grows, then its message.
    """

    async def reply(message: Incoming, run: Run) -> None:
        await run.plan([PlanItem("think")])
        *words, last = message.content.split()
        for word in words:
            await run.write(f"{word}! ")
        await is_seen.wait()
        await run.write(f"{last}! ")

    is_seen = anyio.Event()

    async def scene() -> None:
        nonlocal is_seen
        is_seen = anyio.Event()
        async with serving(demo(real, reply)):
            client = await Client.login(real.url, "alice", PASSWORD, backoff=quick())
            async with client:
                assert [agent.agent_id for agent in await client.agents()] == ["demo"]
                room = await client.open("demo")
                news = client.follow(room)
                sent = await client.send("one two three", conversation_id=room)
                live = await first(news, RunChanged, lambda item: "two!" in item.run.text)
                is_seen.set()
                assert (live.run.reply_to, live.run.parts[0].kind) == (sent.message_id, "plan")
                last = await first(news, MessagePosted, answers)
                assert last.message.content == "one! two! three! "
                assert last.message.run is not None
                assert last.message.run.run_id == live.run.run_id
                await client.mark_read(room)
                assert [each.content for each in await client.history(room)] == ["one two three", "one! two! three! "]
                (conversation,) = await client.conversations()
                assert (conversation.conversation_id, conversation.unread_count) == (room, 0)

    play(scene)


def test_a_script_decides(real: RealServer, play: Play) -> None:
    """
    It answers a question, says something into a run and stops it, takes back what waits.
    """

    async def busy(message: Incoming, run: Run) -> None:
        answer = await run.ask("Shall I?", ["Yes", "No"])
        await run.write(f"You said {answer and answer.option_ids[0]}. ")
        async for text in run.steering():
            await run.write(text)

    async def scene() -> None:
        async with serving(demo(real, busy)), client_of(real) as client:
            room = await client.open("demo", title="Decisions")
            news = client.follow(room)
            await client.send("go", conversation_id=room)
            asked = await first(news, MessagePosted, lambda item: item.message.question is not None)
            question = await client.answer(asked.message.message_id, ["Yes"])
            assert question.answer is not None
            assert question.answer.option_ids == ["Yes"]
            await first(news, QuestionAnswered)
            with pytest.raises(Refused, match="answered") as caught:
                await client.answer(asked.message.message_id, ["No"])
            assert caught.value.details["answer"]["option_ids"] == ["Yes"]
            live = await first(news, RunChanged, lambda item: "Yes" in item.run.text)
            waiting = await client.send("and this", conversation_id=room)
            await client.withdraw(waiting.message_id)
            await first(news, MessageDeleted, lambda item: item.message_id == waiting.message_id)
            steered = await client.steer(live.run.run_id, "Faster.")
            assert steered.message_id is not None
            await first(news, RunChanged, lambda item: "Faster." in item.run.text)
            assert (await client.stop(live.run.run_id)).status == "sent"
            last = await first(news, MessagePosted, lambda item: item.message.run is not None)
            assert last.message.content == "You said Yes. Faster."
            assert last.message.run is not None
            assert last.message.run.outcome == "stopped"
            with pytest.raises(Refused, match="run_closed"):
                await client.stop(live.run.run_id)

    play(scene)


def test_a_file_is_sent(real: RealServer, play: Play, tmp_path: Path) -> None:
    """
    The agent gets it with the message, and hands one over.
    """
    (tmp_path / "notes.txt").write_text("notes")

    async def reader(message: Incoming, run: Run) -> None:
        (attachment,) = message.attachments
        await run.write(f"{attachment.filename} has {attachment.size} bytes.")
        await run.artifact(await run.upload(b"a,b\n", filename="table.csv"))

    async def scene() -> None:
        async with serving(demo(real, reader)), client_of(real) as client:
            room = await client.open("demo")
            news = client.follow(room)
            await client.send("", conversation_id=room, attachments=[await client.upload(tmp_path / "notes.txt")])
            answer = await first(news, MessagePosted, answers)
            assert answer.message.content == "notes.txt has 5 bytes."
            assert [each.filename for each in answer.message.attachments] == ["table.csv"]

    play(scene)


def test_a_drop_in_the_middle_of_an_answer_shows_in_nothing(real: RealServer, play: Play) -> None:
    """
    Agent and client both lose their sockets; the run goes on as if nothing had been.
    """

    async def counting(message: Incoming, run: Run) -> None:
        for number in range(300):
            await run.write(f"{number} ")
            if number in {100, 200}:
                await did(real.cut)

    async def scene() -> None:
        async with serving(demo(real, counting)), client_of(real) as client:
            news = client.follow(await client.open("demo"))
            await client.send("count", agent_id="demo")
            texts: list[str] = []
            async for item in news:
                if isinstance(item, RunChanged):
                    texts.append(item.run.text)
                elif isinstance(item, MessagePosted) and answers(item):
                    whole = item.message.content
                    break
        assert whole == "".join(f"{number} " for number in range(300))
        assert all(whole.startswith(text) for text in texts)

    play(scene)


def test_a_hole_in_a_live_run_is_filled_by_asking(real: RealServer, play: Play) -> None:
    """
    Whatever the server dropped on the way to this device.
    """
    may_end = anyio.Event()

    async def waiting(message: Incoming, run: Run) -> None:
        await run.write("all of it")
        await may_end.wait()

    async def scene() -> None:
        nonlocal may_end
        may_end = anyio.Event()
        async with serving(demo(real, waiting)), client_of(real) as client:
            news = client.follow(await client.open("demo"))
            await client.send("go", agent_id="demo")
            live = await first(news, RunChanged, lambda item: item.run.text == "all of it")
            live.run.rev, live.run.parts = -1, []
            client._tasks.start_soon(partial(client._attach, live.run.run_id))
            await first(news, RunChanged, lambda item: item.run.text == "all of it")
            may_end.set()
            await first(news, MessagePosted, answers)

    play(scene)


def test_entering_says_when_the_server_cannot_be_talked_to(real: RealServer, play: Play) -> None:
    """
    Nobody there, or a credential that is none.
    """

    async def scene() -> None:
        with pytest.raises(Refused, match="unauthorized"):
            async with Client(real.url, token="wrong"):
                pass
        with pytest.raises(Refused, match="unauthorized"):
            await Client.login(real.url, "alice", "wrong password")
        nobody = httpx.AsyncClient(transport=httpx.MockTransport(_refuse))
        with pytest.raises(Unreachable):
            async with Client("http://nobody", token="t", http=nobody):
                pass

    play(scene)


def _refuse(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused")


def test_what_the_block_raises_comes_out_as_it_was(real: RealServer, play: Play) -> None:
    """
    Not wrapped in any group.
    """

    async def scene() -> None:
        with pytest.raises(KeyError, match="mine"):
            async with client_of(real):
                raise KeyError("mine")

    play(scene)
