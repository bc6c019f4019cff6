"""Two programs of one person on one token, without device ids: one cursor, and nobody misses a thing."""

from __future__ import annotations

from pathlib import Path

import trio

from amtrio.store.log import get_cursor, head
from tests.harness import PATIENCE_SECONDS, Agent, OldDevice, Person, Scene, open_scene

COUNT = 150


async def flood(scene: Scene, helper: Agent, talk: str, count: int) -> None:
    async with scene.device(helper) as agent:
        for number in range(count):
            await agent.send(talk, f"n{number}")


async def stored(scene: Scene, person: Person) -> tuple[int, int]:
    """The cursor on disk of the login, and the head of the log."""
    await scene.running.sessions.write_cursors()
    account = f"u:{person.id}"
    (session,) = (await scene.get("/auth/sessions", person))["sessions"]

    def read(tx: object) -> tuple[int, int]:
        cursor = get_cursor(tx, account, session["session_id"])  # type: ignore[arg-type]  # a ReadTx
        return cursor or 0, head(tx, account).head  # type: ignore[arg-type]  # a ReadTx

    return await scene.running.services.store.read(read)


async def read_until(device: OldDevice, content: str) -> list[str]:
    heard: list[str] = []
    while not heard or heard[-1] != content:
        heard.append((await device.next("message"))["content"])
    return heard


async def all_stored(scene: Scene, alice: Person, *devices: OldDevice) -> None:
    """Now that they read on and answer pings, the cursor comes to the head."""
    with trio.fail_after(PATIENCE_SECONDS):
        cursor, newest = 0, 1
        while cursor != newest:
            for device in devices:
                await device.say("ping")
                await device.next("pong")
            await trio.sleep(0.05)
            cursor, newest = await stored(scene, alice)


async def _neither(scene: Scene, alice: Person, helper: Agent, talk: str, awake: OldDevice) -> None:
    """One of two sockets reads everything; what is stored, and where a third one begins, is where the other stopped."""
    everything = [f"n{number}" for number in range(COUNT)]
    async with trio.open_nursery() as nursery:
        nursery.start_soon(flood, scene, helper, talk, COUNT)
        assert await read_until(awake, everything[-1]) == everything
    # More than the 250 ms after which it is asked what has arrived, and it answers.
    await trio.sleep(0.6)
    cursor, newest = await stored(scene, alice)
    # The sleeper's program has taken two frames at most off its socket, neither of them confirmed.
    assert cursor <= newest - COUNT + 2
    async with scene.old_device(alice) as third:
        assert (await read_until(third, everything[-1]))[-COUNT + 2 :] == everything[2:]


async def test_neither_cursor_passes_what_the_other_has_not_seen(tmp_path: Path) -> None:
    """One socket stops reading; the other one's confirmations do not count for it."""
    async with open_scene(tmp_path) as scene:
        alice, helper = await scene.register("alice"), await scene.register_agent("helper")
        talk = await scene.conversation(alice, helper)
        everything = [f"n{number}" for number in range(COUNT)]
        async with scene.old_device(alice) as awake:
            # Cancelled rather than closed: a program that stopped reading says no goodbye.
            with trio.CancelScope() as nap:
                async with scene.old_device(alice) as asleep:
                    await _neither(scene, alice, helper, talk, awake)
                    assert asleep.socket.closed is None
                    nap.cancel()
            cursor, newest = await stored(scene, alice)
            assert cursor <= newest - COUNT + 2, "it left without having seen it"
            async with scene.old_device(alice) as back:
                assert (await read_until(back, everything[-1]))[-COUNT + 2 :] == everything[2:]
                await all_stored(scene, alice, awake, back)


async def test_a_cursor_moves_when_the_only_socket_has_confirmed(tmp_path: Path) -> None:
    """After a return nothing is repeated that was confirmed, and nothing is missing."""
    async with open_scene(tmp_path) as scene:
        alice, helper = await scene.register("alice"), await scene.register_agent("helper")
        talk = await scene.conversation(alice, helper)
        async with scene.old_device(alice) as phone:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(flood, scene, helper, talk, COUNT)
                await read_until(phone, f"n{COUNT - 1}")
            await all_stored(scene, alice, phone)
        await flood(scene, helper, talk, 1)
        async with scene.old_device(alice) as phone:
            assert await read_until(phone, "n0") == ["n0"]


async def test_a_socket_that_is_cut_gets_the_unconfirmed_again(tmp_path: Path) -> None:
    """Whatever was on the way when the line was cut comes again; nothing is missing and order holds."""
    async with open_scene(tmp_path) as scene:
        alice, helper = await scene.register("alice"), await scene.register_agent("helper")
        talk = await scene.conversation(alice, helper)
        first: list[str] = []
        async with scene.old_device(alice) as phone, trio.open_nursery() as nursery:
            nursery.start_soon(flood, scene, helper, talk, COUNT)
            while len(first) < COUNT // 2:
                first.append((await phone.next("message"))["content"])
            await trio.aclose_forcefully(phone.socket._stream)
        async with scene.old_device(alice) as phone:
            rest = await read_until(phone, f"n{COUNT - 1}")
        everything = [f"n{number}" for number in range(COUNT)]
        assert first == everything[: len(first)]
        start = everything.index(rest[0])
        assert start <= len(first), "a hole"
        assert rest == everything[start:]
