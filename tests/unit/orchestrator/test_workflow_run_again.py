"""What a person has run again: a stage, a shard or the failed files, and what is made of them; what cannot is refused.

Until the new result is there the old one stands, so that searches see one state all the time.
"""

import pytest

from events import processing as facts
from events.processing import FaultKind, Stage, StageRequested
from orchestrator.projections.analyses import fold
from orchestrator.workflow import Phase
from orchestrator.workflow.evolve import evolve
from orchestrator.workflow.graph import is_done
from orchestrator.workflow.retrying import again_of
from tests.support.analyses import (
    NOON,
    Story,
    asked,
    cloned,
    completed,
    failed,
    fired,
    parked,
    parsed_story,
    ready_story,
    refined_story,
    requested,
)


def request_of(story: Story, stage: Stage, shard: int = 0) -> StageRequested:
    """The first request of a run."""
    asked_for = (e for e in story.history if e.event_type == StageRequested.event_type)
    runs = (StageRequested.model_validate(e.data) for e in asked_for)
    return next(run for run in runs if (run.stage, run.shard) == (stage, shard))


def changes(story: Story, **scope: object) -> bool:
    event = facts.RetryRequested.model_validate(scope)
    state = story.state
    return evolve(state, event, NOON) is not state


@pytest.mark.parametrize("stage", [Stage.REFINE, Stage.PROMOTE, Stage.LINK])
def test_a_parked_run_of_a_ready_analysis_runs_again_by_its_letter(stage: Stage) -> None:
    story = ready_story(1)
    if stage is Stage.PROMOTE:
        story.given(completed(Stage.REFINE))
    story.given(parked(stage))
    retry = again_of(story.state, request_of(story, stage))

    assert retry == facts.RetryRequested(stage=stage, shard=0)
    assert asked(story.when(retry)) == [(stage.value, 0, 2)]


def test_a_parked_run_of_a_running_analysis_runs_again_at_once_by_its_letter() -> None:
    story = Story().given(requested(), cloned(2), parked(Stage.METADATA))
    retry = again_of(story.state, request_of(story, Stage.METADATA))

    assert story.state.phase is Phase.RUNNING
    assert retry is not None
    assert asked(story.when(retry)) == [("metadata", 0, 2)]
    assert asked(story.when(facts.RetryRequested())) == []


def test_a_letter_that_would_run_nothing_is_known_before() -> None:
    done = refined_story(1)
    too_late = Story().given(requested(), cloned(2), completed(Stage.METADATA), completed(Stage.STRUCTURE))
    too_late.given(completed(Stage.PARSE, 0, shards=2), parked(Stage.PARSE, 1))
    cancelled = Story().given(requested(), parked(Stage.CLONE), facts.RetryRequested(), facts.CancelRequested())
    twice = ready_story(1).given(parked(Stage.LINK), facts.RetryRequested())

    assert again_of(done.state, request_of(done, Stage.PARSE)) is None
    assert again_of(too_late.state, request_of(too_late, Stage.PARSE, 1)) is None
    assert cancelled.state.phase is Phase.CANCELLED
    assert again_of(cancelled.state, request_of(cancelled, Stage.CLONE)) is None
    assert again_of(twice.state, request_of(twice, Stage.LINK)) is None
    assert again_of(Story().state, request_of(done, Stage.PARSE)) is None


def test_a_stage_that_succeeded_runs_again_and_then_all_that_is_made_of_it() -> None:
    story = refined_story(2)
    began = story.when(facts.RetryRequested(stage=Stage.PARSE, reason="another parser"))

    assert asked(began) == [("parse", 0, 2), ("parse", 1, 2)]
    assert {run.because for run in began if isinstance(run, StageRequested)} == {"asked_for"}
    assert all(is_done(slot) for slot in story.state.slots.values())  # what is there goes on serving
    assert asked(story.when(completed(Stage.PARSE, 0, attempt=2, shards=2))) == [("embed", 0, 2), ("refine", 0, 2)]
    story.given(completed(Stage.PARSE, 1, attempt=2, shards=2))
    for shard in (0, 1):
        story.given(completed(Stage.EMBED, shard, attempt=2, shards=2))
        story.given(completed(Stage.REFINE, shard, attempt=2, shards=2))
    runs = [StageRequested.model_validate(e.data) for e in story.history if e.event_type == StageRequested.event_type]
    second = {(run.stage, run.shard): run.round for run in runs if run.attempt == 2}
    assert second[Stage.ACTIVATE, 0] == second[Stage.PROMOTE, 0] == 1  # generations beside those that serve
    story.given(completed(Stage.ACTIVATE, attempt=2), completed(Stage.PROMOTE, attempt=2))
    story.given(completed(Stage.INDEX, attempt=2), completed(Stage.LINK, attempt=2))

    assert story.state.phase is Phase.REFINED
    record = fold(story.history)
    assert record is not None
    assert record.view.state == "refined"
    assert {slot.attempt for slot in story.state.slots.values() if slot.stage is not Stage.CLONE} == {1, 2}
    assert story.names().count("repository.processing.completed") == 2
    assert story.names().count("repository.processing.refined") == 2


def test_one_shard_runs_again_with_its_own_followers_alone() -> None:
    story = refined_story(3)

    assert asked(story.when(facts.RetryRequested(stage=Stage.REFINE, shard=1))) == [("refine", 1, 2)]
    assert asked(story.when(completed(Stage.REFINE, 1, attempt=2, shards=3))) == [("promote", 0, 2)]
    [refined] = story.when(completed(Stage.PROMOTE, attempt=2))
    assert isinstance(refined, facts.ProcessingRefined)


