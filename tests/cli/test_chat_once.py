"""One question and its answer as it comes: what is written when, and when it is whole."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from amtrio.cli.chat_once import Once, Reply, open_once
from amtrio.cli.demo_agent import run_demo_agent
from amtrio.client import Agent, Connection, Incoming, MessageSent, Run
from amtrio.client.events import Event, Message, MessagePosted, Offline, RunDelta, RunEnded, RunSnapshot, TypingChanged
from amtrio.client.shapes import Option, PartDelta, Question, RunPart, RunRecord
from tests.harness import AGENT_SECRET, Scene, open_scene

RUN = "run-of-the-test-1"
SENT = MessageSent(message_id="m1", conversation_id="c1", conversation_seq=1)


def message(number: int, content: str, **fields: Any) -> MessagePosted:
    fields.setdefault("sender_type", "agent")
    return MessagePosted(
        message=Message(
            message_id=f"m{number}",
            conversation_id=fields.pop("conversation_id", "c1"),
            conversation_seq=number,
            sender_id="demo",
            content=content,
            **fields,
        )
    )


def final(content: str, *lengths: int, number: int = 2, reply_to: str = "m1", **fields: Any) -> MessagePosted:
    parts = [RunPart(part=place, kind="text", length=length) for place, length in enumerate(lengths)]
    return message(number, content, reply_to=reply_to, run=RunRecord(run_id=RUN, parts=parts, **fields))


def snapshot(*texts: str, rev: int = 0, reply_to: str | None = "m1") -> RunSnapshot:
    parts = [RunPart(part=place, kind="text", text=text) for place, text in enumerate(texts)]
    return RunSnapshot(run_id=RUN, conversation_id="c1", agent_id="demo", rev=rev, reply_to=reply_to, parts=parts)


def delta(rev: int, offset: int, text: str, part: int = 0, **fields: Any) -> RunDelta:
    return RunDelta(
        run_id=RUN,
        conversation_id="c1",
        rev=rev,
        parts=[PartDelta(part=part, offset=offset, text=text, **fields)],
    )


def written(*events: Event, sent_after: int = 0) -> tuple[str, Reply]:
    """All that is written, the server's answer to ours coming after so many events."""
    reply, found = Reply("c1"), ""
    for place, event in enumerate(events):
        if place == sent_after:
            reply.was_sent(SENT)
        reply.apply(event, 0.0)
        found += reply.news()
    if sent_after >= len(events):
        reply.was_sent(SENT)
    return found + reply.news(), reply


def test_a_live_answer_is_written_as_it_grows_and_once() -> None:
    """
    Its message adds what was not told before, and nothing else.
    """
    text, reply = written(snapshot(), delta(1, 0, "Hel", kind="text"), delta(2, 3, "lo"), final("Hello you", 9))
    assert (text, reply.outcome) == ("Hello you", "done")


def test_what_others_are_answered_is_not_written() -> None:
    """
    An answer to another message, another conversation, what was there before, what is deleted, what we said.
    """
    text, reply = written(
        snapshot("no", reply_to="m0"),
        final("no", 2, number=2, reply_to="m0"),
        message(3, "no", conversation_id="c2"),
        message(1, "no"),
        message(4, "", deleted=True),
        message(5, "no", sender_type="client"),
    )
    assert (text, reply.outcome, reply.has_begun) == ("", None, False)


def test_messages_beside_an_answer_have_a_blank_line_between() -> None:
    """
    Such as a question, which shows what it offers.
    """
    question = Question(options=[Option(id="y", label="Yes"), Option(id="n", label="No")])
    text, _ = written(snapshot("Well. "), message(2, "Shall I?", question=question), final("Well. Done.", 11, number=3))
    assert text == "Well. \n\nShall I?\n- Yes\n- No\n\nDone."


def test_an_answer_without_text_writes_no_stand_in() -> None:
    """
    Unless it is all there is of one that went well.
    """
    text, reply = written(final("(failed)", outcome="failed", error="no luck"))
    assert (text, reply.outcome, reply.error) == ("", "failed", "no luck")
    assert written(final("(a picture)", outcome="done"))[0] == "(a picture)"


