"""From which address a request comes: the peer's, or what a trusted proxy says of whom it asks for. Pure."""

import ipaddress
from collections.abc import Sequence

from starlette.requests import HTTPConnection

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_IPV6_SITE = 64  # bits: whoever has one address of a network has all of them
UNKNOWN = "unknown"


def read_networks(text: str) -> tuple[Network, ...]:
    """Addresses and networks separated by commas. Raises ValueError with a sentence."""
    words = [word.strip() for word in text.split(",") if word.strip()]
    try:
        return tuple(ipaddress.ip_network(word, strict=False) for word in words)
    except ValueError as error:
        raise ValueError(f"Trusted proxies are addresses or networks separated by commas: {error}.") from error


def origin_of(connection: HTTPConnection, trusted: Sequence[Network], *, vouched: bool = False) -> tuple[str, bool]:
    """The address of the client, and whether that is a trusted proxy's own, because it says no more.

    A proxy that is not trusted is taken for the client, whatever it says. `vouched`: the peer is known for the page
    server, wherever it runs.
    """
    peer = connection.client.host if connection.client is not None else UNKNOWN
    chain = [word.strip() for line in connection.headers.getlist("x-forwarded-for") for word in line.split(",")]
    believed = vouched or _is_trusted(peer, trusted)
    while chain and believed:
        address = _read(chain.pop())
        if address is None:
            break
        peer = str(address)
        believed = _is_trusted(peer, trusted)
    return peer, believed


def site_of(address: str) -> str:
    """What is counted as one address: of IPv6 the network that one subscriber has."""
    read = _read(address)
    if isinstance(read, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((read, _IPV6_SITE), strict=False))
    return str(read) if read is not None else address


def _is_trusted(address: str, trusted: Sequence[Network]) -> bool:
    read = _read(address)
    return read is not None and any(read in network for network in trusted)


def _read(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
