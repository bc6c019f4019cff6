"""What keeps runs going: over lost connections, restarts and crashes, and to an end when nobody ends them."""

from __future__ import annotations

import threading
from copy import copy
from pathlib import Path

import pytest
import trio
import trio.testing
from hypothesis import given, settings
from hypothesis import strategies as st

from amtrio.errors import StorageUnavailable
from amtrio.feature import Registry, registry
from amtrio.features.run_upkeep import end_forsaken, forget_empty_runs, store_bodies, write_down
from amtrio.model.open_runs import OpenRuns
from amtrio.store.database import ReadTx, Tx
from tests.features.conftest import Cast, page
from tests.harness import Device, MovableClock, Scene, open_scene
from tests.runs import Answer, Shown

RUN = "run-of-the-tests-01"


def chunks(tx: ReadTx) -> int:
    row = tx.one("SELECT count(*) FROM run_chunk")
    assert row is not None
    return int(row[0])


async def test_what_was_said_is_on_disk_within_a_second_and_its_agent_hears_how_much(tmp_path: Path) -> None:
    """At most one write a second for all runs together, and nothing of it is left behind the end."""
    async with open_scene(tmp_path, runs={"checkpoint_s": 0.1}) as scene:
        alice, agent = await scene.register("alice"), await scene.register_agent("helper")
        talk = await scene.conversation(alice, agent)
        async with scene.device(agent) as helper:
            answer = Answer(helper, RUN)
            await answer.start(talk)
            await answer.say("héllo ")
            await answer.part(1, "tool", name="x", state="running")
            durable: dict[int, int] = {}
            while durable != {0: 6, 1: 0}:
                for part in (await helper.next("run_ack", run_id=RUN))["parts"]:
                    durable[part["part"]] = part["durable_offset"]
            store = scene.running.services.store
            assert await store.read(chunks) >= 1
            await answer.finish()
            assert await store.read(chunks) == 0


async def test_nothing_that_was_shown_is_lost_by_a_restart(tmp_path: Path) -> None:
    """An orderly one; the agent goes on where the server has it."""
    async with open_scene(tmp_path) as scene:
        alice, agent = await scene.register("alice"), await scene.register_agent("helper")
        talk = await scene.conversation(alice, agent)
        async with scene.device(agent) as helper:
            answer = Answer(helper, RUN)
            await answer.start(talk)
            await answer.part(0, "reasoning", title="Hm")
            await answer.say("thinking", part=0)
            await answer.say("One, two", part=1)
            await helper.caught_up()
    async with open_scene(tmp_path) as scene, scene.device(alice, "phone") as phone, scene.device(agent) as helper:
        shown = Shown()
        shown.hear(await phone.take())
        assert shown.text(RUN) == "One, two"
        assert shown.runs[RUN]["parts"][0]["meta"] == {"title": "Hm"}
        answer = Answer(helper, RUN)
        state = await answer.resume()
        assert [(part["part"], part["offset"]) for part in state["parts"]] == [(0, 8), (1, 8)]
        await answer.say(", three", part=1)
        finished = await answer.finish()
        assert (await phone.next("message", message_id=finished["message_id"]))["content"] == "One, two, three"


async def test_a_device_that_keeps_what_it_shows_goes_on_after_a_restart(tmp_path: Path) -> None:
    """It takes the picture of the new server for newer than what it has, though that server counts changes anew."""
    shown = Shown()
    async with open_scene(tmp_path, runs={"merge_ms": 1}) as scene:
        alice, agent = await scene.register("alice"), await scene.register_agent("helper")
        talk = await scene.conversation(alice, agent)
        async with scene.device(agent) as helper, scene.device(alice, "phone") as phone:
            answer = Answer(helper, RUN)
            await answer.start(talk)
            for number in range(10):
                await answer.say(f"{number} ")
                shown.hear(await phone.take())
            while RUN not in shown.runs or shown.text(RUN) != "0 1 2 3 4 5 6 7 8 9 ":
                shown.hear(await phone.take())
    async with open_scene(tmp_path) as scene, scene.device(alice, "phone") as phone, scene.device(agent) as helper:
        answer = Answer(helper, RUN)
        await answer.resume()
        await answer.say("and on")
        while shown.text(RUN) != "0 1 2 3 4 5 6 7 8 9 and on":
            shown.hear(await phone.take())
        assert not shown.holes


