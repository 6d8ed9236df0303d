"""Look at a stream as it was: its state at any point, the times of its runs, what led to what."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from events.base import Envelope
from events.replay.causation import links
from events.replay.choosing import stage_of
from events.replay.difference import difference
from events.replay.timeline import runs
from orchestrator.adapters.inspection import REPOSITORY, At
from orchestrator.api.analyses import Version
from orchestrator.api.dependencies import EventReader, Parts, Services
from orchestrator.api.inspecting_models import (
    CausesView,
    CauseView,
    ChangeView,
    ElsewhereView,
    MomentsView,
    MomentView,
    RunView,
    StageTime,
    StateView,
    TimelineView,
)
from orchestrator.api.paging import Moment
from orchestrator.api.problems import ApiProblem
from orchestrator.auth.identity import Identity
from orchestrator.projections.repository_past import Step

router = APIRouter(prefix="/events", tags=["inspecting"])
StreamId = Annotated[str, Query(max_length=100, description="As `analysis/<id>`, `conversation/<id>`.")]
_CHANGES = 500  # listed of one look
_ANALYSIS = "analysis/"


@router.get("/state")
async def state(  # noqa: PLR0913  # one argument for each part of the request
    who: EventReader,
    parts: Parts,
    stream_id: StreamId,
    *,
    version: Version | None = None,
    at: Moment | None = None,
    against: Version | None = None,
    against_at: Moment | None = None,
    with_state: bool = True,
) -> StateView:
    """What a stream added up to at a version, or at a time; as of now where neither is given.

    It is compared with the version before it, with `against`, or with how it was at a time (`against_at`). Versions
    after the newest mean the newest. A repository comes with its analyses as they were; at a version of its own stream,
    as of the end of that.
    """
    if (version is not None and at is not None) or (against is not None and against_at is not None):
        raise ApiProblem("invalid_request", "Give a version or a time, not both.")
    found = await parts.inspection.look(who.tenant_id, stream_id, At(version, at, against, against_at))
    if found is None:
        raise ApiProblem("not_found", "Check the id: nothing of yours has it.")
    changes = [ChangeView(**one._asdict()) for one in difference(found.before, found.after)]
    return StateView(
        stream_id=stream_id,
        newest=found.newest,
        version=found.version,
        against=found.against,
        at=found.envelope.timestamp if found.envelope is not None else None,
        event=found.envelope,
        state=found.after if with_state else None,
        changes=changes[:_CHANGES],
        changes_left_out=max(0, len(changes) - _CHANGES),
    )


@router.get("/moments")
async def moments(who: EventReader, parts: Parts, stream_id: StreamId) -> MomentsView:
    """When a repository, or one of its newest analyses, came to stand otherwise: the times to look at it as it was."""
    is_repository = stream_id.startswith(REPOSITORY)
    found = await parts.inspection.moments(who.tenant_id, stream_id) if is_repository else None
    if found is None:
        raise ApiProblem("not_found", "Name a repository of yours (repository/<id>): others change with each event.")
    steps, left_out = found
    items = [moment_view(stream_id, analysis, step) for analysis, step in steps]
    return MomentsView(stream_id=stream_id, items=items, analyses_left_out=left_out)


def moment_view(repository: str, analysis: str, step: Step) -> MomentView:
    """A step of an analysis, or of the repository (a stream) itself where none is named."""
    named = {"stream_id": f"analysis/{analysis}", "analysis_id": analysis} if analysis else {"stream_id": repository}
    stands = {name: step.shown.get(name) for name in ("state", "commit")}
    return MomentView(at=step.at, version=step.version, event_type=step.event_type, **named, **stands)


@router.get("/timeline")
async def timeline(who: EventReader, parts: Parts, stream_id: StreamId) -> TimelineView:
    """The runs of an analysis: how long each waited for a worker, and how long it was worked on."""
    return timeline_of(stream_id, await _history(parts, who, stream_id), parts.clock())


@router.get("/causes")
async def causes(who: EventReader, parts: Parts, stream_id: StreamId) -> CausesView:
    """What led to what: each event of a stream with the one that caused it, and what it led to in other streams."""
    history = await _history(parts, who, stream_id)
    outside = [one.envelope.causation_id for one in links(history) if one.cause is None and one.envelope.causation_id]
    elsewhere = await parts.read.places(who.tenant_id, outside) if outside else {}
    return causes_of(stream_id, history, elsewhere, await parts.read.begun(who.tenant_id, stream_id))


def timeline_of(stream_id: str, history: Sequence[Envelope], now: datetime) -> TimelineView:
    """The runs in a history, which has an event at least."""
    found = [RunView(**vars(run), waited=run.waited(now), worked=run.worked(now)) for run in runs(history)]
    return TimelineView(
        stream_id=stream_id,
        at=now,
        began_at=history[0].timestamp,
        last_at=max(one.timestamp for one in history),
        stages=_stage_times(found),
        runs=found,
    )


def causes_of(
    stream_id: str,
    history: Sequence[Envelope],
    elsewhere: Mapping[UUID, ElsewhereView] = MappingProxyType({}),
    begun: Mapping[UUID, list[ElsewhereView]] = MappingProxyType({}),
) -> CausesView:
    """Each event of a history with the one that caused it.

    `elsewhere` are events of other streams, by their ids; `begun` those that came of an event of this one, by its id.
    """
    return CausesView(
        stream_id=stream_id,
        items=[
            CauseView(
                version=one.envelope.version,
                event_type=one.envelope.event_type,
                stage=stage_of(one.envelope),
                shard=_shard_of(one.envelope),
                timestamp=one.envelope.timestamp,
                cause=one.cause.version if one.cause is not None else 0,
                depth=one.depth,
                from_outside=one.cause is None and one.envelope.causation_id is not None,
                elsewhere=elsewhere.get(one.envelope.causation_id) if one.envelope.causation_id is not None else None,
                led_to=begun.get(one.envelope.event_id, []),
                about=_about(one.envelope),
            )
            for one in links(history)
        ],
    )


async def _history(parts: Services, who: Identity, stream_id: str) -> list[Envelope]:
    found = [one async for page in parts.inspection.events(who.tenant_id, stream_id) for one in page]
    if not found or found[0].tenant_id != who.tenant_id:
        raise ApiProblem("not_found", "Check the id: nothing of yours has it.")
    return found


def _stage_times(found: Sequence[RunView]) -> list[StageTime]:
    """Each stage in the order in which its first run was asked for."""
    return [
        StageTime(
            stage=stage,
            runs=len(of),
            waited=sum(run.waited for run in of),
            worked=sum(run.worked for run in of),
            longest_wait=max(run.waited for run in of),
            longest_run=max(run.worked for run in of),
        )
        for stage in dict.fromkeys(run.stage for run in found)
        for of in ([run for run in found if run.stage == stage],)
    ]


def _about(envelope: Envelope) -> str | None:
    """The analysis that an event of another stream names."""
    named = envelope.data.get("analysis_id")
    return f"{_ANALYSIS}{named}" if isinstance(named, str) and not envelope.stream_id.startswith(_ANALYSIS) else None


def _shard_of(envelope: Envelope) -> int:
    shard = envelope.data.get("shard", 0)
    return shard if isinstance(shard, int) else 0
