import json
from collections.abc import Callable
from io import BytesIO

import httpx
import pytest

from orchestrator.api.guard import PACKING
from runtime.client import ApiError, Client, ServerSent
from runtime.client.keeping import Answers, Keeping
from runtime.client.shapes import AnalysisRequest
from runtime.client.stream import read_events

ANALYSIS = {
    "analysis_id": "a1",
    "repository_id": "r1",
    "url": "https://github.com/o/r",
    "name": "o/r",
    "state": "running",
    "requested_at": "2026-03-01T12:00:00Z",
    "version": 1,
    "stages": [],
    "a_field_of_tomorrow": 1,
}

_TAKEN = ("analysis_id", "from_analysis_id", "conversation_id", "from_conversation_id")


def client(answer: Callable[[httpx.Request], httpx.Response]) -> Client:
    return Client("http://orchestrator:8001/", httpx.MockTransport(answer))


def test_an_analysis_is_asked_for_with_its_address_and_reference() -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(202, json=ANALYSIS)

    begun = client(answer).analyses_begin(AnalysisRequest(url="https://github.com/o/r", ref=None))

    assert begun.analysis_id == "a1"
    assert (asked[0].method, str(asked[0].url)) == ("POST", "http://orchestrator:8001/api/v1/analyses")
    assert json.loads(asked[0].content) == {"url": "https://github.com/o/r", "ref": None}


@pytest.mark.parametrize("compressed", [True, False])
def test_answers_come_packed_unless_the_wire_is_faster(compressed: bool) -> None:
    taken: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        taken.append(request.headers["accept-encoding"])
        return httpx.Response(200, json=ANALYSIS)

    Client("http://orchestrator:8001/", httpx.MockTransport(answer), compressed=compressed).analyses_one("a1")

    assert ("gzip" in taken[0]) is compressed
    assert compressed or taken == ["identity"]


def test_a_repository_is_deleted_by_its_id() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(f"{request.method} {request.url.path}")
        return httpx.Response(202, json={"repository_id": "r1", "deleted_at": "2026-03-01T12:00:00Z"})

    assert client(answer).deleting_delete("r1")

    assert asked == ["DELETE /api/v1/repositories/r1"]


def test_a_refusal_carries_the_api_s_own_words_and_code() -> None:
    problem = {"type": "about:blank", "title": "That host is not allowed", "status": 422, "detail": "Use github.com."}
    body = problem | {"code": "host_not_allowed", "correlation_id": "c1"}

    with pytest.raises(ApiError) as refused:
        client(lambda _: httpx.Response(422, json=body)).analyses_begin(AnalysisRequest(url="https://x.example/o/r"))

    assert refused.value.problem.code == "host_not_allowed"
    assert refused.value.problem.detail == "Use github.com."
    assert refused.value.problem.correlation_id == "c1"


@pytest.mark.parametrize("body", [b"<html>Bad gateway</html>", b"", b"[]", b'{"detail": "no title"}'])
def test_an_error_that_is_no_problem_is_still_a_clear_one(body: bytes) -> None:
    with pytest.raises(ApiError) as refused:
        client(lambda _: httpx.Response(502, content=body)).analyses_newest()

    assert refused.value.problem.code == "unexpected_reply"
    assert "502" in refused.value.problem.detail


@pytest.mark.parametrize("body", [b"{}", b"not json", b'{"analysis_id": 1}'])
def test_a_reply_in_another_shape_is_an_error_and_never_half_an_object(body: bytes) -> None:
    with pytest.raises(ApiError) as refused:
        client(lambda _: httpx.Response(200, content=body)).analyses_one("a1")

    assert refused.value.problem.code == "unexpected_reply"


def test_silence_is_told_as_such() -> None:
    def answer(_request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    with pytest.raises(ApiError) as refused:
        client(answer).analyses_one("a1")

    assert refused.value.problem.code == "orchestrator_unreachable"


def test_a_bundle_is_waited_for_longer_than_the_api_takes_to_make_it() -> None:
    patience: dict[str, float] = {}

    def answer(request: httpx.Request) -> httpx.Response:
        patience[f"{request.method} {request.url.path}"] = request.extensions["timeout"]["read"]
        return httpx.Response(200, json={"repository_id": "r", "bundle": "b"} | dict.fromkeys(_TAKEN))

    asking = client(answer)
    asking.bundles_take_over(BytesIO(b"PK"))
    asking.bundles_export("a")
    asking.download("/api/v1/conversations/c/bundle?with_analysis=true", lambda _piece: None)
    asking.download("/api/v1/me/export", lambda _piece: None)
    with pytest.raises(ApiError):  # not an analysis: only how long it was waited for is of interest
        asking.analyses_one("a")

    waited = ("POST /api/v1/bundles", "GET /api/v1/analyses/a/bundle", "GET /api/v1/conversations/c/bundle")
    assert all(patience[each] > PACKING for each in waited)
    assert patience["GET /api/v1/me/export"] == 60
    assert patience["GET /api/v1/analyses/a"] == 20


def test_an_id_cannot_reach_another_path() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.raw_path.decode())
        return httpx.Response(200, json=ANALYSIS)

    client(answer).analyses_one("../repositories?x=1#y")

    assert asked == ["/api/v1/analyses/..%2Frepositories%3Fx%3D1%23y"]


def test_unset_parameters_are_not_sent() -> None:
    asked: list[httpx.QueryParams] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.params)
        return httpx.Response(200, json={"items": [], "total": 0, "next": None})

    client(answer).contents_skipped("a1", limit=100)

    assert dict(asked[0]) == {"limit": "100"}