async def test_no_run_keeps_the_server_from_starting(tmp_path: Path) -> None:
    """Neither one that shrank in one part while it grew in another, nor one that is longer than runs may be by now."""
    async with open_scene(tmp_path) as scene:
        alice, agent = await scene.register("alice"), await scene.register_agent("helper")
        talk = await scene.conversation(alice, agent)
        async with scene.device(agent) as helper:
            answer = Answer(helper, RUN)
            await answer.start(talk)
            await answer.say("x")
            for number in range(1, 9):
                await answer.part(number, "tool", name="x", state="running", arguments="y" * 60_000)
            await helper.caught_up()
            await store_bodies(scene.running.services)
            await answer.part(8, "tool", name="x", state="done")
            for _ in range(2):
                await answer.say("z" * 30_000)
            await helper.caught_up()
    async with open_scene(tmp_path, runs={"max_bytes": 1024}) as scene, scene.device(agent) as helper:
        answer = Answer(helper, RUN)
        await answer.resume()
        assert answer.lengths[0] == 60_001
        finished = await answer.finish()
        assert finished["message_id"] is not None


async def test_a_run_whose_agent_does_not_come_back_ends_with_what_it_said(tmp_path: Path) -> None:
    """Also one that comes back as a new program, which knows nothing of it."""
    async with open_scene(tmp_path, runs={"agent_grace_s": 0.2}) as scene:
        alice, agent = await scene.register("alice"), await scene.register_agent("helper")
        talk = await scene.conversation(alice, agent)
        async with scene.device(alice, "phone") as phone:
            async with scene.device(agent) as helper:
                answer = Answer(helper, RUN)
                await answer.start(talk)
                await answer.say("so far")
                await phone.next("run_delta")
            async with scene.device(agent) as helper:
                message = await phone.next("message")
                assert (message["content"], message["run"]["outcome"]) == ("so far", "interrupted")
                refused = await helper.ask("run_append", run_id=RUN, part=0, offset=6, text="!")
                assert refused["data"]["code"] == "run_closed"


async def test_a_device_that_comes_is_shown_every_run_though_none_says_anything(tmp_path: Path) -> None:
    """More than it takes at once: the rest comes as it reads."""
    async with open_scene(tmp_path) as scene:
        alice, agent = await scene.register("alice"), await scene.register_agent("helper")
        talk = await scene.conversation(alice, agent)
        names = {f"run-of-the-tests-{number:02}" for number in range(20)}
        async with scene.device(agent) as helper:
            for name in names:
                answer = Answer(helper, name)
                await answer.start(talk)
                for _ in range(5):
                    await answer.say("x" * 60_000)
            await helper.caught_up()
            while scene.running.services.own(OpenRuns).untold:
                await trio.testing.wait_all_tasks_blocked()
            async with scene.device(alice, "late") as late:
                seen: set[str] = set()
                while seen < names:
                    run = await late.next("run_snapshot")
                    assert len(run["parts"][0]["text"]) == 300_000
                    seen.add(run["run_id"])


async def test_an_agent_that_comes_and_goes_without_a_word_keeps_no_run_open(tmp_path: Path) -> None:
    """It crashes again and again: what counts is since when nobody has said anything in the run."""
    async with open_scene(tmp_path, runs={"agent_grace_s": 3600}) as scene:
        alice, agent = await scene.register("alice"), await scene.register_agent("helper")
        talk = await scene.conversation(alice, agent)
        async with scene.device(agent) as helper:
            await Answer(helper, RUN).start(talk)
        (run,) = scene.running.services.own(OpenRuns)
        async with scene.device(alice, "phone") as phone:
            while run.away_since is None:
                await phone.caught_up()
            since = run.away_since
            for _ in range(2):
                async with scene.device(agent) as helper:
                    await helper.caught_up()
                    assert run.away_since == since
                while scene.running.hub.is_online("a:helper"):
                    await phone.caught_up()
                assert run.away_since == since


