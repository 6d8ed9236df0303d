"""Search in an analysed repository: the passages that the assistant would be given."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from events.question import Passage, PlanStep, SearchRequest
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


@router.get("/repositories/{repository_id}/search", responses={409: {}})
async def search(
    repository_id: UUID,
    who: Reader,
    parts: Parts,
    query: Annotated[str, Query(min_length=1, max_length=2_000, description="A question, names, words of the code.")],
    limit: Annotated[int, Query(ge=1, le=50, description="How many passages at most.")] = 12,
) -> SearchView:
    """Search by meaning and by words in the newest index of a repository."""
    if "\x00" in query or not query.strip():
        raise ApiProblem("invalid_request", "Search for something.")
    if await parts.read.repository(who.tenant_id, repository_id) is None:
        raise ApiProblem("not_found", "Check the id: no repository of yours has it.")
    found = await parts.searching.search(
        SearchRequest(tenant_id=who.tenant_id, repository_id=repository_id, query=query.strip(), limit=limit)
    )
    return SearchView(
        analysis_id=found.analysis_id,
        commit=found.commit,
        generation_kind=found.generation_kind,
        degraded=found.degraded,
        passages=list(found.passages),
        plan=list(found.plan),
    )
