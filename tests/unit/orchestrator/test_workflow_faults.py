"""The stage graph when things go wrong: retries, losses, late news, a person who stops or goes on."""

from datetime import timedelta
from itertools import pairwise
from uuid import UUID

import pytest

from events import processing as facts
from events.processing import FaultKind, Stage
from orchestrator.workflow import Phase, Policy
from orchestrator.workflow.decide import run_id_of
from orchestrator.workflow.policy import retry_delay
from tests.support.analyses import (
    ANALYSIS,
    Story,
    asked,
    cloned,
    completed,
    failed,
    fired,
    parked,
    parsed_story,
    ready_story,
    requested,
)

TRANSIENT = FaultKind.TRANSIENT


def test_a_transient_fault_sets_a_timer_and_the_timer_asks_again() -> None:
    story = Story().given(requested())
    [scheduled] = story.when(failed(Stage.CLONE, kind=TRANSIENT, code="host_down"))
    failure = story.history[-2]

    assert isinstance(scheduled, facts.RetryScheduled)
    run_id = run_id_of(ANALYSIS, Stage.CLONE, 0, 1)
    assert scheduled.due_at == failure.timestamp + retry_delay(Policy(), 1, run_id)
    [alarm] = story.decisions[-1].alarms
    assert (alarm.kind, alarm.due_at) == ("retry", scheduled.due_at)
    assert alarm.data == {"run_id": str(run_id), "stage": "clone", "shard": 0, "attempt": 1}
    assert asked(story.when(fired(Stage.CLONE))) == [("clone", 0, 2)]


@pytest.mark.parametrize(("asked", "waits"), [(900.0, 900.0), (1e300, 3_600.0), (0.001, None)])
def test_a_host_that_asks_to_be_left_alone_is_left_alone_for_so_long(asked: float, waits: float | None) -> None:
    story = Story().given(requested())
    fault = failed(Stage.CLONE, kind=TRANSIENT, code="host_busy").model_copy(update={"retry_after": asked})
    [scheduled] = story.when(fault)

    assert isinstance(scheduled, facts.RetryScheduled)
    own = retry_delay(Policy(), 1, run_id_of(ANALYSIS, Stage.CLONE, 0, 1))
    due = story.history[-2].timestamp + (own if waits is None else timedelta(seconds=waits))
    assert scheduled.due_at == due


def test_delays_double_up_to_the_cap_within_their_jitter() -> None:
    policy = Policy(base=2.0, cap=60.0)
    for number in range(200):
        run_id = run_id_of(ANALYSIS, Stage.EMBED, number, 1)
        delays = [retry_delay(policy, tries, run_id) for tries in range(1, 9)]
        assert timedelta(seconds=1) <= delays[0] < timedelta(seconds=3)
        assert all(later >= earlier for earlier, later in pairwise(delays))
        assert delays[-1] < timedelta(seconds=90)
        assert delays == [retry_delay(policy, tries, run_id) for tries in range(1, 9)]


def test_runs_that_fail_together_do_not_return_together() -> None:
    delays = {retry_delay(Policy(), 1, run_id_of(ANALYSIS, Stage.EMBED, n, 1)) for n in range(50)}

    assert len(delays) == 50


def test_the_fifth_transient_failure_is_final() -> None:
    story = Story().given(requested())
    for attempt in range(1, 5):
        story.given(failed(Stage.CLONE, attempt=attempt, kind=TRANSIENT), fired(Stage.CLONE, attempt=attempt))
    [failure] = story.when(failed(Stage.CLONE, attempt=5, kind=TRANSIENT, code="host_down"))

    assert isinstance(failure, facts.ProcessingFailed)
    assert (failure.stage, failure.kind, failure.code) == (Stage.CLONE, TRANSIENT, "host_down")


@pytest.mark.parametrize("stale", [fired(Stage.CLONE, attempt=2), fired(Stage.EMBED, 7), fired(Stage.CLONE, 1)])
def test_a_timer_of_another_attempt_is_ignored(stale: facts.TimerFired) -> None:
    story = Story().given(requested(), failed(Stage.CLONE, kind=TRANSIENT))

    assert story.when(stale) == []


