"""`kill -9` in the middle of everything: what was acknowledged is there, once, in order, and every device hears of it.

The server is a program of its own here, its clients speak over real sockets.
"""

from __future__ import annotations

import json
import random
from abc import ABC, abstractmethod
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import trio

from tests.faults.program import Rest, free_port, launch, started
from tests.faults.wire import Ended, Refused, Wire, client_frame
from tests.harness import AGENT_SECRET

Json = dict[str, Any]

SEED = 20
MESSAGES = 20_000
KILLS = 5
PEOPLE = 10
AGENTS = 5
WINDOW = 16
TEST_SECONDS = 180
# A burst of a device fills its window; the pause after it is up to so long. Lets every life of the server last seconds.
PAUSE_SECONDS = 0.6
# A cursor is written down by a wheel that turns once a second; a busy machine turns it late.
WRITTEN_DOWN_SECONDS = 2.5


@dataclass
class World:
    """
    What all devices share.

    Attributes:
        up: set while a server accepts connections. settled: messages acknowledged, or given up by who sent them.
    """

    port: int
    up: trio.Event = field(default_factory=trio.Event)
    settled: int = 0
    news: trio.Event = field(default_factory=trio.Event)

    def settle(self, count: int) -> None:
        self.settled += count
        self.tell()

    def tell(self) -> None:
        self.news.set()
        self.news = trio.Event()

    async def reaches(self, settled: int) -> None:
        while self.settled < settled:
            await self.news.wait()


class Device(ABC):
    """
    Sends its messages in order, at most `WINDOW` unacknowledged; comes back after every end.

    Attributes:
        outstanding: sent and not acknowledged, oldest first: content by name.
        acked: what the server said of each content.
        seen: ids of messages in the order of their first arrival.
    """

    version: str

    def __init__(self, world: World, name: str, path: str, conversations: list[str], count: int) -> None:
        self.world = world
        self.name = name
        self.path = path
        self.conversations = conversations
        self.unsent = [f"{name} {number}" for number in reversed(range(count))]
        self.outstanding: dict[str, str] = {}
        self.acked: dict[str, Json] = {}
        self.seen: dict[str, int] = {}
        self.connections = 0
        self._room = trio.Event()
        self._dice = random.Random(name)

    def where(self, content: str) -> str:
        """The conversation a content belongs to: each in turn."""
        return self.conversations[int(content.split()[1]) % len(self.conversations)]

    async def live(self) -> None:
        """Connect, again and again; ends by being cancelled."""
        while True:
            await self.world.up.wait()
            try:
                with await Wire.open(self.world.port, self.path, version=self.version) as wire:
                    await self._converse(wire)
            except (OSError, Refused):
                await trio.lowlevel.checkpoint()  # killed before it answered
            except Ended as end:
                assert end.code in {None, 1012}, end
            self.ended()

    async def _converse(self, wire: Wire) -> None:
        await self.begin(wire)
        self.connections += 1
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._send, wire)
            try:
                while True:
                    self.take(await wire.receive())
                    await self.after(wire)
            except Ended as end:
                assert end.code in {None, 1012}, end
                nursery.cancel_scope.cancel()

    async def _send(self, wire: Wire) -> None:
        try:
            for content in tuple(self.outstanding.values()):
                await wire.send(self.frame(content))
            while self.unsent:
                while len(self.outstanding) >= WINDOW:
                    await self._room.wait()
                content = self.unsent.pop()
                self.outstanding[content] = content
                await wire.send(self.frame(content))
                if len(self.unsent) % WINDOW == 0:
                    await trio.sleep(self._dice.uniform(0, PAUSE_SECONDS))
        except Ended:
            pass  # the reader finds out too

    def frame(self, content: str) -> bytes:
        data = {"conversation_id": self.where(content), "content": content, **self.sign(content)}
        return client_frame(json.dumps({"type": "message", "data": data}).encode())

    def settle(self, content: str, sent: Json) -> None:
        assert content not in self.acked
        assert sent["conversation_id"] == self.where(content)
        self.acked[content] = sent
        self.world.settle(1)
        self._room.set()
        self._room = trio.Event()

    @abstractmethod
    async def begin(self, wire: Wire) -> None: ...
    @abstractmethod
    def sign(self, content: str) -> Json: ...
    @abstractmethod
    def take(self, frame: Json) -> None: ...
    @abstractmethod
    async def after(self, wire: Wire) -> None:
        """Say what is to be said after a frame was taken."""

    @abstractmethod
    def ended(self) -> None:
        """The connection is gone."""

    @abstractmethod
    def expects(self, message: Json) -> bool:
        """Whether it should hear of this message of its conversations."""


