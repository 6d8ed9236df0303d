"""`repostream people`: somebody is found by login, provider's id or id, and never somebody else."""

import httpx
import pytest

from cli import people
from cli.exits import OK, USAGE
from cli.people import run_list, run_restore, run_suspend
from runtime.client import Client


def a_person(number: int, login: str, **more: object) -> dict[str, object]:
    basic = {
        "user_id": f"u{number}",
        "provider": "github",
        "issuer": "https://github.com",
        "subject": str(number),
        "login": login,
        "name": login,
    }
    return basic | {"admin": False, "created_at": "2026-01-01T00:00:00Z", "suspended_at": None, "seen_at": None} | more


PEOPLE = [a_person(1, "octocat", admin=True), a_person(2, "Hubot"), a_person(3, "hubot"), a_person(4, "Mona")]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the API was asked for; people come two a page."""
    requests: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(f"{request.method} {request.url.path.removeprefix('/api/v1')}")
        if request.method != "GET":
            return httpx.Response(200, json=PEOPLE[3] | {"suspended_at": "2026-01-02T00:00:00Z"})
        first = "cursor" not in request.url.params
        return httpx.Response(200, json={"items": PEOPLE[:2] if first else PEOPLE[2:], "next": "x" if first else None})

    monkeypatch.setattr(people, "connect", lambda: Client("http://test", httpx.MockTransport(answer)))
    return requests


@pytest.mark.parametrize(
    ("who", "found"),
    [("octocat", "u1"), ("hubot", "u3"), ("Hubot", "u2"), ("MONA", "u4"), ("github:2", "u2"), ("u3", "u3")],
)
def test_somebody_is_suspended_and_let_in_again_by_any_of_their_names(who: str, found: str, asked: list[str]) -> None:
    assert run_suspend(who, yes=True) == OK
    assert asked[-1] == f"POST /people/{found}/suspension"
    assert run_restore(who) == OK
    assert asked[-1] == f"DELETE /people/{found}/suspension"


@pytest.mark.parametrize(
    ("who", "told"), [("nobody", "Nobody here"), ("HUBOT", "Several people"), ("2", "Nobody here")]
)
def test_nobody_is_suspended_where_the_name_fits_none_or_several(
    who: str, told: str, asked: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        run_suspend(who, yes=True)

    assert left.value.code == USAGE
    assert told in capsys.readouterr().err
    assert {request.split()[0] for request in asked} == {"GET"}


def test_the_list_has_every_page(asked: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run_list("", suspended=False, as_json=True) == OK

    assert len(asked) == 2
    assert [line.count('"user_id"') for line in capsys.readouterr().out.splitlines()] == [1, 1, 1, 1]
