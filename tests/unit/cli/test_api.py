from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from cli import api as module
from cli.api import connect, exit_code_of
from cli.ask import find_repository
from cli.home import Home, Running
from runtime.client import ApiError, Client
from runtime.client.shapes import AnalysisRequest


def _api(answer: Callable[[httpx.Request], httpx.Response]) -> Client:
    return Client("http://test", httpx.MockTransport(answer))


def _repository(number: int, url: str, name: str) -> dict[str, object]:
    found = {"repository_id": f"id-{number}", "url": url, "name": name, "host": "host"}
    return found | {"registered_at": "2026-01-01T00:00:00Z"}


def test_a_problem_keeps_its_code_and_detail_and_becomes_a_usage_error() -> None:
    problem = {"code": "url_not_allowed", "detail": "Only https is cloned.", "status": 422, "title": "No"}
    problem |= {"type": "about:blank", "correlation_id": "c1"}
    api = _api(lambda _: httpx.Response(422, json=problem))

    with pytest.raises(ApiError) as refusal:
        api.analyses_begin(AnalysisRequest(url="ssh://x"))

    assert str(refusal.value) == "url_not_allowed: Only https is cloned."
    assert exit_code_of(refusal.value) == 2


@pytest.mark.parametrize("answer", [httpx.Response(502, html="<p>bad gateway"), httpx.Response(503, json={"x": 1})])
def test_what_is_no_answer_of_ours_is_said_in_words(answer: httpx.Response) -> None:
    with pytest.raises(ApiError, match="answered with HTTP status") as refusal:
        _api(lambda _: answer).contents_repositories()

    assert exit_code_of(refusal.value) == 3


def test_nothing_listening_says_how_to_start_it() -> None:
    def refuse(_request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    api = connect("http://test")
    api._http = httpx.Client(base_url="http://test", transport=httpx.MockTransport(refuse))

    with pytest.raises(ApiError, match="start it with `repostream up`") as refusal:
        api.contents_repositories()

    assert exit_code_of(refusal.value) == 3


@pytest.mark.parametrize("wanted", ["https://host/o/Flask.git", "https://host/o/flask/", "flask", "id-1"])
def test_a_repository_is_found_by_url_name_or_id(wanted: str) -> None:
    pages = {
        None: {"items": [_repository(2, "https://host/o/django", "django")], "next": "more"},
        "more": {"items": [_repository(1, "https://host/o/flask", "flask")], "next": None},
    }
    api = _api(lambda request: httpx.Response(200, json=pages[request.url.params.get("cursor")]))

    assert find_repository(api, wanted) == "id-1"


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [("https://host/o/x", "id-0"), ("https://host/o/x:src", "id-1"), ("o/x:src", "id-1"), ("https://host/o/y", "id-2")],
)
def test_a_folder_is_meant_by_its_name_and_by_the_url_alone_where_there_is_no_whole(wanted: str, expected: str) -> None:
    rows = [("x", ""), ("x", "src"), ("y", "docs")]
    items = [
        _repository(number, f"https://host/o/{name}", f"o/{name}:{folder}" if folder else f"o/{name}")
        | {"folder": folder}
        for number, (name, folder) in enumerate(rows)
    ]

    assert find_repository(_api(lambda _: httpx.Response(200, json={"items": items})), wanted) == expected


def test_a_name_that_two_repositories_have_is_asked_back() -> None:
    items = [_repository(n, f"https://host/{n}/x", "x") for n in range(2)]

    with pytest.raises(ApiError, match="https://host/0/x, https://host/1/x: give one of these"):
        find_repository(_api(lambda _: httpx.Response(200, json={"items": items})), "x")


def test_the_api_of_a_running_up_is_found_through_its_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REPOSTREAM_INTERNAL_ORCHESTRATOR_URL", raising=False)
    monkeypatch.setenv("REPOSTREAM_HOME", str(home))
    assert module.api_url() == "http://127.0.0.1:8001"

    held = Home(home)
    held.take()
    held.announce(Running(pid=1, page="", api="http://127.0.0.1:23456"))
    try:
        assert module.api_url() == "http://127.0.0.1:23456"
        monkeypatch.setenv("REPOSTREAM_INTERNAL_ORCHESTRATOR_URL", "http://other:1")
        assert module.api_url() == "http://other:1"
    finally:
        held.release()
