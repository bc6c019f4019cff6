"""Passwords: hashed slowly, in threads of their own, and never more of them at once than the machine can bear.

Knows nothing of accounts.
"""

from __future__ import annotations

import os
from functools import partial

import argon2
import bcrypt
import trio

from amtrio.errors import Malformed, Overloaded

# OWASP's first choice for argon2id: 19 MiB, two passes, one lane; 20 ms on a small server's core.
_HASHER = argon2.PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
# NIST SP 800-63B, 5.1.1.2: at least 8; the upper bound only keeps hashing cheap.
MIN_CHARS = 8
MAX_BYTES = 1024
# 50 waiting at 20 ms each are a second; who comes later is better told to come back.
MAX_WAITING = 50
_BCRYPT_MAX_BYTES = 72


def check_strength(password: str, /) -> None:
    """
    Refuse what is too short or too long.

    Raises:
        Malformed: says which rule.
    """
    if len(password) < MIN_CHARS:
        text = f"the password must have at least {MIN_CHARS} characters"
        raise Malformed(text)
    if len(password.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        text = f"the password must have at most {MAX_BYTES} bytes"
        raise Malformed(text)


def hash_now(password: str, /) -> str:
    """Hash on this thread (20 ms): for the command line."""
    return _HASHER.hash(password.encode("utf-8", "surrogatepass"))


def verify_now(stored: str, password: str, /) -> bool:
    """Compare on this thread (20 ms)."""
    raw = password.encode("utf-8", "surrogatepass")
    if len(raw) > MAX_BYTES:
        return False
    if stored.startswith("$2"):
        # COMPAT: hashes of imported databases. bcrypt reads no more than 72 bytes, and newer versions refuse more.
        return bcrypt.checkpw(raw[:_BCRYPT_MAX_BYTES], stored.encode())
    try:
        return _HASHER.verify(stored, raw)
    except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
        return False


def is_outdated(stored: str, /) -> bool:
    """True if the next good login should hash anew."""
    return stored.startswith("$2") or _HASHER.check_needs_rehash(stored)


class Passwords:
    """Hashing for a server: one core fewer than there are, and a waiting room with a door."""

    def __init__(self) -> None:
        self._limiter = trio.CapacityLimiter(max(1, (os.cpu_count() or 1) - 1))
        # Compared against when there is no such user, so that the answer takes as long.
        self._nobody = hash_now("nobody has this password")

    async def hash(self, password: str, /) -> str:
        """
        Hash in a thread.

        Raises:
            Overloaded: too many are waiting.
        """
        self._enter()
        return await trio.to_thread.run_sync(hash_now, password, limiter=self._limiter)

    async def verify(self, stored: str | None, password: str, /) -> bool:
        """Compare in a thread; `None` takes as long and is False."""
        self._enter()
        is_same = await trio.to_thread.run_sync(
            partial(verify_now, stored or self._nobody, password), limiter=self._limiter
        )
        return is_same and stored is not None

    def _enter(self) -> None:
        if self._limiter.statistics().tasks_waiting >= MAX_WAITING:
            text = "too many people are signing in at this moment"
            raise Overloaded(text, retry_after_ms=2000)
