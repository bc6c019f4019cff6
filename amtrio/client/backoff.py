"""How long to wait before trying again.

Knows close codes and numbers. Knows no socket and no clock.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from amtrio.client.errors import AuthenticationEnded, ClientError, Dropped, Refused, Replaced

# Close codes with a rule of their own; all others mean "wait and come back".
# Source: docs/protocol.md, "Close codes".
RESTARTING: Final = 1012
OVERLOADED: Final = 1013
REPLACED: Final = 4000
MALFORMED: Final = 4400
SESSION_ENDED: Final = 4401
REPLACEMENT_LOOP: Final = 4409
TOO_SLOW: Final = 4413

# The server is there and wants us back: no need to grow the delay.
_QUICK = frozenset({RESTARTING, TOO_SLOW})
# Answers to the upgrade after which the same request gets the same answer. 408, 409, 425 and 429 pass.
_HOPELESS_STATUS = frozenset({400, 403, 404, 405, 410, 426})
# A server that says it is overloaded gets at least this, seconds.
_OVERLOADED_WAIT_S = 5.0


@dataclass(slots=True)
class Backoff:
    """
    Doubles from `first_s` to `longest_s`, each wait up to half shorter by chance.

    Full doubling keeps a server that comes up after an outage from being met by everybody at once.
    """

    first_s: float = 0.5
    longest_s: float = 30.0
    chance: Callable[[], float] = field(default=random.random)  # spreads load, guards nothing
    _failures: int = 0

    def succeeded(self) -> None:
        """The connection worked: the next failure starts from the shortest wait."""
        self._failures = 0

    def wait_s(self, gone: Dropped) -> float:
        """Seconds until the next try, after this loss."""
        if gone.retry_after_s is not None:
            return gone.retry_after_s + self.first_s * self.chance()
        self._failures = 1 if gone.code in _QUICK else self._failures + 1
        # 2**16 is beyond any sensible longest_s; the cap keeps the power from growing for ever.
        longest = min(self.longest_s, self.first_s * 2.0 ** min(self._failures - 1, 16))
        floor = _OVERLOADED_WAIT_S if gone.code == OVERLOADED else 0.0
        return max(floor, longest * (1 - self.chance() / 2))


def final_error(gone: Dropped, *, was_online: bool) -> ClientError | None:
    """
    The error that ends a connection for good, or None if coming back makes sense.

    Args:
        was_online: this connection has worked before. Then a "not found" is more likely a proxy in the middle of a
            change than a wrong address, and an agent must not die of it.
    """
    if gone.code == SESSION_ENDED or gone.status == 401:  # noqa: PLR2004 - RFC 9110, 15.5.2
        return AuthenticationEnded(gone.reason or "the session has ended")
    if gone.code == REPLACED:
        return Replaced(gone.reason or "replaced by a newer connection")
    if gone.code == MALFORMED or (gone.status in _HOPELESS_STATUS and not was_online):
        text = gone.reason or f"the server refused the connection with status {gone.status}"
        return Refused(text, code="malformed" if gone.code == MALFORMED else "refused", status=gone.status)
    return None
