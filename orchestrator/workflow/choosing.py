"""Whether a person may have another generation serve now. Pure.

In:  the state of an analysis.
Out: the code that refuses it, None where nothing stands against it.
"""

from events.processing import Stage
from orchestrator.workflow.state import AnalysisState, Phase, Slot, SlotStatus

_AT_WORK = frozenset({SlotStatus.ASKED, SlotStatus.WAITING, SlotStatus.DUE})
_EMBEDDED = frozenset({Stage.REFINE, Stage.PROMOTE})


def why_not(state: AnalysisState) -> str | None:
    """`not_indexed_yet` before it is ready, `embedding_under_way` while what would serve next is being made."""
    if state.phase not in {Phase.READY, Phase.REFINED}:
        return "not_indexed_yet"
    if state.stop is None and (state.mending or any(map(_is_embedding, state.slots.values()))):
        return "embedding_under_way"
    return None


def _is_embedding(slot: Slot) -> bool:
    return slot.stage in _EMBEDDED and (slot.status in _AT_WORK or bool(slot.stale))
