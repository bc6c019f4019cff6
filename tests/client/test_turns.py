"""Whose turn it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amtrio.client.turns import Turns


def test_a_conversation_goes_on_when_its_turn_is_over() -> None:
    """
    In order; another one does not wait for it.
    """
    turns: Turns[str] = Turns(2)
    for conversation, item in (("c1", "a"), ("c1", "b"), ("c2", "c")):
        assert turns.add(conversation, item, item)
    assert (turns.begin(), turns.begin(), turns.begin()) == (("c1", "a"), ("c2", "c"), None)
    turns.end("c1")
    assert turns.begin() == ("c1", "b")


def test_a_busy_conversation_keeps_nobody_out() -> None:
    """
    One at a time: it goes behind those that wait.
    """
    turns: Turns[str] = Turns(1)
    for conversation, item in (("c1", "a"), ("c1", "b"), ("c2", "c")):
        turns.add(conversation, item, item)
    assert turns.begin() == ("c1", "a")
    turns.end("c1")
    assert turns.begin() == ("c2", "c")


def test_what_waits_can_be_changed_and_taken_out() -> None:
    """
    What has its turn cannot, nor be added again.
    """
    turns: Turns[str] = Turns(1)
    turns.add("c1", "a", "a")
    turns.add("c1", "b", "b")
    turns.begin()
    assert not turns.add("c1", "a", "again")
    assert turns.withdraw("a") is None
    turns.replace("b", "B")
    turns.replace("a", "A")
    assert (turns.get("b"), turns.get("a"), len(turns)) == ("B", None, 1)
    assert ("a" in turns, "b" in turns, "c" in turns) == (True, True, False)
    assert turns.withdraw("b") == "B"
    turns.end("c1")
    assert turns.begin() is None


def test_nobody_at_a_time_is_refused() -> None:
    """
    It would wait for ever.
    """
    with pytest.raises(ValueError, match="at least one"):
        Turns(0)


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("add"), st.integers(0, 4)),
            st.tuples(st.just("withdraw"), st.integers(0, 60)),
            st.tuples(st.sampled_from(["begin", "end"]), st.integers(0, 4)),
        ),
        max_size=120,
    ),
    st.integers(1, 3),
)
def test_each_has_its_turn_once_and_in_order(steps: list[tuple[str, int]], at_once: int) -> None:
    """
    Whatever comes, goes and ends: never more than so many at once, never two of one conversation.
    """
    turns: Turns[int] = Turns(at_once)
    added: dict[int, int] = {}
    withdrawn: set[int] = set()
    began: list[int] = []
    active: list[int] = []

    def begin() -> None:
        while (begun := turns.begin()) is not None:
            assert begun[0] == f"c{added[begun[1]]}"
            began.append(begun[1])
            active.append(added[begun[1]])
            assert len(active) == len(set(active)) <= at_once

    for name, value in steps:
        if name == "add":
            item = len(added)
            added[item] = value
            assert turns.add(f"c{value}", f"i{item}", item)
        elif name == "withdraw":
            item_or_none = turns.withdraw(f"i{value}")
            assert (item_or_none is not None) == (value in added and value not in {*began, *withdrawn})
            withdrawn |= {value} if item_or_none is not None else set()
        elif name == "begin":
            begin()
        elif value in active:
            active.remove(value)
            turns.end(f"c{value}")
    while len(turns) or active:
        begin()
        if active:
            turns.end(f"c{active.pop(0)}")
    assert sorted(began) == sorted(added.keys() - withdrawn)
    for conversation in range(5):
        of_it = [item for item in began if added[item] == conversation]
        assert of_it == sorted(of_it)
