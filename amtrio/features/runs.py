"""An agent's live answer, from its beginning to its end: said piece by piece, shown at once, stored as one message.

Knows frames and SQL. Knows nothing of sockets and HTTP; what devices do with a run is in `run_views` and `run_control`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Annotated, Literal

import structlog
from msgspec import Meta

from amtrio.context import Context, Services
from amtrio.errors import AmtrioError, Conflict, NotFound, RateLimited, RunClosed, Withdrawn
from amtrio.feature import command, replay
from amtrio.model.agent import supports
from amtrio.model.conversation import members
from amtrio.model.message import visible_message
from amtrio.model.open_runs import SHOW_CHANGES, OpenRun, OpenRuns, open_run
from amtrio.model.queued import WITHDRAWN, take
from amtrio.model.run import (
    Outcome,
    RunRow,
    insert_run,
    own_run,
    run_row,
)
from amtrio.model.run_body import Body
from amtrio.model.run_controls import ask_again
from amtrio.model.run_end import RunEnded, RunFinished, end_run, finished
from amtrio.model.run_part import PartEnd, PartKind
from amtrio.protocol.frames import ClientId, Command, Json, Reply
from amtrio.store.database import ReadTx, Tx
from amtrio.store.log import LogRow

log = structlog.stdlib.get_logger(__name__)

SECONDS_PER_HOUR = 3600.0
Number = Annotated[int, Meta(ge=0)]
ErrorText = Annotated[str, Meta(max_length=2000)]


class StartRun(Command, frozen=True, kw_only=True):
    """
    Begin to answer.

    Attributes:
        run_id: of the agent's own choice; the same one again is answered with where the run stands.
        reply_to: a message of the conversation; one that waited in the queue is taken by this.
    """

    run_id: ClientId
    conversation_id: str
    reply_to: str | None = None


class RunState(Reply, frozen=True, kw_only=True, omit_defaults=False):
    """
    Where a run stands, for its agent.

    Attributes:
        parts: how much of each part the server has.
        repeated: it had begun before.
    """

    type = "run_state"
    run_id: str
    conversation_id: str
    state: Literal["open", "ended"]
    rev: int = 0
    parts: tuple[PartEnd, ...] = ()
    outcome: str | None = None
    message_id: str | None = None
    repeated: bool = False


@command("run_start", who="agent")
async def start(ctx: Context, frame: StartRun) -> RunState:
    """
    Begin a run, or hear where it stands.

    Raises:
        NotFound: no such conversation or message, or not the agent's. Withdrawn: the message was taken back.
        Conflict: the id is another agent's or belongs to another conversation. RateLimited: too many runs are open.
    """
    runs = ctx.services.own(OpenRuns)
    most = ctx.config.runs.open_per_agent
    if len(runs.of_agent(ctx.principal.account)) >= most and runs.get(frame.run_id) is None:
        raise RateLimited(f"an agent has at most {most} runs open", retry_after_ms=1000)
    row, is_repeated = await ctx.store.write(_start, ctx, frame)
    return _state(*await _standing(ctx, row), is_repeated=is_repeated)


def _start(tx: Tx, ctx: Context, frame: StartRun) -> tuple[RunRow, bool]:
    if not ctx.is_current():
        raise Conflict("this connection was replaced by a newer one")
    agent = ctx.principal.account
    accounts = members(tx, frame.conversation_id, agent)
    is_repeated = run_row(tx, frame.run_id) is not None
    if not is_repeated:
        if frame.reply_to is not None:
            _take(tx, ctx, frame.reply_to, frame.conversation_id)
        insert_run(tx, frame.run_id, agent, frame.conversation_id, frame.reply_to)
    row = own_run(tx, frame.run_id, agent)
    if row.conversation_id != frame.conversation_id:
        raise Conflict(f"run_id {frame.run_id!r} was used in another conversation")
    if not is_repeated:
        watchers = tuple(key for key in accounts if key != agent)
        # Not by whoever waits for this unit: by then the run may have ended again, or be gone with its conversation.
        tx.on_commit(partial(_open, ctx, row, watchers, supports(tx, agent)))
    return row, is_repeated


def _open(ctx: Context, row: RunRow, watchers: tuple[str, ...], supported: frozenset[str]) -> None:
    open_run(ctx.services, row, watchers, supported, Body(max_bytes=ctx.config.runs.max_bytes))


async def _standing(ctx: Context, row: RunRow) -> tuple[RunRow, OpenRun | None]:
    """
    A run of the asker as the database and the memory have it, at one moment.

    Raises:
        NotFound: it is gone with its conversation.
    """
    runs = ctx.services.own(OpenRuns)
    while (run := runs.get(row.id)) is None and row.state == "open":
        # It begins or ends this moment. The writer does one thing after the other, and tells memory before it answers.
        row = await ctx.store.write(own_run, row.id, ctx.principal.account)
    return row, run


def _take(tx: Tx, ctx: Context, message_id: str, conversation_id: str) -> None:
    """What is answered now waits no longer."""
    row, _ = visible_message(tx, message_id, ctx.principal.account)
    if row.conversation_id != conversation_id:
        raise NotFound(f"reply_to: no message {message_id[:64]!r} in this conversation")
    if row.queue_state == WITHDRAWN:
        raise Withdrawn("the message was taken back")
    take(tx, ctx, message_id, conversation_id)


def _state(row: RunRow, run: OpenRun | None, *, is_repeated: bool) -> RunState:
    if run is None:
        return RunState(
            run_id=row.id,
            conversation_id=row.conversation_id,
            state="ended",
            outcome=row.state,
            message_id=row.message_id,
            repeated=is_repeated,
        )
    run.away_since = None
    return RunState(
        run_id=row.id,
        conversation_id=row.conversation_id,
        state="open",
        rev=run.rev,
        parts=run.body.ends(),
        repeated=is_repeated,
    )


class ResumeRun(Command, frozen=True, kw_only=True):
    """Go on with a run after a reconnect."""

    run_id: ClientId


@command("run_resume", who="agent")
async def resume(ctx: Context, frame: ResumeRun) -> RunState:
    """
    Hear how much of a run the server has, and go on from there.

    Raises:
        NotFound: there is no such run. Conflict: it is another agent's.
    """
    row, run = await _standing(ctx, await ctx.store.read(own_run, frame.run_id, ctx.principal.account))
    if run is not None:
        ask_again(ctx.services, run)
    return _state(row, run, is_repeated=True)


class AppendToRun(Command, frozen=True, kw_only=True):
    """
    Say more.

    Attributes:
        part: its number. offset: where in it the text begins, in Unicode code points.
    """

    run_id: ClientId
    part: Number
    offset: Number
    text: str


@command("run_append", who="agent", budget="run", now=True)
def append(ctx: Context, frame: AppendToRun) -> None:
    """
    Add text to a part; what was there already is ignored.

    Raises:
        RunClosed: it has ended. RunGap: text in between is missing. Conflict: a part before it is.
        TooLarge: the run would be too long.
    """
    with _named(frame):
        run = _own(ctx, frame.run_id)
        _changed(ctx.services, run, run.body.append(frame.part, frame.offset, frame.text))


class SetPart(Command, frozen=True, kw_only=True):
    """
    Begin a part, or say something else of it.

    Attributes:
        meta: what belongs into it depends on the kind; it replaces what was there as a whole.
    """

    run_id: ClientId
    part: Number
    kind: PartKind
    meta: Json | None = None


@command("run_part", who="agent", budget="run", now=True)
def set_part(ctx: Context, frame: SetPart) -> None:
    """
    Begin a part, or replace its meta.

    Raises:
        RunClosed: the run has ended. Conflict: it is of another kind, or a part before it is missing.
        Malformed: the meta lacks what the kind needs. TooLarge: the run would be too long.
    """
    with _named(frame):
        run = _own(ctx, frame.run_id)
        _changed(ctx.services, run, run.body.declare(frame.part, frame.kind, frame.meta))


def _own(ctx: Context, run_id: str) -> OpenRun:
    run = ctx.services.own(OpenRuns).get(run_id)
    if run is None or run.is_ending or run.agent != ctx.principal.account:
        raise RunClosed(f"run {run_id!r} is not open")
    return run


@contextmanager
def _named(frame: AppendToRun | SetPart) -> Iterator[None]:
    """These frames have no answer that a refusal would belong to: it has to say itself what it is about."""
    try:
        yield
    except AmtrioError as exc:
        exc.details = {"run_id": frame.run_id, "part": frame.part, **(exc.details or {})}
        raise


def _changed(services: Services, run: OpenRun, is_new: bool) -> None:  # noqa: FBT001 - what the body answered
    run.away_since = None
    if is_new and services.own(OpenRuns).changed(run):
        services.wake(SHOW_CHANGES)


class FinishRun(Command, frozen=True, kw_only=True):
    """
    End it.

    Attributes:
        error: why it failed, for the person. usage: what it cost, in the agent's own terms.
    """

    run_id: ClientId
    outcome: Outcome
    error: ErrorText | None = None
    usage: Json | None = None


@command("run_finish", who="agent")
async def finish(ctx: Context, frame: FinishRun) -> RunFinished:
    """
    Store what was said as one message; sent again, the answer is that of the first end, whoever brought it about.

    Raises:
        NotFound: there is no such run, or its conversation is gone. Conflict: it is another agent's.
    """
    run = ctx.services.own(OpenRuns).get(frame.run_id)
    if run is None or run.agent != ctx.principal.account:
        row, run = await _standing(ctx, await ctx.store.read(own_run, frame.run_id, ctx.principal.account))
        if run is None:
            return finished(row)
    return await end_run(ctx.services, run, frame.outcome, error=frame.error or None, usage=frame.usage)


@replay("run_ended")
def replay_end(tx: ReadTx, account: str, row: LogRow) -> RunEnded | None:
    """As it was; None once the run is forgotten."""
    del account
    run = run_row(tx, row.subject_id or "")
    if run is None:
        return None
    return RunEnded(run_id=run.id, conversation_id=run.conversation_id, agent_id=run.agent_key[2:], outcome=run.state)
