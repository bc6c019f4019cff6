"""Queries and forms carry texts: what becomes of them."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import pytest
from msgspec import Meta

from amtrio.errors import Malformed
from amtrio.protocol.codec import convert
from amtrio.transports.fields import from_texts


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """Something of every kind."""

    name: str = ""
    limit: int | None = None
    tags: tuple[Annotated[str, Meta(max_length=5)], ...] | None = None
    numbers: list[int] = []
    metadata: dict[str, Any] | None = None
    either: list[str] | str | None = None


def test_a_text_is_a_text() -> None:
    """The first one of a name counts, also of a name that means nothing."""
    pairs = [("name", "a"), ("name", "b"), ("limit", "7"), ("other", "x")]
    assert from_texts(Ask, pairs) == {"name": "a", "limit": "7", "other": "x"}


def test_a_list_is_a_name_that_comes_several_times() -> None:
    """Also once; and its items are then checked like any text."""
    fields = from_texts(Ask, [("tags", "a"), ("tags", "b"), ("numbers", "1")])
    assert fields == {"tags": ["a", "b"], "numbers": ["1"]}
    asked = convert(fields, Ask, texts=True)
    assert (asked.tags, asked.numbers) == (("a", "b"), [1])


def test_an_object_is_json() -> None:
    assert from_texts(Ask, [("metadata", '{"a": [1]}')]) == {"metadata": {"a": [1]}}
    assert from_texts(Ask, [("metadata", "")]) == {"metadata": None}


@pytest.mark.parametrize("text", ["{", "nope", "{'a': 1}", "[" * 100_000])
def test_what_is_no_json_is_named(text: str) -> None:
    with pytest.raises(Malformed, match="metadata must be an object"):
        from_texts(Ask, [("metadata", text)])


def test_json_of_another_kind_is_refused_by_the_struct() -> None:
    with pytest.raises(Malformed, match=r"metadata"):
        convert(from_texts(Ask, [("metadata", "[1]")]), Ask, texts=True)


def test_where_a_text_may_stand_it_stays_one() -> None:
    """Older clients write lists in spellings of their own there, and the feature reads them."""
    assert from_texts(Ask, [("either", "['a']")]) == {"either": "['a']"}
