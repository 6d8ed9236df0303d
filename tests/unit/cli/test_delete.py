import json

import httpx
import pytest
import typer

from cli import delete
from cli.delete import run_delete, run_delete_account, run_delete_conversation, run_delete_team
from cli.exits import DECLINED, OK, USAGE
from runtime.client import ApiError, Client

AT = "2026-01-01T00:00:00Z"
REPOSITORY = {
    "repository_id": "r1",
    "url": "https://github.com/o/r",
    "name": "o/r",
    "host": "github.com",
    "registered_at": AT,
}


def told_of_people(request: httpx.Request, path: str) -> httpx.Response:
    if request.method == "DELETE":
        if (json.loads(request.content)["confirm"]) not in ("Otters", "heron"):
            problem = {"type": "about:blank", "title": "t", "status": 422, "code": "not_confirmed", "detail": "No."}
            return httpx.Response(422, json=problem)
        return httpx.Response(202, json={"tenants": ["t1"], "deleted_at": AT})
    if path == "/me":
        return httpx.Response(200, json={"user_id": "u1", "tenant_id": "t0", "name": "Grey Heron", "local": False})
    teams = [
        {"tenant_id": id_, "name": name, "personal": personal, "role": "owner", "since": AT, "current": False}
        for id_, name, personal in (
            ("t0", "heron", True),
            ("t1", "Otters", False),
            ("t2", "Twice", False),
            ("t3", "Twice", False),
        )
    ]
    return httpx.Response(200, json={"items": teams})


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the API was asked for."""
    requests: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/api/v1")
        requests.append(f"{request.method} {path}")
        if path in ("/tenants", "/tenants/t1", "/me"):
            return told_of_people(request, path)
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


def told(answer: bool, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The questions that a person is asked, who gives this answer to each."""
    questions: list[str] = []

    def confirm(question: str, **_options: object) -> bool:
        questions.append(question)
        return answer

    monkeypatch.setattr(typer, "confirm", confirm)
    return questions


def test_nothing_is_deleted_before_a_person_says_yes(asked: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    questions = told(False, monkeypatch)

    for delete_it in (
        lambda: run_delete("o/r", sure=False, as_json=True),
        lambda: run_delete_conversation("c1", sure=False, as_json=False),
    ):
        with pytest.raises(SystemExit) as ended:
            delete_it()
        assert ended.value.code == DECLINED

    assert "https://github.com/o/r" in questions[0]
    assert not [request for request in asked if request.startswith("DELETE")]


def test_what_a_person_says_yes_to_is_deleted(
    asked: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    questions = told(True, monkeypatch)

    assert run_delete("o/r", sure=False, as_json=True) == OK
    assert run_delete_conversation("c1", sure=False, as_json=False) == OK

    assert "the conversation about o/r with its 0 questions" in questions[1]
    assert [request for request in asked if request.startswith("DELETE")] == [
        "DELETE /repositories/r1",
        "DELETE /conversations/c1",
    ]
    assert "Deleted the conversation about o/r." in capsys.readouterr().out


def test_a_team_is_deleted_by_its_name_which_is_asked_for(
    asked: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(typer, "prompt", lambda _text, **_options: "Otters")

    assert run_delete_team("t1", confirm="", as_json=False) == OK

    assert asked[-1] == "DELETE /tenants/t1"
    assert "Deleted the team “Otters”." in capsys.readouterr().out


@pytest.mark.parametrize("team", ["heron", "Twice", "Nobody"])
def test_one_own_tenant_and_names_that_are_not_one_teams_delete_nothing(asked: list[str], team: str) -> None:
    with pytest.raises(SystemExit) as ended:
        run_delete_team(team, confirm=team, as_json=False)

    assert ended.value.code == USAGE
    assert asked == ["GET /tenants"]


def test_an_account_is_deleted_by_its_login_alone(asked: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ApiError):
        run_delete_account(confirm="otter", as_json=True)
    assert run_delete_account(confirm="heron", as_json=True) == OK

    assert asked.count("DELETE /me") == 2
    assert json.loads(capsys.readouterr().out)["tenants"] == ["t1"]
