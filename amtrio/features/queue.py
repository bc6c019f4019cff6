"""The queue: what a person says while the agent is busy waits, until the agent takes it or the person takes it back.

Which messages wait is decided where they are stored. Knows frames and SQL. Knows nothing of sockets, HTTP or who is
online.
"""

from __future__ import annotations

from typing import Literal

from amtrio.context import Context
from amtrio.context import Services as Services  # noqa: PLC0414 - read by type hints of handlers
from amtrio.errors import Forbidden, Taken, Withdrawn
from amtrio.feature import command, post, replay
from amtrio.model.deletion import delete
from amtrio.model.message import QUEUED, message_row, visible_message
from amtrio.model.queued import TAKEN, MessageTaken, take
from amtrio.protocol.frames import ClientId, Command, Reply
from amtrio.store.database import ReadTx, Tx
from amtrio.store.log import LogRow


class TakeMessage(Command, frozen=True, kw_only=True):
    """The agent begins with this message."""

    message_id: str
    client_id: ClientId | None = None


class Dequeued(Reply, frozen=True, kw_only=True, omit_defaults=False):
    """
    What has become of a message that waited.

    Attributes:
        status: `taken`, the agent has it and nobody takes it back; or `withdrawn`, it is a deleted message.
    """

    status: Literal["taken", "withdrawn"]
    message_id: str
    conversation_id: str


@command("message_take", who="agent")
def message_take(tx: Tx, ctx: Context, frame: TakeMessage) -> Dequeued:
    """
    Take a message from the queue; one that is not in it, or is taken already, is the agent's all the same.

    Raises:
        NotFound: no such message in a conversation of the agent.
        Withdrawn: its sender was faster, or it is deleted.
    """
    row, _ = visible_message(tx, frame.message_id, ctx.principal.account)
    if row.deleted_us is not None:
        text = "the message was taken back or deleted"
        raise Withdrawn(text)
    take(tx, ctx, frame.message_id)
    return Dequeued(status=TAKEN, message_id=frame.message_id, conversation_id=row.conversation_id)


class WithdrawMessage(Command, frozen=True, kw_only=True):
    """Take back one's own message while it waits."""

    message_id: str
    client_id: ClientId | None = None


@post("/messages/<message_id>/withdraw", who="user")
@command("message_withdraw", who="user")
def message_withdraw(tx: Tx, ctx: Context, frame: WithdrawMessage) -> Dequeued:
    """
    Take back one's own message that still waits for its agent; once more changes nothing.

    Raises:
        NotFound: no such message in a conversation of the asker. Forbidden: somebody else's.
        Taken: the agent has it, or it never waited.
    """
    row, accounts = visible_message(tx, frame.message_id, ctx.principal.account)
    if row.sender_key != ctx.principal.account:
        text = "can only take back your own messages"
        raise Forbidden(text)
    queue_state = row.queue_state
    if queue_state == QUEUED:
        delete(tx, ctx, row, accounts)
    elif queue_state is None or queue_state == TAKEN:
        text = "the agent has this message already"
        raise Taken(text)
    return Dequeued(status="withdrawn", message_id=frame.message_id, conversation_id=row.conversation_id)


@replay("message_taken")
def replay_taken(tx: ReadTx, account: str, row: LogRow) -> MessageTaken | None:
    """Of one that was deleted since there is nothing left to take; its deletion has a number of its own."""
    del account
    found = message_row(tx, row.subject_id or "")
    if found is None or found.deleted_us is not None:
        return None
    return MessageTaken(message_id=found.id, conversation_id=found.conversation_id, conversation_seq=found.seq)
