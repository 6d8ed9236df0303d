"""What goes again where a person asks for it: what was lost, or a stage, and all that is made of its result. Pure.

In:  the state of an analysis, and what is to run again.
Out: the state with those runs due, the same one where nothing of it can run.
"""

from collections.abc import Set
from dataclasses import replace

from events.processing import RetryRequested, Stage, StageRequested
from orchestrator.workflow.graph import REFINING, RULE_OF, RULES, is_done
from orchestrator.workflow.state import AnalysisState, Key, Phase, Slot, SlotStatus
from orchestrator.workflow.summary import reasons

MIXED = "mixed_models"
EMBEDDER = "embedder"  # why vectors are made again, where that is no stage's doing
ASKED_FOR, STOPPED = "asked_for", "stopped"  # why a run that did not fail is made again: as a person wants it
_EMBEDDED = frozenset({Stage.REFINE, Stage.PROMOTE})  # what the embedder of a setting does
_EMBEDDING = frozenset({Stage.EMBED, Stage.REFINE})
_INDEXED = frozenset({Stage.PARSE, Stage.EMBED, Stage.ACTIVATE, Stage.INDEX})  # parts of an index
_GENERATIONS = frozenset({Stage.ACTIVATE, Stage.PROMOTE})  # of which a second one stands beside the first
_AT_WORK = frozenset({SlotStatus.ASKED, SlotStatus.WAITING})


def retried(state: AnalysisState, event: RetryRequested) -> AnalysisState:
    """The state after a person asked for it: the same one where nothing can run by that.

    While an analysis runs, only a run that is named and was lost goes again. A failed one goes on from all that failed.
    A ready one that was stopped goes on with the rest.
    """
    if state.phase in {Phase.READY, Phase.REFINED}:
        return _mended(state, event)
    if state.stop is not None or state.phase not in {Phase.RUNNING, Phase.FAILED}:
        return state
    lost = {key for key, slot in state.slots.items() if _is_open(state, slot)}
    named = {key for key in lost if _is_named(event, state.slots[key])}
    if state.phase is Phase.RUNNING:
        return _with_due(state, named) if named else state
    if event.stage is not None and not named:
        return state
    return replace(_with_due(state, lost), phase=Phase.RUNNING, go=state.go + 1, held=False, expired=False)


def _mended(state: AnalysisState, event: RetryRequested) -> AnalysisState:
    """A ready analysis with what is asked for due. What is made of a stage that is named, or of vectors, follows."""
    ready = _taken_up(state) if state.stop is not None else state
    if event.stage is None and not event.files and is_mixed(ready):
        ready = all_embedded_again(ready.with_slot(replace(ready.slots[Stage.PROMOTE, 0], mixed=0)))
    again = {key for key, slot in ready.slots.items() if _is_asked_for(event, slot)}
    if not again and ready is state:
        return state
    anew = again if event.stage is not None else {key for key in again if has_refused_passages(ready.slots[key])}
    after = _followers(ready, anew)
    stages = {stage for stage, _ in again | after}
    second = any(is_done(ready.slots.get((stage, 0))) for stage in {stage for stage, _ in anew | after} & _GENERATIONS)
    return replace(
        _with_due(_outdated(ready, after), again),
        phase=Phase.READY,
        go=ready.go + 1,
        round=ready.round + (second or any(stage in _INDEXED for stage, _ in again)),
        mending=ready.mending or bool(stages - REFINING),
    )


def again_of(state: AnalysisState, request: StageRequested) -> RetryRequested | None:
    """The retry by which a run that failed is done again; None where it does not wait, or nothing would come of it."""
    slot = state.slots.get((request.stage, request.shard))
    retry = RetryRequested(stage=request.stage, shard=request.shard)
    waits = slot is not None and slot.status is SlotStatus.FAILED
    return retry if waits and retried(state, retry) is not state else None


def has_failed_files(slot: Slot) -> bool:
    """Whether a parsed shard has files whose parse did not end well."""
    return slot.stage is Stage.PARSE and is_done(slot) and bool(reasons(slot.facts, slot.counts, "failed"))


