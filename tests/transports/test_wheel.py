"""Presence deadlines of all sockets, by a clock that is moved by hand."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from amtrio.app import Running
from amtrio.store.log import get_cursor
from amtrio.transports import wheel
from tests.harness import Agent, Scene, open_scene, open_socket

# The kernel passes bytes on within this; the clock under test stands still meanwhile.
REAL_SECONDS = 0.02


class Silent:
    """A client that answers nothing by itself: pings are counted, a close is seen."""

    def __init__(self, stream: trio.SocketStream) -> None:
        self.stream = stream
        self.pings: list[bytes] = []
        self.close_code: int | None = None
        self._rest = b""

    def is_closed(self, code: int | None) -> bool:
        """Did the server close with this code; None: has it not closed."""
        return self.close_code == code

    async def read(self) -> None:
        """Take all frames that are there."""
        with suppress(trio.BrokenResourceError):
            while self.stream.socket.is_readable() and (piece := await self.stream.receive_some(65536)):
                self._rest += piece
        while len(self._rest) >= 2:
            size, start = self._rest[1], 2
            if size == 126:
                size, start = int.from_bytes(self._rest[2:4], "big"), 4
            if len(self._rest) < start + size:
                break
            payload, code = self._rest[start : start + size], self._rest[0] & 0x0F
            self._rest = self._rest[start + size :]
            if code == 0x9:
                self.pings.append(payload)
            elif code == 0x8:
                self.close_code = int.from_bytes(payload[:2], "big")

    async def pong(self) -> None:
        """Answer the last ping; the mask is 0, which is as good as any."""
        payload = self.pings[-1] if self.pings else b""
        await self.stream.send_all(bytes([0x8A, 0x80 | len(payload), 0, 0, 0, 0]) + payload)


@asynccontextmanager
async def silent(scene: Scene, path: str, *, offers: str = "v1") -> AsyncIterator[Silent]:
    """A socket over bare TCP."""
    async with await trio.open_tcp_stream("127.0.0.1", scene.running.port) as stream:
        await stream.send_all(
            f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            f"Sec-WebSocket-Protocol: {offers}\r\n\r\n".encode()
        )
        head = b""
        while b"\r\n\r\n" not in head:
            head += await stream.receive_some(1)
        assert head.startswith(b"HTTP/1.1 101"), head
        yield Silent(stream)


def agents_door(agent: Agent) -> str:
    return f"/agent/connect?agent_id={agent.id}&agent_secret={agent.secret}"


async def pass_time(clock: MockClock, seconds: int, *clients: Silent, answering: bool = False) -> None:
    """Second by second; every turn of the wheel is over, and what it sent read, before the next."""
    for _ in range(seconds):
        clock.jump(1)
        await wait_all_tasks_blocked(REAL_SECONDS)
        for client in clients:
            before = len(client.pings)
            await client.read()
            if answering and len(client.pings) > before:
                await client.pong()
                await wait_all_tasks_blocked(REAL_SECONDS)


async def test_silent_sockets_are_pinged_and_live_by_answering(tmp_path: Path, mock_clock: MockClock) -> None:
    """Once per period, for as long as they answer; the idle socket is still there after many presence deadlines."""
    async with open_scene(tmp_path, sessions={"ping_every_s": 5.0, "dead_after_s": 12.0}) as scene:
        helper = await scene.register_agent("helper")
        async with silent(scene, agents_door(helper)) as client:
            await pass_time(mock_clock, 60, client, answering=True)
            assert client.is_closed(None)
            # ping_every or a third of dead_after, whichever is less: every 4 s and a bit of wheel.
            assert 11 <= len(client.pings) <= 16
            assert scene.running.services.fanout.is_online("a:helper")


async def test_whoever_talks_is_not_pinged(tmp_path: Path, mock_clock: MockClock) -> None:
    """Any frame is a sign of life."""
    async with open_scene(tmp_path, sessions={"ping_every_s": 10.0, "dead_after_s": 30.0}) as scene:
        helper = await scene.register_agent("helper")
        async with silent(scene, agents_door(helper)) as client:
            heartbeat = b'{"type":"heartbeat"}'
            for _ in range(60):
                await client.stream.send_all(bytes([0x81, 0x80 | len(heartbeat), 0, 0, 0, 0]) + heartbeat)
                await wait_all_tasks_blocked(REAL_SECONDS)
                await pass_time(mock_clock, 1, client)
            assert client.pings == []
            assert client.is_closed(None)


async def test_no_sign_of_life_closes(tmp_path: Path, mock_clock: MockClock) -> None:
    """With 4408 soon after the deadline and not before; the account is offline at once."""
    async with open_scene(tmp_path, sessions={"ping_every_s": 5.0, "dead_after_s": 12.0}) as scene:
        helper = await scene.register_agent("helper")
        async with silent(scene, agents_door(helper)) as client:
            await pass_time(mock_clock, 11, client)
            assert client.is_closed(None)
            assert len(client.pings) >= 1
            await pass_time(mock_clock, 3, client)
            assert client.is_closed(4408)
            assert not scene.running.services.fanout.is_online("a:helper")
            assert scene.running.services.metrics.stale_agents == 1
            # It does not answer the close either: it is cut, and forgotten.
            await pass_time(mock_clock, 8, client)
            assert len(scene.running.sessions) == 0


async def test_a_socket_without_hello_is_closed(tmp_path: Path, mock_clock: MockClock) -> None:
    """With 4408 after its time, however much life it shows otherwise."""
    async with (
        open_scene(tmp_path, sessions={"hello_timeout_s": 3.0}) as scene,
        silent(scene, "/client/connect", offers="v2") as client,
    ):
        for _ in range(3):
            await client.pong()
            await pass_time(mock_clock, 1, client)
        assert client.is_closed(None)
        await pass_time(mock_clock, 2, client)
        assert client.is_closed(4408)


async def test_one_who_reads_nothing_is_closed_as_too_slow(tmp_path: Path, mock_clock: MockClock) -> None:
    """With 4413, when not one byte was taken for the whole time; what it missed is in the log."""
    async with open_scene(tmp_path, sessions={"stall_s": 6.0}) as scene:
        alice, helper = await scene.register("alice"), await scene.register_agent("helper")
        talk = await scene.conversation(alice, helper)
        url = f"{scene.ws_url}/client/connect?token={alice.token}"
        async with (
            open_socket(url, subprotocols=["v1"], message_queue_size=0) as asleep,
            scene.device(helper) as agent,
        ):
            (session,) = [each for each in scene.running.sessions.open if each.account[0] == "u"]
            assert session.socket is not None
            count = 0
            while not session.socket.buffered or count < 10:
                await agent.send(talk, "x" * 60_000)
                count += 1
            await pass_time(mock_clock, 5)
            assert asleep.closed is None
            assert not session.socket.is_closing
            await pass_time(mock_clock, 3)
            assert session.socket.reason is not None
            assert session.socket.reason.code == 4413
            assert scene.running.services.metrics.slow_closed == 1
            mock_clock.autojump_threshold = REAL_SECONDS
            async with scene.device(alice, since=0) as phone:
                for _ in range(count):
                    await phone.next("message")


async def stale_agents(scene: Scene) -> int:
    health = (await scene.http.get("/health")).json()
    return int(health["agent_heartbeat"]["stale_agents"])


async def test_the_heartbeat_rule_spares_agents_that_only_answer_pings(tmp_path: Path, mock_clock: MockClock) -> None:
    """None of the shipped agents ever sends a heartbeat; the rule is for those that give no sign at all."""
    rules = {"agent_heartbeat_enabled": True, "agent_heartbeat_timeout_s": 6.0, "agent_heartbeat_interval_s": 3.0}
    async with open_scene(tmp_path, sessions=rules) as scene:
        alive, dead = await scene.register_agent("alive"), await scene.register_agent("dead")
        async with silent(scene, agents_door(alive)) as one, silent(scene, agents_door(dead)) as other:
            for _ in range(6):
                await pass_time(mock_clock, 1, one, answering=True)
                await other.read()
            assert other.is_closed(None)
            assert await stale_agents(scene) == 0
            await pass_time(mock_clock, 2, other)
            assert other.is_closed(4408)
            await pass_time(mock_clock, 1, one, answering=True)
            await pass_time(mock_clock, 20, one, answering=True)
            assert one.is_closed(None)
            assert scene.running.services.metrics.stale_agents == 1


async def test_the_heartbeat_rule_is_not_for_people(tmp_path: Path, mock_clock: MockClock) -> None:
    async with open_scene(
        tmp_path, sessions={"agent_heartbeat_enabled": True, "agent_heartbeat_timeout_s": 3.0}
    ) as scene:
        alice = await scene.register("alice")
        async with silent(scene, f"/client/connect?token={alice.token}") as client:
            await pass_time(mock_clock, 10, client)
            assert client.is_closed(None)


async def test_deadlines_hold_while_the_wheel_stands_still(
    tmp_path: Path, mock_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection's own scope has the presence time-out; a wheel that hangs does not keep the dead."""
    async with open_scene(tmp_path, sessions={"ping_every_s": 2.0, "dead_after_s": 6.0}) as scene:
        helper = await scene.register_agent("helper")
        async with silent(scene, agents_door(helper)) as client:
            await pass_time(mock_clock, 3, client)
            assert client.pings

            async def hang() -> None:
                await trio.sleep_forever()

            with monkeypatch.context() as patch:
                patch.setattr(scene.running.sessions, "write_cursors", hang)
                await pass_time(mock_clock, 12, client)
                is_there = len(scene.running.sessions)
            assert not is_there