def test_an_answer_that_left_nothing_is_over() -> None:
    """
    Whether its end is heard before or after the server has said which message ours is.
    """
    ended = RunEnded(run_id=RUN, conversation_id="c1", agent_id="demo", outcome="done")
    for sent_after in (0, 2):
        _, reply = written(snapshot(), ended, sent_after=sent_after)
        assert (reply.outcome, reply.has_messages) == ("done", False)


def test_a_text_that_is_another_one_in_the_end_is_written_whole() -> None:
    """
    It should not happen, and must not be cut in the middle if it does.
    """
    assert written(snapshot("Hello"), final("Bye", 3))[0] == "Hello\n\nBye"


def test_what_terminals_obey_is_taken_out() -> None:
    assert written(snapshot("a\x1b[2Jb"))[0] == "a[2Jb"


def test_typing_is_known_and_a_drop_is_no_end() -> None:
    """
    Typing ends with a message.
    """
    typing = TypingChanged(conversation_id="c1", sender_type="agent", sender_id="demo", typing=True)
    _, reply = written(typing, Offline(reason="gone", retry_in_s=1))
    assert reply.typing_until > 0
    reply.apply(message(2, "x"), 0.0)
    assert reply.typing_until == 0


@given(
    words=st.lists(st.text("ab \n", min_size=1), min_size=1, max_size=6), sent_after=st.integers(0, 9), data=st.data()
)
def test_whatever_is_lost_or_late_all_of_it_is_written_once(
    words: list[str], sent_after: int, data: st.DataObject
) -> None:
    """
    Pieces dropped, repeated, pictures in between, the server's answer to ours at any time.
    """
    whole = "".join(words)
    news: list[Event] = [snapshot()]
    for place, word in enumerate(words, start=1):
        news.append(delta(place, len("".join(words[: place - 1])), word, kind="text" if place == 1 else None))
    kept = data.draw(st.lists(st.sampled_from(news), max_size=8))
    events = [*kept, final(whole, len(whole))]
    text, reply = written(*events, sent_after=min(sent_after, len(events)))
    assert (text, reply.outcome) == (whole, "done")


# -------------------------------------------------------------------------------------------- against the real server


class Pieces(list[str]):
    """What is written, and when the first of it is."""

    def __init__(self) -> None:
        super().__init__()
        self.begun = trio.Event()

    def write(self, text: str) -> None:
        self.append(text)
        self.begun.set()


@asynccontextmanager
async def asking(directory: Path, agent: Callable[[str], Any]) -> AsyncIterator[tuple[Scene, Once, Pieces]]:
    """Alice in a script, and what is written."""
    async with open_scene(directory) as scene:
        alice, demo = await scene.register("alice"), await scene.register_agent("demo")
        url = f"http://127.0.0.1:{scene.running.port}"
        async with trio.open_nursery() as nursery, scene.device(alice, "phone") as phone:
            nursery.start_soon(agent, url)
            await phone.next("agent_changed", agent_id=demo.id)
            async with Connection(url, token=alice.token) as connection:
                pieces = Pieces()
                yield scene, await open_once(connection, "demo", pieces.write), pieces
            nursery.cancel_scope.cancel()


def the_demo_agent(url: str) -> Any:
    return run_demo_agent(url, "demo", AGENT_SECRET, pace=0)


def an_agent(handler: Callable[[Incoming, Run], Any]) -> Callable[[str], Any]:
    def serve(url: str) -> Any:
        agent = Agent("demo", url=url, token=AGENT_SECRET, on_error=lambda _message, _error: None)
        agent.on_message(handler)
        return agent.serve()

    return serve


async def test_it_ends_with_the_message_of_the_answer(tmp_path: Path) -> None:
    """
    And what is written in pieces is what the message says.
    """
    async with asking(tmp_path, the_demo_agent) as (_, once, pieces):
        reply = await once.ask("/long", timeout_s=10)
        assert reply.outcome == "done"
        assert "".join(pieces).startswith("Hello! I am the **demo agent**")
        assert "".join(pieces).endswith("your message waits until I am done |")


