"""The demo agent, against the real server, and against a small one that loses things."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import msgspec
import pytest
import trio

from amtrio.cli.demo_agent import CARD, run_demo_agent
from amtrio.client import AuthenticationEnded, Backoff, Rest
from amtrio.client.events import Message
from amtrio.client.sealed_files import upload
from amtrio.client.vault import Vault
from tests.client.fake_server import FakeServer, fake_server
from tests.client.stage import said, write
from tests.harness import AGENT_SECRET, Device, Json, Scene, open_scene
from tests.pictures import picture
from tests.runs import Shown


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with fake_server() as running:
        yield running


@asynccontextmanager
async def talking(directory: Path) -> AsyncIterator[tuple[Scene, Device, str]]:
    """A real server, the demo agent at full speed, and alice's phone; the conversation has its greeting behind it."""
    async with open_scene(directory) as scene:
        alice, demo = await scene.register("alice"), await scene.register_agent("demo")
        talk = await scene.conversation(alice, demo)
        url = f"http://127.0.0.1:{scene.running.port}"
        async with scene.device(alice, "phone") as phone, trio.open_nursery() as nursery:
            nursery.start_soon(partial(run_demo_agent, url, "demo", AGENT_SECRET, pace=0))
            await phone.next("agent_changed", agent_id="demo")
            await phone.send(talk, "hi")
            greeting = await phone.next("message", sender_type="agent")
            assert "demo agent" in greeting["content"]
            assert "You wrote 1 word" in greeting["content"]
            yield scene, phone, talk
            nursery.cancel_scope.cancel()


async def answer(phone: Device, talk: str, content: str) -> Json:
    """The message that answers what is said."""
    sent = await phone.send(talk, content)
    return await phone.next("message", reply_to=sent["message_id"])


def kinds(message: Json) -> list[str]:
    return [part["kind"] for part in message["run"]["parts"]]


async def test_it_says_what_it_can_do(tmp_path: Path) -> None:
    """
    Commands, and what of the protocol it supports, are on its card.
    """
    async with talking(tmp_path) as (scene, _, _):
        alice = await scene.login("alice")
        (card,) = await scene.get("/agents", alice)
        assert set(card["supports"]) == {"stop", "queue", "steer", "questions", "attachments"}
        assert [each["name"] for each in card["commands"]] == [each.name for each in CARD.commands]


async def test_an_answer_is_shown_while_it_is_written(tmp_path: Path) -> None:
    """
    Thoughts, a tool, a plan: what the device was shown last is what the message keeps.
    """
    async with talking(tmp_path) as (_, phone, talk):
        for command, expected in (
            ("/think", ["reasoning", "text"]),
            ("/tool 3", ["text", "tool", "text"]),
            ("/plan", ["text", "plan", "text"]),
            ("/tool x", ["tool", "text"]),
        ):
            message = await answer(phone, talk, command)
            assert kinds(message) == expected, command
            assert message["run"]["outcome"] == "done"
        tool = message["run"]["parts"][0]["meta"]
        assert (tool["state"], tool["arguments"]) == ("failed", {"start": "x"})
        shown = Shown()
        for frame in phone.ephemeral:
            shown.hear(frame)
        assert len(shown.runs) == 5, "the greeting's too"
        assert not shown.holes


async def test_it_says_which_files_it_received(tmp_path: Path) -> None:
    """
    What it says is what the server knows of them.
    """
    async with talking(tmp_path) as (scene, phone, talk):
        url = f"http://127.0.0.1:{scene.running.port}"
        async with Rest(url, token=(await scene.login("alice")).token) as rest:
            file = await rest.upload(picture("PNG", size=(64, 48)), filename="garden.png", conversation_id=talk)
        await phone.send(talk, "", attachment_ids=[file.attachment_id])
        message = await phone.next("message", sender_type="agent")
        assert message["content"].startswith(f"I received `garden.png` (image/png, {file.size} bytes, 64 x 48 pixels)")


async def test_it_reads_a_text_and_makes_one(tmp_path: Path) -> None:
    """
    The first line of what it gets; a file with what it was told.
    """
    async with talking(tmp_path) as (scene, phone, talk):
        url = f"http://127.0.0.1:{scene.running.port}"
        async with Rest(url, token=(await scene.login("alice")).token) as rest:
            file = await rest.upload(b"rhubarb\nand more", filename="garden.txt", conversation_id=talk)
            await phone.send(talk, "", attachment_ids=[file.attachment_id])
            assert (await phone.next("message", sender_type="agent"))["content"].endswith("begins with `rhubarb`.")
            await phone.send(talk, "/file some words")
            message = await phone.next("message", sender_type="agent")
            (made,) = msgspec.convert(message, Message).attachments
            assert (made.filename, await rest.download(made)) == ("demo.txt", b"some words\n")


