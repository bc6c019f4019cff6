"""Reading the record of who administered what.

Knows one table. Writing it is `amtrio.model.audit`, in the transaction of each act.
"""

from __future__ import annotations

from typing import Any

import msgspec

from amtrio.clock import rfc3339
from amtrio.context import Context, Services, account_key, id_of
from amtrio.feature import get, on_removal, operation
from amtrio.model.audit import forget_addresses
from amtrio.model.pages import DEFAULT_PAGE, page_size
from amtrio.store.database import ReadTx, Row, Tx

MAX_PAGE = 500
_NO_END = 2**62
_PAGE = """
SELECT number, at_us, actor, address, action, subject, details FROM audit
WHERE number < :before AND (:action = '' OR action = :action) AND (:subject = '' OR subject = :subject)
    AND (:actor = '' OR actor = :actor OR actor = :actor_key)
ORDER BY number DESC LIMIT :limit"""


class AskAudit(msgspec.Struct, frozen=True, kw_only=True):
    """
    Which acts.

    Attributes:
        actor: `secret`, `cli`, `start` or a user id. action: `user.tier` and the like. subject: an id.
        cursor: `next` of the page before. limit: 1 to 500, else 50.
    """

    actor: str = ""
    action: str = ""
    subject: str = ""
    cursor: int = 0
    limit: int = DEFAULT_PAGE


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """
    One act.

    Attributes:
        number: 1, 2, 3 ... in the order in which they were done.
        actor: `secret` (whoever holds the admin secret), `cli`, `start` (the server, which invites its first
            administrator) or `user`, whose id is `actor_id`.
        address: where from; empty for the command line.
        subject: the id of what was changed.
    """

    number: int
    at: str
    actor: str
    actor_id: str | None
    address: str
    action: str
    subject: str
    details: dict[str, Any]


class AuditListed(msgspec.Struct, frozen=True, kw_only=True):
    """
    Newest first.

    Attributes:
        next: asks for the next page; null on the last.
    """

    entries: list[AuditEntry]
    next: int | None


@get("/admin/audit", who="admin")
def list_audit(tx: ReadTx, ctx: Context, request: AskAudit) -> AuditListed:
    """What administrators did, over REST and from the command line. Looking is not recorded."""
    del ctx
    return _page(tx, request)


@operation("audit.list")
async def operation_audit(services: Services, request: AskAudit) -> AuditListed:
    """`amtrio audit`."""
    return await services.store.read(_page, request)


def _page(tx: ReadTx, request: AskAudit) -> AuditListed:
    limit = page_size(request.limit, most=MAX_PAGE)
    rows = tx.all(
        _PAGE,
        before=request.cursor if 0 < request.cursor < _NO_END else _NO_END,
        actor=request.actor,
        actor_key=account_key("user", request.actor),
        action=request.action,
        subject=request.subject,
        limit=limit + 1,
    )
    return AuditListed(
        entries=[_entry(row) for row in rows[:limit]], next=rows[limit - 1][0] if len(rows) > limit else None
    )


def _entry(row: Row) -> AuditEntry:
    number, at_us, actor, address, action, subject, details = row
    is_account = ":" in actor
    return AuditEntry(
        number=number,
        at=rfc3339(at_us),
        actor="user" if is_account else actor,
        actor_id=id_of(actor) if is_account else None,
        address=address,
        action=action,
        subject=subject,
        details=msgspec.json.decode(details),
    )


@on_removal
def remove_addresses(tx: Tx, services: Services, account: str) -> None:
    """The acts stay."""
    del services
    forget_addresses(tx, account)
