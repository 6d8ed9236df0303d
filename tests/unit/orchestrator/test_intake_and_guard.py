"""What comes in: addresses, refs, hosts, origins, sizes. Each refusal has a code, and never a stack trace."""

import asyncio
import json
from typing import Any

import pytest
from starlette.datastructures import Headers

from orchestrator.api.guard import MAX_BODY, Guard, Refused, check_host, check_origin, host_of
from orchestrator.api.intake import Rules, read_ref, read_request
from orchestrator.api.models import AnalysisRequest
from orchestrator.api.origins import Origins
from orchestrator.auth.identity import is_loopback
from runtime.faults import Permanent
from runtime.security_headers import is_https

RULES = Rules(frozenset({"github.com"}), loopback=False)


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("", "bad_url"),
        ("flask", "bad_url"),
        ("ftp://github.com/a/b", "bad_url"),
        ("https://user:secret@github.com/a/b", "credentials_in_url"),
        ("https://evil.example/a/b", "host_not_allowed"),
        ("http://127.0.0.1/a/b", "bad_url"),
        ("https://github.com/a/b?x=1", "bad_url"),
        ("file:///etc/passwd", "bad_url"),
        ("https://github.com/a/b\nX: y", "bad_url"),
    ],
)
def test_an_address_that_cannot_be_analysed_is_refused_by_name(url: str, code: str) -> None:
    with pytest.raises(Permanent) as refusal:
        read_request(AnalysisRequest(url=url), RULES)

    assert refusal.value.code == code


def test_a_good_address_is_rebuilt_and_its_ref_kept() -> None:
    wanted = read_request(AnalysisRequest(url=" https://GitHub.com/pallets/flask.git/ ", ref=" 3.0.x "), RULES)

    assert (wanted.repository.url, wanted.ref) == ("https://github.com/pallets/flask", "3.0.x")


@pytest.mark.parametrize("ref", ["main", "v1.0", "feature/a-b", "refs/tags/1.0", "a" * 40, "ünïcode", "x+y@z", "#1"])
def test_refs_that_git_allows_are_taken(ref: str) -> None:
    assert read_ref(ref) == ref


@pytest.mark.parametrize("ref", [None, "", "  "])
def test_no_ref_means_the_default_branch(ref: str | None) -> None:
    assert read_ref(ref) is None


@pytest.mark.parametrize(
    "ref",
    [
        *("--upload-pack=x", "-x", "a..b", "a b", "a~1", "a^", "a:b", "a?", "a*", "[a", "a\\b", "@{u}"),
        *("a/.b", "a.lock", "/a", "a//b", "a/", "a\x00b", "a\nb", "x" * 256, "a."),
    ],
)
def test_refs_that_git_refuses_are_refused(ref: str) -> None:
    with pytest.raises(Permanent) as refusal:
        read_ref(ref)

    assert refusal.value.code == "bad_ref"


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("localhost:8001", "localhost"),
        ("[::1]:8001", "::1"),
        ("127.0.0.1", "127.0.0.1"),
        ("", ""),
        ("[::1", "["),
        ("A.b", "a.b"),
    ],
)
def test_the_name_in_a_host_header(header: str, name: str) -> None:
    assert host_of(header) == name


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8001", "[::1]:8001", "127.9.9.9", "repo.example:80"])
def test_our_own_names_are_answered(host: str) -> None:
    check_host(Headers({"host": host}), frozenset({"repo.example"}))


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "0.0.0.0", "10.0.0.1", "2130706433", ""])
def test_other_names_are_refused(host: str) -> None:
    with pytest.raises(Refused, match="bad_host"):
        check_host(Headers({"host": host}), frozenset())


def test_two_host_headers_are_refused() -> None:
    with pytest.raises(Refused, match="bad_host"):
        check_host(Headers(raw=[(b"host", b"localhost"), (b"host", b"evil.example")]), frozenset())


