"""Proving who asks, with a budget for those who guess.

Knows the features that keep credentials. Knows no socket and no request.
"""

from __future__ import annotations

import structlog

from amtrio.context import Principal, Services
from amtrio.errors import RateLimited, Unauthorized
from amtrio.features.agents import authenticate_agent
from amtrio.features.sessions import authenticate
from amtrio.model.agent import CREDENTIAL_PREFIX, Card
from amtrio.tokens import same

log = structlog.stdlib.get_logger(__name__)


class Credentials:
    """Only failures count; who shows what nobody guesses is let in, however many from that address were not."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def user(self, token: str, *, user_agent: str, address: str) -> Principal:
        """
        The holder of an access token.

        Raises:
            Unauthorized: malformed, expired, ended. RateLimited: too many failures from this address.
        """
        try:
            return await authenticate(self._services, token, user_agent=user_agent, address=address)
        except Unauthorized as exc:
            # Only now: nobody guesses a signature, so a good token tells nothing to who guesses, and who stands behind
            # the same address as somebody with an old one (or behind a proxy that is not known) is not shut out.
            self._check(address)
            raise self._failed(address, exc) from exc

    async def agent(self, agent_id: str, secret: str, card: Card, *, address: str) -> Principal:
        """
        The agent of that id; registers it if the rules allow.

        Raises:
            Unauthorized: a wrong secret. RateLimited: too many failures from this address. Malformed: the id's shape.
        """
        # A credential that this server made is as hard to guess as a signature; one that people made up is not, so
        # that even the right one must not be told from the others once the budget is used up.
        is_ours = secret.startswith(CREDENTIAL_PREFIX)
        if not is_ours:
            self._check(address)
        try:
            return await authenticate_agent(self._services, agent_id, secret, card)
        except Unauthorized as exc:
            if is_ours:
                self._check(address)
            raise self._failed(address, exc) from exc

    def admin(self, secret: str, *, address: str) -> None:
        """
        Whether this is the server's admin secret.

        Raises:
            Unauthorized: it is not, or the server has none. RateLimited: too many failures from this address.
        """
        self._check(address)
        right = self._services.config.secrets.admin.reveal()
        if not right or not same(right, secret):
            log.warning("admin_refused", address=address)
            raise self._failed(address, Unauthorized("the admin secret is wrong"))

    def _check(self, address: str) -> None:
        wait = self._services.limits.failures_by_address.of(address).wait_seconds()
        if wait > 0:
            text = "rate limit exceeded: too many failed attempts from this address"
            raise RateLimited(text, retry_after_ms=int(wait * 1000) + 1)

    def _failed(self, address: str, why: Unauthorized) -> Unauthorized:
        self._services.limits.failures_by_address.of(address).take()
        self._services.metrics.errors += 1
        return Unauthorized(f"authentication failed: {why}")
