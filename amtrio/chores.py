"""What a server does every so often: each chore a task of its own that outlives its failures; and when ages may be
believed.

Knows no chore in particular.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import structlog
import trio

from amtrio.clock import MICROS_PER_SECOND, Clock, jitter
from amtrio.context import Services
from amtrio.errors import AmtrioError
from amtrio.feature import ChoreSpec

log = structlog.stdlib.get_logger(__name__)

FIRST_BACK_OFF_SECONDS = 1.0
MAX_BACK_OFF_SECONDS = 60.0

SETTLE_SECONDS = 600.0
# How far wall clock and monotonic clock may drift apart between two looks before ages are doubted.
MAX_DRIFT_SECONDS = 60.0

Task = Callable[[], Awaitable[None]]


class Clocks:
    """Wall and monotonic time when somebody last looked, and since when the two agree."""

    def __init__(self) -> None:
        self._last: tuple[float, float] | None = None
        self._steady_since = trio.current_time()

    def are_steady(self, clock: Clock) -> bool:
        """
        Whether what is old by the clock may be deleted: not soon after a start or a jump, when it may be young.

        To be asked once a minute or so, or a jump that is taken back in between is not seen.
        """
        wall, steady = clock.now_us() / MICROS_PER_SECOND, trio.current_time()
        if self._last is not None:
            drift = (wall - self._last[0]) - (steady - self._last[1])
            if abs(drift) > MAX_DRIFT_SECONDS:
                self._steady_since = steady
                log.warning("clock_jumped", by_s=round(drift))
        self._last = (wall, steady)
        return steady - self._steady_since >= SETTLE_SECONDS


@asynccontextmanager
async def open_chores(services: Services, tasks: dict[str, Task]) -> AsyncIterator[None]:
    """
    Run the registry's chores, and `tasks` that never end by themselves, until the block is left.

    A failure is logged and tried again with back-off; nobody else notices.
    """
    async with trio.open_nursery() as nursery:
        for spec in services.registry.chores:
            nursery.start_soon(_repeat, services, spec, name=f"chore {spec.name}")
        for name, task in tasks.items():
            nursery.start_soon(_keep_running, name, task, name=f"chore {name}")
        try:
            yield
        finally:
            nursery.cancel_scope.cancel()


async def _repeat(services: Services, spec: ChoreSpec) -> None:
    back_off = FIRST_BACK_OFF_SECONDS
    while True:
        await services.wakeups.wait(spec.name, at_most_seconds=jitter(spec.every_seconds))
        if await _tried(spec.name, lambda: spec.function(services), back_off):
            back_off = FIRST_BACK_OFF_SECONDS
        else:
            back_off = min(back_off * 2, MAX_BACK_OFF_SECONDS)


async def _keep_running(name: str, task: Task) -> None:
    back_off = FIRST_BACK_OFF_SECONDS
    while True:
        await _tried(name, task, back_off)
        back_off = min(back_off * 2, MAX_BACK_OFF_SECONDS)


async def _tried(name: str, task: Task, back_off: float) -> bool:
    """Run once; a failure is told and slept over. True if it went well."""
    try:
        await task()
    except AmtrioError as exc:
        # A disk that refuses is the store's to report; the chore only waits for better times.
        log.warning("chore_refused", chore=name, error=str(exc), again_in_s=back_off)
    except Exception:
        log.exception("chore_failed", chore=name, again_in_s=back_off)
    else:
        return True
    await trio.sleep(jitter(back_off))
    return False
