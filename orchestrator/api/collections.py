"""`/collections`: administrators see how collections of vectors stand, and have one built again without embedding."""

from uuid import UUID

from fastapi import APIRouter, Response

from events.collection import CollectionAsked, CollectionRebuild, CollectionsState
from orchestrator.api.dependencies import Admin, HeldStream, Parts
from orchestrator.api.strict import Body
from orchestrator.progress.works import Work, WorkStream

router = APIRouter(prefix="/collections", tags=["collections"])


class CollectionRequest(Body):
    """Have the collection of a generation built again, or (`replace` false) only compared.

    `of` is a repository (what serves it), an analysis (its best generation with vectors) or a generation.
    """

    of: UUID
    replace: bool = True


@router.get("")
async def state(_who: Admin, parts: Parts) -> CollectionsState:
    """Count the collections of all generations, and say what is served by an earlier model than is set."""
    return await parts.searching.collections()


@router.post("/rebuilds", status_code=202, responses={404: {}, 409: {}})
async def begin(body: CollectionRequest, _who: Admin, parts: Parts) -> CollectionRebuild:
    """Have a collection built again beside the one that serves, compared and swapped, or only compared."""
    return await parts.searching.rebuild(CollectionAsked(of=body.of, replace=body.replace))


@router.get("/rebuilds/{rebuild_id}")
async def one(rebuild_id: UUID, _who: Admin, parts: Parts) -> CollectionRebuild:
    """One rebuild of a collection, with what was found once it is done."""
    return await parts.searching.rebuild_of(rebuild_id)


@router.get(
    "/rebuilds/{rebuild_id}/live",
    response_class=Response,
    responses={200: {"content": {"text/event-stream": {}}, "description": "work, heartbeat, resync"}},
)
async def live(rebuild_id: UUID, _who: Admin, parts: Parts, _held: HeldStream) -> Response:
    """How the rebuild of a collection goes on, from now until it is over (SSE)."""

    async def look() -> Work:
        return Work(state=(await parts.searching.rebuild_of(rebuild_id)).state)

    await look()
    return WorkStream(look, parts.works, parts.hub)
