"""The identity seam: who is asking, and what they may do."""

import ipaddress
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from starlette.requests import HTTPConnection

READ = "read:repositories"
WRITE = "write:analysis"
ASK = "ask:questions"
EVENTS = "read:events"
ADMIN = "admin"
ALL_SCOPES = frozenset({READ, WRITE, ASK, EVENTS, ADMIN})


class Role(StrEnum):
    """What a person is in a tenant."""

    OWNER = "owner"
    MEMBER = "member"
    VIEWER = "viewer"


class Proof(StrEnum):
    """How somebody showed who they are."""

    LOCAL = "local"
    SESSION = "session"
    TOKEN = "token"  # noqa: S105  # a word, no secret
    API_KEY = "api_key"
    PUSH_HOOK = "push_hook"  # a repository's host, in the name of whoever made the hook
    SHARE = "share"  # a sharing link: nobody in particular, and one thing alone


class Kind(StrEnum):
    """What a sharing link shows."""

    REPOSITORY = "repository"
    CONVERSATION = "conversation"


@dataclass(frozen=True)
class Shared:
    """The one thing that a sharing link shows."""

    kind: Kind
    resource_id: UUID


NOBODY = UUID(int=0)  # whoever has a sharing link


_VIEWER = frozenset({READ, EVENTS})
SCOPES_OF: Mapping[Role, frozenset[str]] = {
    Role.VIEWER: _VIEWER,
    Role.MEMBER: _VIEWER | {WRITE, ASK},
    Role.OWNER: _VIEWER | {WRITE, ASK},
}


@dataclass(frozen=True)
class Identity:
    """A signed-in person: who, of which tenant, and what they may do. `proof_id` is a session's, key's or link's id.

    With `shared` it is nobody in particular, who may see that one thing of the tenant and nothing else.
    """

    user_id: UUID
    tenant_id: UUID
    name: str
    scopes: frozenset[str]
    role: Role = Role.OWNER
    proof: Proof = Proof.LOCAL
    proof_id: UUID | None = None
    shared: Shared | None = None


def scopes_for(role: Role, *, admin: bool, asked: Collection[str] = ALL_SCOPES) -> frozenset[str]:
    """What somebody may do: what the role allows, `admin` for administrators, and no more than a key was given."""
    return (SCOPES_OF[role] | ({ADMIN} if admin else frozenset())) & frozenset(asked)


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
