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
    """A stage that has to be done before: its shard of the same number, or all of it."""

    stage: Stage
    same_shard: bool = False


@dataclass(frozen=True)
class Takes:
    """A kind of artifact that a run reads: that of its own shard, or all."""

    kind: ArtifactKind
    of: Stage
    own_shard: bool = False


@dataclass(frozen=True)
class Rule:
    """One stage. `per_shard_of` is the stage whose shards it has too; without one it has a single shard.

    `on_demand` is a stage that only some analyses have.
    """

    stage: Stage
    needs: tuple[Needs, ...]
    takes: tuple[Takes, ...]
    loss: Loss
    per_shard_of: Stage | None = None
    phase: Phase = Phase.RUNNING
    on_demand: bool = False


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
    ),
    Rule(
        Stage.INDEX,
        (Needs(Stage.PARSE),),
        (_TREE, _SOURCES, _CHUNKS, Takes(ArtifactKind.SYMBOLS, Stage.PARSE)),
        Loss.FATAL,
    ),
    Rule(Stage.EMBED, (Needs(Stage.PARSE, same_shard=True),), (_OWN_CHUNKS,), Loss.FATAL, per_shard_of=Stage.PARSE),
    Rule(
        Stage.ACTIVATE,
        (Needs(Stage.INDEX), Needs(Stage.EMBED)),
        (Takes(ArtifactKind.VECTORS, Stage.EMBED),),
        Loss.FATAL,
    ),
    Rule(Stage.REFINE, (), (_OWN_CHUNKS,), Loss.RECORDED, per_shard_of=Stage.PARSE, phase=Phase.READY),
    Rule(
        Stage.PROMOTE,
        (Needs(Stage.REFINE),),
        (Takes(ArtifactKind.VECTORS, Stage.REFINE),),
        Loss.RECORDED,
        phase=Phase.READY,
    ),
    Rule(
        Stage.LINK,
        (Needs(Stage.PARSE),),
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
DESCRIPTIONS = frozenset({Stage.STRUCTURE, Stage.HISTORY})  # nothing else is made of them
ASKS_HOST = frozenset({Stage.CLONE, Stage.HISTORY})  # shown what the repository is read with
REFINED_NEEDS = (Stage.PROMOTE, Stage.LINK)


def is_done(slot: Slot | None) -> bool:
    """Whether the slot's work is there."""
    return slot is not None and slot.status is SlotStatus.DONE


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
    return slot is not None and is_lost(policy, slot)


def is_settled(state: AnalysisState, stage: Stage, policy: Policy) -> bool:
    """Whether all shards of the stage are done, or lost where the stage may lose some; or nobody asked for it."""
    shards = expected(state, stage, policy)
    if not shards:
        return shards is not None and RULE_OF[stage].on_demand
    may_lose = RULE_OF[stage].loss in {Loss.PARTIAL, Loss.PARTIAL_UNLESS_ALL}
    return all(
        is_done(state.slots.get((stage, shard))) or (may_lose and _lost(state, stage, shard, policy))
        for shard in shards
    )


def is_open(state: AnalysisState, rule: Rule, shard: int, policy: Policy) -> bool:
    """Whether everything that the shard of the stage needs is there."""
    return all(
        is_done(state.slots.get((need.stage, shard))) if need.same_shard else is_settled(state, need.stage, policy)
        for need in rule.needs
    ) and (rule.per_shard_of is not Stage.PARSE or is_done(state.slots.get((Stage.PARSE, shard))))


def inputs(state: AnalysisState, rule: Rule, shard: int) -> tuple[ArtifactRef, ...]:
    """The artifacts that a run of the stage over the shard reads, in the order of `takes`, then by shard."""
    return tuple(ref for take in rule.takes for ref in _taken(state, take, shard))


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
