"""Which runs a shadow has, and when what it made may take the place of what serves. Pure."""

from uuid import uuid4

import pytest

from events.processing import Stage, StageCompleted
from events.replay.fork import forked
from events.replay.made import read_key
from orchestrator.workflow import AnalysisState, replay
from orchestrator.workflow.evolve import evolve_all
from orchestrator.workflow.graph import is_whole
from orchestrator.workflow.shadowed import OFFERED, PASSAGES, NotPromotable, base_of, passages_of, promotion, requests
from tests.support import histories

EVENTS = histories.load("whole").events
STATE = replay(EVENTS)
AT = EVENTS[-1].timestamp


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
