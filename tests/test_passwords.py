"""Passwords: slow to guess, whatever people type, and never too many at once."""

from __future__ import annotations

import bcrypt
import pytest
import trio

from amtrio import passwords as module
from amtrio.errors import Malformed, Overloaded
from amtrio.passwords import Passwords, check_strength, hash_now, is_outdated, verify_now


@pytest.mark.parametrize(
    "password", ["correct horse", "ä" * 8, "\U0001f600" * 8, "x" * 1024, "a\x00b-and-more", "\ud800" * 8]
)
def test_any_text_is_a_password(password: str) -> None:
    """Every byte counts, also after the 72nd and after a NUL; half a surrogate is no crash."""
    stored = hash_now(password)
    assert stored.startswith("$argon2id$")
    assert verify_now(stored, password)
    assert not verify_now(stored, password[:-1])
    assert not verify_now(stored, password + "x")
    assert hash_now(password) != stored, "salted"
    assert not is_outdated(stored)


def test_imported_hashes_still_work() -> None:
    """bcrypt's, of which a password above 72 bytes uses the first 72; the next sign-in should hash anew."""
    for password in ("secret-word", "x" * 100):
        stored = bcrypt.hashpw(password.encode()[:72], bcrypt.gensalt(4)).decode()
        assert verify_now(stored, password)
        assert not verify_now(stored, "another word")
        assert is_outdated(stored)


@pytest.mark.parametrize("stored", ["", "plain", "$argon2id$broken"])
def test_a_broken_hash_opens_nothing(stored: str) -> None:
    assert not verify_now(stored, "")
    assert not verify_now(stored, stored)


@pytest.mark.parametrize("password", ["", "1234567", "ä" * 7, "x" * 1025, "ä" * 513])
def test_strength_has_two_rules(password: str) -> None:
    """At least 8 characters, at most 1024 bytes."""
    with pytest.raises(Malformed, match="the password must have at"):
        check_strength(password)
    check_strength("12345678")


async def test_nobodys_password_is_never_right() -> None:
    """It is compared all the same, so that the answer takes as long."""
    passwords = Passwords()
    stored = await passwords.hash("correct horse")
    assert await passwords.verify(stored, "correct horse")
    assert not await passwords.verify(stored, "wrong horse")
    assert not await passwords.verify(None, "nobody has this password")


async def test_a_crowd_is_told_to_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rather than to wait for ever; who is in the queue is served."""
    monkeypatch.setattr(module, "MAX_WAITING", 3)
    passwords = Passwords()
    done: list[str] = []

    async def sign_in() -> None:
        try:
            await passwords.hash("correct horse")
        except Overloaded as refused:
            assert refused.retry_after_ms
            done.append("later")
        else:
            done.append("in")

    async with trio.open_nursery() as nursery:
        for _ in range(20):
            nursery.start_soon(sign_in)
    assert 4 <= done.count("in") < 20
    assert done.count("later") == 20 - done.count("in")