@pytest.mark.parametrize(
    "data", [{}, {"stage": "nonsense", "shard": 0, "attempt": 1}, {"stage": "clone", "shard": "0", "attempt": 1}]
)
def test_a_timer_that_says_nothing_useful_is_ignored(data: dict[str, object]) -> None:
    story = Story().given(requested(), failed(Stage.CLONE, kind=TRANSIENT))

    assert story.when(facts.TimerFired(timer_id=UUID(int=1), kind="retry", data=data)) == []


def test_a_timer_that_fires_twice_asks_once() -> None:
    story = Story().given(requested(), failed(Stage.CLONE, kind=TRANSIENT), fired(Stage.CLONE))

    assert story.when(fired(Stage.CLONE)) == []


@pytest.mark.parametrize("stage", [Stage.CLONE, Stage.INDEX, Stage.EMBED, Stage.ACTIVATE])
@pytest.mark.parametrize("loss", ["permanent", "resource", "parked"])
def test_the_loss_of_a_needed_stage_fails_the_analysis_once(stage: Stage, loss: str) -> None:
    story = Story().given(requested()) if stage is Stage.CLONE else parsed_story(2)
    if stage is Stage.ACTIVATE:
        story.given(completed(Stage.INDEX), completed(Stage.EMBED, 0), completed(Stage.EMBED, 1))
    news = parked(stage) if loss == "parked" else failed(stage, kind=FaultKind(loss), code="broken")
    decided = story.when(news)

    assert [type(event) for event in decided] == [facts.ProcessingFailed]
    assert (decided[0].stage, decided[0].code) == (stage, "parked" if loss == "parked" else "broken")  # type: ignore[attr-defined]  # just checked
    assert story.when(completed(Stage.EMBED, 1)) == []
    assert story.names().count("repository.processing.failed") == 1


def test_one_lost_parse_shard_leaves_the_rest_partial() -> None:
    story = Story().given(requested(), cloned(3), completed(Stage.METADATA), completed(Stage.STRUCTURE))
    story.given(completed(Stage.PARSE, 0), failed(Stage.PARSE, 1, code="parser_killed"))
    decided = story.when(completed(Stage.PARSE, 2))
    assert asked(decided) == [("index", 0, 1), ("embed", 2, 1)]

    story.given(completed(Stage.INDEX), completed(Stage.EMBED, 0), completed(Stage.EMBED, 2))
    done, *refine = story.when(completed(Stage.ACTIVATE))

    assert isinstance(done, facts.ProcessingCompleted)
    assert (done.partial, done.failed) == (True, {"parser_killed": 10})
    assert asked(refine) == [("refine", 0, 1), ("refine", 2, 1), ("link", 0, 1)]
    story.given(completed(Stage.REFINE, 0))
    assert asked(story.when(completed(Stage.REFINE, 2))) == [("promote", 0, 1)]


def test_the_index_waits_for_a_parse_shard_that_is_being_retried() -> None:
    story = Story().given(requested(), cloned(2), failed(Stage.PARSE, 1, kind=TRANSIENT))
    assert asked(story.when(completed(Stage.PARSE, 0))) == [("embed", 0, 1)]
    story.given(fired(Stage.PARSE, 1))

    assert asked(story.when(completed(Stage.PARSE, 1, attempt=2))) == [("index", 0, 1), ("embed", 1, 1)]


def test_all_parse_shards_lost_is_a_failure() -> None:
    story = Story().given(requested(), cloned(2), failed(Stage.PARSE, 0, code="first"))
    [failure] = story.when(failed(Stage.PARSE, 1, code="second"))

    assert isinstance(failure, facts.ProcessingFailed)
    assert (failure.stage, failure.code) == (Stage.PARSE, "first")


@pytest.mark.parametrize("stage", [Stage.METADATA, Stage.STRUCTURE])
def test_a_lost_description_is_partial_and_not_a_failure(stage: Stage) -> None:
    other = Stage.STRUCTURE if stage is Stage.METADATA else Stage.METADATA
    story = Story().given(requested(), cloned(1), failed(stage), completed(other), completed(Stage.PARSE))
    story.given(completed(Stage.INDEX), completed(Stage.EMBED))
    done = story.when(completed(Stage.ACTIVATE))[0]

    assert isinstance(done, facts.ProcessingCompleted)
    assert (done.partial, done.failed) == (True, {f"{stage}.broken": 1})


