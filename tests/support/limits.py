"""People who are told apart by a header, so that the limits of several can be shown."""

from dataclasses import replace
from uuid import UUID, uuid4

from starlette.requests import HTTPConnection

from orchestrator.auth.identity import ALL_SCOPES, Identity, Proof
from runtime.faults import Permanent
from tests.support.orchestrator import System

HEADER = "x-test-person"


def a_person(tenant_id: UUID | None = None, *, key: bool = False) -> Identity:
    proof, proof_id = (Proof.API_KEY, uuid4()) if key else (Proof.SESSION, uuid4())
    return Identity(uuid4(), tenant_id or uuid4(), "Somebody", ALL_SCOPES, proof=proof, proof_id=proof_id)


class People:
    """An identity provider: the header holds the number of one of `people`."""

    def __init__(self) -> None:
        self.people: list[Identity] = []

    async def identify(self, connection: HTTPConnection) -> Identity:
        number = connection.headers.get(HEADER, "")
        if not number.isdecimal() or int(number) >= len(self.people):
            raise Permanent("not_signed_in", "Sign in.")
        return self.people[int(number)]

    def headers(self, who: Identity) -> dict[str, str]:
        if who not in self.people:
            self.people.append(who)
        return {HEADER: str(self.people.index(who))}


def let_in(system: System) -> People:
    """Let `system` take the word of a header for who is asking."""
    people = People()
    system.app.state.services = replace(system.app.state.services, provider=people)
    return people
