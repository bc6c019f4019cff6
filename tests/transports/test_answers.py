"""A failure as an HTTP answer."""

from __future__ import annotations

import json

import pytest

from amtrio.errors import NotFound, RateLimited, Unauthorized
from amtrio.transports.answers import error_body, error_headers


def test_the_one_shape_of_errors() -> None:
    """Text for people, a word for machines, the reason phrase that older clients read, and when to try again."""
    assert json.loads(error_body(NotFound("no such thing"))) == {
        "error": "no such thing", "code": "not_found", "status": "Not Found", "retry": "no",
    }  # fmt: skip
    assert error_body(NotFound("x")).endswith(b"\n")
    assert json.loads(error_body(RateLimited("x", retry_after_ms=1500)))["retry_after_ms"] == 1500


@pytest.mark.parametrize(("milliseconds", "seconds"), [(1, "1"), (1000, "1"), (1001, "2"), (60_000, "60"), (0, "1")])
def test_when_to_come_back_is_rounded_up(milliseconds: int, seconds: str) -> None:
    """Whoever comes back at the second that is named finds the door open."""
    assert error_headers(RateLimited("x", retry_after_ms=milliseconds))["Retry-After"] == seconds


def test_who_did_not_prove_himself_is_told_how() -> None:
    assert error_headers(Unauthorized("x"))["WWW-Authenticate"] == "Bearer"
    assert "WWW-Authenticate" not in error_headers(NotFound("x"))
    assert "Retry-After" not in error_headers(NotFound("x"))


def test_what_an_error_brings_along_goes_with_it() -> None:
    assert error_headers(Unauthorized("x", headers={"Set-Cookie": "a="}))["Set-Cookie"] == "a="
