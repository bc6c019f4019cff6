"""What keeps runs going: showing what they say, writing it down, and ending those that nobody ends.

Knows frames and SQL. Knows nothing of sockets and HTTP; how a run begins and ends is in `runs`.
"""

from __future__ import annotations

import msgspec
import structlog
import trio

from amtrio.clock import MICROS_PER_SECOND
from amtrio.context import Services
from amtrio.errors import StorageUnavailable
from amtrio.feature import chore, on_attach, on_presence, on_start, on_stop
from amtrio.model.agent import supports
from amtrio.model.open_runs import SHOW_CHANGES, OpenRun, OpenRuns, open_run
from amtrio.model.run import RunRow, append_chunk, chunks_of, forget_empty, open_rows
from amtrio.model.run_body import Changes, fold
from amtrio.model.run_controls import Control
from amtrio.model.run_end import end_runs
from amtrio.model.run_part import PartChange
from amtrio.protocol.codec import encode
from amtrio.protocol.frames import Event
from amtrio.store.database import ReadTx, Tx

log = structlog.stdlib.get_logger(__name__)

SECONDS_PER_HOUR = 3600.0
# What is replaced stays in older chunks. An agent that replaces a large meta every second would write some gigabytes a
# day, and the next start would read them all; beyond so many times the longest run one is written anew as a whole.
CHUNKS_SHARE = 4


# -- what is shown, and what is on disk ------------------------------------------------


@chore(every_seconds=60)
async def show_changes(services: Services) -> None:
    """Tell devices what runs said: the first piece at once, further ones together every few milliseconds."""
    runs, metrics = services.own(OpenRuns), services.metrics
    seconds = services.config.runs.merge_ms / 1000
    # At least once: devices also fall behind where nothing new is said, by all that they are shown when they come.
    is_due = True
    while is_due:
        told, runs.untold = runs.untold, {}
        for run in told:
            metrics.run_deltas += run.tell_changes()
            # Between two of them whoever sends a message has a turn.
            await trio.lowlevel.checkpoint()
        is_behind = services.fanout.catch_up()
        await trio.sleep(seconds)
        is_due = bool(runs.untold) or is_behind


class RunDurable(msgspec.Struct, frozen=True, kw_only=True):
    """So much of a part survives a restart of the server."""

    part: int
    durable_offset: int


class RunAck(Event, frozen=True, kw_only=True):
    """For the agent: how far each part that changed is on disk. Ephemeral."""

    type = "run_ack"
    run_id: str
    parts: tuple[RunDurable, ...]


async def store_bodies(services: Services) -> None:
    """
    Write down what runs said since the last time: one transaction for all of them.

    Raises:
        StorageUnavailable: the disk refused, and it is all still to be written.
    """
    runs = services.own(OpenRuns)
    # One that is ending is in this again if the disk refuses its end.
    changed, runs.unstored = runs.unstored, {run: None for run in runs.unstored if run.is_ending}
    most = CHUNKS_SHARE * services.config.runs.max_bytes
    batch = [_Checkpoint(run, run.chunk_bytes > most) for run in changed if not run.is_ending]
    batch = [each for each in batch if each.changes.parts]
    if not batch:
        return
    try:
        sizes = await services.store.write(_store, [(each.run.id, each.changes, each.is_whole) for each in batch])
    except BaseException:
        runs.unstored |= {each.run: None for each in batch if runs.get(each.run.id) is each.run}
        raise
    for each, size in zip(batch, sizes, strict=True):
        run = each.run
        run.body.reached(run.body.storage, each.changes)
        run.chunk_bytes = size if each.is_whole else run.chunk_bytes + size
        if runs.get(run.id) is run:
            services.fanout.tell(RunAck(run_id=run.id, parts=_durable(each.changes)), (run.agent,))


class _Checkpoint:
    """What is to be written of one run; all of it anew, when what was replaced since takes more room than it would."""

    __slots__ = ("changes", "is_whole", "run")

    def __init__(self, run: OpenRun, is_whole: bool) -> None:  # noqa: FBT001 - one caller, above
        self.run = run
        self.is_whole = is_whole
        self.changes = run.body.whole() if is_whole else run.body.changes(run.body.storage)


