"""The addresses that git is told to use for a host: resolved once, all of them public, and not asked for again."""

import threading

from processor.ports import Watch
from runtime.addresses import Resolve, all_allowed, resolve
from runtime.faults import Permanent, Transient

_PATIENCE = 15.0  # seconds for the resolver


def pinned(host: str, port: int, *, loopback: bool, watch: Watch, resolver: Resolve = resolve) -> str:
    """What curl is told instead of asking a resolver again: `host:port:address[,address]`.

    Every address must be public (or, with `loopback`, this machine): one that is not could be the one that is used.
    Raises Transient `host_unreachable`, Permanent `host_not_allowed`, and Cancelled.
    """
    addresses = _asked(host, port, watch, resolver)
    if not all_allowed(addresses, loopback=loopback):
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
