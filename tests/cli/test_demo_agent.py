"""The demo agent, against a small server over real sockets."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
import trio

from amtrio.cli.demo_agent import HELP, Say, Show, answer_id, plan, run_demo_agent
from amtrio.client import AuthenticationEnded, Backoff
from amtrio.client.events import Message
from tests.client.fake_server import FakeServer, fake_server

NOON_US = 1_795_348_800_000_000  # 2026-11-22T12:00:00Z


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with fake_server() as running:
        yield running


def message(content: str, conversation_seq: int = 2) -> Message:
    return Message(
        message_id="m1",
        conversation_id="c1",
        conversation_seq=conversation_seq,
        sender_type="client",
        sender_id="alice",
        content=content,
    )


def said(content: str, conversation_seq: int = 2) -> list[str]:
    return [step.text for step in plan(message(content, conversation_seq), NOON_US) if isinstance(step, Say)]


def write(server: FakeServer, content: str) -> None:
    """Alice writes, as if from a device of hers."""

    def post() -> None:
        number = sum(map(len, server.messages.values()))
        server.command(
            server.account("u:alice"), "message", {"content": content, "client_id": f"alice-writes-{number:04}"}
        )

    server.do(post)


def answers(server: FakeServer) -> list[str]:
    return [m["content"] for m in server.messages.get("c1", []) if m["sender_type"] == "agent"]


def running(server: FakeServer, *, until: Callable[[], bool]) -> None:
    """Run the agent until the server has seen something."""

    async def life() -> None:
        with trio.fail_after(15):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_run, server)
                await trio.to_thread.run_sync(server.until, until)
                nursery.cancel_scope.cancel()

    trio.run(life)


async def _run(server: FakeServer) -> None:
    await run_demo_agent(server.url, "demo", "agt_demo", pace=0.01, backoff=Backoff(first_s=0.01, longest_s=0.05))


def test_every_command_has_its_answer() -> None:
    """
    Plans are made from the message alone.
    """
    assert said("/help") == [HELP]
    assert said("/time") == ["It is **12:00:00** UTC."]
    assert said("/count 3") == ["1", "2", "3"]
    assert said("/count many") == said("/count 21") == ["`/count N` takes a number from 1 to 20."]
    assert said("/echo one  two") == ["one  two"]
    assert said("/nonsense") == ["I do not know `/nonsense`. Try `/help`."]
    assert said("hello there") == ["You wrote 2 words. I heard you: every one of them is stored."]
    assert "question" in said("why?")[0]
    assert "```python" in said("/long")[0]


def test_busy_shows_a_status_and_comes_back() -> None:
    """
    Ten seconds busy, then online, then a word about it.
    """
    steps = plan(message("/busy"), NOON_US)
    assert [step.status for step in steps if isinstance(step, Show)] == ["busy", "online"]


def test_the_first_message_of_a_conversation_is_greeted() -> None:
    """
    Greeting first, then the answer.
    """
    greeting, answer = said("hi", conversation_seq=1)
    assert "demo agent" in greeting
    assert answer.startswith("You wrote 1 word.")


def test_an_answer_has_an_id_made_from_its_question() -> None:
    """
    Within the alphabet and length of client ids, and different for each part.
    """
    assert answer_id("m1", 0) == answer_id("m1", 0) != answer_id("m1", 1)
    assert 16 <= len(answer_id("m" * 64, 0)) <= 64


def test_it_greets_types_answers_and_reads(server: FakeServer) -> None:
    """
    Typing is seen before the answer, the read mark moves, the reply quotes.
    """
    write(server, "hello")
    running(server, until=lambda: len(answers(server)) == 2)
    write(server, "/quote")
    running(server, until=lambda: len(answers(server)) == 3)
    words = [frame["type"] for frame in server.frames if frame["type"] != "ack"]
    assert words[:3] == ["read", "typing", "message"]
    quoted = server.messages["c1"][-1]
    assert quoted["reply_to"] == next(m["message_id"] for m in server.messages["c1"] if m["content"] == "/quote")


def test_it_never_answers_twice_over_drops_and_lives(server: FakeServer) -> None:
    """
    Answers whose ack was lost, a cut in the middle, a new process that confirmed nothing: each part once, in order.
    """
    server.mute = 2
    write(server, "hi")
    write(server, "/count 5")
    running(server, until=lambda: len(answers(server)) == 4)
    server.account("a:demo").cursor = 0  # as if the first life had confirmed nothing
    running(server, until=lambda: len(answers(server)) == 7)
    write(server, "/echo end")
    running(server, until=lambda: answers(server)[-1] == "end")
    assert answers(server)[2:] == ["1", "2", "3", "4", "5", "end"]
    running(server, until=lambda: server.account("a:demo").cursor > 10)


def test_after_a_resync_it_answers_what_is_open(server: FakeServer) -> None:
    """
    A log that cannot go on: what people wrote after the agent's last word is answered, nothing else.
    """
    write(server, "hi")
    running(server, until=lambda: len(answers(server)) == 2)
    write(server, "/echo meanwhile")
    server.account("a:demo").pruned = len(server.account("a:demo").log)
    server.account("a:demo").cursor = 0
    running(server, until=lambda: "meanwhile" in answers(server))
    assert len(answers(server)) == 3


async def test_a_wrong_credential_ends_it(server: FakeServer) -> None:
    """
    The error comes out bare, not in a group.
    """
    with pytest.raises(AuthenticationEnded, match="unknown token"):
        await run_demo_agent(server.url, "demo", "agt_wrong")


def program(*arguments: str, **environment: str) -> subprocess.Popen[str]:
    code = "import typer; from amtrio.cli.demo_agent import demo_agent; typer.run(demo_agent)"
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_as_a_program_it_stops_on_a_signal(server: FakeServer) -> None:
    """
    It says that it is online, and SIGTERM ends it with 0.
    """
    with program("--url", server.url, AMTRIO_AGENT_TOKEN="agt_demo") as agent:
        assert agent.stdout is not None
        assert "demo is online" in agent.stdout.readline()
        agent.send_signal(signal.SIGTERM)
        assert agent.wait(10) == 0


def test_as_a_program_it_says_what_is_wrong(server: FakeServer) -> None:
    """
    No credential is 2, a refused one 3, each with a sentence.
    """
    with program() as agent:
        _, errors = agent.communicate(timeout=20)
        assert (agent.returncode, "amtrio agent add demo" in errors) == (2, True)
    with program("--url", server.url, "--token", "agt_wrong") as agent:
        _, errors = agent.communicate(timeout=20)
        assert (agent.returncode, "unknown token" in errors) == (3, True)
