"""One message handled, against a small server, under asyncio and Trio alike."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator

import anyio
import pytest

from amtrio.client import Incoming, Run, RunClosed, RunFailed
from amtrio.client.turn import run_id_of
from tests.client.fake_runs import Refusal
from tests.client.fake_server import FakeServer
from tests.client.stage import Play, an_agent, did, has_ended, order, said, seen, serving, the_run, write


def is_written(server: FakeServer, message_id: str) -> bool:
    """The server has something of the answer."""
    run = server.runs.runs.get(run_id_of(message_id))
    return run is not None and bool(run.text)


async def echo(message: Incoming, run: Run) -> None:
    await run.write(message.content)


def test_nothing_written_leaves_no_message(server: FakeServer, play: Play) -> None:
    """
    The run is ended empty.
    """

    async def silent(message: Incoming) -> None: ...

    async def scene() -> None:
        asked = await did(write, server, "hello")
        async with serving(an_agent(server, silent)):
            await seen(server, lambda: has_ended(server, asked))

    play(scene)
    assert said(server) == []


def test_stop_cancels_the_handler_and_keeps_what_it_wrote(server: FakeServer, play: Play) -> None:
    """
    The stop is acknowledged, `finally` may clean up behind a shield, the run ends as stopped.
    """
    ended: list[str] = []

    async def slow(message: Incoming, run: Run) -> None:
        await run.write("Once upon a time")
        try:
            await anyio.sleep_forever()
        finally:
            with anyio.CancelScope(shield=True):
                await run.write(" (the end)")
                ended.append("cleaned up")

    async def scene() -> None:
        asked = await did(write, server, "a story")
        async with serving(an_agent(server, slow)):
            await seen(server, lambda: is_written(server, asked))
            await did(functools.partial(order, server, "run_control", run_id=run_id_of(asked), action="stop"))
            await seen(server, lambda: has_ended(server, asked))
            assert the_run(server, asked).acked == {"control-00000001"}
            assert the_run(server, asked).outcome == "stopped"

    play(scene)
    assert ended == ["cleaned up"]
    assert said(server) == ["Once upon a time (the end)"]


def test_a_handler_that_does_not_clean_up_in_time_is_not_waited_for(
    server: FakeServer, play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Its run is ended without it; the next message of the conversation waits until it is really over.
    """
    monkeypatch.setattr("amtrio.client.turn.CLEAN_UP_S", 0.05)
    may_end = anyio.Event()
    order_of_things: list[str] = []

    async def stubborn(message: Incoming, run: Run) -> None:
        order_of_things.append(message.content)
        await run.write("…")
        if message.content == "first":
            with anyio.CancelScope(shield=True):
                await may_end.wait()
            order_of_things.append("first is over")

    async def scene() -> None:
        nonlocal may_end
        may_end = anyio.Event()
        first = await did(write, server, "first")
        async with serving(an_agent(server, stubborn)):
            await seen(server, lambda: is_written(server, first))
            second = await did(write, server, "second")
            await did(functools.partial(order, server, "run_control", run_id=run_id_of(first), action="stop"))
            await seen(server, lambda: has_ended(server, first))
            may_end.set()
            await seen(server, lambda: has_ended(server, second))

    play(scene)
    assert order_of_things == ["first", "first is over", "second"]


def test_uncancelled_lets_the_handler_decide(server: FakeServer, play: Play) -> None:
    """
    Inside it only sees is_stopping; leaving the block cancels.
    """
    seen_stopping: list[bool] = []

    async def careful(message: Incoming, run: Run) -> None:
        with run.uncancelled():
            await run.write("saving")
            await run.wait_for_stop()
            seen_stopping.append(run.is_stopping)
            await run.write(", saved")
        await anyio.sleep_forever()

    async def scene() -> None:
        asked = await did(write, server, "go")
        async with serving(an_agent(server, careful)):
            await seen(server, lambda: is_written(server, asked))
            await did(functools.partial(order, server, "run_control", run_id=run_id_of(asked), action="stop"))
            await seen(server, lambda: has_ended(server, asked))

    play(scene)
    assert seen_stopping == [True]
    assert said(server) == ["saving, saved"]


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (KeyError("colour"), "KeyError: 'colour'"),
        (RunFailed("The printer is out of paper."), "The printer is out of paper."),
        (ExceptionGroup("tasks", [ExceptionGroup("more", [ValueError("bad")])]), "ValueError: bad"),
        (RuntimeError("x" * 1000), ("RuntimeError: " + "x" * 1000)[:500]),
    ],
)
def test_an_error_of_the_handler_fails_the_run(server: FakeServer, play: Play, error: Exception, told: str) -> None:
    """
    With a text for the person; the author gets the error, unless it was meant for the person alone.
    """
    errors: list[Exception] = []

    async def broken(message: Incoming, run: Run) -> None:
        await run.write("Let me see")
        raise error

    async def scene() -> None:
        asked = await did(write, server, "go")
        async with serving(an_agent(server, broken, on_error=lambda _message, exc: errors.append(exc))):
            await seen(server, lambda: has_ended(server, asked))
        finish = the_run(server, asked).finish
        assert finish is not None
        assert (finish["outcome"], finish["error"]) == ("failed", told)

    play(scene)
    assert len(errors) == (0 if isinstance(error, RunFailed) else 1)


