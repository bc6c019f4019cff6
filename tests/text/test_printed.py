"""Values in forms, as JSON and as Python prints them."""

from __future__ import annotations

import pytest

from amtrio.text.printed import value_of


@pytest.mark.parametrize("text", ['{"a": ["x", 1]}', "{'a': ['x', 1]}", " {'a': ['x', 1]}\n"])
def test_both_spellings_are_one_value(text: str) -> None:
    assert value_of(text, most_chars=100) == {"a": ["x", 1]}


@pytest.mark.parametrize("text", ["", "{", "x", "open('f')", "[1, 2", "(" * 99, "\ud800", "__import__('os')"])
def test_what_is_no_value_is_never_run(text: str) -> None:
    with pytest.raises(ValueError, match="neither"):
        value_of(text, most_chars=100)


def test_nobody_sends_a_book() -> None:
    assert value_of("'" + "x" * 98 + "'", most_chars=100) == "x" * 98
    with pytest.raises(ValueError, match="too long"):
        value_of("'" + "x" * 99 + "'", most_chars=100)
