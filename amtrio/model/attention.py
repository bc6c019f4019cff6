"""What the server remembers of people's devices between two looks at the database: who can be woken, and who looks.

Lives as long as the process. Knows accounts and time. Knows no message, no socket and no push service.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import trio

# A tab that the browser froze says nothing any more while its socket still answers pings: what it said last must end
# by itself. Browsers run timers of hidden pages once a minute; a visible page says it again every half minute.
VISIBLE_SECONDS: Final = 60.0


class Attention:
    """
    Which accounts look at the app, as far as their devices say so, and which have devices that can be woken.

    Attributes:
        reachable: accounts with a device that takes pushes; some of them may have none any more.
        looked_away: called with an account when one of its devices is no longer looked at.
    """

    def __init__(self) -> None:
        self.reachable: set[str] = set()
        self.looked_away: Callable[[str], None] = lambda _account: None
        self._until: dict[str, dict[str, float]] = {}

    def look(self, account: str, device: str) -> None:
        """This device shows the app to somebody; for a minute, unless it says so again."""
        self._until.setdefault(account, {})[device] = trio.current_time() + VISIBLE_SECONDS

    def look_away(self, account: str, device: str) -> None:
        """It does not any more."""
        devices = self._until.get(account)
        if devices is None or devices.pop(device, None) is None:
            return
        if not devices:
            del self._until[account]
        self.looked_away(account)

    def forget(self, account: str) -> None:
        """No device of it is connected any more."""
        if self._until.pop(account, None) is not None:
            self.looked_away(account)

    def looks_until(self, account: str) -> float | None:
        """Until when somebody looks, by Trio's clock, if nothing more is heard; None if nobody does."""
        devices = self._until.get(account)
        if devices is None:
            return None
        now = trio.current_time()
        for device in [device for device, until in devices.items() if until <= now]:
            del devices[device]
        if not devices:
            del self._until[account]
            return None
        return max(devices.values())
