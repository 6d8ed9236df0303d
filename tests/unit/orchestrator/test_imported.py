"""An analysis that was made elsewhere: what of it is told here, and what the workflow makes of that."""

from uuid import UUID

import pytest

from events import processing as facts
from events.artifacts import ArtifactKind
from events.base import Draft, Envelope, derived_id
from events.catalog import decode
from events.log.drafts import record
from events.processing import Stage
from events.replay.timeline import runs
from orchestrator.workflow import Phase, Policy, decide, replay
from orchestrator.workflow.imported import MADE_HERE, imported
from orchestrator.workflow.state import SlotStatus
from tests.support import histories
from tests.support.analyses import CONTEXT, NOON, Story, asked, cloned, completed, failed, refined_story, requested

HERE = UUID("90000000-0000-4000-8000-000000000009")


def taken_over(history: list[Envelope]) -> list[Envelope]:
    """The stream as it is here, ended by the fact that it was imported."""
    refs = {
        ref.sha256: ref.model_copy(update={"key": f"here/{ref.key}"})
        for envelope in history
        if envelope.event_type == facts.StageCompleted.event_type
        for ref in facts.StageCompleted.model_validate(envelope.data).artifacts
        if ref.kind is not ArtifactKind.LEXICON
    }
    told = [*imported(history, HERE, refs)]
    said = facts.ProcessingImported(analysis_id=HERE, bundle="0" * 64, events=len(history))
    drafts = [
        Draft(event_id=derived_id(n), occurred_at=each.at, context=CONTEXT, event=each.event)
        for n, each in enumerate(told)
    ]
    drafts.append(Draft(event_id=derived_id("said"), occurred_at=NOON, context=CONTEXT, event=said))
    return [record(draft, f"analysis/{HERE}", n) for n, draft in enumerate(drafts, 1)]


def test_only_what_is_of_this_installation_is_asked_for_again() -> None:
    stream = taken_over(refined_story().history)

    decided = [draft.event for draft in decide(replay(stream), stream[-1], Policy()).drafts]

    assert asked(decided) == [("index", 0, 1)]
    assert all(event.analysis_id == HERE for event in decided if isinstance(event, facts.StageRequested))
    assert all(ref.key.startswith("here/") for event in decided for ref in getattr(event, "inputs", ()))
    kept = {slot.stage for slot in replay(stream).slots.values()}
    assert kept == {slot.stage for slot in refined_story().state.slots.values()} - MADE_HERE


def test_runs_waited_and_worked_as_long_as_they_did() -> None:
    story = Story().given(requested(), cloned())
    asked_for = next(e for e in story.history if e.data.get("stage") == "metadata")
    [*_, (event, at)] = [(decode(e), e.timestamp) for e in story.history if e == asked_for]
    assert isinstance(event, facts.StageRequested)
    taken = facts.StageStarted(
        run_id=event.run_id, stage=Stage.METADATA, shard=0, attempt=1, worker="parser-1.internal"
    )
    story.given(taken, completed(Stage.METADATA))
    of = {run.stage: run for run in runs(story.history)}["metadata"]

    stream = taken_over(story.history)

    here = {run.stage: run for run in runs(stream)}["metadata"]
    assert (here.requested_at, here.started_at, here.ended_at) == (of.requested_at, of.started_at, of.ended_at)
    assert of.requested_at == at < (of.started_at or at) < (of.ended_at or at)
    assert here.outcome == "completed"
    assert "parser-1.internal" not in "".join(envelope.model_dump_json() for envelope in stream)


ANALYSES = [name for name in histories.all_names() if histories.load(name).events[0].stream_id.startswith("analysis/")]


@pytest.mark.parametrize("name", ANALYSES)
def test_every_recorded_history_is_told_as_it_ended(name: str) -> None:
    history = histories.load(name).events
    before, after = replay(history), replay(taken_over(history))

    kept = {
        key: slot
        for key, slot in before.slots.items()
        if key[0] not in MADE_HERE and slot.status in {SlotStatus.DONE, SlotStatus.FAILED}
    }
    assert kept or name == "cancelled"  # nothing had ended by then
    for key, slot in kept.items():
        here = after.slots[key]
        assert (here.status, here.files, here.counts, here.attempt) == (slot.status, slot.files, slot.counts, 1)
        assert [ref.sha256 for ref in here.artifacts] == [ref.sha256 for ref in slot.artifacts]


def test_what_failed_fails_here_as_well_and_what_was_cancelled_is() -> None:
    lost = Story().given(requested(), failed(Stage.CLONE))
    stopped = Story().given(requested(), cloned(), facts.CancelRequested(reason="enough"))
    for story, phase in ((lost, Phase.FAILED), (stopped, Phase.CANCELLED)):
        assert story.state.phase is phase
        stream = taken_over(story.history)
        decision = decide(replay(stream), stream[-1], Policy())
        ended = [record(draft, f"analysis/{HERE}", len(stream) + n) for n, draft in enumerate(decision.drafts, 1)]
        assert replay([*stream, *ended]).phase is phase


def test_nothing_that_reads_the_repository_elsewhere_is_taken_over() -> None:
    request = requested().model_copy(update={"credential_ref": HERE})
    [first, *_] = taken_over(Story().given(request, cloned(), completed(Stage.METADATA)).history)

    told = facts.ProcessingRequested.model_validate(first.data)
    assert (told.credential_ref, told.upload, told.analysis_id) == (None, (), HERE)
