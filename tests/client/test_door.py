"""The first frames of a socket, under asyncio and Trio alike."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from amtrio.client.door import Opening, say_hello
from amtrio.client.errors import Dropped
from amtrio.client.transport import open_socket
from tests.client.fake_server import FakeServer
from tests.client.stage import Play


async def hello(server: FakeServer, **data: Any) -> Opening:
    async with (
        httpx.AsyncClient() as http,
        open_socket(http, f"{server.url}/client/connect", ping_every_s=20, ping_timeout_s=20) as socket,
    ):
        return await say_hello(socket, data)


def test_being_let_in_says_where_the_socket_goes_on(server: FakeServer, play: Play) -> None:
    """
    Frames of no shape are passed over, fields that are None do not leave.
    """
    server.greetings.append("[]")
    server.announce("u:alice", "gone", {})

    async def scene() -> None:
        opening = await hello(server, token="alice-token", since=1, epoch="e1", device_id=None)
        assert (opening.id, opening.kind, opening.epoch, opening.seq) == ("alice", "user", "e1", 1)
        assert opening.limits == {"max_message_bytes": 65536}

    play(scene)
    assert server.hellos == [{"token": "alice-token", "since": 1, "epoch": "e1"}]


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        ({"type": "hologram", "data": {}}, "'hologram'"),
        ({"type": "connected", "data": {"id": 5}}, "another shape"),
    ],
)
def test_anything_else_is_a_drop_that_says_why(
    server: FakeServer, play: Play, frame: dict[str, Any], reason: str
) -> None:
    """
    A server of another kind is no reason to crash.
    """
    server.greetings.append(json.dumps(frame))

    async def scene() -> None:
        with pytest.raises(Dropped, match=reason):
            await hello(server, token="alice-token")

    play(scene)


def test_a_refusal_carries_the_close_code_and_the_wait_that_follow_it(server: FakeServer, play: Play) -> None:
    """
    The error says why in its own words, the close code whether to come back, either of them when.
    """
    busy = {"error": "busy", "code": "overloaded", "retry": "after_ms"}
    server.door.append((busy, 1013, "7"))
    server.door.append(({**busy, "retry_after_ms": 500}, 1013, "7"))

    async def scene() -> None:
        for wait_s in (7.0, 0.5):
            with pytest.raises(Dropped, match="busy") as caught:
                await hello(server, token="alice-token")
            assert (caught.value.code, caught.value.retry_after_s) == (1013, wait_s)
        with pytest.raises(Dropped, match="unknown token") as caught:
            await hello(server, token="wrong")
        assert caught.value.code == 4401

    play(scene)