async def test_an_answer_of_several_messages_is_over_with_its_run(tmp_path: Path) -> None:
    """
    Which leaves no message itself.
    """
    async with asking(tmp_path, the_demo_agent) as (_, once, pieces):
        await once.ask("hi", timeout_s=10)
        pieces.clear()
        again = Once(once._connection, once.reply.conversation_id, pieces.append)
        await again.ask("/count 3", timeout_s=10)
        assert "".join(pieces) == "1\n\n2\n\n3"


async def test_the_first_interrupt_stops_the_answer(tmp_path: Path) -> None:
    """
    What was written until then is kept, and it is told as stopped.
    """

    async def reply(_message: Incoming, run: Run) -> None:
        await run.write("On and on")
        await trio.sleep_forever()

    async with asking(tmp_path, an_agent(reply)) as (_, once, pieces):
        async with trio.open_nursery() as nursery:
            results: list[Reply] = []

            async def ask() -> None:
                results.append(await once.ask("go", timeout_s=10))

            nursery.start_soon(ask)
            await pieces.begun.wait()
            once.interrupt()
        assert (results[0].outcome, "".join(pieces)) == ("stopped", "On and on")


async def test_a_second_interrupt_waits_for_nothing(tmp_path: Path) -> None:
    """
    Not even for an agent that takes its time to stop; nor does the first one if nothing has begun.
    """

    async def reply(_message: Incoming, run: Run) -> None:
        await run.write("On and on")
        with run.uncancelled():
            await trio.sleep_forever()

    async with asking(tmp_path, an_agent(reply)) as (_, once, pieces):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(partial(once.ask, "go", timeout_s=10))
            await pieces.begun.wait()
            once.interrupt()
            once.interrupt()
        assert once.reply.outcome is None


async def test_without_an_answer_it_ends_in_time(tmp_path: Path) -> None:
    """
    Nothing is written.
    """
    async with open_scene(tmp_path) as scene:
        alice = await scene.register("alice")
        await scene.register_agent("demo")
        async with Connection(f"http://127.0.0.1:{scene.running.port}", token=alice.token) as connection:
            pieces: list[str] = []
            once = await open_once(connection, "demo", pieces.append)
            reply = await once.ask("hello", timeout_s=0.1)
            assert (reply.has_begun, pieces) == (False, [])


async def test_plain_messages_are_over_when_nothing_more_comes(tmp_path: Path) -> None:
    """
    As agents answer that know nothing of runs: with typing between them.
    """
    async with open_scene(tmp_path) as scene:
        alice, demo = await scene.register("alice"), await scene.register_agent("demo")
        talk = await scene.conversation(alice, demo)
        url = f"http://127.0.0.1:{scene.running.port}"
        async with scene.device(demo) as agent, Connection(url, token=alice.token) as connection:
            pieces: list[str] = []
            once = await open_once(connection, "demo", pieces.append)

            async def answer() -> None:
                await agent.next("message", sender_type="client")
                for text in ("one", "two"):
                    await agent.say("typing", conversation_id=talk)
                    await agent.send(talk, text)

            async with trio.open_nursery() as nursery:
                nursery.start_soon(answer)
                reply = await once.ask("hello", timeout_s=10)
            assert ("".join(pieces), reply.outcome) == ("one\n\ntwo", None)


@pytest.mark.parametrize("error", [ValueError("no such thing")])
async def test_a_failed_answer_says_so(tmp_path: Path, error: Exception) -> None:
    """
    What was written before stays written.
    """

    async def reply(_message: Incoming, run: Run) -> None:
        await run.write("It begins")
        raise error

    async with asking(tmp_path, an_agent(reply)) as (_, once, pieces):
        told = await once.ask("go", timeout_s=10)
        assert ("".join(pieces), told.outcome, told.error) == ("It begins", "failed", "ValueError: no such thing")
