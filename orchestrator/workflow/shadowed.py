"""A stage's runs over again, on what was recorded as their inputs, beside what served when they were asked for. Pure.

In:  the state of an analysis, a stage and the id of its shadow.
Out: the requests as a worker takes them. They are of the shadow's own stream, and name neither address nor commit.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from events.artifacts import ArtifactKind, ArtifactRef
from events.base import Context, Draft, Envelope, derived_id
from events.log.drafts import record
from events.processing import Stage, StageCompleted, StageRequested
from events.replay.made import made_key
from orchestrator.workflow.decide import asked_about, run_id_of
from orchestrator.workflow.evolve import PROMOTED, evolve_all
from orchestrator.workflow.graph import RULE_OF, inputs, is_done, is_whole
from orchestrator.workflow.onward import decisions
from orchestrator.workflow.policy import Policy, is_lost
from orchestrator.workflow.state import AnalysisState, Phase, Slot

OFFERED = (Stage.METADATA, Stage.STRUCTURE, Stage.PARSE, Stage.LINK, Stage.INDEX, Stage.EMBED)
PASSAGES = frozenset({ArtifactKind.CHUNKS, ArtifactKind.SYMBOLS})  # what an index is made of, and parsing makes
_TAKES_RECORDED = frozenset({Stage.EMBED})  # its model is not asked: the vectors that it made answer for it
_SERVES = frozenset({Phase.READY, Phase.REFINED})
_GENERATIONS = (Stage.ACTIVATE, Stage.PROMOTE)  # whose results say which vectors are searched beside an index
_VECTORS, _SEARCHED, _VERSION = "vectors", "searched", "version"  # of a base, beside the numbers of shards
OUTDATED = "Something else serves by now than when the shadow was asked for: make a new one, to compare it with that."


class NotPromotable(Exception):
    """A shadow that cannot take the place of what serves, and why."""

    def __init__(self, message: str, *, outdated: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.outdated = outdated


def base_of(state: AnalysisState, stage: Stage) -> dict[str, str]:
    """What a shadow is compared with: the result of each shard of a stage that stands, by its digest.

    Of an index also what was made of the vectors that are searched beside it, and which of them are: a person may have
    gone back to earlier ones.
    """
    results = {str(slot.shard): _digest((slot,)) for slot in state.of(stage) if is_done(slot)}
    if stage is not Stage.INDEX:
        return results
    vectors = _digest(slot for each in _GENERATIONS for slot in state.of(each) if is_done(slot))
    return results | {_VECTORS: vectors, _SEARCHED: str(state.serves or "")}


def _digest(slots: Iterable[Slot]) -> str:
    """What names results: the same whichever attempt had them, and while another one is at work."""
    said = [
        (slot.stage, sorted((ref.kind, ref.shard, ref.sha256) for ref in slot.artifacts), slot.counts, slot.facts)
        for slot in slots
    ]
    return hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()


def stands(state: AnalysisState, stage: Stage, base: Mapping[str, str]) -> bool:
    """Whether what a shadow was asked beside still serves. An earlier release named runs, and no vectors."""
    runs = {str(slot.shard): str(slot.run_id) for slot in state.of(stage) if is_done(slot)}
    return dict(base) in (base_of(state, stage), runs)


def base_of_history(history: Sequence[Envelope]) -> dict[str, str]:
    """What a shadow of the workflow is compared with: the events until the newest one."""
    return {_VERSION: str(history[-1].version)}


def recorded_by(history: Sequence[Envelope], base: Mapping[str, str]) -> list[Envelope]:
    """The events of a base, and what the workflow decided on them later; all where an earlier release made it."""
    version = int(base.get(_VERSION, len(history)))
    begun = [*history[:version]]
    known = {envelope.event_id for envelope in begun}
    return [*begun, *(each for each in decisions(history, version) if each.causation_id in known)]


def is_coming(state: AnalysisState, policy: Policy) -> bool:
    """Whether other vectors than those that serve are still to come: the first, better ones, or what was lost."""
    if state.phase is Phase.RUNNING or state.mending:
        return True
    if state.phase is not Phase.READY or state.stop is not None or is_whole(state.slots.get((Stage.PROMOTE, 0))):
        return False
    return not any(is_lost(policy, slot) for stage in (Stage.REFINE, Stage.PROMOTE) for slot in state.of(stage))


def requests(
    state: AnalysisState, stage: Stage, shadow_id: UUID, at: datetime, passages: Sequence[ArtifactRef] = ()
) -> list[Envelope]:
    """A request for each shard of the stage that is done, on the inputs that it would be asked for with today.

    `passages` are those of another shadow, which take the place of the recorded ones.
    """
    rule = RULE_OF[stage]
    if state.analysis_id is None or state.context is None:
        return []
    kept = {*(() if stage in _TAKES_RECORDED else rule.keeps), *(PASSAGES if passages else ())}
    found = []
    for slot in state.of(stage) if all(is_done(each) for each in state.of(Stage.CLONE)) else ():
        if not is_done(slot):
            continue
        event = StageRequested(
            analysis_id=state.analysis_id,
            run_id=derived_id("shadow", shadow_id, stage.value, slot.shard),
            stage=stage,
            shard=slot.shard,
            shards=slot.shards,
            url="",
            inputs=(*(ref for ref in inputs(state, rule, slot.shard) if ref.kind not in kept), *passages),
        )
        found.append(_envelope(event, state.context, shadow_id, at))
    return found


def _envelope(event: StageRequested, context: Context, shadow_id: UUID, at: datetime) -> Envelope:
    own = context.model_copy(update={"causation_id": None, "traceparent": None, "correlation_id": shadow_id})
    draft = Draft(event_id=event.run_id, occurred_at=at, context=own, event=event, stage=event.stage.value)
    return record(draft, f"sandbox/{shadow_id}", event.shard + 1)


def passages_of(state: AnalysisState, shadow_id: UUID, made: Sequence[StageCompleted]) -> list[ArtifactRef]:
    """The passages that a shadow of parsing made: as they are stored where they are as they were, else in the sandbox.

    Of a shard that it has no result of, those that stand.
    """
    found = []
    runs = {done.shard: done.artifacts for done in made}
    for slot in state.of(Stage.PARSE):
        live = {(ref.kind, ref.sha256): ref for ref in slot.artifacts}
        for ref in runs.get(slot.shard, slot.artifacts):
            if ref.kind in PASSAGES:
                own = ref.model_copy(update={"key": made_key(shadow_id, slot.shard, ref.kind)})
                found.append(live.get((ref.kind, ref.sha256), own))
    return found


def promotion(
    state: AnalysisState, stage: Stage, base: Mapping[str, str], made: Sequence[StageCompleted], at: datetime
) -> list[StageRequested | StageCompleted]:
    """The next attempt at each shard, with what the shadow made as its result. Raises NotPromotable.

    `made` has the artifacts as they are stored for the analysis.
    """
    if not stands(state, stage, base):
        raise NotPromotable(OUTDATED, outdated=True)
    if state.analysis_id is None or state.phase not in _SERVES or state.mending:
        raise NotPromotable("Wait until the analysis is ready: then its results can be replaced.")
    events: list[StageRequested | StageCompleted] = []
    for done in made:
        slot = state.slots[stage, done.shard]
        attempt = slot.attempt + 1
        run = {"run_id": run_id_of(state.analysis_id, stage, done.shard, attempt), "attempt": attempt}
        events.append(
            StageRequested(
                **run,
                analysis_id=state.analysis_id,
                stage=stage,
                shard=done.shard,
                shards=slot.shards,
                **asked_about(state),
                inputs=inputs(state, RULE_OF[stage], done.shard),
                because=PROMOTED,
                round=state.round,
            )
        )
        events.append(done.model_copy(update={**run, "shards": slot.shards}))
    after = evolve_all(state, ((event, at) for event in events))
    stale = sorted({s.stage.value for key, s in after.slots.items() if s.stale and not state.slots[key].stale})
    if stale:
        raise NotPromotable(
            f"What {', '.join(stale)} made was made of the result that serves: analyse the repository again instead."
        )
    return events
