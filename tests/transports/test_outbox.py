"""What goes out: everything, in order, once, whatever the pace of whoever reads it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from amtrio.errors import StorageUnavailable
from amtrio.fanout.hub import Outgoing
from amtrio.protocol.frames import Gone, Resync
from amtrio.store.log import Pruned, prune
from amtrio.transports.outbox import MAX_RECENT
from amtrio.transports.sessions import POISON_CONNECTIONS
from tests.conftest import Journal
from tests.harness import Agent, Person, Scene, open_scene


async def cast(scene: Scene) -> tuple[Person, Agent, str]:
    alice, helper = await scene.register("alice"), await scene.register_agent("helper")
    return alice, helper, await scene.conversation(alice, helper)


def outbox(scene: Scene, person: Person) -> Any:
    """Of the person's one socket."""
    (session,) = [each for each in scene.running.sessions.open if each.account == f"u:{person.id}"]
    return session.outbox


async def confirmed(scene: Scene, person: Person) -> None:
    """Until everything has arrived at the person's one socket."""
    box = outbox(scene, person)
    with trio.fail_after(5):
        while box.unconfirmed:
            await trio.lowlevel.checkpoint()


async def prune_everything(scene: Scene) -> None:
    later = scene.running.services.clock.now_us() + 10**15
    done = Pruned(1, "")
    while done.rows or done.next_account:
        done = await scene.running.services.store.write(
            prune, before_us=later, max_rows=1000, keep_cursor_us=later, after_account=done.next_account or ""
        )


async def test_a_caught_up_socket_has_no_task(tmp_path: Path) -> None:
    """Events are written from the hub's own call; the pump of the beginning has ended."""
    async with open_scene(tmp_path) as scene:
        alice, helper, talk = await cast(scene)
        async with scene.device(alice) as phone, scene.device(helper) as agent:
            await phone.caught_up()
            await wait_all_tasks_blocked(0.02)
            box = outbox(scene, alice)
            assert not box._pumping
            for number in range(50):
                await agent.send(talk, f"n{number}")
                assert not box._pumping
            for number in range(50):
                assert (await phone.next("message"))["content"] == f"n{number}"


async def test_one_who_reads_slowly_misses_nothing_and_delays_nobody(tmp_path: Path) -> None:
    """Past the high-water mark the live path leaves it alone; it catches up from the log, in order."""
    count, text = 120, "x" * 60_000
    async with open_scene(tmp_path, sessions={"high_water_bytes": 8192}) as scene:
        alice, helper, talk = await cast(scene)
        async with scene.device(alice, "slow") as slow, scene.device(alice, "quick") as quick:
            await quick.caught_up()
            async with scene.device(helper) as agent:
                for number in range(count):
                    await agent.send(talk, f"{number} {text}")
                    assert (await quick.next("message"))["content"].startswith(f"{number} ")
                (slow_session,) = [each for each in scene.running.sessions.open if each.device_id == "slow"]
                assert slow_session.socket is not None
                assert 0 < slow_session.socket.buffered < 8192 + 200_000, "what waits is bounded"
                assert slow_session.unconfirmed > 0
                for number in range(count):
                    assert (await slow.next("message"))["content"].startswith(f"{number} ")
                # And live again.
                await agent.send(talk, "at last")
                assert (await slow.next("message"))["content"] == "at last"


async def test_it_catches_up_while_there_is_always_something_newer(tmp_path: Path) -> None:
    """More news during the catching up than the pump keeps: neither a hole nor a repeat, and it ends."""
    count = MAX_RECENT * 6
    async with open_scene(tmp_path) as scene:
        alice, helper, talk = await cast(scene)
        async with scene.device(helper) as agent, trio.open_nursery() as nursery:

            async def read_on() -> None:
                # An agent that read no answers would be read no more itself.
                while True:
                    await agent.socket.get_message()

            async def say(first: int) -> None:
                for number in range(first, first + count):
                    await agent.say("message", conversation_id=talk, content=f"n{number}")

            nursery.start_soon(read_on)
            await say(0)
            async with scene.device(alice, since=0) as phone:
                nursery.start_soon(say, count)
                heard = [(await phone.next("message"))["content"] for _ in range(count * 2)]
                assert heard == [f"n{number}" for number in range(count * 2)]
                await phone.caught_up()
                await wait_all_tasks_blocked(0.05)
                assert not outbox(scene, alice)._pumping
            nursery.cancel_scope.cancel()


