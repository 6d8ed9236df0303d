"""One analysis as people see it, folded from its stream. Pure: the same events give the same record."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field

from events import processing as facts
from events.base import Envelope, Event
from events.catalog import EVENTS, decode
from events.index import EmbedderChanged
from events.processing import Stage
from orchestrator.api.models import AnalysisState, AnalysisView, EstimateView, StageState
from orchestrator.projections.heads import head_of
from orchestrator.projections.spent import spent_after

OVER = frozenset({AnalysisState.REFINED, AnalysisState.FAILED, AnalysisState.CANCELLED})
ACTIVE = frozenset({StageState.QUEUED, StageState.RUNNING, StageState.RETRYING})


@dataclass(slots=True)  # no model: thousands of them are changed over and over
class RunRecord:
    """The newest run of one shard of one stage."""

    state: StageState
    requested_at: datetime
    attempt: int = 1
    started_at: datetime | None = None
    ended_at: datetime | None = None
    files: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    failed: dict[str, int] = field(default_factory=dict)  # files that parsing lost, by reason
    code: str | None = None
    message: str | None = None
    retry_at: datetime | None = None


class StageRecord(BaseModel):
    """One stage: how many shards it has, and the newest run of each, by number (as text: it is stored as JSON)."""

    shards: int = 0
    runs: dict[str, RunRecord] = Field(default_factory=dict)


class AnalysisRecord(BaseModel):
    """All that is known of one analysis. `view.stages` is empty here: it is computed from `stages`."""

    tenant_id: UUID
    view: AnalysisView
    stages: dict[str, StageRecord] = Field(default_factory=dict)


def is_running(record: AnalysisRecord) -> bool:
    """Whether work goes on: until it is ready, and after that while it is refined."""
    if record.view.state is AnalysisState.READY:
        return any(run.state in ACTIVE for stage in record.stages.values() for run in stage.runs.values())
    return record.view.state not in OVER


def name_of(url: str, folder: str = "") -> str:
    """What people call a repository: the path of its address; a folder of it after a colon, as git writes it."""
    name = "/".join(url.split("/")[3:])
    return f"{name}:{folder}" if folder else name


def begin(envelope: Envelope) -> AnalysisRecord | None:
    """The record that a stream's first event begins; None where it is no request."""
    if envelope.event_type != facts.ProcessingRequested.event_type or envelope.repository_id is None:
        return None
    event = facts.ProcessingRequested.model_validate(envelope.data)
    view = AnalysisView(
        analysis_id=event.analysis_id,
        repository_id=envelope.repository_id,
        url=event.url,
        name=name_of(event.url, event.folder),
        ref=event.ref,
        folder=event.folder,
        include=list(event.include),
        commit=event.commit,
        state=AnalysisState.REQUESTED,
        version=envelope.version,
        requested_at=envelope.timestamp,
        history_depth=event.history_depth,
        stages=[],
    )
    return AnalysisRecord(tenant_id=envelope.tenant_id, view=view)


def apply(record: AnalysisRecord | None, envelope: Envelope) -> AnalysisRecord | None:
    """The record after one more event of its stream; an event that is not newer changes nothing.

    Changes `record` in place. Raises UnknownEvent or ValidationError where a known event cannot be read.
    """
    if record is None:
        return begin(envelope)
    if envelope.version <= record.view.version:
        return record
    cls = EVENTS.get(envelope.event_type)
    step = _APPLY.get(cls) if cls is not None else None
    if step is not None:
        step(record, decode(envelope), envelope.timestamp)
    record.view.version = envelope.version
    return record


def fold(history: Iterable[Envelope], record: AnalysisRecord | None = None) -> AnalysisRecord | None:
    """The record that a stream adds up to, or the rest of it after `record`, which changes; None for an empty one."""
    for envelope in history:
        record = apply(record, envelope)
    return record


def _run(record: AnalysisRecord, stage: Stage, shard: int) -> RunRecord | None:
    return record.stages.get(stage, StageRecord()).runs.get(str(shard))


