"""`repostream push-hook`: what it prints, and the secret once."""

import json
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from cli import api as connecting
from cli import ask
from cli.app import app
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
    made, shown = run("make", "o/r"), run("show", "o/r")

    assert "http://127.0.0.1:8001/hooks/r1" in made
    assert "whsec_abc" in made
    assert "2026-03-02 12:00 UTC: begun" in shown
    assert "make it anew" in shown
    assert json.loads(run("make", "o/r", "--json"))["secret"] == "whsec_abc"
    assert "secret" not in json.loads(run("show", "o/r", "--json"))
    assert "Removed" in run("remove", "o/r")
    path = "/api/v1/repositories/r1/push-hook"
    assert [asked[0], asked[1], asked[-1]] == [f"POST {path}", f"GET {path}", f"DELETE {path}"]
