"""What the workflow knows of one analysis."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from uuid import UUID

from events.artifacts import ArtifactKind, ArtifactRef
from events.base import Context
from events.processing import FaultKind, Stage


class Phase(StrEnum):
    """Where the analysis is. `failed` may go on when a person asks; `cancelled` and `refined` are over."""

    NEW = "new"
    RUNNING = "running"
    READY = "ready"
    REFINED = "refined"
    FAILED = "failed"
    CANCELLED = "cancelled"


class SlotStatus(StrEnum):
    """Where the newest run of a slot is. `due` is to be asked for again, as soon as its inputs are there."""

    ASKED = "asked"
    DONE = "done"
    FAILED = "failed"
    WAITING = "waiting"
    DUE = "due"


@dataclass(frozen=True)
class Failure:
    """Why a run did not succeed. `retry_after`: for how many seconds a host asked to be left alone."""

    kind: FaultKind
    code: str
    message: str
    at: datetime
    retry_after: float = 0.0


@dataclass(frozen=True)
class Slot:
    """One shard of one stage, over all its attempts. `since` is the first attempt that the retry budget counts.

    `stands`: the result of an earlier attempt is used until there is another one. `stale` is the stage whose result
    changed since the newest run was asked for: it is to be asked for again, however that run ends. `mixed` is how
    often in a row it found vectors of two models.
    """

    stage: Stage
    shard: int
    shards: int
    run_id: UUID
    attempt: int = 1
    since: int = 1
    status: SlotStatus = SlotStatus.ASKED
    failure: Failure | None = None
    stands: bool = False
    stale: str = ""
    mixed: int = 0
    artifacts: tuple[ArtifactRef, ...] = ()
    files: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)
    facts: Mapping[str, object] = field(default_factory=dict)

    def outputs(self, kind: ArtifactKind) -> tuple[ArtifactRef, ...]:
        """The artifacts of one kind that the slot's run wrote, by shard."""
        return tuple(sorted((ref for ref in self.artifacts if ref.kind == kind), key=lambda ref: ref.shard))


Key = tuple[Stage, int]


@dataclass(frozen=True)
class AnalysisState:
    """One analysis, folded from its stream. `go` counts how often a person asked for it to go on.

    `held`: it waits for a person to confirm it; `expired`: nobody did in time.
    `mending` says that what was lost is made again, of an analysis that is ready, and `round` how often a part of its
    index was. `serves` is the generation that searches came to last, by a stage or by a person's word.
    """

    phase: Phase = Phase.NEW
    analysis_id: UUID | None = None
    context: Context | None = None
    url: str = ""
    ref: str | None = None
    folder: str = ""
    commit: str | None = None
    include: tuple[str, ...] = ()
    credential_ref: UUID | None = None
    upload: tuple[ArtifactRef, ...] = ()
    history: int = 0
    requested_at: datetime | None = None
    started: bool = False
    stop: str | None = None
    estimated: bool = False
    held: bool = False
    expired: bool = False
    go: int = 0
    mending: bool = False
    round: int = 0
    serves: UUID | None = None
    slots: Mapping[Key, Slot] = field(default_factory=lambda: MappingProxyType({}))

    def of(self, stage: Stage) -> list[Slot]:
        """The slots of one stage that were ever asked for, by shard."""
        return [slot for (name, _), slot in sorted(self.slots.items(), key=lambda item: item[0][1]) if name is stage]

    def with_slot(self, slot: Slot) -> "AnalysisState":
        """The same analysis with one slot replaced."""
        return replace(self, slots=MappingProxyType({**self.slots, (slot.stage, slot.shard): slot}))


def initial_state() -> AnalysisState:
    """An analysis of which nothing is known."""
    return AnalysisState()