def test_a_run_that_the_server_ended_ends_its_handler_quietly(server: FakeServer, play: Play) -> None:
    """
    Writing raises RunClosed, which is nobody's error; the next message is handled.
    """
    errors: list[Exception] = []
    closed: list[str | None] = []

    async def writer(message: Incoming, run: Run) -> None:
        try:
            while message.content == "forever":
                await run.write("more ")
                await anyio.sleep(0.01)
        except RunClosed as exc:
            closed.append(exc.outcome)
            raise

    async def scene() -> None:
        asked = await did(write, server, "forever")
        async with serving(an_agent(server, writer, on_error=lambda _message, exc: errors.append(exc))):
            await seen(server, lambda: is_written(server, asked))
            await did(server.do, lambda: server.runs.end(run_id_of(asked), "interrupted"))
            following = await did(write, server, "now")
            await seen(server, lambda: has_ended(server, following))

    play(scene)
    assert (errors, len(closed)) == ([], 1)


def test_a_run_of_an_earlier_life_is_ended_as_interrupted_and_not_handled_again(server: FakeServer, play: Play) -> None:
    """
    Whatever was written before is kept, and the person is told.
    """
    handled: list[str] = []

    async def once(message: Incoming, run: Run) -> None:
        handled.append(message.content)
        await run.write("done")

    async def scene() -> None:
        asked = await did(write, server, "first")
        start = {"run_id": run_id_of(asked), "conversation_id": "c1", "reply_to": asked}
        await did(server.do, lambda: server.runs.command("run_start", start))
        said_before = {"run_id": run_id_of(asked), "part": 0, "offset": 0, "text": "half an ans"}
        await did(server.do, lambda: server.runs.command("run_append", said_before))
        async with serving(an_agent(server, once)):
            await seen(server, lambda: has_ended(server, asked))
            following = await did(write, server, "second")
            await seen(server, lambda: has_ended(server, following))
        finish = the_run(server, asked).finish
        assert finish is not None
        assert finish["outcome"] == "interrupted"
        assert "restarted" in finish["error"]

    play(scene)
    assert handled == ["second"]
    assert said(server) == ["half an ans", "done"]


def test_a_run_whose_opening_was_not_answered_is_handled_all_the_same(server: FakeServer, play: Play) -> None:
    """
    The server has it, the answer got lost: asking again must not look like an earlier life.
    """
    server.mute, server.mutes = 1, "run_start"

    async def scene() -> None:
        asked = await did(write, server, "hello")
        async with serving(an_agent(server, echo)):
            await seen(server, lambda: has_ended(server, asked))
        assert the_run(server, asked).outcome == "done"

    play(scene)
    assert said(server) == ["hello"]


@pytest.mark.parametrize("code", ["withdrawn", "not_found"])
def test_a_message_that_cannot_be_taken_is_skipped(server: FakeServer, play: Play, code: str) -> None:
    """
    Withdrawn or deleted in the last moment: never handled, and done with.
    """
    handled: list[str] = []

    async def note(message: Incoming) -> None:
        handled.append(message.content)

    async def scene() -> None:
        await did(write, server, "withdrawn")
        following = await did(write, server, "stays")
        server.runs.refuse["run_start"] = [Refusal(code, "too late")]
        async with serving(an_agent(server, note)):
            await seen(server, lambda: has_ended(server, following))

    play(scene)
    assert handled == ["stays"]
    server.until(lambda: server.accounts["a:demo"].cursor >= 3)


