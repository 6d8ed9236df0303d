"""The stage graph, told forwards: what is asked for, when, and with which inputs."""

from uuid import UUID

import pytest

from events import processing as facts
from events.processing import Stage
from tests.support.analyses import (
    ANALYSIS,
    CONTEXT,
    Story,
    asked,
    cloned,
    completed,
    failed,
    parsed_story,
    ready_story,
    refined_story,
    requested,
)


def test_a_request_asks_for_the_clone_and_nothing_else() -> None:
    [clone] = Story().when(requested())

    assert isinstance(clone, facts.StageRequested)
    assert (clone.stage, clone.shard, clone.shards, clone.attempt, clone.inputs) == (Stage.CLONE, 0, 1, 1, ())
    assert (clone.analysis_id, clone.url, clone.commit) == (ANALYSIS, "https://github.com/pallets/flask", None)


def test_a_clone_starts_processing_and_fans_out_over_its_shards() -> None:
    decided = Story().given(requested()).when(cloned(3, counts={"files": 30, "skipped": 4, "bytes": 900}))

    [started] = [event for event in decided if isinstance(event, facts.ProcessingStarted)]
    assert (started.commit, started.ref) == ("c0ffee", "main")
    assert (started.file_count, started.skipped_count, started.size) == (30, 4, 900)
    assert asked(decided) == [
        ("metadata", 0, 1),
        ("structure", 0, 1),
        ("parse", 0, 1),
        ("parse", 1, 1),
        ("parse", 2, 1),
    ]


def test_a_start_that_the_worker_recorded_itself_is_not_recorded_again() -> None:
    story = Story().given(requested())
    story.happens(facts.ProcessingStarted(url="u", commit="c0ffee", ref="main", size=1, file_count=1, skipped_count=0))

    assert not [event for event in story.when(cloned()) if isinstance(event, facts.ProcessingStarted)]


def test_each_run_is_given_the_artifacts_it_reads() -> None:
    story = ready_story(2)
    inputs = {
        (event.stage.value, event.shard): [(ref.kind.value, ref.shard, ref.key) for ref in event.inputs]
        for event in (
            facts.StageRequested.model_validate(e.data) for e in story.history if "stage.requested" in e.event_type
        )
    }

    tree, sources = ("tree", 0, "tree/0"), [("sources", 0, "sources/0"), ("sources", 1, "sources/1")]
    assert inputs["metadata", 0] == inputs["structure", 0] == [tree, *sources]
    assert inputs["parse", 1] == [sources[1]]
    assert inputs["embed", 1] == inputs["refine", 1] == [("chunks", 1, "parse/chunks/1")]
    assert inputs["index", 0] == [
        tree,
        *sources,
        ("chunks", 0, "parse/chunks/0"),
        ("chunks", 1, "parse/chunks/1"),
        ("symbols", 0, "parse/symbols/0"),
        ("symbols", 1, "parse/symbols/1"),
    ]
    assert inputs["activate", 0] == [("vectors", 0, "embed/vectors/0"), ("vectors", 1, "embed/vectors/1")]


def test_promote_takes_the_refined_vectors_and_not_the_quick_ones() -> None:
    story = ready_story(2).given(completed(Stage.REFINE, 1))
    [promote] = story.when(completed(Stage.REFINE, 0))

    assert isinstance(promote, facts.StageRequested)
    assert [ref.key for ref in promote.inputs] == ["refine/vectors/0", "refine/vectors/1"]


def test_a_shard_is_embedded_as_soon_as_it_is_parsed_and_the_index_waits_for_all() -> None:
    story = Story().given(requested(), cloned(3))

    assert asked(story.when(completed(Stage.PARSE, 2))) == [("embed", 2, 1)]
    assert asked(story.when(completed(Stage.PARSE, 0))) == [("embed", 0, 1)]
    assert asked(story.when(completed(Stage.PARSE, 1))) == [("index", 0, 1), ("embed", 1, 1)]


@pytest.mark.parametrize("last", [Stage.INDEX, Stage.EMBED])
def test_activation_waits_for_the_index_and_for_every_vector(last: Stage) -> None:
    story = parsed_story(2)
    rest = [completed(Stage.INDEX), completed(Stage.EMBED, 0), completed(Stage.EMBED, 1)]
    final = next(event for event in rest if event.stage is last)  # type: ignore[attr-defined]  # all are completions
    story.given(*(event for event in rest if event is not final))

    assert asked(story.when(final)) == [("activate", 0, 1)]