def has_refused_passages(slot: Slot) -> bool:
    """Whether a provider gave no vector for passages that were embedded: they are found by their words alone."""
    return slot.stage in _EMBEDDING and is_done(slot) and slot.counts.get("not_embedded", 0) > 0


def is_mixed(state: AnalysisState) -> bool:
    """Whether the full generation is not there since its vectors are of two models."""
    slot = state.slots.get((Stage.PROMOTE, 0))
    if slot is None or slot.status is not SlotStatus.FAILED or slot.failure is None:
        return False
    return slot.failure.code == MIXED


def all_embedded_again(state: AnalysisState) -> AnalysisState:
    """The state in which all vectors of the full generation are to be made again."""
    slots = {key: _embedded_again(slot) if key[0] in _EMBEDDED else slot for key, slot in state.slots.items()}
    return replace(state, round=state.round + 1, slots=slots)


def _embedded_again(slot: Slot) -> Slot:
    return _due(slot) if slot.status is SlotStatus.FAILED else replace(slot, stale=EMBEDDER)


def _is_named(event: RetryRequested, slot: Slot) -> bool:
    return slot.stage is event.stage and event.shard in {None, slot.shard}


def _is_open(state: AnalysisState, slot: Slot) -> bool:
    """Whether it failed before the analysis was ready, and another attempt comes in time."""
    return (
        slot.status is SlotStatus.FAILED and RULE_OF[slot.stage].phase is Phase.RUNNING and not _too_late(state, slot)
    )


def _is_asked_for(event: RetryRequested, slot: Slot) -> bool:
    """Whether it is asked for of a ready analysis: what was lost, what failed in part, or a stage that is named."""
    ended = slot.status in {SlotStatus.FAILED, SlotStatus.DONE}
    if event.stage is not None:
        return ended and _is_named(event, slot) and slot.stage is not Stage.CLONE
    lost = slot.status is SlotStatus.FAILED or (ended and (has_failed_files(slot) or has_refused_passages(slot)))
    return lost and (slot.stage is Stage.PARSE or not event.files)


def _too_late(state: AnalysisState, slot: Slot) -> bool:
    """Whether the words were indexed without this parse shard: it is added once that index serves."""
    index = state.slots.get((Stage.INDEX, 0))
    return slot.stage is Stage.PARSE and index is not None and index.status in {SlotStatus.ASKED, SlotStatus.DONE}


def _taken_up(state: AnalysisState) -> AnalysisState:
    """A ready analysis that was stopped, with all due that was at work then: those runs ended without a word."""
    cut_off = {key for key, slot in state.slots.items() if slot.status in _AT_WORK}
    slots = {key: replace(_due(slot), stale=STOPPED) if key in cut_off else slot for key, slot in state.slots.items()}
    return replace(state, stop=None, slots=slots)


def _followers(state: AnalysisState, again: Set[Key]) -> set[Key]:
    """What is made of the results of these runs, and of theirs."""
    found: set[Key] = set()
    for rule in RULES:  # each after what it takes from
        for take in rule.takes:
            of = {shard for stage, shard in again | found if stage is take.of}
            found |= {(rule.stage, shard) for shard in (of if rule.per_shard_of is not None else {0}) if of}
    return {key for key in found - again if key in state.slots}


def _outdated(state: AnalysisState, followers: Set[Key]) -> AnalysisState:
    """What failed of them is due; what is there, or at work, is made once more afterwards."""
    slots = {
        key: _due(slot) if slot.status is SlotStatus.FAILED else replace(slot, stale=slot.stale or ASKED_FOR)
        for key, slot in state.slots.items()
        if key in followers
    }
    return replace(state, slots={**state.slots, **slots})


def _with_due(state: AnalysisState, again: Set[Key]) -> AnalysisState:
    return replace(state, slots={key: _due(slot) if key in again else slot for key, slot in state.slots.items()})


def _due(slot: Slot) -> Slot:
    """The slot as it waits to be asked for; what did not fail is because somebody wants it."""
    whole = slot.status is SlotStatus.DONE and not has_failed_files(slot)
    stale = (slot.stale or ASKED_FOR) if whole else slot.stale
    return replace(slot, status=SlotStatus.DUE, since=slot.attempt + 1, stands=is_done(slot), stale=stale)
