"""Where a host name leads, and whether that is a place on the public internet."""

import ipaddress
import socket
from collections.abc import Callable, Sequence
from typing import Any

Resolve = Callable[[str, int], list[str]]

_V6 = ipaddress.IPv6Network("2000::/3")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_REFUSED = tuple(  # `is_global` knows each of these in some releases of Python and not in others
    ipaddress.ip_network(network)
    for network in (
        "192.0.0.0/24",
        "192.88.99.0/24",
        "2001::/23",  # Teredo and other protocols
        "2001:db8::/32",
        "2002::/16",  # 6to4, deprecated by RFC 7526: an IPv4 address inside
        "3fff::/20",
        "5f00::/16",
    )
)


def is_public(address: str) -> bool:
    """Whether a packet to `address` goes to the public internet. An address inside an address is looked at as well."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv4Address):
        return ip.is_global and not _is_special(ip)
    if ip in _NAT64:
        return is_public(str(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)))
    if ip.ipv4_mapped is not None:
        return is_public(str(ip.ipv4_mapped))
    return ip in _V6 and ip.is_global and not _is_special(ip)


def _is_special(ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    return ip.is_multicast or ip.is_reserved or ip.is_link_local or any(ip in network for network in _REFUSED)


def is_loopback(address: str) -> bool:
    """Whether `address` is this machine."""
    return ipaddress.ip_address(address.partition("%")[0]).is_loopback


def resolve(host: str, port: int) -> list[str]:
    """The addresses of `host`, as the system resolves it. Raises OSError."""
    found: list[Any] = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def all_allowed(addresses: Sequence[str], *, loopback: bool) -> bool:
    """Whether there is an address and every one is public (or, with `loopback`, this machine).

    One that is not could be the one that is used.
    """
    return bool(addresses) and all((is_loopback if loopback else is_public)(address) for address in addresses)
