"""A state that was kept is the state that it was: what is folded, shown and decided after it comes out the same."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.replay.history import Fold, fold
from orchestrator.projections.pasts import fold_of
from orchestrator.workflow import Policy, decide
from orchestrator.workflow.packed import DECIDED_ON
from tests.support import histories

HISTORIES = {name: events for name in histories.all_names() if (events := histories.load(name).events)}
ANALYSES = {name: events for name, events in HISTORIES.items() if events[0].stream_id.startswith("analysis/")}
FOLDS: dict[str, Fold[Any]] = {"past": fold_of("analysis/"), "workflow": DECIDED_ON}


@pytest.mark.parametrize("how", FOLDS.values(), ids=FOLDS)
@given(st.sampled_from(sorted(ANALYSES)), st.data())
def test_going_on_from_a_kept_state_is_folding_all_of_it(how: Fold[Any], name: str, data: st.DataObject) -> None:
    events = ANALYSES[name]
    at, until = sorted(data.draw(st.tuples(*[st.integers(0, len(events))] * 2)))

    kept = how.unpack(how.pack(fold(events[:at], how.evolve, how.initial())))

    whole = fold(events[:until], how.evolve, how.initial())
    assert fold(events[at:until], how.evolve, kept) == whole
    assert how.pack(how.unpack(how.pack(whole))) == how.pack(whole)


@pytest.mark.parametrize("name", sorted(ANALYSES))
def test_the_same_is_decided_on_a_kept_state(name: str) -> None:
    events = ANALYSES[name]
    state = DECIDED_ON.initial()
    for envelope in events:
        state = DECIDED_ON.evolve(state, envelope)
        kept = DECIDED_ON.unpack(DECIDED_ON.pack(state))

        assert decide(kept, envelope, Policy()) == decide(state, envelope, Policy())
        assert list(kept.slots) == list(state.slots)  # runs are asked for in their order
