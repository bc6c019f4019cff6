"""Words as search sees them: text folded to tokens, queries, and where a query is met in a text.

Sans I/O. Knows no database: any engine that finds runs of these tokens finds the same messages.

Accents, case and the many spellings of one letter are folded away. Scripts that put no spaces between words become one
token per character, so that any part of a sentence is found as a run of tokens.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import NamedTuple

import msgspec

from amtrio.errors import Malformed

# A longer word becomes several tokens in a row. Engines cut tokens somewhere (FTS5 at 32 KiB), each at another place.
MAX_TOKEN = 64
# A query is typed by a person. Each word is one more list to intersect.
MAX_QUERY = 500
MAX_PHRASES = 32
SNIPPET = 160
# So much of a snippet stands before the first match: enough to see what the sentence is about.
_LEAD = 50

# Letters of one piece that no decomposition takes apart, but that people type without.
_PLAIN = {
    "ł": "l",
    "ø": "o",
    "đ": "d",
    "ħ": "h",
    "ŧ": "t",
    "\N{LATIN SMALL LETTER DOTLESS I}": "i",
    "æ": "ae",
    "œ": "oe",
}
# First and last character of what is written without spaces, and of Hangul, whose words carry their particles.
_UNSPACED = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Burmese
    (0x1100, 0x11FF),  # Hangul, in parts
    (0x1780, 0x17FF),  # Khmer
    (0x2E80, 0x2FDF),  # radicals
    (0x3005, 0x3007),
    (0x3040, 0x318F),  # kana, bopomofo, Hangul compatibility
    (0x31A0, 0x31BF),
    (0x31F0, 0x31FF),
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xAC00, 0xD7FF),  # Hangul syllables
    (0xF900, 0xFAFF),
    (0x20000, 0x3FFFF),
)
_SYMBOLS = ((0x2600, 0x27BF), (0x1F000, 0x1FAFF))
_ZERO_WIDTH_SPACE = "\u200b"
# Below: overlays; then the points of Hebrew and Arabic; from 200 on: what stands above and below letters. The rest
# (vowel signs, viramas, nuktas, voiced marks, tones) tells words apart.
_ACCENTS = ((1, 1), (10, 36), (200, 255))


class _Folds(dict[int, str]):
    """
    For `str.translate`: what each character becomes, worked out when it is first met.

    A space separates, nothing is skipped without separating.
    """

    # All of Unicode would be a hundred megabytes, and whoever writes messages could make us keep it.
    _MOST = 20_000

    def __missing__(self, code: int) -> str:
        folded = _fold(chr(code))
        if len(self) < self._MOST:
            self[code] = folded
        return folded


def _is_in(ranges: Sequence[tuple[int, int]], number: int) -> bool:
    return any(low <= number <= high for low, high in ranges)


def _fold(char: str) -> str:
    """One character as the pieces of tokens it stands for."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", char).casefold())
    kept = "".join(_PLAIN.get(each, each) for each in plain if not _is_accent(each))
    # Put together again, or a syllable of Hangul would fall into its letters.
    return "".join(map(_piece, unicodedata.normalize("NFC", kept)))


def _is_accent(char: str) -> bool:
    return unicodedata.category(char) in {"Mn", "Me"} and _is_in(_ACCENTS, unicodedata.combining(char))


def _piece(char: str) -> str:
    category = unicodedata.category(char)
    code = ord(char)
    if category[0] in "LMN":
        if unicodedata.name(char, "").startswith("VARIATION SELECTOR") or category == "Me":
            return ""
        return f" {char} " if _is_in(_UNSPACED, code) else char
    if _is_in(_SYMBOLS, code) and category in {"So", "Sk", "Cn"}:
        return "" if category == "Sk" else f" {char} "  # Sk: colours of skin
    # Joiners, soft hyphens and marks of direction stand inside words; they are not seen.
    return "" if category == "Cf" and char != _ZERO_WIDTH_SPACE else " "


_FOLDS = _Folds()


def fold(text: str) -> list[str]:
    """The tokens of a text, in order; made of nothing but what any tokenizer keeps together: no ASCII punctuation."""
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)  # quick where it is so already
    tokens = text.translate(_FOLDS).split()
    if max(map(len, tokens), default=0) > MAX_TOKEN:
        return [token[at : at + MAX_TOKEN] for token in tokens for at in range(0, len(token), MAX_TOKEN)]
    return tokens


class Phrase(NamedTuple):
    """Tokens that stand side by side; with `is_prefix` the last one may be the beginning of one."""

    tokens: tuple[str, ...]
    is_prefix: bool

    def at(self, tokens: Sequence[str]) -> Iterator[int]:
        """Where it stands among the tokens of a text."""
        size = len(self.tokens)
        whole, last = list(self.tokens[:-1]), self.tokens[-1]
        for start in self._starts(tokens):
            if start + size > len(tokens):
                return
            end = tokens[start + size - 1]
            if (end.startswith(last) if self.is_prefix else end == last) and tokens[start : start + size - 1] == whole:
                yield start

    def _starts(self, tokens: Sequence[str]) -> Iterator[int]:
        """Where its first token stands; a text may have ten thousand."""
        first = self.tokens[0]
        if self.is_prefix and len(self.tokens) == 1:
            yield from (at for at, token in enumerate(tokens) if token.startswith(first))
            return
        at = -1
        with suppress(ValueError):
            while True:
                at = tokens.index(first, at + 1)
                yield at


