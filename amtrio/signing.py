"""Keys with which the server proves to other services who it is: VAPID, Apple, Google.

Sans I/O. Knows key formats and signatures (JWS); knows no service and no claim of any.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_private_key,
    load_pem_private_key,
)

_SCALAR_BYTES: Final = 32
_PEM_MARK: Final = "-----BEGIN"
# Order of the group of P-256 (FIPS 186-5): a private key is a number from 1 to one less.
_P256_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


class BadKey(ValueError):
    """It is no such key; the text says what was expected and repeats nothing of it."""


def base64url(data: bytes) -> str:
    """Without padding, as everything of Web Push has it."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def from_base64url(text: str) -> bytes:
    """
    With padding or without; the two characters of plain base64 are understood too.

    Raises:
        ValueError: it is neither.
    """
    plain = text.replace("+", "-").replace("/", "_").rstrip("=")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), altchars=b"-_", validate=True)
    except binascii.Error as exc:
        raise ValueError("not base64url") from exc


def p256_key(text: str) -> ec.EllipticCurvePrivateKey:
    """
    A private key for ES256: PEM, or base64url of its 32 bytes or of its DER form.

    Raises:
        BadKey: neither, or of another curve.
    """
    rule = "must be a private key on P-256: PEM, or base64url of its 32 bytes"
    try:
        if _PEM_MARK in text:
            # In an environment file line feeds are often written out.
            key: object = load_pem_private_key(text.replace("\\n", "\n").encode(), password=None)
        else:
            data = from_base64url(text.strip())
            if len(data) == _SCALAR_BYTES:
                # Ours are 256 random bits; one in four thousand million is above the order and folded back.
                number = (int.from_bytes(data) - 1) % (_P256_ORDER - 1) + 1
                return ec.derive_private_key(number, ec.SECP256R1())
            key = load_der_private_key(data, password=None)
    except (ValueError, TypeError) as exc:
        raise BadKey(rule) from exc
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise BadKey(rule)
    return key


def rsa_key(text: str) -> rsa.RSAPrivateKey:
    """
    A private key for RS256, in PEM.

    Raises:
        BadKey: it is none.
    """
    rule = "must be a private RSA key (PEM)"
    try:
        key = load_pem_private_key(text.encode(), password=None)
    except (ValueError, TypeError) as exc:
        raise BadKey(rule) from exc
    if not isinstance(key, rsa.RSAPrivateKey):
        raise BadKey(rule)
    return key


def public_point(key: ec.EllipticCurvePrivateKey) -> bytes:
    """The public half as an uncompressed point, 65 bytes."""
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def signed(claims: Mapping[str, Any], key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, *, key_id: str = "") -> str:
    """A signed JWT: ES256 or RS256, as the key has it."""
    algorithm = "RS256" if isinstance(key, rsa.RSAPrivateKey) else "ES256"
    return jwt.encode(dict(claims), key, algorithm=algorithm, headers={"kid": key_id} if key_id else None)
