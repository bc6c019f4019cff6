"""Iterating and sending over real sockets, under asyncio and Trio alike."""

from __future__ import annotations

from functools import partial

import anyio
import pytest

from amtrio.client import (
    ClientError,
    MemoryCursors,
    Position,
    Refused,
)
from amtrio.client.events import Gone, MessagePosted, Offline, Online, TypingChanged
from tests.client.fake_server import FakeServer
from tests.client.stage import Play, alice, did, numbered, seen, the_next


def test_a_message_whose_answer_was_lost_is_sent_again_under_the_same_id(server: FakeServer, play: Play) -> None:
    """
    Resending case 1: stored, answer lost. The second answer equals the first and the message is there once.
    """
    server.mute = 1

    async def scene() -> None:
        async with alice(server) as connection:
            sent = await connection.send_message("hello", agent_id="demo")
            assert sent.conversation_seq == 1

    play(scene)
    sent = [frame["data"]["client_id"] for frame in server.frames if frame["type"] == "message"]
    assert len(sent) == 2
    assert len(set(sent)) == 1
    assert [message["content"] for message in server.messages["c1"]] == ["hello"]


def test_messages_keep_their_order_over_a_drop(server: FakeServer, play: Play) -> None:
    """
    Ten messages asked for at once, the socket cut after the first is stored: all arrive once, in order.
    """
    server.mute = 1

    async def scene() -> None:
        async with alice(server) as connection, anyio.create_task_group() as tasks:
            for number in range(10):
                tasks.start_soon(partial(connection.send_message, f"no {number}", agent_id="demo"))
                await anyio.lowlevel.checkpoint()

    play(scene)
    stored = [message["content"] for message in server.messages["c1"]]
    sent = [frame["data"]["content"] for frame in server.frames if frame["type"] == "message"]
    assert sorted(stored) == [f"no {number}" for number in range(10)]
    assert stored == list(dict.fromkeys(sent))


def test_a_rate_limited_message_and_all_after_it_go_again_in_order(server: FakeServer, play: Play) -> None:
    """
    The server refuses everything behind the refused message; the library sends from that one on, in order.
    """
    wait = {"error": "slow down", "code": "rate_limited", "retry": "after_ms", "retry_after_ms": 30}
    server.refusals.append(wait)

    async def scene() -> None:
        async with alice(server) as connection:
            await the_next(connection, Online)
            async with anyio.create_task_group() as tasks:
                for number in range(5):
                    tasks.start_soon(partial(connection.send_message, f"{number}", agent_id="demo"))

    play(scene)
    sent = [frame["data"]["content"] for frame in server.frames if frame["type"] == "message"]
    assert [message["content"] for message in server.messages["c1"]] == list(dict.fromkeys(sent))
    assert len(server.messages["c1"]) == 5


def test_a_refusal_for_good_goes_to_the_one_who_asked(server: FakeServer, play: Play) -> None:
    """
    An error with retry `no` is raised with its code; the connection stays.
    """

    async def scene() -> None:
        async with alice(server) as connection:
            with pytest.raises(Refused) as caught:
                await connection.edit("m404", "x")
            assert (caught.value.code, caught.value.retry) == ("not_found", "no")
            assert await connection.send("ping") == {"server_time": "now"}

    play(scene)


def test_a_message_beyond_the_servers_limit_is_refused_here(server: FakeServer, play: Play) -> None:
    """
    A frame that would make the server close the socket again and again never leaves.
    """
    server.max_message_bytes = 500

    async def scene() -> None:
        async with alice(server) as connection:
            with pytest.raises(Refused, match="too_large"):
                await connection.send_message("x" * 600, agent_id="demo")
            await connection.send_message("short", agent_id="demo")

    play(scene)
    assert len(server.hellos) == 1


def test_what_the_consumer_took_is_kept_and_confirmed(server: FakeServer, play: Play) -> None:
    """
    The place goes to the cursor store and, as `ack`, to the server; the next run goes on behind it.
    """
    cursors = MemoryCursors()
    for _ in range(200):
        server.announce("u:alice", "gone", {})

    async def scene() -> None:
        async with alice(server, cursors=cursors) as connection:
            await numbered(connection, 200)
        async with alice(server, cursors=cursors) as connection:
            await the_next(connection, Online)
            await did(server.announce, "u:alice", "gone", {})
            assert [e.seq for e in await numbered(connection, 1)] == [201]

    play(scene)
    assert server.hellos[1]["since"] == 200
    server.until(lambda: server.accounts["u:alice"].cursor == 201)
    acks = [frame for frame in server.frames if frame["type"] == "ack"]
    assert len(acks) < 20


