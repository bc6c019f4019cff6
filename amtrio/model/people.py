"""What every feature that touches a person's account shares: making it, its sessions, its rights, its end.

Knows SQL and the account log. Knows no route, no frame, no socket.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from amtrio.clock import MICROS_PER_SECOND, rfc3339
from amtrio.context import Context, Services, account_key
from amtrio.errors import Conflict, Malformed, NotFound
from amtrio.limits import DEFAULT_TIER, Tier
from amtrio.model.audit import BY_START
from amtrio.passwords import MIN_CHARS
from amtrio.store.database import ReadTx, Row, Tx
from amtrio.store.log import Cursor, forget_cursor, head, make_account, put_cursors
from amtrio.tokens import Claims, sign

SECONDS_PER_HOUR = 3600
# `$` alone would let one line feed through at the end (Python's re), hence the look-ahead.
_Username = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_]{3,50}(?!\n)$")]
# Described, but checked by `check_username` and `check_strength`, whose texts people understand.
Username = Annotated[str, Meta(extra_json_schema={"pattern": "^[A-Za-z0-9_]{3,50}$"})]
NewPassword = Annotated[str, Meta(extra_json_schema={"minLength": MIN_CHARS})]

_CREATE = """
INSERT INTO user_account (account_key, id, username, password_hash, created_us, tier, is_admin)
VALUES (:account, :id, :username, :password_hash, :at, :tier, :is_admin)
ON CONFLICT (username) DO NOTHING"""
_OPEN_SESSION = """
INSERT INTO login_session (id, account_key, created_us, expires_us, last_used_us, user_agent, address)
VALUES (:id, :account, :at, :expires, :at, :user_agent, :address)"""
_OPEN_SESSIONS = """
SELECT id, created_us, last_used_us, expires_us, user_agent, address FROM login_session
WHERE account_key = :account AND ended_us IS NULL AND expires_us > :now ORDER BY id DESC"""
_END_SESSIONS = """
UPDATE login_session SET ended_us = :at
WHERE account_key = :account AND ended_us IS NULL AND id <> :keep AND (:only = '' OR id = :only) RETURNING id"""


class SignedIn(msgspec.Struct, frozen=True, kw_only=True):
    """
    A login session. `token` goes into `Authorization: Bearer`.

    Attributes:
        expires_at: when `token` ends.
    """

    token: str
    user_id: str
    username: str
    is_admin: bool
    session_id: str
    expires_at: str
    status: str = "ok"


class SessionView(msgspec.Struct, frozen=True, kw_only=True):
    """
    One place where an account is signed in.

    Attributes:
        last_used_at: exact to a minute.
        current: this is the session that asks.
    """

    session_id: str
    created_at: str
    last_used_at: str
    expires_at: str
    user_agent: str
    address: str
    current: bool = False


def check_username(username: str) -> None:
    """
    Refuse names of another shape.

    Raises:
        Malformed: says which rule.
    """
    try:
        msgspec.convert(username, _Username)
    except msgspec.ValidationError as exc:
        text = "username must be 3 to 50 letters, digits or underscores"
        raise Malformed(text) from exc


def create_user(
    tx: Tx,
    services: Services,
    username: str,
    password_hash: str,
    *,
    tier: Tier = DEFAULT_TIER,
    is_admin: bool = False,
) -> str:
    """
    Make an account; answers its user id.

    Raises:
        Conflict: the name is taken.
    """
    user_id = services.clock.new_id("user")
    account = account_key("user", user_id)
    make_account(tx, account)
    created = tx.run(
        _CREATE,
        account=account,
        id=user_id,
        username=username,
        password_hash=password_hash,
        at=tx.at_us,
        tier=tier,
        is_admin=int(is_admin),
    )
    if not created:
        text = "username already exists"
        raise Conflict(text)
    if tier != DEFAULT_TIER:
        tx.on_commit(lambda: services.limits.set_tier(account, tier))
    if is_admin:
        revoke_first_invitation(tx)
    return user_id


def open_session(tx: Tx, ctx: Context, user_id: str, *, status: str = "ok") -> SignedIn:
    """Start a login session; its device's cursor begins at what the account has now."""
    account = account_key("user", user_id)
    session = ctx.clock.new_id("ses")
    tx.run(
        _OPEN_SESSION,
        id=session,
        account=account,
        at=tx.at_us,
        expires=tx.at_us + _token_us(ctx),
        user_agent=ctx.user_agent[:200],
        address=ctx.address,
    )
    _, newest = head(tx, account)
    put_cursors(tx, [Cursor(account, session, newest)])
    return signed_in(tx, ctx, user_id, session, status=status)


def _token_us(ctx: Context) -> int:
    return int(ctx.config.auth.access_token_hours * SECONDS_PER_HOUR * MICROS_PER_SECOND)


def signed_in(tx: Tx, ctx: Context, user_id: str, session: str, *, status: str = "ok") -> SignedIn:
    """A fresh access token of an open session."""
    expires_us = tx.at_us + _token_us(ctx)
    ((username, is_admin),) = tx.all("SELECT username, is_admin FROM user_account WHERE id = :id", id=user_id)
    token = sign(ctx.config.secrets.jwt.reveal(), Claims(user_id, username, session, expires_us), at_us=tx.at_us)
    return SignedIn(
        token=token,
        user_id=user_id,
        username=username,
        is_admin=bool(is_admin),
        session_id=session,
        expires_at=rfc3339(expires_us),
        status=status,
    )


