import json
from collections.abc import Callable

import httpx
import pytest

from web_ui.client import ApiError, Client

ANALYSIS = {
    "analysis_id": "a1",
    "repository_id": "r1",
    "url": "https://github.com/o/r",
    "name": "o/r",
    "state": "running",
    "requested_at": "2026-03-01T12:00:00Z",
    "a_field_of_tomorrow": 1,
}


def client(answer: Callable[[httpx.Request], httpx.Response]) -> Client:
    return Client("http://orchestrator:8001/", httpx.MockTransport(answer))


def test_an_analysis_is_asked_for_with_its_address_and_reference() -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(202, json=ANALYSIS)

    begun = client(answer).analyse("https://github.com/o/r", None)

    assert begun.analysis_id == "a1"
    assert (asked[0].method, str(asked[0].url)) == ("POST", "http://orchestrator:8001/api/v1/analyses")
    assert json.loads(asked[0].content) == {"url": "https://github.com/o/r", "ref": None}


def test_a_refusal_carries_the_api_s_own_words_and_code() -> None:
    problem = {"type": "about:blank", "title": "That host is not allowed", "status": 422, "detail": "Use github.com."}
    body = problem | {"code": "host_not_allowed", "correlation_id": "c1"}

    with pytest.raises(ApiError) as refused:
        client(lambda _: httpx.Response(422, json=body)).analyse("https://evil.example/o/r", None)

    assert refused.value.problem.code == "host_not_allowed"
    assert refused.value.problem.detail == "Use github.com."
    assert refused.value.problem.correlation_id == "c1"


@pytest.mark.parametrize("body", [b"<html>Bad gateway</html>", b"", b"[]", b'{"detail": "no title"}'])
def test_an_error_that_is_no_problem_is_still_a_clear_one(body: bytes) -> None:
    with pytest.raises(ApiError) as refused:
        client(lambda _: httpx.Response(502, content=body)).recent()

    assert refused.value.problem.code == "unexpected_reply"
    assert "502" in refused.value.problem.detail


@pytest.mark.parametrize("body", [b"{}", b"not json", b'{"analysis_id": 1}'])
def test_a_reply_in_another_shape_is_an_error_and_never_half_an_object(body: bytes) -> None:
    with pytest.raises(ApiError) as refused:
        client(lambda _: httpx.Response(200, content=body)).analysis("a1")

    assert refused.value.problem.code == "unexpected_reply"


def test_silence_is_told_as_such() -> None:
    def answer(_request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    with pytest.raises(ApiError) as refused:
        client(answer).analysis("a1")

    assert refused.value.problem.code == "orchestrator_unreachable"


def test_an_id_cannot_reach_another_path() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.raw_path.decode())
        return httpx.Response(200, json=ANALYSIS)

    client(answer).analysis("../repositories?x=1#y")

    assert asked == ["/api/v1/analyses/..%2Frepositories%3Fx%3D1%23y"]


def test_unset_parameters_are_not_sent() -> None:
    asked: list[httpx.QueryParams] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.params)
        return httpx.Response(200, json={"items": [], "total": 0, "next": None})

    client(answer).skipped("a1")

    assert dict(asked[0]) == {"limit": "100"}


@pytest.mark.parametrize("reply", [[ANALYSIS], {"items": [ANALYSIS], "next": None}])
def test_a_list_is_read_bare_or_as_a_page(reply: object) -> None:
    (analysis,) = client(lambda _: httpx.Response(200, json=reply)).recent()

    assert analysis.name == "o/r"