async def test_an_agent_that_comes_back_in_time_goes_on(tmp_path: Path) -> None:
    async with open_scene(tmp_path, runs={"agent_grace_s": 0.3}) as scene:
        alice, agent = await scene.register("alice"), await scene.register_agent("helper")
        talk = await scene.conversation(alice, agent)
        async with scene.device(agent) as helper:
            answer = Answer(helper, RUN)
            await answer.start(talk)
            await answer.say("One")
            await helper.caught_up()
        async with scene.device(agent) as helper:
            answer = Answer(helper, RUN)
            await answer.resume()
            (run,) = scene.running.services.own(OpenRuns)
            assert run.away_since is None
            await answer.say(", two")
            await answer.finish()
        assert await page(scene, alice, talk) == ["One, two"]


async def test_a_run_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    async with open_scene(tmp_path, runs={"max_hours": 0.001}) as scene:
        alice, agent = await scene.register("alice"), await scene.register_agent("helper")
        talk = await scene.conversation(alice, agent)
        async with scene.device(agent) as helper:
            answer = Answer(helper, RUN)
            await answer.start(talk)
            await answer.say("so far")
            await helper.caught_up()
            (run,) = scene.running.services.own(OpenRuns)
            run.started_at -= 3600
            await end_forsaken(scene.running.services)
            message = await helper.next("message")
            assert (message["run"]["outcome"], "longer than" in message["run"]["error"]) == ("interrupted", True)


async def test_a_run_goes_with_its_conversation_and_with_its_agent(scene: Scene, cast: Cast) -> None:
    """Nothing is left in memory, and what is said later is refused."""
    runs = scene.running.services.own(OpenRuns)
    async with scene.device(cast.helper) as helper, scene.device(cast.bob) as bobs:
        answer = Answer(helper, RUN)
        await answer.start(cast.talk)
        await answer.say("so far")
        await Answer(helper, "run-of-the-tests-02").start(cast.other)
        await bobs.next("run_snapshot")
        assert len(runs) == 2
        gone = await scene.http.delete(f"/conversations/{cast.talk}", headers=cast.alice.headers)
        assert gone.status_code == 200
        assert len(runs) == 1
        assert (await helper.ask("run_finish", run_id=RUN, outcome="done"))["data"]["code"] == "not_found"
        refused = await helper.ask("run_append", run_id=RUN, part=0, offset=6, text="!")
        assert refused["data"]["code"] == "run_closed"
        gone = await scene.http.delete("/admin/agents/helper", headers={"X-Admin-Secret": "admin-secret-of-the-tests"})
        assert gone.status_code == 200, gone.text
        assert len(runs) == 0


def without_chores() -> Registry:
    """For tests that say themselves when which chore runs."""
    table = copy(registry)
    table.chores = []
    return table


def fill_once(tx: Tx) -> None:
    """The next commit that needs room is refused, as by a full disk; the one after it has room again."""
    row = tx.one("PRAGMA page_count")
    assert row is not None
    tx.one(f"PRAGMA max_page_count = {row[0]}")


