"""An agent from its author's side, against a small server and the real one, under asyncio and Trio alike."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest

from amtrio.client import (
    Agent,
    Answer,
    AuthenticationEnded,
    Backoff,
    Card,
    Incoming,
    Option,
    PlanItem,
    Replaced,
    Run,
    SlashCommand,
)
from amtrio.client.card import ALWAYS_SUPPORTED
from amtrio.client.turn import Handler, run_id_of
from amtrio.client.vault import Vault
from tests.client.fake_server import FakeServer
from tests.client.real_server import RealServer
from tests.client.stage import Play, an_agent, did, has_ended, said, seen, serving, the_run, write


def test_a_handler_that_writes_answers_live(server: FakeServer, play: Play) -> None:
    """
    What it writes is one run that ends as the answer's message, done.
    """

    async def reply(message: Incoming, run: Run) -> None:
        for word in ("You", " said ", message.content):
            await run.write(word)

    async def scene() -> None:
        asked = await did(write, server, "hello")
        async with serving(an_agent(server, reply)):
            await seen(server, lambda: has_ended(server, asked))
        assert the_run(server, asked).outcome == "done"

    play(scene)
    assert said(server) == ["You said hello"]


def test_a_generator_streams_what_it_yields(server: FakeServer, play: Play) -> None:
    """
    And may do without the run.
    """

    async def reply(message: Incoming) -> AsyncIterator[str]:
        for letter in message.content:
            yield letter

    async def scene() -> None:
        asked = await did(write, server, "hello")
        async with serving(an_agent(server, reply)):
            await seen(server, lambda: has_ended(server, asked))

    play(scene)
    assert said(server) == ["hello"]


def test_a_returned_text_is_the_answer(server: FakeServer, play: Play) -> None:
    """
    The decorator takes it with and without brackets.
    """
    agent = an_agent(server)

    @agent.on_message()
    async def reply(message: Incoming) -> str:
        return message.content.upper()

    async def scene() -> None:
        asked = await did(write, server, "hello")
        async with serving(agent):
            await seen(server, lambda: has_ended(server, asked))

    play(scene)
    assert said(server) == ["HELLO"]


def test_the_card_is_told_after_every_connecting(server: FakeServer, play: Play) -> None:
    """
    With what every agent supports, and the commands.
    """
    card = Card(name="Helper", commands=[SlashCommand("weather", "tells the weather", "CITY")])

    async def scene() -> None:
        async with serving(an_agent(server, _nothing, card=card)):
            await seen(server, lambda: server.runs.cards == 1)
            await did(server.cut_all)
            await seen(server, lambda: server.runs.cards == 2)

    play(scene)
    assert server.runs.card == {
        "name": "Helper",
        "supports": ["stop", "queue", "questions"],
        "commands": [{"name": "weather", "description": "tells the weather", "arguments": "CITY"}],
        "capabilities": [],
    }


def test_it_does_not_serve_with_keys_of_another_agent(server: FakeServer, play: Play, tmp_path: Path) -> None:
    """
    People would encrypt for somebody else.
    """

    async def scene() -> None:
        vault = Vault(tmp_path / "keys")
        vault.claim("agent:other")
        with pytest.raises(ValueError, match="keys of agent:other, not of agent:demo"):
            await an_agent(server, _nothing, vault=vault).serve()
        vault.close()

    play(scene)


@pytest.mark.parametrize(("code", "error"), [(4401, AuthenticationEnded), (4000, Replaced)])
def test_serving_ends_with_the_connection(server: FakeServer, play: Play, code: int, error: type[Exception]) -> None:
    """
    A revoked credential or another program in its place comes out of `serve` as it is.
    """

    async def scene() -> None:
        server.door.append((None, code, "no more"))
        with pytest.raises(error, match="no more"):
            await an_agent(server, _nothing).serve()

    play(scene)


def test_an_agent_without_a_handler_says_so(server: FakeServer, play: Play) -> None:
    """
    Before it connects.
    """

    async def scene() -> None:
        with pytest.raises(ValueError, match="handler"):
            await an_agent(server).serve()

    play(scene)
    assert server.hellos == []


def test_it_reports_when_it_comes_and_goes(server: FakeServer, play: Play) -> None:
    """
    One line each.
    """
    lines: list[str] = []

    async def scene() -> None:
        async with serving(an_agent(server, _nothing, report=lines.append)):
            await seen(server, lambda: server.runs.cards == 1)
            await did(server.cut_all)
            await seen(server, lambda: server.runs.cards == 2)

    play(scene)
    assert lines[0] == lines[2] == "demo is online"
    assert "trying again" in lines[1]


async def _nothing(message: Incoming) -> None: ...


# ------------------------------------------------------------------------------------------------- the real server


def real_agent(real: RealServer, handler: Handler, **options: Any) -> Agent:
    options.setdefault("backoff", Backoff(first_s=0.01, longest_s=0.05))
    agent = Agent("demo", url=real.url, token=real.agent_token, **options)
    agent.on_message(handler)
    return agent


def outcomes(real: RealServer, conversation_id: str) -> list[tuple[str, str]]:
    return [(each["content"], each["run"]["outcome"]) for each in real.messages(conversation_id)]


def is_shown(real: RealServer, message_id: str, text: str) -> bool:
    """Alice's phone shows this of the live answer."""
    run_id = run_id_of(message_id)
    return run_id in real.shown.runs and text in real.shown.text(run_id)


