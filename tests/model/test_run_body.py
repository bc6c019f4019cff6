"""The body of a run: texts that only grow, metas that are replaced, and readers that get each change once."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amtrio.errors import AmtrioError, Conflict, Malformed, RunGap, TooLarge
from amtrio.model.attachment import MAX_PER_MESSAGE
from amtrio.model.run_body import MAX_PARTS, Body, Reader, fold
from amtrio.model.run_part import PartChange
from amtrio.protocol.codec import encode

BIG = 1_000_000


def body(*said: str) -> Body:
    made = Body(max_bytes=BIG)
    for number, text in enumerate(said):
        made.append(number, 0, text)
    return made


def test_text_goes_on_where_it_ends_and_a_repeat_changes_nothing() -> None:
    made = body("abc")
    assert made.append(0, 3, "d")
    assert not made.append(0, 0, "abcd")
    assert not made.append(0, 2, "c")
    assert made.append(0, 2, "cdef"), "only what is new of it"
    assert made.parts()[0].text == "abcdef"


def test_a_gap_is_refused_with_the_offset_that_is_expected() -> None:
    made = body("héé")
    with pytest.raises(RunGap) as refused:
        made.append(0, 4, "x")
    assert refused.value.details == {"expected_offset": 3}, "code points, not bytes"


def test_parts_are_numbered_without_gaps_and_keep_their_kind() -> None:
    made = body("abc")
    with pytest.raises(Conflict):
        made.append(2, 0, "x")
    with pytest.raises(Conflict):
        made.declare(2, "text", None)
    with pytest.raises(Conflict, match="kind text"):
        made.declare(0, "tool", {"name": "x", "state": "done"})


def test_what_is_refused_leaves_everything_as_it_was() -> None:
    made = Body(max_bytes=10)
    made.append(0, 0, "12345")
    refused: list[Callable[[], bool]] = [
        lambda: made.append(0, 5, "123456"),
        lambda: made.append(1, 0, "123456"),
        lambda: made.append(2, 0, "x"),
        lambda: made.declare(1, "status", {"text": "too long for ten bytes"}),
        lambda: made.declare(1, "plan", {"items": [{"text": "x"}]}),
    ]
    for wrong in refused:
        with pytest.raises(AmtrioError):
            wrong()
        assert (made.size, len(made.parts())) == (5, 1)
    assert made.append(0, 5, "67890")
    with pytest.raises(TooLarge, match="10 bytes"):
        made.append(0, 10, "x")


def test_size_is_counted_as_json() -> None:
    """A line feed is two bytes there, so that no frame gets longer than its limit."""
    made = Body(max_bytes=10)
    with pytest.raises(TooLarge):
        made.append(0, 0, "\n" * 6)
    made.append(0, 0, "\n" * 5)


def test_there_is_a_bound_on_parts() -> None:
    made = body(*["x"] * MAX_PARTS)
    with pytest.raises(TooLarge, match=str(MAX_PARTS)):
        made.append(MAX_PARTS, 0, "x")


def test_a_run_has_as_many_files_as_its_message_will_have() -> None:
    made = Body(max_bytes=BIG)
    for number in range(MAX_PER_MESSAGE):
        made.declare(number, "artifact", {"attachment_id": f"att_{number}"})
    with pytest.raises(TooLarge, match="10 files"):
        made.declare(MAX_PER_MESSAGE, "artifact", {"attachment_id": "att_x"})
    assert len(made.attachment_ids()) == MAX_PER_MESSAGE


def test_a_change_that_came_while_another_was_on_its_way_is_told_next() -> None:
    """Writing to disk takes a while; what is said meanwhile must not count as written."""
    made = body("abc")
    on_its_way = made.changes(made.storage)
    made.append(0, 3, "d")
    made.declare(0, "text", {"note": 1})
    made.reached(made.storage, on_its_way)
    (change,) = made.changes(made.storage).parts
    assert (change.offset, change.text, change.meta, change.kind) == (3, "d", {"note": 1}, None)


def test_what_is_left_in_the_end() -> None:
    made = Body(max_bytes=BIG)
    were_empty = []
    for part, (kind, meta) in enumerate(
        [("status", {"text": "looking"}), ("text", None), ("tool", {"name": "x", "state": "done"})]
    ):
        made.declare(part, kind, meta)  # type: ignore[arg-type]  # the three are kinds
        were_empty.append(made.is_empty)
    assert were_empty == [True, True, False], "status lines are about the moment"
    assert made.content("done", None) == "(no text)", "for clients that know no runs"
    assert made.content("failed", "no disk") == "no disk"
    made.append(3, 0, "Hello")
    made.append(4, 0, "you")
    made.declare(5, "artifact", {"attachment_id": "att_1"})
    made.declare(6, "artifact", {"attachment_id": "att_1"})
    assert made.content("done", None) == "Hello\n\nyou"
    assert made.attachment_ids() == ("att_1",)
    kept = {part.part: part for part in made.kept()}
    assert sorted(kept) == [2, 3, 4, 5, 6]
    assert (kept[3].length, kept[4].length, kept[2].text) == (5, 3, None)


# -- any order of what is said and of who reads when -----------------------------------------

STEP = st.one_of(
    st.tuples(st.just("say"), st.integers(0, 3), st.text(max_size=5)),
    st.tuples(st.just("meta"), st.integers(0, 3), st.dictionaries(st.text(max_size=2), st.integers(), max_size=2)),
    st.tuples(st.sampled_from(["read", "begin to read", "has read"]), st.integers(0, 1), st.none()),
)


class Follower:
    """Builds a body from what a reader of another one is told."""

    def __init__(self) -> None:
        self.reader = Reader()
        self.copy = Body(max_bytes=BIG)
        self.waiting: Any = None

    def begin(self, source: Body) -> None:
        if self.waiting is None:
            self.waiting = source.changes(self.reader)

    def end(self, source: Body) -> None:
        if self.waiting is not None:
            # Over the wire and back, as storage has it.
            sent = msgspec.json.decode(encode(self.waiting.parts), type=tuple[PartChange, ...])
            self.copy.apply(sent)
            source.reached(self.reader, self.waiting)
            self.waiting = None


@given(st.lists(STEP, max_size=40))
def test_whoever_reads_whenever_ends_with_the_same_body(steps: list[tuple[str, int, Any]]) -> None:
    """And no change is told twice."""
    made = Body(max_bytes=BIG)
    followers = Follower(), Follower()
    # The body's own readers are used, which it marks.
    followers[0].reader, followers[1].reader = made.devices, made.storage
    said: dict[int, int] = {}
    for word, number, what in steps:
        if word == "say":
            part = min(number, len(said))
            if made.append(part, said.get(part, 0), what) or part in said:
                said[part] = said.get(part, 0) + len(what)
        elif word == "meta" and number < len(said):
            made.declare(number, "text", what)
        elif word == "begin to read":
            followers[number].begin(made)
        elif word == "has read":
            followers[number].end(made)
        elif word == "read":
            followers[number].begin(made)
            followers[number].end(made)
    for follower in followers:
        for _ in range(2):
            follower.begin(made)
            follower.end(made)
        assert follower.copy.parts() == made.parts()
        assert made.changes(follower.reader).parts == ()


def test_a_body_that_was_read_back_is_the_same_and_has_nothing_left_to_store() -> None:
    made = body("abc", "d")
    made.declare(2, "tool", {"name": "x", "state": "running"})
    first = made.changes(made.storage)
    made.reached(made.storage, first)
    made.append(1, 1, "ef")
    made.declare(2, "tool", {"name": "x", "state": "done"})
    second = made.changes(made.storage)
    again = fold([first.parts, second.parts], max_bytes=BIG)
    assert again.parts() == made.parts()
    assert again.size == made.size
    assert again.changes(again.storage).parts == ()
    assert [change.part for change in again.changes(again.devices).parts] == [0, 1, 2], "devices have seen nothing"


def test_what_is_on_disk_is_made_again_whatever_the_limit() -> None:
    """Part by part a body may be larger than it ever was, and the limit may have been lowered since."""
    made = Body(max_bytes=1000)
    made.append(0, 0, "a")
    made.declare(1, "reasoning", {"x": "m" * 900})
    first = made.changes(made.storage)
    made.reached(made.storage, first)
    made.declare(1, "reasoning", {"x": "m"})
    made.append(0, 1, "b" * 900)
    second = made.changes(made.storage)
    for limit in (1000, 10):
        again = fold([first.parts, second.parts], max_bytes=limit)
        assert (again.parts(), again.size) == (made.parts(), made.size)
        with pytest.raises(TooLarge):
            again.append(0, 901, "c" * 200)


def test_a_part_begins_with_what_its_kind_needs() -> None:
    """Devices could show nothing of a tool without a name, also if nothing at all is said of it."""
    made = Body(max_bytes=BIG)
    for kind in ("tool", "plan", "status", "artifact"):
        with pytest.raises(Malformed, match=f"meta of a {kind} part"):
            made.declare(0, kind, None)
    assert made.parts() == ()
    assert made.declare(0, "reasoning", None)
    assert made.declare(1, "tool", {"name": "x", "state": "done"})
    assert not made.declare(1, "tool", None), "it has one"


def test_what_is_said_in_tiny_pieces_takes_no_more_room_than_a_few_times_its_length() -> None:
    made, text = Body(max_bytes=BIG), "шщ"
    tracemalloc.start()
    try:
        for number in range(100_000):
            made.append(0, 2 * number, text)
        assert tracemalloc.get_traced_memory()[0] < 2_000_000
    finally:
        tracemalloc.stop()
    (part,) = made.parts()
    assert part.text == text * 100_000
