"""A browser that was signed in comes back: for its cookie it gets an access token.

Knows cookies and budgets. Giving the cookie out is part of signing in (`accounts`, `registration`).
"""

from __future__ import annotations

from amtrio.context import Answer, Context, Nothing
from amtrio.errors import RateLimited, Unauthorized
from amtrio.feature import post
from amtrio.limits import TokenBucket
from amtrio.model.browser_session import COOKIE, FORGET_COOKIE, account_of_cookie, check_own_page, go_on_in_browser
from amtrio.model.people import SignedIn


# No budget before the proof: nobody guesses 256 bits, and everybody in an office may open the page at nine o'clock.
@post("/auth/session", who="anyone", budget="none")
async def renew(ctx: Context, request: Nothing) -> Answer[SignedIn]:
    """
    A fresh access token of the session that the cookie `amtrio_session` keeps; both live on from now.

    Sign in with `cookie` to have one. The session ends when it has not been asked for in `auth.refresh_token_days`.

    Raises:
        Unauthorized: no cookie, or one whose session has ended; it is taken away then.
        Forbidden: a page of another host asks. RateLimited: too many bad cookies from this address, or requests.
    """
    del request
    check_own_page(ctx)
    secret = ctx.request.cookie(COOKIE) if ctx.request is not None else None
    if not secret:
        raise Unauthorized("not signed in", headers=FORGET_COOKIE)
    limits = ctx.services.limits
    account = await ctx.store.read(account_of_cookie, secret, ctx.clock.now_us())
    if account is None:
        _charge(limits.failures_by_address.of(ctx.address), "too many failed attempts from this address")
        raise _ended()
    _charge(limits.requests(account), "too many requests")
    answer = await ctx.store.write(go_on_in_browser, ctx, secret)
    if answer is None:  # ended a moment ago
        raise _ended()
    return answer


def _ended() -> Unauthorized:
    return Unauthorized("the session has ended", headers=FORGET_COOKIE)


def _charge(bucket: TokenBucket, text: str) -> None:
    if not bucket.take():
        raise RateLimited(f"rate limit exceeded: {text}", retry_after_ms=int(bucket.wait_seconds() * 1000) + 1)
