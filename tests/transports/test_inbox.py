"""Commands in, answers out: budgets, pressure and order."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from amtrio.context import Nothing
from amtrio.errors import StorageUnavailable
from amtrio.feature import CommandSpec, registry
from amtrio.store.database import Tx
from amtrio.transports.frames import text_frame
from tests.harness import Agent, Device, Person, Scene, open_scene


async def cast(scene: Scene) -> tuple[Person, Agent, str]:
    alice, helper = await scene.register("alice"), await scene.register_agent("helper")
    return alice, helper, await scene.conversation(alice, helper)


def message(talk: str, number: int) -> dict[str, Any]:
    return {"conversation_id": talk, "content": f"n{number}", "client_id": f"client-id-of-n{number:06d}"}


async def answers(device: Device, count: int) -> list[dict[str, Any]]:
    """The next answers, in their order."""
    found: list[dict[str, Any]] = []
    while len(found) < count:
        frame = await device.take()
        if "ref" in frame:
            found.append(frame)
    return found


async def contents(scene: Scene, person: Person, talk: str) -> list[str]:
    return [each["content"] for each in await scene.get(f"/conversations/{talk}/messages", person, limit=200)]


class HeldWriter:
    """The writer's thread, kept busy until released."""

    def __init__(self, scene: Scene) -> None:
        self.store = scene.running.services.store
        self._release, self._is_held = threading.Event(), trio.Event()
        self._token = trio.lowlevel.current_trio_token()

    def _unit(self, _tx: Tx) -> None:
        self._token.run_sync_soon(self._is_held.set)
        assert self._release.wait(30)

    async def hold(self, nursery: trio.Nursery) -> None:
        nursery.start_soon(self.store.write, self._unit)
        await self._is_held.wait()

    def release(self) -> None:
        self._release.set()


async def test_at_most_so_many_commands_wait_for_the_database(tmp_path: Path) -> None:
    """The 32nd stops the reading; once the writer goes on, all are answered in the order of their frames."""
    async with open_scene(tmp_path) as scene:
        alice, _, talk = await cast(scene)
        metrics = scene.running.services.metrics
        async with scene.device(alice, "phone") as phone, trio.open_nursery() as nursery:
            await phone.caught_up()
            writer = HeldWriter(scene)
            await writer.hold(nursery)
            before = metrics.messages_in
            for number in range(100):
                await phone.say("message", ref=number, **message(talk, number))
            await wait_all_tasks_blocked(0.1)
            assert metrics.messages_in - before == scene.config.sessions.units_in_flight == 32
            writer.release()
            assert [frame["ref"] for frame in await answers(phone, 100)] == list(range(100))
        assert await contents(scene, alice, talk) == [f"n{number}" for number in range(100)]


async def test_one_who_is_pressed_presses_nobody_else(tmp_path: Path) -> None:
    """Another socket of the same account is read on meanwhile."""
    async with open_scene(tmp_path, sessions={"units_in_flight": 2}) as scene:
        alice, _, talk = await cast(scene)
        async with scene.device(alice, "one") as one, scene.device(alice, "two") as two, trio.open_nursery() as nursery:
            writer = HeldWriter(scene)
            await writer.hold(nursery)
            for number in range(10):
                await one.say("message", ref=number, **message(talk, number))
            await two.caught_up()
            writer.release()
            assert len(await answers(one, 10)) == 10


async def test_commands_of_a_socket_that_is_gone_have_happened_or_not(tmp_path: Path) -> None:
    """What was handed over before the end is stored, whole, in order; nobody is left waiting for the answers."""
    async with open_scene(tmp_path) as scene:
        alice, _, talk = await cast(scene)
        async with trio.open_nursery() as nursery:
            async with scene.device(alice) as phone:
                await phone.caught_up()
                writer = HeldWriter(scene)
                await writer.hold(nursery)
                for number in range(50):
                    await phone.say("message", ref=number, **message(talk, number))
                await wait_all_tasks_blocked(0.1)
                await trio.aclose_forcefully(phone.socket._stream)
            await wait_all_tasks_blocked(0.05)
            writer.release()
        with trio.fail_after(5):
            while len(scene.running.sessions):
                await trio.lowlevel.checkpoint()
        stored = await contents(scene, alice, talk)
        assert stored == [f"n{number}" for number in range(len(stored))]
        assert len(stored) >= 32


