"""All sockets together: places, counts, cursors, poison."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio

from amtrio.context import Principal
from amtrio.errors import StorageUnavailable
from amtrio.protocol.session import Close
from amtrio.transports import sessions as module
from tests.conftest import Journal
from tests.harness import open_scene


async def test_an_account_has_at_most_so_many_sockets(tmp_path: Path) -> None:
    """One more is refused with 429 and when to come back; one that replaces another is none more."""
    async with open_scene(tmp_path, limits={"connections_per_account": 2}) as scene:
        alice = await scene.register("alice")
        async with scene.device(alice, "phone"), scene.device(alice) as laptop:
            answer = await scene.knock(f"/client/connect?token={alice.token}")
            assert (answer.status_code, answer.json()["code"]) == (429, "rate_limited")
            async with scene.device(alice, "phone"):
                await laptop.caught_up()
        assert len(scene.running.sessions) <= 3


async def test_an_event_that_ends_its_client_each_time_is_skipped(tmp_path: Path, journal: Journal) -> None:
    """After five connections that never confirmed it, its bare number is sent, and the rest gets through."""
    async with open_scene(tmp_path) as scene:
        alice, helper = await scene.register("alice"), await scene.register_agent("helper")
        talk = await scene.conversation(alice, helper)
        async with scene.device(alice, "phone") as phone:
            await phone.next("conversation_created")
            await phone.ack()
            await phone.caught_up()
        async with scene.device(helper) as agent:
            await agent.send(talk, "poison")
            await agent.send(talk, "cure")
        for _ in range(module.POISON_CONNECTIONS):
            async with scene.device(alice, "phone") as phone:
                assert (await phone.next("message"))["content"] == "poison"
        async with scene.device(alice, "phone") as phone:
            assert (await phone.next("message"))["content"] == "cure"
            assert phone.events[0]["type"] == "gone"
    assert [entry["connections"] for entry in journal.entries if entry["event"] == "event_skipped"] == [5]


async def test_a_confirmed_event_is_no_suspect(tmp_path: Path) -> None:
    """Whoever got past it is not counted as stuck any more; another event counts anew."""
    async with open_scene(tmp_path) as scene:
        sessions = scene.running.sessions
        who = Principal("user", "1", "u:1", "alice", "s", "phone")
        for _ in range(module.POISON_CONNECTIONS):
            assert not sessions.is_poison(who, 5)
            sessions.ended_unconfirmed(who, 5)
        assert not sessions.is_poison(who, 6)
        sessions.confirmed(who, 5)
        assert not sessions.is_poison(who, 5)


async def test_cursors_wait_for_a_disk_that_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What could not be written is written later; nobody is told anything wrong."""
    async with open_scene(tmp_path) as scene:
        alice, helper = await scene.register("alice"), await scene.register_agent("helper")
        talk = await scene.conversation(alice, helper)
        store = scene.running.services.store
        async with scene.device(alice, "phone") as phone, scene.device(helper) as agent:
            await agent.send(talk, "hello")
            await phone.next("message")
            with monkeypatch.context() as patched:
                patched.setattr(module, "_write_cursors", _refuse)
                await phone.ack()
                await phone.caught_up()
                await scene.running.sessions.write_cursors()
            await scene.running.sessions.write_cursors()
            seen = phone.seq
        stored = await store.read(
            lambda tx: tx.one(
                "SELECT seq FROM cursor WHERE device_key = 'd:phone' AND account_key = :a", a=f"u:{alice.id}"
            )
        )
        assert stored == (seen,)


def _refuse(*_: object) -> None:
    raise StorageUnavailable("full")


async def test_older_clients_never_hear_that_the_server_goes_for_good(tmp_path: Path) -> None:
    """One of them takes 1001 for an end that it wanted; a restart, which brings it back, is told to all alike."""
    async with open_scene(tmp_path) as scene:
        alice = await scene.register("alice")
        async with scene.old_device(alice) as old, scene.device(alice) as new:
            scene.running.sessions.leave(Close.RESTART, "later")
            await old.say("ping")
            await old.next("pong")
            scene.running.sessions.leave(Close.GOING_AWAY, "bye")
            assert await old.closed() == (Close.RESTART, "bye")
            await new.caught_up()


async def test_places_are_free_when_sockets_have_gone(tmp_path: Path) -> None:
    """Nothing is left behind by a hundred comings and goings."""
    async with open_scene(tmp_path) as scene:
        alice = await scene.register("alice")
        for _ in range(30):
            async with scene.device(alice, "phone"), scene.device(alice):
                pass
        with trio.fail_after(5):
            while len(scene.running.sessions):  # noqa: ASYNC110 - the server offers no event for a test to wait on
                await trio.sleep(0.01)
        await scene.running.sessions.write_cursors()
        assert scene.running.sessions._places == {}
        assert scene.running.hub.cursors._shared == {}
