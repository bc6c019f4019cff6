"""One run on its way to the server, over a wire that breaks."""

from __future__ import annotations

import copy
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amtrio.client.errors import ClientError, Refused, RunClosed
from amtrio.client.outgoing_part import Kind
from amtrio.client.outgoing_run import Control, OutgoingRun, RunEnd, Stage
from tests.client.fake_runs import FakeRun, Refusal
from tests.client.fake_wire import FakeWire

RUN = "run:0123456789abcdef"
WAIT = {"retry": "after_ms", "retry_after_ms": 500}


def opened(wire: FakeWire) -> OutgoingRun:
    run = wire.client.open(RUN, "c1", "m0")
    wire.settle()
    assert run.stage is Stage.OPEN
    return run


def kept(wire: FakeWire) -> FakeRun:
    return wire.server.runs[RUN]


def words(wire: FakeWire) -> list[str]:
    return [frame["type"] for frame in wire.sent]


def test_a_run_is_opened_written_checked_and_ended() -> None:
    """
    Four questions and answers at most, whatever is written; the end tells which message keeps it.
    """
    wire = FakeWire()
    run = opened(wire)
    number = run.add_part("text", {})
    run.append(number, "Hello")
    run.finish("done", usage={"tokens": 3})
    wire.settle()
    assert words(wire) == ["run_start", "run_append", "run_resume", "run_finish"]
    assert (run.end, run.failure) == (RunEnd(outcome="done", message_id="m1", conversation_seq=1), None)
    assert kept(wire).finish == {"run_id": RUN, "outcome": "done", "usage": {"tokens": 3}}
    with pytest.raises(RunClosed):
        run.append(number, "!")


def test_what_is_written_quickly_goes_in_one_frame() -> None:
    """
    The first text at once, the next ones merged for a moment.
    """
    wire = FakeWire()
    run = opened(wire)
    number = run.add_part("text", {})
    for letter in "Hello":
        run.append(number, letter)
        wire.send()
    assert [frame["data"].get("text") for frame in wire.sent] == [None, "H"]
    assert run.waiting == 4
    wire.settle()
    assert [frame["data"].get("text") for frame in wire.sent] == [None, "H", "ello"]


def test_much_text_goes_in_frames_that_the_server_takes() -> None:
    """
    Whatever its characters cost as JSON.
    """
    wire = FakeWire(max_frame_bytes=1000)
    run = opened(wire)
    number = run.add_part("text", {})
    text = "a" * 3000 + "\x01" * 1000 + "😀" * 1000 + '"' * 1000
    run.append(number, text)
    wire.settle()
    assert kept(wire).text == text
    assert max(wire.frame_bytes) <= 1000
    assert len(wire.frame_bytes) < 30


def test_a_meta_beyond_the_servers_limit_ends_the_writing_but_not_the_run() -> None:
    """
    A frame that would close the socket again and again never leaves.
    """
    wire = FakeWire(max_frame_bytes=1000)
    run = opened(wire)
    run.append(run.add_part("text", {}), "kept")
    run.add_part("tool", {"name": "x" * 1000})
    wire.settle()
    with pytest.raises(Refused, match="too_large"):
        run.add_part("text", {})
    run.finish("failed", error="too large")
    wire.settle()
    assert (kept(wire).outcome, kept(wire).text) == ("failed", "kept")


def test_the_run_of_an_earlier_life_is_found() -> None:
    """
    The same id again is answered with where it stands.
    """
    wire = FakeWire()
    wire.client.forget(opened(wire))
    again = wire.client.open(RUN, "c1", "m0")
    wire.settle()
    assert again.found is not None
    assert (again.found.repeated, again.attempts) == (True, 1)


@pytest.mark.parametrize("code", ["withdrawn", "not_found", "conflict", "unknown_type"])
def test_a_run_that_cannot_be_opened_has_ended(code: str) -> None:
    """
    The refusal is what a writer gets.
    """
    wire = FakeWire()
    wire.server.refuse["run_start"] = [Refusal(code, "no")]
    run = wire.client.open(RUN, "c1", "m0")
    wire.settle()
    assert run.has_ended
    with pytest.raises(Refused, match=code):
        run.add_part("text", {})


