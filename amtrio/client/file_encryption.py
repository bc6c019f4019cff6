"""A file under a key of its own: sealed and opened chunk by chunk, so that nobody has to hold all of it.

Sans I/O: bytes come in and go out. The browser's side of the same is `webchat/src/encryption/file-sealing.ts`;
tests/vectors/encryption.json holds both to it.
Source: docs/discussion/encryption.md, "A file".
"""

from __future__ import annotations

from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from amtrio.client.envelope import key_of
from amtrio.client.errors import Unreadable

# Of plaintext. What is in memory at once, against 16 bytes and one call for each.
CHUNK_BYTES: Final = 1 << 20
_TAG_BYTES: Final = 16
_ZEROS: Final = bytes(7)


class FileSealer:
    """
    Takes a file in pieces of any size and gives it back sealed.

    Args:
        key: 32 random bytes that are used for nothing else, since the nonces count from zero.
    """

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)
        self._chunk = 0
        self._waiting = bytearray()

    def feed(self, piece: bytes) -> bytes:
        """What is sealed by now. The last chunk waits, since it is sealed in another way than the others."""
        self._waiting += piece
        sealed = bytearray()
        while len(self._waiting) > CHUNK_BYTES:
            sealed += self._seal(bytes(self._waiting[:CHUNK_BYTES]), is_last=False)
            del self._waiting[:CHUNK_BYTES]
        return bytes(sealed)

    def finish(self) -> bytes:
        """The end of it."""
        return self._seal(bytes(self._waiting), is_last=True)

    def _seal(self, chunk: bytes, *, is_last: bool) -> bytes:
        nonce = _nonce(self._chunk, is_last=is_last)
        self._chunk += 1
        return self._cipher.encrypt(nonce, chunk, None)


class FileOpener:
    """
    Takes a sealed file in pieces of any size and gives back what was sealed.

    Args:
        key: 32 bytes, as the message says them.
    """

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)
        self._chunk = 0
        self._waiting = bytearray()

    def feed(self, piece: bytes) -> bytes:
        """
        What is opened by now; it may be the beginning of a file that turns out to be cut off.

        Raises:
            Unreadable: `tampered`, a chunk was changed, or is not where it was.
        """
        self._waiting += piece
        opened = bytearray()
        while len(self._waiting) > CHUNK_BYTES + _TAG_BYTES:
            opened += self._open(bytes(self._waiting[: CHUNK_BYTES + _TAG_BYTES]), is_last=False)
            del self._waiting[: CHUNK_BYTES + _TAG_BYTES]
        return bytes(opened)

    def finish(self) -> bytes:
        """
        The end of it.

        Raises:
            Unreadable: `tampered`, the file goes on, or something was changed.
        """
        return self._open(bytes(self._waiting), is_last=True)

    def _open(self, chunk: bytes, *, is_last: bool) -> bytes:
        nonce = _nonce(self._chunk, is_last=is_last)
        self._chunk += 1
        try:
            return self._cipher.decrypt(nonce, chunk, None)
        except (InvalidTag, ValueError) as exc:  # ValueError: shorter than a tag
            raise Unreadable("tampered") from exc


def opener_of(key: str) -> FileOpener:
    """
    Args:
        key: as the message spells it.

    Raises:
        Unreadable: `malformed`, this is no key.
    """
    raw = key_of(key)
    if raw is None:
        raise Unreadable("malformed")
    return FileOpener(raw)


def open_file(key: str, sealed: bytes) -> bytes:
    """
    A whole file; key and errors as of `opener_of` and of what it gives.
    """
    opener = opener_of(key)
    return opener.feed(sealed) + opener.finish()


def sealed_size(size: int) -> int:
    """How many bytes a file of so many has when it is sealed."""
    return size + _TAG_BYTES * max(1, -(-size // CHUNK_BYTES))


def _nonce(chunk: int, *, is_last: bool) -> bytes:
    return _ZEROS + chunk.to_bytes(4) + bytes([is_last])
