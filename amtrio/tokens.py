"""Access tokens: JWTs that older clients and servers understand; and links that are good by themselves for a while.

Sans I/O. Knows claims and signatures; whether a session still lives is not known here.
"""

from __future__ import annotations

import hashlib
import hmac
import math
from dataclasses import dataclass

import jwt

from amtrio.clock import MICROS_PER_SECOND
from amtrio.errors import Unauthorized

# COMPAT: the issuer that the older server writes; tokens move between the two when they share a secret.
ISSUER = "agent-messenger"
ALGORITHM = "HS256"
# A token of ours has about 300 characters; a longer text is not worth a signature check.
MAX_TOKEN_CHARS = 4096


@dataclass(frozen=True, slots=True)
class Claims:
    """
    What a token says.

    Attributes:
        session: id of the login session, empty in tokens signed elsewhere.
        expires_us: microseconds since 1970 UTC.
    """

    user_id: str
    username: str
    session: str
    expires_us: int


def sign(secret: str, claims: Claims, *, at_us: int) -> str:
    """A signed HS256 token (RFC 7519); times are whole seconds."""
    return jwt.encode(
        {
            "user_id": claims.user_id,
            "username": claims.username,
            "iss": ISSUER,
            "iat": at_us // MICROS_PER_SECOND,
            "exp": claims.expires_us // MICROS_PER_SECOND,
            "sid": claims.session,
        },
        secret,
        algorithm=ALGORITHM,
    )


def verify(secret: str, token: str, *, at_us: int) -> Claims:
    """
    Check signature, issuer and expiry.

    Raises:
        Unauthorized: malformed, signed by another, or expired; the text names which.
    """
    if len(token) > MAX_TOKEN_CHARS:
        text = "the token is malformed"
        raise Unauthorized(text)
    try:
        # Expiry is checked below, against our own clock.
        raw = jwt.decode(
            token,
            secret,
            algorithms=[ALGORITHM],
            issuer=ISSUER,
            options={"require": ["exp", "iss"], "verify_exp": False, "verify_iat": False, "verify_nbf": False},
        )
    except jwt.InvalidSignatureError as exc:
        text = "the token's signature is invalid"
        raise Unauthorized(text) from exc
    except (jwt.InvalidTokenError, UnicodeError, OverflowError) as exc:
        text = "the token is malformed"
        raise Unauthorized(text) from exc
    user_id, username, session, exp = raw.get("user_id"), raw.get("username"), raw.get("sid", ""), raw["exp"]
    is_time = isinstance(exp, int | float) and math.isfinite(exp)
    if not (isinstance(user_id, str) and user_id and isinstance(session, str) and is_time):
        text = "the token is malformed"
        raise Unauthorized(text)
    expires_us = int(exp * MICROS_PER_SECOND)
    if expires_us <= at_us:
        text = "the token is expired"
        raise Unauthorized(text)
    return Claims(user_id, username if isinstance(username, str) else "", session, expires_us)


def fingerprint(secret: str, /) -> str:
    """SHA-256 in hexadecimal. For secrets of 256 random bits, which need no slow hash."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def same(one: str, other: str, /) -> bool:
    """Compare two secrets in constant time."""
    return hmac.compare_digest(one.encode("utf-8", "surrogatepass"), other.encode("utf-8", "surrogatepass"))


def link_signature(secret: str, path: str, expires_s: int) -> str:
    """
    What makes a link to `path` good without any other proof until `expires_s`, seconds since 1970 UTC.

    The key is derived, so that no signature of a link can ever pass for that of a token.
    """
    key = hmac.digest(secret.encode(), b"amtrio: links to files, 1", "sha256")
    return hmac.digest(key, f"{expires_s}\n{path}".encode(), "sha256").hex()
