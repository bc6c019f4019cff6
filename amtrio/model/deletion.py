"""Taking a message's text away: what deleting it and taking it back from the queue have in common.

Knows SQL and wire names. Knows no command, no route, no socket, and not who may do it.
"""

from __future__ import annotations

from collections.abc import Iterable

from amtrio.context import Context
from amtrio.idempotency import forget_answers
from amtrio.model.attachment import let_go_of_message
from amtrio.model.message import (
    HAS_ATTACHMENTS,
    HAS_QUESTION,
    HAS_RUN,
    MessageDeleted,
    MessageRow,
    message,
    visible_message,
)
from amtrio.model.question import forget
from amtrio.model.run import forget_body
from amtrio.store.database import Tx


def delete(tx: Tx, ctx: Context, row: MessageRow, accounts: Iterable[str]) -> None:
    """
    Leave of a message its place and number, and tell the members.

    One that waited for its agent waits no longer: nobody takes it any more.

    Args:
        row: one that is not deleted yet.
        accounts: the members.
    """
    message_id, conversation_id, extras = row.id, row.conversation_id, row.extras
    tx.run("DELETE FROM message_version WHERE message_id = :id", id=message_id)
    tx.run("DELETE FROM reaction WHERE message_id = :id", id=message_id)
    forget_answers(tx, conversation_id, message_id=message_id)
    if extras & HAS_RUN:
        forget_body(tx, message_id)
    if extras & HAS_QUESTION:
        forget(tx, message_id)
    if extras & HAS_ATTACHMENTS:
        let_go_of_message(tx, ctx.services, message_id)
    # Nothing hangs on it any more: no bit of `extras` is left.
    tx.run(
        """
        UPDATE message SET content = '', metadata = NULL, envelope = NULL, extras = 0, deleted_us = :at,
            deleted_by_key = :who, queue_state = CASE queue_state WHEN 'queued' THEN 'withdrawn' ELSE queue_state END
        WHERE id = :id""",
        at=tx.at_us,
        who=ctx.principal.account,
        id=message_id,
    )
    tx.announce(
        message(tx, MessageDeleted, visible_message(tx, message_id, ctx.principal.account)[0]),
        accounts,
        device=ctx.principal.device,
    )
