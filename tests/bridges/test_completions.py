"""Chat completions: what goes there and what comes back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amtrio.bridges.completions import Chat, ChatFailed, Said, ThinkTags, error_text, messages
from amtrio.bridges.dialect import Event
from amtrio.bridges.sse import ServerEvent


def delta(finish: str | None = None, **fields: Any) -> ServerEvent:
    choice = {"index": 0, "delta": fields, "finish_reason": finish}
    return ServerEvent(json.dumps({"model": "m", "choices": [choice]}))


def told(*events: ServerEvent) -> tuple[list[Event], Chat]:
    chat = Chat()
    found = [item for event in events for item in chat.feed(event)]
    return found + chat.end(), chat


def call(index: int | None, call_id: str | None = None, name: str | None = None, arguments: Any = None) -> Any:
    fields = {"index": index, "id": call_id, "function": {"name": name, "arguments": arguments}}
    return {name: value for name, value in fields.items() if value is not None}


ME, YOU = True, False


def test_the_past_goes_along_as_far_as_it_fits() -> None:
    """
    The newest of it; the message itself always, and whole.
    """
    past = [Said(YOU, "first"), Said(ME, "answer"), Said(YOU, "second"), Said(ME, "again")]
    assert messages("Be brief.", past, Said(YOU, "third"), characters_at_most=100) == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "first"},
        {"role": "assistant", "content": "answer"},
        {"role": "user", "content": "second"},
        {"role": "assistant", "content": "again"},
        {"role": "user", "content": "third"},
    ]
    fits = len("thirdagainsecond")
    assert [each["content"] for each in messages("", past, Said(YOU, "third"), characters_at_most=fits)] == [
        "second",
        "again",
        "third",
    ]
    assert messages("", past, Said(YOU, "x" * 50), characters_at_most=10) == [{"role": "user", "content": "x" * 50}]


@settings(deadline=None)
@given(st.lists(st.builds(Said, st.booleans(), st.text(min_size=1, max_size=9))), st.integers(0, 60))
def test_roles_alternate_and_the_person_begins(past: list[Said], room: int) -> None:
    """
    Whoever wrote twice in a row is heard as once.
    """
    roles = [each["role"] for each in messages("", past, Said(YOU, "now"), characters_at_most=room)]
    assert roles == (["user", "assistant"] * len(roles))[: len(roles)]
    assert roles[-1] == "user"


def test_pictures_stand_beside_the_words() -> None:
    """
    A picture alone is a message too.
    """
    url = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}
    past = [Said(YOU, "", ["data:image/png;base64,AA=="]), Said(ME, "a cat")]
    now = Said(YOU, "and this?", ["data:image/png;base64,AA=="])
    assert [each["content"] for each in messages("", past, now, characters_at_most=100)] == [
        [url],
        "a cat",
        [{"type": "text", "text": "and this?"}, url],
    ]


def test_words_thoughts_and_usage_are_told_apart() -> None:
    """
    Thoughts under either of their two names.
    """
    events = [
        delta(role="assistant", content=""),
        delta(reasoning_content="Hm"),
        delta(reasoning="m."),
        delta(content="Hel"),
        delta(content="lo"),
        delta("stop"),
        ServerEvent('{"model": "m", "choices": [], "usage": {"total_tokens": 7}}'),
        ServerEvent("[DONE]"),
    ]
    found, chat = told(*events)
    assert found == [
        {"type": "reasoning", "text": "Hm"},
        {"type": "reasoning", "text": "m."},
        {"type": "text", "text": "Hel"},
        {"type": "text", "text": "lo"},
        {"type": "usage", "model": "m", "total_tokens": 7},
    ]
    assert chat.is_complete


def test_content_may_come_in_typed_pieces() -> None:
    """
    As some servers have it.
    """
    assert told(delta(content=[{"type": "text", "text": "Hi"}, {"type": "x"}]))[0] == [{"type": "text", "text": "Hi"}]


def test_pieces_of_tool_calls_are_put_together() -> None:
    """
    Shown when the name is known, complete when the stream ends; two calls at a time do not mix.
    """
    found, _ = told(
        delta(tool_calls=[call(0, "a", "find", "")]),
        delta(tool_calls=[call(0, None, None, '{"for":'), call(1, "b", "count")]),
        delta(tool_calls=[call(0, None, None, '"x"}'), call(1, None, None, "[1")]),
        delta("tool_calls"),
    )
    assert found == [
        {"type": "tool", "id": "0", "name": "find", "state": "running"},
        {"type": "tool", "id": "1", "name": "count", "state": "running"},
        {"type": "tool", "id": "0", "name": "find", "state": "done", "arguments": {"for": "x"}},
        {"type": "tool", "id": "1", "name": "count", "state": "done", "arguments": "[1"},
    ]


@pytest.mark.parametrize("index", [0, None])
def test_calls_in_one_piece_are_told_apart_by_their_ids(index: int | None) -> None:
    """
    From servers that count every call as the first, or do not count.
    """
    calls = [call(index, "a", "find", {"for": "x"}), call(index, "b", "count", "{}")]
    found, _ = told(*(delta(tool_calls=[each]) for each in calls))
    assert [(item["name"], item["arguments"]) for item in found if item["state"] == "done"] == [
        ("find", {"for": "x"}),
        ("count", {}),
    ]


@settings(deadline=None)
@given(
    st.sampled_from(
        ["<think>\nHm, <b>?</think>\n\nYes </think>", "  <think>Hm", "<thin", "No <think>x</think>", "</think>"]
    ),
    st.integers(1, 6),
)
def test_thoughts_between_tags_are_thoughts(text: str, cut: int) -> None:
    """
    Only at the beginning, and however the tags are cut.
    """
    tags = ThinkTags()
    found = [item for start in range(0, len(text), cut) for item in tags.feed(text[start : start + cut])] + tags.end()
    thought = "".join(item["text"] for item in found if item["type"] == "reasoning")
    said = "".join(item["text"] for item in found if item["type"] == "text")
    expected = {
        "<think>\nHm, <b>?</think>\n\nYes </think>": ("Hm, <b>?", "Yes </think>"),
        "  <think>Hm": ("Hm", ""),
    }
    assert (thought, said.lstrip("\n")) == expected.get(text, ("", text))


def test_an_answer_that_was_cut_says_so() -> None:
    """
    By the model's limit, or by its provider.
    """
    assert told(delta("length", content="Once upon"))[0][-1]["text"].endswith("length limit")
    assert told(delta("content_filter"))[0][-1]["type"] == "status"


def test_an_error_in_the_stream_is_told_in_its_words() -> None:
    """
    As an object among the chunks, as an event of its own, or as something that is no JSON.
    """
    for event, words in (
        (ServerEvent('{"error": {"message": "out of memory", "code": 500}}'), "broke off: out of memory"),
        (ServerEvent('{"error": "model crashed"}'), "broke off: model crashed"),
        (ServerEvent('{"message": "overloaded"}', "error"), "broke off: overloaded"),
        (ServerEvent("<html>"), "something else than JSON: <html>"),
    ):
        with pytest.raises(ChatFailed, match=words):
            told(delta(content="Hel"), event)


def test_a_stream_without_an_end_is_not_complete() -> None:
    """
    Either of the two ways to say that it was all will do.
    """
    assert not told(delta(content="Hel"))[1].is_complete
    assert told(delta("stop"))[1].is_complete
    assert told(ServerEvent("[DONE]"))[1].is_complete


@settings(deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.text() | st.integers(),
        lambda each: (
            st.lists(each)
            | st.dictionaries(
                st.sampled_from("choices delta content tool_calls function name arguments id index usage".split()), each
            )
        ),
    )
)
def test_no_json_can_break_it(chunk: Any) -> None:
    """
    Whatever a server sends, it is read or passed over.
    """
    told(ServerEvent(json.dumps(chunk)), ServerEvent(json.dumps({"choices": [{"delta": chunk}]})))


def test_errors_have_many_shapes() -> None:
    """
    The words are found in each.
    """
    assert error_text({"error": {"message": "m"}}) == "m"
    assert error_text({"error": "e"}) == "e"
    assert error_text({"detail": "d"}) == "d"
    assert error_text({"error": {"code": 7}}) == "7"
    assert error_text({"error": {"x": 1}}) == '{"x": 1}'
    assert error_text("text") == "text"
