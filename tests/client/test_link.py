"""Staying connected over real sockets, under asyncio and Trio alike."""

from __future__ import annotations

import anyio
import pytest

from amtrio.client import (
    AuthenticationEnded,
    ClientError,
    Connection,
    MemoryCursors,
    Position,
    Refused,
    Replaced,
)
from amtrio.client.events import Offline, Online, Snapshot
from tests.client.fake_server import FakeServer
from tests.client.stage import Play, alice, did, numbered, seen, the_next


def test_a_first_connection_says_hello_without_a_place_and_gets_what_follows(server: FakeServer, play: Play) -> None:
    """
    The token stands in the first frame and never in the URL; events arrive in order with their numbers.
    """
    server.announce("u:alice", "gone", {})
    server.announce("u:alice", "gone", {})

    async def scene() -> None:
        async with alice(server) as connection:
            online = await the_next(connection, Online)
            assert (online.id, online.kind, online.device_id) == ("alice", "user", "phone")
            assert [event.seq for event in await numbered(connection, 2)] == [1, 2]
            assert connection.is_online

    play(scene)
    assert server.hellos == [{"token": "alice-token", "device_id": "phone", "client": "amtrio-python"}]
    assert "alice-token" not in server.requests[0]


def test_a_cut_socket_is_followed_by_another_that_goes_on_at_the_same_place(server: FakeServer, play: Play) -> None:
    """
    After a drop without a close frame every event arrives once and in order, the consumer is told of the gap.
    """

    async def scene() -> None:
        async with alice(server) as connection:
            await the_next(connection, Online)
            await did(server.announce, "u:alice", "gone", {})
            assert [e.seq for e in await numbered(connection, 1)] == [1]
            await did(server.cut_all)
            assert isinstance(await the_next(connection, Offline), Offline)
            await did(server.announce, "u:alice", "gone", {})
            await did(server.announce, "u:alice", "gone", {})
            assert [e.seq for e in await numbered(connection, 2)] == [2, 3]

    play(scene)
    assert server.hellos[1]["epoch"] == "e1"
    assert server.hellos[1]["since"] in (0, 1)


def test_a_hole_is_filled_by_connecting_again(server: FakeServer, play: Play) -> None:
    """
    A number that never came makes the library ask from its place; nothing is missing and nothing comes twice.
    """
    server.skip = {2}

    async def scene() -> None:
        async with alice(server) as connection:
            await the_next(connection, Online)
            for _ in range(4):
                await did(server.announce, "u:alice", "gone", {})
            assert [e.seq for e in await numbered(connection, 4)] == [1, 2, 3, 4]

    play(scene)
    assert len(server.hellos) == 2


@pytest.mark.parametrize("reason", ["epoch", "pruned", "ahead"])
def test_resync_brings_a_snapshot_and_then_what_follows(server: FakeServer, play: Play, reason: str) -> None:
    """
    When the log cannot go on from our place, the consumer gets a snapshot and the events after it.
    """
    server.do(lambda: server.post(server.account("u:alice"), {"content": "old", "client_id": "x" * 16}))
    head = len(server.account("u:alice").log)
    place = Position("e1", 0)
    if reason == "epoch":
        place = Position("e0", head)
    elif reason == "pruned":
        server.account("u:alice").pruned = 1
    else:
        place = Position("e1", head + 5)
    cursors = MemoryCursors(place)

    async def scene() -> None:
        async with alice(server, cursors=cursors) as connection:
            snapshot = await the_next(connection, Snapshot)
            assert (snapshot.epoch, snapshot.seq) == ("e1", head)
            assert [m.content for m in snapshot.conversations[0].messages] == ["old"]
            await the_next(connection, Online)
            await did(server.announce, "u:alice", "gone", {})
            assert [e.seq for e in await numbered(connection, 1)] == [head + 1]

    play(scene)
    assert cursors.position == Position("e1", head + 1)
    assert server.hellos[-1]["since"] == head


def test_beginning_with_a_snapshot_leaves_no_gap_to_the_events(server: FakeServer, play: Play) -> None:
    """
    A program that keeps nothing starts with a snapshot and goes on right behind it.
    """
    server.announce("u:alice", "gone", {})

    async def scene() -> None:
        async with alice(server, begin="snapshot") as connection:
            assert (await the_next(connection, Snapshot)).seq == 1
            await the_next(connection, Online)
            await did(server.announce, "u:alice", "gone", {})
            assert [e.seq for e in await numbered(connection, 1)] == [2]

    play(scene)
    assert server.hellos[0]["since"] == 1