def _durable(changes: Changes) -> tuple[RunDurable, ...]:
    return tuple(RunDurable(part=number, durable_offset=mark.offset) for number, mark in changes.marks)


def _store(tx: Tx, batch: list[tuple[str, Changes, bool]]) -> list[int]:
    return [append_chunk(tx, run_id, changes.parts, is_whole=is_whole) for run_id, changes, is_whole in batch]


@chore(every_seconds=0.5)
async def write_down(services: Services) -> None:
    """Write down what was said, if it is time."""
    runs, memory, now = services.own(OpenRuns), services.own(_Checkpoints), trio.current_time()
    if not runs.unstored or now < memory.next_at:
        return
    memory.next_at = now + services.config.runs.checkpoint_s
    try:
        await store_bodies(services)
    except StorageUnavailable as exc:
        # Tried again at the usual time: a chore that fails is put off longer and longer.
        log.warning("runs_not_stored", error=str(exc))


@chore(every_seconds=0.5)
async def end_forsaken(services: Services) -> None:
    """End the runs whose agents do not come back or do not come to an end."""
    config, now = services.config.runs, trio.current_time()
    due: dict[OpenRun, str | None] = {}
    for run in services.own(OpenRuns):
        if run.is_ending:
            continue
        if run.away_since is not None and now - run.away_since >= config.agent_grace_s:
            log.info("run_interrupted", run=run.id, agent=run.agent)
            due[run] = None
        elif now - run.started_at >= config.max_hours * SECONDS_PER_HOUR:
            log.warning("run_too_long", run=run.id, agent=run.agent)
            due[run] = f"it took longer than {config.max_hours:g} hours"
    await end_runs(services, due, "interrupted")


class _Checkpoints:
    """When the next one may be."""

    def __init__(self) -> None:
        self.next_at = 0.0


# -- where agents come and go --------------------------------------------------------------


@on_start
async def load_open_runs(services: Services) -> None:
    """Go on with the runs that the last process left open; their agents have to come back."""
    services.own(OpenRuns)
    for row, watchers, supported, chunks in await services.store.read(_load):
        body = fold(chunks, max_bytes=services.config.runs.max_bytes)
        run = open_run(services, row, watchers, supported, body)
        # Devices take no picture for news that is older than what they show: more than a change a microsecond there
        # cannot have been.
        run.rev = max(0, services.clock.now_us() - row.started_us)
        now = trio.current_time()
        run.away_since = now
        run.started_at = now - max(0, services.clock.now_us() - row.started_us) / MICROS_PER_SECOND
        if row.stop_asked_us is not None:
            # Its agent is asked again when it comes back, and has the whole time for it.
            wish = Control(services.clock.new_id("ctl"), "stop", now)
            run.controls[wish.id] = wish
        run.chunk_bytes = sum(len(encode(chunk)) for chunk in chunks)


def _load(tx: ReadTx) -> list[tuple[RunRow, tuple[str, ...], frozenset[str], list[tuple[PartChange, ...]]]]:
    return [(row, (row.user_key,), supports(tx, row.agent_key), chunks_of(tx, row.id)) for row in open_rows(tx)]


@on_stop
async def store_last_words(services: Services) -> None:
    """What was shown in the last second is there after an orderly restart, too; if not, agents say it again."""
    try:
        await store_bodies(services)
    except StorageUnavailable as exc:
        log.warning("runs_not_stored", error=str(exc))


@on_attach
def wait_for_resume(services: Services, account: str) -> None:
    """A new connection of an agent knows of its runs, or it does not: it has to say so; coming alone says nothing."""
    for run in services.own(OpenRuns).of_agent(account):
        if run.away_since is None:
            run.away_since = trio.current_time()


@on_attach
def show_the_rest(services: Services, account: str) -> None:
    """A new device may be shown more than it takes at once: the rest comes as soon as it has room."""
    del account
    if services.own(OpenRuns):
        services.wake(SHOW_CHANGES)


@on_presence
def wait_for_agent(services: Services, account: str, is_online: bool) -> None:  # noqa: FBT001 - the registry's signature
    """Its last connection has ended: its runs wait a while."""
    if not is_online:
        wait_for_resume(services, account)


@chore(every_seconds=3600)
async def forget_empty_runs(services: Services) -> None:
    """Nobody asks any more how they ended."""
    while await services.store.write(forget_empty):
        pass
