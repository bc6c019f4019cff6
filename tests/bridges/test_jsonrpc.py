"""JSON-RPC over the pipes of a program: a small one, that says back what it is told to."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import anyio
import pytest

from amtrio.bridges.children import Children, open_children
from amtrio.bridges.jsonrpc import Peer, PeerGone, Request, RpcError
from tests.bridges.conftest import Play

# Answers `echo` with its params, `fail` with the error it is given, `say` by printing the lines it is given, `heard`
# with all frames so far, but for the last; and leaves at `leave`.
PROGRAM = """
import json, sys
heard = []
for line in sys.stdin:
    frame = json.loads(line)
    method, params = frame.get("method"), frame.get("params")
    if method == "leave":
        break
    if method == "say":
        for each in params["lines"]:
            print(each, flush=True)
    if method in {"echo", "say"} and "id" in frame:
        print(json.dumps({"jsonrpc": "2.0", "id": frame["id"], "result": params}), flush=True)
    if method == "fail":
        print(json.dumps({"jsonrpc": "2.0", "id": frame["id"], "error": params["error"]}), flush=True)
    if method == "heard":
        print(json.dumps({"jsonrpc": "2.0", "id": frame["id"], "result": heard}), flush=True)
    heard.append(frame)
"""


@dataclass
class Ear:
    """Attributes: things: in the order of their arrival."""

    things: list[Any] = field(default_factory=list)
    noise: list[str] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)

    def on_request(self, request: Request) -> None:
        self.requests.append(request)
        self.things.append((request.method, request.params))

    def on_notification(self, method: str, params: dict[str, Any]) -> None:
        self.things.append((method, params))


@asynccontextmanager
async def open_peer(ear: Ear, children: Children) -> AsyncIterator[Peer]:
    async with children.open([sys.executable, "-c", PROGRAM]) as child, anyio.create_task_group() as tasks:
        peer = Peer(child, on_request=ear.on_request, on_notification=ear.on_notification, on_noise=ear.noise.append)
        tasks.start_soon(peer.run)
        yield peer
        tasks.cancel_scope.cancel()


@asynccontextmanager
async def talking() -> AsyncIterator[tuple[Peer, Ear]]:
    ear = Ear()
    async with open_children(0.2) as children, open_peer(ear, children) as peer:
        yield peer, ear


def test_each_call_gets_its_own_answer(play: Play) -> None:
    """
    Many at a time, of any size.
    """

    async def scene() -> None:
        async with talking() as (peer, _):
            long = {"text": "é" * 100_000}
            pending = [peer.ask("echo", {"number": number}) for number in range(50)]
            assert await peer.call("echo", long) == long
            assert [await each.wait() for each in pending] == [{"number": number} for number in range(50)]

    play(scene)


def test_an_error_is_raised_with_its_words(play: Play) -> None:
    """
    Those of the data too, whatever shape the error has.
    """

    async def scene() -> None:
        async with talking() as (peer, _):
            for error, words in (
                ({"code": -32000, "message": "no", "data": {"details": "sign in"}}, "no: sign in"),
                ({"code": -32000, "message": "no", "data": "really"}, "no: really"),
                ({"code": "x", "message": "no", "data": [1]}, "no"),
                ({}, "an error without words"),
                ("plain", "plain"),
            ):
                with pytest.raises(RpcError) as caught:
                    await peer.call("fail", {"error": error})
                assert str(caught.value) == words

    play(scene)


def test_things_arrive_in_order_and_before_the_answer_that_follows_them(play: Play) -> None:
    """
    Notifications, requests and answers share one line.
    """

    async def scene() -> None:
        async with talking() as (peer, ear):
            lines = [
                '{"jsonrpc":"2.0","method":"one","params":{"a":1}}',
                '{"jsonrpc":"2.0","id":"x","method":"two","params":[1]}',
                '{"jsonrpc":"2.0","method":"three"}',
            ]
            done = peer.ask("say", {"lines": lines})
            done.when_done(lambda: ear.things.append("done"))
            await done.wait()
            done.when_done(lambda: ear.things.append("late"))
            assert ear.things == [("one", {"a": 1}), ("two", {}), ("three", {}), "done", "late"]

    play(scene)


def test_a_request_is_answered_once(play: Play) -> None:
    """
    Under the id it came with, of whatever type; the first answer counts.
    """

    async def scene() -> None:
        async with talking() as (peer, ear):
            lines = ['{"jsonrpc":"2.0","id":"x","method":"one"}', '{"jsonrpc":"2.0","id":0,"method":"two"}']
            await peer.call("say", {"lines": lines})
            ear.requests[0].answer({"ok": True})
            ear.requests[0].refuse(-1, "too late")
            ear.requests[1].refuse(-32601, "no")
            heard = await peer.call("heard", {})
            assert heard[1:] == [
                {"jsonrpc": "2.0", "id": "x", "result": {"ok": True}},
                {"jsonrpc": "2.0", "id": 0, "error": {"code": -32601, "message": "no"}},
            ]

    play(scene)


def test_what_is_no_json_rpc_is_told_aside(play: Play) -> None:
    """
    Answers to nothing are dropped.
    """

    async def scene() -> None:
        async with talking() as (peer, ear):
            lines = ["Hello!", "[1]", "{", '{"a": 1}', "", '{"id": 99, "result": 1}', '{"id": null, "error": {}}']
            await peer.call("say", {"lines": lines})
            assert (ear.noise, ear.things) == (["Hello!", "[1]", "{", '{"a": 1}'], [])

    play(scene)


def test_an_end_leaves_nobody_waiting(play: Play) -> None:
    """
    Nor those who ask afterwards.
    """

    async def scene() -> None:
        async with talking() as (peer, _):
            pending = peer.ask("nothing", {})
            peer.notify("leave", {})
            with pytest.raises(PeerGone):
                await pending.wait()
            with pytest.raises(PeerGone):
                await peer.call("echo", {})
            peer.notify("echo", {})

    play(scene)


def test_a_call_that_is_given_up_cuts_no_frame(play: Play) -> None:
    """
    Long frames are written to their end, whoever waits.
    """

    async def scene() -> None:
        async with talking() as (peer, _):
            with anyio.CancelScope() as scope:
                scope.cancel()
                await peer.call("echo", {"text": "x" * 1_000_000})
            assert await peer.call("echo", {"after": 1}) == {"after": 1}

    play(scene)
