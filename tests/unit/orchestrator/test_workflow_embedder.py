"""Another model embeds from now on: the vectors of the full generation are made again, and nothing else."""

import pytest

from events import processing as facts
from events.artifacts import ArtifactKind
from events.base import Event
from events.index import EmbedderChanged
from events.processing import Stage
from orchestrator.projections.analyses import fold
from orchestrator.workflow import Phase
from tests.support.analyses import ANALYSIS, Story, an_artifact, asked, cloned, completed, failed, requested

CHANGED = EmbedderChanged(analysis_id=ANALYSIS, generation_id=ANALYSIS, model="a", wanted="b")


def a_ready_story() -> Story:
    story = Story().given(requested(), cloned(2), completed(Stage.METADATA), completed(Stage.STRUCTURE))
    for stage in (Stage.PARSE, Stage.EMBED):
        story.given(*(completed(stage, shard, shards=2) for shard in range(2)))
    return story.given(completed(Stage.INDEX), completed(Stage.ACTIVATE), completed(Stage.LINK))


def refined(shard: int, attempt: int = 1, of: str = "a/") -> Event:
    made = (an_artifact(ArtifactKind.VECTORS, shard, of=of),)
    return completed(Stage.REFINE, shard, shards=2, attempt=attempt, artifacts=made)


def a_refined_story() -> Story:
    return a_ready_story().given(refined(0), refined(1), completed(Stage.PROMOTE))


def test_all_vectors_of_a_refined_analysis_are_made_again_and_then_it_is_refined_again() -> None:
    story = a_refined_story()
    assert story.state.phase is Phase.REFINED

    assert asked(story.when(CHANGED)) == [("refine", 0, 2), ("refine", 1, 2)]
    seen = fold(story.history)
    assert seen is not None
    assert (seen.view.state, seen.view.ended_at) == ("ready", None)
    assert story.when(refined(0, 2, "b/")) == []
    [promote] = story.when(refined(1, 2, "b/"))
    assert isinstance(promote, facts.StageRequested)
    assert (promote.stage, promote.attempt, promote.round) == (Stage.PROMOTE, 2, 1)
    assert [ref.key for ref in promote.inputs] == ["b/vectors/0", "b/vectors/1"]
    [ended] = story.when(completed(Stage.PROMOTE, attempt=2))

    assert isinstance(ended, facts.ProcessingRefined)
    assert story.state.phase is Phase.REFINED


def test_the_ids_of_both_refinements_are_different_facts() -> None:
    story = a_refined_story().given(
        CHANGED, refined(0, 2, "b/"), refined(1, 2, "b/"), completed(Stage.PROMOTE, attempt=2)
    )

    ended = [event.event_id for event in story.history if event.event_type == facts.ProcessingRefined.event_type]
    assert len(ended) == len(set(ended)) == 2


def test_what_was_begun_with_the_earlier_model_is_done_once_more() -> None:
    story = a_ready_story().given(refined(0))

    assert asked(story.when(CHANGED)) == [("refine", 0, 2)]  # the other one is at work
    assert asked(story.when(refined(1))) == [("refine", 1, 2)]
    assert asked(story.given(refined(0, 2, "b/")).when(refined(1, 2, "b/"))) == [("promote", 0, 1)]


def test_a_setting_that_changed_between_two_shards_costs_no_more_than_the_other_ones() -> None:
    story = a_ready_story().given(refined(0, of="a/"), refined(1, of="b/"))
    mixed = failed(Stage.PROMOTE, code="mixed_models")

    assert asked(story.given(mixed).when(CHANGED)) == [("refine", 0, 2), ("refine", 1, 2)]
    story.given(refined(0, 2, "b/"))
    assert asked(story.when(refined(1, 2, "b/"))) == [("promote", 0, 2)]


def test_where_it_fails_the_earlier_generation_stands() -> None:
    story = a_refined_story().given(CHANGED, refined(0, 2, "b/"))
    story.given(failed(Stage.REFINE, 1, attempt=2, code="embedder_key_refused"))
    story.given(failed(Stage.PROMOTE, attempt=2, code="mixed_models"))

    assert story.state.phase is Phase.READY
    assert asked(story.when(facts.RetryRequested())) == [("refine", 0, 3), ("refine", 1, 3)]
    assert asked(story.given(refined(0, 3, "b/")).when(refined(1, 3, "b/"))) == [("promote", 0, 3)]


def test_where_every_shard_fails_nothing_is_asked_again_but_by_a_person() -> None:
    story = a_refined_story().given(CHANGED, failed(Stage.REFINE, 0, attempt=2, code="embedder_key_refused"))

    [promote] = story.when(failed(Stage.REFINE, 1, attempt=2, code="embedder_key_refused"))
    assert isinstance(promote, facts.StageRequested)
    assert [ref.key for ref in promote.inputs] == ["a/vectors/0", "a/vectors/1"], "the very vectors that serve"
    assert story.when(failed(Stage.PROMOTE, attempt=2, code="not_embedded_anew")) == []
    assert story.state.phase is Phase.READY

    assert asked(story.when(facts.RetryRequested())) == [("refine", 0, 3), ("refine", 1, 3)]
    assert asked(story.given(refined(0, 3, "b/")).when(refined(1, 3, "b/"))) == [("promote", 0, 3)]


def a_mixture(story: Story, attempt: int) -> list[tuple[str, int, int]]:
    """Both shards come, and promote finds two models and says so; what is asked for then."""
    story.given(refined(0, attempt, f"a{attempt}/"), refined(1, attempt, f"b{attempt}/"))
    story.given(failed(Stage.PROMOTE, attempt=attempt, code="mixed_models"))
    return asked(story.when(CHANGED.model_copy(update={"model": ""})))


def test_mixtures_are_mended_five_times_in_a_row_and_then_by_a_person_who_gets_as_many() -> None:
    story = a_ready_story()
    for attempt in range(1, 6):
        assert a_mixture(story, attempt) == [("refine", 0, attempt + 1), ("refine", 1, attempt + 1)]
    assert a_mixture(story, 6) == []

    assert asked(story.when(facts.RetryRequested())) == [("refine", 0, 7), ("refine", 1, 7)]
    assert a_mixture(story, 7) == [("refine", 0, 8), ("refine", 1, 8)]


def test_what_was_promoted_often_before_is_mended_all_the_same() -> None:
    story = a_ready_story()
    for attempt in range(1, 8):
        story.given(refined(0, attempt, f"{attempt}/"), refined(1, attempt, f"{attempt}/"))
        story.given(completed(Stage.PROMOTE, attempt=attempt), CHANGED)

    assert a_mixture(story, 8) == [("refine", 0, 9), ("refine", 1, 9)]


def test_who_gave_up_on_mixtures_still_hears_that_the_setting_changed() -> None:
    story = a_ready_story()
    for attempt in range(1, 7):
        a_mixture(story, attempt)

    assert asked(story.when(CHANGED)) == [("refine", 0, 7), ("refine", 1, 7)]


@pytest.mark.parametrize("stopped", [True, False])
def test_what_is_stopped_or_not_ready_hears_nothing_of_it(stopped: bool) -> None:
    story = a_ready_story().given(facts.CancelRequested()) if stopped else Story().given(requested(), cloned(1))
    before = story.state

    assert story.when(CHANGED) == []
    assert story.state == before
