"""Runners: jobs in order, outcomes on the Trio thread, an end that waits for both."""

from __future__ import annotations

import os
import threading
import time
from typing import Any

import outcome
import pytest
import trio
import trio.testing

from amtrio.store.thread import TURN_SECONDS, Inline, OpenRunner, Thread, _Turns, _turns, run_in, waiting_for_disk

both = pytest.mark.parametrize("open_runner", [Thread, Inline])


@both
async def test_jobs_run_in_order_and_answer_on_the_trio_thread(open_runner: OpenRunner) -> None:
    """
    `then` may touch whatever belongs to Trio.
    """
    runner = open_runner("test")
    heard: list[tuple[int, int]] = []

    def then(result: outcome.Outcome[int]) -> None:
        heard.append((result.unwrap(), threading.get_ident()))

    for n in range(10):
        runner.start(lambda n=n: n, then)  # type: ignore[misc]
    await runner.close()
    assert heard == [(n, threading.get_ident()) for n in range(10)]


@both
async def test_an_exception_is_an_outcome(open_runner: OpenRunner) -> None:
    """
    A job that fails does not end its thread.
    """
    runner = open_runner("test")

    def fail() -> None:
        raise ValueError("oops")

    with pytest.raises(ValueError, match="oops"):
        await run_in(runner, fail)
    assert await run_in(runner, lambda: 1) == 1
    await runner.close()


async def test_a_thread_of_its_own() -> None:
    """
    The job runs elsewhere, under the name that was asked for; always the same thread.
    """
    runner = Thread("store-test")
    names = [await run_in(runner, lambda: (threading.current_thread().name, threading.get_ident())) for _ in range(3)]
    assert {name for name, _ in names} == {"store-test"}
    assert len({ident for _, ident in names}) == 1
    assert names[0][1] != threading.get_ident()
    await runner.close()


async def test_closing_waits_even_if_cancelled() -> None:
    """
    The last batch is on its way to the disk: leaving before would close the file under it.
    """
    runner = Thread("test")
    gate = threading.Event()
    results: list[Any] = []
    runner.start(lambda: gate.wait(10), results.append)
    with trio.CancelScope() as scope:
        scope.cancel()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(runner.close)
            gate.set()
    assert len(results) == 1


async def test_inline_lets_a_virtual_clock_stand(autojump_clock: Any) -> None:
    """
    A job that is on its way counts as activity: the clock does not jump over it.
    """
    runner = Inline("test")
    with trio.fail_after(1):
        for _ in range(100):
            await run_in(runner, lambda: None)
    assert trio.current_time() == 0


async def test_a_loop_that_never_rests_lets_threads_have_their_turn() -> None:
    """
    Python alone would starve them: such a loop takes its lock back before a thread can wake up (see `_Turns`).
    """
    runner = Thread("test")
    steps = 0

    def job() -> None:
        for _ in range(20):
            os.sched_yield()  # drops the lock and has to win it back, as every SQL statement does

    async def never_rest() -> None:
        nonlocal steps
        while True:
            until = time.perf_counter() + 0.0005
            while time.perf_counter() < until:
                pass
            steps += 1
            await trio.lowlevel.checkpoint()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(never_rest)
        for _ in range(20):
            before = steps
            await run_in(runner, job)
            assert steps - before < 200  # 0.1 s; starved threads need seconds
        nursery.cancel_scope.cancel()
    await runner.close()


async def test_a_loop_that_rests_never_stands_back() -> None:
    """
    Nor does one for whose threads there is nothing to do.
    """
    turns = _Turns()
    turns.before_io_wait(0)
    turns.begin()
    for _ in range(3):
        turns._stand_back_at = turns._looked_at = time.monotonic() - 1  # it has run for a while, and now waits for long
        turns.after_io_wait(1)
        planned = turns._stand_back_at
        turns.before_io_wait(0)
        assert turns._stand_back_at == planned
    turns.end()


async def test_a_turn_is_over_when_the_job_is() -> None:
    """
    The loop does not sleep out its turn when a thread is through.
    """
    turns = _Turns()
    turns.begin()
    turns._stand_back_at = 0
    turns.say_finished()
    turns.say_finished()  # two threads at once
    before = time.monotonic()
    turns.before_io_wait(0)
    assert turns._stand_back_at >= before + TURN_SECONDS
    assert turns._news.locked()


async def test_while_the_disk_works_the_loop_only_glances() -> None:
    """
    On a slow disk a busy server must not stand still for every sync.
    """
    runner = Thread("test")
    syncing, gate = threading.Event(), threading.Event()
    turns = _turns()

    def job() -> None:
        with waiting_for_disk():
            syncing.set()
            gate.wait(10)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(run_in, runner, job)
        await trio.testing.wait_all_tasks_blocked()
        syncing.wait(10)
        assert len(turns.waiting_for_disk) == turns._outstanding == 1
        gate.set()
    assert turns.waiting_for_disk == set()
    assert turns._outstanding == 0
    await runner.close()
