"""Who is writing at this moment."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.features.conftest import Cast
from tests.harness import Scene, open_scene


async def test_a_sign_of_writing_reaches_the_other_side_only(scene: Scene, cast: Cast) -> None:
    """Not the sender's own devices, not strangers."""
    async with (
        scene.device(cast.alice) as phone,
        scene.device(cast.alice) as laptop,
        scene.device(cast.bob) as stranger,
        scene.device(cast.helper) as agent,
    ):
        await phone.say("typing", conversation_id=cast.talk)
        told = await agent.next("typing")
        assert told == {
            "conversation_id": cast.talk,
            "sender_type": "client",
            "sender_id": cast.alice.id,
            "agent_id": "helper",
            "typing": True,
        }
        await phone.say("typing", conversation_id=cast.talk, typing=False)
        assert (await agent.next("typing"))["typing"] is False
        for device in (phone, laptop, stranger):
            await device.caught_up()
            assert "typing" not in {frame["type"] for frame in device.ephemeral}


async def test_it_stops_with_the_message(scene: Scene, cast: Cast) -> None:
    """Before or after the message, once."""
    async with scene.device(cast.alice) as phone, scene.device(cast.helper) as agent:
        await agent.say("typing", conversation_id=cast.talk)
        await phone.next("typing", typing=True)
        await agent.send(cast.talk, "here it is")
        await phone.next("typing", typing=False)
        await agent.send(cast.talk, "and more")
        await phone.next("message", content="and more")
        await phone.caught_up()
        assert [f["data"]["typing"] for f in phone.ephemeral if f["type"] == "typing"] == [True, False]


async def test_it_stops_by_itself(tmp_path: Path) -> None:
    """A lost "stopped" leaves nobody typing for ever; a sign that is repeated goes on."""
    async with open_scene(tmp_path, sessions={"typing_stop_s": 0.5}) as scene:
        alice, helper = await scene.register("alice"), await scene.register_agent("helper")
        talk = await scene.conversation(alice, helper)
        async with scene.device(alice) as phone, scene.device(helper) as agent:
            await agent.say("typing", conversation_id=talk)
            await phone.next("typing", typing=True)
            await phone.next("typing", typing=False)


async def test_a_missing_flag_means_true_and_nulls_are_ignored(scene: Scene, cast: Cast) -> None:
    """As shipped clients send it: flat, nested, with nulls."""
    async with scene.device(cast.alice) as phone, scene.old_device(cast.helper) as agent:
        for frame in (
            f'{{"type":"typing","conversation_id":"{cast.talk}"}}',
            f'{{"type":"typing","data":{{"conversation_id":"{cast.talk}","typing":null,"content":null}}}}',
        ):
            await agent.socket.send_message(frame)
            assert (await phone.next("typing"))["typing"] is True


@pytest.mark.parametrize("conversation", ["other", "missing"])
async def test_writing_where_one_is_not(scene: Scene, cast: Cast, conversation: str) -> None:
    """Refused, and nobody hears of it."""
    id_ = cast.other if conversation == "other" else "conv_missing"
    async with scene.device(cast.alice) as phone, scene.device(cast.bob) as bob:
        assert (await phone.ask("typing", conversation_id=id_))["data"]["code"] == "not_found"
        await bob.caught_up()
        assert "typing" not in {frame["type"] for frame in bob.ephemeral}