def open_sessions(tx: ReadTx, account: str, *, now_us: int, current: str = "") -> list[SessionView]:
    """Where an account is signed in, newest first."""
    return [_session(row, current) for row in tx.all(_OPEN_SESSIONS, account=account, now=now_us)]


def _session(row: Row, current: str) -> SessionView:
    id_, created_us, last_used_us, expires_us, user_agent, address = row
    return SessionView(
        session_id=id_,
        created_at=rfc3339(created_us),
        last_used_at=rfc3339(last_used_us),
        expires_at=rfc3339(expires_us),
        user_agent=user_agent,
        address=address,
        current=id_ == current,
    )


def end_sessions(tx: Tx, services: Services, account: str, *, only: str = "", keep: str = "") -> set[str]:
    """
    End the sessions of an account: tokens are refused and sockets close within a second of the commit.

    Args:
        only: this one alone. keep: all but this one.

    Returns:
        Those that were open.
    """
    ended = {row[0] for row in tx.all(_END_SESSIONS, account=account, keep=keep, only=only, at=tx.at_us)}
    for session in ended:
        forget_cursor(tx, account, session)
    tx.on_commit(lambda: services.end_sessions(ended))
    return ended


def end_session(tx: Tx, services: Services, account: str, session: str) -> None:
    """
    End one of them.

    Raises:
        NotFound: it is not open, or another's.
    """
    if not session or not end_sessions(tx, services, account, only=session):
        text = f"no open session {session[:64]!r}"
        raise NotFound(text)


def set_password(tx: Tx, services: Services, account: str, new_hash: str, keep_session: str = "") -> None:
    """Store the new hash and end every session but one."""
    tx.run("UPDATE user_account SET password_hash = :hash WHERE account_key = :account", hash=new_hash, account=account)
    end_sessions(tx, services, account, keep=keep_session)


def account_by_id(tx: ReadTx, user_id: str) -> str:
    """
    The account of a user id.

    Raises:
        NotFound: nobody has it.
    """
    return _account(tx.one("SELECT account_key FROM user_account WHERE id = :id", id=user_id), user_id)


def account_by_name(tx: ReadTx, username: str) -> str:
    """
    The account of a user name.

    Raises:
        NotFound: nobody has it.
    """
    return _account(
        tx.one("SELECT account_key FROM user_account WHERE username = :username", username=username), username
    )


def _account(row: Row | None, asked: str) -> str:
    if row is None:
        text = f"no user {asked[:64]!r}"
        raise NotFound(text)
    return str(row[0])


def set_tier(tx: Tx, services: Services, account: str, tier: Tier) -> None:
    """Change how many REST requests a person has; it counts from the next one on."""
    tx.run("UPDATE user_account SET tier = :tier WHERE account_key = :account", tier=tier, account=account)
    tx.on_commit(lambda: services.limits.set_tier(account, tier))


def set_admin(tx: Tx, services: Services, account: str, *, is_admin: bool) -> None:
    """Make a person an administrator, or one no longer; the invitations they gave out end with that."""
    tx.run(
        "UPDATE user_account SET is_admin = :is_admin WHERE account_key = :account",
        is_admin=int(is_admin),
        account=account,
    )
    if is_admin:
        revoke_first_invitation(tx)
    else:
        _revoke_invitations(tx, account)
    tx.on_commit(lambda: services.proofs.forget_account(account))


def has_administrator(tx: ReadTx) -> bool:
    """Whether anybody administers the server as a person."""
    return tx.one("SELECT 1 FROM user_account WHERE is_admin = 1 LIMIT 1") is not None


def revoke_first_invitation(tx: Tx) -> None:
    """What a start gave out while nobody administered opens nothing more; one that was used stays so."""
    tx.run(
        "UPDATE invitation SET revoked_us = :at WHERE created_by = :start AND revoked_us IS NULL AND uses_left > 0",
        at=tx.at_us,
        start=BY_START,
    )


def check_another_admin(tx: ReadTx, account: str) -> None:
    """
    Make sure that somebody is left to administer the server if `account` no longer does.

    Raises:
        Conflict: it is the last administrator.
    """
    rows = tx.all("SELECT account_key FROM user_account WHERE is_admin = 1 LIMIT 2")
    if [row[0] for row in rows] == [account]:
        text = "the last administrator can only be demoted or removed from the command line"
        raise Conflict(text)


def remove_person(tx: Tx, services: Services, account: str) -> None:
    """Remove an account with everything that is its own; tokens are refused and sockets close within a second."""
    _revoke_invitations(tx, account)
    services.remove_account(tx, account)
    ended = {row[0] for row in tx.all("DELETE FROM login_session WHERE account_key = :a RETURNING id", a=account)}
    tx.run("DELETE FROM user_account WHERE account_key = :account", account=account)

    def forget() -> None:
        services.end_sessions(ended)
        services.limits.set_tier(account, DEFAULT_TIER)

    tx.on_commit(forget)


def _revoke_invitations(tx: Tx, account: str) -> None:
    """Whoever may no longer administer leaves no door behind."""
    tx.run(
        "UPDATE invitation SET revoked_us = :at WHERE created_by = :account AND revoked_us IS NULL",
        at=tx.at_us,
        account=account,
    )
