"""Signatures of webhooks."""

from __future__ import annotations

import hashlib
import hmac
import time
from pathlib import Path
from typing import Any

import pytest

from amtrio.bridges.signature import sign, verify

BODY = b'{"message": "hello"}'
SIGNED = sign("secret", BODY, 1_795_348_800)


def test_it_is_what_the_documentation_says() -> None:
    """
    HMAC-SHA256 over the time, a dot and the body, in hex.
    """
    digest = hmac.new(b"secret", b"1795348800." + BODY, hashlib.sha256).hexdigest()
    assert f"t=1795348800,v1={digest}" == SIGNED


def test_what_was_signed_is_accepted() -> None:
    """
    Within five minutes, and beside another signature while a secret is changed.
    """
    assert verify("secret", BODY, SIGNED, 1_795_348_800)
    assert verify("secret", BODY, SIGNED, 1_795_348_800 + 300)
    assert verify("secret", BODY, f"{SIGNED}, v1=abc", 1_795_348_800)


@pytest.mark.parametrize(
    ("secret", "body", "header", "later_s"),
    [
        ("other", BODY, SIGNED, 0),
        ("secret", BODY + b" ", SIGNED, 0),
        ("secret", BODY, SIGNED, 301),
        ("secret", BODY, SIGNED, -301),
        ("secret", BODY, SIGNED.replace("t=1795348800", "t=1795348801"), 0),
        ("secret", BODY, "", 0),
        ("secret", BODY, SIGNED.partition(",")[0], 0),
        ("secret", BODY, SIGNED.partition(",")[2], 0),
        ("secret", BODY, SIGNED.replace("t=", "t=x"), 0),
        ("secret", BODY, SIGNED.replace("t=1795348800", "t=\u0661"), 0),
        ("secret", BODY, SIGNED + ",t=1795348800", 0),
        ("secret", BODY, SIGNED.partition(",")[0] + ",v1=é", 0),
    ],
)
def test_anything_else_is_refused(secret: str, body: bytes, header: str, later_s: int) -> None:
    """
    Another secret, body or time, a recording, and what is no signature.
    """
    assert not verify(secret, body, header, 1_795_348_800 + later_s)


def test_the_documentation_tells_the_truth() -> None:
    """
    Its few lines accept what is signed now and refuse what is not.
    """
    page = (Path(__file__).parents[2] / "docs" / "bridges.md").read_text()
    known: dict[str, Any] = {}
    exec(page.partition("```python\n")[2].partition("```")[0], known)
    signed = sign("secret", BODY, int(time.time()))
    assert known["is_genuine"]("secret", BODY, signed)
    assert not known["is_genuine"]("other", BODY, signed)
    assert not known["is_genuine"]("secret", BODY, SIGNED.replace("t=17", "t=07"))