def _stage_requested(record: AnalysisRecord, event: facts.StageRequested, at: datetime) -> None:
    stage = record.stages.setdefault(event.stage, StageRecord())
    stage.shards = event.shards
    before = stage.runs.get(str(event.shard))
    run = RunRecord(state=StageState.QUEUED, attempt=event.attempt, requested_at=at)
    if before is not None:  # its result stands until there is another
        run.files, run.counts, run.failed = before.files, before.counts, before.failed
    stage.runs[str(event.shard)] = run


def _stage_started(record: AnalysisRecord, event: facts.StageStarted, at: datetime) -> None:
    run = _run(record, event.stage, event.shard)
    if run is None or run.attempt != event.attempt or run.state not in ACTIVE:
        return
    run.state, run.started_at = StageState.RUNNING, at
    _running(record)


def _stage_completed(record: AnalysisRecord, event: facts.StageCompleted, at: datetime) -> None:
    record.view.spent = spent_after(record.view.spent, event)
    run = _run(record, event.stage, event.shard)
    if run is None or run.attempt != event.attempt:
        return
    run.state, run.ended_at, run.files, run.counts = StageState.COMPLETED, at, event.files_processed, event.counts
    run.failed = _numbers(event.facts.get("failed")) if event.stage is Stage.PARSE else {}
    run.code = run.message = run.retry_at = None
    _running(record)
    _learn(record.view, event, at)


def _learn(view: AnalysisView, event: facts.StageCompleted, at: datetime) -> None:
    """What one stage's result says of the whole analysis."""
    match event.stage:
        case Stage.CLONE:
            commit, skipped = event.facts.get("commit"), event.facts.get("skipped")
            view.commit = commit if isinstance(commit, str) else view.commit
            view.skipped = _numbers(skipped)
            view.head = head_of(event.facts)
            view.languages = _numbers(event.facts.get("languages"))
        case Stage.METADATA:
            view.metadata = {**event.metadata_extracted, **event.facts}
        case Stage.STRUCTURE:
            view.structure = dict(event.facts)
            view.languages = _numbers(event.facts.get("languages"))
        case Stage.HISTORY:
            view.history = dict(event.facts)
        case Stage.INDEX if view.answerable_at is None:
            view.answerable_at = at
            view.state = AnalysisState.ANSWERABLE if view.state is AnalysisState.RUNNING else view.state
        case _:
            return


def _numbers(value: object) -> dict[str, int]:
    return {str(k): v for k, v in value.items() if isinstance(v, int)} if isinstance(value, dict) else {}


def _stage_failed(record: AnalysisRecord, event: facts.StageFailed, at: datetime) -> None:
    record.view.spent = spent_after(record.view.spent, event)
    run = _run(record, event.stage, event.shard)
    if run is not None and run.attempt == event.attempt and run.state in ACTIVE:
        run.state, run.ended_at, run.code, run.message = StageState.FAILED, at, event.code, event.message
    _running(record)


def _stage_parked(record: AnalysisRecord, event: facts.StageParked, at: datetime) -> None:
    run = _run(record, event.stage, event.shard)
    if run is not None and run.attempt == event.attempt and run.state in ACTIVE:
        run.state, run.ended_at, run.code, run.message = StageState.PARKED, at, "parked", event.message


def _retry_scheduled(record: AnalysisRecord, event: facts.RetryScheduled, _at: datetime) -> None:
    run = _run(record, event.stage, event.shard)
    if run is not None and run.attempt == event.attempt and run.state in {StageState.FAILED, StageState.PARKED}:
        run.state, run.retry_at = StageState.RETRYING, event.due_at


def _started(record: AnalysisRecord, event: facts.ProcessingStarted, _at: datetime) -> None:
    record.view.commit = event.commit
    _running(record)


