import json
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from cli import api as module
from cli.api import Api, ApiError, ServerSent, read_events
from cli.ask import find_repository
from cli.home import Home, Running


def _api(answer: Callable[[httpx.Request], httpx.Response]) -> Api:
    return Api("http://test", httpx.MockTransport(answer))


def test_a_problem_keeps_its_code_and_detail_and_becomes_a_usage_error() -> None:
    problem = {"code": "url_not_allowed", "detail": "Only https is cloned.", "status": 422}
    api = _api(lambda _: httpx.Response(422, json=problem))

    with pytest.raises(ApiError) as refusal:
        api.post("/analyses", {"url": "ssh://x"})

    assert str(refusal.value) == "url_not_allowed: Only https is cloned."
    assert refusal.value.exit_code == 2


@pytest.mark.parametrize("answer", [httpx.Response(502, html="<p>bad gateway"), httpx.Response(200, text="hello")])
def test_what_is_no_answer_of_ours_is_said_in_words(answer: httpx.Response) -> None:
    with pytest.raises(ApiError, match="nothing this command understands") as refusal:
        _api(lambda _: answer).get("/repositories")

    assert refusal.value.exit_code == 3


def test_nothing_listening_says_how_to_start_it() -> None:
    def refuse(_request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    with pytest.raises(ApiError, match="start it with `repostream up`") as refusal:
        _api(refuse).get("/repositories")

    assert refusal.value.exit_code == 3


def test_messages_are_read_out_of_a_stream() -> None:
    text = (
        ": a comment\n\n"
        'id: 7\nevent: milestone\ndata: {"version": 7}\n\n'
        "event: heartbeat\ndata: {}\n\n"
        'event: part\ndata: {"text":\ndata: "two lines"}\n\n'
        "event: tick\ndata: not json\n\n"
    )

    assert list(read_events(iter(text.split("\n")))) == [
        ServerSent("milestone", {"version": 7}, "7"),
        ServerSent("heartbeat", {}, None),
        ServerSent("part", {"text": "two lines"}, None),
    ]


def test_a_stream_goes_on_after_the_last_event() -> None:
    seen: list[str | None] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers.get("last-event-id"))
        return httpx.Response(200, text='event: tick\ndata: {"done": 1}\n\n')

    with _api(answer).stream("/analyses/1/events", after="12") as messages:
        assert [message.data for message in messages] == [{"done": 1}]
    assert seen == ["12"]


@pytest.mark.parametrize("wanted", ["https://host/o/Flask.git", "https://host/o/flask/", "flask", "id-1"])
def test_a_repository_is_found_by_url_name_or_id(wanted: str) -> None:
    items = [
        {"repository_id": "id-1", "url": "https://host/o/flask", "name": "flask"},
        {"repository_id": "id-2", "url": "https://host/o/django", "name": "django"},
    ]

    assert find_repository(_api(lambda _: httpx.Response(200, json=items)), wanted) == "id-1"


def test_a_name_that_two_repositories_have_is_asked_back() -> None:
    items = [{"repository_id": str(n), "url": f"https://host/{n}/x", "name": "x"} for n in range(2)]

    with pytest.raises(ApiError, match="give the URL"):
        find_repository(_api(lambda _: httpx.Response(200, content=json.dumps(items))), "x")


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
