"""Gathers units while the disk is busy, hands them over as batches, and tells what came of them.

Lives on the Trio thread. Knows nothing of SQLite.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence

import outcome
import trio

from amtrio.errors import StorageUnavailable
from amtrio.store.commit import Settled, Unit
from amtrio.store.database import Committed
from amtrio.store.thread import Runner, never_abort

Commit = Callable[[Sequence[Unit]], Settled]


class Writer:
    """
    One batch is on the writer's thread, the next gathers meanwhile.

    What a batch did is told from Trio's wake-up queue directly, without a turn of the writer task: one turn of a busy
    scheduler can last longer than the fsync. The task starts the first batch after a pause, and is what ends the
    server when telling fails.
    """

    def __init__(
        self,
        runner: Runner,
        commit: Commit,
        publish: Callable[[Sequence[Committed]], None],
        *,
        max_batch: int,
        observe: Callable[[Sequence[Unit], float], object] | None = None,
    ) -> None:
        self.batches = 0
        self.on_batch: Callable[[], object] = _nothing
        self._runner = runner
        self._commit = commit
        self._publish = publish
        self._max_batch = max_batch
        self._observe = observe
        self._started = 0.0
        self._waiting: deque[Unit] = deque()
        self._batch: list[Unit] | None = None
        self._parked: trio.lowlevel.Task | None = None
        self._failure: BaseException | None = None
        self._is_closing = False
        self._has_ended = False

    @property
    def waiting(self) -> int:
        """Units that no batch has taken yet."""
        return len(self._waiting)

    def put(self, unit: Unit) -> None:
        """Queue `unit`; its `done` hears the outcome later, never before this returns."""
        if self._has_ended:
            trio.lowlevel.current_trio_token().run_sync_soon(_refuse, unit)
            return
        self._waiting.append(unit)
        # Not started at once: units of the same scheduler tick, all that an earlier batch woke, share one fsync.
        if self._batch is None:
            self._wake()

    def close(self) -> None:
        """No more pauses: `run` returns when nothing waits. Units are taken until then."""
        self._is_closing = True
        self._wake()

    async def run(self) -> None:
        """
        Serve until closed and drained, whatever is cancelled around it.

        Raises:
            BaseException: what `publish`, an `on_commit` call or a `done` raised. The data path is broken: the server
                must stop, and clients find out from the log what they missed.
        """
        try:
            # Ends only because whoever opened the store closes it on leaving.
            with trio.CancelScope(shield=True):
                while self._failure is None:
                    if self._batch is None:
                        if self._waiting:
                            self._start()
                        elif self._is_closing:
                            return
                    self._parked = trio.lowlevel.current_task()
                    await trio.lowlevel.wait_task_rescheduled(never_abort)
            if self._failure is not None:
                raise self._failure
        finally:
            self._has_ended = True
            while self._waiting:
                _refuse(self._waiting.popleft())

    def _wake(self) -> None:
        task, self._parked = self._parked, None
        if task is not None:
            trio.lowlevel.reschedule(task)

    def _start(self) -> None:
        if len(self._waiting) <= self._max_batch:
            batch = list(self._waiting)
            self._waiting.clear()
        else:
            batch = [self._waiting.popleft() for _ in range(self._max_batch)]
        self._batch = batch
        self._started = time.perf_counter()
        self._runner.start(lambda: self._commit(batch), self._finished)

    def _finished(self, result: outcome.Outcome[Settled]) -> None:
        """Runs in Trio's wake-up queue, where an exception would tear down the whole loop: none leaves."""
        batch, self._batch = self._batch or [], None
        self.batches += 1
        if self._observe is not None:
            self._keep(outcome.capture(self._observe, batch, time.perf_counter() - self._started))
        if isinstance(result, outcome.Error):
            self._failure = result.error
            settled = Settled(answers=[(unit.done, outcome.Error(_closed())) for unit in batch])
        else:
            settled = result.unwrap()
            # Before telling: the disk works while Python talks.
            if self._waiting and not self._has_ended:
                self._start()
        if settled.committed:
            self._keep(outcome.capture(self._publish, settled.committed))
        for call in settled.calls:
            self._keep(outcome.capture(call))
        for done, answer in settled.answers:
            self._keep(outcome.capture(done, answer))
        self._keep(outcome.capture(self.on_batch))
        if self._failure is not None or self._batch is None:
            self._wake()

    def _keep(self, result: outcome.Outcome[object]) -> None:
        if isinstance(result, outcome.Error) and self._failure is None:
            self._failure = result.error


def _nothing() -> None:
    """Until somebody listens."""


def _closed() -> StorageUnavailable:
    return StorageUnavailable("the store is closed; nothing was stored")


def _refuse(unit: Unit) -> None:
    unit.done(outcome.Error(_closed()))
