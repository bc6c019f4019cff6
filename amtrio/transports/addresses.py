"""Whose request is this, when proxies stand in between.

Forwarded headers count only from configured proxies; anybody else could write anything into them.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def client_address(peer: str, forwarded_for: str | None, trusted: Sequence[Network]) -> str:
    """
    The address that budgets are counted by.

    Args:
        peer: the other end of the connection.
        forwarded_for: value of `X-Forwarded-For`; each proxy appends whom it heard from, so the list is read from the
            right, and the first address that is no proxy of ours is the client.
        trusted: networks of our own proxies.
    """
    address = peer
    for hop in reversed((forwarded_for or "").split(",")):
        if not _is_in(address, trusted):
            return address
        candidate = hop.strip()
        if not _is_address(candidate):
            return address
        address = candidate
    return address


def _is_in(address: str, networks: Sequence[Network]) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(parsed in network for network in networks)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