async def test_what_the_outbox_is_offered_out_of_order(tmp_path: Path) -> None:
    """A number it has is ignored, one too far sends it to the log: the client sees no difference."""
    async with open_scene(tmp_path) as scene:
        alice, helper, talk = await cast(scene)
        async with scene.device(alice) as phone, scene.device(helper) as agent:
            await agent.send(talk, "one")
            await phone.next("message")
            box = outbox(scene, alice)
            empty = Outgoing(
                Gone(),
                device=None,
                at_us=0,
                published_at=0.0,
            )
            before = box.position
            box.offer(empty, before)
            box.offer(empty, before - 1)
            assert box.position == before
            await agent.send(talk, "two")
            assert (await phone.next("message"))["content"] == "two"
            await phone.caught_up()


async def test_what_is_urgent_reaches_the_busy_too_and_what_is_dropped_says_so(tmp_path: Path) -> None:
    """A stop must not wait until an agent has read its messages; who misses a change is shown the whole later."""
    async with open_scene(tmp_path, sessions={"high_water_bytes": 8192}) as scene:
        alice, _, _ = await cast(scene)
        async with scene.device(alice, "phone") as phone, scene.old_device(alice, "old"):
            told: dict[tuple[str, bool], bool] = {}
            for session in scene.running.sessions.open:
                assert session.outbox is not None
                assert session.socket is not None
                while session.socket.buffered <= 8192:
                    session.socket.send(b"\x8a\x7d" + b"x" * 125)  # pongs that nobody asked for
                for is_urgent in (False, True):
                    news = Outgoing(
                        Resync(epoch=str(is_urgent), seq=0, reason="ahead"),
                        device=None,
                        at_us=0,
                        published_at=0,
                        is_urgent=is_urgent,
                    )
                    told[session.dialect.name, is_urgent] = session.tell(news)
            assert told == {("v2", False): False, ("v2", True): True, ("v1", False): True, ("v1", True): True}
            assert (await phone.next("resync"))["epoch"] == "True"


async def test_ephemeral_news_are_dropped_for_the_busy(tmp_path: Path) -> None:
    """Typing does not queue up behind a reader that does not read; messages do, in the log."""
    async with open_scene(tmp_path, sessions={"high_water_bytes": 8192}) as scene:
        alice, helper, talk = await cast(scene)
        async with scene.device(alice) as phone, scene.device(helper) as agent:
            await phone.caught_up()
            box = outbox(scene, alice)
            while box._socket.buffered <= box.low_water:
                await agent.send(talk, "x" * 60_000)
                # The kernel may find more room a moment later.
                await wait_all_tasks_blocked(0.05)
            for _ in range(50):
                await agent.say("typing", conversation_id=talk, typing=True)
            await agent.caught_up()
            await agent.send(talk, "the last one")
            assert (await phone.next("message", content="the last one"))["content"] == "the last one"
            assert "typing" not in {frame["type"] for frame in phone.ephemeral}


