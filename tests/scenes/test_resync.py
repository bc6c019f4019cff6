"""A place in the log that cannot be served is never passed over in silence."""

from __future__ import annotations

from pathlib import Path

import pytest

from amtrio.store.log import Pruned, prune
from tests.harness import Agent, Person, Scene, open_scene


async def prune_everything(scene: Scene) -> None:
    """As if all rows were older than the log keeps and every device away for longer than it waits."""
    # Cursors that sessions have just left are written first, or they would be written after.
    await scene.running.sessions.write_cursors()
    later = scene.running.services.clock.now_us() + 10**15
    done = Pruned(1, "")
    while done.rows or done.next_account:
        done = await scene.running.services.store.write(
            prune, before_us=later, max_rows=1000, keep_cursor_us=later, after_account=done.next_account or ""
        )


async def cast(scene: Scene) -> tuple[Person, Agent, str]:
    alice, helper = await scene.register("alice"), await scene.register_agent("helper")
    return alice, helper, await scene.conversation(alice, helper)


@pytest.mark.parametrize(
    ("since", "epoch", "reason"), [(0, "another-history", "epoch"), (10**6, None, "ahead"), (0, None, "pruned")]
)
async def test_v2_is_told_to_resync(tmp_path: Path, since: int, epoch: str | None, reason: str) -> None:
    """Of another epoch, ahead of the head, or before the kept log: the reason is named, and a snapshot takes over."""
    async with open_scene(tmp_path) as scene:
        alice, helper, talk = await cast(scene)
        async with scene.device(helper) as agent:
            for number in range(5):
                await agent.send(talk, f"n{number}")
            if reason == "pruned":
                await prune_everything(scene)
            epoch = epoch or agent.greeting["data"]["epoch"]
            async with scene.device(alice, "phone", since=since, epoch=epoch) as phone:
                told = await phone.take()
                assert told["type"] == "resync"
                assert told["data"]["reason"] == reason
                assert told["data"]["seq"] == phone.seq == phone.greeting["data"]["head"]
                assert told["data"]["epoch"] == phone.greeting["data"]["epoch"]
                snapshot = await scene.get("/snapshot", alice)
                assert (snapshot["epoch"], snapshot["seq"]) == (told["data"]["epoch"], phone.seq)
                (shown,) = snapshot["conversations"]
                assert [each["content"] for each in shown["messages"]] == [f"n{number}" for number in range(5)]
                await agent.send(talk, "live again")
                assert (await phone.next("message"))["content"] == "live again"


async def test_v1_gets_its_unread_messages_instead(tmp_path: Path) -> None:
    """It knows no resync: what it has not read comes from the messages themselves, oldest first, then live news."""
    async with open_scene(tmp_path) as scene:
        alice, helper, talk = await cast(scene)
        async with scene.old_device(alice, "phone"):
            pass
        async with scene.device(helper) as agent:
            await agent.send(talk, "read elsewhere")
            async with scene.device(alice, "laptop") as laptop:
                await laptop.ask("read", conversation_id=talk)
                await laptop.send(talk, "own words")
            gone = await agent.send(talk, "deleted")
            for number in range(70):
                await agent.send(talk, f"n{number}")
            await agent.ask("delete", message_id=gone["message_id"])
            await prune_everything(scene)
            async with scene.old_device(alice, "phone") as phone:
                heard = [(await phone.next("message"))["content"] for _ in range(70)]
                assert heard == [f"n{number}" for number in range(70)]
                await agent.send(talk, "live again")
                assert (await phone.next("message"))["content"] == "live again"
                await phone.say("ping")
                await phone.next("pong")
        async with scene.old_device(alice, "phone") as phone, scene.device(helper) as agent:
            await agent.send(talk, "the end")
            heard = []
            while "the end" not in heard:
                heard.append((await phone.next("message"))["content"])
            assert len(heard) <= 2, "the unread ones came again"


async def test_v1_that_is_cut_while_it_gets_its_unread_messages_gets_them_again(tmp_path: Path) -> None:
    """Its cursor jumps to the head only when they have arrived."""
    async with open_scene(tmp_path) as scene:
        alice, helper, talk = await cast(scene)
        async with scene.old_device(alice, "phone"):
            pass
        async with scene.device(helper) as agent:
            for number in range(70):
                await agent.send(talk, f"n{number}")
        await prune_everything(scene)
        async with scene.old_device(alice, "phone"):
            pass  # it saw nothing of it: the line was cut
        async with scene.old_device(alice, "phone") as phone:
            assert (await phone.next("message"))["content"] == "n0"


FLOOD = 250
WIDE = "x" * 60_000


async def test_a_log_pruned_under_an_open_socket(tmp_path: Path) -> None:
    """A socket that is far behind when its place is pruned is told as well, and goes on."""
    async with open_scene(tmp_path) as scene:
        alice, helper, talk = await cast(scene)
        async with scene.device(alice, "phone") as phone, scene.device(helper) as agent:
            await phone.caught_up()
            # It reads nothing, so its socket fills, and its session waits with the rest.
            for number in range(FLOOD):
                await agent.send(talk, f"n{number}" + WIDE)
            await prune_everything(scene)
            frame = await phone.take()
            while frame["type"] != "resync":
                frame = await phone.take()
            assert frame["data"]["reason"] == "pruned"
            assert len(phone.events) < FLOOD
            phone.seq = frame["data"]["seq"]
            phone.events.clear()
            await agent.send(talk, "after")
            await phone.next("message", content="after")


async def test_a_log_pruned_under_an_open_socket_of_v1(tmp_path: Path) -> None:
    """It gets its unread messages then; nothing is missing, though some come twice."""
    async with open_scene(tmp_path) as scene:
        alice, helper, talk = await cast(scene)
        async with scene.old_device(alice, "phone") as phone, scene.device(helper) as agent:
            for number in range(FLOOD):
                await agent.send(talk, f"n{number} " + WIDE)
            await prune_everything(scene)
            await agent.send(talk, "after")
            heard = [""]
            while heard[-1] != "after":
                heard.append((await phone.next("message"))["content"].split()[0])
            assert {f"n{number}" for number in range(FLOOD)} <= set(heard)
