"""Proving a password, with a budget for those who guess."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio

from amtrio.context import Context
from amtrio.errors import RateLimited
from amtrio.model.attempts import prove_password
from tests.harness import PASSWORD, open_scene


async def test_only_failures_cost(tmp_path: Path) -> None:
    """Good passwords never run out; wrong ones do, by address and by name, also for names that nobody has."""
    async with open_scene(tmp_path) as scene:
        alice = await scene.register("alice")
    async with open_scene(tmp_path, auth={"attempts_per_minute": 3}) as scene:
        services = scene.running.services
        here, there = Context(services, address="192.0.2.1"), Context(services, address="192.0.2.2")
        for _ in range(5):
            proven = await prove_password(here, "alice", PASSWORD)
            assert proven is not None
            assert (proven.user_id, proven.account) == (alice.id, f"u:{alice.id}")
        for name in ("alice", "nobody", "alice"):
            assert await prove_password(here, name, "wrong") is None
        for ctx, name, is_let_in in ((here, "alice", False), (here, "bob", False), (there, "alice", True)):
            if is_let_in:
                assert await prove_password(ctx, name, PASSWORD) is not None
            else:
                with pytest.raises(RateLimited) as refused:
                    await prove_password(ctx, name, PASSWORD)
                assert refused.value.retry_after_ms
        assert await prove_password(there, "alice", "wrong") is None
        elsewhere = Context(services, address="192.0.2.3")
        with pytest.raises(RateLimited):
            await prove_password(elsewhere, "alice", PASSWORD)
        assert await prove_password(elsewhere, "carol", "wrong") is None


async def test_many_guesses_at_once_are_no_more_than_the_budget(tmp_path: Path) -> None:
    """They are counted before their hashes are computed, not after."""
    async with open_scene(tmp_path) as scene:
        await scene.register("alice")
    async with open_scene(tmp_path, auth={"attempts_per_minute": 3}) as scene:
        answers: list[str] = []

        async def guess() -> None:
            ctx = Context(scene.running.services, address="192.0.2.1")
            try:
                answers.append(str(await prove_password(ctx, "alice", "wrong")))
            except RateLimited:
                answers.append("refused")

        async with trio.open_nursery() as nursery:
            for _ in range(20):
                nursery.start_soon(guess)
        assert sorted(answers) == ["None"] * 3 + ["refused"] * 17


async def test_an_attempt_that_was_cancelled_costs_nothing(tmp_path: Path) -> None:
    async with open_scene(tmp_path, auth={"attempts_per_minute": 1}) as scene:
        await scene.register("alice")
        ctx = Context(scene.running.services, address="192.0.2.1")
        for _ in range(5):
            with trio.CancelScope() as scope:
                scope.cancel()
                await prove_password(ctx, "alice", "wrong")
        assert await prove_password(ctx, "alice", PASSWORD) is not None
