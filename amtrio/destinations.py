"""Which places out in the network the server may be sent to by people: endpoints of push services.

Whoever registers an endpoint makes the server speak to it, so it must not lead to the server itself or to its
neighbours. Sans I/O: knows URLs and addresses, resolves nothing.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

from amtrio.errors import Malformed

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# Those of the large services have 200 to 700 characters.
MAX_URL_CHARS: Final = 2048
# Addresses of IPv6 that are an IPv4 address to whoever routes them: RFC 6052 (NAT64) and RFC 3056 (6to4).
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")


def is_allowed(address: Address, private: Sequence[Network]) -> bool:
    """
    Whether the server may be sent to this address: a public one, or one of the networks that the operator allows.
    """
    for each in (address, *_inside(address)):
        if any(each.version == network.version and each in network for network in private):
            return True
    return all(each.is_global and not each.is_multicast for each in (address, *_inside(address)))


def _inside(address: Address) -> tuple[Address, ...]:
    """The IPv4 address that is wrapped in one of IPv6, if any."""
    if address.version == 4:  # noqa: PLR2004 - the name of the protocol
        return ()
    wrapped = [address.ipv4_mapped, address.sixtofour]
    if address in _NAT64:
        wrapped.append(ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF))
    if address.teredo is not None:
        wrapped.extend(address.teredo)
    return tuple(each for each in wrapped if each is not None)


def as_address(host: str) -> Address | None:
    """The address that a host name is, None if it is a name."""
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None


def check_endpoint(url: str, private: Sequence[Network]) -> None:
    """
    Refuse what can be no push service's endpoint; what its name leads to is checked when it is spoken to.

    Plain HTTP is for a service of one's own, named by its address in a network that the operator allows.

    Raises:
        Malformed: the text says why.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as exc:
        raise Malformed("endpoint must be the URL of a push service") from exc
    is_text = url.isascii() and url.isprintable() and " " not in url
    if len(url) > MAX_URL_CHARS or not is_text or not host or port == 0 or parts.username is not None:
        raise Malformed("endpoint must be the URL of a push service")
    address = as_address(host)
    is_own = address is not None and any(
        address.version == network.version and address in network for network in private
    )
    if parts.scheme != "https" and not (parts.scheme == "http" and is_own):
        raise Malformed("endpoint must begin with https://")
    if host == "localhost" or host.endswith(".localhost") or (address is not None and not is_allowed(address, private)):
        raise Malformed("endpoint must not be an address of a private network")
