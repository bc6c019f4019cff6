"""Credentials that were checked a moment ago, so that a request costs no look-up.

Knows which sessions ended while the server ran: an ended one is refused even if a look-up that began before says yes.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

import trio

if TYPE_CHECKING:
    from amtrio.context import Principal

FRESH_SECONDS = 300.0
MAX_PROOFS = 20_000
MAX_ENDED = 20_000


class Proofs:
    """Token to principal, for `FRESH_SECONDS`."""

    def __init__(self) -> None:
        self._proofs: OrderedDict[str, tuple[float, int, Principal]] = OrderedDict()
        self._ended: OrderedDict[str, None] = OrderedDict()
        self._used: set[str] = set()
        self._changes = 0

    def find(self, token: str, /, *, at_us: int) -> Principal | None:
        """Who holds `token`, if it was checked lately, has not expired and its session has not ended."""
        found = self._proofs.get(token)
        if found is None:
            return None
        fresh_until, expires_us, principal = found
        if trio.current_time() > fresh_until or at_us >= expires_us:
            del self._proofs[token]
            return None
        self._used.add(principal.session)
        return principal

    def moment(self) -> int:
        """To be taken before a look-up and given to `remember` after it."""
        return self._changes

    def remember(self, token: str, principal: Principal, moment: int, /, *, expires_us: int) -> bool:
        """
        Keep what a look-up found that began at `moment`; False if the session ended meanwhile.

        If anybody's rights changed meanwhile, it may show the old ones and is not kept for the next request.
        """
        if principal.session in self._ended:
            return False
        self._used.add(principal.session)
        if moment != self._changes:
            return True
        self._proofs[token] = (trio.current_time() + FRESH_SECONDS, expires_us, principal)
        if len(self._proofs) > MAX_PROOFS:
            self._proofs.popitem(last=False)
        return True

    def has_ended(self, session: str, /) -> bool:
        """True if the session was ended while this server ran."""
        return session in self._ended

    def take_used(self) -> set[str]:
        """Sessions that showed a credential since the last call."""
        used, self._used = self._used, set()
        return used

    def forget_account(self, account: str, /) -> None:
        """Its rights changed: look every token of it up again."""
        self._changes += 1
        for token in [token for token, (_, _, who) in self._proofs.items() if who.account == account]:
            del self._proofs[token]

    def forget(self, sessions: set[str], /) -> None:
        """These sessions have ended: no token of theirs counts any more."""
        for session in sessions:
            self._ended[session] = None
            if len(self._ended) > MAX_ENDED:
                self._ended.popitem(last=False)
        for token in [token for token, (_, _, who) in self._proofs.items() if who.session in sessions]:
            del self._proofs[token]
