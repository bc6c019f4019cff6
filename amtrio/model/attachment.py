"""What every feature that touches a file of a message shares: linking it, letting go of it, and where it lies.

Knows SQL and the settings. The shape on the wire is in `message`. Knows no command, no route, no socket.
"""

from __future__ import annotations

from collections.abc import Sequence

from amtrio.context import Services
from amtrio.errors import Malformed, NotFound
from amtrio.media.files import Files
from amtrio.model.message import ATTACHMENT_COLUMNS, Attachment, attachment
from amtrio.store.database import ReadTx, Tx

MAX_PER_MESSAGE = 10
# The chore that deletes files whose rows are `removing`.
COLLECT = "collect_files"


class Uploading:
    """Ids of the uploads that are going on; a row that is `uploading` and not among them was left by a failure."""

    def __init__(self) -> None:
        self.ids: set[str] = set()


def files(services: Services) -> Files:
    """Where attachments lie."""
    return Files(services.config.storage.upload_dir)


def no_attachment(attachment_id: str) -> NotFound:
    return NotFound(f"attachment not found: {attachment_id[:64]!r}")


def check_ids(ids: Sequence[str]) -> None:
    """
    The rules that need no look at the database.

    Raises:
        Malformed: too many, or one of them twice.
    """
    if len(ids) > MAX_PER_MESSAGE:
        raise Malformed(f"attachment_ids: a message has at most {MAX_PER_MESSAGE}")
    if len(set(ids)) < len(ids):
        raise Malformed("attachment_ids: the same attachment twice")


# An upload that can still become part of a message.
_IS_FREE = "id = :id AND owner_key = :account AND state = 'stored' AND message_id IS NULL"


def free_uploads(tx: ReadTx, account: str, ids: Sequence[str]) -> tuple[str, ...]:
    """Those of these uploads that `link` would take: for what must not fail because one was taken back meanwhile."""
    sql = f"SELECT 1 FROM attachment WHERE {_IS_FREE}"  # noqa: S608 - our own words
    return tuple(id_ for id_ in ids if tx.one(sql, id=id_, account=account))


def link(
    tx: Tx, account: str, ids: Sequence[str], *, message_id: str, conversation_id: str, first: int = 0
) -> tuple[Attachment, ...]:
    """
    Make stored uploads part of a message that exists already.

    Args:
        first: how many the message has already.

    Raises:
        NotFound: one is not there, not whole, somebody else's or part of another message: one answer for all.
    """
    linked = []
    for position, attachment_id in enumerate(ids, start=first):
        row = tx.one(
            f"""
            UPDATE attachment SET message_id = :message, conversation_id = :conversation, position = :position
            WHERE {_IS_FREE}
            RETURNING {ATTACHMENT_COLUMNS}""",  # noqa: S608 - our own column list
            message=message_id,
            conversation=conversation_id,
            position=position,
            id=attachment_id,
            account=account,
        )
        if row is None:
            raise no_attachment(attachment_id)
        linked.append(attachment(row))
    return tuple(linked)


def let_go_of_message(tx: Tx, services: Services, message_id: str) -> None:
    """The files of a message go with it: their rows now, they themselves after the commit."""
    _let_go(tx, services, "message_id = :id", message_id)


def let_go_of_conversation(tx: Tx, services: Services, conversation_id: str) -> None:
    """Likewise for all messages of a conversation; to be called while they are there."""
    _let_go(tx, services, "conversation_id = :id", conversation_id)


def let_go_of_account(tx: Tx, services: Services, account: str) -> None:
    """Likewise for whatever an account has uploaded."""
    _let_go(tx, services, "owner_key = :id", account)


def let_go_of_upload(tx: Tx, services: Services, account: str, attachment_id: str) -> bool:
    """Likewise for one of one's own that is in no message; whether there was such a one."""
    return _let_go(tx, services, _IS_FREE, attachment_id, account=account) > 0


def _let_go(tx: Tx, services: Services, where: str, id_: str, **more: str) -> int:
    changed = tx.run(
        f"UPDATE attachment SET state = 'removing' WHERE {where} AND state <> 'removing'",  # noqa: S608 - our own words
        id=id_,
        **more,
    )
    if changed:
        tx.on_commit(lambda: services.wake(COLLECT))
    return changed
