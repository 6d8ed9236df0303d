"""What a route takes beside a scope: a role in the tenant that is worked in, or somebody who is there in person.

Somebody else's tenant is not there (404), whatever the role.
"""

from typing import Annotated
from uuid import UUID

from fastapi import Depends

from orchestrator.api.dependencies import Parts, Reader, Writer
from orchestrator.api.keys import in_person
from orchestrator.api.problems import ApiProblem
from orchestrator.auth.identity import Identity, Proof, Role


async def member_here(tenant_id: UUID, who: Reader) -> Identity:
    """Somebody of the tenant in the path, whatever their role."""
    if tenant_id != who.tenant_id:
        raise ApiProblem("not_found", "Check the id, or switch to that tenant first.")
    return who


async def person_here(tenant_id: UUID, who: Reader, parts: Parts) -> Identity:
    """Somebody of the tenant in the path, in person."""
    return await in_person(await member_here(tenant_id, who), parts)


async def owner_here(tenant_id: UUID, who: Reader, parts: Parts) -> Identity:
    """An owner of the tenant in the path, in person: a key that was taken must not be able to let others in."""
    return _owner(await person_here(tenant_id, who, parts))


async def owner_looking(who: Reader) -> Identity:
    """An owner of the tenant that is worked in, who looks."""
    return _owner(who)


async def owner_changing(who: Writer) -> Identity:
    """An owner of the tenant that is worked in, who changes something."""
    return _owner(who)


async def writer_in_person(who: Writer, parts: Parts) -> Identity:
    """Somebody who may write, in person."""
    return await in_person(who, parts)


Here = Annotated[Identity, Depends(member_here)]
PersonHere = Annotated[Identity, Depends(person_here)]
Owner = Annotated[Identity, Depends(owner_here)]
OwnerLooking = Annotated[Identity, Depends(owner_looking)]
OwnerChanging = Annotated[Identity, Depends(owner_changing)]
WriterInPerson = Annotated[Identity, Depends(writer_in_person)]
OWNERS_ALONE = (owner_here, owner_looking, owner_changing)  # a test walks all routes


def signed_in(who: Identity) -> Identity:
    """`who`, where people sign in. Raises ApiProblem `no_sign_in` on a laptop: there is nobody to share with."""
    if who.proof is Proof.LOCAL:
        raise ApiProblem("no_sign_in", "This installation is for the one person at this machine: configure a sign-in.")
    return who


def _owner(who: Identity) -> Identity:
    if who.role is not Role.OWNER:
        raise ApiProblem("forbidden", "It is for owners of the tenant.")
    return who