async def test_a_log_pruned_past_an_open_socket(tmp_path: Path) -> None:
    """v2: the pump finds the hole and says resync, with the number to go on after."""
    async with open_scene(tmp_path, sessions={"high_water_bytes": 8192}) as scene:
        alice, helper, talk = await cast(scene)
        async with scene.device(alice) as phone, scene.device(helper) as agent:
            await phone.caught_up()
            box = outbox(scene, alice)
            for _ in range(120):
                await agent.send(talk, "x" * 60_000)
            assert box._pumping
            await prune_everything(scene)
            while (frame := await phone.frame())["type"] != "resync":
                assert frame.get("seq", phone.seq + 1) == phone.seq + 1
                phone.seq = frame.get("seq", phone.seq)
            assert frame["data"]["reason"] == "pruned"
            assert frame["data"]["seq"] > phone.seq
            phone.seq = frame["data"]["seq"]
            await agent.send(talk, "after the hole")
            assert (await phone.next("message"))["content"] == "after the hole"


async def test_v1_behind_a_pruned_log_gets_its_unread(tmp_path: Path) -> None:
    """Once: when they are confirmed its cursor is at the head."""
    async with open_scene(tmp_path) as scene:
        alice, helper, talk = await cast(scene)
        async with scene.device(helper) as agent:
            for number in range(5):
                await agent.send(talk, f"n{number}")
            await prune_everything(scene)
            async with scene.old_device(alice) as old:
                assert [(await old.next("message"))["content"] for _ in range(5)] == [f"n{n}" for n in range(5)]
                await agent.send(talk, "live")
                assert (await old.next("message"))["content"] == "live"
                await confirmed(scene, alice)
            async with scene.old_device(alice) as old:
                await agent.send(talk, "new")
                assert (await old.next("message"))["content"] == "new"


async def test_older_clients_confirm_without_knowing(tmp_path: Path) -> None:
    """The pong of one ping after 250 ms proves all that came before it; one that does not pong confirms nothing."""
    async with open_scene(tmp_path) as scene:
        alice, helper, talk = await cast(scene)
        async with scene.device(helper) as agent, scene.old_device(alice) as old:
            for number in range(10):
                await agent.send(talk, f"n{number}")
            await old.next("message", content="n9")
            await confirmed(scene, alice)


async def test_a_backlog_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """1013: come back later; nothing was skipped then."""
    async with open_scene(tmp_path) as scene:
        alice, helper, talk = await cast(scene)
        async with scene.device(helper) as agent:
            await agent.send(talk, "hello")
        store = scene.running.services.store
        whole = type(store).read

        async def refuse(self: Any, unit: Any, *args: Any, **kwargs: Any) -> Any:
            if unit.__name__ == "read_page":
                text = "the disk is gone"
                raise StorageUnavailable(text)
            return await whole(self, unit, *args, **kwargs)

        with monkeypatch.context() as patch:
            patch.setattr(type(store), "read", refuse)
            async with scene.device(alice, "phone", since=0) as phone:
                assert (await phone.closed())[0] == 1013
        async with scene.device(alice, "phone", since=0) as phone:
            assert (await phone.next("message"))["content"] == "hello"


