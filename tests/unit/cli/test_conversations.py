"""`repostream conversation`, `again` and `rate`: what they ask of the API, and what they print."""

import json
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner, Result

from cli import ask, chat, conversations
from cli.app import app
from runtime.client import Client
from tests.support.replies import AT, a_question

LISTED = {"first_question": "Where is\nit?", "questions": 1}
TALK = {"conversation_id": "c1", "repository_id": "r1", "title": "o/r", "started_at": AT.isoformat()}
ANSWERED = a_question(answer="In app.py.", mode="extractive", commit="c0ffee").model_dump(mode="json")
REPOSITORY = {"repository_id": "r1", "url": "https://github.com/o/r", "name": "o/r", "host": "github.com"}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, object]]:
    """What the API was asked for, with the bodies."""
    requests: list[tuple[str, object]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/api/v1")
        requests.append((f"{request.method} {path}", json.loads(request.content or "null")))
        if path.endswith("/stream"):
            part = {"type": "done", "question": ANSWERED | {"again": "q0"}}
            return httpx.Response(200, text=f"event: part\ndata: {json.dumps(part)}\n\n")
        if request.method == "POST" and path == "/conversations":
            return httpx.Response(201, json=TALK)
        if "refused" in request.content.decode():
            problem = {"type": "about:blank", "title": "t", "status": 429, "code": "quota_reached"}
            problem |= {"detail": "Wait.", "correlation_id": "c0ffee"}
            return httpx.Response(429, json=problem)
        found = {
            "/repositories": {"items": [REPOSITORY | {"registered_at": AT.isoformat()}]},
            "/conversations": {"items": [TALK | LISTED]},
            "/conversations/c1": TALK | {"questions": [ANSWERED, ANSWERED | {"state": "asked", "again": "q1"}]},
            "/conversations/c-quick/questions": ANSWERED | {"question_id": "q-quick", "state": "asked"},
            "/questions/q-quick/stop": ANSWERED,
            "/questions/q1/stop": ANSWERED | {"state": "failed", "code": "answer_stopped", "answer": None},
            "/conversations/c1/document": {"conversation_id": "c1", "markdown": "# Talk\n"},
        }
        return httpx.Response(200, json=found.get(path, ANSWERED | {"state": "asked"}))

    for module in (ask, chat, conversations):
        monkeypatch.setattr(module, "connect", lambda: Client("http://test", httpx.MockTransport(answer)))
    return requests


def run(*arguments: str, typed: str = "") -> Result:
    result = CliRunner().invoke(app, arguments, input=typed)
    assert result.exit_code == 0, result.output
    return result


def test_a_question_is_answered_anew_by_another_model(asked: list[tuple[str, object]]) -> None:
    printed = run("again", "q1", "--model", "gpt-other").output

    assert asked[0] == ("POST /questions/q1/again", {"query": None, "model": "gpt-other", "mode": None})
    assert "In app.py." in printed
    assert "question q1" in printed


@pytest.mark.parametrize(("how", "rating"), [("up", 1), ("down", -1)])
def test_an_answer_is_rated(asked: list[tuple[str, object]], how: str, rating: int) -> None:
    run("rate", "q1", how)

    assert asked == [("POST /questions/q1/rating", {"rating": rating})]


def test_a_rating_is_up_or_down(asked: list[tuple[str, object]]) -> None:
    assert CliRunner().invoke(app, ["rate", "q1", "sideways"]).exit_code == 2
    assert asked == []


@pytest.mark.usefixtures("asked")
def test_conversations_are_listed_and_shown() -> None:
    assert run("conversation", "list", "o/r").output == "c1  begun 2026-01-01 00:00 UTC  Where is it?\n"
    shown = run("conversation", "show", "c1").output
    assert "Why?\n" in shown
    assert "In app.py." in shown
    assert "Why?  (again)\n  being answered  q1" in shown
    assert json.loads(run("conversation", "show", "c1", "--json").stdout)["questions"][1]["again"] == "q1"


@pytest.mark.usefixtures("asked")
def test_a_conversation_is_exported_to_a_file_or_printed(tmp_path: Path) -> None:
    run("conversation", "export", "c1", "--output", str(tmp_path / "talk.md"))

    assert (tmp_path / "talk.md").read_text("utf-8") == "# Talk\n"
    assert run("conversation", "export", "c1").output == "# Talk\n"


def test_a_chat_asks_one_question_after_the_other_in_one_conversation(asked: list[tuple[str, object]]) -> None:
    printed = run("chat", "o/r", "--model", "m", typed="Where?\n\nAnd refused?\n  And why? \n/quit\nnever").output

    turns = [body for request, body in asked if request == "POST /conversations/c1/questions"]
    assert [turn["query"] for turn in turns if isinstance(turn, dict)] == ["Where?", "And refused?", "And why?"]
    assert [request for request, _ in asked].count("POST /conversations") == 1
    assert printed.count("In app.py.") == 2
    assert "quota_reached: Wait." in printed


def test_a_chat_is_limited_to_a_part_of_the_repository_and_to_none_again(asked: list[tuple[str, object]]) -> None:
    typed = 'Where?\n/scope folder="my src" file=a.py\nThere?\n/scope colour=red\nStill?\n/scope\nAnywhere?\n'
    printed = run("chat", "o/r", typed=typed).output

    scopes = [body["scope"] for request, body in asked if request.endswith("/questions") and isinstance(body, dict)]
    limited = {"folder": "my src", "path": "a.py"}
    assert scopes == [None, limited, limited, None]
    assert "Only in my src, a.py." in printed
    assert "Name limits as folder=…, file=…, language=…, symbol=…" in printed


def test_a_chat_goes_on_with_an_earlier_conversation_until_its_input_ends(asked: list[tuple[str, object]]) -> None:
    run("chat", "o/r", "--conversation", "c1", typed="Where?")

    assert [request for request, _ in asked] == ["POST /conversations/c1/questions", "GET /questions/q1/stream"]


@pytest.mark.parametrize(
    ("conversation", "said"), [("c1", "Stopped."), ("c-quick", "repostream conversation show c-quick")]
)
def test_whoever_does_not_wait_stops_the_answer_or_is_told_where_it_is(
    asked: list[tuple[str, object]], monkeypatch: pytest.MonkeyPatch, conversation: str, said: str
) -> None:
    def interrupted(*_anything: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(chat, "listen_to", interrupted)
    printed = run("chat", "o/r", "--conversation", conversation, typed="Where?\n").output
    question = "q-quick" if conversation == "c-quick" else "q1"

    assert said in printed
    assert [request for request, _ in asked] == [
        f"POST /conversations/{conversation}/questions",
        f"POST /questions/{question}/stop",
    ]
