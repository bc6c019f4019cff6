"""Token buckets: how much one account or address may ask for.

Knows Trio's monotonic clock only, so that wall-clock jumps change no budget. Buckets refill evenly; there is no window
whose edge lets twice the limit through.
"""

from __future__ import annotations

from collections import OrderedDict

import trio

SECONDS_PER_MINUTE = 60.0
# An address costs about 200 bytes here; 100 000 of them are 20 MB, and the one that was idle longest has the fullest
# bucket, so forgetting it changes least.
MAX_KEYS = 100_000


class TokenBucket:
    """
    `per_minute` tokens that refill evenly; a full bucket is one minute's worth.

    Args:
        per_minute: 0 means no limit.
    """

    __slots__ = ("_at", "_tokens", "per_minute")

    def __init__(self, per_minute: int) -> None:
        self.per_minute = per_minute
        self._tokens = float(per_minute)
        self._at = trio.current_time()

    def _refill(self) -> None:
        now = trio.current_time()
        self._tokens = min(self.per_minute, self._tokens + (now - self._at) * self.per_minute / SECONDS_PER_MINUTE)
        self._at = now

    def take(self) -> bool:
        """Take one token; False if there is none, and then nothing was taken."""
        if self.per_minute == 0:
            return True
        self._refill()
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    def give_back(self) -> None:
        """Return a token that turned out not to be owed."""
        self._tokens = min(float(self.per_minute), self._tokens + 1)

    def wait_seconds(self) -> float:
        """Until the next token; 0 if there is one."""
        if self.per_minute == 0:
            return 0.0
        self._refill()
        return max(0.0, (1 - self._tokens) * SECONDS_PER_MINUTE / self.per_minute)

    def remaining(self) -> int:
        """Whole tokens left."""
        self._refill()
        return int(self._tokens)


class Buckets:
    """One bucket per key; keys not used for longest are forgotten past `MAX_KEYS`."""

    def __init__(self, per_minute: int) -> None:
        self.per_minute = per_minute
        self._buckets: OrderedDict[str, TokenBucket] = OrderedDict()

    def of(self, key: str, /) -> TokenBucket:
        """The bucket of `key`, made full on first use."""
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = TokenBucket(self.per_minute)
            if len(self._buckets) > MAX_KEYS:
                self._buckets.popitem(last=False)
        else:
            self._buckets.move_to_end(key)
        return bucket


class Limits:
    """
    The budgets of one server, all in requests a minute.

    Messages and ephemeral frames are counted per account over all its sockets; attempts to sign in per address, and
    failed ones also per name.
    """

    def __init__(self, *, user_messages: int, agent_messages: int, ephemeral: int, auth: int, requests: int) -> None:
        self._user_messages = Buckets(user_messages)
        self._agent_messages = Buckets(agent_messages)
        self._ephemeral = Buckets(ephemeral)
        self._requests = Buckets(requests)
        self.auth_by_address = Buckets(auth)
        self.failures_by_name = Buckets(auth)
        self.failures_by_address = Buckets(auth)

    def messages(self, account: str, /) -> TokenBucket:
        return (self._agent_messages if account[0] == "a" else self._user_messages).of(account)

    def ephemeral(self, account: str, /) -> TokenBucket:
        return self._ephemeral.of(account)

    def requests(self, account: str, /) -> TokenBucket:
        return self._requests.of(account)
