"""Compare two analyses of one repository: what is different in them, and how long each took."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated
from uuid import UUID

import structlog
from fastapi import APIRouter, Query

from events.artifacts import ArtifactRef
from events.base import Envelope
from events.processing import ProcessingImported, Stage
from events.replay.timeline import runs
from orchestrator.adapters.comparison import Name, page_of, same_page
from orchestrator.api.comparing_models import (
    ComparedView,
    ComparisonView,
    CountsView,
    DifferencePage,
    DifferenceView,
    Kind,
    SameQuestions,
    StageCompared,
    What,
)
from orchestrator.api.dependencies import Parts, Reader, Services, cloned_artifacts, history_of
from orchestrator.api.models import AnalysisView
from orchestrator.api.paging import Paging
from orchestrator.api.problems import ApiProblem
from orchestrator.auth.identity import Identity
from orchestrator.projections.analyses import fold
from orchestrator.projections.same_questions import asked_at_both
from orchestrator.workflow import replay
from orchestrator.workflow.graph import is_done
from runtime.faults import Permanent

_log = structlog.get_logger(__name__)
router = APIRouter(prefix="/analyses/{analysis_id}", tags=["comparing"])
Against = Annotated[UUID, Query(description="The other analysis of the repository: what is different since that one.")]
Pair = tuple[list[Envelope], list[Envelope]]


@router.get("/comparison")
async def compared(analysis_id: UUID, who: Reader, parts: Parts, against: Against) -> ComparisonView:
    """How an analysis differs from another one of its repository, in counts and times."""
    histories, views = await _both(parts, who, against, analysis_id)
    now = parts.clock()
    worked = [{run.stage: 0.0 for run in runs(history)} for history in histories]
    for seconds, history in zip(worked, histories, strict=True):
        for run in runs(history):
            seconds[run.stage] += run.worked(now)
    whats: tuple[What, ...] = ("symbols", "dependencies", "chunks")
    counted = [
        await parts.contents.comparison.counts(
            who.tenant_id, (against, analysis_id), what, await _edited(parts, what, histories)
        )
        for what in whats
    ]
    return ComparisonView(
        before=_told(views[0], histories[0]),
        after=_told(views[1], histories[1]),
        files=(await _files(parts, histories))[1],
        symbols=counted[0],
        dependencies=counted[1],
        chunks=counted[2],
        stages=[
            StageCompared(stage=stage, before=worked[0].get(stage), after=worked[1].get(stage))
            for stage in dict.fromkeys([*worked[1], *worked[0]])
        ],
    )


@router.get("/differences/{what}")
async def differences(  # noqa: PLR0913, PLR0917  # one argument for each part of the request
    analysis_id: UUID,
    what: What,
    who: Reader,
    parts: Parts,
    page: Paging,
    against: Against,
    kind: Kind | None = None,
) -> DifferencePage:
    """What is in one of two analyses alone, or different in them."""
    histories, _views = await _both(parts, who, against, analysis_id)
    if what == "files":
        return page_of((await _files(parts, histories))[0], page, kind)
    edited = await _edited(parts, what, histories)
    return await parts.contents.comparison.listed(who.tenant_id, (against, analysis_id), what, page, kind, edited)


@router.get("/answers")
async def answers(analysis_id: UUID, who: Reader, parts: Parts, page: Paging, against: Against) -> SameQuestions:
    """Questions that were asked at both analyses, each with both answers and what they cite."""
    _histories, views = await _both(parts, who, against, analysis_id)
    pair = (against, analysis_id)
    found, left_out = await parts.conversations.answered_at(who.tenant_id, views[0].repository_id, pair)
    return same_page(await asyncio.to_thread(asked_at_both, found, *pair), page, left_out)


async def _both(parts: Services, who: Identity, before: UUID, after: UUID) -> tuple[Pair, list[AnalysisView]]:
    """The histories and what they add up to. Raises ApiProblem where one is not there, or is of another repository."""
    histories = [await history_of(parts, who, f"analysis/{one}") for one in (before, after)]
    views = [record.view for record in map(fold, histories) if record is not None]
    if len(views) < 2:
        raise ApiProblem("not_found", "Check the id: nothing of yours has it.")
    if views[0].repository_id != views[1].repository_id:
        raise ApiProblem("another_repository", "Choose two analyses of one repository.")
    return (histories[0], histories[1]), views


async def _files(parts: Services, histories: Pair) -> tuple[list[DifferenceView], CountsView]:
    with _readable():
        return await parts.edits.files(*map(cloned_artifacts, histories))


async def _edited(parts: Services, what: What, histories: Pair) -> set[Name]:
    """What is of other content though as much is known of it. Of dependencies, all is known."""
    before, after = (_made(history) for history in histories)
    with _readable():
        if what == "chunks":
            return await parts.edits.passages(before, after)
        return await parts.edits.definitions(before, after) if what == "symbols" else set()


@contextmanager
def _readable() -> Iterator[None]:
    """Raise ApiProblem `not_comparable` where a stored result is gone or damaged."""
    try:
        yield
    except Permanent as fault:
        _log.warning("not_comparable", code=fault.code, reason=fault.message)
        raise ApiProblem(
            "not_comparable", "A stored result of one of them is gone or damaged: analyse that commit again (`force`)."
        ) from fault


def _made(history: list[Envelope]) -> tuple[ArtifactRef, ...]:
    """What clone and parse wrote last, of each shard."""
    slots = replay(history).slots.values()
    stages = {Stage.CLONE, Stage.PARSE}
    return tuple(ref for slot in slots if slot.stage in stages and is_done(slot) for ref in slot.artifacts)


def lacking(history: list[Envelope]) -> list[str]:
    """The stages that what is compared comes of, as far as not every shard of them has a result."""
    state = replay(history)
    slots = {stage: state.of(stage) for stage in (Stage.CLONE, Stage.METADATA, Stage.PARSE)}
    return [stage.value for stage, found in slots.items() if not found or not all(map(is_done, found))]


def _told(view: AnalysisView, history: list[Envelope]) -> ComparedView:
    estimate, ready = view.estimate, view.ready_at
    imported = (one.timestamp for one in history if one.event_type == ProcessingImported.event_type)
    began = view.imported_at or next(imported, view.requested_at)  # records of releases before do not say it
    return ComparedView(
        analysis_id=view.analysis_id,
        commit=view.commit,
        ref=view.ref,
        state=view.state.value,
        requested_at=view.requested_at,
        seconds=(ready - began).total_seconds() if ready is not None else None,
        cost=estimate.cost if estimate is not None else None,
        currency=estimate.currency if estimate is not None else "",
        spent=view.spent,
        totals=view.totals,
        lacks=lacking(history),
    )
