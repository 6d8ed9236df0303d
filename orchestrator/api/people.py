"""`/people`: who has an account here; administrators suspend them and let them in again."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel

from orchestrator.api.dependencies import Admin, Parts
from orchestrator.api.paging import PEOPLE, Paging
from orchestrator.api.problems import ApiProblem
from orchestrator.auth.directory import Listed

router = APIRouter(prefix="/people", tags=["people"])


class PersonView(BaseModel):
    """A person. `subject` is their id at the `issuer` (empty: at none that is known).

    `seen_at` is when they were last here (null: unknown).
    """

    user_id: UUID
    provider: str
    issuer: str
    subject: str
    login: str
    name: str
    admin: bool
    created_at: datetime
    suspended_at: datetime | None
    seen_at: datetime | None


class PersonPage(BaseModel):
    """A page of people."""

    items: list[PersonView]
    next: str | None = None


@router.get("")
async def people(
    _who: Admin,
    parts: Parts,
    page: Paging,
    search: Annotated[str, Query(max_length=200, pattern=r"^[^\x00]*$")] = "",
    *,
    suspended: bool = False,
) -> PersonPage:
    """People of this installation, the newest first; with `search`, those whose login, name or id it fits."""
    found = await parts.directory.people(
        search.strip(), suspended=suspended, after=PEOPLE.read(page.cursor), limit=page.limit + 1
    )
    shown, following = PEOPLE.cut(found, page.limit, lambda person: (person.created_at, person.user_id))
    return PersonPage(items=[_view(person) for person in shown], next=following)


@router.post("/{user_id}/suspension")
async def suspend(user_id: UUID, who: Admin, parts: Parts) -> PersonView:
    """Let somebody in no more: within five seconds their sessions, tokens, keys and open event streams are over."""
    if user_id == who.user_id:
        raise ApiProblem("forbidden", "You cannot suspend yourself: ask another administrator.")
    return _found(await parts.directory.suspend(user_id))


@router.delete("/{user_id}/suspension")
async def restore(user_id: UUID, _who: Admin, parts: Parts) -> PersonView:
    """Let somebody in again: they sign in anew, and their keys are good again."""
    return _found(await parts.directory.restore(user_id))


def _found(person: Listed | None) -> PersonView:
    if person is None:
        raise ApiProblem("not_found", "Check the id: nobody of this installation has it.")
    return _view(person)


def _view(person: Listed) -> PersonView:
    return PersonView(**vars(person))
