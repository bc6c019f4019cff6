"""One part of a run on its way."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amtrio.client.outgoing_part import Part, clean


def frames(part: Part, limit: int = 1000) -> list[dict[str, object]]:
    found = []
    while part.has_news:
        frame = part.next_frame("run:0123456789abcdef", 0, "r1.news", limit)
        found.append(json.loads(frame))
    return found


def test_a_text_part_is_declared_by_its_first_text() -> None:
    """
    Or, when a later part comes first, by itself.
    """
    part = Part("text", {})
    part.append("hi")
    assert [frame["type"] for frame in frames(part)] == ["run_append"]
    assert [frame["type"] for frame in frames(Part("text", {}))] == ["run_part"]


def test_a_meta_is_told_as_it_was_when_it_was_set() -> None:
    """
    What its owner changes later is not told by accident; what is no JSON fails at once.
    """
    meta = {"name": "t", "state": "running"}
    part = Part("tool", meta)
    meta["state"] = "changed"
    assert frames(part)[0]["data"] == {
        "run_id": "run:0123456789abcdef",
        "part": 0,
        "kind": "tool",
        "meta": {"name": "t", "state": "running"},
    }
    with pytest.raises(TypeError):
        part.set_meta({"result": object()})


def test_what_the_server_does_not_have_is_said_again() -> None:
    """
    From the offset that it has; a meta may be old, a text alone has none.
    """
    part = Part("tool", {})
    part.append("hello")
    frames(part)
    part.placed(2, meta_may_be_old=True)
    again = frames(part)
    assert [frame["type"] for frame in again] == ["run_part", "run_append"]
    assert (part.waiting, again[1]["data"]) == (
        0,
        {"run_id": "run:0123456789abcdef", "part": 0, "offset": 2, "text": "llo"},
    )
    part.placed(None, meta_may_be_old=False)
    assert (part.is_declared, part.waiting) == (False, 5)


@given(st.lists(st.text(max_size=300)), st.integers(120, 2000))
def test_frames_never_exceed_the_limit_and_say_it_all(texts: list[str], limit: int) -> None:
    """
    Whatever characters cost in JSON.
    """
    part = Part("text", {})
    for text in texts:
        part.append(text)
    said = ""
    while part.waiting:
        frame = part.next_frame("run:0123456789abcdef", 0, "r1.news", limit)
        assert len(frame) <= limit
        data = json.loads(frame)["data"]
        assert data["offset"] == len(said)
        said += data["text"]
    assert said == "".join(texts)


def test_halves_of_surrogate_pairs_are_replaced_and_whole_ones_joined() -> None:
    """
    No frame can carry them.
    """
    assert clean("a\ud83db") == "a\ufffdb"
    assert clean("\ud83d\ude00") == "😀"
    assert clean("plain ä 😀") == "plain ä 😀"
