"""What was lost of a ready analysis and nothing else is made of: done again when a person asks, and said."""

import pytest

from events import processing as facts
from events.base import Event
from events.processing import FaultKind, Stage
from orchestrator.projections.analyses import fold
from orchestrator.workflow import Phase
from tests.support.analyses import Story, asked, cloned, completed, failed, fired, requested

_DESCRIBED = [Stage.METADATA, Stage.STRUCTURE, Stage.HISTORY]
LOST = [Stage.STRUCTURE, Stage.HISTORY]


def a_ready_story(lost: Stage, *, refined: bool = False) -> Story:
    story = Story().given(requested().model_copy(update={"history_depth": 10}), cloned(1), failed(lost, code="broke"))
    story.given(*(completed(stage) for stage in _DESCRIBED if stage is not lost), completed(Stage.PARSE))
    story.given(completed(Stage.INDEX), completed(Stage.EMBED), completed(Stage.ACTIVATE))
    return story.given(completed(Stage.LINK), completed(Stage.REFINE), completed(Stage.PROMOTE)) if refined else story


def kinds(events: list[Event]) -> list[type[Event]]:
    return [type(event) for event in events]


@pytest.mark.parametrize("lost", LOST)
@pytest.mark.parametrize("refined", [False, True])
def test_only_the_lost_description_is_done_again_and_the_analysis_is_whole(lost: Stage, refined: bool) -> None:
    story = a_ready_story(lost, refined=refined)
    before = fold(story.history)
    assert before is not None
    assert before.view.partial

    assert asked(story.when(facts.RetryRequested())) == [(lost.value, 0, 2)]
    done, *rest = story.when(completed(lost, attempt=2))

    assert isinstance(done, facts.ProcessingCompleted)
    assert (done.partial, done.failed) == (False, {})
    assert kinds(rest) == ([facts.ProcessingRefined] if refined else [])
    assert story.state.phase is (Phase.REFINED if refined else Phase.READY)
    after = fold(story.history)
    assert after is not None
    assert (after.view.partial, after.view.state) == (False, "refined" if refined else "ready")
    assert after.view.ready_at == before.view.ready_at


@pytest.mark.parametrize("refined", [False, True])
def test_what_is_lost_again_leaves_it_as_it_was_and_can_be_asked_for_again(refined: bool) -> None:
    story = a_ready_story(Stage.STRUCTURE, refined=refined).given(facts.RetryRequested())
    done = story.when(failed(Stage.STRUCTURE, attempt=2, code="broke"))[0]

    assert isinstance(done, facts.ProcessingCompleted)
    assert (done.partial, done.failed) == (True, {"structure.broke": 1})
    assert asked(story.when(facts.RetryRequested())) == [("structure", 0, 3)]


def test_a_transient_fault_is_tried_again_by_itself() -> None:
    story = a_ready_story(Stage.HISTORY, refined=True).given(facts.RetryRequested())
    [scheduled] = story.when(failed(Stage.HISTORY, attempt=2, kind=FaultKind.TRANSIENT))
    assert isinstance(scheduled, facts.RetryScheduled)

    assert asked(story.when(fired(Stage.HISTORY, attempt=2))) == [("history", 0, 3)]
    assert kinds(story.when(completed(Stage.HISTORY, attempt=3))) == [
        facts.ProcessingCompleted,
        facts.ProcessingRefined,
    ]


def test_a_refinement_that_ends_meanwhile_waits_to_be_said() -> None:
    story = a_ready_story(Stage.STRUCTURE).given(facts.RetryRequested(), completed(Stage.LINK), completed(Stage.REFINE))
    assert story.when(completed(Stage.PROMOTE)) == []

    assert kinds(story.when(completed(Stage.STRUCTURE, attempt=2))) == [
        facts.ProcessingCompleted,
        facts.ProcessingRefined,
    ]


def test_a_refined_analysis_of_which_nothing_is_lost_stays_as_it_is() -> None:
    story = a_ready_story(Stage.STRUCTURE, refined=True).given(facts.RetryRequested())
    story.given(completed(Stage.STRUCTURE, attempt=2))

    assert story.when(facts.RetryRequested()) == []
    assert story.state.phase is Phase.REFINED
