"""Token buckets."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from amtrio import limits as module
from amtrio.limits import Buckets, Limits, TokenBucket


async def test_a_full_bucket_is_one_minutes_worth(autojump_clock: MockClock) -> None:
    """Then it refills evenly: no minute's edge lets twice as much through."""
    bucket = TokenBucket(6)
    assert [bucket.take() for _ in range(7)] == [True] * 6 + [False]
    assert bucket.wait_seconds() == pytest.approx(10)
    await trio.sleep(9.9)
    assert not bucket.take()
    await trio.sleep(0.2)
    assert bucket.take()
    assert not bucket.take()
    await trio.sleep(3600)
    assert bucket.remaining() == 6, "it holds no more than a minute's worth"


async def test_a_refusal_costs_nothing(autojump_clock: MockClock) -> None:
    """Whoever keeps knocking does not wait longer for it."""
    bucket = TokenBucket(1)
    bucket.take()
    for _ in range(100):
        assert not bucket.take()
    await trio.sleep(60.1)
    assert bucket.take()


async def test_what_was_given_back_counts_once() -> None:
    bucket = TokenBucket(2)
    bucket.take()
    bucket.give_back()
    bucket.give_back()
    assert bucket.remaining() == 2


async def test_zero_is_no_limit() -> None:
    bucket = TokenBucket(0)
    assert all(bucket.take() for _ in range(1000))
    assert bucket.wait_seconds() == 0


async def test_buckets_are_apart_and_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Past the bound the one that was idle longest is forgotten, not the busy ones."""
    monkeypatch.setattr(module, "MAX_KEYS", 2)
    buckets = Buckets(1)
    assert buckets.of("busy").take()
    assert buckets.of("idle").take()
    assert not buckets.of("busy").take()
    assert buckets.of("new").take()
    assert not buckets.of("busy").take()
    assert buckets.of("idle").take(), "forgotten, so full again"


async def test_budgets_of_people_agents_and_kinds_are_apart() -> None:
    """An agent's are its own; typing costs no message."""
    limits = Limits(user_messages=1, agent_messages=2, ephemeral=3, auth=4, requests=5)
    assert limits.messages("u:x").per_minute == 1
    assert limits.messages("a:x").per_minute == 2
    assert limits.messages("u:x") is limits.messages("u:x")
    assert limits.messages("u:x") is not limits.messages("u:y")
    assert (limits.ephemeral("u:x").per_minute, limits.requests("u:x").per_minute) == (3, 5)
    assert limits.auth_by_address.per_minute == limits.failures_by_name.of("alice").per_minute == 4
