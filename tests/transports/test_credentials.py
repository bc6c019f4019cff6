"""Proving who asks, with a budget for those who guess."""

from __future__ import annotations

from pathlib import Path

import pytest

from amtrio.config import Secret
from amtrio.errors import RateLimited, Unauthorized
from amtrio.model.agent import Card
from amtrio.transports.credentials import Credentials
from tests.harness import ADMIN_SECRET, AGENT_SECRET, open_scene


async def test_guesses_run_out_and_good_credentials_do_not(tmp_path: Path) -> None:
    """By address, for tokens and secrets together; another address is not concerned."""
    async with open_scene(tmp_path) as scene:
        alice = await scene.register("alice")
        await scene.register_agent("helper")
    async with open_scene(tmp_path, auth={"attempts_per_minute": 3}) as scene:
        credentials = Credentials(scene.running.services)
        for _ in range(20):
            assert (await credentials.user(alice.token, user_agent="", address="1.1.1.1")).id == alice.id
        with pytest.raises(Unauthorized, match=r"^authentication failed: "):
            await credentials.user("guess", user_agent="", address="1.1.1.1")
        for _ in range(2):
            with pytest.raises(Unauthorized, match=r"^authentication failed: invalid agent secret"):
                await credentials.agent("helper", "guess", Card(), address="1.1.1.1")
        for again in (
            credentials.user("guess", user_agent="", address="1.1.1.1"),
            # A secret that people made up could be guessed, so not even the right one is told from the others.
            credentials.agent("helper", AGENT_SECRET, Card(), address="1.1.1.1"),
        ):
            with pytest.raises(RateLimited) as refused:
                await again
            assert refused.value.retry_after_ms
        assert (await credentials.user(alice.token, user_agent="", address="1.1.1.1")).name == "alice"
        assert (await credentials.user(alice.token, user_agent="", address="2.2.2.2")).name == "alice"
        assert scene.running.services.metrics.errors == 3


async def test_guesses_at_the_admin_secret_cost_the_same_budget(tmp_path: Path) -> None:
    """The right one costs nothing; a server without one is opened by none."""
    async with open_scene(tmp_path, auth={"attempts_per_minute": 2}) as scene:
        credentials = Credentials(scene.running.services)
        for _ in range(5):
            credentials.admin(ADMIN_SECRET, address="1.1.1.1")
        for guess in ("guess", ""):
            with pytest.raises(Unauthorized):
                credentials.admin(guess, address="1.1.1.1")
        with pytest.raises(RateLimited):
            credentials.admin(ADMIN_SECRET, address="1.1.1.1")
        credentials.admin(ADMIN_SECRET, address="2.2.2.2")
    async with open_scene(tmp_path, secrets={"admin": Secret("")}) as scene:
        with pytest.raises(Unauthorized):
            Credentials(scene.running.services).admin("", address="1.1.1.1")


async def test_an_agent_with_a_credential_of_its_own_is_not_shut_out(tmp_path: Path) -> None:
    """By whoever else guesses from its address; its own wrong guesses run out like all others."""
    async with open_scene(tmp_path, auth={"attempts_per_minute": 3}) as scene:
        made = await scene.http.post(
            "/admin/agents", json={"agent_id": "coder"}, headers={"X-Admin-Secret": ADMIN_SECRET}
        )
        token = made.json()["token"]
        credentials = Credentials(scene.running.services)
        for _ in range(3):
            with pytest.raises(Unauthorized):
                await credentials.agent("coder", token + "x", Card(), address="1.1.1.1")
        for wrong in (token + "x", "guess"):
            with pytest.raises(RateLimited):
                await credentials.agent("coder", wrong, Card(), address="1.1.1.1")
        assert (await credentials.agent("coder", token, Card(), address="1.1.1.1")).id == "coder"
