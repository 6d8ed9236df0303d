"""Decide what happens next: compare what the stage graph wants with what was asked for already."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from events import processing as facts
from events.base import Context, Draft, Envelope, Event, derived_id
from events.processing import Stage
from orchestrator.workflow.estimate import estimate, needs_estimate
from orchestrator.workflow.evolve import CONFIRMATION, RETRY, evolve_all
from orchestrator.workflow.graph import (
    ASKS_HOST,
    MENDED_NEEDS,
    READY_NEEDS,
    REFINED_NEEDS,
    RULES,
    Rule,
    expected,
    fatal_loss,
    inputs,
    is_done,
    is_open,
    is_settled,
    is_whole,
    shard_count,
)
from orchestrator.workflow.policy import Pace, Policy, is_lost, retry_delay, tries
from orchestrator.workflow.state import AnalysisState, Phase, Slot, SlotStatus
from orchestrator.workflow.summary import summarise


@dataclass(frozen=True)
class Alarm:
    """A timer to be set; what it fires carries `data`."""

    timer_id: UUID
    due_at: datetime
    kind: str
    data: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Decision:
    """What is to be appended to the analysis's stream, and the timers to be set with it."""

    drafts: tuple[Draft, ...] = ()
    alarms: tuple[Alarm, ...] = ()


_NOTHING_TO_READ = facts.ProcessingFailed(
    stage=Stage.CLONE,
    kind=facts.FaultKind.PERMANENT,
    code="no_text_files",
    message="The repository has no text file that can be read: choose another one, or another ref.",
)


_NOT_CONFIRMED = facts.ProcessingFailed(
    stage=Stage.CLONE,
    kind=facts.FaultKind.PERMANENT,
    code="not_confirmed",
    message="It is over a limit of this installation and nobody confirmed it in time: retry it to have it analysed.",
)


def run_id_of(analysis_id: UUID, stage: Stage, shard: int, attempt: int) -> UUID:
    """The id of one run: deciding it again gives the same one."""
    return derived_id("run", analysis_id, stage.value, shard, attempt)


def decide(state: AnalysisState, cause: Envelope, policy: Policy, pace: Pace | None = None) -> Decision:
    """All that is due in `state`, stamped with the time and the cause of the message that made us look.

    `pace` is given where the rest of the analysis is to be estimated now.
    """
    at = cause.timestamp
    events: list[Event] = []
    if pace is not None and needs_estimate(state) and state.stop is None:
        events.append(estimate(state, pace, policy.thresholds, at))
        state = evolve_all(state, [(events[0], at)])
    while new := _due(state, policy, at):
        events += new
        state = evolve_all(state, ((event, at) for event in new))
    alarms = tuple(alarm for event in events if (alarm := alarm_of(state, event)) is not None)
    return Decision(tuple(_draft(state, cause, event) for event in events), alarms)


def _due(state: AnalysisState, policy: Policy, at: datetime) -> list[Event]:
    if state.phase is Phase.RUNNING:
        if (ended := _end_early(state, policy)) or state.held:
            return ended or [*_start(state)]
        return [*_start(state), *_runs(state, policy), *_complete(state, policy, at)]
    if state.phase is Phase.READY and state.stop is None:
        said = _complete(state, policy, at) if state.mending else _refined(state, policy, at)
        return [*_runs(state, policy)] or [*said]
    return []


def _end_early(state: AnalysisState, policy: Policy) -> list[Event]:
    if state.stop is not None:
        return [facts.ProcessingCancelled(reason=state.stop)]
    if shard_count(state) == 0:
        return [_NOTHING_TO_READ]
    if state.expired:
        return [_NOT_CONFIRMED]
    lost = fatal_loss(state, policy)
    if lost is None or lost.failure is None:
        return []
    why = lost.failure
    return [facts.ProcessingFailed(stage=lost.stage, kind=why.kind, code=why.code, message=why.message)]


def _start(state: AnalysisState) -> Iterator[Event]:
    clone = state.slots.get((Stage.CLONE, 0))
    if state.started or clone is None or not is_done(clone):
        return
    found = {**clone.facts, **clone.counts}
    yield facts.ProcessingStarted(
        url=state.url,
        commit=state.commit or "",
        ref=str(found.get("ref") or state.ref or "HEAD"),
        folder=state.folder,
        size=_number(found.get("bytes", found.get("size"))),
        file_count=_number(found.get("files", clone.files)),
        skipped_count=_number(clone.counts.get("skipped")),
    )


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


