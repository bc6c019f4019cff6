"""People in the hands of an administrator, over REST: who there is, what they may, where they are signed in.

Knows SQL. What the command line does with people is `accounts`. Knows nothing of sockets.
"""

from __future__ import annotations

import msgspec

from amtrio.clock import rfc3339
from amtrio.context import Context, Nothing, id_of, kind_of
from amtrio.feature import delete, get, patch, post
from amtrio.limits import Tier
from amtrio.model.audit import record
from amtrio.model.pages import DEFAULT_PAGE, page_size
from amtrio.model.people import (
    NewPassword,
    SessionView,
    account_by_id,
    check_another_admin,
    end_session,
    end_sessions,
    open_sessions,
    remove_person,
    set_admin,
    set_password,
    set_tier,
)
from amtrio.passwords import check_strength
from amtrio.protocol.frames import Kind
from amtrio.store.database import ReadTx, Row, Tx

_VIEW = """
SELECT u.account_key, u.id, u.username, u.tier, u.is_admin, u.created_us, u.last_seen_us,
    (SELECT count(*) FROM login_session s
     WHERE s.account_key = u.account_key AND s.ended_us IS NULL AND s.expires_us > :now),
    (SELECT coalesce(sum(a.size_bytes), 0) FROM attachment a
     WHERE a.owner_key = u.account_key AND a.state = 'stored')
FROM user_account u"""
_PAGE = f"""
{_VIEW} WHERE u.username > :after AND lower(u.username) LIKE :pattern ESCAPE '!' AND (:tier = '' OR u.tier = :tier)
ORDER BY u.username LIMIT :limit"""
# Of their pattern language SQL leaves nothing to whoever asks.
_PLAIN = str.maketrans({"!": "!!", "%": "!%", "_": "!_"})


class AdminUserView(msgspec.Struct, frozen=True, kw_only=True):
    """
    A person as administrators see them.

    Attributes:
        last_seen: now, while they are connected; null if they never were.
        connections: open sockets. sessions: sign-ins that neither ended nor expired.
        storage_bytes: of the files they uploaded.
    """

    user_id: str
    username: str
    tier: str
    is_admin: bool
    created_at: str
    last_seen: str | None
    connections: int
    sessions: int
    storage_bytes: int


class AskUsers(msgspec.Struct, frozen=True, kw_only=True):
    """
    Which ones.

    Attributes:
        q: a part of the name, upper and lower case alike.
        cursor: `next` of the page before. limit: 1 to 200, else 50.
    """

    q: str = ""
    tier: Tier | None = None
    cursor: str = ""
    limit: int = DEFAULT_PAGE


class UsersListed(msgspec.Struct, frozen=True, kw_only=True):
    """
    By name.

    Attributes:
        next: asks for the next page; null on the last.
    """

    users: list[AdminUserView]
    next: str | None


class AskUser(msgspec.Struct, frozen=True, kw_only=True):
    """Whom."""

    user_id: str


class UserDone(msgspec.Struct, frozen=True, kw_only=True):
    """What was done to whom."""

    user_id: str
    status: str


@get("/admin/users", who="admin")
async def list_users(ctx: Context, request: AskUsers) -> UsersListed:
    """Everybody with an account."""
    limit = page_size(request.limit)
    rows = await ctx.store.read(_page, ctx, request, limit + 1)
    return UsersListed(
        users=[_view(row, ctx) for row in rows[:limit]], next=rows[limit - 1][2] if len(rows) > limit else None
    )


def _page(tx: ReadTx, ctx: Context, request: AskUsers, limit: int) -> list[Row]:
    return tx.all(
        _PAGE,
        now=ctx.clock.now_us(),
        after=request.cursor,
        pattern=f"%{request.q.lower().translate(_PLAIN)}%",
        tier=request.tier or "",
        limit=limit,
    )


@get("/admin/users/<user_id>", who="admin")
async def show_user(ctx: Context, request: AskUser) -> AdminUserView:
    """One of them."""
    return _view(await ctx.store.read(_one, ctx, request.user_id), ctx)


def _one(tx: ReadTx, ctx: Context, user_id: str) -> Row:
    account = account_by_id(tx, user_id)
    (row,) = tx.all(f"{_VIEW} WHERE u.account_key = :account", account=account, now=ctx.clock.now_us())
    return row


def _view(row: Row, ctx: Context) -> AdminUserView:
    account, user_id, username, tier, is_admin, created_us, last_seen_us, sessions, storage_bytes = row
    last_seen_us = ctx.clock.now_us() if ctx.fanout.is_online(account) else last_seen_us
    return AdminUserView(
        user_id=user_id,
        username=username,
        tier=tier,
        is_admin=bool(is_admin),
        created_at=rfc3339(created_us),
        last_seen=rfc3339(last_seen_us) if last_seen_us else None,
        connections=ctx.fanout.connections(account),
        sessions=sessions,
        storage_bytes=storage_bytes,
    )


