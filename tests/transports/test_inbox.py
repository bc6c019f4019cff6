"""Commands of one socket: their budgets, their order, and how many may wait."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
import trio

from amtrio.errors import Conflict
from amtrio.feature import Context, Principal, registry
from amtrio.features.messages import SendMessage
from amtrio.transports.inbox import _fenced
from tests.harness import Agent, Person, Scene, open_scene

# Refused at once instead of being slowed: a wait of any length is too long.
AT_ONCE = {"max_read_delay_s": 0.0}


async def cast(scene: Scene) -> tuple[Person, Agent, str]:
    alice, helper = await scene.register("alice"), await scene.register_agent("helper")
    return alice, helper, await scene.conversation(alice, helper)


async def history(scene: Scene, alice: Person, talk: str) -> list[str]:
    return [m["content"] for m in await scene.get(f"/conversations/{talk}/messages", alice, limit=200)]


async def test_a_sender_over_budget_is_slowed_first(tmp_path: Path) -> None:
    """Every message is answered, none refused, and order holds."""
    async with open_scene(tmp_path, limits={"user_messages_per_minute": 120}) as scene:
        alice, _, talk = await cast(scene)
        async with scene.device(alice) as phone:
            began = trio.current_time()
            for number in range(122):
                await phone.say("message", ref=number, conversation_id=talk, content=f"n{number}")
            while len(phone.replies) < 122:
                await phone.take()
            assert {reply["type"] for reply in phone.replies.values()} == {"message_sent"}
            assert trio.current_time() - began >= 0.5
        assert await history(scene, alice, talk) == [f"n{number}" for number in range(122)]


async def test_after_a_refusal_order_holds(tmp_path: Path) -> None:
    """What follows a refused message is refused as well, until that one is sent again."""
    async with open_scene(tmp_path, limits={"user_messages_per_minute": 60}, sessions=AT_ONCE) as scene:
        alice, _, talk = await cast(scene)
        ids = [scene.client_id() for _ in range(64)]
        async with scene.device(alice) as phone:

            async def say(number: int) -> dict[str, Any]:
                reply = await phone.ask("message", conversation_id=talk, content=f"n{number}", client_id=ids[number])
                return {"type": reply["type"], **reply["data"]}

            told: list[dict[str, Any]] = []
            while not told or told[-1]["type"] == "message_sent":
                told.append(await say(len(told)))
            first = len(told) - 1
            assert first >= 60
            assert (told[-1]["code"], told[-1]["retry"], told[-1]["client_id"]) == ("rate_limited", "after_ms", ids[first])
            await trio.sleep(told[-1]["retry_after_ms"] / 1000 + 0.05)
            later = await say(first + 1)
            assert later["code"] == "rate_limited", "there is a token again, but it belongs to the one refused before"
            assert (await say(first))["type"] == "message_sent"
            await trio.sleep(1.05)
            assert (await say(first + 1))["type"] == "message_sent"
        assert await history(scene, alice, talk) == [f"n{number}" for number in range(first + 2)]


async def test_a_resend_costs_no_token(tmp_path: Path) -> None:
    """Whoever lost an answer may ask for it again and again."""
    async with open_scene(tmp_path, limits={"user_messages_per_minute": 3}, sessions=AT_ONCE) as scene:
        alice, _, talk = await cast(scene)
        async with scene.device(alice) as phone:
            for _ in range(10):
                await phone.send(talk, "once", client_id="the-same-message-1")
            await phone.send(talk, "two")
            await phone.send(talk, "three")
            refused = await phone.ask("message", conversation_id=talk, content="four", client_id=scene.client_id())
            assert refused["data"]["code"] == "rate_limited"
            assert (await phone.ask("read", conversation_id=talk))["type"] == "done", "other commands cost nothing"


async def test_the_budget_is_the_accounts_whatever_the_way(tmp_path: Path) -> None:
    """Two sockets and REST share it; an agent has its own."""
    async with open_scene(tmp_path, limits={"user_messages_per_minute": 3}, sessions=AT_ONCE) as scene:
        alice, helper, talk = await cast(scene)
        async with scene.device(alice) as phone, scene.old_device(alice) as old, scene.device(helper) as agent:
            await phone.send(talk, "one")
            await old.send(talk, "two")

            async def post() -> httpx.Response:
                return await scene.http.post(
                    f"/conversations/{talk}/messages", json={"content": "three"}, headers=alice.headers
                )

            assert (await post()).status_code == 200
            refused = await post()
            assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
            assert int(refused.headers["Retry-After"]) > 0
            await old.say("message", conversation_id=talk, content="four")
            told = await old.next("error")
            assert told["code"] == "rate_limited"
            assert told["retry_after_ms"] > 0
            for number in range(10):
                await agent.send(talk, f"agent {number}")
        assert scene.running.services.metrics.rate_limited >= 2


async def test_ephemeral_frames_have_their_own_budget(tmp_path: Path) -> None:
    """Typing too much costs no message, and is answered, not dropped in silence."""
    limits = {"ephemeral_per_minute": 3, "user_messages_per_minute": 3}
    async with open_scene(tmp_path, limits=limits, sessions=AT_ONCE) as scene:
        alice, _, talk = await cast(scene)
        async with scene.device(alice) as phone:
            for _ in range(3):
                await phone.say("typing", conversation_id=talk)
            refused = await phone.ask("typing", conversation_id=talk)
            assert refused["data"]["code"] == "rate_limited"
            assert refused["data"]["retry_after_ms"] > 0
            await phone.send(talk, "still heard")


async def test_answers_come_in_the_order_of_the_frames(tmp_path: Path) -> None:
    """Also with more of them than may wait for the database at once."""
    async with open_scene(tmp_path, sessions={"units_in_flight": 4}) as scene:
        alice, _, talk = await cast(scene)
        async with scene.device(alice) as phone:
            for number in range(100):
                await phone.say("message", ref=number, conversation_id=talk, content=f"n{number}")
            while len(phone.replies) < 100:
                await phone.take()
            assert list(phone.replies) == list(range(100))
            seqs = [phone.replies[number]["data"]["conversation_seq"] for number in range(100)]
            assert seqs == list(range(1, 101))


@pytest.mark.expects_error_log("command_failed")
async def test_a_bug_in_one_command_costs_one_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sender is told that it is ours, without details, and everything goes on."""
    async with open_scene(tmp_path) as scene:
        alice, _, talk = await cast(scene)
        async with scene.device(alice) as phone:
            with monkeypatch.context() as patched:
                patched.setattr("amtrio.features.conversations.conversation_row", lambda *_: 1 / 0)
                told = await phone.ask("rename", conversation_id=talk, title="x", client_id="a-command-of-mine")
            assert told["data"]["code"] == "internal"
            assert told["data"]["retry"] == "same_client_id"
            assert "division" not in str(told)
            await phone.send(talk, "and on")
            again = await phone.ask("rename", conversation_id=talk, title="x", client_id="a-command-of-mine")
            assert again["data"]["title"] == "x"


async def test_a_unit_of_a_replaced_socket_does_not_happen(tmp_path: Path) -> None:
    """Though it was handed to the writer before the newer one came."""
    async with open_scene(tmp_path) as scene:
        alice, _, talk = await cast(scene)
        principal = Principal("user", alice.id, f"u:{alice.id}", "alice", "s", "d:phone")
        context = Context(scene.running.services, principal, is_current=lambda: False)
        with pytest.raises(Conflict, match="replaced"):
            await scene.running.services.store.write(
                _fenced, context, registry.commands["message"], SendMessage(conversation_id=talk, content="late")
            )
        assert await history(scene, alice, talk) == []


async def test_commands_are_for_those_they_are_for(tmp_path: Path) -> None:
    async with open_scene(tmp_path) as scene:
        _, helper, _ = await cast(scene)
        async with scene.device(helper) as agent:
            refused = await agent.ask("create_conversation", agent_id="helper")
            assert refused["data"]["code"] == "forbidden"
