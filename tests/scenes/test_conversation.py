"""A person and an agent talk: the whole server over real sockets."""

from __future__ import annotations

from pathlib import Path

from tests.harness import open_scene


async def test_a_person_and_an_agent_hold_a_conversation(tmp_path: Path) -> None:
    """A message reaches the agent, the answer reaches every device of the person, and both are in the history."""
    async with open_scene(tmp_path) as scene:
        alice, helper = await scene.register("alice"), await scene.register_agent("helper")
        talk = await scene.conversation(alice, helper)
        async with (
            scene.device(alice, "phone") as phone,
            scene.device(alice, "laptop") as laptop,
            scene.device(helper) as agent,
        ):
            sent = await phone.send(talk, "hello")
            assert sent["status"] == "stored"
            assert sent["conversation_seq"] == 1
            heard = await agent.next("message")
            assert heard["content"] == "hello"
            assert heard["sender_type"] == "client"
            await agent.send(talk, "hello yourself")
            for device in (phone, laptop):
                assert (await device.next("message", sender_type="agent"))["content"] == "hello yourself"
        messages = await scene.get(f"/conversations/{talk}/messages", alice)
        assert [each["content"] for each in messages] == ["hello", "hello yourself"]


async def test_a_device_that_was_away_gets_what_it_missed(tmp_path: Path) -> None:
    """What happened while a device was offline is told when it returns, in order, once."""
    async with open_scene(tmp_path) as scene:
        alice, helper = await scene.register("alice"), await scene.register_agent("helper")
        talk = await scene.conversation(alice, helper)
        async with scene.device(alice, "phone") as phone:
            await phone.caught_up()
            await phone.ack()
            seen, epoch = phone.seq, phone.greeting["data"]["epoch"]
        async with scene.device(helper) as agent:
            for number in range(300):
                await agent.send(talk, f"news {number}")
        async with scene.device(alice, "phone", since=seen, epoch=epoch) as phone:
            heard = [(await phone.next("message"))["content"] for _ in range(300)]
        assert heard == [f"news {number}" for number in range(300)]