def _runs(state: AnalysisState, policy: Policy) -> Iterator[Event]:
    for slot in state.slots.values():
        if slot.status is SlotStatus.FAILED and not is_lost(policy, slot) and slot.failure is not None:
            yield facts.RetryScheduled(
                run_id=slot.run_id,
                stage=slot.stage,
                shard=slot.shard,
                attempt=slot.attempt,
                due_at=slot.failure.at + retry_delay(policy, tries(slot), slot.run_id, slot.failure.retry_after),
            )
    for rule in RULES:
        if rule.phase is state.phase or state.mending:
            yield from _requests(state, rule, policy)


def _requests(state: AnalysisState, rule: Rule, policy: Policy) -> Iterator[Event]:
    for shard in expected(state, rule.stage, policy) or ():
        slot = state.slots.get((rule.stage, shard))
        if (slot is None or _is_due(slot)) and is_open(state, rule, shard, policy):
            yield _request(state, rule, shard, slot)


def _is_due(slot: Slot) -> bool:
    return slot.status is SlotStatus.DUE or (slot.status is SlotStatus.DONE and not is_whole(slot))


def _because(slot: Slot) -> str:
    """Of what another attempt is made: of what changed or failed."""
    return slot.stale or (slot.failure.code if slot.failure is not None else "files_failed")


def asked_about(state: AnalysisState) -> dict[str, Any]:
    """The fields of every request of a stage that say what is analysed."""
    return {"url": state.url, "ref": state.ref, "folder": state.folder, "commit": state.commit}


def _request(state: AnalysisState, rule: Rule, shard: int, before: Slot | None) -> facts.StageRequested:
    if state.analysis_id is None:
        raise ValueError("an analysis that was never requested asks for nothing")
    attempt = 1 if before is None else before.attempt + 1
    return facts.StageRequested(
        analysis_id=state.analysis_id,
        run_id=run_id_of(state.analysis_id, rule.stage, shard, attempt),
        stage=rule.stage,
        shard=shard,
        shards=(shard_count(state) or 1) if rule.per_shard_of is not None else 1,
        attempt=attempt,
        **asked_about(state),
        inputs=state.upload if rule.stage is Stage.CLONE else inputs(state, rule, shard),
        credential_ref=state.credential_ref if rule.stage in ASKS_HOST else None,
        history_depth=state.history if rule.stage is Stage.HISTORY else 0,
        include=state.include if rule.stage is Stage.CLONE else (),
        because="" if before is None else _because(before),
        round=state.round,
    )


def _complete(state: AnalysisState, policy: Policy, at: datetime) -> Iterator[Event]:
    needs = MENDED_NEEDS if state.mending else READY_NEEDS
    if not all(is_settled(state, stage, policy) for stage in needs):
        return
    summary = summarise(state, policy)
    yield facts.ProcessingCompleted(
        commit=state.commit or "",
        totals=summary.totals,
        skipped=summary.skipped,
        failed=summary.failed,
        duration=_seconds(state, at),
        partial=summary.partial,
    )


def _refined(state: AnalysisState, policy: Policy, at: datetime) -> Iterator[Event]:
    is_full = is_settled(state, Stage.REFINE, policy)
    if is_full and all(is_whole(state.slots.get((stage, 0))) for stage in REFINED_NEEDS):
        yield facts.ProcessingRefined(duration=_seconds(state, at))


def _seconds(state: AnalysisState, at: datetime) -> float:
    return max(0.0, (at - state.requested_at).total_seconds()) if state.requested_at is not None else 0.0


def _draft(state: AnalysisState, cause: Envelope, event: Event) -> Draft:
    """The event's id derives from what it says, not from who asked: two causes of one decision are one event."""
    run = event if isinstance(event, facts.StageRequested | facts.RetryScheduled) else None
    key = run.run_id if run is not None else state.go
    stage = run.stage.value if run is not None else None
    return Draft(
        event_id=derived_id(cause.stream_id, event.event_type, key),
        occurred_at=cause.timestamp,
        context=_context(state, cause),
        event=event,
        stage=stage,
    )


def _context(state: AnalysisState, cause: Envelope) -> Context:
    """Whose analysis it is, as its request said: a timer's event does not know."""
    return (state.context or cause.context).model_copy(
        update={"causation_id": cause.event_id, "traceparent": cause.traceparent}
    )


def alarm_of(state: AnalysisState, event: Event) -> Alarm | None:
    """The timer that is set with an event, where one is."""
    if isinstance(event, facts.ProcessingEstimated) and event.until is not None:
        return Alarm(derived_id("timer", state.analysis_id, CONFIRMATION), event.until, CONFIRMATION)
    if not isinstance(event, facts.RetryScheduled):
        return None
    data: dict[str, object] = {
        "run_id": str(event.run_id),
        "stage": event.stage.value,
        "shard": event.shard,
        "attempt": event.attempt,
    }
    return Alarm(derived_id("timer", event.run_id), event.due_at, RETRY, data)
