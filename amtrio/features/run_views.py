"""Looking at a run that is going on: once more after something was missed, and without a socket.

Knows frames. Knows nothing of sockets and HTTP; devices with a socket are shown runs unasked.
"""

from __future__ import annotations

import msgspec

from amtrio.context import Answer, Context
from amtrio.feature import command, get
from amtrio.model.conversation import members
from amtrio.model.open_runs import OpenRun, OpenRuns
from amtrio.model.pages import MAX_REST_PAGE_BYTES
from amtrio.model.run import refusal
from amtrio.model.run_part import PartShown
from amtrio.protocol.frames import Command, Reply


class LookAtRun(Command, frozen=True, kw_only=True):
    """Which one."""

    run_id: str


class RunLook(Reply, frozen=True, kw_only=True, omit_defaults=False):
    """The same as the event `run_snapshot`, because somebody asked."""

    type = "run_snapshot"
    run_id: str
    conversation_id: str
    agent_id: str
    reply_to: str | None
    rev: int
    started_at: str
    parts: tuple[PartShown, ...]


@get("/runs/<run_id>")
@command("run_attach")
async def look(ctx: Context, frame: LookAtRun) -> RunLook:
    """
    All that a run has said so far.

    Raises:
        NotFound: no such run, or not the asker's. RunClosed: it has ended; the details name the message it became.
    """
    run = ctx.services.own(OpenRuns).get(frame.run_id)
    if run is None or not _may_see(ctx, run):
        raise await ctx.store.read(refusal, ctx.principal.account, frame.run_id)
    return _look(run)


def _may_see(ctx: Context, run: OpenRun) -> bool:
    return ctx.principal.account in run.watchers or ctx.principal.account == run.agent


def _look(run: OpenRun) -> RunLook:
    return RunLook(**msgspec.structs.asdict(run.snapshot()))


class AskRuns(msgspec.Struct, frozen=True, kw_only=True):
    """Of which conversation."""

    conversation_id: str


@get("/conversations/<conversation_id>/runs")
async def runs_of(ctx: Context, request: AskRuns) -> Answer[list[RunLook]]:
    """
    The runs that are going on in a conversation, oldest first, as many as make a page.

    Raises:
        NotFound: no such conversation, or not the asker's.
    """
    await ctx.store.read(members, request.conversation_id, ctx.principal.account)
    found: list[RunLook] = []
    size = 0
    has_more = False
    for run in ctx.services.own(OpenRuns).of_conversation(request.conversation_id):
        size += run.body.size
        if found and size > MAX_REST_PAGE_BYTES:
            has_more = True
            break
        found.append(_look(run))
    return Answer(found, headers={"X-Amtrio-Has-More": "true" if has_more else "false"})