ALLOWED = frozenset({"https://repo.example"})


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"sec-fetch-site": "same-origin"},
        {"sec-fetch-site": "none"},
        {"origin": "http://localhost:8001"},
        {"origin": "https://repo.example", "sec-fetch-site": "same-site"},
    ],
)
def test_our_own_pages_and_commands_may_change_things(headers: dict[str, str]) -> None:
    check_origin("POST", Headers({"host": "localhost:8001", **headers}), ALLOWED)


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://localhost:3000"},
        {"origin": "http://localhost:8001.evil.example"},
        {"origin": "ftp://localhost:8001"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_other_pages_may_not(headers: dict[str, str]) -> None:
    with pytest.raises(Refused, match="cross_site"):
        check_origin("POST", Headers({"host": "localhost:8001", **headers}), ALLOWED)
    check_origin("GET", Headers({"host": "localhost:8001", **headers}), ALLOWED)


class Sent(list[dict[str, Any]]):
    @property
    def status(self) -> int:
        return int(self[0]["status"])

    @property
    def problem(self) -> dict[str, Any]:
        return json.loads(b"".join(message.get("body", b"") for message in self[1:]))  # type: ignore[no-any-return]

    @property
    def headers(self) -> Headers:
        return Headers(raw=self[0]["headers"])


async def _call(  # what a request is
    app: Any,
    chunks: list[bytes],
    headers: dict[str, str] | None = None,
    deadline: float = 5,
    *,
    method: str = "POST",
    path: str = "/x",
) -> Sent:
    sent, waiting = Sent(), list(chunks)

    async def receive() -> dict[str, Any]:
        body = waiting.pop(0) if waiting else b""
        return {"type": "http.request", "body": body, "more_body": bool(waiting)}

    async def send(message: Any) -> None:
        sent.append(message)

    raw = [(name.encode(), value.encode()) for name, value in {"host": "localhost", **(headers or {})}.items()]
    scope = {"type": "http", "method": method, "path": path, "headers": raw}
    guard = Guard(app, hosts=frozenset(), origins=frozenset(), deadline=deadline)
    await guard(scope, receive, send)
    return sent


async def _echo(_scope: Any, receive: Any, send: Any) -> None:
    body = (await receive())["body"]
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})


async def test_a_body_within_the_limit_arrives_whole() -> None:
    sent = await _call(_echo, [b"a" * 1_000, b"b" * 1_000])

    assert (sent.status, sent[1]["body"]) == (200, b"a" * 1_000 + b"b" * 1_000)


@pytest.mark.parametrize(
    "headers", [{}, {"content-length": "10"}, {"content-length": str(MAX_BODY + 1)}, {"content-length": "-1"}]
)
async def test_a_body_beyond_the_limit_is_refused_whatever_it_says_of_itself(headers: dict[str, str]) -> None:
    sent = await _call(_echo, [b"a" * 40_000, b"b" * 40_000], headers)

    assert (sent.status, sent.problem["code"]) == (413, "body_too_large")


async def test_an_app_that_hangs_is_answered_for() -> None:
    async def hang(*_: Any) -> None:
        await asyncio.sleep(60)

    sent = await _call(hang, [b""], deadline=0.05)

    assert (sent.status, sent.problem["code"], sent.headers["retry-after"]) == (503, "timed_out", "2")


async def test_a_bundle_may_take_longer_to_be_made_than_any_other_answer() -> None:
    async def make(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(0.2)
        await _echo(scope, receive, send)

    def asked(method: str, path: str) -> Any:
        return _call(make, [b""], deadline=0.05, method=method, path=path)

    made = [await asked("GET", f"/api/v1/{kind}/1/bundle") for kind in ("analyses", "conversations")]
    others = [await asked("GET", "/api/v1/analyses/bundle/files"), await asked("POST", "/api/v1/analyses/1/bundle")]

    assert [sent.status for sent in made] == [200, 200]
    assert [sent.status for sent in others] == [503, 503]


async def test_an_app_that_breaks_says_nothing_of_how() -> None:
    async def break_(*_: Any) -> None:
        raise RuntimeError("password=hunter2")

    sent = await _call(break_, [b""])

    assert (sent.status, sent.problem["code"]) == (500, "internal_error")
    assert "hunter2" not in json.dumps(sent.problem)
    assert sent.problem["correlation_id"] == sent.headers["x-correlation-id"]


@pytest.mark.parametrize(
    ("given", "kept"),
    [("7a0d8f5e-0f4c-4b56-9f6e-3a3f8f0b1234", True), ("'; DROP TABLE", False), ("", False), ("x" * 10_000, False)],
)
async def test_a_correlation_id_is_taken_over_only_where_it_is_one(given: str, kept: bool) -> None:
    sent = await _call(_echo, [b""], {"x-correlation-id": given})

    assert (sent.headers["x-correlation-id"] == given) is kept


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "[::1]", "localhost", "127.1.2.3", "::ffff:127.0.0.1"])
def test_loopback_is_known(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.0.1", "example.org", ""])
def test_what_others_can_reach_is_no_loopback(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize("https", [True, False])
async def test_browsers_are_told_to_keep_to_https_only_where_people_come_by_it(https: bool) -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    scope = {"type": "http", "method": "GET", "path": "/x", "headers": [(b"host", b"localhost")]}
    await Guard(_echo, hosts=frozenset(), origins=frozenset(), https=https)(scope, receive, send)
    headers = Headers(raw=sent[0]["headers"])

    assert ("strict-transport-security" in headers) is https
    assert "camera=()" in headers["permissions-policy"]
    assert is_https("https://repostream.example") is not is_https("http://127.0.0.1:8501")


@pytest.mark.parametrize(
    "origin", ["*", "https://*.example", "repostream.example", "https://a.example/", "https://a.example/x", "null"]
)
def test_an_origin_that_is_not_exact_is_refused_at_the_start(origin: str) -> None:
    with pytest.raises(ValueError, match="is not an origin"):
        Origins(frozenset({origin}))
