"""Two devices of one person: whatever one missed, it gets, as it is now, once."""

from __future__ import annotations

from pathlib import Path

from tests.harness import MovableClock, open_scene


async def test_a_phone_that_was_off_for_a_day(tmp_path: Path) -> None:
    """It gets what the laptop sent, edits and deletions as they are now, and read marks; none of it twice."""
    clock = MovableClock()
    async with open_scene(tmp_path, clock=clock) as scene:
        alice, helper = await scene.register("alice"), await scene.register_agent("helper")
        talk = await scene.conversation(alice, helper)
        async with scene.device(alice, "phone") as phone, scene.device(helper) as agent:
            early = await agent.send(talk, "seen before")
            await phone.next("message")
            await phone.ack()
            await phone.caught_up()
            at, epoch = phone.seq, phone.greeting["data"]["epoch"]
        clock.move(days=0.5)
        async with scene.device(alice, "laptop") as laptop, scene.device(helper) as agent:
            typo = await laptop.send(talk, "helo from the laptop")
            await laptop.ask("edit", message_id=typo["message_id"], content="hello from the laptop")
            secret = await agent.send(talk, "a secret")
            await agent.ask("delete", message_id=secret["message_id"])
            await agent.ask("edit", message_id=early["message_id"], content="changed meanwhile")
            await agent.send(talk, "kept")
            await laptop.ask("read", conversation_id=talk)
            await agent.ask("read", conversation_id=talk)
            extra = await laptop.ask("create_conversation", agent_id="helper", title="Short-lived")
            short = extra["data"]["conversation_id"]
            await laptop.send(short, "into the void")
            await laptop.ask("delete_conversation", conversation_id=short)
            await laptop.caught_up()
            end = laptop.seq
        clock.move(days=0.49)
        async with scene.device(alice, "phone", since=at, epoch=epoch) as phone:
            while phone.seq < end:
                await phone.take()
            assert [frame["seq"] for frame in phone.events] == list(range(at + 1, end + 1))
            shown: dict[str, str] = {}
            for frame in phone.events:
                if frame["type"] in {"message", "message_edited", "message_deleted"}:
                    data = frame["data"]
                    shown[data["message_id"]] = "" if data.get("deleted") else data["content"]
                    assert "secret" not in data["content"]
                    assert "helo" not in data["content"]
            assert list(shown.values()) == ["hello from the laptop", "", "changed meanwhile", "kept"]
            own = [frame["data"] for frame in phone.events if frame["data"].get("sender_type") == "client"]
            assert {each["client_id"] for each in own} == {typo["client_id"]}
            receipts = {
                frame["data"]["account_kind"]: frame["data"]["read_up_to"]
                for frame in phone.events
                if frame["type"] == "receipt"
            }
            assert receipts == {"user": 4, "agent": 4}
            assert "gone" in {frame["type"] for frame in phone.events}
            assert [frame["type"] for frame in phone.events if frame["data"].get("conversation_id") == short] == [
                "conversation_deleted"
            ]
            await phone.ack()
            await phone.caught_up()
            assert len(phone.events) == end - at
        async with scene.device(alice, "phone") as phone:
            await phone.caught_up()
            assert phone.events == [], "what it acked is not told again"


async def test_an_old_phone_that_was_off_for_a_day(tmp_path: Path) -> None:
    """The same for v1: today's truth in its own words, and of what was deleted no text at all."""
    clock = MovableClock()
    async with open_scene(tmp_path, clock=clock) as scene:
        alice, helper = await scene.register("alice"), await scene.register_agent("helper")
        talk = await scene.conversation(alice, helper)
        async with scene.old_device(alice, "phone"):
            pass
        clock.move(days=0.5)
        async with scene.old_device(alice, "tablet") as tablet, scene.device(helper) as agent:
            await tablet.send(talk, "from the tablet")
            edited = await agent.send(talk, "helo")
            await agent.ask("edit", message_id=edited["message_id"], content="hello")
            secret = await agent.send(talk, "a secret")
            await agent.ask("delete", message_id=secret["message_id"])
            await agent.send(talk, "end")
        clock.move(days=0.4)
        heard: list[str] = []
        async with scene.old_device(alice, "phone") as phone:
            while not heard or heard[-1] != "end":
                frame = await phone.frame()
                assert "secret" not in str(frame)
                if frame["type"] == "message":
                    heard.append(frame["data"]["content"])
            # Its own socket answers the confirming ping, so that a return finds nothing new.
            await phone.say("ping")
            await phone.next("pong")
        assert heard == ["from the tablet", "hello", "end"]


async def test_a_device_learns_at_once_what_another_one_sends(tmp_path: Path) -> None:
    """v2 shows it everywhere, the sender included, under its client_id; a v1 sender does not hear itself."""
    async with open_scene(tmp_path) as scene:
        alice, helper = await scene.register("alice"), await scene.register_agent("helper")
        talk = await scene.conversation(alice, helper)
        async with (
            scene.device(alice, "phone") as phone,
            scene.device(alice, "laptop") as laptop,
            scene.old_device(alice, "tablet") as tablet,
        ):
            sent = await phone.send(talk, "from the phone")
            assert (await laptop.next("message"))["client_id"] == sent["client_id"]
            own = [frame["data"] for frame in phone.events if frame["type"] == "message"]
            assert [each["client_id"] for each in own] == [sent["client_id"]]
            assert (await tablet.next("message"))["content"] == "from the phone"
            await tablet.send(talk, "from the tablet")
            assert (await laptop.next("message"))["content"] == "from the tablet"
            assert (await phone.next("message", content="from the tablet"))["sender_type"] == "client"
            await tablet.say("ping")
            assert (await tablet.frame())["type"] == "pong", "its own message must not come back before this"


async def test_a_new_device_begins_at_the_head_of_its_login(tmp_path: Path) -> None:
    """What was said before a login is history, what was said since is news, however late the socket opens."""
    async with open_scene(tmp_path) as scene:
        alice, helper = await scene.register("alice"), await scene.register_agent("helper")
        talk = await scene.conversation(alice, helper)
        async with scene.device(helper) as agent:
            await agent.send(talk, "before")
            again = await scene.login("alice")
            await agent.send(talk, "after")
        for device_id in ("new-phone", None):
            async with scene.device(again, device_id) as device:
                assert (await device.next("message"))["content"] == "after"
                assert device.events[0]["data"]["content"] == "after"


async def test_an_agent_hears_what_was_said_before_it_first_came(tmp_path: Path) -> None:
    """An agent's place in its log begins with its account, at nothing."""
    async with open_scene(tmp_path) as scene:
        alice, helper = await scene.register("alice"), await scene.register_agent("helper")
        talk = await scene.conversation(alice, helper)
        async with scene.old_device(alice) as phone:
            assert (await phone.send(talk, "anybody there?"))["status"] == "queued"
        async with scene.old_device(helper) as agent:
            assert (await agent.next("message"))["content"] == "anybody there?"
            async with scene.old_device(alice) as phone:
                assert (await phone.send(talk, "good"))["status"] == "delivered"