class NewDevice(Device):
    """v2: brings its cursor, resends what was not acknowledged, takes no number twice."""

    version = "v2"

    def __init__(self, world: World, name: str, path: str, hello: Json, conversations: list[str], count: int) -> None:
        super().__init__(world, name, path, conversations, count)
        self.hello = hello
        self.seq = 0
        self.epoch: str | None = None
        self.confirmed = 0

    async def begin(self, wire: Wire) -> None:
        await wire.say("hello", since=self.seq, epoch=self.epoch, **self.hello)
        greeting = await wire.receive()
        assert greeting["type"] == "connected", greeting
        assert greeting["data"]["seq"] == self.seq
        assert self.epoch in {None, greeting["data"]["epoch"]}
        self.epoch = greeting["data"]["epoch"]

    def sign(self, content: str) -> Json:
        return {"client_id": f"client-id-of-{content.replace(' ', '-')}"}

    def take(self, frame: Json) -> None:
        word, data = frame["type"], frame["data"]
        if "seq" in frame:
            assert frame["seq"] == self.seq + 1, f"{self.name}: after {self.seq} came {frame['seq']}"
            self.seq = frame["seq"]
            if word == "message":
                assert data["message_id"] not in self.seen
                self.seen[data["message_id"]] = len(self.seen)
                self.world.tell()
        elif word == "message_sent":
            content = next(each for each in self.outstanding if self.sign(each)["client_id"] == data["client_id"])
            del self.outstanding[content]
            self.settle(content, data)
        else:
            assert word in {"presence_update", "delivered", "status"}, frame

    async def after(self, wire: Wire) -> None:
        if self.seq - self.confirmed >= 64:
            self.confirmed = self.seq
            await wire.say("ack", seq=self.seq)

    def ended(self) -> None:
        """Nothing is forgotten: what is outstanding is sent again."""

    def expects(self, message: Json) -> bool:  # noqa: ARG002 - its own ones too
        return True


class OldDevice(Device):
    """
    v1: knows no numbers, resends nothing, answers pings.

    Attributes:
        told_again: how many messages it heard more than once.
    """

    version = "v1"

    def __init__(self, world: World, name: str, path: str, conversations: list[str], count: int) -> None:
        super().__init__(world, name, path, conversations, count)
        self.told_again = 0
        self._arrivals: list[str] = []
        self._known_before = 0
        self._place = 0
        self._confirmed: list[tuple[float, int]] = []
        self._surely_written = 0

    async def begin(self, wire: Wire) -> None:
        wire.ponged = self._ponged
        greeting = await wire.receive()
        assert greeting["type"] == "connected", greeting

    def _ponged(self, payload: bytes) -> None:
        if len(payload) == 16:
            self._confirmed.append((trio.current_time(), self._place))

    def sign(self, content: str) -> Json:  # noqa: ARG002 - it knows no client_id
        return {}

    async def after(self, wire: Wire) -> None:
        """Nothing: pongs say it."""

    def take(self, frame: Json) -> None:
        word, data = frame["type"], frame.get("data", frame)
        assert word != "error", frame
        if word == "message":
            self._arrivals.append(data["message_id"])
            self._place = self.seen.setdefault(data["message_id"], len(self.seen)) + 1
            self.world.tell()
        elif word == "message_sent":
            # Answers carry no name; they come in the order of the messages.
            content = next(iter(self.outstanding))
            del self.outstanding[content]
            self.settle(content, data)

    def ended(self) -> None:
        self._check_connection()
        written = trio.current_time() - WRITTEN_DOWN_SECONDS
        places = [place for at, place in self._confirmed if at < written]
        self._surely_written = max([self._surely_written, *places])
        # What was confirmed shortly before the end may never be written down, in this life or in a later one.
        self._confirmed = []
        self._arrivals = []
        self._known_before = len(self.seen)
        self.world.settle(len(self.outstanding))
        self.outstanding.clear()

    def _check_connection(self) -> None:
        """What was told again is the end of what had been told, unbroken, and no part of it was long confirmed."""
        again = [each for each in self._arrivals if self.seen[each] < self._known_before]
        assert len(again) == len(set(again))
        if not again:
            return
        first = self.seen[again[0]]
        self.told_again += len(again)
        assert [self.seen[each] for each in self._arrivals] == list(range(first, first + len(self._arrivals)))
        assert first >= self._surely_written, f"{self.name}: heard {first} again, had confirmed {self._surely_written}"

    def expects(self, message: Json) -> bool:
        return not message["content"].startswith(f"{self.name} ")


