"""The stage graph as data, and the questions that a decision asks of it.

A join is a set check: which shards there should be, and whether each of them is settled.
"""

from dataclasses import dataclass
from enum import Enum, auto

from events.artifacts import ArtifactKind, ArtifactRef
from events.processing import Stage
from orchestrator.workflow.policy import Policy, is_lost
from orchestrator.workflow.state import AnalysisState, Phase, Slot, SlotStatus


class Loss(Enum):
    """What it means for the analysis that a shard of a stage is lost."""

    FATAL = auto()  # the analysis failed
    PARTIAL = auto()  # it goes on and says what is missing
    PARTIAL_UNLESS_ALL = auto()  # the same, but nothing at all is too little
    RECORDED = auto()  # it is ready all the same; the better generation does not come


@dataclass(frozen=True)
class Needs:
    """A stage that has to be done before: its shard of the same number, or all of it.

    `if_coming`: only where it was asked for and can still come; then with all that it needs itself.
    """

    stage: Stage
    same_shard: bool = False
    if_coming: bool = False


@dataclass(frozen=True)
class Takes:
    """A kind of artifact that a run reads: that of its own shard, or all."""

    kind: ArtifactKind
    of: Stage
    own_shard: bool = False


@dataclass(frozen=True)
class Rule:
    """One stage. `per_shard_of` is the stage whose shards it has too; without one it has a single shard.

    `on_demand` is a stage that only some analyses have. Where an index serves already, it needs what `again` says
    instead; `keeps` are the kinds of what it made before that it is then shown.
    """

    stage: Stage
    needs: tuple[Needs, ...]
    takes: tuple[Takes, ...]
    loss: Loss
    per_shard_of: Stage | None = None
    phase: Phase = Phase.RUNNING
    on_demand: bool = False
    again: tuple[Needs, ...] | None = None
    keeps: tuple[ArtifactKind, ...] = ()


_TREE = Takes(ArtifactKind.TREE, Stage.CLONE)
_SOURCES = Takes(ArtifactKind.SOURCES, Stage.CLONE)
_LOCKS = Takes(ArtifactKind.LOCKS, Stage.CLONE)
_CHUNKS = Takes(ArtifactKind.CHUNKS, Stage.PARSE)
_OWN_CHUNKS = Takes(ArtifactKind.CHUNKS, Stage.PARSE, own_shard=True)

RULES: tuple[Rule, ...] = (
    Rule(Stage.CLONE, (), (), Loss.FATAL),
    Rule(Stage.METADATA, (Needs(Stage.CLONE),), (_TREE, _SOURCES, _LOCKS), Loss.PARTIAL),
    Rule(Stage.STRUCTURE, (Needs(Stage.CLONE),), (_TREE, _SOURCES), Loss.PARTIAL),
    Rule(Stage.HISTORY, (Needs(Stage.CLONE),), (_TREE,), Loss.PARTIAL, on_demand=True),
    Rule(
        Stage.PARSE,
        (Needs(Stage.CLONE),),
        (Takes(ArtifactKind.SOURCES, Stage.CLONE, own_shard=True),),
        Loss.PARTIAL_UNLESS_ALL,
        per_shard_of=Stage.CLONE,
        keeps=(ArtifactKind.SYMBOLS, ArtifactKind.EDGES, ArtifactKind.CHUNKS, ArtifactKind.OUTCOMES),
    ),
    Rule(
        Stage.INDEX,
        (Needs(Stage.PARSE),),
        (_TREE, _SOURCES, _CHUNKS, Takes(ArtifactKind.SYMBOLS, Stage.PARSE)),
        Loss.FATAL,
        # What is added to a serving index is found once its rows are there: by then its vectors are.
        again=(Needs(Stage.PARSE), Needs(Stage.EMBED), Needs(Stage.ACTIVATE), Needs(Stage.PROMOTE, if_coming=True)),
        keeps=(ArtifactKind.LEXICON,),
    ),
    Rule(
        Stage.EMBED,
        (Needs(Stage.PARSE, same_shard=True),),
        (_OWN_CHUNKS,),
        Loss.FATAL,
        per_shard_of=Stage.PARSE,
        keeps=(ArtifactKind.VECTORS,),
    ),
    Rule(
        Stage.ACTIVATE,
        (Needs(Stage.INDEX), Needs(Stage.EMBED)),
        (Takes(ArtifactKind.VECTORS, Stage.EMBED),),
        Loss.FATAL,
        again=(Needs(Stage.PARSE), Needs(Stage.EMBED)),
    ),
    Rule(
        Stage.REFINE,
        (Needs(Stage.PARSE, same_shard=True),),
        (_OWN_CHUNKS,),
        Loss.RECORDED,
        per_shard_of=Stage.PARSE,
        phase=Phase.READY,
        keeps=(ArtifactKind.VECTORS,),
    ),
    Rule(
        Stage.PROMOTE,
        (Needs(Stage.PARSE), Needs(Stage.REFINE)),
        (Takes(ArtifactKind.VECTORS, Stage.REFINE),),
        Loss.RECORDED,
        phase=Phase.READY,
    ),
    Rule(
        Stage.LINK,
        (Needs(Stage.PARSE), Needs(Stage.METADATA)),
        (
            _TREE,
            _SOURCES,
            Takes(ArtifactKind.SYMBOLS, Stage.PARSE),
            Takes(ArtifactKind.EDGES, Stage.PARSE),
            Takes(ArtifactKind.DEPENDENCIES, Stage.METADATA),
        ),
        Loss.RECORDED,
        phase=Phase.READY,
    ),
)