async def test_a_sender_over_budget_is_slowed_before_it_is_refused(tmp_path: Path, mock_clock: MockClock) -> None:
    """A token a second: the 61st message waits for its token, nobody loses a thing, order stays."""
    async with open_scene(tmp_path, limits={"user_messages_per_minute": 60}) as scene:
        alice, _, talk = await cast(scene)
        async with scene.device(alice, "phone") as phone:
            for number in range(63):
                await phone.say("message", ref=number, **message(talk, number))
            assert len(await answers(phone, 60)) == 60
            await wait_all_tasks_blocked(0.05)
            for number in range(60, 63):
                assert len(await contents(scene, alice, talk)) == number
                mock_clock.jump(1.01)
                (answer,) = await answers(phone, 1)
                assert (answer["type"], answer["ref"]) == ("message_sent", number)
        assert scene.running.services.metrics.rate_limited == 0


async def test_when_the_wait_would_be_long_it_is_refused(tmp_path: Path, mock_clock: MockClock) -> None:
    """With code, wait and the message's client_id; the socket stays open and is read on."""
    async with open_scene(tmp_path, limits={"user_messages_per_minute": 6}) as scene:
        alice, _, talk = await cast(scene)
        async with scene.device(alice, "phone") as phone:
            for number in range(6):
                await phone.ask("message", **message(talk, number))
            refused = await phone.ask("message", **message(talk, 6))
            assert refused["type"] == "error"
            assert refused["data"] == {
                "error": "rate limit exceeded: too many messages",
                "code": "rate_limited",
                "retry": "after_ms",
                "retry_after_ms": 10_001,
                "client_id": "client-id-of-n000006",
            }
            await phone.caught_up()
            assert scene.running.services.metrics.rate_limited == 1
            mock_clock.jump(10.01)
            assert (await phone.ask("message", **message(talk, 6)))["type"] == "message_sent"


async def test_what_follows_a_refused_message_waits_for_it(tmp_path: Path, mock_clock: MockClock) -> None:
    """Also when the budget would allow it again: the two would change places."""
    async with open_scene(tmp_path, limits={"user_messages_per_minute": 6}) as scene:
        alice, _, talk = await cast(scene)
        async with scene.device(alice, "phone") as phone:
            for number in range(10):
                await phone.say("message", ref=number, **message(talk, number))
            # A refusal waits for no disk, so it may overtake the answers before it.
            told = {frame["ref"]: frame["type"] for frame in await answers(phone, 10)}
            assert [told[number] for number in range(10)] == ["message_sent"] * 6 + ["error"] * 4
            mock_clock.jump(60)
            late = await phone.ask("message", **message(talk, 7))
            assert late["data"]["code"] == "rate_limited"
            assert late["data"]["client_id"] == "client-id-of-n000007"
            nameless = await phone.ask("message", conversation_id=talk, content="without a name")
            assert nameless["data"]["code"] == "rate_limited"
            for number in range(6, 10):
                assert (await phone.ask("message", **message(talk, number)))["type"] == "message_sent"
            # Other commands were never held up, nor other sockets.
        assert await contents(scene, alice, talk) == [f"n{number}" for number in range(10)]


async def test_the_older_protocol_knows_no_such_rule(tmp_path: Path, mock_clock: MockClock) -> None:
    """Its clients do not send again: what comes later is taken as soon as the budget allows."""
    async with open_scene(tmp_path, limits={"user_messages_per_minute": 6}) as scene:
        alice, _, talk = await cast(scene)
        async with scene.old_device(alice) as old:
            for number in range(6):
                await old.send(talk, f"n{number}")
            await old.say("message", **message(talk, 6))
            assert (await old.next("error"))["code"] == "rate_limited"
            mock_clock.jump(11)
            await old.send(talk, "n7")
        assert await contents(scene, alice, talk) == ["n0", "n1", "n2", "n3", "n4", "n5", "n7"]


async def test_sending_again_costs_nothing(tmp_path: Path, mock_clock: MockClock) -> None:
    """A client that repeats what was stored already is not punished for its caution."""
    async with open_scene(tmp_path, limits={"user_messages_per_minute": 6}) as scene:
        alice, _, talk = await cast(scene)
        async with scene.device(alice, "phone") as phone:
            for _ in range(20):
                assert (await phone.ask("message", **message(talk, 0)))["type"] == "message_sent"
            for number in range(1, 6):
                assert (await phone.ask("message", **message(talk, number)))["type"] == "message_sent"
            assert (await phone.ask("message", **message(talk, 6)))["type"] == "error"


