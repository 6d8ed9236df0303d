"""A repository with its analyses at any moment: what the events until then add up to, however they lie in time."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.replay.history import fold
from orchestrator.projections.pasts import fold_of
from orchestrator.projections.repository_past import analysis_steps, moments, repository_at, repository_steps
from tests.support import histories

NAMES = [name for name in histories.all_names() if histories.load(name).events[0].stream_id.startswith("analysis/")]


@pytest.mark.parametrize("name", NAMES)
def test_at_each_event_of_a_real_history_the_step_is_what_its_prefix_adds_up_to(name: str) -> None:
    events, how = histories.load(name).events, fold_of("analysis/")
    whole, state, latest = analysis_steps(), how.initial(), datetime.min.replace(tzinfo=UTC)
    whole.extend(events)
    whole.extend(events)  # again, as after a page that overlaps
    for number, event in enumerate(events):
        state, latest = how.evolve(state, event), max(latest, event.timestamp)
        if number + 1 < len(events) and max(latest, events[number + 1].timestamp) == latest:
            continue  # the next one is of the same moment
        shown, said = whole.at(latest), how.shown(state)
        assert {one: shown[one] for one in ("state", "commit", "ready_at", "totals")} == {
            one: said[one] for one in ("state", "commit", "ready_at", "totals")
        }
        searched = said["index"]["searched"]
        expected = said["index"]["generations"][searched]["kind"] if searched else None
        assert (shown["index"] or {}).get("kind") == expected
    assert whole.at(events[0].timestamp - timedelta(microseconds=1)) == {}
    assert len(whole.steps) < len(events)


@given(st.lists(st.integers(0, 400), min_size=1, max_size=5), st.integers(-10, 2_000))
def test_analyses_are_there_from_when_they_were_asked_for_and_moments_are_in_order(
    begun: list[int], after: int
) -> None:
    registered, events = histories.load("registered").events, histories.load("whole").events
    first = events[0].timestamp
    own, analyses = repository_steps(), {}
    own.extend([one.model_copy(update={"timestamp": first}) for one in registered[:1]])
    for number, late in enumerate(begun):
        analyses[f"a{number}"] = analysis_steps()
        shift = timedelta(seconds=late)
        analyses[f"a{number}"].extend(e.model_copy(update={"timestamp": e.timestamp + shift}) for e in events)
    moment = first + timedelta(seconds=after)
    there = repository_at(own, analyses, moment)

    if after < 0:
        assert there == {}
    else:
        assert there["name"]
        assert list(there["analyses"]) == [f"a{number}" for number, late in enumerate(begun) if late <= after]
    found = moments(own, analyses)
    assert [step.at for _, step in found] == sorted(step.at for _, step in found)
    assert {name for name, _ in found} == {"", *analyses}


@given(st.data())
def test_where_clocks_differ_it_is_what_the_stream_itself_was_at_that_time(data: st.DataObject) -> None:
    recorded, how = histories.load("whole").events, fold_of("analysis/")
    shaken = data.draw(st.lists(st.integers(-3_000, 3_000), min_size=len(recorded), max_size=len(recorded)))
    events = [
        event.model_copy(update={"timestamp": event.timestamp + timedelta(milliseconds=by)})
        for event, by in zip(recorded, shaken, strict=True)
    ]
    steps = analysis_steps()
    steps.extend(events)

    for event in events:
        version = next((one.version - 1 for one in events if one.timestamp > event.timestamp), len(events))
        said = how.shown(fold(events, how.evolve, how.initial(), to=version))
        shown = steps.at(event.timestamp)
        assert [shown.get(one) for one in ("state", "commit", "totals")] == [
            said.get(one) for one in ("state", "commit", "totals")
        ]
