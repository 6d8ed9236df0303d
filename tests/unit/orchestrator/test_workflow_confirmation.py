"""What is estimated once the tree is listed, and what waits for a person: asked for, confirmed, let go."""

from datetime import timedelta

import pytest

from events import processing as facts
from events.base import Event, derived_id
from events.processing import Stage
from orchestrator.workflow import Pace, Phase, Policy, Thresholds, decide, needs_estimate
from orchestrator.workflow.estimate import BYTES_PER_TOKEN
from tests.support.analyses import ANALYSIS, Story, asked, cloned, completed, requested

COUNTS = {"files": 30, "skipped": 4, "bytes": 3_500_000}
PACE = Pace(analyses=4, seconds=120.0, bytes=12_000_000)
TIMER = derived_id("timer", ANALYSIS, "confirmation")
OVERDUE = facts.TimerFired(timer_id=TIMER, kind="confirmation")


class Estimated(Story):
    """A story in which the pace is known whenever it is needed, as the consumer does it."""

    def __init__(self, thresholds: Thresholds | None = None, pace: Pace = PACE) -> None:
        super().__init__(Policy(thresholds=thresholds or Thresholds()))
        self.pace = pace
        self.when(requested())

    def when(self, event: Event) -> list[Event]:
        envelope = self.happens(event)
        pace = self.pace if needs_estimate(self.state) else None
        decision = decide(self.state, envelope, self.policy, pace)
        self.decisions.append(decision)
        for draft in decision.drafts:
            self._record(draft)
        return [draft.event for draft in decision.drafts]


def test_what_the_rest_takes_is_recorded_once_and_work_goes_on() -> None:
    story = Estimated(Thresholds(price=2.0))
    decided = story.when(cloned(2, counts=COUNTS))
    later = story.when(completed(Stage.METADATA))

    [estimated] = [event for event in decided if isinstance(event, facts.ProcessingEstimated)]
    tokens = round(3_500_000 / BYTES_PER_TOKEN)
    assert (estimated.files, estimated.bytes, estimated.seconds, estimated.measured) == (30, 3_500_000, 35.0, 4)
    assert (estimated.tokens, estimated.cost, estimated.currency) == (tokens, round(tokens * 2 / 1_000_000, 4), "USD")
    assert (estimated.over, estimated.until) == ((), None)
    assert [stage for stage, _, _ in asked(decided)] == ["metadata", "structure", "parse", "parse"]
    assert later == []


def test_what_an_earlier_analysis_had_is_told_and_lowers_no_limit() -> None:
    known = COUNTS | {"known_files": 29, "known_bytes": 3_400_000}
    decided = Estimated(Thresholds(cost=1.9, price=2.0)).when(cloned(1, counts=known))
    alone = Estimated(Thresholds(cost=1.9, price=2.0)).when(cloned(1, counts=COUNTS))

    [told], [first] = ([e for e in each if isinstance(e, facts.ProcessingEstimated)] for each in (decided, alone))
    assert (told.known_files, told.known_bytes, told.over) == (29, 3_400_000, ("cost",))
    assert (first.known_files, first.known_bytes) == (0, 0)
    assert (told.seconds, told.tokens, told.cost) == (first.seconds, first.tokens, first.cost)


def test_what_nobody_measured_is_not_estimated_and_what_costs_nothing_has_no_price() -> None:
    decided = Estimated(Thresholds(minutes=0.001), pace=Pace()).when(cloned(1, counts=COUNTS))

    [estimated] = [event for event in decided if isinstance(event, facts.ProcessingEstimated)]
    assert (estimated.seconds, estimated.measured, estimated.cost, estimated.currency) == (None, 0, None, "")
    assert estimated.over == ()


@pytest.mark.parametrize(
    ("thresholds", "over"),
    [
        (Thresholds(files=29), ("files",)),
        (Thresholds(files=30, bytes=3_500_000), ()),
        (Thresholds(bytes=3_499_999), ("bytes",)),
        (Thresholds(minutes=0.5), ("minutes",)),
        (Thresholds(minutes=0.6), ()),
        (Thresholds(cost=1.9, price=2.0), ("cost",)),
        (Thresholds(cost=1.9), ()),
        (Thresholds(files=1, bytes=1, minutes=0.1, cost=0.1, price=1), ("files", "bytes", "minutes", "cost")),
    ],
)
def test_over_a_limit_nothing_is_asked_for_but_a_person(thresholds: Thresholds, over: tuple[str, ...]) -> None:
    story = Estimated(thresholds)
    decided = story.when(cloned(2, counts=COUNTS))

    [estimated] = [event for event in decided if isinstance(event, facts.ProcessingEstimated)]
    assert estimated.over == over
    assert bool(asked(decided)) is not bool(over)
    assert [alarm.kind for alarm in story.decisions[-1].alarms] == ["confirmation"] * bool(over)
    assert "repository.processing.started" in story.names()


def test_once_confirmed_it_goes_on_where_it_stood_and_the_timer_says_nothing_any_more() -> None:
    story = Estimated(Thresholds(files=1))
    story.when(cloned(2, counts=COUNTS))
    [alarm] = story.decisions[-1].alarms
    went_on = story.when(facts.ProcessingConfirmed())

    assert alarm.due_at - story.history[3].timestamp < timedelta(hours=24, seconds=1)
    assert [stage for stage, _, _ in asked(went_on)] == ["metadata", "structure", "parse", "parse"]
    assert story.when(facts.ProcessingConfirmed()) == story.when(OVERDUE) == []
    assert story.state.phase is Phase.RUNNING


def test_what_nobody_confirms_fails_by_name_and_a_retry_has_it_analysed() -> None:
    story = Estimated(Thresholds(files=1))
    story.when(cloned(2, counts=COUNTS))
    [failed] = story.when(OVERDUE)
    again = story.when(facts.RetryRequested())

    assert isinstance(failed, facts.ProcessingFailed)
    assert (failed.code, failed.kind) == ("not_confirmed", facts.FaultKind.PERMANENT)
    assert [stage for stage, _, _ in asked(again)] == ["metadata", "structure", "parse", "parse"]


def test_a_confirmation_that_comes_too_late_changes_nothing() -> None:
    story = Estimated(Thresholds(files=1))
    story.when(cloned(2, counts=COUNTS))
    story.when(OVERDUE)

    assert story.when(facts.ProcessingConfirmed()) == []
    assert story.state.phase is Phase.FAILED


def test_cancelling_what_waits_ends_it() -> None:
    story = Estimated(Thresholds(files=1))
    story.when(cloned(2, counts=COUNTS))

    [cancelled] = story.when(facts.CancelRequested(reason="too large"))
    assert isinstance(cancelled, facts.ProcessingCancelled)
    assert story.when(facts.ProcessingConfirmed()) == story.when(OVERDUE) == []


def test_an_analysis_that_was_at_work_before_anything_was_estimated_is_left_alone() -> None:
    story = Story(Policy(thresholds=Thresholds(files=1)))
    story.when(requested())
    story.when(cloned(2, counts=COUNTS))

    assert not needs_estimate(story.state)