async def test_the_budget_is_the_accounts(tmp_path: Path, mock_clock: MockClock) -> None:
    """Two sockets share it, two people do not; an agent has its own."""
    async with open_scene(tmp_path, limits={"user_messages_per_minute": 4, "agent_messages_per_minute": 2}) as scene:
        alice, helper, talk = await cast(scene)
        bob = await scene.register("bob")
        other = await scene.conversation(bob, helper)
        async with (
            scene.device(alice, "one") as one,
            scene.device(alice, "two") as two,
            scene.device(bob) as his,
            scene.device(helper) as agent,
        ):
            for device, number in ((one, 0), (two, 1), (one, 2), (two, 3)):
                assert (await device.ask("message", **message(talk, number)))["type"] == "message_sent"
            assert (await one.ask("message", **message(talk, 4)))["type"] == "error"
            assert (await two.ask("message", **message(talk, 5)))["type"] == "error"
            assert (await his.ask("message", **message(other, 0)))["type"] == "message_sent"
            for number in range(2):
                assert (await agent.ask("message", **message(talk, number)))["type"] == "message_sent"
            assert (await agent.ask("message", **message(talk, 2)))["type"] == "error"


async def test_ephemeral_frames_have_a_budget_of_their_own(tmp_path: Path, mock_clock: MockClock) -> None:
    """Typing and status share it; a message never costs one, nor the other way round."""
    limits = {"ephemeral_per_minute": 3, "user_messages_per_minute": 2}
    async with open_scene(tmp_path, limits=limits) as scene:
        alice, _, talk = await cast(scene)
        async with scene.device(alice, "phone") as phone:
            await phone.say("typing", ref="a", conversation_id=talk)
            await phone.say("status", ref="b", status="busy")
            await phone.say("typing", ref="c", conversation_id=talk)
            refused = await phone.ask("status", status="idle")
            assert refused["data"]["code"] == "rate_limited"
            assert refused["data"]["retry_after_ms"] == 20_001
            assert set(phone.replies) == set(), "nothing is answered that went well"
            for number in range(2):
                assert (await phone.ask("message", **message(talk, number)))["type"] == "message_sent"
            mock_clock.jump(20.1)
            await phone.say("status", ref="d", status="idle")
            await phone.caught_up()
            assert set(phone.replies) == set()


async def test_no_command_is_free(tmp_path: Path, mock_clock: MockClock) -> None:
    """
    What costs a request over REST costs something over the socket too, and never a message; agents have more of it.
    """
    limits = {"ephemeral_per_minute": 3, "user_messages_per_minute": 2, "agent_messages_per_minute": 5}
    async with open_scene(tmp_path, limits=limits) as scene:
        alice, helper, talk = await cast(scene)
        ids = {"conversation_id": talk, "agent_id": "x", "message_id": "x", "run_id": "run-of-the-tests-01"}
        words = {"emoji": "👍", "tag": "x", "title": "x", "content": "x", "action": "stop", "outcome": "done"}
        for who, most in ((alice, 3), (helper, 5)):
            async with scene.device(who, "one") as one:
                for number in range(most):
                    asked = await one.ask("update_conversation", conversation_id=talk, title=f"{number}")
                    assert asked["type"] == "done"
                for word in sorted(registry.commands):
                    spec = registry.commands[word]
                    if spec.budget == "command" and spec.who in ("member", "user" if who is alice else "agent"):
                        told = await one.ask(word, **ids, **words, pinned=True)
                        assert told["data"]["code"] == "rate_limited", word
                assert (await one.ask("message", **message(talk, most)))["type"] == "message_sent"
        assert {spec.budget for spec in registry.commands.values()} == {"message", "ephemeral", "command", "run"}
        mock_clock.jump(20.1)
        async with scene.device(alice, "two") as two:
            assert (await two.ask("history", conversation_id=talk))["type"] == "history"


async def test_what_is_not_for_ones_kind_is_refused(tmp_path: Path) -> None:
    """Before it runs, with the ref; the socket lives on."""
    async with open_scene(tmp_path) as scene:
        _, helper, _ = await cast(scene)
        async with scene.device(helper) as agent:
            refused = await agent.ask("create_conversation", agent_id="helper")
            assert (refused["type"], refused["data"]["code"]) == ("error", "forbidden")
            await agent.caught_up()


