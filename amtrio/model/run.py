"""Runs as they are stored: while they are open, chunk by chunk, and what is kept of one beside its message.

Knows SQL and wire names. Knows no command, no socket, and not who is watching.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import msgspec

from amtrio.clock import rfc3339
from amtrio.errors import Conflict, NotFound, RunClosed
from amtrio.model.run_part import PartChange, PartKept
from amtrio.protocol.codec import encode
from amtrio.protocol.frames import Json
from amtrio.store.database import ReadTx, Tx

Outcome = Literal["done", "stopped", "failed", "interrupted"]
# How long a run that left no message is remembered, so that its agent, sending its end again, hears the same.
KEEP_EMPTY_DAYS = 30
_DAY_US = 86_400_000_000
_PARTS = msgspec.json.Decoder(tuple[PartKept, ...])
_CHANGES = msgspec.json.Decoder(tuple[PartChange, ...])


class Run(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """
    The run that a message is the end of.

    Attributes:
        error: why it failed, for people. usage: what it cost, in the agent's own terms.
        parts: what it consisted of; the texts are in the message's content.
    """

    run_id: str
    outcome: Outcome
    started_at: str
    ended_at: str
    error: str | None = None
    usage: Json | None = None
    parts: tuple[PartKept, ...] = ()


class RunRow(NamedTuple):
    """A run as it is in the database; `state` is `open` or its outcome."""

    id: str
    agent_key: str
    conversation_id: str
    reply_to: str | None
    state: str
    message_id: str | None
    message_seq: int | None
    started_us: int
    stop_asked_us: int | None
    user_key: str


_ROW = """
SELECT r.id, r.agent_key, r.conversation_id, r.reply_to_id, r.state, r.message_id, m.seq, r.started_us, r.stop_asked_us,
    c.user_key
FROM run r JOIN conversation c ON c.id = r.conversation_id LEFT JOIN message m ON m.id = r.message_id"""


def run_row(tx: ReadTx, run_id: str) -> RunRow | None:
    """One run, open or not."""
    row = tx.one(f"{_ROW} WHERE r.id = :id", id=run_id)
    return None if row is None else RunRow(*row)


def open_rows(tx: ReadTx) -> list[RunRow]:
    """Every run that has not ended."""
    return [RunRow(*row) for row in tx.all(f"{_ROW} WHERE r.state = 'open' ORDER BY r.started_us, r.id")]


def own_run(tx: ReadTx, run_id: str, agent_key: str) -> RunRow:
    """
    A run of this agent.

    Raises:
        NotFound: there is none. Conflict: the id is another agent's.
    """
    row = run_row(tx, run_id)
    if row is None:
        raise no_run(run_id)
    if row.agent_key != agent_key:
        raise Conflict(f"run_id {run_id!r} is taken")
    return row


def no_run(run_id: str) -> NotFound:
    return NotFound(f"run not found: {run_id[:64]!r}")


def refusal(tx: ReadTx, account: str, run_id: str) -> NotFound | RunClosed:
    """Why there is no such open run for a member of its conversation; strangers learn nothing."""
    row = run_row(tx, run_id)
    if row is None or account not in (row.user_key, row.agent_key):
        return no_run(run_id)
    return RunClosed(f"run {run_id!r} has ended", details={"run_id": run_id, "message_id": row.message_id})


def insert_run(tx: Tx, run_id: str, agent_key: str, conversation_id: str, reply_to: str | None) -> None:
    """Begin one; its id must be free."""
    tx.run(
        """
        INSERT INTO run (id, agent_key, conversation_id, reply_to_id, started_us)
        VALUES (:id, :agent, :conversation, :reply_to, :at)""",
        id=run_id,
        agent=agent_key,
        conversation=conversation_id,
        reply_to=reply_to,
        at=tx.at_us,
    )


def note_stop(tx: Tx, run_id: str) -> None:
    """The person wants it to end: that outlives a restart of the server."""
    tx.run("UPDATE run SET stop_asked_us = coalesce(stop_asked_us, :at) WHERE id = :id", id=run_id, at=tx.at_us)


def append_chunk(tx: Tx, run_id: str, changes: Sequence[PartChange], *, is_whole: bool = False) -> int:
    """
    Store what an open run said since the chunk before; one that has ended meanwhile needs it no more.

    Args:
        is_whole: it takes the place of all chunks before.

    Returns:
        How many bytes that are.
    """
    if is_whole:
        tx.run("DELETE FROM run_chunk WHERE run_id = :id", id=run_id)
    chunk = encode(changes)
    tx.run(
        """
        INSERT INTO run_chunk (run_id, number, changes)
        SELECT id, (SELECT coalesce(max(number), 0) + 1 FROM run_chunk WHERE run_id = :id), :changes
        FROM run WHERE id = :id AND state = 'open'""",
        id=run_id,
        changes=chunk.decode(),
    )
    return len(chunk)


def chunks_of(tx: ReadTx, run_id: str) -> list[tuple[PartChange, ...]]:
    """What an open run said so far, in order."""
    rows = tx.all("SELECT changes FROM run_chunk WHERE run_id = :id ORDER BY number", id=run_id)
    return [_CHANGES.decode(row[0]) for row in rows]


def close_run(
    tx: Tx,
    run_id: str,
    outcome: Outcome,
    *,
    message_id: str | None,
    parts: Sequence[PartKept],
    error: str | None,
    usage: Json | None,
) -> None:
    """It has ended; its parts are written once and its chunks are gone."""
    tx.run(
        """
        UPDATE run SET state = :outcome, message_id = :message, body = :body, error = :error, usage = :usage,
            ended_us = :at WHERE id = :id""",
        id=run_id,
        outcome=outcome,
        message=message_id,
        body=encode(parts).decode() if message_id is not None else None,
        error=error,
        usage=encode(usage).decode() if usage is not None else None,
        at=tx.at_us,
    )
    tx.run("DELETE FROM run_chunk WHERE run_id = :id", id=run_id)


def run_of_message(tx: ReadTx, message_id: str) -> Run | None:
    """The run that a message is the end of."""
    row = tx.one(
        "SELECT id, state, started_us, ended_us, error, usage, body FROM run WHERE message_id = :id", id=message_id
    )
    if row is None:
        return None
    id_, outcome, started_us, ended_us, error, usage, body = row
    return Run(
        run_id=id_,
        outcome=outcome,
        started_at=rfc3339(started_us),
        ended_at=rfc3339(ended_us),
        error=error,
        usage=msgspec.json.decode(usage) if usage is not None else None,
        parts=_PARTS.decode(body) if body is not None else (),
    )


def forget_body(tx: Tx, message_id: str) -> None:
    """The message is deleted, and with it all that the run said; that there was one stays known."""
    tx.run("UPDATE run SET body = NULL, error = NULL, usage = NULL WHERE message_id = :id", id=message_id)


def forget_empty(tx: Tx) -> int:
    """Runs of long ago that left no message, a thousand at a time."""
    return tx.run(
        """
        DELETE FROM run WHERE id IN (
            SELECT id FROM run WHERE message_id IS NULL AND ended_us IS NOT NULL AND ended_us < :before LIMIT 1000)""",
        before=tx.at_us - KEEP_EMPTY_DAYS * _DAY_US,
    )
