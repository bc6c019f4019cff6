"""Folding, queries and snippets: what is found by what, and where it is shown."""

# ruff: noqa: RUF001 - letters that look alike are what this is about

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amtrio.errors import Malformed
from amtrio.text.words import MAX_TOKEN, SNIPPET, Phrase, fold, matches, parse, snippet

# Letters that fold in odd ways, separators, syntax of engines, emoji, marks on their own.
ALPHABET = (
    'aAbz09 \t\n-_*"():^.\u0000éE\u0301ßŁİfiﬁ½東タガか\u3099한\u1112\u1161กำहिन्दी'
    "👍🏽👨\u200d👩❤\ufe0f\u200b\u00ad…\u2060ﾊﾞ"
)
texts = st.text(st.one_of(st.sampled_from(ALPHABET), st.characters(exclude_categories=["Cs"])), max_size=60)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Hello, WORLD! it's x_y", "hello world it s x y"),
        ("Größe straße Łódź ÆSIR İstanbul Øl", "grosse strasse lodz aesir istanbul ol"),
        ("e\u0301 é Ελλάς ёлка", "e e ελλασ елка"),
        ("ＡＢＣ ﬁne ㎏ ²", "abc fine kg 2"),
        ("東京タワーへ", "東 京 タ ワ ー へ"),
        ("ガ カ\u3099 カ", "ガ ガ カ"),
        ("한국어 \u1112\u1161\u11ab", "한 국 어 한"),
        ("สวัสดี", "ส ว ั ส ด ี"),
        ("हिन्दी", "हिन्दी"),
        ("مُحَمَّد שָׁלוֹם", "محمد שלום"),
        ("👍🏽👨\u200d👩 ❤\ufe0f ok", "👍 👨 👩 ❤ ok"),
        ("soft\u00adhyphen zero\u200bwidth a\u0000b", "softhyphen zero width a b"),
        ("... — ™? ├──┤ \u0301", "tm"),
    ],
)
def test_what_a_text_becomes(text: str, tokens: str) -> None:
    """Case, accents and spellings of one letter go; scripts without spaces come apart; emoji are words."""
    assert fold(text) == tokens.split()


@given(texts)
def test_equivalent_texts_fold_alike(text: str) -> None:
    """Whether letters and accents come in one piece or two, which nobody sees, does not matter."""
    assert fold(unicodedata.normalize("NFD", text)) == fold(unicodedata.normalize("NFC", text)) == fold(text)


@given(texts)
def test_tokens_hold_nothing_that_an_engine_might_split_or_read(text: str) -> None:
    """No ASCII but small letters and digits, no space, nothing too long; folding them again changes nothing."""
    for token in fold(text * 3):
        assert 0 < len(token) <= MAX_TOKEN
        assert not any(char.isspace() for char in token)
        assert all(char >= "\x80" or char.isdigit() or ("a" <= char <= "z") for char in token), token


def test_a_word_without_an_end_becomes_tokens_in_a_row() -> None:
    """And is found by the whole of it."""
    word = "".join(chr(ord("a") + number % 26) for number in range(200))
    assert [len(token) for token in fold(f"x {word}")] == [1, 64, 64, 64, 8]
    assert matches(parse(word), fold(f"see {word}."))
    assert not matches(parse(word + " "), fold(f"see {word}more"))


@pytest.mark.parametrize(
    ("q", "phrases"),
    [
        ("one two", [("one", False), ("two", True)]),
        ("one two ", [("one", False), ("two", False)]),
        ('"one two"', [("one two", False)]),
        ('"one two', [("one two", True)]),
        ('"one two ', [("one two", False)]),
        ('one"two three"four', [("one", False), ("two three", False), ("four", True)]),
        ("don't foo-bar.baz", [("don t", False), ("foo bar baz", True)]),
        ('NEAR(a b) OR c* -d who:1 ^e "', [(each, False) for each in ("near a", "b", "or", "c", "d", "who 1", "e")]),
        ("a *", [("a", False)]),
        ("a a a", [("a", False), ("a", True)]),
        ("東京", [("東 京", True)]),
        ("👍", [("👍", True)]),
    ],
)
def test_what_a_query_means(q: str, phrases: list[tuple[str, bool]]) -> None:
    """Words, phrases, and a last word that may still be growing; everything else is a separator."""
    assert parse(q) == tuple(Phrase(tuple(words.split()), is_prefix) for words, is_prefix in phrases)


@pytest.mark.parametrize(
    ("q", "said"),
    [
        (None, "missing search query (q)"),
        ("", "missing search query (q)"),
        (" ", "no word"),
        ('"', "no word"),
        ('"" *-:()^', "no word"),
        ("x" * 501, "at most 500 characters"),
        (" ".join(f"w{number}" for number in range(33)), "at most 32 words"),
    ],
)
def test_what_is_no_query(q: str | None, said: str) -> None:
    """The text says which rule it was."""
    with pytest.raises(Malformed, match=said.replace("(", r"\(").replace(")", r"\)")):
        parse(q)


def marked(q: str, text: str) -> list[str] | None:
    """The pieces of a snippet that are marked as found."""
    found = snippet(parse(q), text)
    return None if found is None else [found.text[start:end] for start, end in found.matches]


def test_a_snippet_marks_what_was_written_not_what_it_was_folded_to() -> None:
    """Positions are code points of the text as its writer spelt it."""
    assert marked("strasse lod", "In der Straße von ŁÓDŹ, 👍🏽!") == ["Straße", "ŁÓDŹ"]
    assert marked("東京", "大東京タワー、東京") == ["東京", "東京"]
    assert marked('"don t"', "I don't, they DON'T") == ["don't", "DON'T"]
    assert marked("kg", "5㎏ net") is None
    assert marked("5kg", "5㎏ net") == ["5㎏"]
    assert marked("cafe", "un cafe\u0301, s'il vous plaît") == ["cafe\u0301,"]
    assert marked("a ", "b") is None
    assert marked('"a b" b', "a b c b") == ["a b", "b"]


def test_a_snippet_is_the_piece_round_the_first_match() -> None:
    """Cut between words, with an ellipsis on each side that is cut."""
    text = "lorem ipsum " * 30 + "needle " + "dolor sit amet " * 30 + "needle"
    found = snippet(parse("needle"), text)
    assert found is not None
    assert found.text.startswith("…lorem ipsum ")
    assert found.text.endswith("…")
    assert SNIPPET - 15 < len(found.text) <= SNIPPET + 2
    assert [found.text[start:end] for start, end in found.matches] == ["needle"]
    short = snippet(parse("needle"), "a needle here")
    assert short is not None
    assert (short.text, short.matches) == ("a needle here", ((2, 8),))
    one_word = snippet(parse("x" * 300), "y " + "x" * 1000)
    assert one_word is not None
    assert len(one_word.text) <= SNIPPET + 2
    assert one_word.matches == ((2, SNIPPET),)


@given(texts, texts)
def test_snippets_agree_with_matches(text: str, q: str) -> None:
    """There is one for every text that matches and for no other, and its marks lie in it, in order, apart."""
    try:
        query = parse(q)
    except Malformed:
        return
    for whole in (text, f"{text} {q} {text}", text * 20 + q):
        found = snippet(query, whole)
        assert (found is not None) == matches(query, fold(whole))
        if found is not None:
            ends = [place for match in found.matches for place in match]
            assert ends == sorted(ends)
            assert ends
            assert 0 <= ends[0]
            assert ends[-1] <= len(found.text)
            assert len(found.text) <= SNIPPET + 2
            assert found.text.strip("…") in whole
