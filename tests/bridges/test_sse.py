"""Event streams."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amtrio.bridges.sse import EventStream, ServerEvent, StreamBroken


def read(data: bytes, cut: int = 10_000) -> list[ServerEvent]:
    stream = EventStream()
    found = [event for start in range(0, len(data), cut) for event in stream.feed(data[start : start + cut])]
    return found + stream.end()


WORDS = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), min_size=1)


@settings(deadline=None)
@given(st.lists(st.lists(WORDS, min_size=1)), st.integers(1, 9), st.sampled_from(["\n", "\r", "\r\n"]))
def test_events_survive_any_cut(events: list[list[str]], cut: int, end: str) -> None:
    """
    With each of the three line ends, in the middle of characters and of line ends.
    """
    told = "".join("".join(f"data: {line}{end}" for line in lines) + end for lines in events)
    assert read(told.encode(), cut) == [ServerEvent("\n".join(lines)) for lines in events]


@settings(deadline=None)
@given(st.integers(1, 9))
def test_all_fields_are_understood(cut: int) -> None:
    """
    Comments, names, ids, missing spaces and colons, a byte order mark; an event without data is none.
    """
    told = (
        "\ufeff: hello\nevent: greeting\nid: 7\nretry: 10\ndata:no space\n\nevent: empty\n\n:\n\ndata\n\ndata:  two\n\n"
    )
    expected = [ServerEvent("no space", "greeting"), ServerEvent(""), ServerEvent(" two")]
    assert read(told.encode(), cut) == expected


def test_a_last_event_without_its_blank_line_counts() -> None:
    """
    Some servers forget it.
    """
    assert read(b"data: one\n\ndata: two") == [ServerEvent("one"), ServerEvent("two")]


def test_a_line_without_end_is_an_error() -> None:
    """
    Memory is bounded.
    """
    with pytest.raises(StreamBroken, match="no end"):
        EventStream(longest=10).feed(b"data: 123456789")