@pytest.mark.parametrize("last", [Stage.ACTIVATE, Stage.METADATA, Stage.STRUCTURE])
def test_ready_waits_for_activation_metadata_and_structure(last: Stage) -> None:
    story = Story().given(
        requested(), cloned(1), completed(Stage.PARSE), completed(Stage.INDEX), completed(Stage.EMBED)
    )
    for stage in (Stage.ACTIVATE, Stage.METADATA, Stage.STRUCTURE):
        if stage is not last:
            story.given(completed(stage))
    assert "repository.processing.completed" not in story.names()

    decided = story.when(completed(last))

    assert [type(event) for event in decided] == [facts.ProcessingCompleted, *[facts.StageRequested] * 2]
    assert asked(decided) == [("refine", 0, 1), ("link", 0, 1)]


def test_the_graph_is_linked_in_the_background_from_all_that_was_parsed() -> None:
    [link] = [envelope for envelope in ready_story(1).history if envelope.stage == "link"]

    assert [ref["kind"] for ref in link.data["inputs"]] == ["tree", "sources", "symbols", "edges"]


def test_refined_waits_for_the_graph_too() -> None:
    story = ready_story(1).given(completed(Stage.REFINE, 0), completed(Stage.PROMOTE))
    assert story.names()[-1] != "repository.processing.refined"

    [refined] = story.when(completed(Stage.LINK))
    assert isinstance(refined, facts.ProcessingRefined)


def test_a_lost_graph_leaves_the_analysis_ready_until_somebody_asks_again() -> None:
    story = ready_story(1).given(completed(Stage.REFINE, 0), completed(Stage.PROMOTE), failed(Stage.LINK))
    assert story.names()[-1] != "repository.processing.refined"

    assert asked(story.when(facts.RetryRequested())) == [("link", 0, 2)]


def test_refined_follows_promotion_and_is_the_end() -> None:
    story = refined_story(2)

    assert story.names()[-1] == "repository.processing.refined"
    assert story.when(completed(Stage.PROMOTE)) == []


def test_completed_adds_up_what_the_runs_counted() -> None:
    story = Story().given(
        requested(),
        cloned(
            2, counts={"files": 20, "skipped": 5}, facts={"commit": "c0ffee", "skipped": {"binary": 3, "too_large": 2}}
        ),
        completed(Stage.METADATA),
        completed(Stage.STRUCTURE),
        completed(Stage.PARSE, 0, counts={"symbols": 4, "chunks": 7, "failed": 1}, facts={"failed": {"timeout": 1}}),
        completed(Stage.PARSE, 1, counts={"symbols": 5, "chunks": 8, "failed": 0}),
        completed(Stage.INDEX, counts={"chunks": 15}),
        completed(Stage.EMBED, 0, counts={"vectors": 7}),
        completed(Stage.EMBED, 1, counts={"vectors": 8}),
    )
    done = story.when(completed(Stage.ACTIVATE))[0]

    assert isinstance(done, facts.ProcessingCompleted)
    assert done.totals == {"files": 20, "skipped": 5, "symbols": 9, "chunks": 15, "failed": 1, "vectors": 15}
    assert done.skipped == {"binary": 3, "too_large": 2}
    assert done.failed == {"timeout": 1}
    assert (done.commit, done.partial) == ("c0ffee", True)
    assert done.duration == (story.history[-3].timestamp - story.history[0].timestamp).total_seconds()


def test_nothing_failed_means_not_partial() -> None:
    completions = [e for e in ready_story().history if e.event_type == "repository.processing.completed"]

    assert [e.data["partial"] for e in completions] == [False]


def test_a_clone_without_sources_fails_the_analysis_rather_than_waiting_for_ever() -> None:
    [failure] = Story().given(requested()).when(cloned(0))

    assert isinstance(failure, facts.ProcessingFailed)
    assert (failure.stage, failure.code) == (Stage.CLONE, "no_text_files")


def test_what_is_decided_carries_the_context_of_the_request_and_the_cause_of_the_message() -> None:
    story = Story().given(requested())
    story.hears(envelope := story.happens(cloned()))

    for draft in story.decisions[-1].drafts:
        assert draft.context.causation_id == envelope.event_id
        assert draft.context.correlation_id == CONTEXT.correlation_id
        assert (draft.context.repository_id, draft.context.user_id) == (CONTEXT.repository_id, CONTEXT.user_id)
        assert draft.occurred_at == envelope.timestamp


def test_ids_do_not_depend_on_who_asked() -> None:
    story, other = Story().given(requested()), Story().given(requested())
    story.when(cloned())
    late = other.happens(cloned())
    other.happens(facts.StageStarted(run_id=UUID(int=1), stage=Stage.PARSE, shard=0, attempt=1, worker="w"))
    other.hears(late)

    assert [d.event_id for d in story.decisions[-1].drafts] == [d.event_id for d in other.decisions[-1].drafts]
