"""What a person sees of an analysis, folded from its events."""

from datetime import UTC, datetime

import pytest

from events import processing as facts
from events.processing import FaultKind, Stage
from orchestrator.api.models import AnalysisState, AnalysisView, StageState, StageView
from orchestrator.projections.analyses import AnalysisRecord, apply, fold, is_running
from orchestrator.projections.stages import view_of
from tests.support.analyses import (
    REPOSITORY,
    Story,
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


def seen(story: Story) -> AnalysisView:
    record = fold(story.history)
    assert record is not None
    return view_of(record)


def stage(story: Story, name: Stage) -> StageView:
    return next(view for view in seen(story).stages if view.stage == name)


def started(name: Stage, shard: int = 0) -> facts.StageStarted:
    from tests.support.analyses import ANALYSIS, run_id_of

    return facts.StageStarted(
        run_id=run_id_of(ANALYSIS, name, shard, 1), stage=name, shard=shard, attempt=1, worker="w"
    )


def test_a_request_is_seen_with_all_its_stages_waiting_but_the_first() -> None:
    view = seen(Story().given(requested()))

    assert (view.state, view.name, view.repository_id) == (AnalysisState.REQUESTED, "pallets/flask", REPOSITORY)
    assert [s.state for s in view.stages] == [
        StageState.QUEUED,
        *[StageState.WAITING] * (len(Stage) - 2),
    ]  # history was not asked for


def test_the_states_follow_the_milestones() -> None:
    story = Story().given(requested())
    states = [seen(story).state]
    for event in (started(Stage.CLONE), cloned(1), completed(Stage.METADATA), completed(Stage.STRUCTURE)):
        story.given(event)
    states.append(seen(story).state)
    for event in (completed(Stage.PARSE), completed(Stage.INDEX)):
        story.given(event)
    states.append(seen(story).state)
    story.given(completed(Stage.EMBED), completed(Stage.ACTIVATE))
    states.append(seen(story).state)
    story.given(completed(Stage.REFINE), completed(Stage.PROMOTE), completed(Stage.LINK))

    assert [*states, seen(story).state] == ["requested", "running", "answerable", "ready", "refined"]
    view = seen(story)
    assert view.requested_at < view.answerable_at < view.ready_at < view.refined_at == view.ended_at  # type: ignore[operator]  # all are set
    assert view.version == len(story.history)


def test_a_stage_adds_up_its_shards() -> None:
    story = Story().given(requested(), cloned(3), started(Stage.PARSE, 0), started(Stage.PARSE, 1))
    story.given(completed(Stage.PARSE, 0, shards=3, counts={"symbols": 2}))
    half = stage(story, Stage.PARSE)
    story.given(completed(Stage.PARSE, 1, shards=3, counts={"symbols": 3}), completed(Stage.PARSE, 2, shards=3))
    whole = stage(story, Stage.PARSE)

    assert (half.state, half.shards, half.shards_done, half.ended_at) == (StageState.RUNNING, 3, 1, None)
    assert (whole.state, whole.shards_done, whole.files_processed) == (StageState.COMPLETED, 3, 30)
    assert whole.counts == {"symbols": 5}
    assert whole.duration is not None
    assert whole.duration > 0


def test_a_stage_with_shards_still_to_come_is_running() -> None:
    story = Story().given(requested(), cloned(2), completed(Stage.PARSE, 0, shards=2))
    story.given(completed(Stage.EMBED, 0, shards=2))

    assert stage(story, Stage.EMBED).state is StageState.RUNNING


def test_a_retry_is_seen_with_its_reason_and_its_time() -> None:
    story = Story().given(requested(), started(Stage.CLONE))
    story.given(failed(Stage.CLONE, kind=FaultKind.TRANSIENT, code="host_down"))
    waiting = stage(story, Stage.CLONE)
    story.given(fired(Stage.CLONE))
    again = stage(story, Stage.CLONE)

    assert (waiting.state, waiting.code, waiting.message) == (StageState.RETRYING, "host_down", "It broke.")
    assert waiting.retry_at is not None
    assert (again.state, again.attempt, again.code, again.retry_at) == (StageState.QUEUED, 2, None, None)


def test_a_failure_names_its_stage_and_reason() -> None:
    view = seen(story := Story().given(requested(), failed(Stage.CLONE, code="no_such_repository")))

    assert (view.state, view.code, view.message) == (AnalysisState.FAILED, "no_such_repository", "It broke.")
    assert view.ended_at is not None
    assert stage(story, Stage.CLONE).state is StageState.FAILED


def test_going_on_clears_the_failure() -> None:
    story = parsed_story(1).given(completed(Stage.INDEX), failed(Stage.EMBED), facts.RetryRequested())
    view = seen(story)

    assert (view.state, view.code, view.ended_at) == (AnalysisState.ANSWERABLE, None, None)
    assert stage(story, Stage.EMBED).attempt == 2


def test_a_lost_shard_shows_its_stage_as_failed_though_the_analysis_is_ready() -> None:
    story = Story().given(requested(), cloned(2), completed(Stage.METADATA), completed(Stage.STRUCTURE))
    story.given(completed(Stage.PARSE, 0, shards=2), parked(Stage.PARSE, 1))
    story.given(completed(Stage.INDEX), completed(Stage.EMBED, 0, shards=2), completed(Stage.ACTIVATE))
    view = seen(story)

    assert (view.state, view.partial, view.failed) == (AnalysisState.READY, True, {"parked": 10})
    assert stage(story, Stage.PARSE).state is StageState.PARKED
    assert stage(story, Stage.EMBED).state is StageState.COMPLETED


def test_a_cancelled_analysis_shows_what_was_stopped() -> None:
    story = Story().given(requested(), cloned(1), facts.CancelRequested(reason="wrong"))
    view = seen(story)

    assert (view.state, view.message) == (AnalysisState.CANCELLED, "wrong")
    assert stage(story, Stage.CLONE).state is StageState.COMPLETED
    assert stage(story, Stage.PARSE).state is StageState.CANCELLED


def test_what_the_stages_found_is_shown() -> None:
    story = Story().given(requested(), cloned(1, facts={"commit": "c0ffee", "skipped": {"binary": 2}}))
    story.given(completed(Stage.METADATA, metadata_extracted={"readme_found": True}, facts={"license": "MIT"}))
    story.given(completed(Stage.STRUCTURE, facts={"languages": {"python": 3}, "tree": []}))
    view = seen(story)

    assert (view.commit, view.skipped, view.languages) == ("c0ffee", {"binary": 2}, {"python": 3})
    assert view.metadata == {"readme_found": True, "license": "MIT"}


def test_an_event_that_comes_twice_or_late_changes_nothing() -> None:
    story = ready_story(2)
    record = fold(story.history)
    assert record is not None
    before = record.model_dump_json()
    for envelope in story.history:
        apply(record, envelope)

    assert record.model_dump_json() == before


def test_a_record_survives_being_stored_at_any_point() -> None:
    story = refined_story(3)
    stored: AnalysisRecord | None = None
    for envelope in story.history:
        after = apply(stored, envelope)
        assert after is not None
        stored = AnalysisRecord.model_validate_json(after.model_dump_json())

    assert stored == fold(story.history)


def test_work_goes_on_while_it_is_refined_and_not_after() -> None:
    ready, refined = fold(ready_story().history), fold(refined_story().history)
    lost = fold(ready_story(1).given(completed(Stage.LINK), failed(Stage.REFINE)).history)

    assert [record is not None and is_running(record) for record in (ready, refined, lost)] == [True, False, False]


def test_the_commit_is_seen_with_its_ref_its_default_branch_its_date_and_its_subject() -> None:
    said = {"commit": "c0ffee", "ref": "refs/tags/v1", "default_branch": "main", "tree_cut": True}
    more = {"last_commit_at": "2026-01-02T03:04:05+00:00", "last_commit_subject": "Mend it"}
    head = seen(Story().given(requested(), cloned(1, facts={**said, **more}))).head

    assert head is not None
    assert (head.ref, head.default_branch, head.subject, head.tree_cut) == ("refs/tags/v1", "main", "Mend it", True)
    assert head.authored_at == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize("wrong", [{"last_commit_at": "yesterday"}, {"ref": 7}])
def test_a_commit_that_is_told_in_another_way_is_seen_without_them(wrong: dict[str, object]) -> None:
    view = seen(Story().given(requested(), cloned(1, facts={"commit": "c0ffee", **wrong})))

    assert (view.commit, view.head) == ("c0ffee", None)


def test_files_are_counted_by_what_parsing_did_with_them_over_all_shards() -> None:
    story = Story().given(requested(), cloned(2))
    first = {"files": 9, "parsed": 5, "parsed.syntax_errors": 1, "lines": 3, "lines.no_grammar": 3, "failed": 1}
    story.given(completed(Stage.PARSE, 0, shards=2, counts=first, facts={"failed": {"parser_timeout": 1}}))
    second = {"files": 4, "parsed": 3, "lines": 1, "lines.syntax_errors": 1}
    story.given(completed(Stage.PARSE, 1, shards=2, counts=second))

    assert seen(story).outcomes == {
        "parsed": 8,
        "lines.no_grammar": 3,
        "parsed.syntax_errors": 1,
        "lines.syntax_errors": 1,
        "failed.parser_timeout": 1,
    }
