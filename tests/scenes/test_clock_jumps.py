"""The wall clock jumps; order, cursors, pages and budgets do not mind."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.harness import MovableClock, open_scene


@pytest.mark.parametrize("days", [3650.0, -1.0, -3650.0])
async def test_a_conversation_across_a_jump(tmp_path: Path, days: float) -> None:
    """Numbers go on, events come in order, pages join, the list is by activity, a missed event is found again."""
    clock = MovableClock()
    # Tokens end by the wall clock, as they should; here it is about the rest.
    async with open_scene(
        tmp_path, clock=clock, auth={"access_token_hours": 8760.0 * 20}, limits={"user_messages_per_minute": 1000}
    ) as scene:
        alice, helper = await scene.register("alice"), await scene.register_agent("helper")
        talk = await scene.conversation(alice, helper)
        async with scene.device(alice, "laptop") as laptop, scene.device(helper) as agent:
            async with scene.device(alice, "phone") as phone:
                for number in range(3):
                    await agent.send(talk, f"n{number}")
                await phone.next("message", content="n2")
                await phone.ack()
                await phone.caught_up()
            clock.move(days=days)
            for number in range(3, 6):
                await agent.send(talk, f"n{number}")
            await laptop.next("message", content="n5")
            contents = [f["data"]["content"] for f in laptop.events if f["type"] == "message"]
            assert contents == [f"n{number}" for number in range(6)]
            async with scene.device(alice, "phone") as phone:
                heard = [(await phone.next("message"))["content"] for _ in range(3)]
                assert heard == ["n3", "n4", "n5"]
            messages = await scene.get(f"/conversations/{talk}/messages", alice)
            assert [each["conversation_seq"] for each in messages] == list(range(1, 7))
            older = await scene.get(f"/conversations/{talk}/messages", alice, before=messages[4]["id"], limit=2)
            assert [each["content"] for each in older] == ["n2", "n3"]
            made = await laptop.ask("create_conversation", agent_id="helper", title="newest")
            listed = await scene.get("/conversations", alice)
            assert [each["id"] for each in listed] == [made["data"]["id"], talk]
            await laptop.ask("read", conversation_id=talk)
            assert (await scene.get(f"/conversations/{talk}", alice))["unread_count"] == 0


async def test_a_time_as_cursor_after_the_clock_was_set_back(tmp_path: Path) -> None:
    """It is resolved to a number first, so the page has no hole and its order is that of the conversation."""
    clock = MovableClock()
    async with open_scene(tmp_path, clock=clock) as scene:
        alice, helper = await scene.register("alice"), await scene.register_agent("helper")
        talk = await scene.conversation(alice, helper)
        async with scene.device(helper) as agent:
            await agent.send(talk, "late by the clock")
            clock.move(days=-0.5)
            middle = await agent.send(talk, "early by the clock")
            clock.move(days=0.1)
            await agent.send(talk, "last")
        shown = await scene.get(f"/conversations/{talk}/messages", alice, before=middle["created_at"])
        numbers = [each["conversation_seq"] for each in shown]
        assert numbers == sorted(numbers)
        shown = await scene.get(f"/conversations/{talk}/messages", alice, after=middle["created_at"])
        assert [each["content"] for each in shown] == ["last"]


async def test_budgets_go_by_the_monotonic_clock(tmp_path: Path) -> None:
    """A clock ten years ahead fills no bucket."""
    clock = MovableClock()
    limits, sessions = {"agent_messages_per_minute": 3}, {"max_read_delay_s": 0.0}
    async with open_scene(tmp_path, clock=clock, limits=limits, sessions=sessions) as scene:
        alice, helper = await scene.register("alice"), await scene.register_agent("helper")
        talk = await scene.conversation(alice, helper)
        async with scene.device(helper) as agent:
            for number in range(3):
                await agent.send(talk, f"n{number}")
            for days in (3650, -3651):
                clock.move(days=days)
                told = await agent.ask("message", conversation_id=talk, content="more", client_id="one-too-many-0001")
                assert told["data"]["code"] == "rate_limited"
