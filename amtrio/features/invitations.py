"""Invitations: links with which people make their own account, given out by administrators.

Knows SQL. Using one up is part of `registration`. The token is shown once and kept as a hash.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from amtrio.clock import MICROS_PER_SECOND, rfc3339
from amtrio.context import Context, Services
from amtrio.errors import NotFound
from amtrio.feature import delete, get, operation, post
from amtrio.limits import DEFAULT_TIER, Tier
from amtrio.model.audit import BY_COMMAND_LINE, BY_START, record
from amtrio.model.pages import DEFAULT_PAGE, page_size
from amtrio.model.people import has_administrator, revoke_first_invitation
from amtrio.store.database import ReadTx, Row, Tx
from amtrio.tokens import fingerprint

TOKEN_PREFIX = "inv_"  # noqa: S105 - what every token begins with
SECONDS_PER_HOUR = 3600
# A week: long enough for a mail to be read, short enough for a forgotten one to close.
DEFAULT_HOURS = 168.0
MAX_HOURS = 8760.0
# Above every id there is: they are ASCII.
_NO_END = "\x7f"
_COLUMNS = "id, note, is_admin, tier, uses_left, created_us, expires_us, revoked_us"
_CREATE = """
INSERT INTO invitation (id, token_hash, note, is_admin, tier, uses_left, created_by, created_us, expires_us)
VALUES (:id, :token_hash, :note, :is_admin, :tier, :uses, :created_by, :at, :expires)"""


class Invite(msgspec.Struct, frozen=True, kw_only=True):
    """
    An invitation to be made.

    Attributes:
        note: whom it is for; shown to administrators only.
        tier, is_admin: what the accounts get that are made with it. One for an administrator opens a closed server too.
        uses: how many accounts. hours: how long it can be used.
        origin: how the link begins, `https://chat.example`; by default as the asker reached the server.
    """

    note: Annotated[str, Meta(max_length=200)] = ""
    tier: Tier = DEFAULT_TIER
    is_admin: bool = False
    uses: Annotated[int, Meta(ge=1, le=10_000)] = 1
    hours: Annotated[float, Meta(gt=0, le=MAX_HOURS)] = DEFAULT_HOURS
    origin: Annotated[str, Meta(pattern=r"^(https?://[A-Za-z0-9.:\[\]-]{1,255}/?(?!\n))?$")] = ""


class InvitationView(msgspec.Struct, frozen=True, kw_only=True):
    """
    An invitation as administrators see it.

    Attributes:
        status: `open`, `used`, `expired` or `revoked`.
    """

    invitation_id: str
    note: str
    is_admin: bool
    tier: str
    uses_left: int
    created_at: str
    expires_at: str
    status: str


class Invited(msgspec.Struct, frozen=True, kw_only=True):
    """
    A new invitation; this is the only time its token is shown.

    Attributes:
        link: the token in a fragment, which browsers send to no server and no log keeps.
    """

    invitation_id: str
    token: str
    link: str
    expires_at: str


@post("/admin/invitations", who="admin")
def invite(tx: Tx, ctx: Context, request: Invite) -> Invited:
    """Make an invitation and the link to hand on."""
    id_ = ctx.clock.new_id("inv")
    token = TOKEN_PREFIX + ctx.clock.new_secret()
    expires_us = tx.at_us + int(request.hours * SECONDS_PER_HOUR * MICROS_PER_SECOND)
    tx.run(
        _CREATE,
        id=id_,
        token_hash=fingerprint(token),
        note=request.note,
        is_admin=int(request.is_admin),
        tier=request.tier,
        uses=request.uses,
        created_by=ctx.actor,
        at=tx.at_us,
        expires=expires_us,
    )
    record(tx, ctx, "invitation.made", id_, tier=request.tier, is_admin=request.is_admin, uses=request.uses)
    origin = (request.origin or ctx.origin).rstrip("/")
    return Invited(invitation_id=id_, token=token, link=f"{origin}/#/join/{token}", expires_at=rfc3339(expires_us))


@operation("invitation.add")
async def operation_invite(services: Services, request: Invite) -> Invited:
    """`amtrio invite`."""
    return await services.store.write(invite, Context(services, actor=BY_COMMAND_LINE), request)


async def invite_first_administrator(services: Services, origin: str) -> str | None:
    """
    The link with which the first administrator's account is made; the one before it opens nothing more.

    It is for the eyes of whoever starts the server: never for a log.

    Returns:
        None if somebody administers the server. Once somebody does, the link opens nothing.
    """
    return await services.store.write(_invite_first, Context(services, actor=BY_START), origin)


def _invite_first(tx: Tx, ctx: Context, origin: str) -> str | None:
    revoke_first_invitation(tx)
    if has_administrator(tx):
        return None
    return invite(tx, ctx, Invite(is_admin=True, note="the first administrator", origin=origin)).link


class AskInvitations(msgspec.Struct, frozen=True, kw_only=True):
    """
    A page of them.

    Attributes:
        cursor: `next` of the page before.
    """

    cursor: str = ""
    limit: int = DEFAULT_PAGE


class InvitationsListed(msgspec.Struct, frozen=True, kw_only=True):
    """
    Newest first.

    Attributes:
        next: asks for the next page; null on the last.
    """

    invitations: list[InvitationView]
    next: str | None


@get("/admin/invitations", who="admin")
def list_invitations(tx: ReadTx, ctx: Context, request: AskInvitations) -> InvitationsListed:
    """Every invitation that was ever made, without its token."""
    limit = page_size(request.limit)
    rows = tx.all(
        f"SELECT {_COLUMNS} FROM invitation WHERE id < :before ORDER BY id DESC LIMIT :limit",  # noqa: S608 - ours
        before=request.cursor or _NO_END,
        limit=limit + 1,
    )
    now_us = ctx.clock.now_us()
    return InvitationsListed(
        invitations=[_view(row, now_us) for row in rows[:limit]],
        next=rows[limit - 1][0] if len(rows) > limit else None,
    )


def _view(row: Row, now_us: int) -> InvitationView:
    id_, note, is_admin, tier, uses_left, created_us, expires_us, revoked_us = row
    if revoked_us is not None:
        status = "revoked"
    elif uses_left <= 0:
        status = "used"
    else:
        status = "open" if expires_us > now_us else "expired"
    return InvitationView(
        invitation_id=id_,
        note=note,
        is_admin=bool(is_admin),
        tier=tier,
        uses_left=uses_left,
        created_at=rfc3339(created_us),
        expires_at=rfc3339(expires_us),
        status=status,
    )


class AskInvitation(msgspec.Struct, frozen=True, kw_only=True):
    """Which one."""

    invitation_id: str


@delete("/admin/invitations/<invitation_id>", who="admin")
def revoke_invitation(tx: Tx, ctx: Context, request: AskInvitation) -> InvitationView:
    """
    Let nobody use it any more; accounts that were made with it stay.

    Raises:
        NotFound: no such invitation.
    """
    row = tx.one(
        f"UPDATE invitation SET revoked_us = coalesce(revoked_us, :at) WHERE id = :id RETURNING {_COLUMNS}",  # noqa: S608
        id=request.invitation_id,
        at=tx.at_us,
    )
    if row is None:
        text = f"no invitation {request.invitation_id[:64]!r}"
        raise NotFound(text)
    record(tx, ctx, "invitation.revoked", request.invitation_id)
    return _view(row, tx.at_us)
