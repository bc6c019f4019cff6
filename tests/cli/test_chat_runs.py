"""Live answers without a terminal: what is known of them, whatever comes in whatever order."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from amtrio.cli.chat_runs import Runs
from amtrio.client import PartView, RunView
from amtrio.client.events import Message, RunControlState, RunDelta, RunSnapshot
from amtrio.client.shapes import PartDelta, RunPart, RunRecord

RUN = "run-5f2c0b6e91d3"


def snapshot(rev: int, *texts: str, run_id: str = RUN) -> RunSnapshot:
    parts = [RunPart(part=number, kind="text", text=text) for number, text in enumerate(texts)]
    return RunSnapshot(run_id=run_id, conversation_id="c1", agent_id="demo", rev=rev, parts=parts)


def delta(rev: int, offset: int, text: str, part: int = 0, **fields: Any) -> RunDelta:
    change = PartDelta(part=part, offset=offset, text=text, **fields)
    return RunDelta(run_id=RUN, conversation_id="c1", rev=rev, parts=[change])


def final(text: str) -> Message:
    record = RunRecord(run_id=RUN, parts=[RunPart(part=0, kind="text", length=len(text))])
    return Message(
        message_id="m1",
        conversation_id="c1",
        conversation_seq=1,
        sender_type="agent",
        sender_id="demo",
        content=text,
        run=record,
    )


def test_a_run_grows_by_what_is_new() -> None:
    """
    A picture, then pieces; a repeated piece changes nothing.
    """
    runs = Runs()
    runs.snapshot(snapshot(1, "Hel"))
    for event in (delta(2, 3, "lo"), delta(2, 3, "lo"), delta(3, 0, "there", part=1, kind="text")):
        runs.delta(event)
    (run,) = runs.of("c1")
    assert run.text == "Hello\n\nthere"
    assert runs.of("c2") == []
    assert runs.take_missing() == []


def test_a_hole_is_asked_for_once_until_it_is_filled() -> None:
    """
    Also for a run that nothing is known of; another socket asks anew.
    """
    runs = Runs()
    runs.delta(delta(5, 0, "x"))
    assert runs.take_missing() == [RUN]
    runs.delta(delta(6, 1, "y"))
    assert runs.take_missing() == []
    runs.lost()
    runs.delta(delta(7, 2, "z"))
    assert runs.take_missing() == [RUN]
    runs.snapshot(snapshot(7, "xyz"))
    runs.delta(delta(8, 3, "!"))
    assert runs.take_missing() == []
    assert runs.of("c1")[0].text == "xyz!"


def test_a_server_that_knows_less_after_a_restart_is_believed() -> None:
    """
    What it lost comes again by the agent; what is shown must not wait for a number that is long past.
    """
    runs = Runs()
    runs.snapshot(snapshot(9, "all of it"))
    runs.lost()
    runs.snapshot(snapshot(4, "all"))
    runs.delta(delta(5, 3, " of that"))
    assert runs.of("c1")[0].text == "all of that"


def test_what_has_ended_never_comes_back() -> None:
    """
    Whatever is late: a picture, a piece, the picture that was asked for.
    """
    runs = Runs()
    runs.snapshot(snapshot(1, "Hello"))
    runs.posted(final("Hello"))
    runs.snapshot(snapshot(1, "Hello"))
    runs.delta(delta(2, 5, "!"))
    assert runs.of("c1") == []
    assert runs.take_missing() == []


def test_a_resync_forgets_what_goes_on_and_not_what_is_over() -> None:
    """
    The former is told anew.
    """
    runs = Runs()
    runs.snapshot(snapshot(1, "over"))
    runs.end(RUN)
    runs.snapshot(snapshot(1, "goes on", run_id="another-run-id-1"))
    runs.forget_live()
    assert runs.of("c1") == []
    runs.snapshot(snapshot(1, "over"))
    assert runs.of("c1") == []


def test_wishes_show_how_they_fare() -> None:
    """
    A stop is shown at once, before the server has heard of it, and no longer if it did not get through.
    """
    runs = Runs()
    runs.snapshot(snapshot(1, "x"))
    run = runs.live[RUN]
    runs.stopping(RUN)
    assert run.stop == "sent"
    runs.not_stopping(RUN)
    assert run.stop == ""
    for action in ("stop", "steer"):
        runs.control(
            RunControlState(
                run_id=RUN, conversation_id="c1", control_id="k1", action=action, state=f"{action}-unresponsive"
            )
        )
    assert (run.stop, run.steer) == ("stop-unresponsive", "steer-unresponsive")
    runs.stopping("unknown")
    runs.not_stopping("unknown")


WORDS = st.lists(st.text(min_size=1, max_size=4), min_size=1, max_size=8)


@given(words=WORDS, data=st.data())
def test_any_order_of_anything_ends_right(words: list[str], data: st.DataObject) -> None:
    """
    Pieces and pictures repeated, dropped, in any order: what is shown is always what the answer once was, a hole is
    asked for, the picture that answers it brings it up to date; and once the message is there nothing is live.
    """
    texts = ["".join(words[:count]) for count in range(len(words) + 1)]
    news: list[RunDelta | RunSnapshot] = [
        delta(rev, len(texts[rev - 1]), words[rev - 1], kind="text" if rev == 1 else None)
        for rev in range(1, len(texts))
    ]
    news += [snapshot(rev, *([text] if rev else [])) for rev, text in enumerate(texts)]
    heard = data.draw(st.lists(st.sampled_from(news), max_size=20))
    over_at = data.draw(st.integers(0, 25))
    runs = Runs()
    for place, event in enumerate(heard):
        if place == over_at:
            runs.posted(final(texts[-1]))
        if isinstance(event, RunSnapshot):
            runs.snapshot(event)
        else:
            runs.delta(event)
        shown = runs.live.get(RUN)
        assert shown is None or shown.text == texts[max(shown.view.rev, 0)]
        assert shown is None or place < over_at
    if over_at >= len(heard):
        for run_id in runs.take_missing():
            runs.snapshot(snapshot(len(words), texts[-1], run_id=run_id))
            assert runs.live[RUN].text == texts[-1]
    runs.posted(final(texts[-1]))
    assert runs.live == {}
    assert runs.take_missing() == []


def test_a_run_is_a_view_of_the_library() -> None:
    """
    Empty texts leave nothing in the message, so they leave nothing here.
    """
    runs = Runs()
    runs.snapshot(snapshot(1, "one", "", "two"))
    run = runs.live[RUN]
    assert isinstance(run.view, RunView)
    assert all(isinstance(part, PartView) for part in run.view.parts)
    assert (run.run_id, run.text) == (RUN, "one\n\ntwo")