class ChangeUser(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be changed; what is left out stays."""

    user_id: str
    tier: Tier | msgspec.UnsetType = msgspec.UNSET
    is_admin: bool | msgspec.UnsetType = msgspec.UNSET


@patch("/admin/users/<user_id>", who="admin")
async def change_user(ctx: Context, request: ChangeUser) -> AdminUserView:
    """
    Change tier or rights; both count from the next request on.

    Raises:
        NotFound: nobody has this user id. Conflict: they are the last administrator.
    """
    return _view(await ctx.store.write(_change, ctx, request), ctx)


def _change(tx: Tx, ctx: Context, request: ChangeUser) -> Row:
    account = account_by_id(tx, request.user_id)
    if request.tier is not msgspec.UNSET:
        set_tier(tx, ctx.services, account, request.tier)
        record(tx, ctx, "user.tier", request.user_id, tier=request.tier)
    if request.is_admin is not msgspec.UNSET:
        if not request.is_admin:
            check_another_admin(tx, account)
        set_admin(tx, ctx.services, account, is_admin=request.is_admin)
        record(tx, ctx, "user.promoted" if request.is_admin else "user.demoted", request.user_id)
    return _one(tx, ctx, request.user_id)


@delete("/admin/users/<user_id>", who="admin")
def delete_user(tx: Tx, ctx: Context, request: AskUser) -> UserDone:
    """
    Remove a person with everything that is theirs; the id is never given out again.

    Raises:
        NotFound: nobody has this user id. Conflict: they are the last administrator.
    """
    account = account_by_id(tx, request.user_id)
    check_another_admin(tx, account)
    remove_person(tx, ctx.services, account)
    record(tx, ctx, "user.removed", request.user_id)
    return UserDone(user_id=request.user_id, status="removed")


class SessionsListed(msgspec.Struct, frozen=True, kw_only=True):
    """Open sessions, newest first."""

    sessions: list[SessionView]


@get("/admin/users/<user_id>/sessions", who="admin")
def list_sessions_of(tx: ReadTx, ctx: Context, request: AskUser) -> SessionsListed:
    """Where a person is signed in."""
    account = account_by_id(tx, request.user_id)
    current = ctx.principal.session
    return SessionsListed(sessions=open_sessions(tx, account, now_us=ctx.clock.now_us(), current=current))


@delete("/admin/users/<user_id>/sessions", who="admin")
def end_all_sessions_of(tx: Tx, ctx: Context, request: AskUser) -> UserDone:
    """Sign a person out everywhere: tokens are refused and sockets close within a second."""
    account = account_by_id(tx, request.user_id)
    ended = end_sessions(tx, ctx.services, account)
    record(tx, ctx, "user.signed_out", request.user_id, sessions=len(ended))
    return UserDone(user_id=request.user_id, status="ended")


class AskSession(msgspec.Struct, frozen=True, kw_only=True):
    """Whose, and which one."""

    user_id: str
    session_id: str


@delete("/admin/users/<user_id>/sessions/<session_id>", who="admin")
def end_session_of(tx: Tx, ctx: Context, request: AskSession) -> UserDone:
    """
    End one session of a person.

    Raises:
        NotFound: nobody has this user id, or they have no such open session.
    """
    account = account_by_id(tx, request.user_id)
    end_session(tx, ctx.services, account, request.session_id)
    record(tx, ctx, "user.signed_out", request.user_id, session_id=request.session_id)
    return UserDone(user_id=request.user_id, status="ended")


class ResetPassword(msgspec.Struct, frozen=True, kw_only=True):
    """
    For whom.

    Attributes:
        password: the new one; left out, the server makes one.
    """

    user_id: str
    password: NewPassword | msgspec.UnsetType = msgspec.UNSET


class PasswordReset(msgspec.Struct, frozen=True, kw_only=True):
    """
    A new password, for the person to change.

    Attributes:
        password: what the server made; this is the only time it is shown. Null if the administrator chose it.
    """

    user_id: str
    password: str | None
    status: str = "password_changed"


@post("/admin/users/<user_id>/password", who="admin")
async def reset_password(ctx: Context, request: ResetPassword) -> PasswordReset:
    """
    Give a person a new password; all their sessions end.

    Raises:
        NotFound: nobody has this user id. Malformed: the password is too short or too long.
    """
    await ctx.store.read(account_by_id, request.user_id)  # before the hash is paid for
    made = None
    password = request.password
    if password is msgspec.UNSET:
        password = made = ctx.clock.new_secret()
    check_strength(password)
    new_hash = await ctx.services.passwords.hash(password)
    await ctx.store.write(_reset_password, ctx, request.user_id, new_hash)
    return PasswordReset(user_id=request.user_id, password=made)


def _reset_password(tx: Tx, ctx: Context, user_id: str, new_hash: str) -> None:
    set_password(tx, ctx.services, account_by_id(tx, user_id), new_hash)
    record(tx, ctx, "user.password", user_id)


class ConnectionView(msgspec.Struct, frozen=True, kw_only=True):
    """
    An account with open sockets.

    Attributes:
        connected_at: of the oldest of them.
    """

    account_kind: Kind
    account_id: str
    connections: int
    connected_at: str | None


class ConnectionsListed(msgspec.Struct, frozen=True, kw_only=True):
    """
    Who is connected at this moment.

    Attributes:
        total: open sockets of all of them.
    """

    total: int
    accounts: list[ConnectionView]


@get("/admin/connections", who="admin")
async def list_connections(ctx: Context, request: Nothing) -> ConnectionsListed:
    """Every account with an open socket, agents first."""
    del request
    accounts = []
    for account in sorted(ctx.fanout.online()):
        since_us = ctx.fanout.connected_since_us(account)
        accounts.append(
            ConnectionView(
                account_kind=kind_of(account),
                account_id=id_of(account),
                connections=ctx.fanout.connections(account),
                connected_at=rfc3339(since_us) if since_us else None,
            )
        )
    return ConnectionsListed(total=sum(each.connections for each in accounts), accounts=accounts)
