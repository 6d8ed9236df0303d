import httpx
import pytest
import typer

from cli import delete
from cli.delete import run_delete, run_delete_conversation
from cli.exits import OK, USAGE
from runtime.client import Client

AT = "2026-01-01T00:00:00Z"
REPOSITORY = {
    "repository_id": "r1",
    "url": "https://github.com/o/r",
    "name": "o/r",
    "host": "github.com",
    "registered_at": AT,
}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the API was asked for."""
    requests: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/api/v1")
        requests.append(f"{request.method} {path}")
        if path == "/conversations/c1":
            deleted = {"conversation_id": "c1", "deleted_at": AT}
            talk = {"conversation_id": "c1", "repository_id": "r1", "title": "o/r", "started_at": AT}
            return httpx.Response(202, json=deleted) if request.method == "DELETE" else httpx.Response(200, json=talk)
        if request.method == "DELETE":
            return httpx.Response(202, json={"repository_id": "r1", "deleted_at": AT})
        return httpx.Response(200, json={"items": [REPOSITORY]} if path == "/repositories" else REPOSITORY)

    monkeypatch.setattr(delete, "connect", lambda: Client("http://test", httpx.MockTransport(answer)))
    return requests


def test_a_repository_is_deleted_by_its_name_without_asking_whoever_is_sure(
    asked: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_delete("o/r", sure=True, as_json=False) == OK

    assert asked[-1] == "DELETE /repositories/r1"
    assert "https://github.com/o/r" in capsys.readouterr().out


@pytest.mark.parametrize(("answer", "code", "deleted"), [(True, OK, True), (False, USAGE, False)])
def test_nothing_is_deleted_before_a_person_says_yes(
    asked: list[str], monkeypatch: pytest.MonkeyPatch, answer: bool, code: int, deleted: bool
) -> None:
    questions: list[str] = []

    def confirm(question: str, **_options: object) -> bool:
        questions.append(question)
        return answer

    monkeypatch.setattr(typer, "confirm", confirm)

    assert run_delete("o/r", sure=False, as_json=True) == code

    assert "https://github.com/o/r" in questions[0]
    assert ("DELETE /repositories/r1" in asked) is deleted


@pytest.mark.parametrize("answer", [True, False])
def test_a_conversation_is_deleted_once_a_person_says_yes(
    asked: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], answer: bool
) -> None:
    questions: list[str] = []

    def confirm(question: str, **_options: object) -> bool:
        questions.append(question)
        return answer

    monkeypatch.setattr(typer, "confirm", confirm)

    assert run_delete_conversation("c1", sure=False, as_json=False) == (OK if answer else USAGE)

    assert "the conversation about o/r with its 0 questions" in questions[0]
    assert ("DELETE /conversations/c1" in asked) is answer
    assert ("Deleted the conversation about o/r." in capsys.readouterr().out) is answer
