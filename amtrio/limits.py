"""Token buckets: how much one account or address may ask for.

Knows Trio's monotonic clock only, so that wall-clock jumps change no budget. Buckets refill evenly; there is no window
whose edge lets twice the limit through.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Literal

import trio

SECONDS_PER_MINUTE = 60.0
SECONDS_PER_HOUR = 3600.0
# An export reads everything an account has; whoever wants one wants it once in a while.
EXPORTS_PER_HOUR = 5
Tier = Literal["free", "pro", "enterprise"]
DEFAULT_TIER: Tier = "free"
# An address costs about 200 bytes here; 100 000 of them are 20 MB, and the one that was idle longest has the fullest
# bucket, so forgetting it changes least.
MAX_KEYS = 100_000


class TokenBucket:
    """
    `limit` tokens per period that refill evenly; a full bucket is one period's worth.

    Args:
        limit: 0 means no limit.
        period_seconds: a minute, unless said otherwise.
    """

    __slots__ = ("_at", "_period", "_tokens", "limit")

    def __init__(self, limit: int, *, period_seconds: float = SECONDS_PER_MINUTE) -> None:
        self.limit = limit
        self._period = period_seconds
        self._tokens = float(limit)
        self._at = trio.current_time()

    def _refill(self) -> None:
        now = trio.current_time()
        self._tokens = min(self.limit, self._tokens + (now - self._at) * self.limit / self._period)
        self._at = now

    def take(self) -> bool:
        """Take one token; False if there is none, and then nothing was taken."""
        if self.limit == 0:
            return True
        self._refill()
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    def give_back(self) -> None:
        """Return a token that turned out not to be owed."""
        self._tokens = min(float(self.limit), self._tokens + 1)

    def wait_seconds(self) -> float:
        """Until the next token; 0 if there is one."""
        if self.limit == 0:
            return 0.0
        self._refill()
        return max(0.0, (1 - self._tokens) * self._period / self.limit)

    def remaining(self) -> int:
        """Whole tokens left."""
        self._refill()
        return int(self._tokens)

    def full_in_seconds(self) -> float:
        """Until the bucket is full again; 0 if it is."""
        if self.limit == 0:
            return 0.0
        self._refill()
        return (self.limit - self._tokens) * self._period / self.limit

    def change(self, limit: int) -> None:
        """
        Another limit from now on. What was spent stays spent, and no more than that.

        So a higher limit helps at once, and going up and down again gives nobody a fresh bucket.
        """
        if limit == self.limit:
            return
        self._refill()
        spent = self.limit - self._tokens
        self.limit = limit
        self._tokens = max(0.0, limit - spent)


class Buckets:
    """One bucket per key; keys not used for longest are forgotten past `MAX_KEYS`."""

    def __init__(self, limit: int, *, period_seconds: float = SECONDS_PER_MINUTE) -> None:
        self._limit = limit
        self._period = period_seconds
        self._buckets: OrderedDict[str, TokenBucket] = OrderedDict()

    def of(self, key: str, /) -> TokenBucket:
        """The bucket of `key`, made full on first use."""
        return self.with_limit(key, self._limit)

    def with_limit(self, key: str, limit: int, /) -> TokenBucket:
        """The same with a limit of its own; a bucket that had another one changes to it."""
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = TokenBucket(limit, period_seconds=self._period)
            if len(self._buckets) > MAX_KEYS:
                self._buckets.popitem(last=False)
        else:
            self._buckets.move_to_end(key)
            bucket.change(limit)
        return bucket


class Limits:
    """
    The budgets of one server, all in requests a minute.

    Messages, ephemeral frames and all other commands are counted per account over all its sockets, each for itself;
    attempts to sign in per address, and failed ones also per name. REST requests of people are counted by their tier,
    which is kept apart from the buckets:
    a bucket may be forgotten, a tier never is.

    Args:
        requests: REST requests of an agent. run_frames: pieces of its live answers.
        tiers: REST requests of a person, by tier.
    """

    def __init__(
        self,
        *,
        user_messages: int,
        agent_messages: int,
        ephemeral: int,
        auth: int,
        requests: int,
        run_frames: int,
        tiers: Mapping[Tier, int],
    ) -> None:
        self._user_messages = Buckets(user_messages)
        self._agent_messages = Buckets(agent_messages)
        self._ephemeral = Buckets(ephemeral)
        # As many as the frames that each kind sends most of: agents edit what they say while they say it.
        self._user_commands = Buckets(ephemeral)
        self._agent_commands = Buckets(agent_messages)
        self._run_frames = Buckets(run_frames)
        self._agent_requests = Buckets(requests)
        self._user_requests = Buckets(tiers[DEFAULT_TIER])
        self._per_minute = dict(tiers)
        self._tiers: dict[str, Tier] = {}
        self.auth_by_address = Buckets(auth)
        self.failures_by_name = Buckets(auth)
        self.failures_by_address = Buckets(auth)
        self.exports = Buckets(EXPORTS_PER_HOUR, period_seconds=SECONDS_PER_HOUR)

    def messages(self, account: str, /) -> TokenBucket:
        return (self._agent_messages if account[0] == "a" else self._user_messages).of(account)

    def ephemeral(self, account: str, /) -> TokenBucket:
        return self._ephemeral.of(account)

    def commands(self, account: str, /) -> TokenBucket:
        """Commands over sockets that are neither messages nor ephemeral; over REST they are requests."""
        return (self._agent_commands if account[0] == "a" else self._user_commands).of(account)

    def run_frames(self, account: str, /) -> TokenBucket:
        """What an agent says while it answers."""
        return self._run_frames.of(account)

    def requests(self, account: str, /) -> TokenBucket:
        if account[0] == "a":
            return self._agent_requests.of(account)
        return self._user_requests.with_limit(account, self._per_minute[self.tier(account)])

    def tier(self, account: str, /) -> Tier:
        """What was last set for this person."""
        return self._tiers.get(account, DEFAULT_TIER)

    def tier_limit(self, tier: Tier, /) -> int:
        """REST requests a minute; 0 = no limit."""
        return self._per_minute[tier]

    def set_tier(self, account: str, tier: Tier, /) -> None:
        """It counts from the next request on."""
        if tier == DEFAULT_TIER:
            self._tiers.pop(account, None)
        else:
            self._tiers[account] = tier
