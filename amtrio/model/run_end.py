"""The end of a run, whoever brings it about: one message, stored once, or the word that nothing is left.

Knows SQL and wire names. Knows no command, no route, no socket.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import trio

from amtrio.clock import rfc3339
from amtrio.context import Context, Principal, Services, id_of
from amtrio.errors import NotFound
from amtrio.model.attachment import free_uploads
from amtrio.model.open_runs import OpenRun, OpenRuns
from amtrio.model.posting import Post, store_message
from amtrio.model.run import Outcome, Run, RunRow, close_run, no_run, run_row
from amtrio.model.run_part import PartKept
from amtrio.protocol.frames import Event, Json, Reply
from amtrio.store.database import Tx


class RunFinished(Reply, frozen=True, kw_only=True, omit_defaults=False):
    """
    How a run has ended, the first time that it did.

    Attributes:
        message_id, conversation_seq: the message that is left of it; null if there was nothing to keep.
    """

    type = "run_finished"
    run_id: str
    conversation_id: str
    outcome: str
    message_id: str | None
    conversation_seq: int | None


class RunEnded(Event, frozen=True, kw_only=True):
    """A run ended with nothing to keep."""

    type = "run_ended"
    log_kind = "run_ended"
    run_id: str
    conversation_id: str
    agent_id: str
    outcome: str

    @property
    def log_conversation(self) -> str:
        return self.conversation_id

    @property
    def log_subject(self) -> str:
        return self.run_id


@dataclass(frozen=True, slots=True)
class _Ending:
    """What the unit needs, taken from the body before it goes to the writer's thread."""

    outcome: Outcome
    error: str | None
    usage: Json | None
    content: str
    parts: tuple[PartKept, ...]
    attachment_ids: tuple[str, ...]
    is_empty: bool


async def end_run(
    services: Services, run: OpenRun, outcome: Outcome, *, error: str | None = None, usage: Json | None = None
) -> RunFinished:
    """
    Show the rest of what it said, then store it; if it has ended already, the answer is that of the first end.

    Raises:
        NotFound: its conversation is gone. StorageUnavailable: nothing happened, and it is still open.
    """
    run.tell_changes()
    run.is_ending = True
    body = run.body
    ending = _Ending(
        outcome=outcome,
        error=error,
        usage=usage,
        content=body.content(outcome, error),
        parts=body.kept(),
        attachment_ids=body.attachment_ids(),
        is_empty=body.is_empty and error is None,
    )
    try:
        return await services.store.write(_end, services, run.id, ending)
    except NotFound:
        forget(services, run.id)
        raise
    finally:
        # Closed or gone: the unit has taken it out. Otherwise the disk refused, and it goes on.
        run.is_ending = services.own(OpenRuns).get(run.id) is not run


async def end_runs(services: Services, runs: Mapping[OpenRun, str | None], outcome: Outcome) -> None:
    """
    End several at once: they share a commit, and one that cannot be ended holds up no other.

    Args:
        runs: each with its error, if it is to have one.

    Raises:
        Exception: what the first one was refused with, after all of them were tried.
    """
    failures: list[Exception] = []

    async def end(run: OpenRun, error: str | None) -> None:
        try:
            await end_run(services, run, outcome, error=error)
        except NotFound:
            pass  # gone with its conversation, which is an end, too
        except Exception as exc:  # noqa: BLE001 - raised below
            failures.append(exc)

    async with trio.open_nursery() as nursery:
        for run, error in runs.items():
            nursery.start_soon(end, run, error)
    if failures:
        raise failures[0]


def _end(tx: Tx, services: Services, run_id: str, ending: _Ending) -> RunFinished:
    row = run_row(tx, run_id)
    tx.on_commit(lambda: forget(services, run_id))
    if row is None:
        raise no_run(run_id)
    if row.state != "open":
        return finished(row)
    message_id = seq = None
    if ending.is_empty:
        tx.announce(
            RunEnded(
                run_id=run_id,
                conversation_id=row.conversation_id,
                agent_id=id_of(row.agent_key),
                outcome=ending.outcome,
            ),
            (row.user_key, row.agent_key),
        )
    else:
        agent_id = id_of(row.agent_key)
        who = Principal("agent", agent_id, row.agent_key, agent_id, session="", device="agent")
        sent = store_message(
            tx,
            Context(services, who),
            Post(conversation_id=row.conversation_id, reply_to=row.reply_to),
            ending.content,
            attachment_ids=free_uploads(tx, row.agent_key, ending.attachment_ids),
            run=Run(
                run_id=run_id,
                outcome=ending.outcome,
                error=ending.error,
                usage=ending.usage,
                started_at=rfc3339(row.started_us),
                ended_at=rfc3339(tx.at_us),
                parts=ending.parts,
            ),
        )
        message_id, seq = sent.message_id, sent.conversation_seq
    close_run(
        tx,
        run_id,
        ending.outcome,
        message_id=message_id,
        parts=ending.parts,
        error=ending.error,
        usage=ending.usage,
    )
    return RunFinished(
        run_id=run_id,
        conversation_id=row.conversation_id,
        outcome=ending.outcome,
        message_id=message_id,
        conversation_seq=seq,
    )


def finished(row: RunRow) -> RunFinished:
    """How a run that is no longer open has ended."""
    return RunFinished(
        run_id=row.id,
        conversation_id=row.conversation_id,
        outcome=row.state,
        message_id=row.message_id,
        conversation_seq=row.message_seq,
    )


def let_go_of_conversation(tx: Tx, services: Services, conversation_id: str) -> None:
    """The runs that are open in a conversation go with it: nobody is left to hear the end."""

    def forget_all() -> None:
        for run in services.own(OpenRuns).of_conversation(conversation_id):
            forget(services, run.id)

    tx.on_commit(forget_all)


def forget(services: Services, run_id: str) -> None:
    """It is no longer open: what became of it is told by the log."""
    runs = services.own(OpenRuns)
    run = runs.get(run_id)
    if run is not None:
        run.is_ending = True
        runs.remove(run)
        services.fanout.hide(run)
