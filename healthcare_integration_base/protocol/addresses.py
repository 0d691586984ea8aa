# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Who is at the other end: the address behind trusted proxies, and networks it may be in."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from .netguard import Network, parse_networks

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# What one subscriber of an IPv6 network has, so what one attacker can choose from.
SUBSCRIBER_PREFIX = 64
MOST_HOPS = 20

__all__ = ["contains", "neighbourhood", "parse", "parse_networks", "real_address"]


def parse(text: str) -> Address | None:
    """Return an address, an IPv4 one if it is mapped into IPv6; None if it is none.

    A zone (``fe80::1%eth0``), brackets and an IPv4 port, as proxies add them, are cut off.
    """
    bare = text.strip().partition("%")[0]
    if bare.startswith("["):
        bare = bare[1:].partition("]")[0]
    elif bare.count(":") == 1:
        bare = bare.partition(":")[0]
    try:
        address = ipaddress.ip_address(bare)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def contains(networks: Sequence[Network], address: Address | None) -> bool:
    """Tell whether an address is in one of the networks; none is in no network.

    A network that is written as mapped IPv4 (``::ffff:10.0.0.0/104``) counts, too.
    """
    return address is not None and any(
        address in network or _as_mapped(address) in network for network in networks
    )


def _as_mapped(address: Address) -> Address:
    if address.version == 4:
        return ipaddress.IPv6Address(f"::ffff:{address}")
    return address


def neighbourhood(address: Address | None) -> str:
    """Return what limits count by: an IPv4 address, or the /64 of an IPv6 one."""
    if address is None:
        return "unknown"
    if address.version == 4:
        return str(address)
    return str(ipaddress.ip_network((address, SUBSCRIBER_PREFIX), strict=False))


def real_address(
    peer: str, forwarded_for: str, trusted: Sequence[Network]
) -> Address | None:
    """Return the address of the caller.

    ``X-Forwarded-For`` counts only from a trusted peer. It is read from its end, where
    the nearest proxy wrote, over further trusted proxies; what stands before that a
    caller can invent.

    :param peer: the other end of the TCP connection
    :param forwarded_for: the header, empty if there is none
    :param trusted: networks of our own proxies
    :return: None if the address cannot be read: it is in no network then
    """
    address = parse(peer)
    hops = forwarded_for.split(",")[-MOST_HOPS:] if forwarded_for else []
    while hops and contains(trusted, address):
        address = parse(hops.pop())
    return address