def test_a_consumer_that_lags_loses_nothing(server: FakeServer, play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Memory stays bounded: beyond the queue the log is asked again, while commands are answered all the time.
    """
    monkeypatch.setattr("amtrio.client.link.QUEUE_EVENTS", 10)
    for _ in range(100):
        server.announce("u:alice", "gone", {})

    async def scene() -> None:
        async with alice(server) as connection:
            assert await connection.send("ping") == {"server_time": "now"}
            assert [e.seq for e in await numbered(connection, 100)] == list(range(1, 101))

    play(scene)


@pytest.mark.parametrize(("code", "error"), [(4401, AuthenticationEnded), (4000, Replaced), (4400, Refused)])
def test_codes_that_end_it(server: FakeServer, play: Play, code: int, error: type[ClientError]) -> None:
    """
    After these no new socket is opened; iterator and waiting commands say why.
    """

    async def scene() -> None:
        async with alice(server) as connection:
            await the_next(connection, Online)
            await did(server.close_all, code, "because")
            with pytest.raises(error, match="because"):
                await the_next(connection, Snapshot)
            with pytest.raises(error, match="because"):
                await connection.send_message("too late", agent_id="demo")

    play(scene)
    assert len(server.hellos) == 1


def test_a_wrong_token_ends_it_at_the_door(server: FakeServer, play: Play) -> None:
    """
    The refusal's own words come out.
    """

    async def scene() -> None:
        async with Connection(server.url, token="wrong") as connection:
            with pytest.raises(AuthenticationEnded, match="unknown token"):
                await the_next(connection, Online)

    play(scene)


@pytest.mark.parametrize("code", [1001, 1012, 1013, 4408, 4413])
def test_codes_that_invite_back(server: FakeServer, play: Play, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A restart, an overload or a slow spell is waited out; a command asked for meanwhile is answered.
    """
    monkeypatch.setattr("amtrio.client.backoff._OVERLOADED_WAIT_S", 0.01)

    async def scene() -> None:
        async with alice(server) as connection:
            await the_next(connection, Online)
            await did(server.close_all, code, "later")
            assert (await the_next(connection, Offline)).reason == "later"
            sent = await connection.send_message("still here", agent_id="demo")
            assert sent.conversation_seq == 1
            await the_next(connection, Online)

    play(scene)


def test_a_server_that_is_down_is_looked_for_until_it_is_up(server: FakeServer, play: Play) -> None:
    """
    Refused upgrades (503) are tried again; one Offline for the whole outage.
    """
    server.is_up = False

    async def scene() -> None:
        async with alice(server) as connection:
            offline = await the_next(connection, Offline)
            assert "503" in offline.reason
            await seen(server, lambda: len(server.requests) >= 3)
            server.is_up = True
            assert isinstance(await connection.__anext__(), Online)

    play(scene)


def test_a_dead_server_is_noticed(server: FakeServer, play: Play) -> None:
    """
    A server that answers no ping is given up after interval and time-out, though its stream stays open.
    """

    async def scene() -> None:
        async with alice(server, ping_every_s=0.05, ping_timeout_s=0.05) as connection:
            await the_next(connection, Online)

            await did(server.do, lambda: _freeze(server))
            offline = await the_next(connection, Offline)
            assert offline.reason
            await the_next(connection, Online)

    play(scene)


def _freeze(server: FakeServer) -> None:
    """The server's socket task reads nothing more, like a stopped process."""
    for socket in server.accounts["u:alice"].sockets:
        socket._stream.receive_some = _nothing_more  # type: ignore[method-assign]
    server.accounts["u:alice"].sockets.clear()


async def _nothing_more(max_bytes: int | None = None) -> bytes:
    await anyio.sleep_forever()
    return b""


def test_after_a_restored_backup_what_was_answered_is_sent_again(server: FakeServer, play: Play) -> None:
    """
    Resending case 13: another epoch, and the message that was answered is not there any more.
    """

    def restore() -> None:
        server.epoch = "e2"
        server.messages["c1"].clear()
        server.answers.clear()

    async def scene() -> None:
        async with alice(server) as connection:
            await connection.send_message("answered", agent_id="demo", client_id="id-of-16-letters")
            await did(server.do, restore)
            await did(server.cut_all)
            assert (await the_next(connection, Snapshot)).epoch == "e2"
            await seen(server, lambda: bool(server.messages["c1"]))

    play(scene)
    assert [(m["content"], m["client_id"]) for m in server.messages["c1"]] == [("answered", "id-of-16-letters")]
