"""Where a host name leads, and whether that is a place on the public internet."""

import ipaddress
import socket
import threading
from collections.abc import Callable
from typing import Any

from processor.ports import Watch
from runtime.faults import Permanent, Transient

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
_PATIENCE = 15.0  # seconds for the resolver


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


def pinned(host: str, port: int, *, loopback: bool, watch: Watch, resolver: Resolve = resolve) -> str:
    """What curl is told instead of asking a resolver again: `host:port:address[,address]`.

    Every address must be public (or, with `loopback`, this machine): one that is not could be the one that is used.
    Raises Transient `host_unreachable`, Permanent `host_not_allowed`, and Cancelled.
    """
    addresses = _asked(host, port, watch, resolver)
    allowed = is_loopback if loopback else is_public
    if not addresses or not all(allowed(address) for address in addresses):
        raise Permanent(
            "host_not_allowed", "That host does not lead to the public internet, so nothing is read from it."
        )
    shown = (f"[{address}]" if ":" in address else address for address in addresses)
    return f"{host}:{port}:{','.join(shown)}"


def _asked(host: str, port: int, watch: Watch, resolver: Resolve) -> list[str]:
    """Ask on a thread that may be left behind: the system's resolver can neither be hurried nor stopped."""
    addresses: list[str] = []
    failed: list[OSError] = []

    def ask() -> None:
        try:
            addresses.extend(resolver(host, port))
        except OSError as error:
            failed.append(error)

    asking = threading.Thread(target=ask, name=f"resolve {host}", daemon=True)
    asking.start()
    for _ in range(int(_PATIENCE / 0.2)):
        asking.join(0.2)
        if not asking.is_alive():
            break
        watch.check()
    if asking.is_alive() or failed:
        raise Transient("host_unreachable", "The host's name cannot be resolved. It is tried again later.")
    return addresses
