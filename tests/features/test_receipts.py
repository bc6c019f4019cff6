"""How far everybody has read, and how far it was delivered."""

from __future__ import annotations

from typing import Any

import pytest

from tests.features.conftest import Cast
from tests.harness import Scene


async def test_reading_moves_a_watermark_that_only_grows(scene: Scene, cast: Cast) -> None:
    """Up to a number, a message or the end; backwards and past the end are no errors."""
    async with scene.device(cast.alice) as phone, scene.device(cast.helper) as agent:
        sent = [await agent.send(cast.talk, f"n{number}") for number in range(4)]

        async def read(**data: Any) -> tuple[int, int]:
            done = (await phone.ask("read", conversation_id=cast.talk, **data))["data"]
            return done["read_up_to"], done["count"]

        assert await read(up_to=1) == (1, 1)
        assert await read(message_id=sent[2]["message_id"]) == (3, 2)
        assert await read(up_to=2) == (3, 0)
        assert await read(up_to=-5) == (3, 0)
        assert await read(up_to=10**9) == (4, 1)
        assert await read() == (4, 0)
        told = [await agent.next("receipt") for _ in range(3)]
        assert [each["read_up_to"] for each in told] == [1, 3, 4]
        assert {(each["account_kind"], each["account_id"]) for each in told} == {("user", cast.alice.id)}
        await agent.caught_up()
        assert sum(frame["type"] == "receipt" for frame in agent.events) == 3, "nothing moved, nothing is told"


async def test_v1_hears_counts_and_ids(scene: Scene, cast: Cast) -> None:
    """As read_receipt, over the older route with a form."""
    async with scene.old_device(cast.helper) as agent:
        sent = [await agent.send(cast.talk, f"n{number}") for number in range(2)]
        answer = await scene.http.post(
            "/conversations/mark-read", data={"conversation_id": cast.talk}, headers=cast.alice.headers
        )
        assert answer.json()["status"] == "marked_read"
        told = await agent.next("read_receipt")
        assert (told["read_by"], told["count"]) == (cast.alice.id, 2)
        assert told["message_ids"] == [each["message_id"] for each in sent]


async def test_read_messages_show_when(scene: Scene, cast: Cast) -> None:
    async with scene.device(cast.alice) as phone, scene.device(cast.helper) as agent:
        await phone.send(cast.talk, "read this")
        await phone.send(cast.talk, "and not this")
        await agent.ask("read", conversation_id=cast.talk, up_to=1)
    first, second = await scene.get(f"/conversations/{cast.talk}/messages", cast.alice)
    assert first["read_at"] is not None
    assert second["read_at"] is None


async def test_delivered_follows_confirmation_not_sending(scene: Scene, cast: Cast) -> None:
    """The mark moves when the other side has said that it stored the message, and is found in snapshots."""
    async with scene.device(cast.alice) as phone, scene.device(cast.helper) as agent:
        await phone.send(cast.talk, "hello")
        await agent.next("message")
        await scene.running.sessions.write_cursors()
        await phone.caught_up()
        assert "delivered" not in {frame["type"] for frame in phone.ephemeral}
        await agent.ack()
        told = await phone.next("delivered")
        assert (told["account_kind"], told["account_id"], told["delivered_up_to"]) == ("agent", "helper", 1)
    (shown,) = (await scene.get("/snapshot", cast.alice))["conversations"]
    marks = {each["account_kind"]: each["delivered_up_to"] for each in shown["receipts"]}
    assert marks["agent"] == 1


async def test_delivered_follows_the_pong_of_v1(scene: Scene, cast: Cast) -> None:
    """Its answer to the confirming ping counts as its word."""
    async with scene.device(cast.alice) as phone, scene.old_device(cast.helper) as agent:
        await phone.send(cast.talk, "hello")
        await agent.next("user_message")
        assert (await phone.next("delivered"))["delivered_up_to"] == 1


@pytest.mark.parametrize("data", [{}, {"up_to": "x"}, {"up_to": 1.5}, {"client_id": "short"}])
async def test_what_cannot_be_read(scene: Scene, cast: Cast, data: dict[str, Any]) -> None:
    async with scene.device(cast.alice) as phone:
        conversation = {"conversation_id": cast.talk} if data else {}
        assert (await phone.ask("read", **conversation, **data))["data"]["code"] == "malformed"


async def test_a_message_of_another_conversation_moves_nothing(scene: Scene, cast: Cast) -> None:
    async with scene.device(cast.bob) as bob, scene.device(cast.alice) as phone:
        theirs = await bob.send(cast.other, "x")
        refused = await phone.ask("read", conversation_id=cast.talk, message_id=theirs["message_id"])
        assert refused["data"]["code"] == "not_found"
