"""The newest socket of an agent or a device wins; two programs with one credential do not kick each other for ever."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

import pytest
import trio
from trio_websocket import ConnectionClosed

from tests.faults.wire import Wire
from tests.harness import Agent, Scene, open_scene, open_socket


async def test_the_same_device_replaces_its_older_socket(tmp_path: Path) -> None:
    """With a close code that says so; other devices and device-less sockets stay."""
    async with open_scene(tmp_path) as scene:
        alice = await scene.register("alice")
        async with (
            scene.device(alice, "phone") as old,
            scene.device(alice, "laptop") as laptop,
            scene.device(alice) as one,
            scene.device(alice) as two,
            scene.device(alice, "phone") as new,
        ):
            assert (await old.closed())[0] == 4000
            for device in (laptop, one, two, new):
                await device.caught_up()


async def test_devices_of_two_people_with_one_name_are_two(tmp_path: Path) -> None:
    async with open_scene(tmp_path) as scene:
        alice, bob = await scene.register("alice"), await scene.register("bob")
        async with scene.device(alice, "phone") as hers, scene.device(bob, "phone") as his:
            await hers.caught_up()
            await his.caught_up()


@pytest.mark.parametrize("is_old", [True, False])
async def test_the_same_agent_replaces_its_older_socket(tmp_path: Path, is_old: bool) -> None:  # noqa: FBT001 - a parameter
    """Whichever protocol either of them speaks; the agent stays online all the while."""
    async with open_scene(tmp_path) as scene:
        alice, helper = await scene.register("alice"), await scene.register_agent("helper")
        talk = await scene.conversation(alice, helper)
        opened = scene.old_device if is_old else scene.device
        async with opened(helper) as old, scene.device(helper) as new:
            assert (await old.closed())[0] == 4000
            (agent,) = await scene.get("/agents", alice)
            assert agent["online"]
            async with scene.device(alice) as phone:
                await phone.send(talk, "which one?")
            assert (await new.next("message"))["content"] == "which one?"


async def test_what_a_replaced_socket_still_says_does_not_happen(tmp_path: Path) -> None:
    """Frames that it sent before it noticed are refused."""
    async with open_scene(tmp_path) as scene:
        alice, helper = await scene.register("alice"), await scene.register_agent("helper")
        talk = await scene.conversation(alice, helper)
        async with scene.device(alice, "phone") as old, scene.device(alice, "phone") as new:
            await new.caught_up()
            # It may have noticed meanwhile.
            with suppress(ConnectionClosed):
                await old.say("message", conversation_id=talk, content="too late", client_id=scene.client_id())
            assert (await old.closed())[0] == 4000
            await new.caught_up()
        assert await scene.get(f"/conversations/{talk}/messages", alice) == []


async def hello(scene: Scene, agent: Agent) -> tuple[dict[str, object], int, str]:
    """A v2 agent that is going to be refused: the error, the close code and its text."""
    async with open_socket(f"{scene.ws_url}/agent/connect", subprotocols=["v2"]) as socket:
        await socket.send_message(json.dumps({"type": "hello", "data": {"token": agent.secret, "agent_id": agent.id}}))
        told = json.loads(await socket.get_message())
        try:
            await socket.get_message()
        except ConnectionClosed:
            assert socket.closed is not None
        assert socket.closed is not None
        return told, socket.closed.code, socket.closed.reason or ""


async def test_the_third_newcomer_in_a_minute_is_sent_away(tmp_path: Path) -> None:
    """While the holder answers: 409 with Retry-After on v1, 4409 on v2; the holder keeps its place and its news."""
    async with open_scene(tmp_path) as scene:
        alice, helper = await scene.register("alice"), await scene.register_agent("helper")
        talk = await scene.conversation(alice, helper)
        async with scene.old_device(helper), scene.old_device(helper), scene.old_device(helper) as holder:
            answer = await scene.knock(f"/agent/connect?agent_id={helper.id}&agent_secret={helper.secret}")
            assert (answer.status_code, answer.json()["code"]) == (409, "replacement_loop")
            assert int(answer.headers["Retry-After"]) > 0
            told, code, text = await hello(scene, helper)
            assert (told["type"], code) == ("error", 4409)
            assert "retry after" in text
            async with scene.device(alice) as phone:
                await phone.send(talk, "still you?")
            assert (await holder.next("message"))["content"] == "still you?"
        async with scene.old_device(helper) as free:
            assert free.greeting["type"] == "connected", "once the holder has gone the place is free"


async def test_the_third_newcomer_with_a_device_id_is_sent_away(tmp_path: Path) -> None:
    async with open_scene(tmp_path) as scene:
        alice = await scene.register("alice")
        async with scene.device(alice, "phone"), scene.device(alice, "phone"), scene.device(alice, "phone") as holder:
            answer = await scene.knock(f"/client/connect?token={alice.token}&device_id=phone")
            assert answer.status_code == 409
            await holder.caught_up()


async def deaf(scene: Scene, agent: Agent, nursery: trio.Nursery) -> trio.SocketStream:
    """A holder on v1 that will never read again, as after its machine went to sleep."""
    del nursery
    stream = await trio.open_tcp_stream("127.0.0.1", scene.running.port)
    await stream.send_all(
        f"GET /agent/connect?agent_id={agent.id}&agent_secret={agent.secret} HTTP/1.1\r\nHost: x\r\n"
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
    )
    head = b""
    while b"connected" not in head:
        head += await stream.receive_some()
    return stream


async def test_a_program_whose_old_socket_is_half_dead_gets_in_at_once(tmp_path: Path) -> None:
    """Also as the third in a minute: a holder that does not answer within two seconds is no holder."""
    async with open_scene(tmp_path) as scene, trio.open_nursery() as nursery:
        helper = await scene.register_agent("helper")
        async with scene.old_device(helper), scene.old_device(helper):
            pass
        dead = [await deaf(scene, helper, nursery) for _ in range(2)]
        began = trio.current_time()
        async with scene.device(helper) as agent:
            assert agent.greeting["type"] == "connected"
            assert trio.current_time() - began < 3
        for stream in dead:
            await stream.aclose()


async def test_a_refused_newcomer_did_not_register_anything(tmp_path: Path) -> None:
    """A wrong secret changes nothing of who holds the place."""
    async with open_scene(tmp_path) as scene:
        helper = await scene.register_agent("helper")
        async with scene.device(helper) as holder:
            answer = await scene.knock("/agent/connect?agent_id=helper&agent_secret=wrong")
            assert answer.status_code == 401
            await holder.caught_up()


async def test_a_holder_whose_words_are_only_late_gives_way(tmp_path: Path) -> None:
    """Its network has gone, and what it said before is still being read: it is the same program that comes back."""
    async with open_scene(tmp_path) as scene:
        helper = await scene.register_agent("helper")
        async with scene.device(helper), scene.device(helper):
            with await Wire.open(scene.running.port, "/agent/connect", version="v2") as gone:
                await gone.say("hello", token=helper.secret, agent_id=helper.id)
                assert (await gone.receive())["type"] == "connected"

                async def talk_on() -> None:
                    # It reads nothing, so it answers no ping.
                    while True:
                        await gone.say("ping")
                        await trio.sleep(0.05)

                async with trio.open_nursery() as nursery:
                    nursery.start_soon(talk_on)
                    async with scene.device(helper) as back:
                        nursery.cancel_scope.cancel()
                        await back.caught_up()


async def test_a_holder_that_answers_stays(tmp_path: Path) -> None:
    """However little else it says."""
    async with open_scene(tmp_path) as scene:
        helper = await scene.register_agent("helper")
        async with scene.device(helper), scene.device(helper), scene.device(helper) as holder:
            error, code, _ = await hello(scene, helper)
            assert (error["data"]["code"], code) == ("replacement_loop", 4409)  # type: ignore[index]  # an error frame
            await holder.caught_up()