def test_a_server_that_has_no_room_is_asked_again_when_it_said() -> None:
    """
    Too many open runs: after the wait, not before.
    """
    wire = FakeWire()
    wire.server.refuse["run_start"] = [Refusal("rate_limited", "200 runs", **WAIT)]
    run = wire.client.open(RUN, "c1", "m0")
    wire.send()
    wire.arrive()
    wire.come_back()
    assert run.next_due() == 0.5
    wire.settle()
    assert (run.stage, words(wire)) == (Stage.OPEN, ["run_start", "run_start"])


@pytest.mark.parametrize("code", ["run_closed", "too_large", "malformed"])
def test_a_refusal_for_good_lets_the_run_be_ended(code: str) -> None:
    """
    Nothing is added any more; what was taken is kept.
    """
    wire = FakeWire()
    run = opened(wire)
    number = run.add_part("text", {})
    run.append(number, "kept")
    wire.settle()
    wire.server.refuse["run_append"] = [Refusal(code, "no more")]
    run.append(number, " lost")
    wire.settle()
    with pytest.raises(ClientError):
        run.append(number, "!")
    assert run.waiting == 0
    run.finish("failed")
    wire.settle()
    assert (kept(wire).text, kept(wire).outcome) == ("kept", "failed")


def test_a_refused_end_does_not_leave_the_run_open() -> None:
    """
    What was said about it goes, the end stays.
    """
    wire = FakeWire()
    run = opened(wire)
    wire.server.refuse["run_finish"] = [Refusal("malformed", "usage must be small")]
    run.finish("done", usage={"a": 1})
    wire.settle()
    assert kept(wire).finish == {"run_id": RUN, "outcome": "done"}
    assert run.end == RunEnd(outcome="done", message_id=None)


def test_the_last_text_is_not_lost_when_the_server_refused_it_for_now() -> None:
    """
    Before the end the server says how much it has.
    """
    wire = FakeWire()
    run = opened(wire)
    number = run.add_part("text", {})
    run.append(number, "all of it")
    run.finish("done")
    wire.server.refuse["run_append"] = [Refusal("rate_limited", "slow down", **WAIT)]
    wire.settle()
    assert (kept(wire).text, kept(wire).outcome) == ("all of it", "done")


def test_a_run_that_was_ended_meanwhile_says_how() -> None:
    """
    By the answer to run_resume after a drop, or by the account's log.
    """
    wire = FakeWire()
    run = opened(wire)
    wire.server.end(RUN, "interrupted")
    wire.cut()
    wire.settle()
    assert run.end == RunEnd(outcome="interrupted")
    with pytest.raises(RunClosed) as caught:
        run.add_part("text", {})
    assert caught.value.outcome == "interrupted"
    other = wire.client.open("run:another-0123456", "c1")
    wire.client.heard_end("run:another-0123456", RunEnd(outcome="stopped"))
    assert other.end == RunEnd(outcome="stopped")


def test_a_control_is_acknowledged_each_time_and_told_once() -> None:
    """
    The server says it again until it hears of it.
    """
    wire = FakeWire()
    run = opened(wire)
    wire.server.command("run_control", {"run_id": RUN, "action": "stop"})
    wire.come_back()
    wire.cut()  # with the acknowledgement on it
    wire.settle()
    (control,) = run.controls
    assert control == Control(control_id="control-00000001", action="stop")
    assert kept(wire).acked == {"control-00000001"}


def test_a_connection_that_ends_for_good_ends_its_runs() -> None:
    """
    With the connection's own error.
    """
    wire = FakeWire()
    run = opened(wire)
    wire.client.abandon(ClientError("over"))
    with pytest.raises(ClientError, match="over"):
        run.append(0, "x")
    assert wire.client.next_due() == math.inf


