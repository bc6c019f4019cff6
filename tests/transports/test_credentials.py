"""Whoever guesses runs out of tries; whoever knows never does."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from amtrio.errors import Malformed, RateLimited, Unauthorized
from amtrio.features.agents import Card
from amtrio.transports.credentials import Credentials
from tests.harness import AGENT_SECRET, Scene, open_scene

TRIES = 5
HERE, THERE = "198.51.100.1", "198.51.100.2"


async def guess(credentials: Credentials, token: str, address: str = HERE) -> None:
    await credentials.user(token, user_agent="", address=address)


async def exhaust(credentials: Credentials) -> None:
    for _ in range(TRIES):
        with pytest.raises(Unauthorized, match=r"^authentication failed: "):
            await guess(credentials, "no.such.token")


def door(scene: Scene) -> Credentials:
    return Credentials(scene.running.services)


async def test_good_credentials_cost_nothing(tmp_path: Path) -> None:
    """A shared address may use them without end."""
    async with open_scene(tmp_path, auth={"attempts_per_minute": TRIES}) as scene:
        alice, credentials = await scene.register("alice"), door(scene)
        for _ in range(TRIES * 3):
            await guess(credentials, alice.token)
            await credentials.agent("helper", AGENT_SECRET, Card(), address=HERE)
        await exhaust(credentials)


async def test_failures_run_out_per_address(tmp_path: Path, mock_clock: MockClock) -> None:
    """Then nobody gets in from there, with whatever it may be, until the budget has refilled; others do not notice."""
    async with open_scene(tmp_path, auth={"attempts_per_minute": TRIES}) as scene:
        alice, credentials = await scene.register("alice"), door(scene)
        await exhaust(credentials)
        for token in ("no.such.token", alice.token):
            with pytest.raises(RateLimited, match="too many failed attempts") as refused:
                await guess(credentials, token)
            assert refused.value.retry_after_ms == 12_001
        with pytest.raises(RateLimited):
            await credentials.agent("helper", AGENT_SECRET, Card(), address=HERE)
        await guess(credentials, alice.token, THERE)
        mock_clock.jump(12.01)
        await guess(credentials, alice.token)


async def test_failures_of_agents_and_people_are_one_budget(tmp_path: Path) -> None:
    """Guessing secrets and guessing tokens alternate in vain."""
    async with open_scene(tmp_path, auth={"attempts_per_minute": 2}) as scene:
        credentials = door(scene)
        with pytest.raises(Unauthorized):
            await guess(credentials, "x")
        with pytest.raises(Unauthorized, match="authentication failed: invalid agent secret"):
            await credentials.agent("helper", "wrong", Card(), address=HERE)
        with pytest.raises(RateLimited):
            await guess(credentials, "x")


async def test_a_malformed_id_is_no_guess(tmp_path: Path) -> None:
    """It costs nothing, and registers nothing."""
    async with open_scene(tmp_path, auth={"attempts_per_minute": 1}) as scene:
        credentials = door(scene)
        for agent_id in ("", "a b", "x" * 65, "u:alice", "a\n", "\N{GREEK SMALL LETTER ALPHA}"):
            with pytest.raises(Malformed):
                await credentials.agent(agent_id, AGENT_SECRET, Card(), address=HERE)
        await credentials.agent("helper", AGENT_SECRET, Card(), address=HERE)
        count = await scene.running.services.store.read(lambda tx: tx.one("SELECT count(*) FROM agent"))
        assert count == (1,)


async def test_a_hundred_guesses_at_once(tmp_path: Path) -> None:
    """None slips through while others are being looked at, and each is counted among the errors."""
    async with open_scene(tmp_path, auth={"attempts_per_minute": TRIES}) as scene:
        credentials, refused = door(scene), []
        before = scene.running.services.metrics.errors

        async def try_once(number: int) -> None:
            with pytest.raises((Unauthorized, RateLimited)) as told:
                await credentials.agent(f"agent{number}", "wrong", Card(), address=HERE)
            refused.append(told.type)

        async with trio.open_nursery() as nursery:
            for number in range(100):
                nursery.start_soon(try_once, number)
        assert len(refused) == 100
        assert scene.running.services.metrics.errors - before == refused.count(Unauthorized)
        with pytest.raises(RateLimited):
            await try_directly(credentials)


async def try_directly(credentials: Credentials) -> None:
    await credentials.agent("helper", AGENT_SECRET, Card(), address=HERE)


async def test_no_limit(tmp_path: Path) -> None:
    """0 switches the budget off."""
    async with open_scene(tmp_path) as scene:
        credentials = door(scene)
        for _ in range(50):
            with pytest.raises(Unauthorized):
                await guess(credentials, "x")
