"""The codec takes every shape that shipped clients send, refuses the rest with a reason, and splices valid JSON."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amtrio.errors import Malformed, UnknownType
from amtrio.protocol.codec import MAX_NESTING, Codec, convert, encode, flat, frame, hybrid
from amtrio.protocol.frames import ID_PATTERN, Command


class Say(Command, frozen=True, kw_only=True):
    """A command with a field of each kind."""

    content: str
    count: int | None = None


CODEC = Codec({"message": Say, "edit": Say})


def decode(raw: str | bytes) -> tuple[str, msgspec.Struct]:
    return CODEC.command(CODEC.envelope(raw), raw)


@pytest.mark.parametrize(
    "raw",
    [
        '{"type":"message","data":{"content":"hi"}}',
        '{"type":"message","content":"hi"}',
        '{"type":"message","data":null,"content":"hi"}',
        '{"type":"message","data":{"content":"hi","count":null,"of_a_newer_client":[1]}}',
        '{"data":{"content":"hi"},"type":"message"}',
        '{"type":"chat","content":"hi"}',
    ],
)
def test_flat_nested_and_old_words_say_the_same(raw: str) -> None:
    """Fields under data or beside type, nulls, unknown fields and the word `chat` are one and the same command."""
    assert decode(raw) == ("message", Say(content="hi"))
    assert decode(raw.encode()) == ("message", Say(content="hi"))


def test_the_old_words_of_the_documents_are_understood() -> None:
    """What the older protocol's documents call edit_message is edit."""
    assert decode('{"type":"edit_message","data":{"content":"x"}}')[0] == "edit"


@pytest.mark.parametrize(
    "raw",
    [
        "", "nonsense", "[]", "1", "null", "{}", '{"type":1}', '{"type":"message"', '{"type":"message","ref":{}}',
        b"\xff\xfe", '{"type":"message"} {"type":"message"}', "[" * 50_000, '{"type":"message","data":' + "[" * 50_000,
    ],
)  # fmt: skip
def test_what_is_no_frame_is_malformed(raw: str | bytes) -> None:
    """Whatever is not one JSON object with a text under type is refused as malformed, however deep it nests."""
    with pytest.raises(Malformed):
        decode(raw)


@pytest.mark.parametrize("form", ["text", "bytes"])
def test_what_nests_deeper_than_everybody_can_write_is_malformed(form: str) -> None:
    """Levels count, brackets in texts and side by side do not."""

    def nested(levels: int, text: str = "") -> str | bytes:
        # The frame and its data are two levels.
        deep = "[" * (levels - 2) + "]" * (levels - 2)
        raw = f'{{"type":"message","data":{{"content":"{text}","x":{deep}}}}}'
        return raw if form == "text" else raw.encode()

    assert decode(nested(MAX_NESTING))[0] == "message"
    assert decode(nested(3, text="[" * 500 + r"\"" + "{" * 500))[0] == "message"
    assert decode('{"type":"message","data":{"content":"a","x":[' + "[]," * 500 + "[]]}}")[0] == "message"
    for levels in (MAX_NESTING + 1, 980):
        with pytest.raises(Malformed, match="frame: nested too deeply"):
            decode(nested(levels, text="]" * 2000))


@pytest.mark.parametrize("data", ['{"content":5}', "{}", "[]", '"text"', "7", "true", '{"content":"a","count":"b"}'])
def test_data_of_the_wrong_shape_names_the_command(data: str) -> None:
    """The refusal names the command, and never repeats what was sent."""
    with pytest.raises(Malformed, match=r"^message: ") as refused:
        decode('{"type":"message","data":' + data + "}")
    assert refused.value.code == "malformed"


def test_an_unknown_type_is_told_in_the_older_servers_words() -> None:
    """The text is what shipped clients show; a huge word is cut."""
    with pytest.raises(UnknownType, match=r"^unknown message type: dance$"):
        decode('{"type":"dance","data":{}}')
    with pytest.raises(UnknownType) as refused:
        decode(json.dumps({"type": "x" * 5000}))
    assert len(str(refused.value)) < 100


@given(st.binary(max_size=200) | st.text(max_size=200))
def test_no_bytes_break_the_decoder(raw: bytes | str) -> None:
    """Any input is a command or a refusal that a client can be told."""
    try:
        decode(raw)
    except Malformed as refused:
        assert str(refused)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=8).filter(lambda key: key not in {"type", "data"}), JSON, max_size=4))
def test_spliced_frames_are_the_json_that_encoding_them_would_give(data: dict[str, Any]) -> None:
    """Frames built by splicing are valid JSON with exactly the given parts."""
    raw = encode(data)
    assert json.loads(frame("a", raw, seq=7)) == {"type": "a", "seq": 7, "data": data}
    assert json.loads(frame("a", raw, ref=b'"r"')) == {"type": "a", "ref": "r", "data": data}
    assert json.loads(frame("a", raw)) == {"type": "a", "data": data}
    assert json.loads(hybrid("a", raw)) == {**data, "type": "a", "data": data}
    assert json.loads(flat("a", raw)) == {**data, "type": "a"}


class Page(msgspec.Struct, frozen=True):
    """Fields of a request."""

    limit: int | None = None
    unread: bool = False


def test_texts_of_queries_and_forms_become_numbers_and_truth_values() -> None:
    """A query says "5" where a JSON body says 5; in JSON a text is no number."""
    assert convert({"limit": "5", "unread": "true"}, Page, texts=True) == Page(5, unread=True)
    with pytest.raises(Malformed):
        convert({"limit": "5"}, Page, texts=False)
    with pytest.raises(Malformed):
        convert({"limit": "five"}, Page, texts=True)


class Ask(msgspec.Struct):
    """A field that takes some words only."""

    tier: Literal["free", "pro"] | None = None
    id: Annotated[str, msgspec.Meta(pattern=ID_PATTERN)] = "x"


def test_a_refusal_says_which_words_there_are() -> None:
    with pytest.raises(Malformed, match=r"'gold' - at `\$.tier`: one of free, pro"):
        convert({"tier": "gold"}, Ask, texts=False)


def test_a_refusal_shows_a_pattern_as_people_know_it() -> None:
    """Without the look-ahead that keeps a line feed out."""
    with pytest.raises(Malformed) as refused:
        convert({"id": "a b"}, Ask, texts=False)
    assert "^[A-Za-z0-9_.-]{1,64}$" in str(refused.value)