async def test_what_a_full_disk_refused_is_written_when_there_is_room(tmp_path: Path) -> None:
    """Words and ends; neither the chore nor a run fails of it, and nothing is lost by a restart after that."""
    async with open_scene(tmp_path, table=without_chores(), runs={"checkpoint_s": 0.1, "agent_grace_s": 0.1}) as scene:
        services, runs = scene.running.services, scene.running.services.own(OpenRuns)
        alice, agent = await scene.register("alice"), await scene.register_agent("helper")
        talk = await scene.conversation(alice, agent)
        names = [f"run-of-the-tests-{number:02}" for number in range(3)]
        async with scene.device(agent) as helper:
            for name in names:
                answer = Answer(helper, name)
                await answer.start(talk)
                await answer.say("x" * 50_000)
            await helper.caught_up()
            await services.store.write(fill_once)
            await write_down(services)
            assert len(runs.unstored) == 3
            assert not [frame for frame in helper.ephemeral if frame["type"] == "run_ack"]
            while runs.unstored:
                await helper.caught_up()
                await write_down(services)
            await helper.next("run_ack")
            for _ in range(2):
                await answer.say("y" * 50_000)
            await helper.caught_up()
            await services.store.write(fill_once)
            refused = await helper.ask("run_finish", run_id=names[-1], outcome="done")
            assert (refused["data"]["code"], refused["data"]["retry"]) == ("storage_unavailable", "same_client_id")
            await answer.say("z")
            await helper.caught_up()
        while any(run.away_since is None for run in runs):
            await scene.http.get("/health")
        for run in runs:
            assert run.away_since is not None
            run.away_since -= 1
        await services.store.write(fill_once)
        try:
            await end_forsaken(services)
        except StorageUnavailable:
            await end_forsaken(services)
        assert len(runs) == 0
        longest = max(await page(scene, alice, talk), key=len)
        assert longest == "x" * 50_000 + "y" * 100_000 + "z"


async def test_what_is_said_while_a_run_ends_in_vain_is_there_after_a_restart(tmp_path: Path) -> None:
    """The disk refuses the end, and at that moment the others' words are written down."""
    is_full, gate = threading.Event(), threading.Event()

    def keep_busy(tx: Tx) -> None:
        fill_once(tx)
        is_full.set()
        gate.wait(10)

    async with open_scene(tmp_path, table=without_chores()) as scene:
        services = scene.running.services
        alice, agent = await scene.register("alice"), await scene.register_agent("helper")
        talk = await scene.conversation(alice, agent)
        async with scene.device(agent) as helper, trio.open_nursery() as nursery:
            answer = Answer(helper, RUN)
            await answer.start(talk)
            for _ in range(4):
                await answer.say("x" * 50_000)
            await helper.caught_up()
            nursery.start_soon(services.store.write, keep_busy)
            while not is_full.is_set():
                await helper.caught_up()
            await helper.say("run_finish", ref="finish", run_id=RUN, outcome="done")
            while services.gauges().waiting_units < 1:
                await scene.http.get("/health")
            await store_bodies(services)
            gate.set()
            while "finish" not in helper.replies:
                await helper.take()
            assert helper.replies["finish"]["data"]["code"] == "storage_unavailable"
    async with open_scene(tmp_path) as scene, scene.device(agent) as helper:
        answer = Answer(helper, RUN)
        await answer.resume()
        assert answer.lengths == {0: 200_000}


async def test_a_full_disk_does_not_keep_the_server_from_stopping_in_order(tmp_path: Path) -> None:
    """What it could not write down is with the agent, which hears how much the server has and says the rest again."""
    async with open_scene(tmp_path, table=without_chores()) as scene:
        alice, agent = await scene.register("alice"), await scene.register_agent("helper")
        talk = await scene.conversation(alice, agent)
        async with scene.device(agent) as helper:
            answer = Answer(helper, RUN)
            await answer.start(talk)
            for _ in range(4):
                await answer.say("x" * 50_000)
            await helper.caught_up()
        await scene.running.services.store.write(fill_once)
    async with open_scene(tmp_path) as scene, scene.device(agent) as helper:
        answer = Answer(helper, RUN)
        assert (await answer.resume())["parts"] == []


async def test_what_is_replaced_again_and_again_takes_little_room_on_disk(tmp_path: Path) -> None:
    """And the run is made again from it as it was."""
    async with open_scene(tmp_path, table=without_chores(), runs={"max_bytes": 10_000}) as scene:
        services = scene.running.services
        alice, agent = await scene.register("alice"), await scene.register_agent("helper")
        talk = await scene.conversation(alice, agent)
        async with scene.device(agent) as helper:
            answer = Answer(helper, RUN)
            await answer.start(talk)
            for number in range(50):
                await answer.say("é")
                await answer.part(1, "tool", name="x", state="running", step=f"{number}" + "y" * 4000)
                await helper.caught_up()
                await store_bodies(services)
            row = await services.store.read(lambda tx: tx.one("SELECT sum(length(changes)) FROM run_chunk"))
            assert row is not None
            assert row[0] < 60_000
            before = (await helper.ask("run_attach", run_id=RUN))["data"]["parts"]
    async with open_scene(tmp_path, table=without_chores()) as scene, scene.device(agent) as helper:
        assert (await helper.ask("run_attach", run_id=RUN))["data"]["parts"] == before
        await store_bodies(scene.running.services)


