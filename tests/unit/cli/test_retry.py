"""What `repostream retry` asks for, says, and waits for."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from cli import retry
from cli.exits import FAILED, OK
from runtime.client.shapes import AnalysisView, RetryBody

ID = "7a0d8f5e-0f4c-4b56-9f6e-3a3f8f0b1234"
NOW = datetime(2026, 3, 1, tzinfo=UTC)


def a_view(state: str, link: str = "completed") -> AnalysisView:
    stage = {"stage": "link", "state": link, "shards": 1, "shards_done": 1, "attempt": 2, "files_processed": 1}
    known = {"analysis_id": ID, "repository_id": ID, "url": "https://h/o/r", "name": "o/r", "requested_at": NOW}
    return AnalysisView.model_validate({**known, "version": 7, "state": state, "stages": [stage]})


class Api:
    """Answers one look at the events after another; what they lead to is the view."""

    def __init__(self, looks: list[list[str]], view: AnalysisView) -> None:
        self.looks, self.view, self.wanted = iter(looks), view, list[RetryBody]()

    def analyses_retry(self, _analysis: str, wanted: RetryBody) -> AnalysisView:
        self.wanted.append(wanted)
        return self.view

    def analyses_history(self, _analysis: str, *, after: int, limit: int) -> Any:
        names = next(self.looks, [])[:limit]
        return SimpleNamespace(items=[SimpleNamespace(event_type=name, version=after + 1) for name in names])

    def analyses_one(self, _analysis: str) -> AnalysisView:
        return self.view


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry.time, "sleep", lambda _seconds: None)
    monkeypatch.setattr(retry, "analysis_of", lambda _api, target: target)


@pytest.mark.parametrize(
    ("looks", "state", "code"),
    [
        ([[], ["processing.stage.requested"], ["repository.processing.refined"]], "refined", OK),
        ([["processing.stage.requested"], ["repository.processing.failed"]], "failed", FAILED),
        ([["processing.stage.requested"], ["processing.stage.failed"]], "ready", OK),  # the better index fails again
        ([[] for _ in range(60)], "ready", OK),  # nothing comes of it, and nothing says so
    ],
)
@pytest.mark.usefixtures("slept")
def test_it_waits_until_something_is_said_or_nothing_is_at_work_any_more(
    looks: list[list[str]], state: str, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    api = Api(looks, a_view(state))
    monkeypatch.setattr(retry, "connect", lambda: api)

    assert retry.run_retry(ID, retry.wanted_of("parse", 3, files=False, reason="why not"), as_json=False) == code
    assert api.wanted == [RetryBody(stage="parse", shard=3, files=False, reason="why not")]
    assert "parse, shard 3, runs again, and then what is made of it." in capsys.readouterr().out
    assert list(api.looks) == []


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ({}, "What failed is done again."),
        ({"files": True}, "The files that failed are done again."),
        ({"stage": "link"}, "link runs again, and then what is made of it."),
    ],
)
@pytest.mark.usefixtures("slept")
def test_what_is_done_again_is_said(
    wanted: dict[str, Any], told: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(retry, "connect", lambda: Api([["repository.processing.completed"]], a_view("ready")))

    retry.run_retry(ID, RetryBody.model_validate(wanted), as_json=False)

    assert told in capsys.readouterr().out