def _estimated(record: AnalysisRecord, event: facts.ProcessingEstimated, _at: datetime) -> None:
    view = record.view
    view.estimate = EstimateView.model_validate(event.model_dump())
    if event.over and view.state in {AnalysisState.REQUESTED, AnalysisState.RUNNING}:
        view.state = AnalysisState.UNCONFIRMED


def _confirmed(record: AnalysisRecord, _event: facts.ProcessingConfirmed, at: datetime) -> None:
    if record.view.state is AnalysisState.UNCONFIRMED:
        record.view.state = AnalysisState.RUNNING
        if record.view.estimate is not None:
            record.view.estimate.confirmed_at = at


def _imported(record: AnalysisRecord, _event: facts.ProcessingImported, at: datetime) -> None:
    record.view.imported_at = at


def _running(record: AnalysisRecord) -> None:
    if record.view.state is AnalysisState.REQUESTED:
        record.view.state = AnalysisState.RUNNING


def _completed(record: AnalysisRecord, event: facts.ProcessingCompleted, at: datetime) -> None:
    view = record.view
    view.state, view.commit, view.partial = AnalysisState.READY, event.commit, event.partial
    view.ready_at = view.ready_at or at  # said again once what was lost is there
    view.totals, view.skipped, view.failed = event.totals, event.skipped, event.failed


def _refined(record: AnalysisRecord, _event: facts.ProcessingRefined, at: datetime) -> None:
    record.view.state, record.view.refined_at, record.view.ended_at = AnalysisState.REFINED, at, at


def _failed(record: AnalysisRecord, event: facts.ProcessingFailed, at: datetime) -> None:
    view = record.view
    view.state, view.ended_at, view.code, view.message = AnalysisState.FAILED, at, event.code, event.message


def _cancelled(record: AnalysisRecord, event: facts.ProcessingCancelled, at: datetime) -> None:
    view = record.view
    view.state, view.ended_at, view.code, view.message = AnalysisState.CANCELLED, at, "cancelled", event.reason or None
    _stop_runs(record, at)


def _cancel_requested(record: AnalysisRecord, _event: facts.CancelRequested, at: datetime) -> None:
    """On a ready analysis it stops the refinement, and that is the end; else the workflow says `cancelled`."""
    if record.view.state is AnalysisState.READY:
        record.view.ended_at = at
        _stop_runs(record, at)


def _stop_runs(record: AnalysisRecord, at: datetime) -> None:
    for stage in record.stages.values():
        for run in stage.runs.values():
            if run.state in ACTIVE:
                run.state, run.ended_at = StageState.CANCELLED, at


def _retry_requested(record: AnalysisRecord, event: facts.RetryRequested | EmbedderChanged, _at: datetime) -> None:
    view, by_person = record.view, isinstance(event, facts.RetryRequested)
    if view.state is AnalysisState.FAILED and by_person:
        view.state = AnalysisState.ANSWERABLE if view.answerable_at is not None else AnalysisState.RUNNING
        view.ended_at = view.code = view.message = None
    elif view.state is AnalysisState.REFINED or (by_person and view.state is AnalysisState.READY):
        view.state, view.ended_at = AnalysisState.READY, None


# Any: each function takes the one event class it stands beside.
_APPLY: dict[type[Event], Callable[[AnalysisRecord, Any, datetime], None]] = {
    facts.StageRequested: _stage_requested,
    facts.StageStarted: _stage_started,
    facts.StageCompleted: _stage_completed,
    facts.StageFailed: _stage_failed,
    facts.StageParked: _stage_parked,
    facts.RetryScheduled: _retry_scheduled,
    facts.ProcessingStarted: _started,
    facts.ProcessingCompleted: _completed,
    facts.ProcessingRefined: _refined,
    facts.ProcessingFailed: _failed,
    facts.ProcessingCancelled: _cancelled,
    facts.CancelRequested: _cancel_requested,
    facts.RetryRequested: _retry_requested,
    EmbedderChanged: _retry_requested,
    facts.ProcessingEstimated: _estimated,
    facts.ProcessingConfirmed: _confirmed,
    facts.ProcessingImported: _imported,
}
