"""Which runs a shadow has, and when what it made may take the place of what serves. Pure."""

from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from events.index import GenerationKind, IndexActivated
from events.processing import FaultKind, Stage, StageCompleted
from events.replay.fork import forked
from events.replay.made import read_key
from orchestrator.adapters.shadow_reports import told_of
from orchestrator.projections.forks import fork
from orchestrator.workflow import AnalysisState, replay
from orchestrator.workflow.evolve import evolve, evolve_all
from orchestrator.workflow.graph import is_whole
from orchestrator.workflow.policy import Policy
from orchestrator.workflow.shadowed import (
    OFFERED,
    PASSAGES,
    NotPromotable,
    base_of,
    base_of_history,
    is_coming,
    passages_of,
    promotion,
    recorded_by,
    requests,
    stands,
)
from orchestrator.workflow.state import Failure, SlotStatus
from tests.support import histories

EVENTS = histories.load("whole").events
STATE = replay(EVENTS)
AT = EVENTS[-1].timestamp
_, QUICK, FULL = (UUID(str(e.data["generation_id"])) for e in EVENTS if e.event_type == IndexActivated.event_type)


def made(state: AnalysisState, stage: Stage, sha256: str | None = None) -> list[StageCompleted]:
    """What stands of a stage; with other bytes where they are named."""
    found = [e for e in EVENTS if e.event_type == StageCompleted.event_type and e.stage == stage.value]
    done = [StageCompleted.model_validate(e.data) for e in found]
    if sha256 is None:
        return done
    return [
        d.model_copy(update={"artifacts": tuple(r.model_copy(update={"sha256": sha256}) for r in d.artifacts)})
        for d in done
    ]


@pytest.mark.parametrize("stage", OFFERED)
def test_each_shard_that_is_done_is_run_on_its_inputs_and_is_named_by_nothing_live(stage: Stage) -> None:
    found = requests(STATE, stage, uuid4(), AT)

    assert [one.data["shard"] for one in found] == [slot.shard for slot in STATE.of(stage)]
    assert not {one.event_id for one in found} & {event.event_id for event in EVENTS}
    assert all(one.stream_id.startswith("sandbox/") for one in found)
    assert all((one.data["url"], one.data["commit"], one.data["credential_ref"]) == ("", None, None) for one in found)
    assert all(one.data["inputs"] for one in found)


def test_of_what_it_made_before_embedding_alone_takes_something() -> None:
    kinds = {stage: requests(STATE, stage, uuid4(), AT)[0].data["inputs"] for stage in (Stage.PARSE, Stage.EMBED)}

    assert {ref["kind"] for ref in kinds[Stage.PARSE]} == {"sources"}  # type: ignore[attr-defined,index]  # JSON
    assert {ref["kind"] for ref in kinds[Stage.EMBED]} == {"chunks", "vectors"}  # type: ignore[attr-defined,index]  # the same


def test_an_index_is_made_of_the_passages_of_another_shadow_as_far_as_they_are_others() -> None:
    shadow, parsed = uuid4(), made(STATE, Stage.PARSE)
    others = [done if done.shard else made(STATE, Stage.PARSE, "f" * 64)[0] for done in parsed]

    same, other = (passages_of(STATE, shadow, one) for one in (parsed, others))
    [request] = requests(STATE, Stage.INDEX, uuid4(), AT, other)

    live = [ref for slot in STATE.of(Stage.PARSE) for ref in slot.artifacts if ref.kind in PASSAGES]
    assert same == live
    assert [read_key(ref.key) for ref in other if ref not in live] == [
        (shadow, 0, ref.kind) for ref in others[0].artifacts if ref.kind in PASSAGES
    ]
    assert [ref["key"] for ref in request.data["inputs"] if ref["kind"] in PASSAGES] == [ref.key for ref in other]  # type: ignore[attr-defined,index]  # JSON
    assert {ref["kind"] for ref in request.data["inputs"]} >= {"sources", "chunks", "symbols"}  # type: ignore[attr-defined,index]  # the same


def test_an_index_is_replaced_and_nothing_was_made_of_it() -> None:
    events = promotion(STATE, Stage.INDEX, base_of(STATE, Stage.INDEX), made(STATE, Stage.INDEX, "f" * 64), AT)

    after = evolve_all(STATE, ((event, AT) for event in events))
    assert {ref.sha256 for ref in after.slots[Stage.INDEX, 0].artifacts} == {"f" * 64}
    assert after.phase is STATE.phase


def _place(event_type: str, stage: Stage | None = None) -> int:
    """How many events there are until the first of a type."""
    found = (e.version for e in EVENTS if e.event_type == event_type and stage in (None, e.stage))
    return next(found)


@pytest.mark.parametrize("stage", OFFERED)
def test_what_it_is_compared_with_is_what_served_when_it_was_asked_for(stage: Stage) -> None:
    base = base_of(STATE, stage)
    [first, *_] = STATE.of(stage)

    assert stands(STATE, stage, base)
    at_work = replace(first, run_id=uuid4(), attempt=2, status=SlotStatus.ASKED, stands=True)
    assert stands(STATE.with_slot(at_work), stage, base)  # its result stands until there is another one
    assert base_of(STATE.with_slot(at_work), stage) == base
    without = [{"artifacts": ()}] if first.artifacts else []
    for other in ({"counts": {"made": 7}}, {"facts": {"made": "anew"}}, *without):
        assert not stands(STATE.with_slot(replace(first, **other)), stage, base)
    assert not stands(replay(EVENTS[:3]), stage, base)  # it is gone


