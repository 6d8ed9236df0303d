"""Replies of the API as the typed client reads them, complete, for the tests of pages and commands."""

from datetime import UTC, datetime
from typing import Any

from runtime.client.shapes import AnalysisView, FileView, QuestionView

AT = datetime(2026, 1, 1, tzinfo=UTC)


def an_analysis(**changes: Any) -> AnalysisView:
    known = {"analysis_id": "a1", "repository_id": "r1", "url": "https://h/o/flask", "name": "flask", "version": 1}
    return AnalysisView.model_validate(known | {"state": "ready", "requested_at": AT, "stages": []} | changes)


def a_question(**changes: Any) -> QuestionView:
    known = {"question_id": "q1", "conversation_id": "c1", "repository_id": "r1", "query": "Why?", "state": "answered"}
    return QuestionView.model_validate(known | {"asked_at": AT} | changes)


def a_file(path: str, **changes: Any) -> FileView:
    known = {"path": path, "language": None, "file_class": "source", "size": 1, "lines": 1}
    return FileView.model_validate(known | changes)
