"""Whose request is this, when proxies stand in between."""

from __future__ import annotations

import ipaddress

import pytest

from amtrio.transports.addresses import client_address, own_origin

OURS = [ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("::1/128")]


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("1.2.3.4", None, "1.2.3.4"),
        ("1.2.3.4", "9.9.9.9", "1.2.3.4"),
        ("10.0.0.1", "9.9.9.9", "9.9.9.9"),
        ("10.0.0.1", "6.6.6.6, 9.9.9.9", "9.9.9.9"),
        ("10.0.0.1", "9.9.9.9, 10.0.0.2", "9.9.9.9"),
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", None, "10.0.0.1"),
        ("10.0.0.1", "nonsense", "10.0.0.1"),
        ("10.0.0.1", "9.9.9.9, nonsense, 10.0.0.2", "10.0.0.2"),
        ("::1", "2001:db8::1", "2001:db8::1"),
        ("not an address", "9.9.9.9", "not an address"),
    ],
)
def test_forwarded_headers_count_only_from_our_proxies(peer: str, forwarded: str | None, expected: str) -> None:
    """Read from the right: the first address that is no proxy of ours is the client, whatever it claims before that."""
    assert client_address(peer, forwarded, OURS) == expected


def test_without_proxies_nobodys_word_counts() -> None:
    assert client_address("10.0.0.1", "9.9.9.9", []) == "10.0.0.1"


@pytest.mark.parametrize(
    ("peer", "host", "headers", "expected"),
    [
        ("1.2.3.4", "chat.example:8080", {}, "http://chat.example:8080"),
        ("1.2.3.4", "chat.example", {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil"}, "http://chat.example"),
        ("10.0.0.1", "inner:8080", {"X-Forwarded-Proto": "https"}, "https://inner:8080"),
        (
            "10.0.0.1",
            "inner",
            {"X-Forwarded-Proto": "HTTPS", "X-Forwarded-Host": "chat.example"},
            "https://chat.example",
        ),
        ("10.0.0.1", "inner", {"X-Forwarded-Proto": "javascript"}, "http://inner"),
        ("1.2.3.4", "[::1]:8080", {}, "http://[::1]:8080"),
        ("1.2.3.4", "evil.example/path?", {}, ""),
        ("1.2.3.4", "a b", {}, ""),
        ("1.2.3.4", "", {}, ""),
    ],
)
def test_links_name_the_server_as_the_client_does(peer: str, host: str, headers: dict[str, str], expected: str) -> None:
    """A proxy of ours may say how it was called; whatever is no host makes no link."""
    assert own_origin("http", host, headers.get, peer=peer, trusted=OURS) == expected