def test_an_answer_of_another_shape_ends_the_run() -> None:
    """
    Told as a refusal, never as a crash of the connection.
    """
    wire = FakeWire()
    run = wire.client.open(RUN, "c1")
    wire.send()
    assert wire.client.answered("r1.1", "run_state", {"run_id": 5}, 0.0)
    with pytest.raises(Refused, match="another shape"):
        run.raise_if_closed()


class Story:
    """A run that is written while everything around it goes wrong; knows what the server must have at the end."""

    def __init__(self, max_frame_bytes: int) -> None:
        self.wire = FakeWire(max_frame_bytes)
        self.run = self.wire.client.open(RUN, "c1", "m0")
        self.texts: list[str] = []
        self.metas: list[dict[str, Any]] = []
        self.disk: FakeRun | None = None

    def write(self, text: str) -> None:
        if not self.texts or self.metas[-1]:
            self._add("text", {})
        self.run.append(len(self.texts) - 1, text)
        self.texts[-1] += text

    def tool(self, state: int) -> None:
        self._add("tool", {"name": "t", "state": state})
        self.run.append(len(self.texts) - 1, "out")
        self.texts[-1] += "out"

    def _add(self, kind: Kind, meta: dict[str, Any]) -> None:
        assert self.run.add_part(kind, meta) == len(self.texts)
        self.texts.append("")
        self.metas.append(meta)

    def meta(self, number: int) -> None:
        if number < len(self.metas) and self.metas[number]:
            self.metas[number] = {**self.metas[number], "state": self.metas[number]["state"] + 1}
            self.run.set_meta(number, self.metas[number])

    def talk(self, count: int) -> None:
        """They understand each other for a while."""
        for _ in range(count):
            self.wire.now += 0.03
            self.wire.send()
            self.wire.arrive(100)
            self.wire.come_back(100)

    def send(self, _: int) -> None:
        self.wire.now += 0.03
        self.wire.send()

    def arrive(self, count: int) -> None:
        self.wire.arrive(count)

    def come_back(self, count: int) -> None:
        self.wire.come_back(count)

    def later(self, count: int) -> None:
        self.wire.now += 0.1 * count

    def cut(self, _: int) -> None:
        self.wire.cut()

    def to_disk(self, _: int) -> None:
        self.disk = copy.deepcopy(self.wire.server.runs.get(RUN))

    def crash(self, _: int) -> None:
        """The server comes back with what it had on its disk."""
        self.wire.server.runs.clear()
        if self.disk is not None:
            self.wire.server.runs[RUN] = copy.deepcopy(self.disk)
        self.wire.cut()

    def refuse(self, count: int) -> None:
        self.wire.server.refuse["run_append"] = [Refusal("rate_limited", "slow down", **WAIT) for _ in range(count)]


SAYING = "tool tool meta".split()
WIRING = "talk talk send arrive come_back later cut to_disk crash refuse".split()
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.text(min_size=1, max_size=40)),
        st.tuples(st.sampled_from(SAYING), st.integers(0, 4)),
        st.tuples(st.sampled_from(WIRING), st.integers(1, 4)),
    ),
    min_size=10,
    max_size=80,
)


@settings(max_examples=300)
@given(STEPS, st.sampled_from([400, 32768]))
def test_whatever_happens_the_server_has_it_all_once_and_in_order(
    steps: list[tuple[str, Any]], max_frame_bytes: int
) -> None:
    """
    Sockets that break with frames on them, a server that crashes back to what it had written or never knew the run,
    that refuses for now: at the end it has every part as it was said.
    """
    story = Story(max_frame_bytes)
    for name, value in steps:
        getattr(story, name)(value)
    story.run.finish("done")
    story.wire.settle()
    assert (story.run.failure, story.run.end and story.run.end.outcome, story.run.waiting) == (None, "done", 0)
    parts = kept(story.wire).parts
    assert [part["text"] for part in parts] == story.texts
    assert [part["meta"] for part in parts] == story.metas
