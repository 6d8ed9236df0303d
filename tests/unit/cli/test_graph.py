"""`repostream graph`: callers, callees, imports both ways and modules, by names that people give."""

import json
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from cli import api as connecting
from cli import ask
from cli.app import app
from cli.exits import USAGE
from runtime.client import Client

LINK = {"kind": "call", "path": "app/main.py", "line": 4, "symbol_id": "0-1", "name": "App.start", "level": "exact"}
LINK |= {"kind_of_symbol": "method", "symbol_path": "app/main.py", "symbol_line": 3, "confidence": 0.95}
IMPORT = {"path": "app/main.py", "line": 2, "written": "import app.util", "module": "app.util", "name": "", "alias": ""}
IMPORT |= {"resolution": "file", "target": "app/util.py", "confidence": 0.95}


def a_symbol(id_: str, path: str, qualified: str) -> dict[str, Any]:
    named = {"id": id_, "path": path, "qualified_name": qualified, "name": qualified.rpartition(".")[2]}
    return {**named, "kind": "method", "signature": "", "docstring": "", "first_line": 1, "last_line": 2}


SYMBOLS = [
    a_symbol("0-7", "app/main.py", "App.run"),
    a_symbol("0-8", "app/main.py", "App.runner"),
    a_symbol("1-2", "app/util.py", "Tool.run"),
    a_symbol("1-3", "app/util.py", "start"),
]


@pytest.fixture
def serving() -> list[str | None]:
    return [None]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, serving: list[str | None]) -> list[str]:
    requests: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        path, params = request.url.path.removeprefix("/api/v1"), request.url.params
        requests.append(path)
        if path == "/repositories/r1":
            latest = {"analysis_id": "a1", "repository_id": "r1", "url": "u", "name": "r", "ref": None, "commit": None}
            latest |= {"state": "refined", "version": 1, "requested_at": "2026-03-01T12:00:00Z"}
            said = {"repository_id": "r1", "url": "u", "name": "r", "host": "h", "latest": latest}
            said |= {"registered_at": "2026-03-01T12:00:00Z", "serving": serving[0]}
            return httpx.Response(200, json=said)
        if path.endswith("/symbols"):
            found = [one for one in SYMBOLS if str(one["name"]).startswith(params["name"])]
            return httpx.Response(200, json={"items": found, "total": len(found), "next": None})
        if path.endswith("/modules"):
            edge = {"source": params.get("folder", "-"), "target": "app", "imports": 2, "calls": 1_003}
            return httpx.Response(200, json={"items": [edge]})
        more = None if params.get("cursor") else "more"
        item = IMPORT if "import" in path else LINK
        return httpx.Response(200, json={"items": [item], "total": 2, "next": more})

    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(connecting, "connect", lambda: Client("http://test", httpx.MockTransport(answer)))
    monkeypatch.setattr(ask, "find_repository", lambda _api, _wanted: "r1")
    return requests


def run(*words: str, code: int = 0) -> list[str]:
    done = CliRunner().invoke(app, ["graph", *words])
    assert done.exit_code == code, done.output
    return done.output.splitlines()


def test_the_analysis_that_is_searched_is_told_while_a_newer_one_is_made(
    asked: list[str], serving: list[str | None]
) -> None:
    serving[0] = "a0"
    run("imports", "o/r", "app/main.py")

    assert asked[-1].startswith("/analyses/a0/")


def test_both_ends_of_a_definition_are_listed_over_all_pages(asked: list[str]) -> None:
    line = "app/main.py:4  App.start  call, exact (0.95)"

    assert run("callers", "o/r", "App.run") == [line, line]
    assert run("callees", "o/r", "app/util.py:run") == [line, line]
    assert asked[-1] == "/analyses/a1/symbols/1-2/callees"
    assert len(json.loads("".join(run("callers", "o/r", "start", "--json")))) == 2


def test_a_name_that_several_have_or_nobody_is_answered_with_the_choices(asked: list[str]) -> None:
    [said] = run("callers", "o/r", "run", code=USAGE)

    assert said.endswith("name one: app/main.py:App.run, app/util.py:Tool.run")
    assert "Nothing here is called" in run("callers", "o/r", "nothing", code=USAGE)[0]
    assert not any(path.endswith("/callers") for path in asked)


def test_imports_and_modules_are_listed(asked: list[str]) -> None:
    line = "app/main.py:2  app.util → app/util.py  (file)"

    assert run("imports", "o/r", "app/main.py") == [line, line]
    assert run("imported-by", "o/r", "app") == [line, line]
    assert run("modules", "o/r") == ["- → app  imports: 2, calls: 1,003"]
    assert run("modules", "o/r", "--folder", "/") == ["/ → app  imports: 2, calls: 1,003"]
