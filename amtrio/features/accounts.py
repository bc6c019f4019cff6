"""People's accounts: sign in, change the password; what the command line does with them.

Knows credentials and SQL. Knows nothing of sockets; making one's own account is `registration`, the sessions that a
sign-in opens are listed and ended in `sessions`.
"""

from __future__ import annotations

import msgspec

from amtrio.clock import rfc3339
from amtrio.context import Answer, Context, Services, id_of
from amtrio.errors import Forbidden, Unauthorized
from amtrio.feature import operation, post
from amtrio.limits import Tier
from amtrio.model.attempts import Proven, find_credential, prove_password
from amtrio.model.audit import BY_COMMAND_LINE, record
from amtrio.model.browser_session import check_own_page, keep_in_browser
from amtrio.model.people import (
    NewPassword,
    SignedIn,
    account_by_name,
    check_username,
    create_user,
    open_session,
    remove_person,
    set_admin,
    set_password,
    set_tier,
)
from amtrio.passwords import check_strength, is_outdated
from amtrio.store.database import ReadTx, Tx


class Credentials(msgspec.Struct, frozen=True, kw_only=True):
    """
    A name and a password, as forms and JSON bodies carry them.

    Attributes:
        cookie: a browser asks, which is to stay signed in by a cookie; see `POST /auth/session`.
    """

    username: str
    password: str
    cookie: bool = False


class ChangePassword(msgspec.Struct, frozen=True, kw_only=True):
    """Prove the old one, choose the new one."""

    old_password: str
    new_password: NewPassword


class PasswordChanged(msgspec.Struct, frozen=True, kw_only=True):
    """Every other session has ended."""

    status: str = "password_changed"


@post("/auth/login", who="anyone", budget="auth")
async def login(ctx: Context, request: Credentials) -> Answer[SignedIn]:
    """
    Sign in.

    Raises:
        Unauthorized: unknown name and wrong password alike, after the same time.
        Forbidden: a page of another host asks for a cookie.
        RateLimited: too many failures from this address or for this name.
    """
    if request.cookie:
        check_own_page(ctx)
    proven = await prove_password(ctx, request.username, request.password)
    if proven is None:
        raise _invalid()
    renewed = await ctx.services.passwords.hash(request.password) if is_outdated(proven.stored) else None
    return await ctx.store.write(_login, ctx, request, proven, renewed)


def _login(tx: Tx, ctx: Context, request: Credentials, proven: Proven, renewed: str | None) -> Answer[SignedIn]:
    if find_credential(tx, request.username) != proven:  # changed while the hash was computed
        raise _invalid()
    if renewed is not None:
        tx.run("UPDATE user_account SET password_hash = :hash WHERE id = :id", hash=renewed, id=proven.user_id)
    opened = open_session(tx, ctx, proven.user_id)
    return keep_in_browser(tx, ctx, opened) if request.cookie else Answer(opened)


def _invalid() -> Unauthorized:
    return Unauthorized("invalid credentials")


@post("/auth/change-password", who="user", budget="auth")
async def change_password(ctx: Context, request: ChangePassword) -> PasswordChanged:
    """
    Replace the password; every other session of the account ends within a second.

    Raises:
        Forbidden: the old password is wrong. Not 401, which clients take for the end of their session.
        RateLimited: too many wrong ones.
    """
    check_strength(request.new_password)
    who = ctx.principal
    if await prove_password(ctx, who.name, request.old_password) is None:
        text = "invalid old password"
        raise Forbidden(text)
    new_hash = await ctx.services.passwords.hash(request.new_password)
    await ctx.store.write(set_password, ctx.services, who.account, new_hash, who.session)
    return PasswordChanged()


class AddUser(msgspec.Struct, frozen=True, kw_only=True):
    """`amtrio user add`."""

    username: str
    password: str


class RemoveUser(msgspec.Struct, frozen=True, kw_only=True):
    """`amtrio user remove`."""

    username: str


class UserName(msgspec.Struct, frozen=True, kw_only=True):
    """Names a person to an operation."""

    username: str


class UserDone(msgspec.Struct, frozen=True, kw_only=True):
    """What was done to whom."""

    user_id: str
    username: str
    status: str


def _by_command_line(services: Services) -> Context:
    return Context(services, actor=BY_COMMAND_LINE)


