"""In a list whose hosts were asked, each analysis that has a commit says what came of it."""

from collections.abc import Callable

import pytest

from runtime.client import ApiError
from runtime.client.shapes import AnalysisSummary, Problem, StalenessView
from web_ui.components import staleness

COMMIT = "1" * 40


class Host:
    """The API: of the repository `r` it knows the standing, of others nothing."""

    def contents_staleness(self, repository_id: str) -> StalenessView:
        if repository_id != "r":
            said = {"type": "t", "title": "t", "status": 503, "code": "host_unreachable", "correlation_id": "c"}
            raise ApiError(Problem.model_validate({**said, "detail": "The host is silent."}))
        told = {"analysis_id": "a", "standing": "current", "ref": None, "commit": COMMIT, "newest": COMMIT}
        return StalenessView.model_validate({**told, "checked_at": "2026-01-01T12:00:00Z"})


@pytest.mark.parametrize(
    ("repository", "state", "commit", "said"),
    [
        ("r", "refined", COMMIT, ("up to date", "calm")),
        ("silent", "refined", COMMIT, ("its host does not say", "calm")),
        ("silent", "failed", None, None),
        ("silent", "running", COMMIT, None),
    ],
)
def test_a_silent_host_is_said_to_be(
    monkeypatch: pytest.MonkeyPatch, repository: str, state: str, commit: str | None, said: tuple[str, str] | None
) -> None:
    def at_once(_name: str, ask: Callable[[], object]) -> object:
        return ask()

    monkeypatch.setattr(staleness, "client", Host)
    monkeypatch.setattr(staleness, "remembered", at_once)
    known = {"analysis_id": "a", "repository_id": repository, "url": "https://h/o/n", "name": "o/n", "ref": None}
    known |= {"commit": commit, "state": state, "version": 1, "requested_at": "2026-01-01T12:00:00Z"}

    assert staleness.pill(AnalysisSummary.model_validate(known)) == said
