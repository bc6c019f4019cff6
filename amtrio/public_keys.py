"""Public keys as text, and the signatures on them: what can be checked without a secret.

Knows Curve25519 and how clients spell bytes; knows no account and no table. It proves to an owner that an upload is
whole. It proves nothing to others, who have to check again: a server that lies would lie about this too.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from typing import NamedTuple

from amtrio.errors import Malformed

KEY_BYTES = 32
SIGNATURE_BYTES = 64
# The field of Curve25519 (RFC 7748, 4.1).
_P = 2**255 - 19
# The coordinates whose every multiple is one of eight points.
_LOW_ORDER = {
    0,
    1,
    _P - 1,
    325606250916557431795983626356110631294008115727848805560023387167927233504,
    39382357235489614581723060781553021112529911719440698176882885853963445705823,
}
# The same eight points where signatures are checked; with one of them as its key, a signature of zeros is good.
_Y8 = int.from_bytes(bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little")
_LOW_ORDER_SIGNERS = {0, 1, _P - 1, _Y8, _P - _Y8}
_HEX = re.compile(r"[0-9a-fA-F]*")
_URL_SAFE = str.maketrans("-_", "+/")
# A prekey as Signal's libraries write it: this byte, then the key.
_SIGNAL_TYPE = b"\x05"
_CONTEXT = b"spk1"


class Signed(NamedTuple):
    """
    How a signature was found to be good.

    Attributes:
        scheme: `ed25519`, or `xeddsa`: made with an X25519 key.
        over: what it covers: the `prekey`; the `typed_prekey`, 0x05 and the prekey; or `context`, the text `spk1`,
            the identity key and the prekey.
    """

    scheme: str
    over: str


def key_bytes(text: str, what: str) -> bytes:
    """
    A public key of 32 bytes.

    Args:
        text: base64, base64url (padded or not) or hexadecimal.
        what: names it in errors.

    Raises:
        Malformed: none of these, or another length.
    """
    return _bytes(text, KEY_BYTES, what)


def agreement_key_bytes(text: str, what: str) -> bytes:
    """
    A public key that others will agree on a secret with (X25519).

    Raises:
        Malformed: as above, or a point with which the secret would be known to everybody (RFC 7748, 6.1).
    """
    raw = key_bytes(text, what)
    if _coordinate(raw) % _P in _LOW_ORDER:
        text = f"{what} must be an X25519 public key; this point is of low order"
        raise Malformed(text)
    return raw


def signing_key_bytes(text: str, what: str) -> bytes:
    """
    A public key that signs (Ed25519).

    Raises:
        Malformed: as above, or a point for which everybody can sign.
    """
    raw = key_bytes(text, what)
    if _coordinate(raw) % _P in _LOW_ORDER_SIGNERS:
        text = f"{what} must be an Ed25519 public key; this point is of low order"
        raise Malformed(text)
    return raw


def check_signature(prekey: bytes, signature: str, *, identity: bytes, signing_key: bytes | None) -> Signed:
    """
    Find out how the owner of an identity signed a prekey.

    Args:
        signature: 64 bytes, spelt like a key.
        signing_key: an Ed25519 key that signs for the identity; without it the identity signs for itself.

    Raises:
        Malformed: not a signature, or not a good one in any way known here.
    """
    raw = _bytes(signature, SIGNATURE_BYTES, "signature")
    contents = {
        "prekey": prekey,
        "typed_prekey": _SIGNAL_TYPE + prekey,
        "context": _CONTEXT + identity + prekey,
    }
    for scheme, key, bare in _signers(raw, identity, signing_key):
        for over, content in contents.items():
            if _is_good(key, bare, content):
                return Signed(scheme, over)
    text = "bad signature: a signed prekey must be signed by the identity key, or by its signing_key"
    raise Malformed(text)


def _signers(signature: bytes, identity: bytes, signing_key: bytes | None) -> Iterator[tuple[str, bytes, bytes]]:
    """The Ed25519 keys that may have made it, and what is left to check of it."""
    if signing_key is not None:
        yield "ed25519", signing_key, signature
        return
    yield "ed25519", identity, signature
    edwards = _edwards(identity)
    if edwards is not None:
        # XEdDSA fixes the sign of the point at 0; Signal's older libraries carry it in the signature's spare bit.
        sign = signature[-1] & 0x80
        key = edwards[:-1] + bytes([edwards[-1] | sign])
        yield "xeddsa", key, signature[:-1] + bytes([signature[-1] & 0x7F])


def _edwards(montgomery: bytes) -> bytes | None:
    """The same point on the curve that signs: y = (u - 1) / (u + 1) (XEdDSA, 2.3)."""
    u = _coordinate(montgomery)
    if u >= _P or u == _P - 1:
        return None
    return ((u - 1) * pow(u + 1, -1, _P) % _P).to_bytes(KEY_BYTES, "little")


def _coordinate(raw: bytes) -> int:
    """Curve25519 ignores the highest bit."""
    return int.from_bytes(raw, "little") & (2**255 - 1)


def _is_good(key: bytes, signature: bytes, content: bytes) -> bool:
    # Loading this costs a start a tenth of its time, and most servers may never need it.
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415

    if _coordinate(key) % _P in _LOW_ORDER_SIGNERS:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, content)
    except (InvalidSignature, ValueError):
        return False
    return True


def _bytes(text: str, length: int, what: str) -> bytes:
    raw = _decoded(text, length)
    if raw is None or len(raw) != length:
        rule = f"{what} must be {length} bytes in base64, base64url or hexadecimal"
        raise Malformed(rule)
    return raw


def _decoded(text: str, length: int) -> bytes | None:
    if len(text) == 2 * length:
        return bytes.fromhex(text) if _HEX.fullmatch(text) else None
    bare = text.translate(_URL_SAFE).rstrip("=")
    try:
        return base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None
