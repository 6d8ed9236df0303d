"""Delete for good."""

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import BaseModel

from orchestrator.api.dependencies import Parts, Writer, context_of
from orchestrator.api.problems import ApiProblem

router = APIRouter(tags=["deleting"])


class DeletionView(BaseModel):
    """What was deleted, and when: nobody sees it any more, and within a minute it is gone for good."""

    repository_id: UUID
    deleted_at: datetime


@router.delete("/repositories/{repository_id}", status_code=202)
async def delete(repository_id: UUID, who: Writer, parts: Parts, request: Request) -> DeletionView:
    """Delete a repository and all that was made of it. It is hidden at once; within a minute it is gone for good.

    What runs is cancelled. The log keeps that something was analysed and deleted, and nothing of what.
    """
    at = parts.clock()
    if not await parts.deletion.repository(context_of(request, who, repository_id), at):
        raise ApiProblem("not_found", "Check the id: no repository of yours has it.")
    return DeletionView(repository_id=repository_id, deleted_at=at)
