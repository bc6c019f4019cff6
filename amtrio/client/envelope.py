"""The bytes of an encrypted message: which session, which key, and all that it takes to begin the session.

Sans I/O. Knows where which byte stands; knows no secret.
Source: docs/discussion/encryption.md, "The format".
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Final, Literal

from amtrio.client.errors import Unreadable

# What the field `message_type` says of such a message.
FORMAT: Final = "amtrio-1"
SALT_BYTES: Final = 32
KEY_BYTES: Final = 32
SIGNATURE_BYTES: Final = 64
SESSION_ID_BYTES: Final = 16
_VERSION: Final = 1
_TAG_BYTES: Final = 16
_FIXED_BYTES: Final = 2 + SESSION_ID_BYTES + SALT_BYTES
# Keys that follow, by the second byte: none, as the session goes on; those that begin it, without and with a one-time
# key.
_KEYS: Final = (0, 4, 5)
# Added to that byte: what is sealed is no bare text, but one with files.
_WITH_FILES: Final = 4
# A frame has 65,536 bytes. 64,000 of them are left for the ciphertext, in base64, beside ids and names; the longest
# header and the tag go with it.
MAX_TEXT_BYTES: Final = 48_000 - (_FIXED_BYTES + _KEYS[2] * KEY_BYTES) - _TAG_BYTES
_BASE64URL: Final = re.compile(r"[A-Za-z0-9_-]*")
_HEX: Final = re.compile(r"[0-9A-Fa-f]*")


@dataclass(frozen=True, slots=True)
class Identity:
    """The public halves that make somebody known. Attributes: identity: X25519. signing: Ed25519."""

    identity: bytes
    signing: bytes


@dataclass(frozen=True, slots=True)
class Opening:
    """
    What the one who is written to needs to begin the session.

    Attributes:
        prekey, one_time: of the one who is written to: its signed prekey, and a one-time key if there was one.
    """

    initiator: Identity
    ephemeral: bytes
    prekey: bytes
    one_time: bytes | None

    def packed(self) -> bytes:
        keys = (self.initiator.identity, self.initiator.signing, self.ephemeral, self.prekey, self.one_time or b"")
        return b"".join(keys)

    @classmethod
    def unpacked(cls, raw: bytes) -> Opening:
        keys = [raw[at : at + KEY_BYTES] for at in range(0, len(raw), KEY_BYTES)]
        return cls(Identity(keys[0], keys[1]), keys[2], keys[3], keys[4] if len(keys) == _KEYS[2] else None)


@dataclass(frozen=True, slots=True)
class Envelope:
    """
    Attributes:
        has_files: what is sealed is a `payload` of text and files, not a bare text.
        header: all that stands before the ciphertext; it is authenticated with it.
    """

    session_id: bytes
    salt: bytes
    opening: Opening | None
    has_files: bool
    header: bytes
    sealed: bytes


def header_of(session_id: bytes, salt: bytes, opening: Opening | None, *, has_files: bool = False) -> bytes:
    keys = b"" if opening is None else opening.packed()
    kind = _KEYS.index(len(keys) // KEY_BYTES) | (_WITH_FILES if has_files else 0)
    return bytes([_VERSION, kind]) + session_id + salt + keys


def written(header: bytes, sealed: bytes) -> str:
    """The field `ciphertext`."""
    return spelt(header + sealed)


def read(text: str) -> Envelope:
    """
    Raises:
        Unreadable: `newer`, of a version that this program does not know; `malformed`, no such message.
    """
    raw = _unspelt(text)
    if raw and raw[0] > _VERSION:
        raise Unreadable("newer")
    shortest: Literal[2] = 2
    if len(raw) < shortest or raw[0] != _VERSION or raw[1] & ~_WITH_FILES >= len(_KEYS):
        raise Unreadable("malformed")
    length = _FIXED_BYTES + _KEYS[raw[1] & ~_WITH_FILES] * KEY_BYTES
    if len(raw) < length + _TAG_BYTES:
        raise Unreadable("malformed")
    return Envelope(
        session_id=raw[2 : 2 + SESSION_ID_BYTES],
        salt=raw[2 + SESSION_ID_BYTES : _FIXED_BYTES],
        opening=Opening.unpacked(raw[_FIXED_BYTES:length]) if length > _FIXED_BYTES else None,
        has_files=bool(raw[1] & _WITH_FILES),
        header=raw[:length],
        sealed=raw[length:],
    )


def spelt(raw: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _unspelt(text: str) -> bytes:
    if not _BASE64URL.fullmatch(text) or len(text) % 4 == 1:
        raise Unreadable("malformed")
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def key_of(text: object, length: int = KEY_BYTES) -> bytes | None:
    """A key or signature as its owner spelt it: base64 or base64url, padded or not, or hexadecimal; None: neither."""
    if not isinstance(text, str):
        return None
    if len(text) == 2 * length and _HEX.fullmatch(text):
        return bytes.fromhex(text)
    bare = text.replace("+", "-").replace("/", "_").rstrip("=")
    try:
        raw = _unspelt(bare)
    except (Unreadable, binascii.Error):
        return None
    return raw if len(raw) == length else None


def prefixed(text: str) -> bytes:
    """A text behind its length (two bytes), so that two texts side by side mean one thing only."""
    raw = text.encode()
    return len(raw).to_bytes(2) + raw


def pieces(text: str) -> list[str]:
    """A text as texts that fit into one message each, cut behind a line if there is one; none of an empty text."""
    found = []
    while len(text.encode()) > MAX_TEXT_BYTES:
        # A code point that is cut in the middle goes into the next piece.
        head = text.encode()[:MAX_TEXT_BYTES].decode(errors="ignore")
        cut = head.rfind("\n") + 1 or len(head)
        found.append(text[:cut])
        text = text[cut:]
    return [*found, text] if text else found