def test_what_fails_when_it_runs_again_leaves_what_was_there() -> None:
    story = refined_story(1).given(facts.RetryRequested(stage=Stage.METADATA))
    [link, ready] = story.when(failed(Stage.METADATA, attempt=2))

    assert asked([link]) == [("link", 0, 2)]
    assert isinstance(ready, facts.ProcessingCompleted)
    assert ready.failed == {"metadata.broken": 1}
    assert is_done(story.state.slots[Stage.METADATA, 0])


@pytest.mark.parametrize("stage", [stage for stage in Stage if stage not in {Stage.CLONE, Stage.HISTORY}])
def test_every_stage_but_the_clone_comes_to_an_end_again(stage: Stage) -> None:
    story = refined_story(2)
    running = story.when(facts.RetryRequested(stage=stage))
    while running := [run for run in running if isinstance(run, StageRequested)]:
        run, rest = running[0], running[1:]
        running = [*rest, *story.when(completed(run.stage, run.shard, attempt=run.attempt, shards=run.shards))]

    assert story.state.phase is Phase.REFINED
    assert not any(slot.stale for slot in story.state.slots.values())
    record = fold(story.history)
    assert record is not None
    assert record.view.state == "refined"


def test_the_failed_files_alone_run_again() -> None:
    lost = completed(Stage.PARSE, 1, shards=2, facts={"failed": {"parser_timeout": 2}})
    story = Story().given(requested(), cloned(2), failed(Stage.METADATA), completed(Stage.STRUCTURE))
    story.given(completed(Stage.PARSE, 0, shards=2), lost, completed(Stage.INDEX))
    story.given(*(completed(Stage.EMBED, shard, shards=2) for shard in (0, 1)), completed(Stage.ACTIVATE))

    assert asked(story.when(facts.RetryRequested(files=True))) == [("parse", 1, 2)]
    assert not changes(refined_story(2), files=True)


def test_a_ready_analysis_that_was_stopped_goes_on_with_the_rest() -> None:
    story = ready_story(2).given(completed(Stage.REFINE, 0, shards=2), facts.CancelRequested())
    assert story.when(completed(Stage.REFINE, 1, shards=2)) == []
    story = ready_story(2).given(completed(Stage.REFINE, 0, shards=2), facts.CancelRequested())
    record = fold(story.history)
    assert record is not None
    assert record.view.ended_at is not None
    again = story.when(facts.RetryRequested())

    assert asked(again) == [("refine", 1, 2), ("link", 0, 2)]
    assert {run.because for run in again if isinstance(run, StageRequested)} == {"stopped"}
    record = fold(story.history)
    assert record is not None
    assert (record.view.state, record.view.ended_at) == ("ready", None)
    assert story.when(completed(Stage.REFINE, 1, shards=2)) == []  # late: of the run that was stopped
    assert asked(story.when(completed(Stage.REFINE, 1, attempt=2, shards=2))) == [("promote", 0, 1)]
    assert story.when(completed(Stage.PROMOTE)) == []
    [refined] = story.when(completed(Stage.LINK, attempt=2))
    assert isinstance(refined, facts.ProcessingRefined)


def test_a_stopped_analysis_whose_timer_was_set_goes_on_without_it() -> None:
    story = ready_story(1).given(failed(Stage.REFINE, kind=FaultKind.TRANSIENT), facts.CancelRequested())

    assert asked(story.when(facts.RetryRequested())) == [("refine", 0, 2), ("link", 0, 2)]
    assert story.when(fired(Stage.REFINE)) == []


def test_what_nothing_would_come_of_changes_nothing() -> None:
    running, stopped = parsed_story(1), ready_story(1).given(facts.CancelRequested())
    ended = Story().given(requested(), parked(Stage.CLONE))

    assert not changes(running)
    assert not changes(running, stage="parse")
    assert not changes(refined_story(1))
    assert not changes(refined_story(1), stage="parse", shard=7)
    assert not changes(refined_story(1), stage="history")
    assert not changes(refined_story(1), stage="clone")
    assert not changes(ready_story(1), stage="link")  # it is at work
    assert not changes(ended, stage="parse")
    assert changes(ended, stage="clone")
    assert changes(stopped, stage="parse")


def test_passages_that_were_refused_are_asked_for_again_and_then_a_generation_is_made_of_them() -> None:
    story = ready_story(2).given(
        completed(Stage.REFINE, 0, shards=2, counts={"chunks": 9, "embedded": 7, "not_embedded": 2}),
        completed(Stage.REFINE, 1, shards=2, counts={"chunks": 9, "embedded": 9}),
        completed(Stage.PROMOTE),
        completed(Stage.LINK),
    )
    assert not changes(story, files=True)  # these are no files
    began = story.when(facts.RetryRequested())

    assert asked(began) == [("refine", 0, 2)]
    assert all(is_done(slot) for slot in story.state.slots.values())  # what is there goes on serving
    ended = completed(Stage.REFINE, 0, attempt=2, shards=2, counts={"chunks": 9, "embedded": 2, "reused": 7})
    assert asked(story.when(ended)) == [("promote", 0, 2)]
    [*_, run] = [e for e in story.history if e.event_type == StageRequested.event_type]
    assert StageRequested.model_validate(run.data).round == 1  # a generation beside the one that serves
    story.given(completed(Stage.PROMOTE, attempt=2))

    assert story.state.phase is Phase.REFINED
    assert not changes(story)
