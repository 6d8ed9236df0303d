"""Of an analysis that did not come to its end it is told what is lacking, and whether more will come."""

from events import processing as facts
from events.processing import Stage
from orchestrator.api.comparing import lacking
from orchestrator.api.dependencies import not_cloned
from orchestrator.projections.analyses import fold
from tests.support.analyses import Story, cloned, completed, failed, parsed_story, refined_story, requested


def test_what_is_compared_comes_of_stages_whose_every_shard_has_a_result() -> None:
    begun = Story().given(requested())
    assert lacking(begun.history) == ["clone", "metadata", "parse"]
    half = Story().given(requested(), cloned(2), completed(Stage.METADATA), completed(Stage.PARSE, 0, shards=2))
    assert lacking(half.history) == ["parse"]
    partial = half.given(completed(Stage.STRUCTURE), failed(Stage.PARSE, 1))
    assert lacking(partial.history) == ["parse"]
    assert lacking(parsed_story().history) == lacking(refined_story().history) == []


def test_nobody_is_told_to_wait_for_a_clone_that_will_not_come() -> None:
    running = Story().given(requested())
    assert not_cloned(running.history).detail == "Wait until the repository is cloned."
    for end in (failed(Stage.CLONE), facts.CancelRequested(reason="enough")):
        over = Story().given(requested(), end)
        assert not_cloned(over.history).detail == (
            "It ended before the repository was cloned: have it analysed again."
        ), over.names()


def test_what_was_made_elsewhere_is_made_ready_from_its_import_on() -> None:
    story = refined_story()
    record = fold(story.history)
    assert record is not None
    assert record.view.imported_at is None

    story.given(facts.ProcessingImported(analysis_id=record.view.analysis_id, bundle="0" * 64, events=1))

    [imported] = story.history[-1:]
    taken_over = fold([imported], record)
    assert taken_over is not None
    assert taken_over.view.requested_at == story.history[0].timestamp
    assert taken_over.view.imported_at == imported.timestamp > taken_over.view.requested_at
