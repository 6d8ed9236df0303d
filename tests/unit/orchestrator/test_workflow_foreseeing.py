"""A retry is taken where something comes of it, and only there."""

import pytest

from events import processing as facts
from events.processing import FaultKind, Stage
from orchestrator.api.analyses import _may_go_on
from orchestrator.api.problems import ApiProblem
from orchestrator.projections.analyses import fold
from orchestrator.workflow import Policy
from orchestrator.workflow.foreseeing import anything_comes_of
from tests.support.analyses import (
    Story,
    asked,
    cloned,
    failed,
    parked,
    parsed_story,
    ready_story,
    refined_story,
    requested,
)
from tests.unit.orchestrator.test_workflow_adding import a_story, made, parsed


def comes(story: Story, **scope: object) -> bool:
    return anything_comes_of(story.state, facts.RetryRequested.model_validate(scope), story.history[-1], Policy())


def test_what_failed_goes_on_and_what_is_whole_does_not() -> None:
    assert comes(Story().given(requested(), failed(Stage.CLONE)))
    assert comes(Story().given(requested(), cloned(2), parked(Stage.METADATA)), stage="metadata")
    assert comes(ready_story(1).given(failed(Stage.LINK)))
    over = facts.ProcessingFailed(stage=Stage.CLONE, kind=FaultKind.RESOURCE, code="x", message="x")
    assert comes(Story().given(requested(), over))  # the clone is at work still
    assert not comes(refined_story(1))
    assert not comes(parsed_story(1))
    assert not comes(ready_story(1), stage="link")  # it is at work


@pytest.mark.parametrize("stage", [stage for stage in Stage if stage not in {Stage.CLONE, Stage.HISTORY}])
def test_each_stage_of_a_whole_analysis_can_run_again(stage: Stage) -> None:
    assert comes(refined_story(2), stage=stage)


def test_nothing_comes_of_a_repository_without_text() -> None:
    story = Story().given(requested(), cloned(0))
    assert story.names()[-1] == "repository.processing.failed"

    assert not comes(story)
    assert asked(story.when(facts.RetryRequested())) == []


def test_what_is_made_of_something_lost_cannot_run_but_that_can_and_then_it_does() -> None:
    story = a_story(lost_shard=True).given(facts.RetryRequested(), parsed(2, attempt=2))
    story.given(failed(Stage.REFINE, 2), made(Stage.EMBED, 2), made(Stage.ACTIVATE, attempt=2))
    story.given(made(Stage.INDEX, attempt=2), made(Stage.LINK, attempt=2))

    assert not comes(story, stage="promote")
    assert comes(story)
    assert asked(story.when(facts.RetryRequested())) == [("refine", 2, 2)]
    assert comes(story, stage="promote")  # after that, which is at work
    assert asked(story.when(made(Stage.REFINE, 2, attempt=2))) == [("promote", 0, 2)]


def test_one_that_was_stopped_goes_on_where_something_is_left() -> None:
    waiting = ready_story(1).given(failed(Stage.REFINE, kind=FaultKind.TRANSIENT), facts.CancelRequested())
    assert comes(waiting)
    assert comes(ready_story(1).given(facts.CancelRequested()))


def test_one_that_nobody_confirmed_in_time_goes_on() -> None:
    story = Story().given(requested(), cloned(1), facts.ProcessingEstimated(files=1, bytes=1, over=("files",)))
    story.given(facts.TimerFired(timer_id=story.history[0].event_id, kind="confirmation"))
    assert story.names()[-1] == "repository.processing.failed"
    assert comes(story)


def test_a_run_that_follows_what_is_at_work_is_foreseen() -> None:
    story = refined_story(2).given(facts.RetryRequested(stage=Stage.PARSE))
    assert comes(story, stage="link") is comes(story, stage="promote") is True


def test_a_refusal_says_what_to_do() -> None:
    lost = a_story(lost_shard=True).given(facts.RetryRequested(), parsed(2, attempt=2), failed(Stage.REFINE, 2))
    empty = Story().given(requested(), cloned(0))

    assert refusal(empty) == ("nothing_to_run_again", "It has no text file that can be read: analyse another ref.")
    assert refusal(lost, stage="promote")[1].endswith("retry without naming a stage, and that comes first.")
    assert refusal(refined_story(1), stage="clone")[0] == "nothing_to_run_again"
    assert refusal(refined_story(1))[0] == "analysis_not_failed"


def refusal(story: Story, **scope: object) -> tuple[str, str]:
    record = fold(story.history)
    assert record is not None
    with pytest.raises(ApiProblem) as refused:
        _may_go_on(facts.RetryRequested.model_validate(scope), record, story.history)
    return refused.value.code, refused.value.detail
