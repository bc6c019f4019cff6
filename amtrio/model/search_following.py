"""When the full-text index moves: after what is said, behind everybody who waits for the writer, before a search.

What one step reads and writes is in `amtrio.model.search_index`.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import trio

from amtrio.context import Services
from amtrio.errors import StorageUnavailable
from amtrio.model.search_index import (
    Step,
    begin_cleaning,
    go_on_cleaning,
    has_gone,
    merge_some,
    newest_event,
    next_backfill,
    next_news,
    place_of,
    remove_gone,
    write_step,
)
from amtrio.store.database import ReadTx

# While events come faster than this nobody reads what was just said, and everybody waits for the disk: the index then
# takes a fiftieth of the time instead of half of it, and makes up for it later.
BUSY_EVENTS_PER_SECOND = 200
STAND_BACK = 50
# A search that comes behind a flood of messages answers with what there is by then.
CATCH_UP_SECONDS = 1.0


class Turn:
    """
    One at a time moves the index forward; who waits finds it done.

    Attributes:
        is_untidy: a step was written since segments were last put together.
    """

    def __init__(self) -> None:
        self.lock = trio.Lock()
        self.is_untidy = False
        self._seen = (0, trio.current_time())

    def pause_seconds(self, newest: int, began: float) -> float:
        """
        How long to leave the writer to others after a step.

        Args:
            newest: number of the newest event. began: when the step did.
        """
        now = trio.current_time()
        (before, at), self._seen = self._seen, (newest, now)
        is_busy = newest - before > (now - at) * BUSY_EVENTS_PER_SECOND
        return (now - began) * (STAND_BACK if is_busy else 1)


async def follow(services: Services, *, upto: int | None = None) -> None:
    """
    Bring the index up to event `upto`, or to the end of the log and of everything older.

    Args:
        upto: somebody waits for it; without it every step is followed by a pause, a long one while much is said.
    """
    turn = services.own(Turn)
    while upto is None or (await services.store.read(place_of)).event < upto:
        began = trio.current_time()
        async with turn.lock:
            has_moved = await _step(services, next_news)
            if upto is None:
                has_moved = has_moved or await _forget(services) or await _step(services, next_backfill)
                turn.is_untidy = (has_moved or turn.is_untidy) and await services.store.write(merge_some)
            else:
                turn.is_untidy = True
            if not (has_moved or (turn.is_untidy and upto is None)):
                return
        if upto is None:
            await trio.sleep(turn.pause_seconds(await services.store.read(newest_event), began))


async def _step(services: Services, look: Callable[[ReadTx], Step | None]) -> bool:
    step = await services.store.read(look)
    return step is not None and await services.store.write(write_step, step)


async def _forget(services: Services) -> bool:
    return await services.store.read(has_gone) and await services.store.write(remove_gone)


async def catch_up(services: Services) -> bool:
    """
    Let the index reach what is newest now, as far as a second suffices.

    Returns:
        Whether everything stored before this call can be found.
    """
    upto = await services.store.read(newest_event)
    # A disk that takes nothing more is the store's to report; what is in the index can still be found.
    with trio.move_on_after(CATCH_UP_SECONDS), suppress(StorageUnavailable):
        await follow(services, upto=upto)
    place = await services.store.read(place_of)
    return place.event >= upto and place.backfill_id is None


async def clean(services: Services) -> None:
    """Let the words of deleted messages leave the file."""
    going_on = await services.store.write(begin_cleaning)
    while going_on:
        began = trio.current_time()
        going_on = await services.store.write(go_on_cleaning)
        await trio.sleep(trio.current_time() - began)
