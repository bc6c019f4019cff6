"""Saying that somebody looks at the app."""

from __future__ import annotations

from amtrio.model.attention import Attention
from tests.features.conftest import Cast
from tests.harness import Scene


async def test_a_device_says_that_somebody_looks(scene: Scene, cast: Cast) -> None:
    """And that nobody does any more; it gets no answer, and nobody else hears of it."""
    attention = scene.running.services.own(Attention)
    account = f"u:{cast.alice.id}"
    async with scene.device(cast.alice, "laptop") as laptop, scene.device(cast.helper) as agent:
        for visible in (True, True, False, False, True):
            await laptop.say("visible", visible=visible)
            await laptop.caught_up()
            assert (attention.looks_until(account) is not None) is visible
            assert attention.looks_until(f"u:{cast.bob.id}") is None
        await agent.caught_up()
        # It is shown what was before its first connection, and who comes and goes.
        assert {each["type"] for each in agent.events} <= {"conversation_created"}
        assert {each["type"] for each in agent.ephemeral} <= {"presence_update", "status"}
        assert laptop.replies == {}


async def test_nobody_looks_once_the_last_socket_has_ended(scene: Scene, cast: Cast) -> None:
    attention = scene.running.services.own(Attention)
    account = f"u:{cast.alice.id}"
    async with scene.device(cast.alice, "laptop") as laptop:
        async with scene.device(cast.alice, "phone") as phone:
            await phone.say("visible", visible=True)
            await phone.caught_up()
        # Another device is connected: what the phone said ends by itself.
        assert attention.looks_until(account) is not None
        await laptop.caught_up()
        await laptop.socket.aclose()
    async with scene.device(cast.bob) as other:
        await other.caught_up()
    assert attention.looks_until(account) is None


async def test_agents_have_no_screens(scene: Scene, cast: Cast) -> None:
    async with scene.device(cast.helper) as agent:
        refused = await agent.ask("visible", visible=True)
        assert (refused["type"], refused["data"]["code"]) == ("error", "forbidden")


async def test_a_flag_is_needed(scene: Scene, cast: Cast) -> None:
    async with scene.device(cast.alice) as phone:
        for nonsense in ({}, {"visible": "yes"}):
            assert (await phone.ask("visible", **nonsense))["data"]["code"] == "malformed"
