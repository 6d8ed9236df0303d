"""`repostream dependencies`: all pages, by manifest, as text and as JSON."""

import json
from typing import Any

import httpx
import pytest

from cli import dependencies
from cli.exits import OK
from runtime.client import Client

ENTRY = {"ecosystem": "python", "group": "", "version": "", "constraint": "", "locked": False}
PAGES: dict[str | None, dict[str, Any]] = {
    None: {
        "items": [
            ENTRY
            | {"name": "flask", "constraint": ">=3", "version": "3.1", "scope": "runtime", "path": "a.toml", "line": 4},
            ENTRY | {"name": "ruff", "scope": "dev", "group": "lint", "path": "a.toml", "line": 12},
        ],
        "total": 3,
        "next": "more",
    },
    "more": {
        "items": [ENTRY | {"name": "rich", "scope": "runtime", "path": "b.txt", "line": 1}],
        "total": 3,
        "next": None,
    },
}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, str]]:
    queries: list[dict[str, str]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        queries.append(dict(request.url.params))
        return httpx.Response(200, json=PAGES[request.url.params.get("cursor")])

    api = Client("http://test", httpx.MockTransport(answer))
    monkeypatch.setattr(dependencies, "connect", lambda: api)
    monkeypatch.setattr(dependencies, "find_repository", lambda _api, _wanted: "r1")
    return queries


def test_dependencies_are_listed_by_manifest(asked: list[dict[str, str]], capsys: pytest.CaptureFixture[str]) -> None:
    assert dependencies.run_dependencies("flask", scope="runtime", locked=False, as_json=False) == OK

    assert capsys.readouterr().out.splitlines() == [
        "a.toml",
        "      4  flask  >=3 → 3.1  (runtime)",
        "     12  ruff  *  (dev: lint)",
        "b.txt",
        "      1  rich  *  (runtime)",
    ]
    assert [query.get("scope") for query in asked] == ["runtime", "runtime"]
    assert [query.get("locked") for query in asked] == ["false", "false"]


def test_as_json_all_of_them_are_one_list(asked: list[dict[str, str]], capsys: pytest.CaptureFixture[str]) -> None:
    assert dependencies.run_dependencies("flask", scope=None, locked=True, as_json=True) == OK

    assert [one["name"] for one in json.loads(capsys.readouterr().out)] == ["flask", "ruff", "rich"]
    assert all("locked" not in query for query in asked)


def test_nothing_asked_for_is_said() -> None:
    assert list(dependencies.dependency_lines([])) == ["No manifest asks for anything."]
