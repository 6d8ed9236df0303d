"""What a log once had is decided and shown today as it was then: after each event of it.

Most of it really happened. Where all stages fail, are lost or parked, the workers were scripted (`record_outcomes`).
"""

import sys

import pytest
from pydantic import BaseModel

from events.catalog import decode
from events.processing import Stage
from orchestrator.workflow import Policy, decide
from orchestrator.workflow.again import decide_again
from orchestrator.workflow.graph import RULES
from tests.support import histories
from tests.support.secrets_said import in_files

NAMES = histories.all_names()
# Of each there is at least one. A stage's own outcomes are held to each stage, below.
KINDS = {
    "repository.registered",
    "repository.processing.started",
    "repository.processing.estimated",
    "repository.processing.confirmed",
    "repository.processing.completed",
    "repository.processing.refined",
    "repository.processing.failed",
    "repository.processing.cancelled",
    "repository.processing.cancel_requested",
    "repository.processing.retry_requested",
    "repository.processing.imported",
    "processing.retry.scheduled",
    "timer.fired",
    "delivery.message.parked",
    "delivery.message.retried",
    "delivery.message.edited",
    "delivery.message.discarded",
    "rag.index.built",
    "rag.index.activated",
    "rag.embedder.changed",
    "ai.step.taken",
    "ai.query.processed",
    "ai.query.failed",
    "ai.query.stopped",
    "ai.answer.rated",
    "conversation.imported",
}


EVENTS = [event for name in NAMES for event in histories.load(name).events]


@pytest.mark.parametrize("name", NAMES)
def test_every_prefix_is_decided_as_it_was(name: str) -> None:
    history = histories.load(name)

    told = histories.differences(history.decided, histories.decided(history.events))

    assert not told, "\n".join(told)


@pytest.mark.parametrize("name", NAMES)
def test_every_prefix_is_shown_as_it_was(name: str) -> None:
    history = histories.load(name)

    told = histories.differences(history.folded, histories.folded(history.events))

    assert not told, "\n".join(told)


@pytest.mark.parametrize("outcome", ["completed", "failed", "parked"])
def test_every_stage_came_to_every_outcome_in_one_of_them(outcome: str) -> None:
    stages = {event.data["stage"] for event in EVENTS if event.event_type == f"processing.stage.{outcome}"}

    assert stages == {stage.value for stage in Stage}


def test_what_else_can_come_of_an_analysis_or_a_question_is_in_one_of_them() -> None:
    events = EVENTS

    assert {event.event_type for event in events} >= KINDS
    completed = [event.data for event in events if event.event_type == "repository.processing.completed"]
    assert {bool(data["partial"]) for data in completed} == {True, False}
    assert any(event.data.get("refused") for event in events)
    assert any(event.data.get("upload") for event in events)
    assert any(event.data.get("because") for event in events)


def test_they_are_about_nobody() -> None:
    for name in NAMES:
        content = (histories.FOLDER / f"{name}.json").read_text()
        assert "127.0.0.1" not in content
    assert not list(in_files(histories.FOLDER, "*.json"))


def test_every_event_of_them_is_read_by_todays_classes() -> None:
    for name in NAMES:
        for event in histories.load(name).events:
            assert isinstance(decode(event), BaseModel)


def test_another_decision_is_told_with_its_place_and_both_sides() -> None:
    history = histories.load("host_was_away")

    told = histories.differences(history.decided, histories.decided(history.events, Policy(attempts=1)))

    assert told[0].startswith("after event ")
    assert any(line.startswith("  was  processing.retry.scheduled") and '"clone"' in line for line in told)
    assert any(line.startswith("  now  repository.processing.failed") for line in told)


def test_a_changed_graph_of_stages_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    without_links = tuple(rule for rule in RULES if rule.stage is not Stage.LINK)
    monkeypatch.setattr(sys.modules[decide.__module__], "RULES", without_links)
    history = histories.load("whole")

    differing = [each for each in decide_again(history.events, Policy()) if not each.agrees]

    assert len(differing) == 1
    assert "link" in "".join(differing[0].logged or ())
    assert "link" not in "".join(differing[0].decided)