@operation("user.add")
async def add_user(services: Services, request: AddUser) -> UserDone:
    """Make an account, whatever the server's rule on registration says."""
    check_username(request.username)
    check_strength(request.password)
    password_hash = await services.passwords.hash(request.password)
    user_id = await services.store.write(_add, services, request.username, password_hash)
    return UserDone(user_id=user_id, username=request.username, status="added")


def _add(tx: Tx, services: Services, username: str, password_hash: str) -> str:
    user_id = create_user(tx, services, username, password_hash)
    record(tx, _by_command_line(services), "user.added", user_id)
    return user_id


class NoArguments(msgspec.Struct, frozen=True):
    """An operation without arguments."""


class UserListed(msgspec.Struct, frozen=True, kw_only=True):
    """One line of `amtrio user list`."""

    user_id: str
    username: str
    tier: str
    is_admin: bool
    created_at: str
    last_seen: str | None
    connections: int


@operation("user.list")
async def list_users(services: Services, request: NoArguments) -> list[UserListed]:
    """Everybody, with last sign of life and open connections."""
    del request
    rows = await services.store.read(_everybody)
    return [
        UserListed(
            user_id=user_id,
            username=username,
            tier=tier,
            is_admin=bool(is_admin),
            created_at=rfc3339(created_us),
            last_seen=rfc3339(last_seen_us) if last_seen_us else None,
            connections=services.fanout.connections(account),
        )
        for account, user_id, username, tier, is_admin, created_us, last_seen_us in rows
    ]


def _everybody(tx: ReadTx) -> list[tuple[str, str, str, str, int, int, int | None]]:
    return tx.all(
        """
        SELECT account_key, id, username, tier, is_admin, created_us, last_seen_us
        FROM user_account ORDER BY username"""
    )


class SetPassword(msgspec.Struct, frozen=True, kw_only=True):
    """`amtrio user passwd`."""

    username: str
    password: str


@operation("user.passwd")
async def operation_set_password(services: Services, request: SetPassword) -> UserDone:
    """Give a person a new password; all their sessions end."""
    check_strength(request.password)
    await services.store.read(account_by_name, request.username)  # before the hash is paid for
    new_hash = await services.passwords.hash(request.password)
    return await services.store.write(_set_password, services, request.username, new_hash)


def _set_password(tx: Tx, services: Services, username: str, new_hash: str) -> UserDone:
    account = account_by_name(tx, username)
    set_password(tx, services, account, new_hash)
    return _done(tx, services, "user.password", account, username, "password_changed")


@operation("user.remove")
async def operation_remove_user(services: Services, request: RemoveUser) -> UserDone:
    """Remove a person with conversations and messages; the id is never given out again."""
    return await services.store.write(_remove, services, request.username)


def _remove(tx: Tx, services: Services, username: str) -> UserDone:
    account = account_by_name(tx, username)
    remove_person(tx, services, account)
    return _done(tx, services, "user.removed", account, username, "removed")


@operation("user.promote")
async def operation_promote(services: Services, request: UserName) -> UserDone:
    """Make a person an administrator."""
    return await services.store.write(_set_admin, services, request.username, is_admin=True)


@operation("user.demote")
async def operation_demote(services: Services, request: UserName) -> UserDone:
    """Make an administrator a person like others, also the last one."""
    return await services.store.write(_set_admin, services, request.username, is_admin=False)


def _set_admin(tx: Tx, services: Services, username: str, *, is_admin: bool) -> UserDone:
    account = account_by_name(tx, username)
    set_admin(tx, services, account, is_admin=is_admin)
    word = "promoted" if is_admin else "demoted"
    return _done(tx, services, f"user.{word}", account, username, word)


class SetTier(msgspec.Struct, frozen=True, kw_only=True):
    """`amtrio user tier`."""

    username: str
    tier: Tier


@operation("user.tier")
async def operation_set_tier(services: Services, request: SetTier) -> UserDone:
    """Change how many REST requests a person has."""
    return await services.store.write(_set_tier, services, request)


def _set_tier(tx: Tx, services: Services, request: SetTier) -> UserDone:
    account = account_by_name(tx, request.username)
    set_tier(tx, services, account, request.tier)
    record(tx, _by_command_line(services), "user.tier", id_of(account), tier=request.tier)
    return UserDone(user_id=id_of(account), username=request.username, status=request.tier)


def _done(tx: Tx, services: Services, action: str, account: str, username: str, status: str) -> UserDone:
    record(tx, _by_command_line(services), action, id_of(account))
    return UserDone(user_id=id_of(account), username=username, status=status)
