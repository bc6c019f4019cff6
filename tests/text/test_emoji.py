"""What counts as one emoji, and its one spelling."""

from __future__ import annotations

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from amtrio.text.emoji import MAX_CODE_POINTS, one_emoji


@pytest.mark.parametrize(
    "emoji",
    [
        "👍", "😀", "👍🏽", "👨‍👩‍👧‍👦", "👩🏻‍❤️‍💋‍👨🏿", "🏳️‍🌈", "🏴‍☠️", "👁️‍🗨️", "🕵🏽‍♂️", "🧑‍🧑‍🧒‍🧒",
        "🇩🇪", "🇯🇵", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "1️⃣", "#️⃣", "❤️", "✔️", "©️", "☺️", "⛓️‍💥", "🫩",
    ],
)  # fmt: skip
def test_whatever_a_keyboard_offers_is_one_emoji_as_it_is_spelled(emoji: str) -> None:
    """Families, flags, keycaps, skin tones and joined ones, however many bytes they have."""
    assert one_emoji(emoji) == emoji


@pytest.mark.parametrize(
    "text",
    [
        "", "o", "ok", "1", "#", "*", " ", "👍 ", "👍👍", "👍x", "x👍", "❤️❤️", "🇩", "🇩🇪🇫", "🇩🇪🇫🇷", "\ufe0f", "\u200d",
        "👍\u200d", "\u200d👍", "👩\u200d1", "12️⃣", "★", "é", "漢", "\u20e3", "👍\n", "<b>", "\u202e", "a\u0308",
    ],
)  # fmt: skip
def test_anything_else_is_none(text: str) -> None:
    assert one_emoji(text) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [("❤", "❤️"), ("❤\ufe0e", "❤️"), ("✔", "✔️"), ("😀\ufe0f", "😀"), ("1\u20e3", "1️⃣"), ("🏳‍🌈", "🏳️‍🌈"),
     ("👁‍🗨", "👁️‍🗨️"), ("👩‍❤‍👨", "👩‍❤️‍👨"), ("✌️🏽", "✌🏽")],
)  # fmt: skip
def test_one_picture_has_one_spelling(one: str, other: str) -> None:
    """With or without the selector that asks for colours, where it belongs or where it does not."""
    assert one_emoji(one) == one_emoji(other) == other


def test_a_picture_newer_than_the_server_is_taken() -> None:
    """Unicode keeps places free for pictures to come."""
    (free, *_) = regex.findall(r"(?=\p{Extended_Pictographic})\p{Cn}", "".join(map(chr, range(0x1F000, 0x20000))))
    assert one_emoji(free) == free


def test_an_endless_chain_is_none() -> None:
    """One grapheme as well, but nobody's reaction."""
    assert one_emoji("\u200d".join(["👩"] * (MAX_CODE_POINTS // 2))) is not None
    assert one_emoji("\u200d".join(["👩"] * MAX_CODE_POINTS)) is None


@given(st.text(alphabet=st.sampled_from("👍❤🇩🇪🏽👩\u200d\ufe0f\ufe0e1\u20e3a "), max_size=8))
def test_the_spelling_is_stable(text: str) -> None:
    """Spelled once, it is spelled the same again, and it is one cluster."""
    spelled = one_emoji(text)
    if spelled is not None:
        assert one_emoji(spelled) == spelled
        assert regex.findall(r"\X", spelled) == [spelled]