@pytest.mark.parametrize("stage", [Stage.REFINE, Stage.PROMOTE])
def test_a_lost_refinement_leaves_the_analysis_ready(stage: Stage) -> None:
    story = ready_story(1)
    if stage is Stage.PROMOTE:
        story.given(completed(Stage.REFINE))

    assert story.when(failed(stage)) == []
    assert story.state.phase is Phase.READY
    assert asked(story.when(facts.RetryRequested())) == [(stage.value, 0, 2)]


def test_results_that_arrive_after_a_failure_are_kept_and_used_when_a_person_goes_on() -> None:
    story = parsed_story(2).given(failed(Stage.INDEX, code="disk_full", kind=FaultKind.RESOURCE))
    assert story.when(completed(Stage.EMBED, 0)) == []
    assert story.when(completed(Stage.EMBED, 1)) == []

    assert asked(story.when(facts.RetryRequested())) == [("index", 0, 2)]
    assert asked(story.when(completed(Stage.INDEX, attempt=2))) == [("activate", 0, 1)]


def test_going_on_gives_a_new_budget_of_attempts() -> None:
    story = Story().given(requested(), failed(Stage.CLONE), facts.RetryRequested())
    for attempt in range(2, 6):
        story.given(failed(Stage.CLONE, attempt=attempt, kind=TRANSIENT), fired(Stage.CLONE, attempt=attempt))
    assert story.state.phase is Phase.RUNNING

    assert [type(e) for e in story.when(failed(Stage.CLONE, attempt=6, kind=TRANSIENT))] == [facts.ProcessingFailed]
    assert story.names().count("repository.processing.failed") == 2


def test_going_on_retries_a_lost_parse_shard_before_indexing() -> None:
    story = Story().given(requested(), cloned(2), failed(Stage.PARSE, 0), failed(Stage.PARSE, 1))

    assert asked(story.when(facts.RetryRequested())) == [("parse", 0, 2), ("parse", 1, 2)]


def test_going_on_does_not_add_a_parse_shard_to_an_index_that_was_built_without_it() -> None:
    story = Story().given(requested(), cloned(2), completed(Stage.PARSE, 0), failed(Stage.PARSE, 1))
    story.given(completed(Stage.INDEX), failed(Stage.EMBED, 0))

    assert asked(story.when(facts.RetryRequested())) == [("embed", 0, 2)]


def test_a_person_who_goes_on_with_what_runs_changes_nothing() -> None:
    assert Story().given(requested(), cloned()).when(facts.RetryRequested()) == []


def test_stopping_ends_the_analysis_and_late_results_change_nothing() -> None:
    story = Story().given(requested(), cloned(2))
    [stopped] = story.when(facts.CancelRequested(reason="wrong branch"))

    assert stopped == facts.ProcessingCancelled(reason="wrong branch")
    assert story.when(completed(Stage.PARSE, 0)) == []
    assert story.when(failed(Stage.PARSE, 1)) == []
    assert story.when(facts.RetryRequested()) == []
    assert story.when(facts.CancelRequested()) == []


def test_stopping_a_ready_analysis_stops_its_refinement_only() -> None:
    story = ready_story(2)
    assert story.when(facts.CancelRequested()) == []

    assert story.when(completed(Stage.REFINE, 0)) == []
    assert story.when(completed(Stage.REFINE, 1)) == []
    assert story.state.phase is Phase.READY


def test_a_failure_of_a_finished_or_older_run_is_ignored() -> None:
    story = Story().given(requested(), failed(Stage.CLONE, kind=TRANSIENT), fired(Stage.CLONE))
    assert story.when(failed(Stage.CLONE, attempt=1)) == []
    story.given(cloned(1, attempt=2))

    assert story.when(failed(Stage.CLONE, attempt=2)) == []


def test_a_result_nobody_asked_for_is_ignored() -> None:
    story = Story().given(requested())

    assert story.when(completed(Stage.ACTIVATE)) == []
    assert story.when(completed(Stage.PARSE, 3)) == []


def test_events_before_the_request_are_ignored() -> None:
    assert Story().when(completed(Stage.CLONE)) == []
