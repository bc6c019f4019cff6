"""Where the server may be sent."""

from __future__ import annotations

import ipaddress

import pytest

from amtrio.destinations import MAX_URL_CHARS, as_address, check_endpoint, is_allowed
from amtrio.errors import Malformed

HOME = (ipaddress.ip_network("192.168.0.0/16"), ipaddress.ip_network("fd00::/8"))


@pytest.mark.parametrize(
    "address",
    """127.0.0.1 127.9.9.9 0.0.0.0 10.0.0.1 172.16.0.1 192.168.1.1 169.254.169.254 100.64.0.1 198.18.0.1 224.0.0.1
    255.255.255.255 240.0.0.1 ::1 :: fe80::1 fc00::1 fd00::1 ff02::1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 64:ff9b::7f00:1
    64:ff9b::a00:1 2002:7f00:1:: 2002:a00:1:: 2001:db8::1""".split(),
)
def test_neighbours_are_out_of_reach(address: str) -> None:
    """Also where an address of IPv6 means one of IPv4."""
    assert not is_allowed(ipaddress.ip_address(address), ())


@pytest.mark.parametrize("address", "8.8.8.8 2001:4860:4860::8888 64:ff9b::808:808".split())
def test_the_public_network_is_open(address: str) -> None:
    assert is_allowed(ipaddress.ip_address(address), ())


def test_what_the_operator_allows_is_open() -> None:
    for address, expected in (
        ("192.168.1.1", True), ("::ffff:192.168.1.1", True), ("fd00::5", True), ("10.0.0.1", False), ("::1", False),
        ("8.8.8.8", True),
    ):  # fmt: skip
        assert is_allowed(ipaddress.ip_address(address), HOME) is expected, address


def test_a_name_is_no_address() -> None:
    assert as_address("example.org") is None
    assert as_address("fe80::1%eth0") == ipaddress.ip_address("fe80::1")


@pytest.mark.parametrize(
    "url",
    [
        "https://fcm.googleapis.com/fcm/send/abc:def",
        "https://updates.push.services.mozilla.com/wpush/v2/gAAA",
        "https://push.example.org:8443/x?y=z",
        "http://192.168.1.5/push",
        "https://[fd00::5]/push",
    ],
)
def test_endpoints_of_push_services_are_taken(url: str) -> None:
    check_endpoint(url, HOME)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "push",
        "http://push.example.org/x",
        "http://8.8.8.8/x",
        "ftp://push.example.org/x",
        "file:///etc/passwd",
        "https:///x",
        "https://push.example.org:0/x",
        "https://push.example.org:99999/x",
        "https://user:word@push.example.org/x",
        "https://localhost/x",
        "https://a.localhost/x",
        "https://127.0.0.1/x",
        "https://[::1]/x",
        "https://[::1/x",
        "https://169.254.169.254/latest/meta-data",
        "https://push.example.org/a b",
        "https://push.example.org/a\r\nX: y",
        "https://püsh.example.org/x",
        "https://push.example.org/" + "x" * MAX_URL_CHARS,
    ],
)
def test_what_can_be_no_push_service_is_refused(url: str) -> None:
    with pytest.raises(Malformed, match="endpoint must"):
        check_endpoint(url, HOME)
