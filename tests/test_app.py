"""The server as a whole: it opens in order, stops in order, and one part's failure is that part's."""

from __future__ import annotations

import socket as stdlib_socket
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio

from amtrio.app import Running, Stop, open_services, serve
from amtrio.feature import registry
from amtrio.model.message import MessagePosted
from amtrio.protocol.session import Close
from amtrio.store.problems import CannotOpen
from tests.conftest import Journal
from tests.harness import ADMIN_SECRET, AGENT_SECRET, JWT_SECRET, config_for, open_scene


async def test_the_first_wish_to_stop_counts() -> None:
    """A restart asked for is not turned into a farewell by whoever asks later."""
    stop = Stop()
    with trio.move_on_after(0) as waiting:
        await stop.wait()
    assert waiting.cancelled_caught
    stop.request(Close.RESTART, "first")
    stop.request(Close.GOING_AWAY, "second")
    await stop.wait()
    assert (stop.code, stop.reason) == (Close.RESTART, "first")


async def test_services_without_any_socket(tmp_path: Path) -> None:
    """Enough for the command line: no port, no admin socket, a store that works."""
    async with open_services(config_for(tmp_path)) as (services, _):
        assert services.store.health() == "ok"
        assert not (tmp_path / "admin.sock").exists()
        gauges = services.gauges()
        assert (gauges.agents_connected, gauges.clients_connected, gauges.stale_agents) == (0, 0, 0)
        assert gauges.store_healthy


async def test_a_database_has_one_owner(tmp_path: Path) -> None:
    """The second one is told; the first goes on."""
    async with open_services(config_for(tmp_path)) as (services, _):
        with pytest.raises(CannotOpen):
            async with open_services(config_for(tmp_path)):
                pass
        assert services.store.health() == "ok"


async def test_sockets_that_are_bound_already(tmp_path: Path) -> None:
    """Whoever starts it may give it its sockets; it says where it listens."""
    bound = trio.socket.socket()
    await bound.bind(("127.0.0.1", 0))
    port = bound.getsockname()[1]
    async with trio.open_nursery() as nursery:
        plain = stdlib_socket.fromfd(bound.fileno(), stdlib_socket.AF_INET, stdlib_socket.SOCK_STREAM)
        bound.close()
        running: Running = await nursery.start(partial(serve, config_for(tmp_path), sockets=[plain]))
        assert running.port == port
        async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
            await stream.send_all(b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            assert (await stream.receive_some()).startswith(b"HTTP/1.1 200")
        running.stop.request(Close.RESTART, "the test is over")
    with pytest.raises(OSError, match=r"refused|connect"):
        await trio.open_tcp_stream("127.0.0.1", port)


async def test_a_port_that_is_taken_leaves_nothing_behind(tmp_path: Path) -> None:
    """It is found out before the database is opened."""
    with stdlib_socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        config = config_for(tmp_path / "data", server={"port": holder.getsockname()[1]})
        with pytest.raises(OSError, match="in use"):
            await serve(config)
    assert not (tmp_path / "data").exists()


async def test_stopping_tells_every_socket_and_writes_down_what_arrived(tmp_path: Path) -> None:
    """Devices hear the code at once; what they had confirmed is not told again by the next server."""
    async with open_scene(tmp_path) as scene:
        alice, helper = await scene.register("alice"), await scene.register_agent("helper")
        talk = await scene.conversation(alice, helper)
        async with scene.device(alice, "phone") as phone, scene.device(helper) as agent:
            for number in range(10):
                await agent.send(talk, f"n{number}")
            await phone.next("message", content="n9")
            await phone.ack()
            await phone.caught_up()
            seen = phone.seq
            with trio.fail_after(5):
                scene.running.stop.request(Close.RESTART, "the server restarts")
                assert await phone.closed() == (1012, "the server restarts")
                assert await agent.closed() == (1012, "the server restarts")
    async with open_scene(tmp_path) as scene, scene.device(alice, "phone") as phone:
        assert phone.seq == seen


async def test_a_cancelled_server_writes_down_what_arrived(tmp_path: Path) -> None:
    """Whatever ended it, the store is open until then."""
    config = config_for(tmp_path)
    async with open_scene(tmp_path) as scene:
        alice, helper = await scene.register("alice"), await scene.register_agent("helper")
        talk = await scene.conversation(alice, helper)
        async with scene.device(alice, "phone") as phone, scene.device(helper) as agent:
            await agent.send(talk, "hello")
            await phone.next("message")
            await phone.ack()
            await phone.caught_up()
            seen = phone.seq
    async with trio.open_nursery() as nursery:
        await nursery.start(partial(serve, config))
        nursery.cancel_scope.cancel()
    async with open_scene(tmp_path) as scene, scene.device(alice, "phone") as phone:
        assert phone.seq == seen


@pytest.mark.expects_error_log("listener_failed")
async def test_a_feature_that_fails_on_news_hurts_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, journal: Journal
) -> None:
    """The message arrives, the writer goes on, the failure is counted and logged with the listener's name."""

    def grumpy(services: object, news: object, *more: object) -> None:
        raise LookupError

    with_grumpy: dict[type[Any], list[Any]] = {
        **registry.listeners,
        MessagePosted: [grumpy, *registry.listeners.get(MessagePosted, [])],
    }
    monkeypatch.setattr(registry, "listeners", with_grumpy)
    async with open_scene(tmp_path) as scene:
        alice, helper = await scene.register("alice"), await scene.register_agent("helper")
        talk = await scene.conversation(alice, helper)
        async with scene.device(alice) as phone, scene.device(helper) as agent:
            await phone.send(talk, "hello")
            assert (await agent.next("message"))["content"] == "hello"
            await phone.send(talk, "still there?")
        assert scene.running.services.metrics.errors == 2
    assert {
        entry["listener"].rpartition(".")[2] for entry in journal.entries if entry["event"] == "listener_failed"
    } == {"grumpy"}


async def test_no_secret_is_in_the_log(tmp_path: Path, journal: Journal) -> None:
    """Neither the server's nor anybody's token, however it was shown."""
    async with open_scene(tmp_path) as scene:
        alice, helper = await scene.register("alice"), await scene.register_agent("helper")
        async with scene.old_device(alice), scene.old_device(helper), scene.device(alice):
            pass
        await scene.knock(f"/client/connect?token={alice.token}x")
        await scene.knock(f"/agent/connect?agent_id=a&agent_secret={AGENT_SECRET}x")
        await scene.http.get("/admin/agents", headers={"X-Admin-Secret": ADMIN_SECRET})
    told = repr(journal.entries)
    for secret in (JWT_SECRET, AGENT_SECRET, ADMIN_SECRET, alice.token):
        assert secret not in told
