"""`/shadows`: administrators run a stage of the present code over what was recorded, beside what serves."""

from uuid import UUID

from fastapi import APIRouter, Request, Response

from events.processing import Stage
from events.replay.sandbox import ANSWER
from orchestrator.adapters.promoting_shadows import WORKFLOW, NotDone
from orchestrator.adapters.shadows import NoPassages, NotComplete, Shadow, TooMany
from orchestrator.api.dependencies import Admin, HeldStream, Parts, Services, context_of, history_of
from orchestrator.api.paging import SHADOWS, Paging
from orchestrator.api.problems import ApiProblem
from orchestrator.api.shadow_answers import answered
from orchestrator.api.shadow_models import ShadowPage, ShadowReport, ShadowRequest, ShadowView
from orchestrator.api.shadow_searches import searched
from orchestrator.auth.identity import Identity
from orchestrator.progress.works import Work, WorkStream
from orchestrator.workflow.shadowed import OFFERED, NotPromotable
from runtime.faults import Fault

router = APIRouter(prefix="/shadows", tags=["shadows"])

_LOOKED_UP = {Stage.INDEX.value: searched, ANSWER: answered}
_OFFERED = (*(stage.value for stage in OFFERED), ANSWER, WORKFLOW)
_UNKNOWN = "Check the id: no shadow of yours has it."


@router.post("", status_code=202)
async def begin(body: ShadowRequest, who: Admin, parts: Parts, request: Request) -> ShadowView:
    """Have a stage of the present code run over the recorded inputs of an analysis; nothing live is touched."""
    history = await history_of(parts, who, f"analysis/{body.analysis_id}")
    if body.stage not in _OFFERED:
        raise ApiProblem(
            "shadow_not_offered",
            f"Choose one of {', '.join(_OFFERED)}: of others not all that they ask for is recorded.",
        )
    if body.passages_of is not None and body.stage != Stage.INDEX:
        raise ApiProblem("shadow_not_offered", "Name the passages of another shadow for the stage index alone.")
    context = context_of(request, who, history[0].repository_id)
    try:
        if body.stage == ANSWER:
            questions = await parts.conversations.asked(who.tenant_id, history[0].repository_id or UUID(int=0))
            asked = await parts.shadows.ask_again(context, history, questions, parts.clock())
        else:
            asked = await parts.shadows.ask(context, history, body.stage, parts.clock(), body.passages_of)
    except TooMany:
        raise ApiProblem(
            "shadow_too_many", "Drop a shadow of the team first: this installation keeps no more of them at a time."
        ) from None
    except NoPassages:
        raise ApiProblem(
            "shadow_nothing_recorded", "Name a shadow of parse of this analysis that is done and was not promoted."
        ) from None
    except NotComplete:
        raise ApiProblem(
            "shadow_not_complete",
            "Ask again once the analysis is complete: the vectors that its index is compared with are still made.",
        ) from None
    if asked is None:
        raise ApiProblem("shadow_nothing_recorded", "Nothing of that is recorded of the analysis: choose another.")
    return _view(asked)


@router.get("")
async def listed(who: Admin, parts: Parts, page: Paging) -> ShadowPage:
    """The team's shadows, the newest first."""
    found = await parts.shadows.listed(who.tenant_id, SHADOWS.read(page.cursor), page.limit + 1)
    shown, following = SHADOWS.cut(found, page.limit, lambda each: (each.asked_at, each.shadow_id))
    return ShadowPage(items=[_view(each, short=True) for each in shown], next=following)


@router.get("/{shadow_id}")
async def one(shadow_id: UUID, who: Admin, parts: Parts) -> ShadowView:
    """One shadow, with what is different once it is done; of an index what is found, of answers both."""
    view = await _one(parts, who, shadow_id)
    if view.state != "done" or view.promoted_at is not None:
        return view
    told = await _LOOKED_UP[view.stage](parts, who, view) if view.stage in _LOOKED_UP else view
    # After the search, so that what was made anew meanwhile is seen.
    refused = await parts.shadows.promoting.why_not(who.tenant_id, shadow_id, parts.clock())
    if refused is None:
        return told
    if refused.outdated and view.stage == Stage.INDEX:
        told = view.model_copy(update={"code": "shadow_outdated", "message": refused.message})
    return told.model_copy(update={"not_promotable": refused.message})


@router.get(
    "/{shadow_id}/live",
    response_class=Response,
    responses={200: {"content": {"text/event-stream": {}}, "description": "work, heartbeat, resync"}},
)
async def live(shadow_id: UUID, who: Admin, parts: Parts, _held: HeldStream) -> Response:
    """How a shadow goes on, from now until it is over (SSE): `done` of its runs are."""
    await _one(parts, who, shadow_id)

    async def look() -> Work:
        found = await parts.shadows.one(who.tenant_id, shadow_id)
        return (
            Work(state="gone") if found is None else Work(state=_view(found, short=True).state, done=found.runs_ended)
        )

    return WorkStream(look, parts.works, parts.hub)


@router.delete("/{shadow_id}", status_code=204)
async def drop(shadow_id: UUID, who: Admin, parts: Parts) -> Response:
    """Remove a shadow with all that it made."""
    if not await parts.shadows.drop(who.tenant_id, shadow_id):
        raise ApiProblem("not_found", _UNKNOWN)
    return Response(status_code=204)


@router.post("/{shadow_id}/promote")
async def promote(shadow_id: UUID, who: Admin, parts: Parts, request: Request) -> ShadowView:
    """Let what it made take the place of what serves, as the next attempt at each shard, in one transaction.

    Refused where another stage's result was made of what it would replace. Nothing is compared for the reply.
    """
    found = await parts.shadows.one(who.tenant_id, shadow_id)
    if found is None:
        raise ApiProblem("not_found", _UNKNOWN)
    context = context_of(request, who, found.repository_id)
    try:
        await parts.shadows.promoting.promote(context, shadow_id, parts.clock())
    except NotDone:
        raise ApiProblem("shadow_not_done", "It has no result, or was promoted before: look at it first.") from None
    except NotPromotable as refused:
        code = "shadow_outdated" if refused.outdated else "shadow_not_promotable"
        raise ApiProblem(code, refused.message) from None
    except Fault as fault:
        raise ApiProblem(fault.code, fault.message) from None
    return await _one(parts, who, shadow_id)


async def _one(parts: Services, who: Identity, shadow_id: UUID) -> ShadowView:
    """A shadow as it is kept, without what is looked up for whoever looks at it. Raises ApiProblem."""
    found = await parts.shadows.one(who.tenant_id, shadow_id)
    if found is None:
        raise ApiProblem("not_found", _UNKNOWN)
    return _view(found)


def _view(shadow: Shadow, *, short: bool = False) -> ShadowView:
    report = ShadowReport.model_validate(shadow.report)
    if short:
        tables = {name: each.model_copy(update={"examples": []}) for name, each in report.tables.items()}
        report = ShadowReport(agrees=report.agrees, tables=tables, counts=report.counts, decided=report.decided)
    return ShadowView(**{**vars(shadow), "report": report})
