"""Making one's own account: open to all, to those who were invited, or to nobody.

Knows credentials and SQL. Giving out invitations is `invitations`, changing the rule is `settings`.
"""

from __future__ import annotations

import dataclasses
from typing import Literal

import msgspec
import structlog

from amtrio import __version__
from amtrio.clock import rfc3339
from amtrio.context import Answer, Context, Nothing, Services, account_key
from amtrio.errors import Forbidden
from amtrio.feature import get, on_start, post
from amtrio.limits import DEFAULT_TIER
from amtrio.model.audit import record
from amtrio.model.browser_session import check_own_page, keep_in_browser
from amtrio.model.people import (
    NewPassword,
    SignedIn,
    Username,
    check_username,
    create_user,
    has_administrator,
    open_session,
)
from amtrio.passwords import check_strength
from amtrio.store.database import ReadTx, Row, Tx
from amtrio.tokens import fingerprint

log = structlog.stdlib.get_logger(__name__)

Registration = Literal["open", "invitation", "closed"]
_RULE = "SELECT value FROM server_setting WHERE name = 'registration'"
_GOOD = "token_hash = :token_hash AND uses_left > 0 AND revoked_us IS NULL AND expires_us > :now"
_FIND = f"SELECT is_admin, expires_us FROM invitation WHERE {_GOOD}"  # noqa: S608 - our own condition
# One statement, so that of two people who race for the last use one gets it.
_USE = f"UPDATE invitation SET uses_left = uses_left - 1 WHERE {_GOOD} RETURNING id, is_admin, tier"  # noqa: S608


class Register(msgspec.Struct, frozen=True, kw_only=True):
    """
    A name and a password of one's choice.

    Attributes:
        username: 3 to 50 letters, digits and underscores. password: at least 8 characters.
        invitation: the token of an invitation, where the server asks for one.
        cookie: a browser asks, which is to stay signed in by a cookie; see `POST /auth/session`.
    """

    username: Username
    password: NewPassword
    invitation: str | None = None
    cookie: bool = False


@post("/auth/register", who="anyone", budget="auth")
async def register(ctx: Context, request: Register) -> Answer[SignedIn]:
    """
    Make an account and sign in.

    Raises:
        Forbidden: registration is closed, the invitation opens nothing, or a page of another host asks for a cookie.
        Conflict: the name is taken.
    """
    if request.cookie:
        check_own_page(ctx)
    await ctx.store.read(_check_may_register, ctx, request.invitation)  # before the hash is paid for
    check_username(request.username)
    check_strength(request.password)
    password_hash = await ctx.services.passwords.hash(request.password)
    return await ctx.store.write(_register, ctx, request, password_hash)


def _check_may_register(tx: ReadTx, ctx: Context, invitation: str | None) -> None:
    is_invited_by_admin = False
    if invitation:
        found = _find(tx, invitation, ctx.clock.now_us())
        if found is None:
            raise _no_invitation()
        is_invited_by_admin = bool(found[0])
    _check_rule(tx, ctx, is_invited=bool(invitation), as_admin=is_invited_by_admin)


def _rule(tx: ReadTx, ctx: Context) -> str:
    """What was set while the server ran counts before what it is configured with."""
    row = tx.one(_RULE)
    return row[0] if row is not None else ctx.config.auth.registration


def _check_rule(tx: ReadTx, ctx: Context, *, is_invited: bool, as_admin: bool) -> None:
    """An invitation for an administrator opens also a closed server: that is how its first account is made."""
    rule = _rule(tx, ctx)
    if rule == "open" or as_admin or (rule == "invitation" and is_invited):
        return
    text = "registration is by invitation" if rule == "invitation" else "registration is closed on this server"
    raise Forbidden(text)


def _find(tx: ReadTx, invitation: str, now_us: int) -> Row | None:
    return tx.one(_FIND, token_hash=fingerprint(invitation), now=now_us)


def _no_invitation() -> Forbidden:
    return Forbidden("the invitation is unknown, used up, expired or revoked")


def _register(tx: Tx, ctx: Context, request: Register, password_hash: str) -> Answer[SignedIn]:
    id_, is_admin, tier = None, 0, DEFAULT_TIER
    if request.invitation:
        used = tx.one(_USE, token_hash=fingerprint(request.invitation), now=tx.at_us)
        if used is None:
            raise _no_invitation()
        id_, is_admin, tier = used
    _check_rule(tx, ctx, is_invited=id_ is not None, as_admin=bool(is_admin))
    user_id = create_user(tx, ctx.services, request.username, password_hash, tier=tier, is_admin=bool(is_admin))
    if id_ is not None:
        actor = account_key("user", user_id)
        record(tx, dataclasses.replace(ctx, actor=actor), "invitation.used", id_, tier=tier, is_admin=bool(is_admin))
    opened = open_session(tx, ctx, user_id, status="registered")
    return keep_in_browser(tx, ctx, opened) if request.cookie else Answer(opened)


class AskInvitation(msgspec.Struct, frozen=True, kw_only=True):
    """The token of an invitation."""

    invitation: str


class InvitationChecked(msgspec.Struct, frozen=True, kw_only=True):
    """
    Whether an invitation can be used now.

    Attributes:
        expires_at: null if it is not valid.
    """

    valid: bool
    expires_at: str | None


@post("/auth/invitation", who="anyone", budget="auth", reads=True)
def check_invitation(tx: ReadTx, ctx: Context, request: AskInvitation) -> InvitationChecked:
    """Look at an invitation without using it; a reason is not given to whoever holds a bad one."""
    found = _find(tx, request.invitation, ctx.clock.now_us())
    if found is None or (_rule(tx, ctx) == "closed" and not found[0]):
        return InvitationChecked(valid=False, expires_at=None)
    return InvitationChecked(valid=True, expires_at=rfc3339(found[1]))


class SignInOptions(msgspec.Struct, frozen=True, kw_only=True):
    """
    What a page to sign in has to offer.

    Attributes:
        registration: whether everybody may make an account (`open`), the invited (`invitation`) or nobody (`closed`).
        needs_administrator: nobody administers the server yet.
        name, version: of the server, as in `GET /version`.
    """

    registration: Registration
    needs_administrator: bool
    name: str = "amtrio"
    version: str = __version__


@get("/auth/options", who="anyone", budget="auth")
def show_options(tx: ReadTx, ctx: Context, request: Nothing) -> SignInOptions:
    """Who may make an account here, before anybody has signed in."""
    del request
    rule = msgspec.convert(_rule(tx, ctx), Registration)
    return SignInOptions(registration=rule, needs_administrator=not has_administrator(tx))


@on_start
async def tell_another_rule(services: Services) -> None:
    """A setting made while the server ran beats the configured one, also one that was changed since."""
    row = await services.store.read(lambda tx: tx.one(_RULE))
    configured = services.config.auth.registration
    if row is not None and row[0] != configured:
        log.warning("registration_rule_is_stored", stored=row[0], configured=configured)