RULE_OF = {rule.stage: rule for rule in RULES}
READY_NEEDS = (Stage.ACTIVATE, Stage.METADATA, Stage.STRUCTURE, Stage.HISTORY)
REFINING = frozenset({Stage.REFINE, Stage.PROMOTE, Stage.LINK})  # an analysis is ready without them
MENDED_NEEDS = (*READY_NEEDS, Stage.PARSE, Stage.EMBED, Stage.INDEX)
ASKS_HOST = frozenset({Stage.CLONE, Stage.HISTORY})  # shown what the repository is read with
REFINED_NEEDS = (Stage.PROMOTE, Stage.LINK)


def is_done(slot: Slot | None) -> bool:
    """Whether the slot's work is there: of its newest run, or of an earlier one that stands."""
    return slot is not None and (slot.status is SlotStatus.DONE or slot.stands)


def is_whole(slot: Slot | None) -> bool:
    """Whether the slot's newest run is done, with what it was made of as it is now."""
    return slot is not None and slot.status is SlotStatus.DONE and not slot.stale


def shard_count(state: AnalysisState) -> int | None:
    """How many shards the sources came in; None before the clone is done."""
    clone = state.slots.get((Stage.CLONE, 0))
    return len(clone.outputs(ArtifactKind.SOURCES)) if clone is not None and is_done(clone) else None


def expected(state: AnalysisState, stage: Stage, policy: Policy) -> tuple[int, ...] | None:
    """The shards that the stage has to have; None while that is not known. A lost parse shard has no successors."""
    if stage is Stage.HISTORY and not state.history:
        return ()
    parent = RULE_OF[stage].per_shard_of
    if parent is None:
        return (0,)
    count = shard_count(state)
    if count is None or parent is Stage.CLONE:
        return None if count is None else tuple(range(count))
    return tuple(shard for shard in range(count) if not _lost(state, parent, shard, policy))


def _lost(state: AnalysisState, stage: Stage, shard: int, policy: Policy) -> bool:
    slot = state.slots.get((stage, shard))
    return slot is not None and is_lost(policy, slot) and not slot.stands


def is_settled(state: AnalysisState, stage: Stage, policy: Policy) -> bool:
    """Whether all shards of the stage are done, or lost where the stage may lose some; or nobody asked for it.

    Where an index serves already, that stays: then nothing of it is lost with a run.
    """
    shards = expected(state, stage, policy)
    if not shards:
        return shards is not None and RULE_OF[stage].on_demand
    loss = RULE_OF[stage].loss
    may_lose = loss in {Loss.PARTIAL, Loss.PARTIAL_UNLESS_ALL} or (loss is Loss.FATAL and state.phase is Phase.READY)
    return all(_is_settled(state.slots.get((stage, shard)), policy, may_lose=may_lose) for shard in shards)


def _is_settled(slot: Slot | None, policy: Policy, *, may_lose: bool = False) -> bool:
    if slot is None:
        return False
    return is_whole(slot) or (is_lost(policy, slot) and (may_lose or slot.stands))


def is_open(state: AnalysisState, rule: Rule, shard: int, policy: Policy) -> bool:
    """Whether everything that the shard of the stage needs is there."""
    serves = state.phase is Phase.READY and rule.again is not None
    return all(_is_met(state, need, shard, policy) for need in (rule.again if serves else rule.needs) or ())


def _is_met(state: AnalysisState, need: Needs, shard: int, policy: Policy) -> bool:
    if need.same_shard:
        return _is_settled(state.slots.get((need.stage, shard)), policy)
    if need.if_coming:
        before = (Needs(need.stage), *RULE_OF[need.stage].needs)
        return not _is_coming(state, need.stage, policy) or all(is_settled(state, n.stage, policy) for n in before)
    return is_settled(state, need.stage, policy)


def _is_coming(state: AnalysisState, stage: Stage, policy: Policy) -> bool:
    """Whether the stage was asked for, and neither it nor what it needs is lost."""
    slot = state.slots.get((stage, 0))
    if slot is None or is_lost(policy, slot):
        return False
    return not any(is_lost(policy, other) for need in RULE_OF[stage].needs for other in state.of(need.stage))


def inputs(state: AnalysisState, rule: Rule, shard: int) -> tuple[ArtifactRef, ...]:
    """The artifacts that a run of the stage over the shard reads, in the order of `takes`, then by shard.

    Then, of a result that stands, what the run may take over.
    """
    before = state.slots.get((rule.stage, shard))
    kept = before.artifacts if before is not None and is_done(before) else ()
    taken = tuple(ref for take in rule.takes for ref in _taken(state, take, shard))
    return (*taken, *(ref for ref in kept if ref.kind in rule.keeps))


def _taken(state: AnalysisState, take: Takes, shard: int) -> tuple[ArtifactRef, ...]:
    if take.of is Stage.CLONE:
        refs = state.slots[take.of, 0].outputs(take.kind)
        return refs[shard : shard + 1] if take.own_shard else refs
    slots = state.of(take.of)
    return tuple(
        ref
        for slot in slots
        if is_done(slot) and (not take.own_shard or slot.shard == shard)
        for ref in slot.outputs(take.kind)
    )


def fatal_loss(state: AnalysisState, policy: Policy) -> Slot | None:
    """The lost slot for which the analysis fails, if there is one; the earliest stage's first."""
    for rule in RULES:
        lost = [slot for slot in state.of(rule.stage) if is_lost(policy, slot)]
        if lost and rule.loss is Loss.FATAL:
            return lost[0]
        if lost and rule.loss is Loss.PARTIAL_UNLESS_ALL and len(lost) == shard_count(state):
            return lost[0]
    return None
