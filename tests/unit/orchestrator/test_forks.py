"""What would have become of a history: the same as did, where nothing is edited; else what the edit leads to."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events.base import Envelope
from events.processing import ProcessingCompleted, RetryScheduled, StageCompleted, StageFailed
from events.question import QuestionAsked
from events.replay.fork import BadFork, forked
from orchestrator.projections.forks import Fork, fork
from orchestrator.workflow import Policy
from orchestrator.workflow.again import line_of
from orchestrator.workflow.onward import decisions, go_on
from tests.support import histories

# What was taken over was told at once, and no workflow decided it; a run with other values is a person's, and the fork
# asks for it as it was (docs/replay.md).
OTHERWISE = {"imported", "parked_then_edited_and_discarded"}
ANALYSES = [
    name
    for name in histories.all_names()
    if histories.load(name).events[0].stream_id.startswith("analysis/") and name not in OTHERWISE
]


def fork_at(events: Sequence[Envelope], version: int, **changes: object) -> Fork:
    return fork(events, version, changes, Policy())


def place_of(events: Sequence[Envelope], event_type: str, **data: object) -> int:
    """The version of the first event of a type with these values."""
    return next(
        e.version for e in events if e.event_type == event_type and all(e.data[k] == v for k, v in data.items())
    )


@pytest.mark.parametrize("name", ANALYSES)
def test_whatever_version_it_is_forked_at_it_goes_on_as_it_did(name: str) -> None:
    events = histories.load(name).events
    for version in range(1, len(events) + 1, 3):
        course = go_on(events, events[:version], Policy())

        assert _told(course.decided) == _told(decisions(events, version)), version
        assert course.unused == ()
        assert len(course.events) >= len(events)  # a timer that the record does not have may fire at the end


def _told(events: Sequence[Envelope]) -> list[str]:
    """Without when it was decided: the record may have heard several messages before it decided once."""
    return sorted(line_of(event, ("duration",)) for event in events)


def test_a_failure_that_is_edited_leads_to_another_decision_and_to_what_nobody_recorded() -> None:
    events = histories.load("host_was_away").events
    at = place_of(events, StageFailed.event_type)

    made = fork_at(events, at, kind="permanent")

    assert [(change.path, change.before, change.after) for change in made.edited] == [
        ("/kind", "transient", "permanent")
    ]
    lost = [each for each in made.decisions if each.fork is not None and not each.agrees]
    assert [each.event_type for each in lost] == ["repository.processing.failed"]
    assert any(each.event_type == "processing.retry.scheduled" and each.fork is None for each in made.decisions)
    assert {change.path for change in made.now} >= {"/state"}
    assert made.unused  # what came of the retry has no place in it


def test_a_run_that_is_asked_for_something_else_has_no_recorded_answer() -> None:
    events = histories.load("whole").events
    at = place_of(events, StageCompleted.event_type, stage="clone")
    artifacts = events[at - 1].data["artifacts"]
    assert isinstance(artifacts, list)
    other = [{**ref, "sha256": "0" * 64} if ref["kind"] == "sources" else ref for ref in artifacts]

    made = fork_at(events, at, artifacts=other)

    assert {each.stage for each in made.not_recorded} >= {"parse", "structure", "metadata"}
    assert ProcessingCompleted.event_type not in {each.event_type for each in made.events[at:]}
    assert {each.event_type for each in made.unused} >= {StageCompleted.event_type}


def test_of_a_conversation_what_came_of_the_edited_question_is_not_made_up() -> None:
    events = histories.load("conversation").events
    at = place_of(events, QuestionAsked.event_type)

    made = fork_at(events, at, query="Something else?")
    same = fork_at(events, at)

    assert made.not_recorded
    assert {each.causation_id for each in made.unused} >= {events[at - 1].event_id}
    assert [each.version for each in made.events] == list(range(1, len(made.events) + 1))
    assert (same.not_recorded, same.now) == ((), ())


@settings(max_examples=40)
@given(st.data())
def test_whatever_is_edited_it_comes_to_an_end_and_loses_no_event(data: st.DataObject) -> None:
    events = histories.load(data.draw(st.sampled_from(ANALYSES))).events
    at = data.draw(st.integers(1, len(events)))
    numbers = [name for name, value in events[at - 1].data.items() if isinstance(value, int)]
    changes = {name: data.draw(st.integers(0, 5)) for name in numbers[:2]}
    try:
        made = fork_at(events, at, **changes)
    except BadFork:
        return

    assert [each.version for each in made.events] == list(range(1, len(made.events) + 1))
    assert len({each.event_id for each in made.events}) == len(made.events)
    heard = {e.event_id for e in events} - {e.event_id for e in decisions(events, at)}
    assert heard <= {e.event_id for e in (*made.events, *made.unused)}


@pytest.mark.parametrize(
    ("version", "changes", "code"),
    [
        (0, {}, "fork_version_unknown"),
        (10_000, {}, "fork_version_unknown"),
        (1, {"nonsense": 1}, "fork_edit_refused"),
        (1, {"analysis_id": "no id"}, "fork_edit_refused"),
        (1, {"url": None}, "fork_edit_refused"),
    ],
)
def test_what_cannot_be_edited_is_refused_by_its_name(version: int, changes: dict[str, object], code: str) -> None:
    with pytest.raises(BadFork) as refused:
        forked(histories.load("whole").events, version, changes)

    assert refused.value.code == code


def test_an_event_of_another_time_is_refused() -> None:
    events = histories.load("whole").events
    unknown = events[0].model_copy(update={"event_type": "something.happened"})

    with pytest.raises(BadFork) as refused:
        forked([unknown], 1, {})

    assert refused.value.code == "fork_edit_refused"


@pytest.mark.parametrize("when", ["2026-11-22T05:15:00", "2026-11-22"])
def test_a_time_without_its_offset_is_refused_and_one_with_it_is_taken(when: str) -> None:
    events = histories.load("host_was_away").events
    at = place_of(events, RetryScheduled.event_type)

    with pytest.raises(BadFork) as refused:
        fork_at(events, at, due_at=when)

    assert refused.value.code == "fork_edit_refused"
    assert "offset" in refused.value.message
    assert fork_at(events, at, due_at="2026-11-22T07:15:00+02:00").events