def ended(real: RealServer, message_id: str) -> dict[str, Any] | None:
    return real.ended(run_id_of(message_id))


def test_a_person_sees_the_answer_while_it_is_written(real: RealServer, play: Play) -> None:
    """
    Text, thoughts, a tool, a plan; at the end it is one message with all of it.
    """

    async def reply(message: Incoming, run: Run) -> None:
        async with run.reasoning("Thinking") as part:
            await part.write("hm")
        await run.plan([PlanItem("search", "running")])
        async with run.tool("search", {"q": message.content}) as tool:
            await tool.write("looking")
            tool.result = ["Paris"]
        await run.plan([PlanItem("search", "done")])
        await run.status("writing")
        await run.write("It is ")
        await may_end.wait()
        await run.write("Paris.")
        run.usage = {"output_tokens": 4}

    may_end = anyio.Event()

    async def scene() -> None:
        nonlocal may_end
        may_end = anyio.Event()
        room = await did(real.room)
        asked = await did(real.write, "capital of France?", room)
        async with serving(real_agent(real, reply)):
            await did(real.until, lambda: is_shown(real, asked, "It is "))
            may_end.set()
            await did(real.until, lambda: ended(real, asked) is not None)
        (answer,) = real.messages(room)
        assert (answer["content"], answer["reply_to"], answer["run"]["outcome"]) == ("It is Paris.", asked, "done")
        assert answer["run"]["usage"] == {"output_tokens": 4}
        kinds = {part["kind"]: part for part in answer["run"]["parts"]}
        assert kinds["tool"]["meta"]["state"] == "done"
        assert kinds["tool"]["meta"]["result"] == ["Paris"]
        assert kinds["plan"]["meta"]["items"] == [{"text": "search", "state": "done"}]
        assert kinds["reasoning"]["text"] == "hm"

    play(scene)


def test_a_person_stops_the_answer(real: RealServer, play: Play) -> None:
    """
    The handler is cancelled, what it wrote is kept; the next message is answered.
    """
    cancelled: list[str] = []

    async def endless(message: Incoming, run: Run) -> None:
        await run.write("On and ")
        if message.content == "talk":
            try:
                await anyio.sleep_forever()
            finally:
                cancelled.append(message.content)
        await run.write("off.")

    async def scene() -> None:
        room = await did(real.room)
        asked = await did(real.write, "talk", room)
        async with serving(real_agent(real, endless)):
            await did(real.until, lambda: is_shown(real, asked, "On and "))
            stop = await did(partial(real.post, f"/runs/{run_id_of(asked)}/control", action="stop"))
            assert stop["status"] == "sent"
            await did(real.until, lambda: ended(real, asked) is not None)
            following = await did(real.write, "again", room)
            await did(real.until, lambda: ended(real, following) is not None)
        assert outcomes(real, room) == [
            ("On and ", "stopped"),
            ("On and off.", "done"),
        ]

    play(scene)
    assert cancelled == ["talk"]


