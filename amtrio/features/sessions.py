"""Login sessions: whose token is this, which are open, end one.

Knows tokens and SQL. Knows nothing of passwords (`accounts`) and of sockets, which `Services.end_sessions` closes.
"""

from __future__ import annotations

import msgspec

from amtrio.context import Answer, Context, Nothing, Principal, Services, account_key
from amtrio.errors import Unauthorized
from amtrio.feature import chore, delete, get, post
from amtrio.model.browser_session import FORGET_COOKIE, is_kept_in_browser
from amtrio.model.people import SessionView, end_session, open_sessions
from amtrio.store.database import ReadTx, Tx
from amtrio.store.log import Cursor, head, put_cursors
from amtrio.tokens import Claims, fingerprint, verify

_DAY_US = 86_400_000_000
_FIND = """
SELECT s.id, s.ended_us, u.account_key, u.id, u.username, u.is_admin
FROM user_account u LEFT JOIN login_session s
    ON s.account_key = u.account_key AND (s.id = :session OR (:session = '' AND s.token_hash = :token_hash))
WHERE u.id = :user_id"""
_ADOPT = """
INSERT INTO login_session (id, account_key, token_hash, created_us, expires_us, last_used_us, user_agent, address)
VALUES (:id, :account, :token_hash, :at, :expires, :at, :user_agent, :address)"""


async def authenticate(services: Services, token: str, *, user_agent: str, address: str) -> Principal:
    """
    Who holds this token.

    Raises:
        Unauthorized: malformed, wrongly signed, expired, of a removed account or an ended session.
    """
    at_us = services.clock.now_us()
    known = services.proofs.find(token, at_us=at_us)
    if known is not None:
        return known
    moment = services.proofs.moment()
    claims = verify(services.config.secrets.jwt.reveal(), token, at_us=at_us)
    principal = await services.store.read(_find, claims, fingerprint(token))
    if principal is None:
        principal = await services.store.write(_adopt, services, claims, fingerprint(token), user_agent, address)
    if not services.proofs.remember(token, principal, moment, expires_us=claims.expires_us):
        raise _ended()
    return principal


def _find(tx: ReadTx, claims: Claims, token_hash: str) -> Principal | None:
    """The holder, or None if the token is good but no session of ours knows it yet."""
    row = tx.one(_FIND, session=claims.session, token_hash=token_hash, user_id=claims.user_id)
    if row is None:
        raise _ended()
    session, ended_us, account, user_id, username, is_admin = row
    if ended_us is not None or (session is None and claims.session):
        raise _ended()
    if session is None:
        return None
    return Principal(
        kind="user",
        id=user_id,
        account=account,
        name=username,
        session=session,
        device=session,
        is_admin=bool(is_admin),
    )


def _adopt(tx: Tx, services: Services, claims: Claims, token_hash: str, user_agent: str, address: str) -> Principal:
    """COMPAT: signed by an older server with the same secret; from now on it is a session that can be ended."""
    if _find(tx, claims, token_hash) is None:
        account = account_key("user", claims.user_id)
        session = services.clock.new_id("ses")
        tx.run(
            _ADOPT,
            id=session,
            account=account,
            token_hash=token_hash,
            at=tx.at_us,
            expires=claims.expires_us,
            user_agent=user_agent[:200],
            address=address,
        )
        put_cursors(tx, [Cursor(account, session, head(tx, account).head)])
    adopted = _find(tx, claims, token_hash)
    if adopted is None:
        raise _ended()
    return adopted


def _ended() -> Unauthorized:
    return Unauthorized("the session has ended")


class SessionsListed(msgspec.Struct, frozen=True):
    """Open sessions, newest first."""

    sessions: list[SessionView]


@get("/auth/sessions", who="user")
def list_sessions(tx: ReadTx, ctx: Context, request: Nothing) -> SessionsListed:
    """Where this account is signed in."""
    del request
    who = ctx.principal
    return SessionsListed(open_sessions(tx, who.account, now_us=ctx.clock.now_us(), current=who.session))


class EndSession(msgspec.Struct, frozen=True, kw_only=True):
    """Which one."""

    session_id: str


class SessionEnded(msgspec.Struct, frozen=True, kw_only=True):
    """Its token is refused from now on."""

    session_id: str
    status: str = "ended"


@delete("/auth/sessions/<session_id>", who="user")
def end_one_session(tx: Tx, ctx: Context, request: EndSession) -> SessionEnded:
    """End one session: its token is refused and its sockets close within a second."""
    end_session(tx, ctx.services, ctx.principal.account, request.session_id)
    return SessionEnded(session_id=request.session_id)


@post("/auth/logout", who="user")
def logout(tx: Tx, ctx: Context, request: Nothing) -> Answer[SessionEnded]:
    """End the session that asks; a browser's cookie goes with it."""
    del request
    session = ctx.principal.session
    headers = FORGET_COOKIE if is_kept_in_browser(tx, session) else {}
    return Answer(end_one_session(tx, ctx, EndSession(session_id=session)), headers=headers)


@chore(every_seconds=60)
async def note_last_use(services: Services) -> None:
    """Write down when sessions were last seen; a minute late is exact enough and costs requests nothing."""
    used = services.proofs.take_used()
    if used:
        await services.store.write(_note_last_use, used)


def _note_last_use(tx: Tx, used: set[str]) -> None:
    for session in used:
        tx.run("UPDATE login_session SET last_used_us = :at WHERE id = :id", at=tx.at_us, id=session)


@chore(every_seconds=3600)
async def forget_old_sessions(services: Services) -> None:
    """Sessions that ended or expired 30 days ago leave the list for good."""
    await services.store.write(_forget_old)


def _forget_old(tx: Tx) -> None:
    tx.run(
        """
        DELETE FROM login_session WHERE id IN (
            SELECT id FROM login_session WHERE coalesce(ended_us, expires_us) < :before LIMIT 1000)""",
        before=tx.at_us - 30 * _DAY_US,
    )