async def test_counting_is_one_message_each(tmp_path: Path) -> None:
    """
    Nothing is left of the run itself.
    """
    async with talking(tmp_path) as (_, phone, talk):
        await phone.send(talk, "/count 3")
        await phone.next("run_ended", outcome="done")
        counted = [event["data"]["content"] for event in phone.events if event["type"] == "message"]
        assert counted[-3:] == ["1", "2", "3"]


async def test_the_endless_answer_turns_where_one_steers_and_stops_where_one_stops(tmp_path: Path) -> None:
    """
    What is said into it becomes its topic; the stop ends it at once, with what was written.
    """
    async with talking(tmp_path) as (_, phone, talk):
        await phone.send(talk, "/endless")
        run_id = (await phone.next("run_snapshot"))["run_id"]
        reply = await phone.ask("run_control", run_id=run_id, action="steer", text="soup")
        assert reply["data"]["status"] == "sent"
        shown = ""
        while "Soup" not in shown:
            delta = await phone.next("run_delta", run_id=run_id)
            shown += "".join(part.get("text", "") for part in delta["parts"])
        assert "You say “soup”" in shown
        await phone.ask("run_control", run_id=run_id, action="stop")
        message = await phone.next("message", sender_type="agent")
        assert message["run"]["outcome"] == "stopped"
        assert "soup" in message["content"]


async def test_what_is_said_meanwhile_waits_and_can_be_taken_back(tmp_path: Path) -> None:
    """
    Queued behind a running answer; one is withdrawn and never answered, the other is answered next.
    """
    async with talking(tmp_path) as (_, phone, talk):
        await phone.send(talk, "/endless")
        run_id = (await phone.next("run_snapshot"))["run_id"]
        waiting = await phone.send(talk, "/echo never")
        await phone.send(talk, "/echo next")
        reply = await phone.ask("message_withdraw", message_id=waiting["message_id"])
        assert reply["data"]["status"] == "withdrawn"
        await phone.ask("run_control", run_id=run_id, action="stop")
        await phone.next("message", content="next")
        said = [event["data"].get("content") for event in phone.events if event["type"] == "message"]
        assert "never" not in said


async def test_it_can_be_talked_to_encrypted(tmp_path: Path) -> None:
    """
    It answers what is asked, needs no buttons, and does not write for ever where nobody sees it.
    """
    async with open_scene(tmp_path / "server") as scene:
        alice, demo = await scene.register("alice"), await scene.register_agent("demo")
        talk = await scene.conversation(alice, demo)
        url = f"http://127.0.0.1:{scene.running.port}"
        vault, keys = Vault(tmp_path / "alice.keys"), tmp_path / "demo.keys"
        async with Rest(url, token=AGENT_SECRET, agent_id="demo") as its_rest:
            its_vault = Vault(keys)
            await its_vault.publish(its_rest, "agent:demo")
            its_vault.close()
        async with (
            scene.device(alice, "phone") as phone,
            Rest(url, token=alice.token) as rest,
            trio.open_nursery() as nursery,
        ):
            lines: list[str] = []
            nursery.start_soon(
                partial(run_demo_agent, url, "demo", AGENT_SECRET, pace=0, keys=keys, report=lines.append)
            )
            await phone.next("agent_changed", agent_id="demo")
            await vault.publish(rest, f"user:{alice.id}")
            await vault.begin(rest, talk, "agent:demo")
            for asked, expected in (("/echo hello", "hello"), ("/ask", "cannot ask"), ("/endless", "I do it myself")):
                await phone.ask("encrypted_message", conversation_id=talk, **await vault.seal(talk, asked))
                answer = await phone.next("message", sender_type="agent")
                assert (answer["kind"], "question" in answer, "run" in answer) == ("encrypted", False, False)
                assert expected in (await vault.open(msgspec.convert(answer, Message))).text
            file = await upload(rest, b"rhubarb", filename="garden.txt", conversation_id=talk)
            await phone.ask("encrypted_message", conversation_id=talk, **await vault.seal(talk, "/file leek", [file]))
            opened = await vault.open(msgspec.convert(await phone.next("message", sender_type="agent"), Message))
            assert "`garden.txt` (text/plain, 7 bytes). It begins with `rhubarb`." in opened.text
            assert [await rest.download(each) for each in opened.files] == [b"leek\n"]
            number = await vault.safety_number("agent:demo")
            assert number is not None
            assert number in "".join(lines).replace(" ", "")
            nursery.cancel_scope.cancel()
    vault.close()


def running(server: FakeServer, *, until: Callable[[], bool]) -> None:
    """Run the agent until the server has seen something; then its process is as good as killed."""

    async def life() -> None:
        with trio.fail_after(15):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_run, server)
                await trio.to_thread.run_sync(server.until, until)
                nursery.cancel_scope.cancel()

    trio.run(life)