async def people_and_agents(rest: Rest, world: World, messages: int) -> tuple[list[Device], dict[str, str]]:
    """
    Ten people with an old and a new device each, five agents; everybody talks with two or more of the others.

    Returns:
        The devices, and for each conversation a token that may read it.
    """
    readers: dict[str, str] = {}
    talks: defaultdict[str, list[str]] = defaultdict(list)
    devices: list[Device] = []
    share = messages // (2 * PEOPLE + AGENTS)
    for number in range(AGENTS):
        await rest.register_agent(f"agent{number}")
    for number in range(PEOPLE):
        name = f"person{number}"
        new, old = await rest.register(name), await rest.login(name)
        for offset in (0, 1):
            agent_id = f"agent{(number + offset) % AGENTS}"
            talk = await rest.conversation(new, agent_id)
            readers[talk] = new
            talks[name].append(talk)
            talks[agent_id].append(talk)
        devices.append(
            NewDevice(world, f"{name}-new", "/client/connect", {"token": new, "device_id": "d"}, talks[name], share)
        )
        devices.append(OldDevice(world, f"{name}-old", f"/client/connect?token={old}", talks[name], share))
    for number in range(AGENTS):
        name = f"agent{number}"
        if number % 2:
            path = f"/agent/connect?agent_id={name}&agent_secret={AGENT_SECRET}"
            devices.append(OldDevice(world, name, path, talks[name], share))
        else:
            hello = {"token": AGENT_SECRET, "agent_id": name}
            devices.append(NewDevice(world, name, "/agent/connect", hello, talks[name], share))
    return devices, readers


def check_history(history: list[Json], conversation_id: str, devices: list[Device]) -> None:
    """Everything acknowledged is in it once, in the order it was sent, and no number is missing."""
    assert [each["conversation_seq"] for each in history] == list(range(1, len(history) + 1))
    stored = {each["content"]: each for each in history}
    assert len(stored) == len(history)
    for device in devices:
        if conversation_id not in device.conversations:
            continue
        own = [each["content"] for each in history if each["content"].startswith(f"{device.name} ")]
        assert own == sorted(own, key=lambda content: int(content.split()[1]))
        acked = {content: sent for content, sent in device.acked.items() if device.where(content) == conversation_id}
        assert acked.keys() <= set(own)
        if isinstance(device, NewDevice):
            assert acked.keys() == set(own)
        for content, sent in acked.items():
            assert stored[content]["message_id"] == sent["message_id"]
            assert (
                sent.get("conversation_seq", stored[content]["conversation_seq"]) == stored[content]["conversation_seq"]
            )


async def check_devices(histories: dict[str, list[Json]], devices: list[Device], world: World) -> None:
    """Every device hears of every message of its conversations, in their order."""
    for device in devices:
        expected = {
            talk: [each["message_id"] for each in histories[talk] if device.expects(each)]
            for talk in device.conversations
        }
        total = sum(map(len, expected.values()))
        with trio.move_on_after(20):
            while len(device.seen) < total:
                await world.news.wait()
        for talk, ids in expected.items():
            inside = set(ids)
            assert [each for each in device.seen if each in inside] == ids, f"{device.name} in {talk}"
        assert len(device.seen) == total


