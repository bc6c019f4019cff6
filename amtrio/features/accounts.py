"""People's accounts: register, sign in, change the password.

Knows credentials and SQL. Knows nothing of sockets; what a sign-in opens is listed and ended in `sessions`.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from amtrio.clock import MICROS_PER_SECOND, rfc3339
from amtrio.errors import Conflict, Forbidden, Malformed, NotFound, RateLimited, Unauthorized
from amtrio.feature import Context, Services, account_key, operation, post
from amtrio.passwords import check_strength, is_outdated
from amtrio.protocol.frames import Json
from amtrio.store.database import ReadTx, Tx
from amtrio.store.log import Cursor, head, make_account, put_cursors
from amtrio.tokens import Claims, sign

SECONDS_PER_HOUR = 3600
# `$` alone would let one line feed through at the end (Python's re), hence the look-ahead.
Username = Annotated[
    str, Meta(pattern=r"^[A-Za-z0-9_]{3,50}(?!\n)$", description="3 to 50 letters, digits and underscores")
]


class Credentials(msgspec.Struct, frozen=True, kw_only=True):
    """A name and a password, as forms and JSON bodies carry them."""

    username: str
    password: str


class SignedIn(msgspec.Struct, frozen=True, kw_only=True):
    """A new login session. `token` goes into `Authorization: Bearer`."""

    token: str
    user_id: str
    username: str
    session_id: str
    expires_at: str
    status: str = "ok"


class ChangePassword(msgspec.Struct, frozen=True, kw_only=True):
    """Prove the old one, choose the new one."""

    old_password: str
    new_password: str


_FIND = "SELECT account_key, id, password_hash FROM user_account WHERE username = :username"
_CREATE = """
INSERT INTO user_account (account_key, id, username, password_hash, created_us)
VALUES (:account, :id, :username, :password_hash, :at)
ON CONFLICT (username) DO NOTHING"""
_OPEN_SESSION = """
INSERT INTO login_session (id, account_key, created_us, expires_us, last_used_us, user_agent, address)
VALUES (:id, :account, :at, :expires, :at, :user_agent, :address)"""
_END_OTHERS = """
UPDATE login_session SET ended_us = :at
WHERE account_key = :account AND ended_us IS NULL AND id <> :keep RETURNING id"""


def create_user(tx: Tx, services: Services, username: str, password_hash: str) -> str:
    """
    Make an account; answers its user id.

    Raises:
        Conflict: the name is taken.
    """
    user_id = services.clock.new_id("user")
    account = account_key("user", user_id)
    make_account(tx, account)
    created = tx.run(_CREATE, account=account, id=user_id, username=username, password_hash=password_hash, at=tx.at_us)
    if not created:
        text = "username already exists"
        raise Conflict(text)
    return user_id


def open_session(tx: Tx, ctx: Context, user_id: str, username: str) -> SignedIn:
    """Start a login session; its device's cursor begins at what the account has now."""
    account = account_key("user", user_id)
    session = ctx.clock.new_id("ses")
    hours = ctx.config.auth.access_token_hours
    expires_us = tx.at_us + int(hours * SECONDS_PER_HOUR * MICROS_PER_SECOND)
    tx.run(
        _OPEN_SESSION,
        id=session,
        account=account,
        at=tx.at_us,
        expires=expires_us,
        user_agent=ctx.user_agent[:200],
        address=ctx.address,
    )
    _, newest = head(tx, account)
    put_cursors(tx, [Cursor(account, session, newest)])
    token = sign(ctx.config.secrets.jwt.reveal(), Claims(user_id, username, session, expires_us), at_us=tx.at_us)
    return SignedIn(token=token, user_id=user_id, username=username, session_id=session, expires_at=rfc3339(expires_us))


@post("/auth/register", who="anyone", budget="auth")
async def register(ctx: Context, request: Credentials) -> Json:
    """Make an account and sign in."""
    if ctx.config.auth.registration != "open":
        text = "registration is closed on this server"
        raise Forbidden(text)
    _check_username(request.username)
    check_strength(request.password)
    password_hash = await ctx.services.passwords.hash(request.password)
    signed_in = await ctx.store.write(_register, ctx, request.username, password_hash)
    return {**msgspec.to_builtins(signed_in), "status": "registered"}


def _register(tx: Tx, ctx: Context, username: str, password_hash: str) -> SignedIn:
    return open_session(tx, ctx, create_user(tx, ctx.services, username, password_hash), username)


def _check_username(username: str) -> None:
    try:
        msgspec.convert(username, Username)
    except msgspec.ValidationError as exc:
        text = "username must be 3 to 50 letters, digits or underscores"
        raise Malformed(text) from exc


@post("/auth/login", who="anyone", budget="auth")
async def login(ctx: Context, request: Credentials) -> SignedIn:
    """
    Sign in.

    Raises:
        Unauthorized: unknown name and wrong password alike, after the same time.
        RateLimited: too many failures from this address or for this name.
    """
    # Counted only when it fails, so that nobody can lock a person out by address of a shared office or by name alone
    # for longer than the bucket takes to refill.
    buckets = (
        ctx.services.limits.failures_by_address.of(ctx.address),
        ctx.services.limits.failures_by_name.of(request.username[:64]),
    )
    for bucket in buckets:
        if bucket.wait_seconds() > 0:
            text = "rate limit exceeded: too many failed attempts to sign in"
            raise RateLimited(text, retry_after_ms=int(bucket.wait_seconds() * 1000) + 1)
    found = await ctx.store.read(_find_user, request.username)
    is_right = await ctx.services.passwords.verify(found[2] if found else None, request.password)
    if found is None or not is_right:
        for bucket in buckets:
            bucket.take()
        text = "invalid credentials"
        raise Unauthorized(text)
    _, user_id, stored = found
    renewed = await ctx.services.passwords.hash(request.password) if is_outdated(stored) else None
    return await ctx.store.write(_login, ctx, user_id, request.username, stored, renewed)


