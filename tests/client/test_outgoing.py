"""Several runs of one connection."""

from __future__ import annotations

import json
import math

from amtrio.client.errors import Refused
from amtrio.client.outgoing import OutgoingRuns
from tests.client.fake_wire import FakeWire


def test_each_run_gets_its_turn() -> None:
    """
    One with much to say lets the others through, frame for frame.
    """
    wire = FakeWire(max_frame_bytes=65536)
    runs = [wire.client.open(f"run:number-{number:08}", "c1") for number in range(3)]
    wire.settle()
    wire.sent.clear()
    for run in runs:
        run.append(run.add_part("text", {}), "x" * 200_000)
    first = [json.loads(frame)["data"]["run_id"] for frame in wire.client.due(wire.now)]
    assert set(first) == {run.run_id for run in runs}
    assert len(first) <= 9
    assert wire.client.next_due() <= wire.now


def test_idle_runs_cost_nothing() -> None:
    """
    Once opened they are not looked at until something is said.
    """
    woken: list[int] = []
    wire = FakeWire()
    run = wire.client.open("run:number-00000001", "c1")
    wire.settle()
    wire.client.wake = lambda: woken.append(1)
    assert (wire.client.due(wire.now), wire.client.next_due(), len(wire.client)) == ([], math.inf, 1)
    run.append(run.add_part("text", {}), "x")
    assert woken


def test_what_is_about_another_run_or_none_is_left_alone() -> None:
    """
    Answers to commands go elsewhere; a forgotten run's late answers go nowhere.
    """
    runs = OutgoingRuns(wake=lambda: None)
    assert not runs.answered("1.1", "done", {}, 0.0)
    assert not runs.answered(None, "error", {"error": "?"}, 0.0)
    assert not runs.answered(7, "done", {}, 0.0)
    assert runs.answered("r9.1", "run_state", {}, 0.0)
    assert not runs.heard("typing", {})
    assert runs.heard("run_ack", {"run_id": "r", "parts": []})
    assert runs.heard("run_control", {"run_id": "gone", "control_id": "c", "action": "stop"})
    assert not runs.heard("run_control", {"control_id": 5})


def test_a_refusal_without_ref_finds_its_run_by_the_details() -> None:
    """
    As the server says it for commands that had none.
    """
    wire = FakeWire()
    run = wire.client.open("run:number-00000001", "c1")
    wire.settle()
    refusal = {"error": "no", "code": "too_large", "retry": "no", "details": {"run_id": run.run_id}}
    assert wire.client.answered(None, "error", refusal, 0.0)
    assert isinstance(run.failure, Refused)


def test_a_forgotten_run_says_nothing_more() -> None:
    """
    Not even what it had not said yet.
    """
    wire = FakeWire()
    run = wire.client.open("run:number-00000001", "c1")
    wire.client.forget(run)
    run.finish("done")
    assert (wire.client.due(0.0), wire.client.next_due()) == ([], math.inf)
