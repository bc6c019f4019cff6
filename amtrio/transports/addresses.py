"""Whose request is this and what does it call us, when proxies stand in between.

Forwarded headers count only from configured proxies; anybody else could write anything into them.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Sequence

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


# A host and a port: what else a header may say there has no place in a link.
_HOST = re.compile(r"[A-Za-z0-9._~-]{1,253}(:\d{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:\d{1,5})?")


def own_origin(
    scheme: str, host: str, header: Callable[[str], str | None], *, peer: str, trusted: Sequence[Network]
) -> str:
    """
    What the client calls this server: `https://chat.example.org`; empty if it named no proper host.

    Args:
        scheme, host: of the request as it came in here.
        header: finds one by name; `X-Forwarded-Proto` and `X-Forwarded-Host` count only if `peer` is a proxy of ours.
    """
    if _is_in(peer, trusted):
        forwarded = (header("X-Forwarded-Proto") or "").strip().lower()
        scheme = forwarded if forwarded in {"http", "https"} else scheme
        host = (header("X-Forwarded-Host") or "").strip() or host
    return f"{scheme}://{host}" if _HOST.fullmatch(host) else ""


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
