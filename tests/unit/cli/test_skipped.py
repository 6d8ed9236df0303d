"""`repostream skipped`: by reason, with what it means, the rule that decided, and how to read it all the same."""

import json

import httpx
import pytest

from cli import skipped
from cli.exits import OK
from runtime.client import Client
from runtime.reasons import REASONS

FILE = {"language": None, "file_class": "other", "size": 1, "lines": 0}
PAGES = {
    None: {
        "items": [
            FILE | {"path": "a\u202eb\nc.csv", "skipped": "ignored", "rule": ".repostreamignore:1"},
            FILE | {"path": "link", "skipped": "symlink"},
        ],
        "total": 3,
        "next": "more",
    },
    "more": {"items": [FILE | {"path": "c.csv", "skipped": "ignored"}], "total": 3, "next": None},
}


@pytest.fixture(autouse=True)
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, str]]:
    queries: list[dict[str, str]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        queries.append(dict(request.url.params))
        return httpx.Response(200, json=PAGES[request.url.params.get("cursor")])

    api = Client("http://test", httpx.MockTransport(answer))
    monkeypatch.setattr(skipped, "connect", lambda: api)
    monkeypatch.setattr(skipped, "find_repository", lambda _api, _wanted: "r1")
    return queries


def test_files_are_listed_by_reason_each_with_its_rule(capsys: pytest.CaptureFixture[str]) -> None:
    assert skipped.run_skipped("flask", reason=None, as_json=False) == OK

    assert capsys.readouterr().out.splitlines() == [
        f"ignored: 2. {REASONS['ignored'].sentence}",
        "  (read all the same with: repostream analyze URL --include PATTERN)",
        "  a\\u202eb\\nc.csv  (.repostreamignore:1)",
        "  c.csv",
        f"symlink: 1. {REASONS['symlink'].sentence}",
        "  link",
    ]


def test_as_json_all_of_them_are_one_list_of_the_reason_that_was_asked_for(
    asked: list[dict[str, str]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert skipped.run_skipped("flask", reason="ignored", as_json=True) == OK

    assert [one["path"] for one in json.loads(capsys.readouterr().out)] == ["a\u202eb\nc.csv", "link", "c.csv"]
    assert {query["reason"] for query in asked} == {"ignored"}


def test_nothing_left_out_is_said() -> None:
    assert list(skipped.lines_about([])) == ["Nothing was left out."]
