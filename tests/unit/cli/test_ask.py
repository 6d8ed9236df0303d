"""What `repostream ask` prints of an answer."""

from io import StringIO
from unittest.mock import Mock, call

import pytest

from cli.ask import Asked, ask_about, print_answer, run_again
from cli.screen import Screen
from runtime.client import Client
from runtime.client.shapes import AgainRequest, QuestionRequest
from tests.support.replies import a_question


def printed(**more: object) -> str:
    out = StringIO()
    view = a_question(answer="In app.py.", mode="extractive", commit="c0ffee", **more)
    print_answer(Screen(file=out, width=80), Asked(view, failed=False))
    return out.getvalue()


def test_a_search_by_words_only_is_told() -> None:
    assert "searched by words only (vectors_unavailable)" in printed(degraded="vectors_unavailable")
    assert "words only" not in printed(degraded=None)


def test_a_citation_is_one_line_however_long() -> None:
    path = f"src/{'folder/' * 20}app.py"

    assert f"  {path}:1-2\n" in printed(citations=[{"path": path, "first_line": 1, "last_line": 2}])


def test_whoever_stops_waiting_stops_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    api, question = Mock(Client), a_question(answer=None)
    api.conversations_ask.return_value = api.conversations_ask_again.return_value = question
    api.conversations_stream.side_effect = KeyboardInterrupt
    monkeypatch.setattr("cli.ask.connect", lambda: api)
    asked = QuestionRequest(query="Why?")

    with pytest.raises(KeyboardInterrupt):
        ask_about(api, "r", asked, Screen(file=StringIO()))
    with pytest.raises(KeyboardInterrupt):
        run_again(question.question_id, AgainRequest(), as_json=False)
    assert api.conversations_stop.call_args_list == [call(question.question_id)] * 2
