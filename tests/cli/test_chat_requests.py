"""What takes more than one command, against the real server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from amtrio.cli.chat_requests import open_conversation, picture_of_run, stop_run
from amtrio.client import Connection, Refused
from tests.harness import Device, Scene, open_scene
from tests.runs import Answer, set_card

RUN = "run-of-the-test-1"


@asynccontextmanager
async def writing(directory: Path) -> AsyncIterator[tuple[Scene, Connection, Answer]]:
    """Alice's connection, and an answer that has begun."""
    async with open_scene(directory) as scene:
        alice, demo = await scene.register("alice"), await scene.register_agent("demo")
        await set_card(scene, "demo", "stop")
        talk = await scene.conversation(alice, demo)
        device: Device
        async with (
            scene.device(demo) as device,
            Connection(f"http://127.0.0.1:{scene.running.port}", token=alice.token) as connection,
        ):
            answer = Answer(device, RUN)
            await answer.start(talk)
            await answer.say("Hello")
            await device.caught_up()
            yield scene, connection, answer


async def test_a_conversation_is_found_or_made(tmp_path: Path) -> None:
    """
    The same one without a title, another one with each.
    """
    async with writing(tmp_path) as (_, connection, _):
        first = await open_conversation(connection, "demo")
        assert (await open_conversation(connection, "demo")).conversation_id == first.conversation_id
        assert (await open_conversation(connection, "demo", "Plans")).title == "Plans"
        with pytest.raises(Refused, match="nobody"):
            await open_conversation(connection, "nobody")


async def test_the_picture_of_a_run_is_the_whole_of_it(tmp_path: Path) -> None:
    """
    There is none of one that has ended, nor of one that never was.
    """
    async with writing(tmp_path) as (_, connection, answer):
        picture = await picture_of_run(connection, RUN)
        assert picture is not None
        assert [part.text for part in picture.parts] == ["Hello"]
        await answer.finish()
        assert await picture_of_run(connection, RUN) is None
        assert await picture_of_run(connection, "never-heard-of-it") is None


async def test_a_stop_reaches_the_agent_and_twice_is_no_error(tmp_path: Path) -> None:
    """
    Nor is stopping what has ended.
    """
    async with writing(tmp_path) as (_, connection, answer):
        await stop_run(connection, RUN)
        assert (await answer.device.next("run_control", run_id=RUN))["action"] == "stop"
        await answer.finish("stopped")
        await stop_run(connection, RUN)
        with pytest.raises(Refused):
            await stop_run(connection, "never-heard-of-it")


async def test_a_stop_goes_over_the_socket_where_rest_does_not_answer(tmp_path: Path) -> None:
    """
    A proxy that lets only the socket through, say.
    """
    async with writing(tmp_path) as (_, connection, answer):
        connection.rest.url = "http://127.0.0.1:1"
        await stop_run(connection, RUN)
        assert (await answer.device.next("run_control", run_id=RUN))["action"] == "stop"
