"""What an analysis amounts to, added up from the facts of its runs: "ready" is computed, never claimed."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from events.artifacts import ArtifactKind
from events.processing import Stage
from orchestrator.workflow.graph import is_done
from orchestrator.workflow.policy import Policy, is_lost
from orchestrator.workflow.state import AnalysisState, Slot


@dataclass(frozen=True)
class Summary:
    """Totals by what was counted, files left out by reason, files or whole stages that failed by reason."""

    totals: dict[str, int]
    skipped: dict[str, int]
    failed: dict[str, int]

    @property
    def partial(self) -> bool:
        """Whether something is missing that should be there. A skipped file was left out on purpose."""
        return bool(self.failed)


def reasons(facts: Mapping[str, object], counts: Mapping[str, int], name: str) -> Counter[str]:
    """Files by reason, from the fact `name`; where a stage gives no reasons, the bare count under `name` itself."""
    by_reason = facts.get(name)
    if isinstance(by_reason, dict):
        return Counter({str(why): count for why, count in by_reason.items() if isinstance(count, int) and count > 0})
    return Counter({name: counts[name]}) if counts.get(name, 0) > 0 else Counter()


def totals(slots: list[Slot]) -> Counter[str]:
    """The counts of all slots, added by name."""
    added: Counter[str] = Counter()
    for slot in slots:
        added.update(slot.counts)
    return added


def summarise(state: AnalysisState, policy: Policy) -> Summary:
    """What the analysis amounts to now."""
    clone = state.slots.get((Stage.CLONE, 0))
    done = [slot for slot in state.slots.values() if is_done(slot) and slot.stage is not Stage.CLONE]
    counted = clone.counts if clone is not None else {}
    added = Counter({name: n for name, n in counted.items() if name not in {"known_files", "known_bytes"}})
    for stage in Stage:
        for name, count in totals([slot for slot in done if slot.stage is stage]).items():
            added.setdefault(name, count)
    skipped, failed = Counter[str](), Counter[str]()
    for slot in state.slots.values():
        if slot.stage is Stage.CLONE:
            skipped += reasons(slot.facts, slot.counts, "skipped")
        if slot.stage is Stage.PARSE:
            failed += reasons(slot.facts, slot.counts, "failed")
        if is_lost(policy, slot):
            failed += _lost(state, slot)
    return Summary(dict(added), dict(skipped), dict(failed))


def _lost(state: AnalysisState, slot: Slot) -> Counter[str]:
    """A lost parse shard is as many files as its sources have rows; a lost stage counts as one, by its name.

    Of a parse shard whose earlier result stands, only what failed in that is missing.
    """
    if slot.stage is Stage.PARSE and slot.stands:
        return Counter()
    code = slot.failure.code if slot.failure is not None else "failed"
    if slot.stage is not Stage.PARSE:
        return Counter({f"{slot.stage}.{code}": 1})
    clone = state.slots[Stage.CLONE, 0]
    return Counter({code: max(1, _rows(clone, slot.shard))})


def _rows(clone: Slot, shard: int) -> int:
    refs = clone.outputs(ArtifactKind.SOURCES)
    return refs[shard].rows if shard < len(refs) else 0
