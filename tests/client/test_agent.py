"""An agent from its author's side, against a small server, under asyncio and Trio alike."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from amtrio.client import AuthenticationEnded, Card, Incoming, Replaced, Run, SlashCommand
from tests.client.fake_server import FakeServer
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
