"""How many REST requests a person has: the tier, kept in the account and known to the limits from the start on.

Knows SQL and limits. Counting is `limits`; changing a tier together with other things is `admin_users`.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from amtrio.context import Context, Services
from amtrio.feature import get, on_start, post
from amtrio.limits import DEFAULT_TIER, SECONDS_PER_MINUTE, Tier
from amtrio.model.audit import record
from amtrio.model.people import account_by_id, set_tier
from amtrio.store.database import ReadTx, Tx


@on_start
async def load_tiers(services: Services) -> None:
    """Before the first request: those that are not of the default, and there are few."""
    for account, tier in await services.store.read(_tiers):
        services.limits.set_tier(account, tier)


def _tiers(tx: ReadTx) -> list[tuple[str, Tier]]:
    return tx.all("SELECT account_key, tier FROM user_account WHERE tier <> :default", default=DEFAULT_TIER)


class AskTier(msgspec.Struct, frozen=True, kw_only=True):
    """Whose."""

    user_id: Annotated[str, Meta(min_length=1)]


class TierShown(msgspec.Struct, frozen=True, kw_only=True):
    """
    COMPAT: a person's REST budget in the older server's words.

    Attributes:
        burst, limit: how many requests fit into `window_sec` seconds; 0 = no limit.
        remaining: how many are left at this moment.
    """

    user_id: str
    tier: Tier
    burst: int
    limit: int
    window_sec: int
    remaining: int


@get("/admin/rate-limit/tier", who="admin")
async def show_tier(ctx: Context, request: AskTier) -> TierShown:
    """
    COMPAT: what a person may ask for, and what is left of it.

    Raises:
        NotFound: nobody has this user id.
    """
    account = await ctx.store.read(account_by_id, request.user_id)
    limits = ctx.services.limits
    bucket = limits.requests(account)
    return TierShown(
        user_id=request.user_id,
        tier=limits.tier(account),
        burst=bucket.limit,
        limit=bucket.limit,
        window_sec=int(SECONDS_PER_MINUTE),
        remaining=bucket.remaining(),
    )


class ChangeTier(msgspec.Struct, frozen=True, kw_only=True):
    """COMPAT: whose, and to which of `free`, `pro` and `enterprise`."""

    user_id: Annotated[str, Meta(min_length=1)]
    tier: Tier


class TierChanged(msgspec.Struct, frozen=True, kw_only=True):
    """It counts from the next request on."""

    user_id: str
    tier: Tier
    status: str = "ok"


@post("/admin/rate-limit/tier", who="admin")
def change_tier(tx: Tx, ctx: Context, request: ChangeTier) -> TierChanged:
    """
    COMPAT: put a person into another tier. What was spent stays spent, so raising it helps at once.

    Raises:
        NotFound: nobody has this user id.
    """
    user_id, tier = request.user_id, request.tier
    set_tier(tx, ctx.services, account_by_id(tx, user_id), tier)
    record(tx, ctx, "user.tier", user_id, tier=tier)
    return TierChanged(user_id=user_id, tier=tier)
