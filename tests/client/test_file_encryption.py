"""Files in chunks, against vectors that the browser's program is held to as well."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amtrio.client import Unreadable
from amtrio.client.envelope import spelt
from amtrio.client.file_encryption import CHUNK_BYTES, FileOpener, FileSealer, open_file, sealed_size
from tests.vectors.encryption import content_of, vectors

KEY = bytes(range(32))
SEALED_CHUNK = CHUNK_BYTES + 16


def sealed(content: bytes, key: bytes = KEY) -> bytes:
    sealer = FileSealer(key)
    return sealer.feed(content) + sealer.finish()


def opened(ciphertext: bytes) -> bytes:
    return open_file(spelt(KEY), ciphertext)


def is_refused(ciphertext: bytes) -> bool:
    with pytest.raises(Unreadable) as caught:
        opened(ciphertext)
    return caught.value.why == "tampered"


@pytest.mark.parametrize("file", vectors()["files"], ids=lambda file: str(file["size"]))
def test_the_vectors_are_opened(file: dict[str, Any]) -> None:
    """
    What they say of the ciphertext is what is opened to the file; that it is made is held in `test_encryption`.
    """
    sealer = FileSealer(hashlib.sha256(f"amtrio test vector file {file['size']}".encode()).digest())
    ciphertext = sealer.feed(content_of(file["size"])) + sealer.finish()
    assert spelt(hashlib.sha256(ciphertext).digest()) == file["ciphertext_sha256"]
    assert len(ciphertext) == file["ciphertext_size"] == sealed_size(file["size"])
    assert open_file(file["key"], ciphertext) == content_of(file["size"])


@settings(deadline=None, max_examples=20)
@given(
    st.sampled_from([0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES]),
    st.integers(1, 3 * CHUNK_BYTES),
)
def test_the_size_of_the_pieces_does_not_matter(size: int, step: int) -> None:
    """
    Neither of those that are sealed nor of those that are opened.
    """
    content, step = content_of(size), max(step, size // 50 + 1)
    sealer, opener = FileSealer(KEY), FileOpener(KEY)
    whole = b"".join(sealer.feed(content[at : at + step]) for at in range(0, size, step)) + sealer.finish()
    assert whole == sealed(content)
    found = b"".join(opener.feed(whole[at : at + step]) for at in range(0, len(whole), step)) + opener.finish()
    assert found == content


def test_what_is_cut_off_is_refused() -> None:
    """
    Between two chunks, inside of one, and down to nothing.
    """
    whole = sealed(content_of(2 * CHUNK_BYTES + 5))
    assert opened(whole) == content_of(2 * CHUNK_BYTES + 5)
    for length in (0, 10, 16, SEALED_CHUNK, 2 * SEALED_CHUNK, 2 * SEALED_CHUNK + 16, len(whole) - 1):
        assert is_refused(whole[:length]), length


def test_what_is_added_swapped_or_changed_is_refused() -> None:
    """
    Chunks know their number, and whether they are the last one.
    """
    whole = sealed(content_of(2 * CHUNK_BYTES + 5))
    first, second, last = whole[:SEALED_CHUNK], whole[SEALED_CHUNK : 2 * SEALED_CHUNK], whole[2 * SEALED_CHUNK :]
    for other in (
        second + first + last,
        first + last,
        first + second + second + last,
        whole + bytes(16),
        whole + last,
        first[:-1] + bytes([first[-1] ^ 1]) + second + last,
        bytes([whole[0] ^ 1]) + whole[1:],
    ):
        assert is_refused(other)
    assert is_refused(sealed(b"another file", bytes(32)))


def test_a_key_that_is_none_is_refused() -> None:
    """
    With a reason; a message may say anything.
    """
    with pytest.raises(Unreadable, match="malformed"):
        open_file("no key", sealed(b""))
