"""Fold one event into the state of an analysis. What is late, stale or unknown changes nothing."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from events import processing as facts
from events.artifacts import ArtifactKind
from events.base import Envelope, Event
from events.catalog import EVENTS, decode
from events.index import EmbedderChanged, IndexActivated
from events.processing import FaultKind, Stage
from orchestrator.workflow.graph import RULES, is_done, is_whole
from orchestrator.workflow.retrying import MIXED, all_embedded_again, is_mixed, retried
from orchestrator.workflow.state import AnalysisState, Failure, Phase, Slot, SlotStatus

PARKED = "parked"  # the code of a run that killed its workers
EDITED = "edited"  # why a person had a parked run done again with other values
PROMOTED = "shadow"  # why a run is in the stream that was made in a sandbox
RETRY, CONFIRMATION = "retry", "confirmation"  # the kinds of timers
MIXED_AT_MOST = 5  # of so many in a row a person has to look why the models change


def _requested(state: AnalysisState, event: facts.ProcessingRequested, at: datetime) -> AnalysisState:
    if state.phase is not Phase.NEW:
        return state
    return replace(
        state,
        phase=Phase.RUNNING,
        analysis_id=event.analysis_id,
        url=event.url,
        ref=event.ref,
        folder=event.folder,
        commit=event.commit,
        include=event.include,
        credential_ref=event.credential_ref,
        upload=event.upload,
        history=event.history_depth,
        requested_at=at,
    )


def _started(state: AnalysisState, event: facts.ProcessingStarted, _at: datetime) -> AnalysisState:
    return replace(state, started=True, commit=event.commit)


def _stage_requested(state: AnalysisState, event: facts.StageRequested, _at: datetime) -> AnalysisState:
    before = state.slots.get((event.stage, event.shard))
    if before is None:
        new = Slot(event.stage, event.shard, event.shards, event.run_id, attempt=event.attempt, since=event.attempt)
        return state.with_slot(new)
    if (is_whole(before) and event.because != PROMOTED) or before.attempt >= event.attempt:
        return state
    return state.with_slot(
        replace(
            before,
            shards=event.shards,
            run_id=event.run_id,
            attempt=event.attempt,
            since=event.attempt if before.status is SlotStatus.DONE or before.stale else before.since,
            status=SlotStatus.ASKED,
            failure=None,
            stands=is_done(before),
            stale="",
        )
    )


def _stage_completed(state: AnalysisState, event: facts.StageCompleted, _at: datetime) -> AnalysisState:
    slot = state.slots.get((event.stage, event.shard))
    if slot is None or slot.status is not SlotStatus.ASKED or slot.attempt != event.attempt:
        return state
    done = replace(
        slot,
        status=SlotStatus.DONE,
        failure=None,
        stands=False,
        mixed=0,
        artifacts=event.artifacts,
        files=event.files_processed,
        counts=dict(event.counts),
        facts=dict(event.facts),
    )
    after = _outdate(state.with_slot(done), slot, done)
    commit = event.facts.get("commit")
    return replace(after, commit=commit) if event.stage is Stage.CLONE and isinstance(commit, str) else after


def _outdate(state: AnalysisState, before: Slot, done: Slot) -> AnalysisState:
    """Say of what was asked for already that it was asked for with another result of this slot."""
    for rule in RULES:
        follower = state.slots.get((rule.stage, done.shard if rule.per_shard_of is not None else 0))
        kinds = [take.kind for take in rule.takes if take.of is done.stage]
        if follower is not None and any(_content(before, kind) != _content(done, kind) for kind in kinds):
            state = state.with_slot(replace(follower, stale=done.stage.value))
    return state


def _content(slot: Slot, kind: ArtifactKind) -> list[str]:
    return [ref.sha256 for ref in slot.outputs(kind)]


def _failed(state: AnalysisState, event: facts.StageFailed | facts.StageParked, failure: Failure) -> AnalysisState:
    slot = state.slots.get((event.stage, event.shard))
    if slot is None or slot.status is not SlotStatus.ASKED or slot.attempt != event.attempt:
        return state
    mixed = slot.mixed + 1 if failure.code == MIXED else 0
    return state.with_slot(replace(slot, status=SlotStatus.FAILED, failure=failure, mixed=mixed))


def _stage_failed(state: AnalysisState, event: facts.StageFailed, at: datetime) -> AnalysisState:
    return _failed(state, event, Failure(event.kind, event.code, event.message, at, event.retry_after))


def _stage_parked(state: AnalysisState, event: facts.StageParked, at: datetime) -> AnalysisState:
    return _failed(state, event, Failure(FaultKind.PERMANENT, PARKED, event.message, at))


def _retry_scheduled(state: AnalysisState, event: facts.RetryScheduled, _at: datetime) -> AnalysisState:
    slot = state.slots.get((event.stage, event.shard))
    if slot is None or slot.status is not SlotStatus.FAILED or slot.attempt != event.attempt:
        return state
    return state.with_slot(replace(slot, status=SlotStatus.WAITING))


def _estimated(state: AnalysisState, event: facts.ProcessingEstimated, _at: datetime) -> AnalysisState:
    return replace(state, estimated=True, held=bool(event.over)) if state.phase is Phase.RUNNING else state


def _confirmed(state: AnalysisState, _event: facts.ProcessingConfirmed, _at: datetime) -> AnalysisState:
    return replace(state, held=False) if state.phase is Phase.RUNNING and not state.expired else state


def _timer_fired(state: AnalysisState, event: facts.TimerFired, _at: datetime) -> AnalysisState:
    if event.kind == CONFIRMATION:
        return replace(state, expired=state.held and state.phase is Phase.RUNNING)
    stage, shard, attempt = event.data.get("stage"), event.data.get("shard"), event.data.get("attempt")
    if event.kind != RETRY or stage not in set(Stage) or not isinstance(shard, int):
        return state
    slot = state.slots.get((Stage(str(stage)), shard))
    if slot is None or slot.status is not SlotStatus.WAITING or slot.attempt != attempt:
        return state
    return state.with_slot(replace(slot, status=SlotStatus.DUE))


def _cancel_requested(state: AnalysisState, event: facts.CancelRequested, _at: datetime) -> AnalysisState:
    return replace(state, stop=event.reason) if state.phase in {Phase.RUNNING, Phase.READY} else state


def _embedder_changed(state: AnalysisState, event: EmbedderChanged, _at: datetime) -> AnalysisState:
    """Have all vectors of the full generation made again; what is at work may have been begun with the earlier model.

    Until the new ones serve, the old ones stand. What *promote* says of a mixture is believed a few times in a row.
    """
    if state.phase not in {Phase.READY, Phase.REFINED} or state.stop is not None:
        return state
    if not event.model and is_mixed(state) and state.slots[Stage.PROMOTE, 0].mixed > MIXED_AT_MOST:
        return state
    return replace(all_embedded_again(state), phase=Phase.READY, go=state.go + 1)


def _activated(state: AnalysisState, event: IndexActivated, _at: datetime) -> AnalysisState:
    return replace(state, serves=event.generation_id)


def _retry_requested(state: AnalysisState, event: facts.RetryRequested, _at: datetime) -> AnalysisState:
    return retried(state, event)


def _ended(phase: Phase) -> Callable[[AnalysisState, Event, datetime], AnalysisState]:
    def end(state: AnalysisState, _event: Event, _at: datetime) -> AnalysisState:
        return replace(state, phase=phase)

    return end


def _completed(state: AnalysisState, _event: facts.ProcessingCompleted, _at: datetime) -> AnalysisState:
    return replace(state, phase=Phase.READY, mending=False)


# Any: each function takes the one event class it stands beside.
_EVOLVE: dict[type[Event], Callable[[AnalysisState, Any, datetime], AnalysisState]] = {
    facts.ProcessingRequested: _requested,
    facts.ProcessingStarted: _started,
    facts.StageRequested: _stage_requested,
    facts.StageCompleted: _stage_completed,
    facts.StageFailed: _stage_failed,
    facts.StageParked: _stage_parked,
    facts.RetryScheduled: _retry_scheduled,
    facts.TimerFired: _timer_fired,
    facts.CancelRequested: _cancel_requested,
    facts.RetryRequested: _retry_requested,
    facts.ProcessingEstimated: _estimated,
    facts.ProcessingConfirmed: _confirmed,
    EmbedderChanged: _embedder_changed,
    IndexActivated: _activated,
    facts.ProcessingCompleted: _completed,
    facts.ProcessingRefined: _ended(Phase.REFINED),
    facts.ProcessingFailed: _ended(Phase.FAILED),
    facts.ProcessingCancelled: _ended(Phase.CANCELLED),
}


def evolve(state: AnalysisState, event: Event, at: datetime) -> AnalysisState:
    """The state after `event`, which happened `at`. Total: an event that says nothing new changes nothing."""
    step = _EVOLVE.get(type(event))
    return state if step is None else step(state, event, at)


def evolve_all(state: AnalysisState, events: Iterable[tuple[Event, datetime]]) -> AnalysisState:
    """The state after all of `events`, in order."""
    for event, at in events:
        state = evolve(state, event, at)
    return state


def replay(history: Iterable[Envelope], state: AnalysisState | None = None) -> AnalysisState:
    """The state that a stream adds up to, or the rest of it after `state`.

    Raises UnknownEvent for a schema version that this code does not know.
    """
    state = state or AnalysisState()
    for envelope in history:
        if EVENTS.get(envelope.event_type) not in _EVOLVE:
            continue
        first = state.context is None and envelope.event_type == facts.ProcessingRequested.event_type
        state = evolve(state, decode(envelope), envelope.timestamp)
        if first:
            state = replace(state, context=envelope.context)
    return state
