# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The network guard: which addresses a message may be sent to.

The list of networks is explicit, because ``ipaddress.is_global`` calls NAT64
and 6to4 forms of private addresses global, and differs between Python versions
(IANA special-purpose registries, RFC 6890).
"""

from __future__ import annotations

import contextlib
import ipaddress
import re
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit

import idna

from . import resolver
from .errors import Refused

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
AddrInfo = tuple[Any, Any, int, str, tuple[Any, ...]]

SETTING_NETWORKS = "allowed_networks"
RESOLVE_TIMEOUT = 5.0
MAX_URL = 2_000

# (network, rule); the first match names the reason.
_TABLE = (
    # cloud metadata services: never needed, always dangerous
    ("169.254.169.254/32", "metadata"),
    ("169.254.170.2/32", "metadata"),
    ("100.100.100.200/32", "metadata"),
    ("168.63.129.16/32", "metadata"),
    ("192.0.0.192/32", "metadata"),
    ("fd00:ec2::254/128", "metadata"),
    ("fd20:ce::254/128", "metadata"),
    ("0.0.0.0/8", "unspecified"),
    ("::/128", "unspecified"),
    ("255.255.255.255/32", "broadcast"),
    ("224.0.0.0/4", "multicast"),
    ("ff00::/8", "multicast"),
    ("127.0.0.0/8", "loopback"),
    ("::1/128", "loopback"),
    ("10.0.0.0/8", "private_network"),
    ("172.16.0.0/12", "private_network"),
    ("192.168.0.0/16", "private_network"),
    ("fc00::/7", "private_network"),
    ("fec0::/10", "private_network"),
    ("100.64.0.0/10", "shared_network"),
    ("169.254.0.0/16", "link_local"),
    ("fe80::/10", "link_local"),
    ("192.0.2.0/24", "documentation"),
    ("198.51.100.0/24", "documentation"),
    ("203.0.113.0/24", "documentation"),
    ("2001:db8::/32", "documentation"),
    ("3fff::/20", "documentation"),
    ("192.0.0.0/24", "reserved"),
    ("192.88.99.0/24", "reserved"),
    ("198.18.0.0/15", "reserved"),
    ("240.0.0.0/4", "reserved"),
    ("64:ff9b:1::/48", "transition"),
    ("2001::/32", "transition"),
    ("2002::/16", "transition"),
    ("2001::/23", "reserved"),
    # everything of IPv6 that is not global unicast
    ("::/3", "reserved"),
    ("4000::/2", "reserved"),
    ("8000::/1", "reserved"),
)
REFUSED: tuple[tuple[Network, str], ...] = tuple(
    (ipaddress.ip_network(network), rule) for network, rule in _TABLE
)
# No setting lifts these: nothing that should get a message lives there.
FINAL_RULES = frozenset({"metadata", "unspecified", "broadcast", "multicast"})

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_V4_COMPATIBLE = ipaddress.IPv6Network("::/96")
_BAD_CHARACTERS = re.compile(r"[\x00-\x20\x7f-\xa0\\\u2028\u2029\ufeff]")
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMERIC_LABEL = re.compile(r"[0-9]+|0x[0-9a-f]*")


@dataclass(frozen=True)
class NetworkPolicy:
    """What this node allows beyond public https addresses.

    :param allow_http: only for endpoints of test environments
    :param allowed_networks: option ``allowed_networks`` of odoo.conf
    """

    allow_http: bool = False
    allowed_networks: tuple[Network, ...] = ()


def parse_networks(text: str) -> tuple[Network, ...]:
    """Read a list of networks such as ``10.1.0.0/16, fd12::/48``.

    :raises ValueError: naming the entry that is no network
    """
    networks = []
    for entry in re.split(r"[\s,]+", (text or "").strip()):
        if entry:
            networks.append(_parse_network(entry))
    return tuple(networks)


def _parse_network(entry: str) -> Network:
    try:
        return ipaddress.ip_network(entry, strict=False)
    except ValueError:
        raise ValueError(f"{entry!r} is not a network such as 10.1.0.0/16") from None


# -- addresses -----------------------------------------------------------------


def check_address(ip: str, policy: NetworkPolicy) -> None:
    """Check the very address that is about to be connected.

    :raises Refused: with the rule and, where one exists, the setting
    """
    try:
        address = ipaddress.ip_address(ip.partition("%")[0])
    except ValueError:
        raise Refused("The address cannot be read", rule="address") from None
    rule = _rule_for(address, policy)
    if rule:
        raise _refused_address(rule)


def _rule_for(address: Address, policy: NetworkPolicy) -> str | None:
    """Return the rule that refuses the address, judging embedded IPv4 first."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return _rule_for(address.ipv4_mapped, policy)
        if address in _NAT64:
            return _rule_for(_last_four_bytes(address), policy)
        for inner in _embedded(address):
            rule = _rule_for(inner, policy)
            if rule:
                return rule
    rule = next(
        (rule for network, rule in REFUSED if _contains(network, address)), None
    )
    if rule in FINAL_RULES or rule is None:
        return rule
    return (
        None
        if any(_contains(network, address) for network in policy.allowed_networks)
        else rule
    )


def _embedded(address: ipaddress.IPv6Address) -> list[ipaddress.IPv4Address]:
    if address.sixtofour:
        return [address.sixtofour]
    if address.teredo:
        return list(address.teredo)
    if address in _V4_COMPATIBLE and int(address) > 1:
        return [_last_four_bytes(address)]
    return []


def _last_four_bytes(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address:
    return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)


