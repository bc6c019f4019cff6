"""What the account log forgets: by age and by count, never past what a device of the last 90 days still needs.

Knows the store's log and the settings. Deletes in slices, and not soon after a start or a jump of the clock, when ages
may be wrong.
"""

from __future__ import annotations

from typing import Any

import structlog

from amtrio.chores import Clocks
from amtrio.clock import MICROS_PER_SECOND
from amtrio.context import Services
from amtrio.feature import chore
from amtrio.store.database import Tx
from amtrio.store.log import Pruned, prune

log = structlog.stdlib.get_logger(__name__)

_DAY_US = 86_400 * MICROS_PER_SECOND
KEEP_CURSORS_DAYS = 90
SLICE_ROWS = 1000


def _prune(tx: Tx, /, **bounds: Any) -> Pruned:
    """Unit: one slice; what the search index has still to read stays, and where it stands (see `search_place`)."""
    place = tx.one("SELECT event FROM search_place")
    return prune(tx, keep_event=place[0] if place is not None else None, **bounds)


@chore(every_seconds=60)
async def prune_logs(services: Services) -> None:
    """Forget old rows, a thousand at a time."""
    if not services.own(Clocks).are_steady(services.clock):
        return
    storage = services.config.storage
    now_us = services.clock.now_us()
    account: str | None = ""
    rows = 0
    while account is not None:
        done = await services.store.write(
            _prune,
            before_us=now_us - int(storage.log_max_age_days * _DAY_US),
            max_rows=storage.log_max_rows_per_account,
            keep_cursor_us=now_us - KEEP_CURSORS_DAYS * _DAY_US,
            limit=SLICE_ROWS,
            after_account=account,
        )
        rows, account = rows + done.rows, done.next_account
    if rows:
        log.info("log_pruned", rows=rows)
