"""Bytes as text."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from amtrio.bridges.text import Utf8, Utf8Lines


@settings(deadline=None)
@given(st.text(), st.integers(1, 7))
def test_characters_survive_any_cut(text: str, cut: int) -> None:
    """
    Decoding piece by piece gives what decoding at once gives.
    """
    data, decoder = text.encode(), Utf8()
    pieces = [decoder.feed(data[start : start + cut]) for start in range(0, len(data), cut)]
    assert "".join(pieces) + decoder.end() == text


def test_what_is_no_utf_8_is_replaced() -> None:
    """
    In the middle and at a cut end.
    """
    decoder = Utf8()
    assert decoder.feed(b"a\xffb\xe2\x82") + decoder.end() == "a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}"


@settings(deadline=None)
@given(
    st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r\n"))),
    st.integers(1, 7),
    st.sampled_from(["\n", "\r\n"]),
)
def test_lines_survive_any_cut(lines: list[str], cut: int, end: str) -> None:
    """
    With either end, and no other character counts as one.
    """
    data, reader = "".join(line + end for line in lines).encode(), Utf8Lines()
    found = [line for start in range(0, len(data), cut) for line in reader.feed(data[start : start + cut])]
    assert found + reader.end() == lines


def test_the_last_line_needs_no_end() -> None:
    """
    It comes when the stream has ended.
    """
    reader = Utf8Lines()
    assert (reader.feed(b"one\ntw"), reader.feed(b"o"), reader.end(), reader.end()) == (["one"], [], ["two"], [])


def test_a_line_without_end_is_given_out_in_pieces() -> None:
    """
    Memory is bounded by the longest line allowed.
    """
    reader = Utf8Lines(longest=4)
    assert reader.feed(b"abc") == []
    assert reader.feed(b"def") == ["abcdef"]
    assert reader.feed(b"g\n") == ["g"]