def test_an_event_is_not_confirmed_when_its_handling_failed(server: FakeServer, play: Play) -> None:
    """
    The consumer's own error comes out as it was raised, and the event comes again in the next run.
    """
    cursors = MemoryCursors()
    server.announce("u:alice", "gone", {})
    server.announce("u:alice", "gone", {})

    async def scene() -> None:
        with pytest.raises(KeyError, match="mine"):
            async with alice(server, cursors=cursors) as connection:
                await numbered(connection, 2)
                raise KeyError("mine")
        async with alice(server, cursors=cursors) as connection:
            assert (await numbered(connection, 1))[0].seq in (1, 2)

    play(scene)


def test_confirming_by_hand_stops_at_the_first_event_that_is_not_done(server: FakeServer, play: Play) -> None:
    """
    Events handled out of order are confirmed up to the first open one only.
    """
    cursors = MemoryCursors()
    for _ in range(3):
        server.announce("u:alice", "gone", {})

    async def scene() -> None:
        async with alice(server, cursors=cursors, confirm="manual") as connection:
            first, second, third = await numbered(connection, 3)
            connection.done(third)
            connection.done(first)
            await seen(server, lambda: server.accounts["u:alice"].cursor == 1)
            connection.done(second)

    play(scene)
    assert cursors.position == Position("e1", 3)
    server.until(lambda: server.accounts["u:alice"].cursor == 3)


def test_passing_events_carry_no_number(server: FakeServer, play: Play) -> None:
    """
    Typing arrives typed and without a seq; a frame from the future is `Unknown` and moves the place.
    """

    async def scene() -> None:
        async with alice(server) as connection:
            await the_next(connection, Online)
            typing = {"conversation_id": "c1", "sender_type": "agent", "sender_id": "demo", "typing": True}
            await did(server.tell, "u:alice", "typing", typing)
            event = await the_next(connection, TypingChanged)
            assert (event.conversation_id, event.sender_id, event.typing, event.seq) == ("c1", "demo", True, None)
            await did(server.announce, "u:alice", "hologram", {"depth": 3})
            await did(server.announce, "u:alice", "message", {"not": "a message"})
            await did(server.announce, "u:alice", "gone", {})
            events = await numbered(connection, 3)
            assert [type(e).__name__ for e in events] == ["Unknown", "Unknown", "Gone"]
            assert isinstance(events[2], Gone)

    play(scene)


def test_own_messages_come_back_with_their_client_id(server: FakeServer, play: Play) -> None:
    """
    A device finds its own message in the log by the client_id it gave.
    """

    async def scene() -> None:
        async with alice(server) as connection:
            sent = await connection.send_message("hi", agent_id="demo", client_id="my-very-own-id-1")
            posted = await the_next(connection, MessagePosted)
            assert posted.message.client_id == sent.client_id == "my-very-own-id-1"

    play(scene)


def test_leaving_ends_what_waits(server: FakeServer, play: Play) -> None:
    """
    A command nobody can answer any more fails with the connection, not hangs.
    """
    server.is_up = False

    async def scene() -> None:
        connection = alice(server)
        async with anyio.create_task_group() as tasks:

            async def ask() -> None:
                with pytest.raises(ClientError, match="left"):
                    await connection.send("ping")

            async with connection:
                tasks.start_soon(ask)
                await the_next(connection, Offline)

    play(scene)


def test_what_is_posted_is_not_waited_for_and_not_lost(server: FakeServer, play: Play) -> None:
    """
    It goes when there is a socket, again if its answer got lost, and a refusal is nobody's error.
    """
    server.mute, server.mutes = 1, "read"

    async def scene() -> None:
        async with alice(server) as connection:
            connection.post("edit", message_id="m404", content="x")
            sent = await connection.send_message("hello", agent_id="demo")
            connection.post("read", conversation_id=sent.conversation_id, up_to=1)
            await seen(server, lambda: sum(frame["type"] == "read" for frame in server.frames) == 2)
            assert not connection.has_ended
        assert connection.has_ended

    play(scene)
    assert server.read_up_to["c1", "alice"] == 1
