"""What the routes of teams are handed: tenants, their members, and the links that lead into them."""

from dataclasses import dataclass

from orchestrator.auth.invitations import Invitations
from orchestrator.auth.members import Members
from orchestrator.auth.shares import Shares
from orchestrator.auth.tenants import Tenants


@dataclass(frozen=True)
class Teams:
    """`public_url` is the pages' own address, empty in local mode: links begin with it."""

    tenants: Tenants
    members: Members
    invitations: Invitations
    shares: Shares
    public_url: str
