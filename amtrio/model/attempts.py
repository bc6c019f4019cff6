"""Proving a password, with a budget for those who guess: shared by signing in, changing it and erasing the account.

Knows budgets and one table. Knows no route and no session.
"""

from __future__ import annotations

from dataclasses import dataclass

from amtrio.context import Context
from amtrio.errors import RateLimited
from amtrio.store.database import ReadTx

_FIND = "SELECT account_key, id, password_hash FROM user_account WHERE username = :username"


@dataclass(frozen=True, slots=True)
class Proven:
    """
    Whose password it was.

    Attributes:
        stored: the hash it was compared with; check in the transaction that it is still the one.
    """

    account: str
    user_id: str
    stored: str


async def prove_password(ctx: Context, username: str, password: str) -> Proven | None:
    """
    Compare a password; None for an unknown name and a wrong password alike, after the same time.

    Raises:
        RateLimited: too many failures from this address or for this name.
    """
    limits = ctx.services.limits
    # Only failures cost, so that nobody can lock a person out by the address of a shared office or by name alone for
    # longer than the bucket takes to refill. They are taken before and given back, or many attempts at once would all
    # be let through before the first has failed.
    buckets = (limits.failures_by_address.of(ctx.address), limits.failures_by_name.of(username[:64]))
    wait = max(bucket.wait_seconds() for bucket in buckets)
    if wait > 0:
        text = "rate limit exceeded: too many failed attempts to sign in"
        raise RateLimited(text, retry_after_ms=int(wait * 1000) + 1)
    for bucket in buckets:
        bucket.take()
    has_failed = False
    try:
        found = await ctx.store.read(find_credential, username)
        is_right = await ctx.services.passwords.verify(found.stored if found else None, password)
        has_failed = not is_right
    finally:
        if not has_failed:
            for bucket in buckets:
                bucket.give_back()
    return found if is_right else None


def find_credential(tx: ReadTx, username: str) -> Proven | None:
    """The account of that name with its hash."""
    row = tx.one(_FIND, username=username)
    return None if row is None else Proven(*row)
