"""`/rebuilds`: administrators have the read models built again from the log, beside those that serve."""

from datetime import datetime
from typing import Literal
from uuid import UUID, uuid4

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from orchestrator.adapters.rebuilds import Rebuild
from orchestrator.api.dependencies import Admin, HeldStream, Parts
from orchestrator.api.problems import ApiProblem
from orchestrator.api.strict import Body
from orchestrator.progress.works import Work, WorkStream

router = APIRouter(prefix="/rebuilds", tags=["rebuilds"])

_SHOWN = 20  # ids of what differs, of each table


class RebuildRequest(Body):
    """With `replace`, rows that come out differently take the place of those that serve; else they are compared."""

    replace: bool = Field(default=True, description="Put right what differs; without it, only look.")


class RebuiltTable(BaseModel):
    """One table: rows and checksum as they served and as they were rebuilt; of how many ids rows differ, and some."""

    table: str
    rows: int
    rebuilt: int
    checksum: str
    rebuilt_checksum: str
    differing: int
    ids: list[UUID]


class RebuiltProjection(BaseModel):
    """The tables of one projection, built from so many `events` up to the place `seq` of the log.

    It took `seconds`; for `waited` of them the projection that serves took no new events.
    """

    projection: str
    seq: int
    events: int
    seconds: float
    waited: float
    agrees: bool
    tables: list[RebuiltTable]


class RebuildView(BaseModel):
    """A rebuild: `asked` until it is `done`, or `failed`, which `message` explains. `agrees` once it is done."""

    rebuild_id: UUID
    state: Literal["asked", "done", "failed"]
    replace: bool
    asked_at: datetime
    ended_at: datetime | None
    message: str | None
    agrees: bool | None
    projections: list[RebuiltProjection]


@router.post("", status_code=202)
async def begin(body: RebuildRequest, _who: Admin, parts: Parts) -> RebuildView:
    """Have the read models built again from events and artifacts, beside those that serve meanwhile."""
    return _view(await parts.rebuilds.ask(uuid4(), replace=body.replace))


@router.get("/{rebuild_id}")
async def one(rebuild_id: UUID, _who: Admin, parts: Parts) -> RebuildView:
    """One rebuild, with what was found once it is done."""
    return _view(await parts.rebuilds.one(rebuild_id))


@router.get(
    "/{rebuild_id}/live",
    response_class=Response,
    responses={200: {"content": {"text/event-stream": {}}, "description": "work, heartbeat, resync"}},
)
async def live(rebuild_id: UUID, _who: Admin, parts: Parts, _held: HeldStream) -> Response:
    """How a rebuild goes on, from now until it is over (SSE)."""

    async def look() -> Work:
        return Work(state=_view(await parts.rebuilds.one(rebuild_id)).state)

    await look()
    return WorkStream(look, parts.works, parts.hub)


def _view(rebuild: Rebuild | None) -> RebuildView:
    if rebuild is None:
        raise ApiProblem("not_found", "Check the id: no rebuild has it.")
    projections = [RebuiltProjection.model_validate(_counted(each)) for each in rebuild.report]
    agrees = all(each.agrees for each in projections) if rebuild.state == "done" else None
    return RebuildView(**{**vars(rebuild), "projections": projections, "agrees": agrees})


def _counted(report: dict[str, object]) -> dict[str, object]:
    """The report of one projection, with the number of ids that differ, and the first of them."""
    tables = report["tables"] if isinstance(report["tables"], list) else []
    told = [{**t, "differing": len(t["differing"]), "ids": t["differing"][:_SHOWN]} for t in tables]
    return {**report, "tables": told}