async def _run(server: FakeServer) -> None:
    await run_demo_agent(server.url, "demo", "agt_demo", pace=0.01, backoff=Backoff(first_s=0.01, longest_s=0.05))


def test_it_never_answers_twice_over_drops_and_lives(server: FakeServer) -> None:
    """
    Answers that got lost, a cut in the middle, a new process that confirmed nothing: each message answered once.
    """
    server.mute, server.mutes = 2, "run_finish"
    write(server, "hi")
    write(server, "/echo one")
    write(server, "/count 3")
    running(server, until=lambda: said(server)[-1:] == ["3"])
    server.account("a:demo").cursor = 0  # as if the first life had confirmed nothing
    write(server, "/echo end")
    running(server, until=lambda: said(server)[-1] == "end")
    assert said(server)[1:] == ["one", "1", "2", "3", "end"]
    running(server, until=lambda: server.account("a:demo").cursor > 10)


def test_a_life_that_ends_in_the_middle_leaves_what_it_said(server: FakeServer) -> None:
    """
    Told as interrupted; the next life does not begin it anew.
    """
    write(server, "/endless")
    running(server, until=lambda: any("This answer" in run.text for run in server.runs.runs.values()))
    (run,) = server.runs.runs.values()
    server.until(lambda: run.state == "ended")
    assert run.outcome == "interrupted"
    write(server, "/echo end")
    running(server, until=lambda: said(server)[-1] == "end")
    assert len(said(server)) == 2


def test_after_a_resync_it_answers_what_is_open(server: FakeServer) -> None:
    """
    A log that cannot go on: what people wrote after the agent's last word is answered, nothing else.
    """
    write(server, "hi")
    running(server, until=lambda: len(said(server)) == 1)
    write(server, "/echo meanwhile")
    server.account("a:demo").pruned = len(server.account("a:demo").log)
    server.account("a:demo").cursor = 0
    running(server, until=lambda: "meanwhile" in said(server))
    assert len(said(server)) == 2


def test_the_question_goes_on_with_the_answer(server: FakeServer) -> None:
    """
    The run waits for it, and says what belongs to the option that was chosen.
    """

    def asked() -> bool:
        questions = [m for m in server.messages["c1"] if "question" in m]
        for message in questions:
            if message["question"]["state"] == "open":
                server.runs.on_answer({"message_id": message["message_id"], "option_ids": ["none"]})
        return any("nothing to add" in text for text in said(server))

    write(server, "hi")
    running(server, until=lambda: len(said(server)) == 1)
    write(server, "/ask")
    running(server, until=asked)


async def test_a_wrong_credential_ends_it(server: FakeServer) -> None:
    """
    The error comes out bare, not in a group.
    """
    with pytest.raises(AuthenticationEnded, match="unknown token"):
        await run_demo_agent(server.url, "demo", "agt_wrong")


def program(state: Path, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    """What lasts is in `state`."""
    code = "import typer; from amtrio.cli.demo_agent import demo_agent; typer.run(demo_agent)"
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        env={**os.environ, "XDG_STATE_HOME": str(state), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_as_a_program_it_stops_on_a_signal(server: FakeServer, tmp_path: Path) -> None:
    """
    It says that it is online, and SIGTERM ends it with 0. Its keys are where all that lasts is, one file per server.
    """
    with program(tmp_path, "--url", server.url, AMTRIO_AGENT_TOKEN="agt_demo") as agent:
        assert agent.stdout is not None
        assert "demo is online" in agent.stdout.readline()
        agent.send_signal(signal.SIGTERM)
        assert agent.wait(10) == 0
    (keys,) = (tmp_path / "amtrio").iterdir()
    assert (keys.name, keys.stat().st_mode & 0o777) == (f"127.0.0.1_{server.port}_demo.keys", 0o600)


def test_as_a_program_it_says_what_is_wrong(server: FakeServer, tmp_path: Path) -> None:
    """
    No credential is 2, a refused one 3, keys that cannot be used 1, each with a sentence.
    """
    with program(tmp_path) as agent:
        _, errors = agent.communicate(timeout=20)
        assert (agent.returncode, "amtrio agent add demo" in errors) == (2, True)
    with program(tmp_path, "--url", server.url, "--token", "agt_wrong") as agent:
        _, errors = agent.communicate(timeout=20)
        assert (agent.returncode, "unknown token" in errors) == (3, True)
    with program(tmp_path, "--url", server.url, "--token", "agt_demo", "--keys", str(tmp_path)) as agent:
        _, errors = agent.communicate(timeout=20)
        assert (agent.returncode, f"cannot use the keys in {tmp_path}" in errors) == (1, True)
