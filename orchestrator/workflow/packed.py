"""The state of an analysis as bytes, for it to be kept, and back. Pure.

In:  what the workflow knows of an analysis.
Out: the same again, slot for slot in their order: decisions go by it.
"""

import zlib
from dataclasses import replace
from types import MappingProxyType

from pydantic import TypeAdapter

from events.base import Envelope
from events.replay.history import Fold
from orchestrator.workflow.evolve import replay
from orchestrator.workflow.state import AnalysisState, Slot

_LEVEL = 1  # of compression
_PARTS: TypeAdapter[tuple[AnalysisState, tuple[Slot, ...]]] = TypeAdapter(tuple[AnalysisState, tuple[Slot, ...]])


def pack(state: AnalysisState) -> bytes:
    """A state as bytes."""
    parts = (replace(state, slots={}), tuple(state.slots.values()))
    return zlib.compress(_PARTS.dump_json(parts), _LEVEL)


def unpack(packed: bytes) -> AnalysisState:
    """The state of these bytes."""
    state, slots = _PARTS.validate_json(zlib.decompress(packed))
    return replace(state, slots=MappingProxyType({(slot.stage, slot.shard): slot for slot in slots}))


def _evolve(state: AnalysisState, envelope: Envelope) -> AnalysisState:
    return replay((envelope,), state)


DECIDED_ON: Fold[AnalysisState] = Fold(AnalysisState, _evolve, pack, unpack)
