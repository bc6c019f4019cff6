"""Where blocking work runs: on a thread of its own, or right here.

Knows nothing of databases.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, Protocol, TypeVar

import outcome
import trio

T = TypeVar("T")

# How long the Trio thread stands back when it never rests while a thread has work, and how long it then runs at least
# before it does so again: half and half. About what forty statements take.
TURN_SECONDS = 0.002

# A wait for sockets that lasts so long lets every thread have the lock: waking up takes one about 50 µs.
REST_SECONDS = 0.0002

# The turn while the thread only waits for the disk: long enough for it to wake up and say that it is through.
GLANCE_SECONDS = 0.0001


class Runner(Protocol):
    """Runs jobs one after the other; each outcome comes back as a call on the Trio thread."""

    def start(self, job: Callable[[], T], then: Callable[[outcome.Outcome[T]], object], /) -> None:
        """Run `job`, then call `then(outcome)` on the Trio thread. `then` must not raise."""
        ...

    async def close(self) -> None:
        """Return when every job has run and `then` was called for each. Cannot be cancelled."""
        ...


OpenRunner = Callable[[str], Runner]


class Thread:
    """
    One thread with one queue.

    `trio.to_thread.run_sync` costs about 55 µs a call, most of it for finding a worker and for its cancellation; this
    hop is a queue there and one entry in Trio's wake-up queue back.
    """

    def __init__(self, name: str) -> None:
        self._jobs: queue.SimpleQueue[tuple[Callable[[], Any], Callable[[Any], object]] | None] = queue.SimpleQueue()
        self._token = trio.lowlevel.current_trio_token()
        self._ended = trio.Event()
        self._turns = _turns()
        # A daemon, so that a disk that never answers cannot keep the process from ending.
        threading.Thread(target=self._serve, name=name, daemon=True).start()

    def start(self, job: Callable[[], T], then: Callable[[outcome.Outcome[T]], object], /) -> None:
        self._turns.begin()
        self._jobs.put((job, then))

    async def close(self) -> None:
        self._turns.begin()
        self._jobs.put(None)
        with trio.CancelScope(shield=True):
            await self._ended.wait()

    def _serve(self) -> None:
        _here.turns = self._turns
        try:
            while (work := self._jobs.get()) is not None:
                job, then = work
                self._token.run_sync_soon(self._finished, then, outcome.capture(job))
                self._turns.say_finished()
                # A parked thread must not keep the last batch and its exceptions alive.
                del work, job, then
            self._token.run_sync_soon(self._finished, lambda _: self._ended.set(), outcome.Value(None))
        except trio.RunFinishedError:
            return  # Trio is gone, and with it everybody who wanted to know

    def _finished(self, then: Callable[[Any], object], result: outcome.Outcome[Any]) -> None:
        self._turns.end()
        then(result)


class _Turns(trio.abc.Instrument):
    """
    Lets the threads have Python's global lock when the Trio thread never rests.

    A thread that waits for the lock may demand it after `sys.getswitchinterval()`, but its patience starts anew each
    time the lock changes hands, and a saturated event loop drops and takes it back at every system call. Measured: one
    commit took 35 s beside a loop that was busy in steps of 1 ms, with the usual interval of 5 ms; with shorter ones
    other steps starve. So a loop that has not rested for a turn stands back for one, before it looks at its sockets.
    """

    def __init__(self) -> None:
        self.waiting_for_disk: set[int] = set()  # threads; adding and discarding are one step each, unlike counting
        self._outstanding = 0  # jobs handed over and not yet told about; belongs to the Trio thread
        self._news = threading.Lock()
        self._news.acquire()
        self._stand_back_at = 0.0
        self._looked_at = 0.0

    def begin(self) -> None:
        """A job was handed over."""
        if self._outstanding == 0:
            self._stand_back_at = time.monotonic() + TURN_SECONDS
        self._outstanding += 1

    def end(self) -> None:
        """Its outcome has arrived on the Trio thread."""
        self._outstanding -= 1

    def say_finished(self) -> None:
        """From a thread: the Trio thread need not stand back any longer."""
        with contextlib.suppress(RuntimeError):  # it knows already
            self._news.release()

    def before_io_wait(self, timeout: float) -> None:  # noqa: ARG002 - Trio's signature
        if self._outstanding == 0:
            return
        self._looked_at = time.monotonic()
        if self._looked_at >= self._stand_back_at:
            all_wait = len(self.waiting_for_disk) >= self._outstanding
            self._news.acquire(timeout=GLANCE_SECONDS if all_wait else TURN_SECONDS)
            self._looked_at = time.monotonic()
            self._stand_back_at = self._looked_at + TURN_SECONDS

    def after_io_wait(self, timeout: float) -> None:  # noqa: ARG002 - Trio's signature
        # The time-out says nothing: a busy server's sockets are readable before it begins to wait.
        if self._outstanding and (now := time.monotonic()) - self._looked_at >= REST_SECONDS:
            self._stand_back_at = now + TURN_SECONDS


_here = threading.local()
_shared: trio.lowlevel.RunVar[_Turns] = trio.lowlevel.RunVar("amtrio_store_turns")


def _turns() -> _Turns:
    """One for all threads of this run of Trio: what they take from it together is bounded."""
    try:
        return _shared.get()
    except LookupError:
        turns = _Turns()
        _shared.set(turns)
        trio.lowlevel.add_instrument(turns)
    return turns


@contextlib.contextmanager
def waiting_for_disk() -> Iterator[None]:
    """Around one long call that needs no Python, in a job: the Trio thread has no reason to stand back."""
    turns: _Turns | None = getattr(_here, "turns", None)
    if turns is None:
        yield
        return
    me = threading.get_ident()
    turns.waiting_for_disk.add(me)
    turns.say_finished()
    try:
        yield
    finally:
        turns.waiting_for_disk.discard(me)


class Inline:
    """
    Jobs run on the Trio thread itself, one scheduler tick later.

    For command-line tools, and for virtual clocks: Trio's `autojump_clock` takes a loop that waits for a thread for
    idle and jumps.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._token = trio.lowlevel.current_trio_token()

    def start(self, job: Callable[[], T], then: Callable[[outcome.Outcome[T]], object], /) -> None:
        def work() -> None:
            then(outcome.capture(job))

        self._token.run_sync_soon(work)

    async def close(self) -> None:
        await run_in(self, lambda: None)


async def run_in(runner: Runner, job: Callable[[], T]) -> T:
    """Run `job` and wait for it. Cannot be cancelled: a job that was handed over runs."""
    task = trio.lowlevel.current_task()

    def wake(result: outcome.Outcome[T]) -> None:
        trio.lowlevel.reschedule(task, result)

    runner.start(job, wake)
    result: T = await trio.lowlevel.wait_task_rescheduled(never_abort)
    return result


def never_abort(_: Callable[[], None]) -> trio.lowlevel.Abort:
    """For waits whose end always comes and must be heard."""
    return trio.lowlevel.Abort.FAILED
