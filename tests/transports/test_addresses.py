"""Whose request it is: forwarded headers count from our own proxies only."""

from __future__ import annotations

import ipaddress
from pathlib import Path

import pytest

from amtrio.transports.addresses import client_address
from tests.harness import open_scene

TRUSTED = (ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("fd00::/8"))


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "expected"),
    [
        # Nobody in between: what a stranger writes counts for nothing.
        ("203.0.113.9", None, "203.0.113.9"),
        ("203.0.113.9", "", "203.0.113.9"),
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),
        # One of ours, and a chain of ours: the first from the right that is no proxy.
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "198.51.100.1, 10.0.0.2", "198.51.100.1"),
        ("10.0.0.1", "198.51.100.1,10.0.0.2,  10.0.0.3 ", "198.51.100.1"),
        # What the client itself put in front is never reached.
        ("10.0.0.1", "1.2.3.4, 198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "10.0.0.9, 198.51.100.1, 10.0.0.2", "198.51.100.1"),
        # Proxies only, or nothing: the farthest we know of.
        ("10.0.0.1", None, "10.0.0.1"),
        ("10.0.0.1", "10.0.0.7", "10.0.0.7"),
        ("10.0.0.1", "10.0.0.8, 10.0.0.7", "10.0.0.8"),
        # What is no address ends the walk at the last one that is.
        ("10.0.0.1", "unknown", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1, _hidden, 10.0.0.2", "10.0.0.2"),
        ("10.0.0.1", "198.51.100.1:4711", "10.0.0.1"),
        ("10.0.0.1", ",,", "10.0.0.1"),
        ("10.0.0.1", "x" * 10_000, "10.0.0.1"),
        # IPv6, and networks of both families side by side.
        ("fd00::1", "2001:db8::5", "2001:db8::5"),
        ("fd00::1", "2001:db8::5, 10.0.0.2", "2001:db8::5"),
        ("2001:db8::1", "198.51.100.1", "2001:db8::1"),
        # A peer without an address, as over a Unix socket.
        ("", "198.51.100.1", ""),
    ],
)
def test_the_client_behind_proxies(peer: str, forwarded_for: str | None, expected: str) -> None:
    """The list is read from the right, as far as our own proxies vouch for it."""
    assert client_address(peer, forwarded_for, TRUSTED) == expected


def test_without_trusted_proxies_the_header_is_nothing() -> None:
    """Also from the loopback."""
    assert client_address("127.0.0.1", "198.51.100.1", ()) == "127.0.0.1"


@pytest.mark.parametrize(("proxies", "expected"), [((), "127.0.0.1"), (("127.0.0.0/8",), "198.51.100.1")])
async def test_rest_and_sockets_agree(tmp_path: Path, proxies: tuple[str, ...], expected: str) -> None:
    """Several header lines are one list; REST notes the same address in the list of logins as the budget counts."""
    trusted = tuple(ipaddress.ip_network(each) for each in proxies)
    async with open_scene(tmp_path, server={"trusted_proxies": trusted}) as scene:
        forwarded = [("X-Forwarded-For", "1.2.3.4"), ("X-Forwarded-For", "198.51.100.1")]
        account = {"username": "alice", "password": "correct horse battery"}
        answer = await scene.http.post("/auth/register", json=account, headers=forwarded)
        bearer = {"Authorization": f"Bearer {answer.json()['token']}"}
        (session,) = (await scene.http.get("/auth/sessions", headers=bearer)).json()["sessions"]
        assert session["address"] == expected