async def cursor(running: Running, account: str, device: str) -> int | None:
    return await running.services.store.read(get_cursor, account, device)


async def test_cursors_are_written_once_a_second(tmp_path: Path, mock_clock: MockClock) -> None:
    """What a device confirmed is on disk after the next turn."""
    async with open_scene(tmp_path) as scene:
        alice, helper = await scene.register("alice"), await scene.register_agent("helper")
        talk = await scene.conversation(alice, helper)
        async with scene.device(alice, "phone") as phone, scene.device(helper) as agent:
            await agent.send(talk, "hello")
            await phone.next("message")
            await phone.ack()
            await phone.caught_up()
            await pass_time(mock_clock, 1)
            assert await cursor(scene.running, f"u:{alice.id}", "d:phone") == phone.seq


async def test_the_lag_of_the_loop_is_measured(tmp_path: Path, mock_clock: MockClock) -> None:
    """A jump of five seconds is a loop that was five seconds late, once."""
    async with open_scene(tmp_path) as scene:
        lag = scene.running.services.metrics.loop_lag_seconds
        await pass_time(mock_clock, 2)
        count, total = lag.count, lag.sum
        mock_clock.jump(6)
        await wait_all_tasks_blocked(REAL_SECONDS)
        assert lag.count == count + 1
        assert lag.sum - total == pytest.approx(5, abs=0.01)


async def test_long_lived_objects_leave_the_collectors_sight(tmp_path: Path, mock_clock: MockClock) -> None:
    """Once a minute."""
    gc.unfreeze()
    async with open_scene(tmp_path):
        gc.unfreeze()
        mock_clock.jump(wheel.FREEZE_EVERY_SECONDS + 2)
        await wait_all_tasks_blocked(REAL_SECONDS)
        assert gc.get_freeze_count() > 0
        gc.unfreeze()


async def test_a_broken_socket_does_not_stop_the_wheel(tmp_path: Path, mock_clock: MockClock) -> None:
    """A client that vanished without a word is noticed by its pings failing or by its silence."""
    async with open_scene(tmp_path, sessions={"ping_every_s": 2.0, "dead_after_s": 6.0}) as scene:
        helper, other = await scene.register_agent("helper"), await scene.register_agent("other")
        async with silent(scene, agents_door(other)) as living:
            async with silent(scene, agents_door(helper)) as gone:
                await gone.stream.aclose()
            await pass_time(mock_clock, 8, living, answering=True)
            assert living.is_closed(None)
            assert len(scene.running.sessions) == 1
