"""One's own account: what it is and may, and erasing it.

Knows SQL. What an administrator does with other people's accounts is `admin_users`; taking one's data along is
`export`.
"""

from __future__ import annotations

from dataclasses import replace

import msgspec

from amtrio.clock import rfc3339
from amtrio.context import Context, Nothing
from amtrio.errors import Forbidden
from amtrio.feature import delete, get
from amtrio.limits import Tier
from amtrio.model.attempts import find_credential, prove_password
from amtrio.model.audit import record
from amtrio.model.people import check_another_admin, remove_person
from amtrio.store.database import ReadTx, Tx


class Storage(msgspec.Struct, frozen=True, kw_only=True):
    """
    The files that this account uploaded.

    Attributes:
        quota_bytes: how much they may be together; 0 = no limit.
    """

    used_bytes: int
    quota_bytes: int
    files: int


class AccountLimits(msgspec.Struct, frozen=True, kw_only=True):
    """How much this account may ask for; 0 = no limit."""

    requests_per_minute: int
    messages_per_minute: int
    ephemeral_per_minute: int
    max_upload_bytes: int


class AccountView(msgspec.Struct, frozen=True, kw_only=True):
    """One's own account."""

    user_id: str
    username: str
    tier: Tier
    is_admin: bool
    created_at: str
    storage: Storage
    limits: AccountLimits


@get("/account", who="user")
def show_account(tx: ReadTx, ctx: Context, request: Nothing) -> AccountView:
    """What one's account is and may."""
    del request
    account = ctx.principal.account
    # Whoever asks has proved to be somebody; the row is there.
    ((user_id, username, tier, is_admin, created_us),) = tx.all(
        "SELECT id, username, tier, is_admin, created_us FROM user_account WHERE account_key = :account",
        account=account,
    )
    ((used_bytes, files),) = tx.all(
        "SELECT coalesce(sum(size_bytes), 0), count(*) FROM attachment WHERE owner_key = :account AND state = 'stored'",
        account=account,
    )
    limits = ctx.services.limits
    return AccountView(
        user_id=user_id,
        username=username,
        tier=tier,
        is_admin=bool(is_admin),
        created_at=rfc3339(created_us),
        storage=Storage(used_bytes=used_bytes, quota_bytes=ctx.config.limits.upload_quota_bytes, files=files),
        limits=AccountLimits(
            requests_per_minute=limits.tier_limit(tier),
            messages_per_minute=ctx.config.limits.user_messages_per_minute,
            ephemeral_per_minute=ctx.config.limits.ephemeral_per_minute,
            max_upload_bytes=ctx.config.limits.max_upload_bytes,
        ),
    )


class EraseAccount(msgspec.Struct, frozen=True, kw_only=True):
    """One's password once more, since a device may be in the wrong hands."""

    password: str


class AccountErased(msgspec.Struct, frozen=True, kw_only=True):
    """Nothing of it is left but its id, which is never given out again."""

    user_id: str
    status: str = "erased"


@delete("/account", who="user")
async def erase_account(ctx: Context, request: EraseAccount) -> AccountErased:
    """
    Remove one's account with conversations, messages and files, at once and for good; every session ends.

    Raises:
        Forbidden: the password is wrong. RateLimited: too many wrong ones. Conflict: it is the last administrator's.
    """
    proven = await prove_password(ctx, ctx.principal.name, request.password)
    if proven is None or proven.account != ctx.principal.account:
        raise _wrong()
    await ctx.store.write(_erase, ctx, proven.stored)
    return AccountErased(user_id=ctx.principal.id)


def _wrong() -> Forbidden:
    return Forbidden("invalid password")


def _erase(tx: Tx, ctx: Context, checked: str) -> None:
    who = ctx.principal
    found = find_credential(tx, who.name)
    if found is None or found.stored != checked:  # changed while it was compared
        raise _wrong()
    check_another_admin(tx, who.account)
    remove_person(tx, ctx.services, who.account)
    # Where from is the person's own as well, and goes with the rest (see `model.audit.forget_addresses`).
    record(tx, replace(ctx, address=""), "account.erased", who.id)
