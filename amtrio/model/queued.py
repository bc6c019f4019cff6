"""Messages that wait for their agent, which is busy: either the agent takes one, or its sender takes it back.

Both compete for one column, in the one write transaction: exactly one of them wins. Knows SQL and wire names. Knows no
command, no route, no socket.
"""

from __future__ import annotations

from typing import ClassVar, Final

from amtrio.context import Context
from amtrio.model.conversation import members
from amtrio.protocol.frames import Event
from amtrio.store.database import Tx

TAKEN: Final = "taken"
WITHDRAWN: Final = "withdrawn"


class MessageTaken(Event, frozen=True, kw_only=True):
    """A message is no longer `queued`: its agent has it, and it cannot be taken back."""

    type: ClassVar[str] = "message_taken"
    log_kind: ClassVar[str] = "message_taken"
    message_id: str
    conversation_id: str
    conversation_seq: int

    @property
    def log_conversation(self) -> str:
        return self.conversation_id

    @property
    def log_subject(self) -> str:
        return self.message_id


def take(tx: Tx, ctx: Context, message_id: str, conversation_id: str | None = None) -> bool:
    """
    Let the agent that asks have a message that waits for it, and tell the members.

    Args:
        conversation_id: only if it is in this one.

    Returns:
        False if it does not wait: it never did, was taken already, or was taken back.

    Raises:
        NotFound: it waits in a conversation that the asker is not in.
    """
    taken = tx.one(
        """
        UPDATE message SET queue_state = 'taken'
        WHERE id = :id AND queue_state = 'queued' AND (:conversation IS NULL OR conversation_id = :conversation)
        RETURNING conversation_id, seq""",
        id=message_id,
        conversation=conversation_id,
    )
    if taken is None:
        return False
    place, seq = taken
    accounts = members(tx, place, ctx.principal.account)
    event = MessageTaken(message_id=message_id, conversation_id=place, conversation_seq=seq)
    tx.announce(event, accounts, device=ctx.principal.device)
    return True
