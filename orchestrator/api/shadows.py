"""`/shadows`: administrators run a stage of the present code over what was recorded, beside what serves."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from orchestrator.adapters.shadows import WORKFLOW, NotDone, Shadow, TooMany
from orchestrator.api.dependencies import Admin, Parts, context_of, history_of
from orchestrator.api.problems import ApiProblem
from orchestrator.workflow.shadowed import OFFERED, NotPromotable

router = APIRouter(prefix="/shadows", tags=["shadows"])

_LISTED = 100
_OFFERED = (*(stage.value for stage in OFFERED), WORKFLOW)
_UNKNOWN = "Check the id: no shadow of yours has it."


class ShadowRequest(BaseModel):
    """An analysis of the team, and the stage: metadata, structure, parse, link, embed or workflow."""

    analysis_id: UUID
    stage: str = Field(default=WORKFLOW, max_length=20)


class ShadowTable(BaseModel):
    """Rows of one kind of artifact as they serve (`live`) and as the shadow made them.

    `columns` are those that only one side has. An example has the row `before` and `after`, null where it is not there.
    """

    live: int
    shadow: int
    same: int
    added: int
    removed: int
    changed: int
    columns: list[str] = Field(default_factory=list)
    examples: list[dict[str, Any]] = Field(default_factory=list)


class ShadowReport(BaseModel):
    """What is different: rows by kind of artifact, counts and facts of the stage; of the workflow its decisions."""

    agrees: bool | None = None
    tables: dict[str, ShadowTable] = Field(default_factory=dict)
    counts: dict[str, dict[str, int]] = Field(default_factory=dict)
    facts: list[dict[str, Any]] = Field(default_factory=list)
    decided: int = 0
    decisions: list[dict[str, Any]] = Field(default_factory=list)
    not_recorded: list[dict[str, Any]] = Field(default_factory=list)


class ShadowView(BaseModel):
    """A shadow: `asked` until it is `done`, or `failed`, for the reason that `code` and `message` say.

    `runs_ended` of its `runs` are over; then what they made is compared. `not_promotable` says why one that is done
    cannot take the place of what serves, as things are now; null where it can, where it did, and in the list.
    """

    shadow_id: UUID
    analysis_id: UUID
    repository_id: UUID
    stage: str
    state: Literal["asked", "done", "failed"]
    asked_at: datetime
    ended_at: datetime | None
    promoted_at: datetime | None
    code: str | None
    message: str | None
    report: ShadowReport
    runs: int = 0
    runs_ended: int = 0
    not_promotable: str | None = None


class ShadowList(BaseModel):
    """The newest hundred; without their examples."""

    items: list[ShadowView]


@router.post("", status_code=202)
async def begin(body: ShadowRequest, who: Admin, parts: Parts, request: Request) -> ShadowView:
    """Have a stage of the present code run over the recorded inputs of an analysis; nothing live is touched."""
    if body.stage not in _OFFERED:
        raise ApiProblem(
            "shadow_not_offered",
            f"Choose one of {', '.join(_OFFERED)}: of others not all that they ask for is recorded.",
        )
    history = await history_of(parts, who, f"analysis/{body.analysis_id}")
    context = context_of(request, who, history[0].repository_id)
    try:
        asked = await parts.shadows.ask(context, history, body.stage, parts.clock())
    except TooMany:
        raise ApiProblem(
            "shadow_too_many", "Drop a shadow of the team first: this installation keeps no more of them at a time."
        ) from None
    if asked is None:
        raise ApiProblem("shadow_nothing_recorded", "The stage has no result in that analysis: choose another.")
    return _view(asked)


@router.get("")
async def listed(who: Admin, parts: Parts) -> ShadowList:
    """The team's shadows, the newest first."""
    return ShadowList(items=[_view(each, short=True) for each in await parts.shadows.listed(who.tenant_id, _LISTED)])


@router.get("/{shadow_id}")
async def one(shadow_id: UUID, who: Admin, parts: Parts) -> ShadowView:
    """One shadow, with what is different once it is done."""
    found = await parts.shadows.one(who.tenant_id, shadow_id)
    if found is None:
        raise ApiProblem("not_found", _UNKNOWN)
    return _view(found, why_not=await parts.shadows.why_not(who.tenant_id, found, parts.clock()))


@router.delete("/{shadow_id}", status_code=204)
async def drop(shadow_id: UUID, who: Admin, parts: Parts) -> Response:
    """Remove a shadow with all that it made."""
    if not await parts.shadows.drop(who.tenant_id, shadow_id):
        raise ApiProblem("not_found", _UNKNOWN)
    return Response(status_code=204)


@router.post("/{shadow_id}/promote")
async def promote(shadow_id: UUID, who: Admin, parts: Parts, request: Request) -> ShadowView:
    """Let what it made take the place of what serves, as the next attempt at each shard, in one transaction.

    Refused where another stage's result was made of what it would replace.
    """
    found = await one(shadow_id, who, parts)
    context = context_of(request, who, found.repository_id)
    try:
        await parts.shadows.promote(context, shadow_id, parts.clock())
    except NotDone:
        raise ApiProblem("shadow_not_done", "It has no result, or was promoted before: look at it first.") from None
    except NotPromotable as refused:
        code = "shadow_outdated" if refused.outdated else "shadow_not_promotable"
        raise ApiProblem(code, refused.message) from None
    return await one(shadow_id, who, parts)


def _view(shadow: Shadow, *, short: bool = False, why_not: str | None = None) -> ShadowView:
    report = ShadowReport.model_validate(shadow.report)
    if short:
        tables = {name: each.model_copy(update={"examples": []}) for name, each in report.tables.items()}
        report = ShadowReport(agrees=report.agrees, tables=tables, counts=report.counts, decided=report.decided)
    return ShadowView(**{**vars(shadow), "report": report}, not_promotable=why_not)