async def test_a_client_that_vanishes_while_it_is_caught_up_with(tmp_path: Path) -> None:
    """The pump ends with its socket, without a word in the log; the next connection gets everything."""
    async with open_scene(tmp_path) as scene:
        alice, helper, talk = await cast(scene)
        async with scene.device(helper) as agent:
            for number in range(100):
                await agent.send(talk, f"{number} " + "x" * 60_000)
        upgrade = (
            f"GET /client/connect?token={alice.token} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n"
            "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        async with await trio.open_tcp_stream("127.0.0.1", scene.running.port) as stream:
            await stream.send_all(upgrade.encode())
            assert (await stream.receive_some()).startswith(b"HTTP/1.1 101")
            await wait_all_tasks_blocked(0.1)
            assert outbox(scene, alice)._pumping
        with trio.fail_after(5):
            while len(scene.running.sessions):
                await trio.lowlevel.checkpoint()
        async with scene.device(alice, since=0) as phone:
            for number in range(100):
                assert (await phone.next("message"))["content"].startswith(f"{number} ")


# --------------------------------------------------------------------------------------------------------------- poison


async def nobody_left(scene: Scene) -> None:
    with trio.fail_after(5):
        while len(scene.running.sessions):
            await trio.lowlevel.checkpoint()


async def stuck(scene: Scene, *, confirms: bool = False, count: int = 1) -> list[str]:
    """Open alice's phone so often from the same place and leave; the types of the first event each time."""
    alice = await scene.login("alice")
    found = []
    for _ in range(count):
        async with scene.device(alice, "phone", since=1) as phone:
            frame = await phone.take()
            assert frame["seq"] == 2
            found.append(frame["type"])
            if confirms:
                await phone.say("ack", seq=2)
                await phone.caught_up()
        await nobody_left(scene)
    return found


async def with_news(scene: Scene) -> None:
    alice, helper = await scene.register("alice"), await scene.register_agent("helper")
    talk = await scene.conversation(alice, helper)
    async with scene.device(helper) as agent:
        await agent.send(talk, "poison")
        await agent.send(talk, "water")
    await nobody_left(scene)


async def test_an_event_that_ends_its_client_each_time_is_skipped(tmp_path: Path, journal: Journal) -> None:
    """After five connections that died of it the sixth gets its bare number, then the rest; the log says so."""
    async with open_scene(tmp_path) as scene:
        await with_news(scene)
        assert await stuck(scene, count=POISON_CONNECTIONS) == ["message"] * POISON_CONNECTIONS
        assert "event_skipped" not in {entry["event"] for entry in journal.entries}
        alice = await scene.login("alice")
        async with scene.device(alice, "phone", since=1) as phone:
            skipped = await phone.take()
            assert skipped["type"] == "gone"
            assert skipped["data"]["skipped"] is True
            history = await phone.ask("history", conversation_id=skipped["data"]["conversation_id"])
            assert "poison" in [each["content"] for each in history["data"]["messages"]]
            assert (await phone.next("message"))["content"] == "water"
        # Another device of the same person is another story.
        async with scene.device(alice, "laptop", since=1) as laptop:
            assert (await laptop.next("message"))["content"] == "poison"
    (told,) = [entry for entry in journal.entries if entry["event"] == "event_skipped"]
    assert (told["level"], told["seq"]) == ("warning", 2)


async def test_an_event_that_was_confirmed_is_no_poison(tmp_path: Path) -> None:
    """A client that forgets its place, and is told the same again and again, misses nothing."""
    async with open_scene(tmp_path) as scene:
        await with_news(scene)
        assert set(await stuck(scene, confirms=True, count=8)) == {"message"}


async def test_one_confirmation_clears_the_suspicion(tmp_path: Path) -> None:
    async with open_scene(tmp_path) as scene:
        await with_news(scene)
        await stuck(scene, count=POISON_CONNECTIONS - 1)
        await stuck(scene, confirms=True)
        assert set(await stuck(scene, count=POISON_CONNECTIONS)) == {"message"}


async def test_windows_opened_side_by_side_are_no_poison(tmp_path: Path) -> None:
    """Eight programs on one token begin with the same event and have all the time to confirm it."""
    async with open_scene(tmp_path) as scene:
        await with_news(scene)
        alice = await scene.login("alice")
        async with trio.open_nursery() as nursery:

            async def look() -> None:
                async with scene.device(alice, since=1) as window:
                    assert (await window.take())["type"] == "message"
                    await trio.sleep(0.5)

            for _ in range(8):
                nursery.start_soon(look)


async def test_suspicion_is_forgotten_after_a_while(tmp_path: Path, mock_clock: MockClock) -> None:
    """Ten minutes later the event has its chance again."""
    async with open_scene(tmp_path) as scene:
        await with_news(scene)
        alice = await scene.login("alice")
        await stuck(scene, count=POISON_CONNECTIONS)
        mock_clock.jump(601)
        async with scene.device(alice, "phone", since=1) as phone:
            assert (await phone.take())["type"] == "message"
