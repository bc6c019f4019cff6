"""Deleting the files that nobody needs: of messages that were deleted, of uploads that came to nothing.

Rows say what is to go, files go first, rows last: whatever a crash interrupts is done again. Knows SQL and files.
"""

from __future__ import annotations

import structlog
import trio

from amtrio.chores import Clocks
from amtrio.clock import MICROS_PER_SECOND
from amtrio.context import Services
from amtrio.errors import AmtrioError
from amtrio.feature import chore, on_start
from amtrio.media.files import THUMBNAIL
from amtrio.model.attachment import COLLECT, Uploading, files
from amtrio.store.database import ReadTx, Tx

log = structlog.stdlib.get_logger(__name__)

KEEP_UNLINKED_SECONDS = 86_400
SLICE_ROWS = 200
# Files without any row come from a restored backup alone; looking for them reads the whole folder.
STRAYS_EVERY_SECONDS = 86_400.0


class _LastLook:
    """When the folder was last gone through."""

    def __init__(self) -> None:
        self.at: float | None = None


@on_start
async def clear_unfinished(services: Services) -> None:
    """No upload outlives its server: half-written files go, and the rows that waited for them."""
    try:
        left = await files(services).clear_incoming()
        rows = await services.store.write(_give_up)
    except (OSError, AmtrioError) as exc:
        # A disk that refuses to delete is no reason not to serve.
        log.warning("unfinished_uploads_kept", error=str(exc))
        return
    services.wake(COLLECT)
    if left or rows:
        log.info("unfinished_uploads_cleared", files=left, rows=rows)


def _give_up(tx: Tx) -> int:
    # The file may be whole already and the row not know it.
    return tx.run("UPDATE attachment SET state = 'removing' WHERE state = 'uploading'")


@chore(every_seconds=60)
async def collect_files(services: Services) -> None:
    """Delete what is marked; mark what was uploaded a day ago and never sent; now and then look for strays."""
    if services.own(Clocks).are_steady(services.clock):
        before_us = services.clock.now_us() - KEEP_UNLINKED_SECONDS * MICROS_PER_SECOND
        await services.store.write(_mark_unlinked, before_us)
        await _delete_strays(services)
    # Rows first: an upload is among those going on before it has a row.
    unfinished = await services.store.read(_unfinished)
    if abandoned := [id_ for id_ in unfinished if id_ not in services.own(Uploading).ids]:
        await services.store.write(_mark_abandoned, abandoned)
    while gone := await services.store.read(_marked, SLICE_ROWS):
        await _delete(services, gone)
        await services.store.write(_drop_rows, gone)


async def _delete(services: Services, ids: list[str]) -> None:
    await files(services).remove(*ids, *(id_ + THUMBNAIL for id_ in ids))
    log.info("files_deleted", count=len(ids))


def _mark_unlinked(tx: Tx, before_us: int) -> None:
    tx.run(
        """
        UPDATE attachment SET state = 'removing'
        WHERE message_id IS NULL AND state = 'stored' AND created_us < :before""",
        before=before_us,
    )


def _unfinished(tx: ReadTx) -> list[str]:
    return [row[0] for row in tx.all("SELECT id FROM attachment WHERE state = 'uploading'")]


def _mark_abandoned(tx: Tx, ids: list[str]) -> None:
    """Uploads whose end could not be written down, because the disk refused."""
    for id_ in ids:
        tx.run("UPDATE attachment SET state = 'removing' WHERE id = :id AND state = 'uploading'", id=id_)


def _marked(tx: ReadTx, limit: int) -> list[str]:
    return [row[0] for row in tx.all("SELECT id FROM attachment WHERE state = 'removing' LIMIT :limit", limit=limit)]


def _drop_rows(tx: Tx, ids: list[str]) -> None:
    for id_ in ids:
        tx.run("DELETE FROM attachment WHERE id = :id AND state = 'removing'", id=id_)


async def _delete_strays(services: Services) -> None:
    last, now = services.own(_LastLook), trio.current_time()
    if last.at is not None and now - last.at < STRAYS_EVERY_SECONDS:
        return
    last.at = now
    # Names first: a row is older than its file, so whatever is there now and has no row afterwards is a stray.
    found = {name.partition(".")[0] for name in await files(services).names()}
    strays = sorted(found - await services.store.read(_known)) if found else []
    if strays:
        log.warning("stray_files_deleted", count=len(strays))
        await files(services).remove(*strays, *(id_ + THUMBNAIL for id_ in strays))


def _known(tx: ReadTx) -> set[str]:
    return {row[0] for row in tx.all("SELECT id FROM attachment")}


assert collect_files.__name__ == COLLECT, "others wake it by this name"
