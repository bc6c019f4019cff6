"""How far everybody has read, and how far it was delivered.

Watermarks per member: conversation sequence numbers that only grow. `read` goes through the log, `delivered` is told
live and found in snapshots.
"""

from __future__ import annotations

from typing import Any

from amtrio.context import Context, id_of, kind_of
from amtrio.errors import Malformed, NotFound
from amtrio.feature import command, post, replay
from amtrio.model.conversation import members
from amtrio.protocol.frames import ClientId, Command, Event, Kind, Reply
from amtrio.store.database import ReadTx, Tx
from amtrio.store.log import LogRow

# COMPAT: older clients are told the ids of the messages; nobody scrolls through more at once.
MAX_IDS = 100


class Receipt(Event, frozen=True, kw_only=True):
    """
    A member has read up to here.

    Attributes:
        count, message_ids: what became read by it, COMPAT for clients that know no watermarks.
    """

    type = "receipt"
    log_kind = "receipt"
    conversation_id: str
    account_kind: Kind
    account_id: str
    read_up_to: int
    delivered_up_to: int
    count: int = 0
    message_ids: tuple[str, ...] = ()

    @property
    def log_conversation(self) -> str:
        return self.conversation_id

    @property
    def log_subject(self) -> str:
        return f"{self.account_kind[0]}:{self.account_id}"


class MarkRead(Command, frozen=True, kw_only=True):
    """Up to a number, up to a message, or (neither) up to the last one."""

    conversation_id: str | None = None
    up_to: int | None = None
    message_id: str | None = None
    client_id: ClientId | None = None


class MarkedRead(Reply, frozen=True, kw_only=True, omit_defaults=False):
    """Where the watermark stands now and how many messages it passed."""

    status: str = "marked_read"
    conversation_id: str
    read_up_to: int
    count: int


@post("/conversations/<conversation_id>/read")
@command("read")
def mark_read(tx: Tx, ctx: Context, frame: MarkRead) -> MarkedRead:
    """
    Move one's own watermark forward; backwards is no error and changes nothing.

    Raises:
        NotFound: no such conversation or message, or not the asker's.
    """
    account = ctx.principal.account
    conversation_id = frame.conversation_id or _conversation_of(tx, account, frame.message_id)
    accounts = members(tx, conversation_id, account)
    row = tx.one(
        """
        SELECT mine.read_up_to, c.last_seq FROM member mine JOIN conversation c ON c.id = mine.conversation_id
        WHERE mine.conversation_id = :id AND mine.account_key = :account""",
        id=conversation_id,
        account=account,
    )
    if row is None:
        text = f"conversation not found: {conversation_id[:64]!r}"
        raise NotFound(text)
    old, last = row
    wanted = last if frame.up_to is None else min(frame.up_to, last)
    if frame.message_id is not None and frame.up_to is None:
        wanted = _seq_of(tx, conversation_id, frame.message_id)
    if wanted <= old:
        return MarkedRead(conversation_id=conversation_id, read_up_to=old, count=0)
    unread = """
        FROM message WHERE conversation_id = :id AND seq > :old AND seq <= :new AND sender_key <> :account
        AND deleted_us IS NULL"""
    count = (tx.one(f"SELECT count(*) {unread}", id=conversation_id, old=old, new=wanted, account=account) or (0,))[0]
    ids = tx.all(
        f"SELECT id {unread} ORDER BY seq DESC LIMIT :limit",
        id=conversation_id,
        old=old,
        new=wanted,
        account=account,
        limit=MAX_IDS,
    )
    tx.run(
        """
        UPDATE member SET read_up_to = :new, read_us = :at,
            delivered_up_to = CASE WHEN delivered_up_to < :new THEN :new ELSE delivered_up_to END
        WHERE conversation_id = :id AND account_key = :account""",
        id=conversation_id,
        account=account,
        new=wanted,
        at=tx.at_us,
    )
    receipt = _receipt(tx, conversation_id, account, count=count, message_ids=tuple(row[0] for row in reversed(ids)))
    if receipt is not None:
        tx.announce(receipt, accounts, device=ctx.principal.device)
    return MarkedRead(conversation_id=conversation_id, read_up_to=wanted, count=count)


def _conversation_of(tx: ReadTx, account: str, message_id: str | None) -> str:
    """Where a message stands that `account` may see; one answer for another's and for none, or ids would leak."""
    if message_id is None:
        text = "missing conversation_id"
        raise Malformed(text)
    row = tx.one(
        """
        SELECT m.conversation_id FROM message m JOIN member mine ON mine.conversation_id = m.conversation_id
        WHERE m.id = :id AND mine.account_key = :account AND mine.left_at_seq IS NULL""",
        id=message_id,
        account=account,
    )
    if row is None:
        text = f"message not found: {message_id[:64]!r}"
        raise NotFound(text)
    return str(row[0])


def _seq_of(tx: ReadTx, conversation_id: str, message_id: str) -> int:
    row = tx.one("SELECT seq FROM message WHERE id = :id AND conversation_id = :c", id=message_id, c=conversation_id)
    if row is None:
        text = f"message not found: {message_id[:64]!r}"
        raise NotFound(text)
    return int(row[0])


def _receipt(tx: ReadTx, conversation_id: str, account: str, **passed: Any) -> Receipt | None:
    row = tx.one(
        "SELECT read_up_to, delivered_up_to FROM member WHERE conversation_id = :id AND account_key = :account",
        id=conversation_id,
        account=account,
    )
    if row is None:
        return None
    return Receipt(
        conversation_id=conversation_id,
        account_kind=kind_of(account),
        account_id=id_of(account),
        read_up_to=row[0],
        delivered_up_to=row[1],
        **passed,
    )


@replay("receipt")
def replay_receipt(tx: ReadTx, account: str, row: LogRow) -> Receipt | None:
    """Where that member's watermark stands now."""
    del account
    return _receipt(tx, row.conversation_id or "", row.subject_id or "")


class Delivered(Event, frozen=True, kw_only=True):
    """A member's device confirmed that it has everything up to here. Ephemeral."""

    type = "delivered"
    conversation_id: str
    account_kind: Kind
    account_id: str
    delivered_up_to: int


def mark_delivered(tx: Tx, account: str, up_to: dict[str, int]) -> list[tuple[Delivered, list[str]]]:
    """
    Move delivered marks forward.

    Args:
        up_to: conversation id to the highest conversation_seq that a device of `account` confirmed.

    Returns:
        What to tell, and whom.
    """
    told = []
    for conversation_id, seq in up_to.items():
        changed = tx.run(
            """
            UPDATE member SET delivered_up_to = :seq
            WHERE conversation_id = :id AND account_key = :account AND delivered_up_to < :seq""",
            id=conversation_id,
            account=account,
            seq=seq,
        )
        if changed:
            event = Delivered(
                conversation_id=conversation_id,
                account_kind=kind_of(account),
                account_id=id_of(account),
                delivered_up_to=seq,
            )
            others = [key for key in members(tx, conversation_id, account) if key != account]
            told.append((event, others))
    return told
