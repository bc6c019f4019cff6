"""What a handler holds of its run's parts, against the fake server's rules."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import anyio
import pytest

from amtrio.client.errors import RunClosed
from amtrio.client.outgoing_run import OutgoingRun
from amtrio.client.run_parts import WAITING_CHARACTERS, Flow, PartWriter, PlanItem, Reasoning, ToolCall
from tests.client.fake_wire import FakeWire

RUN = "run:0123456789abcdef"
Scene = Callable[[FakeWire, Flow], Awaitable[None]]


def played(scene: Scene, backend: str = "trio") -> FakeWire:
    """Play with an open run; what was said has arrived afterwards."""
    wire = FakeWire()

    async def life() -> None:
        await scene(wire, Flow(opened(wire), lambda: None))

    anyio.run(life, backend=backend)
    wire.settle()
    return wire


def opened(wire: FakeWire) -> OutgoingRun:
    run = wire.client.open(RUN, "c1")
    wire.settle()
    return run


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_who_writes_faster_than_the_network_waits(backend: str) -> None:
    """
    With 256 Ki characters on their way the writer sleeps, until there is room.
    """

    async def scene(wire: FakeWire, flow: Flow) -> None:
        part = PartWriter(flow, "text", {})
        written = 0

        async def write() -> None:
            nonlocal written
            for _ in range(5):
                await part.write("x" * 100_000)
                written += 1

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(write)
            await anyio.wait_all_tasks_blocked()
            assert written == 2  # and the third is kept, but its writer waits
            assert flow.out.waiting > WAITING_CHARACTERS
            wire.server.size_limit = 10**6
            wire.settle()
            await anyio.wait_all_tasks_blocked()
            wire.settle()

    wire = played(scene, backend)
    assert len(wire.server.runs[RUN].text) == 500_000


def test_who_waits_for_room_hears_of_the_end() -> None:
    """
    Not for ever.
    """

    async def scene(wire: FakeWire, flow: Flow) -> None:
        part = PartWriter(flow, "text", {})

        async def write() -> None:
            with pytest.raises(RunClosed):
                await part.write("x" * 300_000)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(write)
            await anyio.wait_all_tasks_blocked()
            wire.server.end(RUN, "stopped")
            wire.cut()
            wire.settle()

    played(scene)


def test_a_tool_tells_what_came_of_it() -> None:
    """
    Done with its result, failed with a text, broken by an error; its time in each case.
    """

    async def scene(wire: FakeWire, flow: Flow) -> None:
        good, bad, broken = (ToolCall(flow, name, {"q": name}, None) for name in ("good", "bad", "broken"))
        await good.write("10%")
        good.result = [1, 2]
        good.close()
        bad.fail("no such city")
        bad.close()
        broken.broke(KeyError("x"))

    parts = played(scene).server.runs[RUN].parts
    assert [(part["meta"]["name"], part["meta"]["state"], part["meta"].get("result")) for part in parts] == [
        ("good", "done", [1, 2]),
        ("bad", "failed", {"error": "no such city"}),
        ("broken", "failed", {"error": "KeyError: 'x'"}),
    ]
    assert all(part["meta"]["duration_ms"] >= 0 for part in parts)
    assert (parts[0]["meta"]["arguments"], parts[0]["text"]) == ({"q": "good"}, "10%")


def test_an_error_in_a_tool_is_never_hidden_by_telling_of_it() -> None:
    """
    Neither by a run that has ended nor by a result that cannot be told.
    """

    async def scene(wire: FakeWire, flow: Flow) -> None:
        call, other = ToolCall(flow, "t", None, None), ToolCall(flow, "u", None, None)
        other.result = object()
        other.broke(KeyError("x"))
        assert isinstance(flow.out, OutgoingRun)
        flow.out.finish("done")
        call.broke(KeyError("x"))

    played(scene)


def test_thoughts_say_how_long_they_took() -> None:
    """
    Beside their title.
    """

    async def scene(wire: FakeWire, flow: Flow) -> None:
        part = Reasoning(flow, "Thinking")
        await part.write("hm")
        part.close()

    (part,) = played(scene).server.runs[RUN].parts
    assert (part["kind"], part["text"], sorted(part["meta"])) == ("reasoning", "hm", ["duration_ms", "title"])


def test_a_meta_is_replaced_as_a_whole() -> None:
    """
    What cannot be told as JSON fails where it is said, and changes nothing.
    """

    async def scene(wire: FakeWire, flow: Flow) -> None:
        part = PartWriter(flow, "plan", {"items": [PlanItem("a").fields()]})
        await part.update({"items": [PlanItem("a", "done").fields()]})
        with pytest.raises(TypeError):
            await part.update({"items": object()})

    (part,) = played(scene).server.runs[RUN].parts
    assert part["meta"] == {"items": [{"text": "a", "state": "done"}]}
