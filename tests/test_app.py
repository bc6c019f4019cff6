"""The server as a whole: it opens in order, is supervised, and comes down in order."""

from __future__ import annotations

import socket
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio

from amtrio.app import Running, Stop, open_services, serve
from amtrio.feature import Registry, registry
from amtrio.features.agents import AddAgent, operation_add
from amtrio.protocol.session import Close
from amtrio.store.problems import CannotOpen, StoreLocked
from tests.harness import PASSWORD, config_for, open_scene


async def test_the_first_wish_to_stop_counts() -> None:
    stop = Stop()
    stop.request(Close.RESTART, "first")
    stop.request(Close.GOING_AWAY, "second")
    await stop.wait()
    assert (stop.code, stop.reason) == (Close.RESTART, "first")


async def test_a_stopping_server_tells_every_socket(tmp_path: Path) -> None:
    """With the code that says whether it comes back, and keeps what was acknowledged and confirmed."""
    async with open_scene(tmp_path) as scene:
        alice, helper = await scene.register("alice"), await scene.register_agent("helper")
        talk = await scene.conversation(alice, helper)
        async with scene.device(alice, "phone") as phone, scene.old_device(helper) as agent:
            await phone.send(talk, "before the end")
            await agent.next("user_message")
            await phone.caught_up()
            await phone.ack()
            scene.running.stop.request(Close.RESTART, "the server restarts")
            for device in (phone, agent):
                assert (await device.closed())[0] == 1012
            seen = phone.seq
    async with open_scene(tmp_path) as scene, scene.device(alice, "phone") as phone:
        assert phone.greeting["data"]["seq"] == seen, "what it acked was written down"
        assert [m["content"] for m in await scene.get(f"/conversations/{talk}/messages", alice)] == ["before the end"]


async def test_a_second_server_on_the_same_data_is_refused(tmp_path: Path) -> None:
    """And the first one goes on."""
    async with open_scene(tmp_path) as scene:
        with pytest.raises(BaseException) as refused:  # noqa: PT011 - looked at below
            await serve(config_for(tmp_path))
        error: BaseException = refused.value
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        assert isinstance(error, StoreLocked | CannotOpen)
        assert (await scene.http.get("/health")).status_code == 200


async def test_a_taken_port_is_an_error_before_anything_is_opened(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        config = config_for(tmp_path, server={"port": taken.getsockname()[1]})
        with pytest.raises(OSError, match="in use"):
            await serve(config)
    assert not (tmp_path / "amtrio.db").exists()


async def test_it_listens_on_sockets_that_it_is_given(tmp_path: Path) -> None:
    plain = socket.create_server(("127.0.0.1", 0))
    plain.setblocking(False)
    port = plain.getsockname()[1]
    async with trio.open_nursery() as nursery:
        running: Running = await nursery.start(partial(serve, config_for(tmp_path), sockets=[plain]))
        assert running.port == port
        running.stop.request(Close.GOING_AWAY, "over")


@pytest.mark.expects_error_log("listener_failed")
async def test_a_listener_that_fails_costs_nobody_anything(tmp_path: Path) -> None:
    """A bug in what a feature does with news must not reach the writer, which brings them."""
    table = Registry()
    table.__dict__.update({name: type(value)(value) for name, value in vars(registry).items()})

    def broken(*_: Any) -> None:
        raise RuntimeError("a bug")

    table.presence_listeners.append(broken)
    async with trio.open_nursery() as nursery:
        running: Running = await nursery.start(partial(serve, config_for(tmp_path), table=table))
        services = running.services
        running.hub.presence_changed("u:1", True)
        assert services.metrics.errors == 1
        running.stop.request(Close.GOING_AWAY, "over")


async def test_the_command_line_needs_no_socket(tmp_path: Path) -> None:
    """Store and features alone are enough to administrate."""
    async with open_services(config_for(tmp_path)) as (services, _):
        made = await operation_add(services, AddAgent(agent_id="helper"))
        assert made["token"].startswith("agt_")
        gauges = services.gauges()
        assert (gauges.agents_connected, gauges.store_healthy) == (0, True)
    async with open_scene(tmp_path) as scene:
        answer = await scene.http.post("/auth/register", json={"username": "alice", "password": PASSWORD})
        assert answer.status_code == 200
