"""From an analysis's record to its view: each stage summed up over its shards."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from events.processing import Stage
from orchestrator.api.models import AnalysisState, AnalysisSummary, AnalysisView, ReusedView, StageState, StageView
from orchestrator.projections.analyses import ACTIVE, AnalysisRecord, RunRecord, StageRecord

_SEARCHABLE = frozenset({AnalysisState.READY, AnalysisState.REFINED})
_BROKEN = (StageState.PARKED, StageState.FAILED, StageState.CANCELLED)


def view_of(record: AnalysisRecord) -> AnalysisView:
    """The analysis with all its stages, in the order of the graph; history where it was asked for."""
    stages = [
        _stage_view(stage, record.stages.get(stage, StageRecord()), record.view.state)
        for stage in Stage
        if stage is not Stage.HISTORY or record.view.history_depth
    ]
    return record.view.model_copy(update={"stages": stages, "outcomes": _outcomes(record), "reused": _reused(record)})


def summary_of(record: AnalysisRecord) -> AnalysisSummary:
    """The analysis without its stages and facts."""
    known = {name: getattr(record.view, name) for name in AnalysisSummary.model_fields}
    return AnalysisSummary.model_construct(**{**known, "outcomes": _outcomes(record), "reused": _reused(record)})


def _reused(record: AnalysisRecord) -> ReusedView | None:
    runs = record.stages.get(Stage.PARSE, StageRecord()).runs.values()
    files, of = sum(run.counts.get("files_reused", 0) for run in runs), sum(run.files for run in runs)
    return ReusedView(files=files, of=of, percent=100 * files // of) if files and of else None


def _outcomes(record: AnalysisRecord) -> dict[str, int]:
    """Files by what parsing did with them, over all shards, most first; the reason stands after a dot."""
    found: Counter[str] = Counter()
    for run in record.stages.get(Stage.PARSE, StageRecord()).runs.values():
        found.update({name: n for name, n in run.counts.items() if name == "parsed" or "." in name})
        found.update({f"failed.{reason}": n for reason, n in run.failed.items()})
    return {name: n for name, n in found.most_common() if n > 0}


def _stage_view(stage: Stage, record: StageRecord, analysis: AnalysisState) -> StageView:
    runs = list(record.runs.values())
    state = _state(record, runs, analysis)
    began = min((run.started_at for run in runs if run.started_at is not None), default=None)
    ended = _last(run.ended_at for run in runs) if runs and state not in {*ACTIVE, StageState.WAITING} else None
    counts: Counter[str] = Counter()
    for run in runs:
        counts.update(run.counts)
    broken = next((run for run in runs if run.state in {*_BROKEN, StageState.RETRYING}), None)
    return StageView(
        stage=stage,
        state=state,
        shards=record.shards,
        shards_done=sum(run.state is StageState.COMPLETED for run in runs),
        attempt=max((run.attempt for run in runs), default=1),
        started_at=began,
        ended_at=ended,
        duration=(ended - began).total_seconds() if began is not None and ended is not None else None,
        files_processed=sum(run.files for run in runs),
        counts=dict(counts),
        code=broken.code if broken is not None else None,
        message=broken.message if broken is not None else None,
        retry_at=min((run.retry_at for run in runs if run.retry_at is not None), default=None),
    )


def _last(moments: Iterable[datetime | None]) -> datetime | None:
    return max((moment for moment in moments if moment is not None), default=None)


def _state(record: StageRecord, runs: list[RunRecord], analysis: AnalysisState) -> StageState:
    """The most alive of the shards' states; broken only once nothing is alive; complete once nothing is missing."""
    states = {run.state for run in runs}
    if not runs:
        return StageState.WAITING
    for state in (StageState.RUNNING, StageState.RETRYING, StageState.QUEUED):
        if state in states:
            return StageState.RUNNING if StageState.COMPLETED in states and state is StageState.QUEUED else state
    for state in _BROKEN:
        if state in states:
            return state
    all_there = len(runs) >= record.shards or analysis in _SEARCHABLE
    return StageState.COMPLETED if all_there else StageState.RUNNING
