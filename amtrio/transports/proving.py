"""Who asks over REST: a person, an agent, an administrator, a guest or nobody.

Knows headers and `Credentials`. Knows no framework and no feature; what somebody may do stands in the table of routes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from amtrio.context import Principal
from amtrio.errors import Forbidden, Unauthorized
from amtrio.feature import RouteSpec
from amtrio.model.agent import Card
from amtrio.model.audit import BY_SECRET
from amtrio.transports.credentials import Credentials

# COMPAT: the second is what a shipped SDK sends.
ADMIN_HEADERS = ("X-Admin-Secret", "X-Admin-Key")


@dataclass(frozen=True, slots=True)
class Shown:
    """
    What a request shows of who makes it.

    Attributes:
        header: the value of a header, by its name in any case.
        token_in_url: COMPAT, for an <img>: only a guest may prove himself so.
        is_form: its body is a form. secret_in_body: reads `admin_secret` out of the body, empty if there is none.
    """

    header: Callable[[str], str | None]
    path: str
    address: str
    token_in_url: str
    is_form: bool
    secret_in_body: Callable[[], Awaitable[str]]

    @property
    def has_account(self) -> bool:
        """It says that it comes from a person or an agent."""
        return bool(self.header("Authorization")) or self.header("X-Agent-ID") is not None


class Proving:
    """What stands between a request and a route that is not for everybody."""

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials

    async def prove(self, route: RouteSpec, shown: Shown) -> tuple[Principal | None, str]:
        """
        Who asks, and as whom for the audit log if it is to administer.

        Raises:
            Unauthorized: the route needs a proof and there is none, or a wrong one. Forbidden: of the wrong kind.
            RateLimited: too many wrong ones from this address.
        """
        if route.who == "anyone":
            return None, ""
        if route.who == "admin":
            return await self._admin(shown)
        if route.who == "guest":
            return await self._guest(shown), ""
        principal = await self._member(shown)
        if route.who not in ("member", principal.kind):
            text = f"{shown.path} is not for {principal.kind}s"
            raise Forbidden(text)
        return principal, ""

    async def _admin(self, shown: Shown) -> tuple[Principal | None, str]:
        """By the server's admin secret, or as a person who is an administrator."""
        secret = next((value for name in ADMIN_HEADERS if (value := shown.header(name))), "")
        if not secret and (shown.is_form or not shown.has_account):
            # COMPAT: in the body, but never in the URL, which ends up in logs. An SDK sends a form, and its token too.
            secret = await shown.secret_in_body()
        # COMPAT: a shipped SDK sends its token under this name too.
        if secret and not (shown.header("Authorization") or "").endswith(secret):
            self._credentials.admin(secret, address=shown.address)
            return None, BY_SECRET
        principal = await self._member(shown)
        if not principal.is_admin:
            text = f"{shown.path} is for administrators"
            raise Forbidden(text)
        return principal, principal.account

    async def _guest(self, shown: Shown) -> Principal | None:
        if shown.has_account:
            return await self._member(shown)
        return await self._person(shown.token_in_url, shown) if shown.token_in_url else None

    async def _member(self, shown: Shown) -> Principal:
        agent_id = shown.header("X-Agent-ID")
        # COMPAT: a bare token without the scheme is accepted too.
        token = (shown.header("Authorization") or "").strip()
        token = token[7:].strip() if token[:7].lower() == "bearer " else token
        if agent_id:
            secret = shown.header("X-Agent-Secret") or token
            return await self._credentials.agent(agent_id, secret, Card(), address=shown.address)
        if not token:
            text = "unauthorized"
            raise Unauthorized(text)
        return await self._person(token, shown)

    async def _person(self, token: str, shown: Shown) -> Principal:
        user_agent = shown.header("User-Agent") or ""
        return await self._credentials.user(token, user_agent=user_agent, address=shown.address)
