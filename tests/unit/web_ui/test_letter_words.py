"""Parked messages as people read them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from runtime.client.shapes import LetterView
from web_ui.letters import changes, facts, state, stream_of, title

AT = datetime(2026, 1, 1, tzinfo=UTC)


def a_letter(**changes: Any) -> LetterView:
    known = {"letter_id": "l1", "consumer": "processor.parse", "topic": "rs.runs", "seq": 7, "parked_at": AT}
    known |= {"error": "It ended its worker.", "attempts": 5, "repeatable": True, "stream_id": "analysis/a1"}
    return LetterView.model_validate(known | {"event_type": "processing.stage.requested"} | changes)


def test_a_message_that_waits_says_what_it_is_whose_and_how_often_it_was_tried() -> None:
    letter = a_letter()

    assert (title(letter), state(letter)) == ("processing.stage.requested", ("waits for a decision", "warn"))
    assert facts(letter, AT + timedelta(hours=2)) == [
        "analysis/a1", "for processor.parse", "tried 5 times", "parked 2 h ago",
    ]  # fmt: skip


def test_a_message_that_was_decided_says_how_and_when() -> None:
    decided = {"resolved_at": AT + timedelta(hours=1), "repeatable": False}

    assert state(a_letter(resolution="retried", **decided)) == ("done again", "good")
    assert state(a_letter(resolution="discarded", **decided)) == ("discarded", "calm")
    assert facts(a_letter(resolution="retried", **decided), AT + timedelta(hours=2))[-1] == "decided 1 h ago"


def test_new_values_are_a_json_object_or_nothing() -> None:
    assert changes('{"history_depth": 5}') == {"history_depth": 5}
    assert [changes(text) for text in ("", "[1]", "history_depth", "null")] == [{}] * 4
    assert state(a_letter(resolution="edited", repeatable=False)) == ("done with other values", "good")


def test_a_message_of_a_stranger_is_told_by_its_topic() -> None:
    stranger = a_letter(event_type=None, stream_id=None, consumer="a\u202eb")

    assert title(stranger) == "Not an event of this installation"
    assert facts(stranger, AT)[0] == "rs.runs"
    assert "\u202e" not in facts(stranger, AT)[1]


def test_the_events_of_its_analysis_are_a_link_for_whoever_may_read_them() -> None:
    ours = a_letter(tenant_id="t1")

    assert stream_of(ours, "t1") == {"analysis": "a1", "stream": "analysis/a1"}
    assert stream_of(ours, "t2") is stream_of(ours, None) is stream_of(a_letter(), "t1") is None
    assert stream_of(a_letter(tenant_id="t1", stream_id="conversation/c1"), "t1") is None
