"""The bytes of encrypted messages; the browser's side of the same is in webchat/test/encryption."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amtrio.client import Unreadable
from amtrio.client.envelope import (
    MAX_TEXT_BYTES,
    Envelope,
    Identity,
    Opening,
    header_of,
    key_of,
    pieces,
    prefixed,
    read,
    spelt,
    written,
)

ID, SALT, SEALED = b"i" * 16, b"s" * 32, b"x" * 20


def opening(one_time: bytes | None = None) -> Opening:
    return Opening(Identity(b"a" * 32, b"b" * 32), b"c" * 32, b"d" * 32, one_time)


@pytest.mark.parametrize("has_files", [False, True])
@pytest.mark.parametrize("begins", [None, opening(), opening(b"e" * 32)])
def test_what_was_written_is_read(begins: Opening | None, *, has_files: bool) -> None:
    """
    Going on, and beginning with and without a one-time key; with files and without.
    """
    header = header_of(ID, SALT, begins, has_files=has_files)
    found = read(written(header, SEALED))
    assert found == Envelope(ID, SALT, begins, has_files, header, SEALED)


def test_what_is_cut_or_is_none_is_known_as_such() -> None:
    """
    With a reason, and never another error.
    """
    whole = header_of(ID, SALT, opening(b"e" * 32)) + b"t" * 16
    texts = [spelt(whole[:length]) for length in range(len(whole))]
    texts += [spelt(each) for each in (b"\x01\x03" + whole, b"\x01\x07" + whole, b"\x01\x08" + whole, bytes(300))]
    for text in (*texts, "A", "no base64url!", "AQ==", "ü"):
        with pytest.raises(Unreadable) as caught:
            read(text)
        assert caught.value.why == "malformed", text
    with pytest.raises(Unreadable) as caught:
        read(spelt(b"\x02" + whole))
    assert caught.value.why == "newer"


@given(st.one_of(st.text(), st.binary().map(spelt)))
def test_nothing_but_unreadable_comes_of_any_text(text: str) -> None:
    """
    Whatever a server makes up.
    """
    try:
        read(text)
    except Unreadable as exc:
        assert exc.why in {"malformed", "newer"}


def test_the_longest_text_fits_into_a_frame() -> None:
    """
    With everything that stands beside it.
    """
    longest = written(header_of(ID, SALT, opening(b"e" * 32)), bytes(MAX_TEXT_BYTES + 16))
    assert len(longest) == 64_000


KEY = bytes(range(200, 232))


@pytest.mark.parametrize(
    "text",
    [
        base64.b64encode(KEY).decode(),
        base64.b64encode(KEY).decode().rstrip("="),
        base64.urlsafe_b64encode(KEY).decode(),
        spelt(KEY),
        KEY.hex(),
        KEY.hex().upper(),
    ],
)
def test_keys_are_read_in_every_spelling_that_the_server_takes(text: str) -> None:
    """
    Others may have published theirs in another one than ours.
    """
    assert key_of(text) == KEY


@pytest.mark.parametrize("text", [None, 7, "", spelt(KEY)[1:], spelt(KEY + b"x"), KEY.hex()[2:], "z" * 64, "?" * 43])
def test_what_is_no_key_is_none(text: Any) -> None:
    """
    Whatever a server answers.
    """
    assert key_of(text) is None


def test_texts_side_by_side_mean_one_thing_only() -> None:
    """
    Their length in bytes stands before them.
    """
    assert prefixed("ab") + prefixed("c") != prefixed("a") + prefixed("bc")
    assert prefixed("ü") == b"\x00\x02\xc3\xbc"


@settings(deadline=None, max_examples=50)
@given(st.text(alphabet="aü👋\n"), st.integers(0, 3))
def test_pieces_of_a_text_make_the_text(text: str, times: int) -> None:
    """
    Each fits into a message, and none is empty.
    """
    whole = text + "👋ü" * 12_000 * times
    found = pieces(whole)
    assert "".join(found) == whole
    assert all(0 < len(piece.encode()) <= MAX_TEXT_BYTES for piece in found)


def test_pieces_end_with_a_line_where_they_can() -> None:
    """
    So that Markdown of each can be read.
    """
    assert [piece[-1] for piece in pieces("0123456789\n" * 10_000)] == ["\n", "\n", "\n"]
