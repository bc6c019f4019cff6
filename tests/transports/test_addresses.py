"""Whose request is this, when proxies stand in between."""

from __future__ import annotations

import ipaddress

import pytest

from amtrio.transports.addresses import client_address

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
