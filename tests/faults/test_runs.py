"""`kill -9` while agents answer: what was said is there in the end, once and in order, and devices never show it torn.

The server is a program of its own here; agents are built on the library, as anybody's would be.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from subprocess import DEVNULL

import pytest
import trio

from amtrio.cli.demo_talk import Call, GoOn, Say, endless_sentence, plan
from amtrio.client import Agent, Backoff, Card, Incoming, Run
from tests.faults.program import Rest, bearer, free_port, launch, started
from tests.faults.wire import Ended, Refused, Wire, client_frame
from tests.harness import ADMIN_SECRET, AGENT_SECRET, Json
from tests.runs import Shown

WORDS = 400
KILLS = 3
TEST_SECONDS = 90


class Device:
    """
    A person's device that comes back after every end, and shows what it is told.

    Attributes:
        expected: the words of which everything that it ever shows must be the beginning.
        most: how many words it has shown at once so far.
    """

    def __init__(self, port: int, token: str, expected: Sequence[str]) -> None:
        self.expected = expected
        self.port = port
        self.token = token
        self.shown = Shown()
        self.most = 0
        self.seq, self.epoch = 0, ""
        self.news = trio.Event()

    async def live(self) -> None:
        while True:
            try:
                with await Wire.open(self.port, "/client/connect", version="v2") as wire:
                    await self._hear(wire)
            except (OSError, Refused, Ended):
                self.shown.runs.clear()
                await trio.sleep(0.05)  # the server is down

    async def _hear(self, wire: Wire) -> None:
        hello = {"token": self.token, "device_id": "phone"}
        if self.epoch:
            hello |= {"since": self.seq, "epoch": self.epoch}  # type: ignore[dict-item]  # a number among texts
        await wire.send(client_frame(json.dumps({"type": "hello", "data": hello}).encode()))
        while True:
            frame = await wire.receive()
            if frame["type"] == "connected":
                self.epoch = frame["data"]["epoch"]
            self.seq = frame.get("seq", self.seq)
            self.shown.hear(frame)
            assert not self.shown.holes
            for run_id in self.shown.runs:
                words = self.shown.text(run_id).split()
                assert words == self.expected[: len(words)], "torn"
                self.most = max(self.most, len(words))
            self.news.set()
            self.news = trio.Event()

    async def until(self, is_so: Callable[[Shown], bool]) -> None:
        while not is_so(self.shown):
            await self.news.wait()

    async def shows(self, words: int) -> None:
        await self.until(lambda _: self.most >= words)

    async def hears_an_end(self) -> None:
        await self.until(lambda shown: bool(shown.ended))


@pytest.mark.slow
async def test_an_answer_survives_the_server(tmp_path: Path) -> None:
    """Three times killed in the middle of it."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    agent = Agent("helper", url=url, token=AGENT_SECRET, card=Card(), backoff=Backoff(first_s=0.05, longest_s=0.2))
    may_say, more = 0, trio.Event()
    said = [str(number) for number in range(WORDS)]
    talk, device, history = "", Device(port, "", said), list[Json]()

    @agent.on_message
    async def count(message: Incoming, run: Run) -> None:
        assert message.content == "count"
        for number in range(WORDS):
            while number >= may_say:
                await more.wait()
            await run.write(f"{number} ")
            await trio.sleep(0.001)

    async def lives(step: int) -> None:
        """One life of the server: it is killed in the middle of what is said in it, but for the last one."""
        nonlocal may_say, more
        async with launch(tmp_path / "data", port=port) as life:
            await started(life)
            if step == 0:
                await begin()
            may_say = (step + 1) * WORDS // (KILLS + 1)
            more.set()
            more = trio.Event()
            if step < KILLS:
                await device.shows(may_say - WORDS // 8)
                await life.kill()
                return
            await device.hears_an_end()
            assert not life.errors()
            async with Rest(port) as rest:
                history.extend(await rest.history(device.token, talk))

    async def begin() -> None:
        nonlocal talk, device
        async with Rest(port) as rest:
            token = await rest.register("alice")
            await rest.register_agent("helper")
            talk = await rest.conversation(token, "helper")
            device = Device(port, token, said)
            nursery.start_soon(agent.serve)
            nursery.start_soon(device.live)
            path, proof = f"/conversations/{talk}/messages", {"Authorization": f"Bearer {token}"}
            assert (await rest.http.post(path, json={"content": "count"}, headers=proof)).status_code == 200

    with trio.fail_after(TEST_SECONDS):
        async with trio.open_nursery() as nursery:
            for step in range(KILLS + 1):
                await lives(step)
            nursery.cancel_scope.cancel()
    question, answer = history
    assert (question["content"], answer["run"]["outcome"]) == ("count", "done")
    assert answer["content"].split() == said
    (ended,) = device.shown.ended.values()
    assert ended["content"] == answer["content"]


def demo_says(content: str) -> list[str]:
    """The words of the demo agent's first answer, without what is in its tools."""
    said = []
    for step in plan(content, 1, 0):
        match step:
            case Say():
                said.append(step.text)
            case GoOn():
                said += [endless_sentence(number, step.topic) for number in range(1, 2000)]
            case _:
                assert isinstance(step, Call), step
    return " ".join(said).split()


def is_in_the_middle(run: Json) -> bool:
    """It says one sentence after the other, or its tool has printed some lines and not all."""
    texts = {part["kind"]: part["text"] for part in run["parts"]}
    return "\n12. This answer" in texts.get("text", "") or texts.get("tool", "").count("\n") > 10


@pytest.mark.slow
@pytest.mark.parametrize("content", ["/endless", "/tool 97"])
async def test_the_demo_agents_answer_survives_the_server(tmp_path: Path, content: str) -> None:
    """As a program of its own, started as the manual says: its answer goes on in the same run, and can be stopped."""
    port, expected = free_port(), demo_says(content)
    device = Device(port, "", expected)
    is_endless = content == "/endless"
    with trio.fail_after(TEST_SECONDS):
        async with trio.open_nursery() as nursery:
            async with launch(tmp_path / "data", port=port) as life, Rest(port) as rest:
                await started(life)
                device.token = await rest.register("alice")
                proof = {"X-Admin-Secret": ADMIN_SECRET}
                made = await rest.http.post("/admin/agents", json={"agent_id": "demo"}, headers=proof)
                talk = await rest.conversation(device.token, "demo")
                command = [sys.executable, "-m", "amtrio", "demo-agent", "--url", f"http://127.0.0.1:{port}"]
                nursery.start_soon(
                    partial(trio.run_process, [*command, "--pace=0.3", "--token", made.json()["token"]], stdout=DEVNULL)
                )
                nursery.start_soon(device.live)
                path = f"/conversations/{talk}/messages"
                asked = await rest.http.post(path, json={"content": content}, headers=bearer(device.token))
                assert asked.status_code == 200, asked.text
                await device.until(lambda shown: any(map(is_in_the_middle, shown.runs.values())))
                (run,) = device.shown.runs
                await life.kill()
            async with launch(tmp_path / "data", port=port) as life, Rest(port) as rest:
                await started(life)
                if is_endless:
                    await device.shows(device.most + 40)
                    assert set(device.shown.runs) == {run}
                    stop = await rest.http.post(
                        f"/runs/{run}/control", json={"action": "stop"}, headers=bearer(device.token)
                    )
                    assert stop.status_code == 200, stop.text
                await device.hears_an_end()
                assert not life.errors()
                _, answer = await rest.history(device.token, talk)
            nursery.cancel_scope.cancel()
    assert (answer["run"]["run_id"], answer["run"]["outcome"]) == (run, "stopped" if is_endless else "done")
    words = answer["content"].split()
    assert words == expected[: len(words)]
    assert len(words) > 100 if is_endless else words == expected