async def test_runs_without_a_message_are_forgotten_after_a_month(tmp_path: Path) -> None:
    clock = MovableClock()
    async with open_scene(tmp_path, clock=clock) as scene:
        alice, agent = await scene.register("alice"), await scene.register_agent("helper")
        talk = await scene.conversation(alice, agent)
        async with scene.device(agent) as helper:
            empty, kept = Answer(helper, RUN), Answer(helper, "run-of-the-tests-02")
            for answer in (empty, kept):
                await answer.start(talk)
            await kept.say("words")
            await empty.finish()
            await kept.finish()
            clock.move(days=31)
            await forget_empty_runs(scene.running.services)
            assert (await helper.ask("run_resume", run_id=RUN))["data"]["code"] == "not_found"
            assert (await kept.resume())["state"] == "ended"


async def test_a_device_that_reads_too_slowly_sees_the_answer_in_jumps_and_whole_in_the_end(tmp_path: Path) -> None:
    """What it was not told is made up for by one picture, not by a backlog."""
    async with open_scene(tmp_path, sessions={"high_water_bytes": 4096}, runs={"merge_ms": 1}) as scene:
        alice, agent = await scene.register("alice"), await scene.register_agent("helper")
        talk = await scene.conversation(alice, agent)
        async with scene.device(agent) as helper, scene.device(alice, "slow") as slow:
            answer, shown = Answer(helper, RUN), Shown()
            await answer.start(talk)
            (session,) = [each for each in scene.running.sessions.open if each.device_id == "slow"]
            assert session.socket is not None
            said = ""
            # What the kernel takes for a device that reads nothing is not small.
            while session.socket.buffered < 4096:
                await answer.say("x" * 4000)
                said += "x" * 4000
                await helper.caught_up()
                await answer.part(1, "status", text=str(len(said)))
                if len(said) > 480_000:
                    break
            for number in range(50):
                await answer.part(1, "status", text=f"step {number}")
            while (
                RUN not in shown.runs
                or len(shown.runs[RUN]["parts"]) < 2
                or shown.runs[RUN]["parts"][1]["meta"] != {"text": "step 49"}
            ):
                shown.hear(await slow.take())
            assert shown.text(RUN) == said
            words = [frame["type"] for frame in slow.ephemeral]
            assert words.count("run_snapshot") >= 2, "the first one, and one that made up for what was dropped"


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("say"), st.integers(0, 2), st.text(min_size=1, max_size=6)),
        st.tuples(st.just("meta"), st.integers(0, 2), st.text(max_size=3)),
        st.tuples(
            st.sampled_from(["attach", "leave", "drop", "resume", "flush", "store", "restart"]), st.just(0), st.just("")
        ),
    ),
    max_size=25,
)


@settings(max_examples=25, deadline=None)
@given(steps=STEPS)
async def test_however_it_goes_every_device_shows_what_is_stored_in_the_end(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int, str]]
) -> None:
    """Any order of words, reconnects of both sides, late devices and restarts: no hole, no repeat, the same text."""
    directory = tmp_path_factory.mktemp("runs")
    play = _Play(directory)
    async with trio.open_nursery() as nursery:
        await play.begin(nursery)
        for step, part, text in steps:
            await play.do(step, part, text)
        await play.end()


