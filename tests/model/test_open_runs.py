"""The runs that are going on, in memory."""

from __future__ import annotations

from typing import Any

from amtrio.model.open_runs import OpenRun, OpenRuns
from amtrio.model.run_body import Body


class Listener:
    """Hears changes in place of devices."""

    def __init__(self) -> None:
        self.events: list[Any] = []

    def change(self, live: object, event: Any, /) -> int:
        self.events.append((live, event))
        return 1


def made(run_id: str, heard: Listener | None = None, **more: Any) -> OpenRun:
    fields: dict[str, Any] = {"agent": "a:x", "conversation_id": "conv_1", "watchers": ("u:1",)} | more
    fanout: Any = heard or Listener()
    return OpenRun(run_id, body=Body(max_bytes=1000), fanout=fanout, started_us=0, **fields)


async def test_runs_are_found_by_id_agent_and_conversation_until_they_are_removed() -> None:
    runs = OpenRuns()
    one, two, other = made("1"), made("2", conversation_id="conv_2"), made("3", agent="a:y")
    for run in (one, two, other):
        runs.add(run)
    assert runs.get("1") is one
    assert (runs.of_agent("a:x"), runs.of_conversation("conv_1"), len(runs)) == ((one, two), (one, other), 3)
    runs.changed(one)
    runs.remove(one)
    runs.remove(one)
    assert runs.get("1") is None
    assert (runs.of_agent("a:x"), runs.of_conversation("conv_1"), set(runs)) == ((two,), (other,), {two, other})
    assert not runs.untold
    assert not runs.unstored


async def test_only_agents_that_say_so_keep_a_queue() -> None:
    runs = OpenRuns()
    runs.add(made("1", supports=frozenset({"stop"})))
    assert not runs.has_queue("conv_1")
    runs.add(made("2", supports=frozenset({"queue"})))
    assert runs.has_queue("conv_1")
    assert not runs.has_queue("conv_2")


async def test_the_first_word_wakes_and_further_ones_wait_with_it() -> None:
    runs, run = OpenRuns(), made("1")
    assert runs.changed(run)
    assert not runs.changed(run)


async def test_each_change_is_one_number_and_a_picture_holds_all_of_them() -> None:
    """Making a picture tells the others what it holds first, so that nobody is told a change twice."""
    heard = Listener()
    run = made("1", heard)
    assert run.tell_changes() == 0
    run.body.append(0, 0, "a")
    assert run.tell_changes() == 1
    run.body.append(0, 1, "b")
    snapshot = run.snapshot()
    assert [(event.rev, event.parts[0].text) for _, event in heard.events] == [(1, "a"), (2, "b")]
    assert (snapshot.rev, snapshot.parts[0].text, snapshot.agent_id) == (2, "ab", "x")
