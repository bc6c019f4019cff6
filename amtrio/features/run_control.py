"""Stopping a run, and saying something into it.

Knows frames and SQL. Knows nothing of sockets and HTTP; what a run is and how it ends is in the model.
"""

from __future__ import annotations

import structlog
import trio

from amtrio.context import Context, Services
from amtrio.errors import Malformed, RateLimited, Unsupported
from amtrio.feature import chore, command, post
from amtrio.model.message import checked_content
from amtrio.model.open_runs import OpenRun, OpenRuns
from amtrio.model.posting import MessageSent, Post, store_message
from amtrio.model.run import no_run, note_stop, refusal, run_row
from amtrio.model.run_controls import MAX_UNHEARD, Action, Control, ask, has_room, heard, tell_state
from amtrio.model.run_end import end_run, end_runs
from amtrio.protocol.frames import ClientId, Command, Reply
from amtrio.store.database import Tx

log = structlog.stdlib.get_logger(__name__)


class ControlRun(Command, frozen=True, kw_only=True):
    """
    What the person wants.

    Attributes:
        text: of `steer`.
    """

    run_id: str
    action: Action
    text: str | None = None
    client_id: ClientId | None = None


class Controlled(Reply, frozen=True, kw_only=True, omit_defaults=False):
    """
    It is on its way.

    Attributes:
        status: `sent` to the agent, or `closed`: the run has ended by it.
        message_id, conversation_seq: of the message that the text of `steer` was stored as.
    """

    status: str
    run_id: str
    control_id: str | None = None
    message_id: str | None = None
    conversation_seq: int | None = None


@post("/runs/<run_id>/control", who="user")
@command("run_control", who="user")
async def control(ctx: Context, frame: ControlRun) -> Controlled:
    """
    Stop a run, or say something into it.

    Raises:
        NotFound: no such run, or not the asker's. RunClosed: it has ended. Unsupported: its agent cannot be steered.
        Malformed, TooLarge: there is no text to steer by, or too much. RateLimited: it costs as much as a message.
    """
    run = ctx.services.own(OpenRuns).get(frame.run_id)
    if run is not None and ctx.principal.account not in run.watchers:
        run = None
    if frame.action == "steer":
        return await _steer(ctx, run, frame)
    if run is None:
        raise await ctx.store.read(refusal, ctx.principal.account, frame.run_id)
    return await _stop(ctx, run)


async def _stop(ctx: Context, run: OpenRun) -> Controlled:
    if "stop" not in run.supports or run.away_since is not None:
        # Nobody is there who could end it, so it is ended here; whatever comes later is refused.
        await end_run(ctx.services, run, "stopped")
        return Controlled(status="closed", run_id=run.id)
    wish = next((each for each in run.controls.values() if each.action == "stop"), None)
    if wish is None:
        wish = Control(ctx.clock.new_id("ctl"), "stop", trio.current_time())
        ask(ctx.services, run, wish)
        # After the agent was asked: a stop waits for no disk. Asked again, it is the same wish.
        await ctx.store.write(note_stop, run.id)
    return Controlled(status="sent", run_id=run.id, control_id=wish.id)


async def _steer(ctx: Context, run: OpenRun | None, frame: ControlRun) -> Controlled:
    if not frame.text:
        raise Malformed("text is required to steer")
    if run is None and frame.client_id is None:
        raise await ctx.store.read(refusal, ctx.principal.account, frame.run_id)
    if run is not None and "steer" not in run.supports:
        raise Unsupported("this agent cannot be steered; send a message, and it is answered next")
    budget = ctx.services.limits.messages(ctx.principal.account)
    if not budget.take():
        raise RateLimited(
            "rate limit exceeded: too many messages", retry_after_ms=int(budget.wait_seconds() * 1000) + 1
        )
    sent = await ctx.store.write(_say_into, ctx, frame, has_room=run is None or has_room(run))
    if sent.repeated:
        budget.give_back()
    wish = None
    if run is not None:
        wish = next((each for each in run.controls.values() if each.message_id == sent.message_id), None)
        if wish is None:
            wish = Control(ctx.clock.new_id("ctl"), "steer", trio.current_time(), frame.text, sent.message_id)
            ask(ctx.services, run, wish)
    return Controlled(
        status="sent",
        run_id=frame.run_id,
        control_id=wish.id if wish is not None else None,
        message_id=sent.message_id,
        conversation_seq=sent.conversation_seq,
    )


def _say_into(tx: Tx, ctx: Context, frame: ControlRun, *, has_room: bool) -> MessageSent:
    row = run_row(tx, frame.run_id)
    if row is None or row.user_key != ctx.principal.account:
        raise no_run(frame.run_id)
    post = Post(conversation_id=row.conversation_id, client_id=frame.client_id)
    sent = store_message(tx, ctx, post, checked_content(frame.text), steers=row.id)
    # Looked at afterwards: what was said in time and is sent again, since the answer was lost, has that answer.
    if row.state != "open" and not sent.repeated:
        raise refusal(tx, ctx.principal.account, row.id)
    if not has_room and not sent.repeated:
        raise RateLimited(f"the agent has not heard the last {MAX_UNHEARD} wishes yet", retry_after_ms=1000)
    return sent


class AckControl(Command, frozen=True, kw_only=True):
    """The agent has heard a wish."""

    run_id: ClientId
    control_id: str


@command("run_control_ack", who="agent", budget="run", now=True)
def ack_control(ctx: Context, frame: AckControl) -> None:
    """Say that one has heard; of a run that has ended meanwhile, nobody cares."""
    run = ctx.services.own(OpenRuns).get(frame.run_id)
    if run is None or run.agent != ctx.principal.account:
        return
    wish = run.controls.get(frame.control_id)
    if wish is not None and wish.state != "acknowledged":
        heard(ctx.services, run, wish)


@chore(every_seconds=0.5)
async def watch_controls(services: Services) -> None:
    """Say which agents do not answer, and stop the runs that do not stop."""
    config, now = services.config.runs, trio.current_time()
    overdue: dict[OpenRun, Control] = {}
    for run in services.own(OpenRuns):
        for wish in tuple(run.controls.values()):
            waited = now - wish.asked_at
            if wish.state == "sent" and waited >= config.control_answer_s:
                wish.state = "unresponsive"
                tell_state(services, run, wish)
            if wish.action == "stop" and now - wish.first_asked_at >= config.stop_within_s and not run.is_ending:
                log.info("run_stopped_for_agent", run=run.id, agent=run.agent)
                overdue[run] = wish
    try:
        await end_runs(services, dict.fromkeys(overdue), "stopped")
    finally:
        for run, wish in overdue.items():
            if run.is_ending:
                wish.state = "closed"
                tell_state(services, run, wish)
