"""The writer task: gathers while the disk is busy, tells in order, and ends the server when telling fails."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import outcome
import pytest
import trio
import trio.testing

from amtrio.errors import StorageUnavailable
from amtrio.store.commit import Settled, Unit
from amtrio.store.database import Committed
from amtrio.store.thread import Inline, Thread
from amtrio.store.writer import Writer


def silence(_: Sequence[Committed]) -> None:
    """Nobody listens."""


def answer_all(batch: Sequence[Unit]) -> Settled:
    return Settled(answers=[(unit.done, outcome.Value(unit.args[0])) for unit in batch])


class Batches:
    """Notes what came in one batch."""

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def __call__(self, batch: Sequence[Unit]) -> Settled:
        self.sizes.append(len(batch))
        return answer_all(batch)


def put(writer: Writer, number: int, done: Callable[[Any], object]) -> None:
    writer.put(Unit(lambda _: None, (number,), {}, done))


async def test_units_of_one_scheduler_tick_share_a_batch() -> None:
    """
    A hundred sockets that were woken together cost one fsync.
    """
    commit = Batches()
    writer = Writer(Inline("test"), commit, silence, max_batch=512)
    answers: list[Any] = []

    async def sender(number: int) -> None:
        put(writer, number, answers.append)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(writer.run)
        await trio.testing.wait_all_tasks_blocked()
        async with trio.open_nursery() as senders:
            for number in range(100):
                senders.start_soon(sender, number)
        writer.close()
    assert commit.sizes == [100]
    assert len(answers) == 100


async def test_the_next_batch_gathers_while_one_is_on_the_disk() -> None:
    """
    What comes during an fsync goes together into the next, at most `max_batch` of it.
    """
    gate = threading.Event()
    commit = Batches()

    def slow(batch: Sequence[Unit]) -> Settled:
        gate.wait(10)
        return commit(batch)

    runner = Thread("test")
    writer = Writer(runner, slow, silence, max_batch=4)
    answers: list[Any] = []
    async with trio.open_nursery() as nursery:
        nursery.start_soon(writer.run)
        put(writer, 0, answers.append)
        await trio.testing.wait_all_tasks_blocked()
        for number in range(1, 11):
            put(writer, number, answers.append)
        assert writer.waiting == 10
        gate.set()
        writer.close()
    await runner.close()
    assert commit.sizes == [1, 4, 4, 2]
    assert [answer.unwrap() for answer in answers] == list(range(11))
    assert writer.batches == 4


async def test_closing_drains_even_if_everything_is_cancelled() -> None:
    """
    Units handed over before the end are committed and their owners told.
    """
    commit = Batches()
    writer = Writer(Inline("test"), commit, silence, max_batch=2)
    answers: list[Any] = []
    async with trio.open_nursery() as nursery:
        nursery.start_soon(writer.run)
        for number in range(5):
            put(writer, number, answers.append)
        writer.close()
        nursery.cancel_scope.cancel()
    assert len(answers) == 5


async def test_a_unit_put_after_the_end_is_refused() -> None:
    """
    Later, never before `put` returned.
    """
    writer = Writer(Inline("test"), answer_all, silence, max_batch=2)
    writer.close()
    await writer.run()
    answers: list[Any] = []
    put(writer, 1, answers.append)
    assert answers == []
    await trio.testing.wait_all_tasks_blocked()
    assert isinstance(answers[0].error, StorageUnavailable)


def fail(*_: object) -> None:
    raise RuntimeError("broken")


@pytest.mark.parametrize("broken", ["publish", "call", "done", "commit"])
async def test_a_data_path_that_is_broken_ends_the_server(broken: str) -> None:
    """
    If telling fails, or committing has a bug, the writer ends with that error; everybody who waits is told first.
    """

    def commit(batch: Sequence[Unit]) -> Settled:
        if broken == "commit":
            raise RuntimeError("broken")
        settled = answer_all(batch)
        settled.committed = [Committed(None, None, 0, [])] * len(batch)  # type: ignore[arg-type]
        settled.calls = [fail] if broken == "call" else []
        return settled

    writer = Writer(Inline("test"), commit, fail if broken == "publish" else silence, max_batch=1)
    answers: list[Any] = []
    put(writer, 1, fail if broken == "done" else answers.append)
    put(writer, 2, answers.append)
    with pytest.raises(RuntimeError, match="broken"):
        await writer.run()
    await trio.testing.wait_all_tasks_blocked()
    expected = 1 if broken == "done" else 2
    assert len(answers) == expected
    if broken == "commit":
        assert all(isinstance(answer.error, StorageUnavailable) for answer in answers)
    elif broken != "done":
        assert answers[0].unwrap() == 1  # it is on the disk, so it may be acknowledged


async def test_published_before_done() -> None:
    """
    Batch by batch: announcements, calls, answers.
    """
    story: list[str] = []

    def commit(batch: Sequence[Unit]) -> Settled:
        return Settled(
            [Committed(None, None, 0, [])],  # type: ignore[arg-type]
            [lambda: story.append("called")],
            [(unit.done, outcome.Value(1)) for unit in batch],
        )

    writer = Writer(Inline("test"), commit, lambda _: story.append("published"), max_batch=9)
    writer.on_batch = lambda: story.append("noticed")
    put(writer, 1, lambda _: story.append("done"))
    writer.close()
    await writer.run()
    assert story == ["published", "called", "done", "noticed"]


async def test_every_batch_is_measured() -> None:
    """
    How many units, how many seconds: for the histograms of /metrics.
    """
    seen: list[tuple[int, float]] = []
    writer = Writer(
        Inline("test"),
        answer_all,
        silence,
        max_batch=2,
        observe=lambda units, seconds: seen.append((len(units), seconds)),
    )
    for number in range(3):
        put(writer, number, lambda _: None)
    writer.close()
    await writer.run()
    assert [units for units, _ in seen] == [2, 1]
    assert all(0 <= seconds < 10 for _, seconds in seen)