async def test_a_refusal_of_the_database_is_answered_and_can_be_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command has not happened, and its client_id is free."""
    disk = {"is_full": True}

    def keep(tx: Tx, ctx: object, frame: Nothing) -> dict[str, bool]:
        if disk["is_full"]:
            text = "the disk is full"
            raise StorageUnavailable(text)
        return {"kept": True}

    monkeypatch.setitem(registry.commands, "keep", CommandSpec(keep, Nothing, "write", "member", "keep", "command"))
    async with open_scene(tmp_path) as scene:
        alice = await scene.register("alice")
        async with scene.device(alice) as phone:
            told = (await phone.ask("keep"))["data"]
            assert (told["code"], told["retry"]) == ("storage_unavailable", "same_client_id")
            disk["is_full"] = False
            assert await phone.ask("keep") == {"type": "done", "ref": "r2", "data": {"kept": True}}


@pytest.mark.expects_error_log("command_failed")
async def test_a_bug_in_one_command_is_its_senders_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is answered with `internal`; the commands beside it in the same commit go through."""

    def fail(tx: Tx, ctx: object, frame: Nothing) -> None:
        raise KeyError

    monkeypatch.setitem(registry.commands, "fail", CommandSpec(fail, Nothing, "write", "member", "fail", "command"))
    async with open_scene(tmp_path) as scene:
        alice, _, talk = await cast(scene)
        async with scene.device(alice) as phone:
            await phone.say("message", ref=0, **message(talk, 0))
            await phone.say("fail", ref=1)
            await phone.say("message", ref=2, **message(talk, 1))
            told = await answers(phone, 3)
            assert [frame["type"] for frame in told] == ["message_sent", "error", "message_sent"]
            assert told[1]["data"]["code"] == "internal"
            assert "KeyError" not in json.dumps(told)
        assert scene.running.services.metrics.errors == 1


async def test_a_sender_that_reads_no_answers_is_read_no_more(tmp_path: Path) -> None:
    """Past the high-water mark of its own socket; once it reads, it gets every answer."""
    async with open_scene(tmp_path, sessions={"high_water_bytes": 4096}) as scene:
        alice, _, talk = await cast(scene)
        text = "x" * 60_000
        async with scene.device(alice, "phone") as phone, trio.open_nursery() as nursery:
            sent = 0

            async def send() -> None:
                nonlocal sent
                for number in range(400):
                    await phone.say("history", ref=number, conversation_id=talk, limit=1)
                    sent += 1

            await phone.send(talk, text)
            metrics = scene.running.services.metrics
            before = metrics.messages_in
            nursery.start_soon(send)
            await wait_all_tasks_blocked(0.3)
            assert metrics.messages_in - before < 400
            told = await answers(phone, 400)
            assert [frame["ref"] for frame in told] == list(range(400))


async def test_a_sender_that_was_pressed_from_both_sides_is_read_again(tmp_path: Path) -> None:
    """
    Its last command is done while its answers still wait for the socket: once they are gone it is read on.

    The reader waits for one thing at a time; whoever frees the other must not leave it asleep.
    """
    async with open_scene(tmp_path, sessions={"units_in_flight": 1, "high_water_bytes": 8192}) as scene:
        alice, _, talk = await cast(scene)
        async with scene.device(alice) as phone, trio.open_nursery() as nursery:
            count = 200

            async def say() -> None:
                for number in range(count):
                    text = f"n{number}" + " " * 60_000
                    await phone.say("message", ref=number, **(message(talk, number) | {"content": text}))

            nursery.start_soon(say)
            # Nobody reads: the buffers of both kernels and then the server's own are full of what was sent back.
            await wait_all_tasks_blocked(0.3)
            assert [frame["ref"] for frame in await answers(phone, count)] == list(range(count))


async def test_a_large_answer_waits_until_a_large_event_before_it_has_gone(tmp_path: Path) -> None:
    """Both at once would be more than may wait for a socket; it lives, and nothing is cut."""
    async with open_scene(tmp_path) as scene:
        alice, helper, talk = await cast(scene)
        async with scene.device(helper) as agent:
            for number in range(12):
                await agent.send(talk, f"{number} {'x' * 60_000}")
        async with scene.device(alice) as phone:
            await phone.caught_up()
            (session,) = [each for each in scene.running.sessions.open if each.account == f"u:{alice.id}"]
            socket = session.socket
            assert socket is not None
            while not socket.buffered:
                socket.send(text_frame(b'{"type":"note","data":{"text":"%b"}}' % (b"x" * 30_000)))
            socket.send(text_frame(b'{"type":"note","data":{"text":"%b"}}' % (b"x" * 500_000)))
            await phone.say("history", ref="page", conversation_id=talk, limit=12)
            await wait_all_tasks_blocked(0.05)
            while "page" not in phone.replies:
                await phone.take()
            assert len(phone.replies["page"]["data"]["messages"]) == 12