def _contains(network: Network, address: Address) -> bool:
    return network.version == address.version and address in network


def _refused_address(rule: str) -> Refused:
    setting = None if rule in FINAL_RULES else SETTING_NETWORKS
    message = f"The address is refused by the rule {rule}."
    if setting:
        message += (
            f" If it belongs to you, add its network to the option {setting} of"
            " [healthcare_integration] in odoo.conf."
        )
    return Refused(message, rule=rule, setting=setting)


def open_socket(addr_info: AddrInfo, policy: NetworkPolicy) -> socket.socket:
    """Return a new socket for a checked address; the ``socket_factory`` of connectors.

    :raises Refused: before any socket exists
    """
    family, kind, protocol, _name, sockaddr = addr_info
    check_address(str(sockaddr[0]), policy)
    return socket.socket(family, kind, protocol)


# -- URLs ----------------------------------------------------------------------


def check_url(url: str, policy: NetworkPolicy) -> SplitResult:
    """Check the form of a URL, without the network; IP literals are judged too.

    :return: the parts, with the host in ASCII and lower case
    :raises Refused: with the rule scheme, characters, userinfo, host, port,
        fragment or one of the address rules
    """
    if not isinstance(url, str) or not url or len(url) > MAX_URL:
        raise Refused(f"A URL has 1 to {MAX_URL} characters.", rule="length")
    if _BAD_CHARACTERS.search(url):
        raise Refused(
            "The URL contains spaces, backslashes or control characters.",
            rule="characters",
        )
    parts = _split(url)
    _check_scheme(parts, policy)
    if "@" in parts.netloc:
        raise Refused(
            "The URL contains a user name or password; use a credential.",
            rule="userinfo",
        )
    if "#" in url:
        raise Refused("The URL contains a fragment (#).", rule="fragment")
    host, port = _check_host_name(parts), _port_of(parts)
    if _is_literal(host):
        check_address(host, policy)
    netloc = f"[{host}]" if ":" in host else host
    return parts._replace(netloc=f"{netloc}:{port}" if port else netloc)


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:
        raise Refused("The URL cannot be read.", rule="host") from None


def _check_scheme(parts: SplitResult, policy: NetworkPolicy) -> None:
    if parts.scheme == "https" or (parts.scheme == "http" and policy.allow_http):
        return
    if parts.scheme == "http":
        raise Refused(
            "Only https is allowed; http is for systems of the environment test.",
            rule="scheme",
        )
    raise Refused("The URL must begin with https://.", rule="scheme")


def _port_of(parts: SplitResult) -> int | None:
    try:
        port = parts.port
    except ValueError:
        port = 0
    if port == 0 or parts.netloc.endswith(":"):
        raise Refused("The port must be a number from 1 to 65535.", rule="port")
    return port


def _check_host_name(parts: SplitResult) -> str:
    host = parts.hostname
    if not host:
        raise Refused("The URL has no host name.", rule="host")
    if "[" in parts.netloc or ":" in host:
        return _check_ipv6_literal(host)
    name = _to_ascii(host)
    labels = name.removesuffix(".").split(".")
    if _NUMERIC_LABEL.fullmatch(labels[-1]):
        return _check_ipv4_literal(name)
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise Refused("The host name is not valid.", rule="host")
    return name


def _to_ascii(host: str) -> str:
    """Return the ASCII form; full-width digits and the like become plain ones."""
    if host.isascii():
        return host.lower()
    with contextlib.suppress(idna.IDNAError, UnicodeError):
        return idna.encode(host, uts46=True).decode("ascii")
    try:  # an address in full-width digits is no IDN, but the system would read it
        return idna.uts46_remap(host).encode("ascii").decode("ascii")
    except (idna.IDNAError, UnicodeError):
        raise Refused(
            "The international host name is not valid.", rule="host"
        ) from None


def _check_ipv4_literal(name: str) -> str:
    """Accept only dotted decimal: systems read 127.1, 0x7f.1 and 017700000001 as addresses."""
    try:
        return str(ipaddress.IPv4Address(name))
    except ValueError:
        raise Refused(
            "The host looks like a number but is not a dotted decimal IPv4 address.",
            rule="host",
        ) from None


def _check_ipv6_literal(host: str) -> str:
    try:
        if "%" in host:
            raise ValueError("zone")
        return str(ipaddress.IPv6Address(host))
    except ValueError:
        raise Refused(
            "The host is not a valid IPv6 address without a zone.", rule="host"
        ) from None


def _is_literal(host: str) -> bool:
    return ":" in host or _NUMERIC_LABEL.fullmatch(host.rpartition(".")[2]) is not None


def check_host(
    url: str,
    policy: NetworkPolicy,
    resolve: Callable[[str, int, float], list[str]] = resolver.resolve,
    timeout: float = RESOLVE_TIMEOUT,
) -> list[str]:
    """Check a URL and what its name resolves to, as a form does before saving.

    A name with a public and a private answer is refused: which of them is used
    would be chance. Sending checks the connected address again.

    :return: the addresses
    :raises Refused: as ``check_url``; unresolvable; or an address rule
    """
    parts = check_url(url, policy)
    host = parts.hostname or ""
    if _is_literal(host):
        return [host]
    try:
        addresses = resolve(host, parts.port or 443, timeout)
    except TimeoutError:
        raise Refused(
            f"The host name was not resolved within {timeout:g} s.", rule="unresolvable"
        ) from None
    except OSError:
        addresses = []
    if not addresses:
        raise Refused("The host name cannot be resolved.", rule="unresolvable")
    for address in addresses:
        check_address(address, policy)
    return addresses
