"""Whatever order the workers finish in, and whatever the transport repeats or delays: one end, each run asked once."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from events import processing as facts
from events.base import Event
from events.processing import FaultKind, Stage
from tests.support.analyses import Story, cloned, completed, failed, fired, parked, requested

TERMINAL = {
    facts.ProcessingCompleted.event_type,
    facts.ProcessingFailed.event_type,
    facts.ProcessingCancelled.event_type,
}


class _Workers:
    """Workers that hold requested runs and end one of them at a time."""

    def __init__(self, story: Story, shards: int) -> None:
        self.story = story
        self.shards = shards
        self.seen = 0
        self.open: list[facts.StageRequested] = []
        self.timers: list[facts.RetryScheduled] = []
        self.undelivered = [story.happens(requested())]

    def look(self) -> None:
        for envelope in self.story.history[self.seen :]:
            if envelope.event_type == facts.StageRequested.event_type:
                self.open.append(facts.StageRequested.model_validate(envelope.data))
            if envelope.event_type == facts.RetryScheduled.event_type:
                self.timers.append(facts.RetryScheduled.model_validate(envelope.data))
        self.seen = len(self.story.history)

    def end(self, run: facts.StageRequested, outcome: str) -> Event:
        if outcome == "parked":
            return parked(run.stage, run.shard, attempt=run.attempt)
        if outcome != "done":
            return failed(run.stage, run.shard, attempt=run.attempt, kind=FaultKind(outcome))
        if run.stage is Stage.CLONE:
            return cloned(self.shards, attempt=run.attempt)
        return completed(run.stage, run.shard, attempt=run.attempt, shards=self.shards)

    def step(self, data: st.DataObject, outcomes: st.SearchStrategy[str]) -> bool:
        """Do one thing that can happen now; False where nothing can."""
        self.look()
        choices = ["deliver"] * bool(self.undelivered) + ["finish"] * bool(self.open) + ["fire"] * bool(self.timers)
        if not choices:
            return False
        match data.draw(st.sampled_from(choices)):
            case "deliver":
                envelope = self.undelivered.pop(data.draw(st.integers(0, len(self.undelivered) - 1)))
                self.story.hears(envelope)
                if data.draw(st.integers(0, 4)) == 0:
                    assert self.story.hears(envelope) == []
            case "finish":
                run = self.open.pop(data.draw(st.integers(0, len(self.open) - 1)))
                self.undelivered.append(self.story.happens(self.end(run, data.draw(outcomes))))
            case "fire":
                timer = self.timers.pop(data.draw(st.integers(0, len(self.timers) - 1)))
                self.undelivered.append(self.story.happens(fired(timer.stage, timer.shard, attempt=timer.attempt)))
        return True


def _run(data: st.DataObject, shards: int, outcomes: st.SearchStrategy[str]) -> Story:
    story = Story()
    workers = _Workers(story, shards)
    while workers.step(data, outcomes):
        pass
    return story


def _asked_twice(story: Story) -> list[object]:
    runs = Counter(e.data["run_id"] for e in story.history if e.event_type == facts.StageRequested.event_type)
    return [run for run, count in runs.items() if count > 1]


@settings(max_examples=120, deadline=None)
@given(st.data(), st.integers(1, 5))
def test_any_order_of_completions_ends_refined(data: st.DataObject, shards: int) -> None:
    story = _run(data, shards, st.just("done"))

    assert [name for name in story.names() if name in TERMINAL] == [facts.ProcessingCompleted.event_type]
    assert story.names().count(facts.ProcessingRefined.event_type) == 1
    assert _asked_twice(story) == []


@settings(max_examples=200, deadline=None)
@given(st.data(), st.integers(1, 4))
def test_any_mix_of_faults_ends_in_exactly_one_terminal_event(data: st.DataObject, shards: int) -> None:
    outcomes = st.sampled_from(["done"] * 8 + ["transient"] * 3 + ["permanent", "resource", "parked"])
    story = _run(data, shards, outcomes)

    assert len([name for name in story.names() if name in TERMINAL]) == 1
    assert _asked_twice(story) == []