Query = tuple[Phrase, ...]
_PIECES = re.compile(r'"(?P<quoted>[^"]*)(?P<close>"?)|(?P<bare>[^\s"]+)')


def parse(text: str | None) -> Query:
    """
    What a person typed: words and "quoted phrases", all of which must be there. Nothing else means anything.

    The last word may still be growing and finds what begins with it, unless a space or a quote ends it.

    Raises:
        Malformed: nothing was typed, nothing that is a word, or too much.
    """
    if not text:
        message = "missing search query (q)"
        raise Malformed(message)
    if len(text) > MAX_QUERY:
        message = f"q must have at most {MAX_QUERY} characters"
        raise Malformed(message)
    phrases: dict[Phrase, None] = {}
    for piece in _PIECES.finditer(text):
        tokens = tuple(fold(piece["bare"] or piece["quoted"] or ""))
        if tokens:
            last = piece["quoted"] if piece["bare"] is None else piece["bare"]
            is_open = piece.end() == len(text) and not piece["close"] and not last[-1:].isspace()
            phrases[Phrase(tokens, is_open)] = None
    if not phrases:
        message = "q has no word to search for"
        raise Malformed(message)
    if len(phrases) > MAX_PHRASES:
        message = f"q must have at most {MAX_PHRASES} words or phrases"
        raise Malformed(message)
    return tuple(phrases)


def matches(query: Query, tokens: Sequence[str]) -> bool:
    """Whether a text with these tokens is what the query asks for."""
    return all(next(phrase.at(tokens), None) is not None for phrase in query)


class Snippet(msgspec.Struct, frozen=True, kw_only=True):
    """
    The piece of a message round the first match.

    Attributes:
        matches: [start, end) of each match in `text`, in Unicode code points.
    """

    text: str
    matches: tuple[tuple[int, int], ...]


def snippet(query: Query, text: str) -> Snippet | None:
    """Where the query is met in a text; None if it is not, all of it."""
    found = _found(query, text)
    if found is None:
        return None
    start, end = _window(text, found[0])
    before, after = "…" if start else "", "…" if end < len(text) else ""
    shift = len(before) - start
    inside = (
        (max(first, start) + shift, min(last, end) + shift) for first, last in found if first < end and last > start
    )
    return Snippet(text=f"{before}{text[start:end]}{after}", matches=tuple(inside))


# Pieces of a text that end where a word ends: small enough to look at each character, large enough to be few.
_PARTS = re.compile(r"\S.{0,400}(?=\s|\Z)|\S+", re.DOTALL)


def _found(query: Query, text: str) -> list[tuple[int, int]] | None:
    """The matches as [start, end) of the text, in order, those that overlap as one."""
    parts = list(_PARTS.finditer(text))
    tokens: list[str] = []
    firsts: list[int] = []  # which token each part begins with
    for part in parts:
        firsts.append(len(tokens))
        tokens += fold(part[0])
    looked_at: dict[int, list[tuple[int, int]]] = {}

    def place(index: int) -> tuple[int, int]:
        number = bisect_right(firsts, index) - 1
        if number not in looked_at:
            looked_at[number] = _places(parts[number][0], parts[number].start())
        return looked_at[number][index - firsts[number]]

    spans: set[tuple[int, int]] = set()
    for phrase in query:
        starts = list(phrase.at(tokens))
        if not starts:
            return None
        spans.update((start, start + len(phrase.tokens) - 1) for start in starts)
    merged: list[tuple[int, int]] = []
    for first, last in sorted(spans):
        start, end = place(first)[0], place(last)[1]
        if merged and start > merged[0][0] + SNIPPET:
            break  # outside of every window; a long text may hold thousands
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _places(part: str, offset: int) -> list[tuple[int, int]]:
    """[start, end) of each token, as `fold` gives them."""
    if not unicodedata.is_normalized("NFC", part):
        runs = re.finditer(r"\S+", part)
        return [place for run in runs for place in _places_in_run(run[0], offset + run.start())]
    places: list[tuple[int, int]] = []
    length = 0  # of the token that is growing
    for at, char in enumerate(part, start=offset):
        for piece in _FOLDS[ord(char)]:
            if piece == " ":
                length = 0
            elif length in {0, MAX_TOKEN}:
                places.append((at, at + 1))
                length = 1
            else:
                places[-1] = (places[-1][0], at + 1)
                length += 1
    return places


def _places_in_run(run: str, offset: int) -> list[tuple[int, int]]:
    """Where letters and their marks stand apart, which is rare, all of what has no space in it is shown as found."""
    if unicodedata.is_normalized("NFC", run):
        return _places(run, offset)
    return [(offset, offset + len(run))] * len(fold(run))


def _window(text: str, match: tuple[int, int]) -> tuple[int, int]:
    """About `SNIPPET` characters round a match, cut between words where there is a word's end near."""
    start = max(0, min(match[0] - _LEAD, len(text) - SNIPPET))
    end = min(len(text), start + SNIPPET)
    if start:
        space = re.compile(r"\s").search(text, start, match[0])
        start = space.end() if space else start
    if end < len(text):
        spaces = list(re.compile(r"\s").finditer(text, min(match[1], end), end))
        end = spaces[-1].start() if spaces else end
    return start, end