def _find_user(tx: ReadTx, username: str) -> tuple[str, str, str] | None:
    return tx.one(_FIND, username=username)


def _login(tx: Tx, ctx: Context, user_id: str, username: str, checked: str, renewed: str | None) -> SignedIn:
    found = tx.one(_FIND, username=username)
    if found is None or found[2] != checked:  # changed while the hash was computed
        text = "invalid credentials"
        raise Unauthorized(text)
    if renewed is not None:
        tx.run("UPDATE user_account SET password_hash = :hash WHERE id = :id", hash=renewed, id=user_id)
    return open_session(tx, ctx, user_id, username)


@post("/auth/change-password", who="user", budget="auth")
async def change_password(ctx: Context, request: ChangePassword) -> Json:
    """
    Replace the password; every other session of the account ends within a second.

    Raises:
        Forbidden: the old password is wrong. Not 401, which clients take for the end of their session.
    """
    check_strength(request.new_password)
    found = await ctx.store.read(_find_user, ctx.principal.name)
    if not await ctx.services.passwords.verify(found[2] if found else None, request.old_password):
        text = "invalid old password"
        raise Forbidden(text)
    new_hash = await ctx.services.passwords.hash(request.new_password)
    await ctx.store.write(set_password, ctx.services, ctx.principal.account, new_hash, ctx.principal.session)
    return {"status": "password_changed"}


def set_password(tx: Tx, services: Services, account: str, new_hash: str, keep_session: str) -> None:
    """Store the new hash and end every session but one."""
    tx.run("UPDATE user_account SET password_hash = :hash WHERE account_key = :account", hash=new_hash, account=account)
    ended = {row[0] for row in tx.all(_END_OTHERS, account=account, keep=keep_session, at=tx.at_us)}
    tx.on_commit(lambda: services.end_sessions(ended))


class AddUser(msgspec.Struct, frozen=True, kw_only=True):
    """`amtrio user add`."""

    username: str
    password: str


@operation("user.add")
async def add_user(services: Services, request: AddUser) -> Json:
    """Make an account, whatever the server's rule on registration says."""
    _check_username(request.username)
    check_strength(request.password)
    password_hash = await services.passwords.hash(request.password)
    user_id = await services.store.write(create_user, services, request.username, password_hash)
    return {"user_id": user_id, "username": request.username}


class NoArguments(msgspec.Struct, frozen=True):
    """An operation without arguments."""


@operation("user.list")
async def list_users(services: Services, request: NoArguments) -> list[Json]:
    """Everybody, with last sign of life and open connections."""
    del request
    rows = await services.store.read(_all_users)
    return [
        {
            "user_id": user_id,
            "username": username,
            "created_at": rfc3339(created_us),
            "last_seen": rfc3339(last_seen_us) if last_seen_us else None,
            "connections": services.fanout.connections(account),
        }
        for account, user_id, username, created_us, last_seen_us in rows
    ]


def _all_users(tx: ReadTx) -> list[tuple[str, str, str, int, int | None]]:
    return tx.all("SELECT account_key, id, username, created_us, last_seen_us FROM user_account ORDER BY username")


class SetPassword(msgspec.Struct, frozen=True, kw_only=True):
    """`amtrio user passwd`."""

    username: str
    password: str


@operation("user.passwd")
async def operation_set_password(services: Services, request: SetPassword) -> Json:
    """Give a person a new password; all their sessions end."""
    check_strength(request.password)
    found = await services.store.read(_find_user, request.username)
    if found is None:
        text = f"no user {request.username!r}"
        raise NotFound(text)
    new_hash = await services.passwords.hash(request.password)
    await services.store.write(set_password, services, found[0], new_hash, "")
    return {"username": request.username, "status": "password_changed"}


class RemoveUser(msgspec.Struct, frozen=True, kw_only=True):
    """`amtrio user remove`."""

    username: str


@operation("user.remove")
async def operation_remove_user(services: Services, request: RemoveUser) -> Json:
    """Remove a person with conversations and messages; the id is never given out again."""
    removed = await services.store.write(_remove_user, services, request.username)
    return {"user_id": removed, "username": request.username, "status": "removed"}


def _remove_user(tx: Tx, services: Services, username: str) -> str:
    found = tx.one(_FIND, username=username)
    if found is None:
        text = f"no user {username!r}"
        raise NotFound(text)
    account, user_id, _ = found
    services.remove_account(tx, account)
    ended = {row[0] for row in tx.all("DELETE FROM login_session WHERE account_key = :a RETURNING id", a=account)}
    tx.on_commit(lambda: services.end_sessions(ended))
    tx.run("DELETE FROM user_account WHERE account_key = :account", account=account)
    return str(user_id)