class _Play:
    """One run, its agent, and a device that comes and goes beside one that stays whenever the server is there."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.said: list[str] = []
        self.metas: list[str] = []

    async def begin(self, nursery: trio.Nursery) -> None:
        self.nursery = nursery
        self._stack: list[trio.Event] = []
        await self._open()
        self.alice, self.agent = await self.scene.register("alice"), await self.scene.register_agent("helper")
        self.talk = await self.scene.conversation(self.alice, self.agent)
        self.helper = await self._connect("agent")
        self.staying = await self._connect("stays")
        self.late: Device | None = None
        self.shown = {"stays": Shown(), "late": Shown()}
        self.answer = Answer(self.helper, RUN)
        await self.answer.start(self.talk)

    async def _open(self) -> None:
        async def run(*, task_status: trio.TaskStatus[Scene]) -> None:
            async with open_scene(self.directory, runs={"merge_ms": 1}) as scene:
                task_status.started(scene)
                await self.closing.wait()
            self.closed.set()

        self.closing, self.closed = trio.Event(), trio.Event()
        self.scene: Scene = await self.nursery.start(run)
        self._leaving: dict[str, tuple[trio.Event, trio.Event]] = {}

    async def _connect(self, name: str) -> Device:
        leave, left = trio.Event(), trio.Event()
        who = self.agent if name == "agent" else self.alice

        async def run(*, task_status: trio.TaskStatus[Device]) -> None:
            async with self.scene.device(who, None if name == "agent" else name) as device:
                task_status.started(device)
                await leave.wait()
            left.set()

        self._leaving[name] = leave, left
        device: Device = await self.nursery.start(run)
        return device

    async def _leave(self, name: str) -> None:
        leave, left = self._leaving.pop(name)
        leave.set()
        await left.wait()

    def _hear(self, name: str, device: Device) -> None:
        for frame in device.ephemeral + device.events:
            self.shown[name].hear(frame)
        device.ephemeral.clear()
        device.events.clear()

    async def do(self, step: str, part: int, text: str) -> None:
        if step == "say":
            part = min(part, len(self.said))
            if part == len(self.said):
                self.said.append("")
                self.metas.append("")
            self.said[part] += text
            await self.answer.say(text, part)
        elif step == "meta" and part < len(self.said):
            self.metas[part] = text
            await self.answer.part(part, "text", note=text)
        elif step == "attach" and self.late is None:
            self.late = await self._connect("late")
        elif step == "leave" and self.late is not None:
            await self._leave("late")
            self.late = None
            self.shown["late"] = Shown()
        elif step in {"drop", "restart"}:
            await self.helper.caught_up()
            await self._leave("agent")
            if step == "restart":
                await self._restart()
            self.helper = await self._connect("agent")
            self.answer = Answer(self.helper, RUN)
            await self.answer.resume()
            assert [self.answer.lengths[number] for number in range(len(self.said))] == [
                len(each) for each in self.said
            ]
        elif step == "flush":
            await self.helper.caught_up()
            await self.staying.caught_up()
            self._hear("stays", self.staying)

    async def _restart(self) -> None:
        for name in ("stays", "late"):
            if name in self._leaving:
                await self._leave(name)
            self.shown[name] = Shown()
        self.closing.set()
        await self.closed.wait()
        await self._open()
        self.staying, self.late = await self._connect("stays"), None

    async def end(self) -> None:
        await self.helper.caught_up()
        watching = {"stays": self.staying} | ({"late": self.late} if self.late is not None else {})
        texts = [text for text in self.said if text]
        for name, device in watching.items():
            while RUN not in self.shown[name].runs or not self._is_whole(self.shown[name]):
                await device.take()
                self._hear(name, device)
            assert not self.shown[name].holes
        finished = await self.answer.finish()
        for device in watching.values():
            if texts:
                message = await device.next("message", message_id=finished["message_id"])
                assert message["content"] == "\n\n".join(texts)
        for name in tuple(self._leaving):
            await self._leave(name)
        self.closing.set()

    def _is_whole(self, shown: Shown) -> bool:
        parts = shown.runs[RUN]["parts"]
        return [part["text"] for part in parts] == self.said and [
            part["meta"].get("note", "") for part in parts
        ] == self.metas