def test_an_analysis_in_a_state_that_is_not_known_yet_can_be_read() -> None:
    told = ANALYSIS | {"state": "archived", "stages": [{"stage": "dream", "state": "dreaming"}]}

    analysis = client(lambda _: httpx.Response(200, json=told)).analyses_one("a1")

    assert (analysis.state, analysis.stages[0].state, analysis.totals) == ("archived", "dreaming", {})


def test_what_a_kept_connection_lost_is_asked_for_once_more_under_the_same_key() -> None:
    keys: list[str | None] = []

    def answer(request: httpx.Request) -> httpx.Response:
        keys.append(request.headers.get("idempotency-key"))
        if len(keys) == 1:
            raise httpx.RemoteProtocolError("closed")
        return httpx.Response(202, json=ANALYSIS)

    client(answer).analyses_begin(AnalysisRequest(url="https://github.com/o/r"))

    assert len(keys) == 2
    assert keys[0] is not None
    assert keys[0] == keys[1]


def test_credentials_are_asked_for_before_each_request() -> None:
    tokens = iter(["Bearer one", "Bearer two"])
    seen: list[str | None] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers.get("authorization"))
        return httpx.Response(200, json=ANALYSIS)

    api = Client("http://test", httpx.MockTransport(answer), authorization=lambda: next(tokens))
    api.analyses_one("a1")
    api.analyses_one("a1")

    assert seen == ["Bearer one", "Bearer two"]


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

    with client(answer).analyses_live("1", last_event_id="12") as messages:
        assert [message.data for message in messages] == [{"done": 1}]
    assert seen == ["12"]


def test_what_did_not_change_is_read_once_and_asked_about_each_time() -> None:
    asked: list[str | None] = []
    version = ["1"]

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.headers.get("if-none-match"))
        if asked[-1] == version[0]:
            return httpx.Response(304, headers={"ETag": version[0]})
        return httpx.Response(200, json=ANALYSIS | {"name": version[0]}, headers={"ETag": version[0]})

    keeping = Client("http://orchestrator:8001/", Keeping(str, httpx.MockTransport(answer)))
    assert [keeping.analyses_one("a1").name for _ in range(3)] == ["1", "1", "1"]
    version[0] = "2"
    assert [keeping.analyses_one("a1").name for _ in range(2)] == ["2", "2"]
    assert keeping.analyses_one("a2").name == "2"
    assert asked == [None, "1", "1", "1", "2", None]
    assert [client(answer).analyses_one("a1").name for _ in range(2)] == ["2", "2"]
    assert asked[6:] == [None, None]


def test_what_one_was_told_is_kept_for_nobody_else() -> None:
    asked: list[tuple[str, bool]] = []
    who = ["a"]

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append((request.headers["authorization"], "if-none-match" in request.headers))
        if asked[-1][1]:
            return httpx.Response(304)
        return httpx.Response(200, json=ANALYSIS | {"name": asked[-1][0]}, headers={"ETag": "same"})

    keeping = Client(
        "http://orchestrator:8001/",
        Keeping(lambda: who[0], httpx.MockTransport(answer)),
        authorization=lambda: f"Bearer {who[0]}",
    )
    for each in ("a", "b", "c", "a", "b"):
        who[0] = each
        assert keeping.analyses_one("a1").name == f"Bearer {each}"
    assert [known for _, known in asked] == [False, False, False, True, True]


def test_what_was_taken_away_is_not_shown_though_it_is_kept() -> None:
    problem = {"type": "x", "title": "x", "status": 404, "detail": "x", "code": "not_found", "correlation_id": ""}
    replies = iter([httpx.Response(200, json=ANALYSIS, headers={"ETag": "1"}), httpx.Response(404, json=problem)])
    keeping = Client("http://orchestrator:8001/", Keeping(str, httpx.MockTransport(lambda _: next(replies))))
    keeping.analyses_one("a1")

    with pytest.raises(ApiError, match="not_found"):
        keeping.analyses_one("a1")


def test_no_more_is_kept_than_it_may_and_what_was_asked_for_last_stays() -> None:
    now = [0.0]
    answers = Answers(160, lambda: now[0])

    def at(name: object) -> tuple[str, httpx.URL]:
        return ("", httpx.URL(f"http://api/{name}"))

    for number in range(40):
        answers.put(at(number), "t", b"x" * 10)
        answers.get(at(0))
    answers.put(at("large"), "t", b"x" * 11)
    answers.put(at(0), "u", b"y" * 10)

    assert [number for number in range(40) if answers.get(at(number)) is not None] == [0, *range(25, 40)]
    found = answers.get(at(0))
    assert found is not None
    assert (found.tag, found.body) == ("u", b"y" * 10)
    assert answers.get(at("large")) is None
    now[0] = 601
    answers.put(at("later"), "t", b"x")
    assert answers.get(at(0)) is None


def test_what_is_no_json_is_not_kept_and_comes_in_pieces() -> None:
    asked: list[str | None] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.headers.get("if-none-match"))
        return httpx.Response(200, content=iter([b"a", b"b"]), headers={"ETag": "1", "Content-Type": "text/plain"})

    keeping = Client("http://orchestrator:8001/", Keeping(str, httpx.MockTransport(answer)))
    for _ in range(2):
        pieces: list[bytes] = []
        keeping.download("/x", pieces.append)
        assert b"".join(pieces) == b"ab"
    assert asked == [None, None]