@pytest.mark.slow
async def test_nothing_acknowledged_is_lost_by_being_killed(tmp_path: Path) -> None:
    """
    Twenty devices of ten people and five agents send 20,000 messages, the server is killed five times meanwhile: all
    that was acknowledged is there once and in order, v2 devices see each number once, v1 devices each message at least
    once, and what v2 resends under the same client_id appears once.
    """
    world = World(free_port())
    directory = tmp_path / "data"
    dice = random.Random(SEED)
    kills = sorted(dice.sample(range(MESSAGES // 20, MESSAGES * 19 // 20), KILLS))
    devices: list[Device] = []
    readers: dict[str, str] = {}
    with trio.fail_after(TEST_SECONDS):
        async with trio.open_nursery() as nursery:
            for kill_at in [*kills, None]:
                async with launch(directory, port=world.port) as life:
                    await started(life)
                    if not devices:
                        async with Rest(world.port) as rest:
                            devices, readers = await people_and_agents(rest, world, MESSAGES)
                        for device in devices:
                            nursery.start_soon(device.live)
                    world.up.set()
                    if kill_at is not None:
                        await world.reaches(kill_at)
                        world.up = trio.Event()
                        await life.kill()
                        assert life.errors() == []
                        continue
                    await world.reaches(MESSAGES)
                    async with Rest(world.port) as rest:
                        histories = {talk: await rest.history(token, talk) for talk, token in readers.items()}
                    for talk, history in histories.items():
                        check_history(history, talk, devices)
                    await check_devices(histories, devices, world)
                    world.up = trio.Event()
                    life.process.terminate()
                    assert await life.wait() == 0
                    assert life.errors() == []
            nursery.cancel_scope.cancel()
    assert all(device.connections >= KILLS for device in devices)
    assert any(device.told_again for device in devices if isinstance(device, OldDevice))


@pytest.mark.slow
async def test_what_an_old_device_confirmed_long_ago_is_not_told_again(tmp_path: Path) -> None:
    """
    After a quiet moment a killed server has nothing to repeat, though a v1 client never said what it has.
    """
    world = World(free_port())
    directory = tmp_path / "data"
    async with launch(directory, port=world.port) as life:
        await started(life)
        async with Rest(world.port) as rest:
            await rest.register_agent("helper")
            token, second = await rest.register("alice"), await rest.login("alice")
            talk = await rest.conversation(token, "helper")
        path = f"/client/connect?token={second}"
        with (
            await Wire.open(world.port, path, version="v1") as old,
            await Wire.open(world.port, "/client/connect") as new,
        ):
            await new.say("hello", token=token)
            for number in range(100):
                await new.say("message", conversation_id=talk, content=f"{number}", client_id=f"client-id-{number:09d}")
            heard: list[str] = []
            confirmed = trio.Event()

            def ponged(payload: bytes) -> None:
                if len(heard) == 100 and len(payload) == 16:
                    confirmed.set()

            old.ponged = ponged
            async with trio.open_nursery() as nursery:

                async def listen() -> None:
                    while True:
                        frame = await old.receive()
                        if frame["type"] == "message":
                            heard.append(frame["data"]["content"])

                nursery.start_soon(listen)
                await confirmed.wait()
                await trio.sleep(WRITTEN_DOWN_SECONDS)
                nursery.cancel_scope.cancel()
            assert heard == [f"{number}" for number in range(100)]
            await life.kill()
    async with launch(directory, port=world.port) as life:
        await started(life)
        with (
            await Wire.open(world.port, path, version="v1") as old,
            await Wire.open(world.port, "/client/connect") as new,
        ):
            await new.say("hello", token=token)
            await new.say("message", conversation_id=talk, content="the next", client_id="client-id-the-next")
            while (frame := await old.receive())["type"] != "message":
                pass
            assert frame["data"]["content"] == "the next"