def test_a_person_steers_the_answer(real: RealServer, play: Play) -> None:
    """
    What is said into the run reaches the handler once and is no message to answer.
    """

    async def listening(message: Incoming, run: Run) -> None:
        await run.write(f"Listening to {message.content}.")
        async for text in run.steering():
            await run.write(f" {text}!")
            return

    async def scene() -> None:
        room = await did(real.room)
        asked = await did(real.write, "you", room)
        card = Card(supports=[*ALWAYS_SUPPORTED, "steer"])
        async with serving(real_agent(real, listening, card=card)):
            await did(real.until, lambda: is_shown(real, asked, "Listening"))
            path = f"/runs/{run_id_of(asked)}/control"
            await did(partial(real.post, path, action="steer", text="louder", client_id="steer-0123456789"))
            await did(real.until, lambda: ended(real, asked) is not None)
            following = await did(real.write, "me", room)
            await did(real.until, lambda: is_shown(real, following, "me"))
        assert real.said(room)[0] == "Listening to you. louder!"

    play(scene)


def test_a_person_takes_back_what_waits(real: RealServer, play: Play) -> None:
    """
    The handler never sees it, and the one behind it is handled.
    """
    handled: list[str] = []
    may_end = anyio.Event()

    async def slow(message: Incoming, run: Run) -> None:
        handled.append(message.content)
        await run.write(message.content)
        if message.content == "first":
            await may_end.wait()

    async def scene() -> None:
        nonlocal may_end
        may_end = anyio.Event()
        room = await did(real.room)
        agent = real_agent(real, slow)
        async with serving(agent):
            first = await did(real.write, "first", room)
            await did(real.until, lambda: is_shown(real, first, "first"))
            second, third = [await did(real.write, content, room) for content in ("second", "third")]
            await did(partial(real.post, f"/messages/{second}/withdraw", client_id="withdraw-01234567"))
            may_end.set()
            await did(real.until, lambda: ended(real, third) is not None)

    play(scene)
    assert handled == ["first", "third"]


def test_a_person_answers_a_question(real: RealServer, play: Play) -> None:
    """
    By a button and by a text; what nobody waits for any more is closed.
    """
    answers: list[Answer | None] = []

    async def asking(message: Incoming, run: Run) -> None:
        answers.append(await run.ask("Delete it?", ["Yes", Option(id="no", label="No, keep it", style="primary")]))
        answers.append(await run.ask("Why?", ["No reason"], free_text=True))
        answers.append(await run.ask("Really?", ["Yes"], timeout_s=0.01))
        await run.write("Done.")

    def question(room: str, content: str) -> dict[str, Any] | None:
        return next((each for each in real.messages(room) if each["content"] == content), None)

    def closed() -> list[str]:
        return [each["data"]["message_id"] for each in real.phone if each["type"] == "question_closed"]

    async def scene() -> None:
        room = await did(real.room)
        asked = await did(real.write, "go", room)
        async with serving(real_agent(real, asking)):
            for content, given in (("Delete it?", {"option_ids": ["no"]}), ("Why?", {"text": "It is old."})):
                await did(real.until, partial(question, room, content))
                message = question(room, content)
                assert message is not None
                path = f"/messages/{message['message_id']}/answer"
                await did(partial(real.post, path, client_id=f"answer-{message['message_id']}"[:64], **given))
            await did(real.until, lambda: ended(real, asked) is not None and closed())
        last = question(room, "Really?")
        assert last is not None
        assert closed() == [last["message_id"]]

    play(scene)
    assert [each and (each.option_ids, each.text) for each in answers] == [
        (["no"], None),
        ([], "It is old."),
        None,
    ]


