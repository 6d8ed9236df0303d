"""When a person may have another generation serve: not while the next one is being made."""

from events import processing as facts
from events.processing import Stage
from orchestrator.workflow.choosing import why_not
from tests.support.analyses import Story, asked, cloned, completed, failed, requested
from tests.unit.orchestrator.test_workflow_embedder import CHANGED, a_ready_story, a_refined_story, refined

UNDER_WAY = "embedding_under_way"


def test_it_is_refused_from_the_moment_that_another_model_is_named_until_its_generation_is_there() -> None:
    story = a_refined_story()
    assert why_not(story.state) is None

    for event in (CHANGED, refined(0, 2, "b/"), refined(1, 2, "b/")):
        story.given(event)
        assert why_not(story.state) == UNDER_WAY
    story.given(completed(Stage.PROMOTE, attempt=2))

    assert why_not(story.state) is None


def test_before_it_is_ready_there_is_nothing_to_choose_from() -> None:
    assert why_not(Story().given(requested(), cloned(1)).state) == "not_indexed_yet"
    assert why_not(a_ready_story().state) == UNDER_WAY


def test_what_came_to_no_end_stands_against_nothing() -> None:
    story = a_refined_story().given(CHANGED)
    story.given(*(failed(Stage.REFINE, shard, attempt=2, code="embedder_key_refused") for shard in range(2)))
    assert why_not(story.state) == UNDER_WAY, "promote is asked for"

    story.given(failed(Stage.PROMOTE, attempt=2, code="not_embedded_anew"))

    assert why_not(story.state) is None
    assert asked(story.when(facts.RetryRequested())) == [("refine", 0, 3), ("refine", 1, 3)]
    assert why_not(story.state) == UNDER_WAY


def test_nor_does_what_was_stopped() -> None:
    story = a_refined_story().given(CHANGED)
    assert why_not(story.state) == UNDER_WAY

    assert why_not(story.given(facts.CancelRequested()).state) is None


def test_what_is_added_to_a_ready_one_is_waited_for() -> None:
    lost = failed(Stage.PARSE, 1)
    story = Story().given(requested(), cloned(2), completed(Stage.METADATA), completed(Stage.STRUCTURE))
    story.given(completed(Stage.PARSE, 0, shards=2), lost, completed(Stage.EMBED, 0, shards=2), completed(Stage.INDEX))
    story.given(completed(Stage.ACTIVATE), completed(Stage.LINK), refined(0), completed(Stage.PROMOTE))
    assert why_not(story.state) is None

    assert why_not(story.given(facts.RetryRequested()).state) == UNDER_WAY
