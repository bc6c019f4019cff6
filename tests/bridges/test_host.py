"""Bridges as agents of a server: of a real one, with a real device at the other end."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import httpx
import pytest
import trio

from amtrio.bridges.acp import Acp
from amtrio.bridges.acp_program import Launch, open_programs
from amtrio.bridges.children import open_children
from amtrio.bridges.command import Command, Program
from amtrio.bridges.files import Files
from amtrio.bridges.host import Identity, LiveCommands, host, reported
from amtrio.bridges.turn import Handler, Incoming, Run
from amtrio.client import Card, Rest, RunFailed, SlashCommand
from tests.bridges.acp_stage import STANDIN
from tests.bridges.conftest import Lifeline, Play
from tests.bridges.families import stubborn
from tests.bridges.stage import Note, Record
from tests.client.fake_server import FakeServer, fake_server
from tests.harness import AGENT_SECRET, Device, Json, Scene, open_scene


def identity_in(scene: Scene, directory: Path) -> Identity:
    return Identity("helper", f"http://127.0.0.1:{scene.running.port}", AGENT_SECRET, directory / "state")


@asynccontextmanager
async def hosted(scene: Scene, directory: Path, handler: Handler, card: Card) -> AsyncIterator[None]:
    """The bridge is there, and people see its card."""
    async with httpx.AsyncClient() as http, trio.open_nursery() as nursery:

        async def run() -> None:
            await host(identity_in(scene, directory), handler, card, report=lambda _line: None, http=http)

        nursery.start_soon(run)
        yield
        nursery.cancel_scope.cancel()


async def the_end(device: Device, sent: Json) -> Json:
    """The message that the run ends with which answers this one."""
    while not (message := await device.next("message")).get("run") or message["reply_to"] != sent["message_id"]:
        pass
    return message


async def test_a_program_answers_live(tmp_path: Path) -> None:
    """
    From a person's message to the program and back, with the file that she attached.
    """
    async with open_scene(tmp_path) as scene, open_children(0.2) as children, httpx.AsyncClient() as http:
        alice, helper = await scene.register("alice"), await scene.register_agent("helper")
        talk = await scene.conversation(alice, helper)
        who = identity_in(scene, tmp_path)
        files = Files(http, who.url, who.token, who.agent_id)
        program = Program(("sh", "-c", 'tr a-z A-Z; cat "$AMTRIO_ATTACHMENTS"'))
        handler = Command(program, children, files, lambda _line: None).handle
        async with hosted(scene, tmp_path, handler, Card()), scene.device(alice) as phone:
            upload = await scene.http.post(
                "/attachments", params={"filename": "notes.txt"}, content=b"the notes", headers=alice.headers
            )
            attached = [upload.json()["attachment_id"]]
            message = await the_end(phone, await phone.send(talk, "hello", attachment_ids=attached))
            assert (message["content"], message["run"]["outcome"]) == ("HELLO\nthe notes", "done")
            failing = Command(Program(("sh", "-c", "echo no >&2; exit 3")), children, files, lambda _line: None)
        async with hosted(scene, tmp_path, failing.handle, Card()), scene.device(alice) as phone:
            message = await the_end(phone, await phone.send(talk, "again"))
            assert message["run"]["outcome"] == "failed"
            assert message["run"]["error"] == "sh failed with exit code 3:\nno"


async def test_a_stop_reaches_the_whole_family(tmp_path: Path, lifeline: Lifeline) -> None:
    """
    The person taps, every process is gone, and what was printed is kept.
    """
    async with open_scene(tmp_path) as scene, open_children(0.2) as children, httpx.AsyncClient() as http:
        alice, helper = await scene.register("alice"), await scene.register_agent("helper")
        talk = await scene.conversation(alice, helper)
        files = Files(http, "", "", "")
        command = Command(Program(stubborn(lifeline.path)), children, files, lambda _line: None)
        async with hosted(scene, tmp_path, command.handle, Card()), scene.device(alice) as phone:
            sent = await phone.send(talk, "go on for ever")
            while "ready" not in str((delta := await phone.next("run_delta"))["parts"]):
                pass
            stop = {"action": "stop"}
            asked = await scene.http.post(f"/runs/{delta['run_id']}/control", json=stop, headers=alice.headers)
            assert asked.json()["status"] == "sent"
            message = await the_end(phone, sent)
            assert (message["run"]["outcome"], message["content"].strip()) == ("stopped", "ready")
            await lifeline.all_gone()


async def test_a_coding_agent_asks_and_is_answered(tmp_path: Path) -> None:
    """
    Its permission request is a question with buttons; the tap on one goes back, and its commands are on the card.
    """
    memory = tmp_path / "memory"
    memory.mkdir()
    argv = [sys.executable, str(STANDIN), "--memory", str(memory), "--frames", str(tmp_path / "frames")]
    async with open_scene(tmp_path) as scene, open_children(0.2) as children, httpx.AsyncClient() as http:
        alice, helper = await scene.register("alice"), await scene.register_agent("helper")
        talk = await scene.conversation(alice, helper)
        who = identity_in(scene, tmp_path)
        commands = LiveCommands(who.rest(http), lambda _line: None)
        launch, told = Launch(argv, tmp_path), commands.replace
        async with open_programs(launch, children, on_commands=told) as programs, trio.open_nursery() as nursery:
            nursery.start_soon(commands.run)
            handler = Acp(programs, Files(http, who.url, who.token, who.agent_id), lambda _line: None).handle
            card = Card(commands=commands.commands)
            async with hosted(scene, tmp_path, handler, card), scene.device(alice) as phone:
                sent = await phone.send(talk, "ask")
                while not (question := await phone.next("message")).get("question"):
                    pass
                assert question["content"].startswith("rm -rf build\n\n```\nrm -rf build dist")
                chosen = question["question"]["options"][1]["id"]
                await phone.ask("answer", message_id=question["message_id"], option_ids=[chosen])
                assert (await the_end(phone, sent))["content"] == "outcome: no/once"
                (agent,) = await scene.get("/agents", alice)
                assert agent["commands"] == [{"name": "web", "description": "Search", "arguments": "words"}]
            nursery.cancel_scope.cancel()


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with fake_server() as running:
        yield running


def test_a_server_that_refuses_the_commands_ends_nothing(server: FakeServer, play: Play) -> None:
    """
    One from before there were cards: each change is tried and told of, and what is no change is not tried.
    """

    async def scene() -> None:
        told, reports = anyio.create_memory_object_stream[str](9)
        async with httpx.AsyncClient() as http, anyio.create_task_group() as tasks:
            rest = Rest(server.url, token="agt_demo", agent_id="demo", http=http)
            commands = LiveCommands(rest, told.send_nowait)
            kept = commands.commands
            tasks.start_soon(commands.run)
            for name in ("web", "find"):
                commands.replace([SlashCommand(name, "Search")])
                commands.replace([SlashCommand(name, "Search")])
                assert kept == [SlashCommand(name, "Search")], "the card's own list"
                assert "did not take the commands" in await reports.receive()
            assert reports.statistics().current_buffer_used == 0
            tasks.cancel_scope.cancel()
        told.close()
        reports.close()

    play(scene)


def test_each_turn_is_one_line_on_the_terminal(play: Play) -> None:
    """
    Whose it was and how it ended, never what was said.
    """
    lines: list[str] = []

    def ending(error: BaseException | None) -> Handler:
        async def handle(message: Incoming, run: Run) -> None:
            if error is not None:
                raise error

        times = iter([1.0, 3.5])
        return reported(handle, lines.append, lambda: next(times))

    async def scene() -> None:
        await ending(None)(Note("a secret"), Record())
        with pytest.raises(RunFailed):
            await ending(RunFailed("no paper\nleft"))(Note("a secret"), Record())
        with pytest.raises(KeyError):
            await ending(KeyError("x"))(Note("a secret"), Record())

    play(scene)
    assert lines == [
        "m1 of alice answered (2.5 s)",
        "m1 of alice failed: no paper left (2.5 s)",
        "m1 of alice failed: KeyError: 'x' (2.5 s)",
    ]


def test_a_stopped_turn_says_so(play: Play) -> None:
    """
    To the person it is no failure either.
    """
    lines: list[str] = []

    async def scene() -> None:
        async def handle(message: Incoming, run: Run) -> None:
            scope.cancel()
            await anyio.sleep_forever()

        with anyio.CancelScope() as scope:
            await reported(handle, lines.append, lambda: 0.0)(Note(), Record())

    play(scene)
    assert lines == ["m1 of alice stopped (0.0 s)"]


def test_state_is_kept_apart() -> None:
    """
    By agent, server and kind, in one folder.
    """
    one = Identity("helper", "http://a/", "t", Path("state"))
    same = Identity("helper", "http://a", "t", Path("state"))
    others = [Identity("other", "http://a", "t", Path("state")), Identity("helper", "http://b", "t", Path("state"))]
    assert one.state_file("cursor") == same.state_file("cursor")
    names = {each.state_file(kind).name for each in (one, *others) for kind in ("cursor", "acp")}
    assert len(names) == 6
    assert one.state_file("acp").name.startswith("helper-")
