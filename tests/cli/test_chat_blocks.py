"""Where a text that grows is cut."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from amtrio.cli.chat_blocks import Blocks

PIECES = ["word " * 100 + "\n", "\n", "```python\n", "```\n", "x" * 700 + "\n\n", "y" * 4000, "end", "  ~~~\n"]


def blocks(text: str) -> list[str]:
    found = Blocks()
    found.grow(text)
    return [*found.done, found.rest]


@given(st.lists(st.sampled_from(PIECES), max_size=30))
def test_only_the_last_block_changes_while_the_text_grows(pieces: list[str]) -> None:
    """
    However it comes, in pieces or at once, it is cut alike; and no block is long.
    """
    growing, text = Blocks(), ""
    for piece in pieces:
        before = list(growing.done)
        text += piece
        assert growing.grow(text)
        assert growing.done[: len(before)] == before
        assert [*growing.done, growing.rest] == blocks(text)
    assert max(map(len, blocks(text))) <= 3100
    without_code = "".join(piece for piece in pieces if "```" not in piece and "~~~" not in piece)
    assert "".join(blocks(without_code)) == without_code, "nothing is lost"


def test_paragraphs_are_kept_whole() -> None:
    """
    A block ends where one of them does.
    """
    text = ("word " * 90 + "\n\n") * 10
    found = blocks(text)
    assert len(found) > 3
    assert all(block.endswith("\n\n") for block in found[:-1])


def test_long_code_goes_on_as_code() -> None:
    """
    Half of a code block would be drawn as prose; behind its end there is prose again.
    """
    text = "```python\n" + "x = 1\n\n" * 1000 + "```\n" + "word " * 300 + "\n\nend"
    found = blocks(text)
    assert len(found) > 3
    assert all(block.startswith("```python\n") for block in found[:4])
    assert not found[-1].startswith("```")


def test_a_line_without_end_is_cut_between_words() -> None:
    """
    And somewhere if there are none.
    """
    assert all(block.endswith(" ") for block in blocks("word " * 2000)[:-1])
    assert [len(block) for block in blocks("x" * 7000)] == [3000, 3000, 1000]


def test_another_text_begins_anew() -> None:
    """
    Which is told, since nothing of what was drawn is right any more.
    """
    found = Blocks()
    assert found.grow("a" * 4000)
    assert not found.grow("b" * 3500)
    assert [*found.done, found.rest] == ["b" * 3000, "b" * 500]
