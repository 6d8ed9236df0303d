"""`repostream push-hook`: what it prints, and the secret once."""

import json
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from cli import api as connecting
from cli import ask
from cli.app import app
from cli.exits import DECLINED, USAGE
from runtime.client import Client

HOOK: dict[str, Any] = {
    "hook_id": "h1",
    "repository_id": "r1",
    "url": "/hooks/r1",
    "created_at": "2026-03-01T12:00:00Z",
    "created_by": "u1",
    "works": False,
    "received_at": "2026-03-02T12:00:00Z",
    "outcome": "begun",
}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    requests: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(f"{request.method} {request.url.path}")
        if request.method == "DELETE":
            return httpx.Response(204)
        return httpx.Response(200, json=HOOK | ({"secret": "whsec_abc"} if request.method == "POST" else {}))

    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(connecting, "connect", lambda: Client("http://127.0.0.1:8001", httpx.MockTransport(answer)))
    monkeypatch.setattr(ask, "find_repository", lambda _api, _wanted: "r1")
    return requests


def run(*words: str) -> str:
    done = CliRunner().invoke(app, ["push-hook", *words])
    assert done.exit_code == 0, done.output
    return done.output


def test_a_hook_is_made_shown_and_removed(asked: list[str]) -> None:
    made, shown = run("make", "o/r", "--yes"), run("show", "o/r")

    assert "http://127.0.0.1:8001/hooks/r1" in made
    assert "whsec_abc" in made
    assert "2026-03-02 12:00 UTC: begun" in shown
    assert "make it anew" in shown
    assert json.loads(run("make", "o/r", "--yes", "--json"))["secret"] == "whsec_abc"
    assert "secret" not in json.loads(run("show", "o/r", "--json"))
    assert "Removed" in run("remove", "o/r", "--yes")
    path = "/api/v1/repositories/r1/push-hook"
    kept = [request for request in asked if not request.startswith("GET")]
    assert kept == [f"POST {path}", f"POST {path}", f"DELETE {path}"]


def test_a_hook_that_works_is_neither_made_anew_nor_ended_by_a_slip(asked: list[str]) -> None:
    for word in ("make", "remove"):
        declined = CliRunner().invoke(app, ["push-hook", word, "o/r"], input="n\n")
        assert declined.exit_code == DECLINED
    nobody = CliRunner().invoke(app, ["push-hook", "remove", "o/r"], input="")
    assert nobody.exit_code == USAGE

    assert {request.split()[0] for request in asked} == {"GET"}
