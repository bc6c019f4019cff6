"""A failure as an HTTP answer has one shape, whichever error it is."""

from __future__ import annotations

import json
from http import HTTPStatus

import pytest

from amtrio import errors
from amtrio.errors import AmtrioError, RateLimited, TooManyReplacements, Unauthorized
from amtrio.transports.answers import error_body, error_headers

EVERY_ERROR = [AmtrioError, *(each for each in vars(errors).values() if isinstance(each, type) and issubclass(
    each, AmtrioError) and each is not AmtrioError)]


@pytest.mark.parametrize("kind", EVERY_ERROR, ids=lambda kind: kind.__name__)
def test_every_error_has_the_shape(kind: type[AmtrioError]) -> None:
    """Text for people, word for machines, the status as older clients read it, and whether to try again."""
    body = error_body(kind("what went wrong"))
    assert json.loads(body) == {
        "error": "what went wrong",
        "code": kind.code,
        "status": HTTPStatus(kind.http).phrase,
        "retry": kind.retry,
    }
    assert body.endswith(b"}\n")
    assert error_headers(kind("what went wrong"))["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    ("milliseconds", "seconds"), [(0, "1"), (1, "1"), (999, "1"), (1000, "1"), (1001, "2"), (60_000, "60")]
)
def test_retry_after_is_never_too_soon(milliseconds: int, seconds: str) -> None:
    """Whole seconds, rounded up, at least one; the body has it in milliseconds."""
    error = RateLimited("slowly", retry_after_ms=milliseconds)
    assert error_headers(error)["Retry-After"] == seconds
    assert json.loads(error_body(error))["retry_after_ms"] == milliseconds
    assert "Retry-After" not in error_headers(RateLimited("slowly"))


def test_who_has_to_prove_himself_is_told_how() -> None:
    """RFC 9110, 11.6.1: every 401 names a scheme; nothing else does."""
    for kind in EVERY_ERROR:
        assert ("WWW-Authenticate" in error_headers(kind("x"))) == (kind.http == 401)
    assert error_headers(Unauthorized("x"))["WWW-Authenticate"] == "Bearer"


def test_texts_are_json_whatever_they_hold() -> None:
    """Quotes, controls and other scripts."""
    for text in ('"', "\n\0", "\N{PARTY POPPER}", "</script>"):
        assert json.loads(error_body(TooManyReplacements(text)))["error"] == text
