"""An analysis that was made elsewhere, as a stream of this installation. Pure.

In:  its events as a bundle has them, what it is called here, and where its artifacts are now.
Out: the request, and of every shard of every stage when it was taken and how it ended, as the first attempt. Index,
     activation and what follows are left out: the workflow asks for them, since they are of this installation's own
     servers.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from events import processing as facts
from events.artifacts import ArtifactRef
from events.base import Envelope, Event
from events.processing import FaultKind, Stage
from orchestrator.workflow.decide import asked_about, run_id_of
from orchestrator.workflow.evolve import replay
from orchestrator.workflow.graph import RULES, is_done
from orchestrator.workflow.state import AnalysisState, Phase, Slot

MADE_HERE = frozenset({Stage.INDEX, Stage.ACTIVATE, Stage.PROMOTE})


class Told(NamedTuple):
    """One event of the new stream, and when it happened."""

    event: Event
    at: datetime
    stage: Stage | None = None


def imported(history: Sequence[Envelope], analysis_id: UUID, refs: Mapping[str, ArtifactRef]) -> list[Told]:
    """The events of the analysis as it is called here. `refs` are its artifacts here, by their checksum."""
    state, first = replay(history), history[0]
    request = facts.ProcessingRequested.model_validate(first.data)
    here = {"analysis_id": analysis_id, "credential_ref": None, "upload": ()}
    told = [Told(request.model_copy(update=here), first.timestamp)]
    told += _started(history)
    for rule in RULES:
        for slot in () if rule.stage in MADE_HERE else state.of(rule.stage):
            told += _slot(history, slot, analysis_id, state, refs)
    if state.phase is Phase.CANCELLED:
        told.append(Told(facts.CancelRequested(reason=state.stop or ""), history[-1].timestamp))
    return told


def _started(history: Sequence[Envelope]) -> list[Told]:
    found = [e for e in history if e.event_type == facts.ProcessingStarted.event_type]
    return [Told(facts.ProcessingStarted.model_validate(e.data), e.timestamp) for e in found[-1:]]


def _slot(
    history: Sequence[Envelope], slot: Slot, analysis_id: UUID, state: AnalysisState, refs: Mapping[str, ArtifactRef]
) -> Iterator[Told]:
    """That it was asked for, and how it ended. Of one that did not end nothing: it is asked for here."""
    ended = _ended(history, slot)
    if ended is None:
        return
    event, at = ended
    times = _times(history, event.run_id)
    asked_at, started_at = (times.get(cls.event_type) for cls in (facts.StageRequested, facts.StageStarted))
    run = {"run_id": run_id_of(analysis_id, slot.stage, slot.shard, 1), "attempt": 1}
    asked = facts.StageRequested(
        **run,
        analysis_id=analysis_id,
        stage=slot.stage,
        shard=slot.shard,
        shards=slot.shards,
        **asked_about(state),
    )
    yield Told(asked, asked_at or at, slot.stage)
    if started_at is not None:
        begun = facts.StageStarted(**run, stage=slot.stage, shard=slot.shard, worker="")  # one of elsewhere
        yield Told(begun, started_at, slot.stage)
    run["artifacts"] = tuple(refs[ref.sha256] for ref in event.artifacts if ref.sha256 in refs)
    yield Told(event.model_copy(update=run), at, slot.stage)


def _times(history: Sequence[Envelope], run_id: UUID) -> dict[str, datetime]:
    """When a run was asked for, and when the first worker took it, by the types of these events."""
    found: dict[str, datetime] = {}
    for envelope in history:
        if envelope.data.get("run_id") == str(run_id):
            found.setdefault(envelope.event_type, envelope.timestamp)
    return found


def _ended(history: Sequence[Envelope], slot: Slot) -> tuple[facts.StageCompleted | facts.StageFailed, datetime] | None:
    """The result that stands, else the failure that was the end of it."""
    if is_done(slot):
        for envelope in reversed(history):
            if envelope.event_type == facts.StageCompleted.event_type:
                done = facts.StageCompleted.model_validate(envelope.data)
                if (done.stage, done.shard, done.artifacts) == (slot.stage, slot.shard, slot.artifacts):
                    return done, envelope.timestamp
    if slot.failure is None:
        return None
    lost = facts.StageFailed(
        run_id=slot.run_id,
        stage=slot.stage,
        shard=slot.shard,
        shards=slot.shards,
        attempt=slot.attempt,
        kind=FaultKind.PERMANENT,
        code=slot.failure.code,
        message=slot.failure.message,
    )
    return lost, slot.failure.at
