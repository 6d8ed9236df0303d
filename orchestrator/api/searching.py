"""Search in an analysed repository: the passages that the assistant would be given."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from events.question import Passage, PlanStep, Scope, SearchRequest
from orchestrator.api.dependencies import Parts, Reader
from orchestrator.api.problems import ApiProblem

router = APIRouter(tags=["searching"])


class SearchView(BaseModel):
    """What a search found, the best first, and in which analysis and commit. `degraded` and `plan` as of a question."""

    analysis_id: UUID
    commit: str
    generation_kind: str
    degraded: str | None = None
    passages: list[Passage]
    plan: list[PlanStep] = Field(default_factory=list)


class SearchQuery(Scope):
    """What is searched for, and where: in all of the repository, or in a scope of it."""

    query: str = Field(min_length=1, max_length=2_000, description="A question, names, words of the code.")
    limit: int = Field(default=12, ge=1, le=50, description="How many passages at most.")


def limited(scope: Scope | None) -> Scope | None:
    """The scope, or None where it limits nothing. Raises ApiProblem for what no path or name has."""
    given = (scope.folder.strip("/"), scope.path, scope.language, scope.symbol) if scope is not None else ()
    if any("\x00" in each for each in given):
        raise ApiProblem("invalid_request", "Take the invisible characters out of the scope.")
    return Scope(**scope.model_dump(include=set(Scope.model_fields))) if scope is not None and any(given) else None


@router.get("/repositories/{repository_id}/search", responses={404: {}, 409: {}})
async def search(repository_id: UUID, who: Reader, parts: Parts, asked: Annotated[SearchQuery, Query()]) -> SearchView:
    """Search by meaning and by words in a repository's newest index, or in one folder, file, language, definition."""
    query = asked.query.strip()
    if "\x00" in query or not query:
        raise ApiProblem("invalid_request", "Search for something.")
    scope = limited(asked)
    if await parts.read.repository(who.tenant_id, repository_id) is None:
        raise ApiProblem("not_found", "Check the id: no repository of yours has it.")
    found = await parts.searching.search(
        SearchRequest(tenant_id=who.tenant_id, repository_id=repository_id, query=query, limit=asked.limit, scope=scope)
    )
    return SearchView(
        analysis_id=found.analysis_id,
        commit=found.commit,
        generation_kind=found.generation_kind,
        degraded=found.degraded,
        passages=list(found.passages),
        plan=list(found.plan),
    )
