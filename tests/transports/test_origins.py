"""Whose web pages may call, by header alone."""

from __future__ import annotations

import pytest

from amtrio.errors import Forbidden
from amtrio.transports.origins import Origins

LISTED = Origins(("https://App.example",))
HOST = "chat.example:8080"


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("https://app.example", True),
        ("HTTPS://APP.EXAMPLE", True),
        ("http://app.example", False),
        ("http://chat.example:8080", True),
        ("https://Chat.Example:8080", True),
        ("http://chat.example", False),
        ("http://evil.example", False),
        ("http://chat.example:8080.evil.example", False),
        ("null", False),
        ("", False),
    ],
)
def test_ones_own_host_and_what_is_listed(origin: str, allowed: bool) -> None:  # noqa: FBT001 - a parameter
    """Compared whole, without regard to case; a proxy in front may have made https of our http."""
    assert LISTED.allows(origin, HOST) is allowed


def test_without_a_host_nothing_is_ones_own() -> None:
    """An opaque origin ("null") has no host either, and the two must not meet."""
    assert not Origins(()).allows("null", "")
    assert not Origins(()).allows("http://", "")


def is_refused(origins: Origins, method: str, origin: str | None, site: str | None = None) -> bool:
    try:
        origins.check_write(method, origin, site, HOST)
    except Forbidden:
        return True
    return False


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_foreign_page_writes_nothing(method: str) -> None:
    assert is_refused(LISTED, method, "http://evil.example")
    assert is_refused(LISTED, method, "null")
    assert is_refused(LISTED, method, None, "cross-site")
    assert is_refused(LISTED, method, None, "same-site")


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_programs_and_ones_own_pages_write(method: str) -> None:
    """Programs name no page; the address bar and extensions are `none`."""
    assert not is_refused(LISTED, method, None)
    assert not is_refused(LISTED, method, None, "same-origin")
    assert not is_refused(LISTED, method, None, "none")
    assert not is_refused(LISTED, method, "http://chat.example:8080", "same-origin")
    assert not is_refused(LISTED, method, "https://app.example", "cross-site")
    assert not is_refused(Origins(("*",)), method, "http://evil.example", "cross-site")


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_reading_is_never_refused_here(method: str) -> None:
    """Whether a page may see the answer is said by the answer's headers."""
    assert not is_refused(LISTED, method, "http://evil.example", "cross-site")


def test_an_answer_says_which_pages_may_read_it() -> None:
    """And to caches that others may not; without a page that may, nothing else is said."""
    assert dict(LISTED.headers("https://app.example", HOST))["Access-Control-Allow-Origin"] == "https://app.example"
    for origin in ("http://evil.example", "null", None):
        assert dict(LISTED.headers(origin, HOST)) == {"Vary": "Origin"}
    everybody = dict(Origins(("*",)).headers("http://evil.example", HOST))
    assert everybody["Access-Control-Allow-Origin"] == "*"
    assert "Vary" not in everybody
    assert "Access-Control-Allow-Credentials" not in everybody
