"""Who asks for too much is refused with an answer; whatever way it came, order holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import trio

from tests.harness import Agent, Person, Scene, open_scene

# Refused at once instead of being slowed: a wait of any length is too long.
AT_ONCE = {"max_read_delay_s": 0.0}


async def cast(scene: Scene) -> tuple[Person, Agent, str]:
    alice, helper = await scene.register("alice"), await scene.register_agent("helper")
    return alice, helper, await scene.conversation(alice, helper)


async def history(scene: Scene, alice: Person, talk: str) -> list[str]:
    return [m["content"] for m in await scene.get(f"/conversations/{talk}/messages", alice, limit=200)]


async def test_after_a_refusal_order_holds(tmp_path: Path) -> None:
    """What follows a refused message is refused as well, until that one is sent again."""
    async with open_scene(tmp_path, limits={"user_messages_per_minute": 60}, sessions=AT_ONCE) as scene:
        alice, _, talk = await cast(scene)
        ids = [scene.client_id() for _ in range(64)]
        async with scene.device(alice) as phone:

            async def say(number: int) -> dict[str, Any]:
                reply = await phone.ask("message", conversation_id=talk, content=f"n{number}", client_id=ids[number])
                return {"type": reply["type"], **reply["data"]}

            told: list[dict[str, Any]] = []
            while not told or told[-1]["type"] == "message_sent":
                told.append(await say(len(told)))
            first = len(told) - 1
            assert first >= 60
            assert (told[-1]["code"], told[-1]["retry"], told[-1]["client_id"]) == (
                "rate_limited",
                "after_ms",
                ids[first],
            )
            await trio.sleep(told[-1]["retry_after_ms"] / 1000 + 0.05)
            later = await say(first + 1)
            assert later["code"] == "rate_limited", "there is a token again, but it belongs to the one refused before"
            assert (await say(first))["type"] == "message_sent"
            await trio.sleep(1.05)
            assert (await say(first + 1))["type"] == "message_sent"
        assert await history(scene, alice, talk) == [f"n{number}" for number in range(first + 2)]


async def test_the_budget_is_the_accounts_whatever_the_way(tmp_path: Path) -> None:
    """Two sockets and REST share it; an agent has its own."""
    async with open_scene(tmp_path, limits={"user_messages_per_minute": 3}, sessions=AT_ONCE) as scene:
        alice, helper, talk = await cast(scene)
        async with scene.device(alice) as phone, scene.old_device(alice) as old, scene.device(helper) as agent:
            await phone.send(talk, "one")
            await old.send(talk, "two")

            async def post() -> httpx.Response:
                return await scene.http.post(
                    f"/conversations/{talk}/messages", json={"content": "three"}, headers=alice.headers
                )

            assert (await post()).status_code == 200
            refused = await post()
            assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
            assert int(refused.headers["Retry-After"]) > 0
            await old.say("message", conversation_id=talk, content="four")
            told = await old.next("error")
            assert told["code"] == "rate_limited"
            assert told["retry_after_ms"] > 0
            for number in range(10):
                await agent.send(talk, f"agent {number}")
        assert scene.running.services.metrics.rate_limited >= 2
