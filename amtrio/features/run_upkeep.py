"""What keeps runs going: showing what they say, writing it down, and ending those that nobody ends.

Knows frames and SQL. Knows nothing of sockets and HTTP; how a run begins and ends is in `runs`.
"""

from __future__ import annotations

import msgspec
import structlog
import trio

from amtrio.context import Services
from amtrio.feature import chore, on_attach, on_presence, on_start, on_stop
from amtrio.model.agent import supports
from amtrio.model.open_runs import SHOW_CHANGES, OpenRuns, open_run
from amtrio.model.run import RunRow, append_chunk, chunks_of, forget_empty, open_rows
from amtrio.model.run_body import Changes, PartChange, fold
from amtrio.model.run_end import end_run
from amtrio.protocol.frames import Event
from amtrio.store.database import ReadTx, Tx

log = structlog.stdlib.get_logger(__name__)

SECONDS_PER_HOUR = 3600.0


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
    """Write down what runs said since the last time: one transaction for all of them."""
    runs = services.own(OpenRuns)
    changed, runs.unstored = runs.unstored, {}
    batch = [(run, run.body.changes(run.body.storage)) for run in changed if not run.is_ending]
    batch = [(run, changes) for run, changes in batch if changes.parts]
    if not batch:
        return
    try:
        await services.store.write(_store, [(run.id, changes) for run, changes in batch])
    except BaseException:
        runs.unstored |= {run: None for run, _ in batch if runs.get(run.id) is run}
        raise
    for run, changes in batch:
        run.body.reached(run.body.storage, changes)
        if runs.get(run.id) is run:
            services.fanout.tell(RunAck(run_id=run.id, parts=_durable(changes)), (run.agent,))


def _durable(changes: Changes) -> tuple[RunDurable, ...]:
    return tuple(RunDurable(part=number, durable_offset=mark.offset) for number, mark in changes.marks)


def _store(tx: Tx, batch: list[tuple[str, Changes]]) -> None:
    for run_id, changes in batch:
        append_chunk(tx, run_id, changes.parts)


@chore(every_seconds=0.5)
async def keep_runs(services: Services) -> None:
    """Write down what was said, and end the runs whose agents do not come back or do not come to an end."""
    runs = services.own(OpenRuns)
    memory = services.own(_Checkpoints)
    now = trio.current_time()
    if runs.unstored and now >= memory.next_at:
        memory.next_at = now + services.config.runs.checkpoint_s
        await store_bodies(services)
    config = services.config.runs
    for run in runs:
        if run.is_ending:
            continue
        if run.away_since is not None and now - run.away_since >= config.agent_grace_s:
            log.info("run_interrupted", run=run.id, agent=run.agent)
            await end_run(services, run, "interrupted")
        elif now - run.started_at >= config.max_hours * SECONDS_PER_HOUR:
            log.warning("run_too_long", run=run.id, agent=run.agent)
            await end_run(services, run, "interrupted", error=f"it took longer than {config.max_hours:g} hours")


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
        run = open_run(services, row, watchers, supported, fold(chunks, max_bytes=services.config.runs.max_bytes))
        run.away_since = trio.current_time()


def _load(tx: ReadTx) -> list[tuple[RunRow, tuple[str, ...], frozenset[str], list[tuple[PartChange, ...]]]]:
    return [(row, (row.user_key,), supports(tx, row.agent_key), chunks_of(tx, row.id)) for row in open_rows(tx)]


@on_stop
async def store_last_words(services: Services) -> None:
    """What was shown in the last second is there after an orderly restart, too."""
    await store_bodies(services)


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
