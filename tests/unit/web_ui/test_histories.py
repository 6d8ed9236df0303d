"""A session asks for the events that it does not have."""

from typing import Any

import pytest

from runtime.client import ApiError
from runtime.client.client import local_problem
from runtime.client.shapes import Envelope, EventPage
from web_ui import session
from web_ui.components import histories

STREAM = "analysis/a1"


class _Log:
    """One stream; says after which version it was asked, and with which cursor."""

    def __init__(self) -> None:
        self.length = 0
        self.asked: list[tuple[int, str | None]] = []
        self.is_gone = False

    def events_listed(self, *, stream_id: str, after: int, cursor: str | None, limit: int) -> EventPage:
        self.asked.append((after, cursor))
        if self.is_gone:
            raise ApiError(local_problem("not_found", "It is gone", "", 404))
        begin = int(cursor) if cursor else after
        end = min(begin + limit, self.length)
        items = [_event(stream_id, version) for version in range(begin + 1, end + 1)]
        return EventPage(items=items, next=str(end) if end < self.length else None)


def _event(stream: str, version: int) -> Envelope:
    said: dict[str, Any] = {"event_id": f"e{version}", "event_type": "T", "tenant_id": "t", "correlation_id": "c"}
    said |= {"stream_id": stream, "version": version, "timestamp": "2026-01-01T00:00:00Z", "data": {}}
    return Envelope.model_validate(said)


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> _Log:
    found = _Log()
    monkeypatch.setattr(session, "_parts", [(found, None)])
    monkeypatch.setattr(histories.st, "session_state", {})
    monkeypatch.setattr(session, "problem", lambda _told: None)
    return found


def _versions(stream: str = STREAM) -> list[int]:
    rows = histories.events_of(stream)
    assert rows is not None
    return [row["version"] for row in rows]


def test_what_a_session_has_is_not_asked_for_again(log: _Log) -> None:
    log.length = 1_200
    assert _versions() == list(range(1, 1_201))
    assert log.asked == [(0, None), (0, "500"), (0, "1000")]

    log.length = 1_202
    assert _versions() == list(range(1, 1_203))
    assert log.asked[3:] == [(1_200, None)]
    assert _versions() == list(range(1, 1_203))
    assert log.asked[4:] == [(1_202, None)]


def test_another_stream_is_asked_for_from_its_beginning(log: _Log) -> None:
    log.length = 3
    assert _versions() == [1, 2, 3]
    assert _versions("repository/r1") == [1, 2, 3]
    assert _versions() == [1, 2, 3]
    assert log.asked == [(0, None)] * 3


def test_a_long_history_is_not_kept(log: _Log) -> None:
    log.length = 2_001
    for _ in range(2):
        assert len(_versions()) == 2_001

    assert [after for after, _ in log.asked] == [0] * 10


def test_nothing_is_shown_of_a_stream_that_is_gone(log: _Log) -> None:
    log.length = 3
    assert _versions() == [1, 2, 3]
    log.is_gone = True
    assert histories.events_of(STREAM) is None
    log.is_gone = False
    assert _versions() == [1, 2, 3]
    assert log.asked[-1] == (0, None)
