"""How the installation does, in words."""

from datetime import UTC, datetime
from uuid import uuid4

from runtime.client.shapes import QueueList, QueueView, QuotaView, ServiceView, SettingView, TeamUsageView
from web_ui import installation


def a_queue(waiting: int | None = 0, held: int = 0, workers: int = 1) -> QueueView:
    return QueueView(topic="stage.clone", consumer="processor.clone", waiting=waiting, held=held, workers=workers)


def told(*queues: QueueView, unplaced: int = 0, seconds: float = 0.0) -> tuple[str, bool]:
    return installation.conclusion(QueueList(items=list(queues), unplaced=unplaced, unplaced_seconds=seconds))


def test_what_somebody_has_to_look_at_is_said_first() -> None:
    assert told(a_queue(), a_queue()) == ("Nothing waits, and nothing is at work.", False)
    assert told(a_queue(2, 1), a_queue(None)) == ("2 messages waiting, 1 at work.", False)
    assert told(a_queue(0, 0, workers=0)) == ("Nothing waits, and nothing is at work.", False)
    left, is_bad = told(a_queue(5, 0, workers=0))
    assert left.startswith("Nobody works on processor.clone:")
    assert is_bad
    assert told(a_queue(), unplaced=3, seconds=90.0) == (
        "3 events wait to be carried on, the oldest for 1 min 30 s.",
        True,
    )
    assert told(a_queue(), unplaced=3, seconds=0.2) == ("Nothing waits, and nothing is at work.", False)


def test_a_queue_without_workers_is_marked_only_where_there_is_work() -> None:
    idle, left, unknown = installation.queues([a_queue(0, 0, 0), a_queue(1, 0, 0), a_queue(None, 0, 2)])
    assert idle[1:] == ["0", "0", "0"]
    assert left[1:3] == ["1", "0"]
    assert "none" in left[3]
    assert unknown[1:] == ["unknown", "0", "2"]


def test_services_and_settings_say_what_is_wrong_and_hostile_text_stays_text() -> None:
    ready, lost = installation.services(
        [ServiceView(name="processor", ready=True, reason=""), ServiceView(name="x", ready=False, reason="<b>gone</b>")]
    )
    assert "ready" in ready[1]
    assert lost[2] == "&lt;b&gt;gone&lt;/b&gt;"

    def said(state: str) -> SettingView:
        return SettingView(service="orchestrator", setting=state.upper(), state=state, source="environment", detail="d")

    rows = installation.settings([said("ok"), said("note"), said("wrong"), said("missing")])
    assert [next(name for name in ("WRONG", "MISSING", "NOTE", "OK") if name in row[0]) for row in rows] == [
        "WRONG",
        "MISSING",
        "NOTE",
        "OK",
    ]


def test_a_team_is_told_with_what_it_has() -> None:
    team = TeamUsageView(
        tenant_id=str(uuid4()),
        name="The others",
        personal=False,
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        people=2,
        quotas=[QuotaView(name="cents_month", used=250, allowed=None)],
    )
    assert installation.team(team) == ["2 people", "Cost of models this month: $2.50"]
