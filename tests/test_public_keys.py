"""Keys as text, and who signed what."""

from __future__ import annotations

import base64
import hashlib
from contextlib import suppress

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from amtrio.errors import Malformed
from amtrio.public_keys import (
    _LOW_ORDER,
    _LOW_ORDER_SIGNERS,
    Signed,
    agreement_key_bytes,
    check_signature,
    key_bytes,
    signing_key_bytes,
)

RAW = bytes(range(200, 232))
PREKEY = X25519PrivateKey.generate().public_key().public_bytes_raw()


def text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


@pytest.mark.parametrize(
    "spelling",
    [
        text(RAW),
        text(RAW).rstrip("="),
        base64.urlsafe_b64encode(RAW).decode(),
        base64.urlsafe_b64encode(RAW).decode().rstrip("="),
        RAW.hex(),
        RAW.hex().upper(),
    ],
)
def test_a_key_may_be_spelt_in_any_usual_way(spelling: str) -> None:
    """base64 or base64url, padded or not, or hexadecimal."""
    assert key_bytes(spelling, "public_key") == RAW


@pytest.mark.parametrize(
    "spelling",
    [
        "",
        "key",
        text(RAW[:31]),
        text(RAW + b"x"),
        RAW.hex()[:-1],
        RAW.hex()[:-1] + "g",
        text(RAW)[:-2] + "!=",
        " " + text(RAW)[1:],
        "ä" * 32,
        "{}",
    ],
)
def test_what_is_no_key_is_refused_by_its_name(spelling: str) -> None:
    with pytest.raises(Malformed, match=r"signing_key must be 32 bytes in base64, base64url or hexadecimal"):
        key_bytes(spelling, "signing_key")


def test_a_secret_that_everybody_knows_is_none() -> None:
    """The points of low order, in either spelling of a coordinate; the library agrees on each."""
    mine = X25519PrivateKey.generate()
    assert len(_LOW_ORDER) == 5
    for coordinate in _LOW_ORDER:
        for spelling in (coordinate, coordinate | 1 << 255):
            raw = spelling.to_bytes(32, "little")
            with pytest.raises(ValueError, match="shared key"):
                mine.exchange(X25519PublicKey.from_public_bytes(raw))
            with pytest.raises(Malformed, match="low order"):
                agreement_key_bytes(raw.hex(), "public_key")
    assert agreement_key_bytes(PREKEY.hex(), "public_key") == PREKEY


def signed_by_curve(seed: bytes, content: bytes) -> tuple[bytes, bytes, int]:
    """An X25519 identity, a signature made with its private key as Signal does it, and the sign of its point."""
    edwards = Ed25519PrivateKey.from_private_bytes(seed)
    identity = X25519PrivateKey.from_private_bytes(hashlib.sha512(seed).digest()[:32]).public_key().public_bytes_raw()
    sign = edwards.public_key().public_bytes_raw()[-1] & 0x80
    signature = edwards.sign(content)
    return identity, signature[:-1] + bytes([signature[-1] | sign]), sign


def test_an_identity_for_agreement_signs_too() -> None:
    """XEdDSA, and the older form that carries the sign in the signature's last bit: both occur among these."""
    signs = set()
    for number in range(8):
        identity, signature, sign = signed_by_curve(bytes([number] * 32), b"\x05" + PREKEY)
        signs.add(sign)
        found = check_signature(PREKEY, text(signature), identity=identity, signing_key=None)
        assert found == Signed("xeddsa", "typed_prekey")
    assert signs == {0, 0x80}


def test_what_was_signed_is_found_out() -> None:
    """The prekey alone, with its type as in Signal, or together with the identity."""
    signer = Ed25519PrivateKey.generate()
    own, other = signer.public_key().public_bytes_raw(), X25519PrivateKey.generate().public_key().public_bytes_raw()
    for over, prefix in (("prekey", b""), ("typed_prekey", b"\x05"), ("context", b"spk1" + own)):
        signature = signer.sign(prefix + PREKEY)
        assert check_signature(PREKEY, signature.hex(), identity=own, signing_key=None) == Signed("ed25519", over)
    signature = signer.sign(b"spk1" + other + PREKEY)
    assert check_signature(PREKEY, text(signature), identity=other, signing_key=own) == Signed("ed25519", "context")


def test_no_other_signature_is_good() -> None:
    """Not of another key, of another content, bent in one bit, or of the identity where a signing key stands for it."""
    signer, other = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    identity = signer.public_key().public_bytes_raw()
    good = signer.sign(PREKEY)
    bad = [
        other.sign(PREKEY),
        signer.sign(PREKEY[::-1]),
        signer.sign(b"spk1" + PREKEY),
        bytes([good[0] ^ 1]) + good[1:],
        good[:-1] + bytes([good[-1] ^ 0x80]),
        bytes(64),
    ]
    for signature in bad:
        with pytest.raises(Malformed, match="bad signature"):
            check_signature(PREKEY, text(signature), identity=identity, signing_key=None)
    with pytest.raises(Malformed, match="bad signature"):
        check_signature(PREKEY, text(good), identity=identity, signing_key=other.public_key().public_bytes_raw())
    for garbage in ("", "sig", text(good[:63])):
        with pytest.raises(Malformed, match="signature must be 64 bytes"):
            check_signature(PREKEY, garbage, identity=identity, signing_key=None)


def test_nobody_signs_for_a_point_that_everybody_can_sign_for() -> None:
    """With a key of low order a signature of zeros is good for the library, whatever it covers; here it is not."""
    assert len(_LOW_ORDER_SIGNERS) == 5
    forged = bytes(64)
    good_for_the_library = 0
    for coordinate in _LOW_ORDER_SIGNERS | _LOW_ORDER | {2**255 - 1, 2**255 - 19}:
        raw = coordinate.to_bytes(32, "little")
        for signing_key in (None, raw):
            with pytest.raises(Malformed, match="bad signature"):
                check_signature(PREKEY, forged.hex(), identity=raw, signing_key=signing_key)
        if coordinate in _LOW_ORDER_SIGNERS:
            with pytest.raises(Malformed, match="low order"):
                signing_key_bytes(raw.hex(), "signing_key")
            for number in range(64):
                with suppress(InvalidSignature, ValueError):
                    Ed25519PublicKey.from_public_bytes(raw).verify(raw + bytes(32), bytes([number]))
                    good_for_the_library += 1
    assert good_for_the_library > 0
    own = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    assert signing_key_bytes(own.hex(), "signing_key") == own
