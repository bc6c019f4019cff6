"""Token buckets."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from amtrio import limits as module
from amtrio.limits import SECONDS_PER_HOUR, Buckets, Limits, Tier, TokenBucket

TIERS: dict[Tier, int] = {"free": 60, "pro": 300, "enterprise": 1500}


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
    limits = Limits(user_messages=1, agent_messages=2, ephemeral=3, auth=4, requests=5, run_frames=6, tiers=TIERS)
    assert limits.messages("u:x").limit == 1
    assert limits.messages("a:x").limit == 2
    assert limits.messages("u:x") is limits.messages("u:x")
    assert limits.messages("u:x") is not limits.messages("u:y")
    assert (limits.ephemeral("u:x").limit, limits.requests("a:x").limit) == (3, 5)
    assert (limits.commands("u:x").limit, limits.commands("a:x").limit) == (3, 2)
    assert limits.run_frames("a:x").limit == 6
    assert limits.commands("u:x") is not limits.ephemeral("u:x")
    assert limits.commands("a:x") is not limits.messages("a:x")
    assert limits.auth_by_address.of("1.2.3.4").limit == limits.failures_by_name.of("alice").limit == 4


async def test_how_long_until_a_bucket_is_full(autojump_clock: MockClock) -> None:
    bucket = TokenBucket(6)
    assert bucket.full_in_seconds() == 0
    bucket.take()
    bucket.take()
    assert bucket.full_in_seconds() == pytest.approx(20)
    await trio.sleep(15)
    assert bucket.full_in_seconds() == pytest.approx(5)
    assert TokenBucket(0).full_in_seconds() == 0


async def test_a_bucket_may_be_of_an_hour(autojump_clock: MockClock) -> None:
    bucket = TokenBucket(5, period_seconds=SECONDS_PER_HOUR)
    assert [bucket.take() for _ in range(6)] == [True] * 5 + [False]
    assert bucket.wait_seconds() == pytest.approx(720)


@pytest.mark.parametrize(
    ("spent", "limit", "left"), [(60, 300, 240), (0, 300, 300), (10, 30, 20), (50, 30, 0), (60, 0, 0), (20, 60, 40)]
)
async def test_another_limit_keeps_what_was_spent(autojump_clock: MockClock, spent: int, limit: int, left: int) -> None:
    """Raising helps at once; lowering leaves no debt; nobody gets a fresh bucket."""
    bucket = TokenBucket(60)
    for _ in range(spent):
        assert bucket.take()
    bucket.change(limit)
    assert bucket.remaining() == left
    assert bucket.take() == (left > 0 or limit == 0)


async def test_up_and_down_again_is_no_fresh_bucket(autojump_clock: MockClock) -> None:
    bucket = TokenBucket(60)
    for _ in range(60):
        bucket.take()
    bucket.change(300)
    bucket.change(60)
    assert not bucket.take()


async def test_a_tier_outlives_its_bucket(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever was idle for long enough to be forgotten is still of the tier that was set."""
    monkeypatch.setattr(module, "MAX_KEYS", 1)
    limits = Limits(user_messages=1, agent_messages=2, ephemeral=3, auth=4, requests=5, run_frames=6, tiers=TIERS)
    limits.set_tier("u:paid", "pro")
    assert limits.requests("u:paid").limit == TIERS["pro"]
    assert limits.requests("u:other").limit == TIERS["free"]
    assert limits.requests("u:paid").limit == TIERS["pro"]
    limits.set_tier("u:paid", "free")
    assert (limits.tier("u:paid"), limits.requests("u:paid").limit) == ("free", TIERS["free"])
    assert limits.tier_limit("enterprise") == TIERS["enterprise"]