def test_an_index_is_compared_with_the_same_vectors_or_not_at_all() -> None:
    quick = replay(EVENTS[: _place("processing.stage.completed", Stage.PROMOTE) - 1])
    earlier = {"0": str(STATE.slots[Stage.INDEX, 0].run_id)}  # of a release that named runs, and no vectors

    assert not stands(STATE, Stage.INDEX, base_of(quick, Stage.INDEX))
    assert stands(STATE, Stage.INDEX, earlier)
    assert not stands(STATE, Stage.INDEX, {"0": str(uuid4())})
    assert all(stands(STATE, stage, base_of(quick, stage)) for stage in OFFERED if stage is not Stage.INDEX)


def test_an_index_is_not_compared_over_other_vectors_after_a_person_went_back_to_them() -> None:
    there, back = (_rolled_back(to, instead_of) for to, instead_of in ((QUICK, FULL), (FULL, QUICK)))
    rolled, forward = evolve(STATE, there, AT), evolve_all(STATE, [(there, AT), (back, AT)])
    base = base_of(STATE, Stage.INDEX)

    assert STATE.serves == FULL
    assert not stands(rolled, Stage.INDEX, base)
    assert not stands(STATE, Stage.INDEX, base_of(rolled, Stage.INDEX))
    assert stands(forward, Stage.INDEX, base)
    assert all(stands(rolled, stage, base_of(STATE, stage)) for stage in OFFERED if stage is not Stage.INDEX)
    with pytest.raises(NotPromotable) as refused:
        promotion(rolled, Stage.INDEX, base, made(STATE, Stage.INDEX, "f" * 64), AT)
    assert refused.value.outdated is True


def _rolled_back(to: UUID, instead_of: UUID) -> IndexActivated:
    return IndexActivated(
        analysis_id=STATE.analysis_id, generation_id=to, kind=GenerationKind.FULL, chunks=1, instead_of=instead_of
    )


def test_other_vectors_are_coming_until_the_analysis_is_complete_or_they_are_lost() -> None:
    ready = replay(EVENTS[: _place("repository.processing.completed")])
    lost = Failure(FaultKind.PERMANENT, "x", "x", AT)
    refining = next(iter(replay(EVENTS[: _place("processing.stage.requested", Stage.REFINE)]).of(Stage.REFINE)))

    assert [is_coming(state, Policy()) for state in (replay(EVENTS[:9]), ready, STATE)] == [True, True, False]
    assert is_coming(replace(STATE, mending=True), Policy())
    assert not is_coming(replace(ready, stop="enough"), Policy())
    failed = replace(refining, status=SlotStatus.FAILED, failure=lost)
    assert not is_coming(ready.with_slot(failed), Policy())


@pytest.mark.parametrize("version", [1, len(EVENTS) // 2, len(EVENTS)])
def test_a_workflow_is_compared_with_the_record_as_it_was_and_what_was_decided_on_it(version: int) -> None:
    found = recorded_by(EVENTS, base_of_history(EVENTS[:version]))

    assert found[:version] == list(EVENTS[:version])
    assert {e.causation_id for e in found[version:]} <= {e.event_id for e in EVENTS[:version]}
    told = told_of(fork(found, 1, {}, Policy()))
    assert (told["decisions"], recorded_by(EVENTS, {})) == ([], list(EVENTS))


def test_nothing_is_run_of_an_analysis_that_was_not_cloned() -> None:
    assert requests(replay(EVENTS[:3]), Stage.PARSE, uuid4(), AT) == []


def test_what_nothing_else_was_made_of_is_replaced_as_the_next_attempt() -> None:
    base = base_of(STATE, Stage.LINK)

    events = promotion(STATE, Stage.LINK, base, made(STATE, Stage.LINK, "f" * 64), AT)

    after = evolve_all(STATE, ((event, AT) for event in events))
    slot = after.slots[Stage.LINK, 0]
    assert [event.attempt for event in events] == [2, 2]
    assert {ref.sha256 for ref in slot.artifacts} == {"f" * 64}
    assert is_whole(slot)
    assert after.phase is STATE.phase


def test_what_the_index_was_made_of_is_not_replaced_unless_it_is_the_same() -> None:
    base = base_of(STATE, Stage.PARSE)

    assert promotion(STATE, Stage.PARSE, base, made(STATE, Stage.PARSE), AT)
    with pytest.raises(NotPromotable, match="index") as refused:
        promotion(STATE, Stage.PARSE, base, made(STATE, Stage.PARSE, "f" * 64), AT)
    assert refused.value.outdated is False


def test_neither_an_analysis_at_work_nor_another_result_is_replaced() -> None:
    with pytest.raises(NotPromotable, match="ready"):
        promotion(replay(forked(EVENTS, 5, {})), Stage.LINK, {}, [], AT)
    with pytest.raises(NotPromotable) as refused:
        promotion(STATE, Stage.LINK, {"0": str(uuid4())}, made(STATE, Stage.LINK), AT)
    assert refused.value.outdated is True