def test_a_server_that_cannot_open_runs_is_an_error(server: FakeServer, play: Play) -> None:
    """
    An older one, say: nobody should wonder why an agent is silent.
    """
    errors: list[Exception] = []

    async def scene() -> None:
        await did(write, server, "hello")
        server.runs.refuse["run_start"] = [Refusal("unknown_type", "unknown message type: run_start")]
        async with serving(an_agent(server, echo, on_error=lambda _message, exc: errors.append(exc))):
            await seen(server, lambda: server.accounts["a:demo"].cursor >= 2)

    play(scene)
    assert "unknown_type" in str(errors[0])


def test_what_is_being_answered_is_read(server: FakeServer, play: Play) -> None:
    """
    The person sees the mark when the handler begins.
    """

    async def scene() -> None:
        asked = await did(write, server, "hello")
        async with serving(an_agent(server, echo)):
            await seen(server, lambda: has_ended(server, asked))
            await seen(server, lambda: server.read_up_to.get(("c1", "demo")) == 1)

    play(scene)


def test_typing_is_shown_until_the_first_text(server: FakeServer, play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    And said again while it lasts.
    """
    monkeypatch.setattr("amtrio.client.turn._TYPING_AGAIN_S", 0.002)
    may_write = anyio.Event()

    def typed() -> int:
        return sum(frame["type"] == "typing" for frame in server.frames)

    async def thinker(message: Incoming, run: Run) -> None:
        await may_write.wait()
        await run.write("42")
        await run.history()  # behind whatever was on its way
        count = typed()
        for _ in range(50):  # takes much longer than it takes to say it again
            await run.history()
        assert typed() == count

    async def scene() -> None:
        nonlocal may_write
        may_write = anyio.Event()
        asked = await did(write, server, "think")
        async with serving(an_agent(server, thinker)):
            await seen(server, lambda: typed() >= 3)
            may_write.set()
            await seen(server, lambda: has_ended(server, asked))
        assert the_run(server, asked).outcome == "done"

    play(scene)


def test_ending_the_agent_keeps_what_its_handlers_wrote(server: FakeServer, play: Play) -> None:
    """
    Cancelling ends runs as interrupted, over the connection that is left last; the message is done with.
    """

    async def slow(message: Incoming, run: Run) -> AsyncIterator[str]:
        yield "half an answer"
        await anyio.sleep_forever()

    async def scene() -> None:
        asked = await did(write, server, "go")
        async with serving(an_agent(server, slow)):
            await seen(server, lambda: is_written(server, asked))
        assert the_run(server, asked).outcome == "interrupted"

    play(scene)
    assert said(server) == ["half an answer"]
    server.until(lambda: server.accounts["a:demo"].cursor >= 2)


def test_ending_an_agent_that_is_cut_off_does_not_wait_for_the_server(
    server: FakeServer, play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A moment at most; the server ends the run by itself, and the message is not done with.
    """
    monkeypatch.setattr("amtrio.client.turn.END_WITHIN_S", 0.05)

    async def slow(message: Incoming, run: Run) -> None:
        await run.write("half")
        await anyio.sleep_forever()

    async def scene() -> None:
        asked = await did(write, server, "go")
        async with serving(an_agent(server, slow)):
            await seen(server, lambda: is_written(server, asked))
            server.is_up = False
            await did(server.cut_all)
            await seen(server, lambda: not server.account("a:demo").sockets)
            began_at = anyio.current_time()
        assert anyio.current_time() - began_at < 5
        assert the_run(server, asked).state == "open"
        assert server.accounts["a:demo"].cursor < 2

    play(scene)


def test_a_yielded_thing_that_is_no_text_is_an_error(server: FakeServer, play: Play) -> None:
    """
    Told to the author.
    """
    errors: list[Exception] = []

    async def wrong(message: Incoming) -> AsyncIterator[object]:
        yield 5

    async def scene() -> None:
        asked = await did(write, server, "go")
        agent = an_agent(server, on_error=lambda _message, exc: errors.append(exc))
        agent.on_message(wrong)  # type: ignore[type-var]
        async with serving(agent):
            await seen(server, lambda: has_ended(server, asked))

    play(scene)
    assert isinstance(errors[0], TypeError)


def test_run_ids_are_made_from_messages() -> None:
    """
    Within the alphabet and length of ids.
    """
    assert run_id_of("m1") == run_id_of("m1") != run_id_of("m2")
    assert 16 <= len(run_id_of("m" * 64)) <= 64