def test_an_agent_that_is_cut_off_goes_on_without_hole_or_repeat(real: RealServer, play: Play) -> None:
    """
    The socket breaks in the middle of an answer, several times; the person's device notices nothing of it.
    """
    text = "".join(f"{number} " for number in range(2000))

    async def counting(message: Incoming, run: Run) -> None:
        for number in range(2000):
            await run.write(f"{number} ")
            if number % 400 == 399:
                await did(real.cut)

    async def scene() -> None:
        room = await did(real.room)
        asked = await did(real.write, "count", room)
        async with serving(real_agent(real, counting)):
            await did(real.until, lambda: ended(real, asked) is not None)
        assert real.said(room) == [text]
        assert real.cuts == 5
        assert not real.shown.holes

    play(scene)


def test_200_messages_over_random_drops_are_each_handled_once_and_in_order(real: RealServer, play: Play) -> None:
    """
    Five conversations at once, the wire cut after so many bytes again and again: every handler ran once, in the order
    of its conversation, and every answer is whole.
    """
    chance = random.Random(11)
    handled: dict[str, list[str]] = {}

    async def echo(message: Incoming, run: Run) -> None:
        handled.setdefault(message.conversation_id, []).append(message.content)
        for word in ("You", " said", " ", message.content, "."):
            await run.write(word)
            await anyio.lowlevel.checkpoint()

    async def scene() -> None:
        rooms = [await did(real.room, f"room {number}") for number in range(5)]
        asked = [await did(real.write, str(number), rooms[number % 5]) for number in range(200)]

        def all_ended() -> bool:
            return all(ended(real, each) is not None for each in asked)

        # Not at once: a server that has not heard of the cut takes the newcomer for another program.
        async with serving(real_agent(real, echo, backoff=Backoff(first_s=0.1, longest_s=0.1))):
            while not all_ended():
                # What is not done with comes again each time: some 80 kB of messages.
                real.cut_soon(chance.randrange(100_000, 180_000))
                await did(real.until, lambda: not real.is_to_be_cut or all_ended())
        assert real.cuts >= 4
        expected = {room: [str(number) for number in range(place, 200, 5)] for place, room in enumerate(rooms)}
        assert handled == expected
        for room, contents in expected.items():
            assert real.said(room) == [f"You said {content}." for content in contents]
        assert not real.shown.holes

    play(scene)


def test_an_agent_that_is_killed_leaves_a_word_and_its_next_life_goes_on(
    real: RealServer, tmp_path: Path, backend: str
) -> None:
    """
    kill -9 in the middle of an answer: its text is kept as interrupted, nobody answers that message a second time, and
    what was written meanwhile is answered by the next process.
    """
    program = f"""
from pathlib import Path
import anyio
from amtrio.client import Agent, Backoff

agent = Agent("demo", url={real.url!r}, token={real.agent_token!r}, backoff=Backoff(first_s=0.05))

@agent.on_message
async def reply(message, run):
    with Path({str(tmp_path / "handled")!r}).open("a") as file:
        file.write(message.content + "\\n")
    await run.write("I was about to ")
    if message.content == "die":
        await anyio.sleep_forever()
    await run.write("say yes.")

agent.run(backend={backend!r})
"""
    room = real.room()
    asked = real.write("die", room)
    with subprocess.Popen([sys.executable, "-c", program]) as first:
        try:
            real.until(lambda: is_shown(real, asked, "about to"))
        finally:
            first.kill()
    following = real.write("live", room)
    with subprocess.Popen([sys.executable, "-c", program]) as second:
        try:
            real.until(lambda: ended(real, following) is not None)
        finally:
            second.terminate()
            assert second.wait(10) == 0
    interrupted, answered = real.messages(room)
    assert (interrupted["content"], interrupted["run"]["outcome"]) == ("I was about to ", "interrupted")
    assert "restarted" in interrupted["run"]["error"]
    assert (answered["content"], answered["run"]["outcome"]) == ("I was about to say yes.", "done")
    assert (tmp_path / "handled").read_text().split() == ["die", "live"]
