"""JSON lines and what becomes of them."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amtrio.bridges.dialect import Ended, Event, Output, Speaker, read_object
from amtrio.client import RunFailed
from tests.bridges.conftest import Play
from tests.bridges.stage import Record


def read(data: bytes, cut: int = 10_000) -> list[str | Event]:
    output = Output()
    found: list[str | Event] = []
    for start in range(0, len(data), cut):
        found += output.feed(data[start : start + cut])
    return [*found, *output.end()]


def said(play: Play, *items: str | dict[str, Any]) -> Record:
    run = Record()

    async def scene() -> None:
        speaker = Speaker(run, itertools.count(step=2).__next__)
        for item in items:
            await speaker.say(item)

    play(scene)
    return run


@settings(deadline=None)
@given(st.text(), st.integers(1, 5))
def test_plain_text_comes_as_it_is(text: str, cut: int) -> None:
    """
    Wherever it is cut, in the middle of characters too, and whatever it begins with.
    """
    found = read(text.encode(), cut)
    assert "".join(item for item in found if isinstance(item, str)) == text


@settings(deadline=None)
@given(st.lists(st.dictionaries(st.text(), st.text())), st.integers(1, 9), st.sampled_from(["\n", "\r\n"]))
def test_after_the_greeting_every_line_is_an_object(items: list[Event], cut: int, end: str) -> None:
    """
    The last one even without an end.
    """
    lines = ['{"amtrio": 1}', *(json.dumps(item, ensure_ascii=False) for item in items)]
    assert read(end.join(lines).encode(), cut) == items


@pytest.mark.parametrize(
    "text", ['{"amtrio"', '{"other": 1}\nx', "{", '{"a', "[1]\n", "{" + " " * 300 + '"amtrio":1}\n']
)
def test_what_only_begins_like_a_greeting_is_text(text: str) -> None:
    """
    A program may print JSON for people.
    """
    assert "".join(map(str, read(text.encode(), 3))) == text


def test_text_does_not_wait_for_the_end_of_its_line() -> None:
    """
    Only what may still be a greeting does.
    """
    output = Output()
    assert output.feed(b"Thinking") == ["Thinking"]
    assert output.feed(b" aloud") == [" aloud"]


def test_another_version_is_refused() -> None:
    """
    With a sentence that says which.
    """
    with pytest.raises(RunFailed, match=r"version 2 .* bridge version 1"):
        read(b'{"amtrio": 2}\n')


def test_noise_among_json_lines_is_told_aside() -> None:
    """
    A library that prints a warning does not spoil the answer.
    """
    noise: list[str] = []
    output = Output(on_noise=noise.append)
    assert output.feed(b'{"amtrio":1}\nWarning: old\n[1]\n\n{"type":"text"}\n') == [{"type": "text"}]
    assert noise == ["Warning: old", "[1]"]


def test_deep_nesting_is_no_object() -> None:
    """
    And no end of the bridge.
    """
    assert read_object('{"a":' + "[" * 100_000) is None


def test_text_thoughts_tools_and_plans_become_parts(play: Play) -> None:
    """
    Thoughts go on in their part until something else is said; a tool is one part however often it is told of.
    """
    run = said(
        play,
        {"type": "status", "text": "looking"},
        {"type": "reasoning", "text": "Let me", "title": "First"},
        {"type": "reasoning", "text": " see."},
        {"type": "tool", "id": "t1", "name": "grep", "arguments": {"for": "x"}},
        {"type": "plan", "items": [{"text": "look", "state": "running"}, "answer"]},
        {"type": "tool", "id": "t1", "text": "found\n"},
        {"type": "tool", "id": "t1", "state": "done", "result": 3},
        {"type": "plan", "items": [{"text": "look", "state": "done"}, {"text": "answer", "state": "soon"}]},
        {"type": "reasoning", "text": "Good."},
        {"type": "text", "text": "Three"},
        " of them",
        {"type": "usage", "tokens": 7},
        {"type": "from the future"},
        {"no": "type"},
    )
    assert [(part.kind, part.text) for part in run.parts] == [
        ("reasoning", "Let me see."),
        ("tool", "found\n"),
        ("plan", ""),
        ("reasoning", "Good."),
        ("text", "Three of them"),
    ]
    assert run.parts[0].meta == {"title": "First", "duration_ms": 2000}
    assert run.parts[3].meta == {"duration_ms": 2000}
    assert run.parts[1].meta == {"name": "grep", "arguments": {"for": "x"}, "state": "done", "result": 3}
    assert run.parts[2].meta == {"items": [{"text": "look", "state": "done"}, {"text": "answer", "state": "pending"}]}
    assert (run.statuses, run.usage) == (["looking"], {"tokens": 7})


def test_a_tool_without_an_id_is_told_of_once(play: Play) -> None:
    """
    Two of them are two parts, both done.
    """
    run = said(play, {"type": "tool", "name": "a"}, {"type": "tool", "name": "b", "state": "no such state"})
    assert [part.meta for part in run.parts] == [{"name": "a", "state": "done"}, {"name": "b", "state": "done"}]


def test_an_error_fails_and_an_end_ends(play: Play) -> None:
    """
    The text is for the person.
    """
    with pytest.raises(RunFailed, match="no more paper"):
        said(play, {"type": "error", "text": "no more paper"})
    with pytest.raises(RunFailed, match="without saying why"):
        said(play, {"type": "error"})
    with pytest.raises(Ended):
        said(play, {"type": "end"})


def test_half_characters_are_replaced() -> None:
    """
    JSON can tell of them, but nobody could send them on.
    """
    whole = read_object(r'{"a": ["\ud83d\ude00", "\ud83d!", {"\udc00": 1}]}')
    assert whole == {"a": ["\N{GRINNING FACE}", "\N{REPLACEMENT CHARACTER}!", {"\N{REPLACEMENT CHARACTER}": 1}]}


def test_more_text_than_a_run_holds_fails_it(play: Play) -> None:
    """
    After as much as fits.
    """
    run = Record()

    async def scene() -> None:
        speaker = Speaker(run)
        with pytest.raises(RunFailed, match="longer than a message can be"):
            while True:
                await speaker.say("x" * 10_000)

    play(scene)
    assert 450_000 < len(run.text) < 512 * 1024


def test_what_is_beside_the_text_leaves_room_for_it(play: Play) -> None:
    """
    Endless thoughts, tools that print and return too much, too many tools: the run still holds, and the answer comes.
    """
    long = "x" * 10_000
    many = [
        item
        for number in range(300)
        for item in (
            {"type": "reasoning", "text": long},
            {"type": "tool", "id": str(number), "name": f"tool {number}", "arguments": long},
            {"type": "tool", "id": str(number), "text": long, "result": {"long": long}, "state": "done"},
            {"type": "text", "text": f"{number} "},
        )
    ]
    run = said(play, *many, "The answer.")
    size = sum(len(json.dumps([part.kind, part.meta, part.text])) for part in run.parts)
    assert (size < 512 * 1024, len(run.parts) < 200) == (True, True)
    assert run.text.endswith("299 The answer.")
    assert run.statuses[-1] == "tool 299"
    assert {part.meta["state"] for part in run.of("tool")} == {"done"}


def test_the_documentation_tells_the_truth(play: Play) -> None:
    """
    Its example is one answer with all that there is, and none of it is ignored.
    """
    page = (Path(__file__).parents[2] / "docs" / "bridges.md").read_text()
    example = page.partition("```jsonl\n")[2].partition("```")[0]
    *items, end = read(example.encode())
    assert end == {"type": "end"}
    run = said(play, *(item if isinstance(item, str) else dict(item) for item in items))
    assert [part.kind for part in run.parts] == ["reasoning", "plan", "tool", "text"]
    assert run.parts[2].meta["state"] == "done"
    assert (run.statuses, run.usage) == (["looking it up"], {"input_tokens": 12, "output_tokens": 9})
