"""The identity seam, and its local provider."""

import ipaddress
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from starlette.requests import HTTPConnection

from events.base import LOCAL_TENANT, LOCAL_USER
from runtime.faults import Permanent

READ = "read:repositories"
WRITE = "write:analysis"
ALL_SCOPES = frozenset({READ, WRITE})


@dataclass(frozen=True)
class Identity:
    """A signed-in person: who, of which tenant, and what they may do."""

    user_id: UUID
    tenant_id: UUID
    name: str
    scopes: frozenset[str]
    local: bool = False


class IdentityProvider(Protocol):
    """Turns a request into an identity."""

    async def identify(self, connection: HTTPConnection) -> Identity:
        """Who is asking. Raises Permanent (`not_signed_in`, `not_local`)."""
        ...


def is_loopback(host: str) -> bool:
    """Whether a host name or address reaches this machine alone."""
    name = host.strip("[]").lower()
    if name == "localhost":
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback


class LocalProvider:
    """Everybody who reaches this process is the one local user; therefore only this machine may reach it."""

    def __init__(self, bind: str) -> None:
        """`bind` is the address the service listens on. Raises SystemExit where others can reach it."""
        if not is_loopback(bind):
            raise SystemExit(
                f"The orchestrator has no sign-in configured and would listen on {bind}, where others can reach it. "
                "Set REPOSTREAM_ORCHESTRATOR_HOST to 127.0.0.1."
            )

    async def identify(self, connection: HTTPConnection) -> Identity:
        """The local user. Refuses a connection that came in by another address than loopback."""
        server = connection.scope.get("server")
        if not server or not is_loopback(str(server[0])):
            raise Permanent("not_local", "This installation has no sign-in: it answers on this machine only.")
        return Identity(LOCAL_USER, LOCAL_TENANT, "You", ALL_SCOPES, local=True)
