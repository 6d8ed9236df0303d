"""The proxy, the guard and the addresses, without a socket."""

import base64
import hashlib
from collections.abc import AsyncIterator, Callable

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from orchestrator.api.guard import PACKING
from runtime.service_tokens import ON_BEHALF
from tests.support.service_keys import signer, verifier
from web_ui.app import allowed_hosts
from web_ui.guard import LOOPBACK, Guard, headers_for, host_of, policy
from web_ui.proxy import ApiProxy

Answer = Callable[[httpx.Request], httpx.Response]


def pages(answer: Answer) -> tuple[httpx.AsyncClient, ApiProxy]:
    proxy = ApiProxy("http://orchestrator:8001", httpx.MockTransport(answer), signer=signer("web_ui"))
    app = Starlette(routes=proxy.routes())
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://pages"), proxy


async def pieces(*written: bytes) -> AsyncIterator[bytes]:
    for piece in written:
        yield piece


async def test_a_request_is_passed_on_with_its_query_and_the_headers_that_matter() -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        told = {"etag": '"x"', "set-cookie": "a=b", "content-type": "application/json"}
        return httpx.Response(200, content=pieces(b'{"a":', b" 1}"), headers=told)

    browser, proxy = pages(answer)
    async with browser:
        headers = {"last-event-id": "7", "cookie": "sid=1", "origin": "http://evil", "x-forwarded-for": "1.2.3.4"}
        reply = await browser.get("/api/v1/analyses/a%2Fb/lines?path=x%20y&first_line=1", headers=headers)
    await proxy.close()

    assert reply.json() == {"a": 1}
    assert reply.headers["etag"] == '"x"'
    assert "set-cookie" not in reply.headers
    (sent,) = asked
    assert sent.url.host == "orchestrator"
    assert sent.url.query == b"path=x%20y&first_line=1"
    assert (sent.headers["last-event-id"], sent.headers["cookie"]) == ("7", "sid=1")
    assert sent.headers["accept-encoding"] == "identity"
    assert "origin" not in sent.headers
    assert sent.headers["x-forwarded-for"] == "1.2.3.4, 127.0.0.1"
    assert verifier("orchestrator").caller(sent.headers[ON_BEHALF], {"web_ui"}) == "web_ui"


async def test_an_event_stream_comes_through_as_it_is_written() -> None:
    written = (b"event: tick\ndata: {}\n\n", b"id: 3\nevent: milestone\ndata: {}\n\n")

    def answer(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"content-type": "text/event-stream"}, content=pieces(*written))

    browser, proxy = pages(answer)
    async with browser, browser.stream("GET", "/api/v1/analyses/a/events") as reply:
        assert reply.headers["content-type"].startswith("text/event-stream")
        body = b"".join([piece async for piece in reply.aiter_raw()])
    await proxy.close()

    assert body == b"".join(written)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
async def test_what_changes_something_is_not_passed_on(method: str) -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200)

    browser, proxy = pages(answer)
    async with browser:
        reply = await browser.request(method, "/api/v1/analyses")
    await proxy.close()

    assert reply.status_code == 405
    assert asked == []


async def test_a_silent_orchestrator_is_a_problem_that_says_so() -> None:
    def answer(_request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectTimeout("silent")

    browser, proxy = pages(answer)
    async with browser:
        reply = await browser.get("/api/v1/repositories")
    reachable = await proxy.reachable()
    await proxy.close()

    assert reply.status_code == 502
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.json()["code"] == "orchestrator_unreachable"
    assert reachable is False


async def test_readiness_follows_the_orchestrator() -> None:
    _browser, proxy = pages(lambda _request: httpx.Response(200))

    assert await proxy.reachable() is True
    await proxy.close()


INDEX = "<html><script>\n  window.x = 1\n</script><script src='a.js'></script></html>"


def guarded(*hosts: str, https: bool = False) -> TestClient:
    headers = headers_for(INDEX, https=https)
    routes = [Route(path, lambda _r: PlainTextResponse("ok")) for path in ("/", "/healthz")]
    return TestClient(
        Starlette(routes=routes, middleware=[Middleware(Guard, hosts=hosts or LOOPBACK, headers=headers)])
    )


@pytest.mark.parametrize("host", ["localhost:8501", "127.0.0.1:8501", "[::1]:8501", "LOCALHOST", "localhost."])
def test_loopback_names_are_served_with_the_security_headers(host: str) -> None:
    reply = guarded().get("/", headers={"host": host})

    assert reply.status_code == 200
    assert "img-src 'self' data: blob:" in reply.headers["content-security-policy"]
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert reply.headers["referrer-policy"] == "no-referrer"
    assert "camera=()" in reply.headers["permissions-policy"]
    assert "strict-transport-security" not in reply.headers


def test_the_only_inline_scripts_that_may_run_are_streamlits_own() -> None:
    digest = base64.b64encode(hashlib.sha256(b"\n  window.x = 1\n").digest()).decode()
    scripts = next(part for part in policy(INDEX).split("; ") if part.startswith("script-src "))

    assert scripts == f"script-src 'self' blob: 'wasm-unsafe-eval' 'sha256-{digest}'"
    assert "'unsafe-inline'" not in scripts
    assert "default-src 'none'" in policy(INDEX)


def test_browsers_are_told_to_keep_to_https_where_people_come_by_it() -> None:
    reply = guarded(https=True).get("/", headers={"host": "localhost"})

    assert reply.headers["strict-transport-security"] == "max-age=31536000"


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost:8501@evil.example", "", "a/b"])
def test_a_foreign_name_is_refused(host: str) -> None:
    assert guarded().get("/", headers={"host": host}).status_code == 400


def test_a_foreign_name_opens_no_web_socket() -> None:
    with pytest.raises(WebSocketDisconnect), guarded().websocket_connect("/", headers={"host": "evil.example"}):
        pass


def test_a_probe_by_address_is_answered() -> None:
    assert guarded().get("/healthz", headers={"host": "10.1.2.3:8501"}).status_code == 200


def test_a_star_allows_any_name() -> None:
    assert guarded("*").get("/", headers={"host": "anything.example"}).status_code == 200


@pytest.mark.parametrize(
    ("header", "host"),
    [
        ("a.example:80", "a.example"),
        ("[::1]:1", "::1"),
        ("a:b:c", None),
        ("a:99999", None),
        (None, None),
        ("u@h", None),
    ],
)
def test_a_host_header_is_read_strictly(header: str | None, host: str | None) -> None:
    assert host_of(header) == host


@pytest.mark.parametrize(
    ("host", "configured", "extra"),
    [
        ("127.0.0.1", "", ("127.0.0.1",)),
        ("0.0.0.0", "", ()),
        ("::", " a.example , b.example ,", ("a.example", "b.example")),
        ("10.0.0.5", "ui.example", ("10.0.0.5", "ui.example")),
    ],
)
def test_the_allowed_names_are_loopback_the_served_address_and_the_configured_ones(
    host: str, configured: str, extra: tuple[str, ...]
) -> None:
    assert allowed_hosts(host, configured) == (*LOOPBACK, *extra)


async def test_an_upload_is_passed_on_as_it_comes_and_only_from_a_page_of_ours() -> None:
    asked: list[tuple[httpx.Request, bytes]] = []

    async def answer(request: httpx.Request) -> httpx.Response:
        asked.append((request, await request.aread()))
        told = {"set-cookie": "a=b", "content-type": "application/json"}
        return httpx.Response(201, content=pieces(b'{"url": "upload://x"}'), headers=told)

    proxy = ApiProxy("http://orchestrator:8001", httpx.MockTransport(answer), signer=signer("web_ui"))
    transport = httpx.ASGITransport(Starlette(routes=proxy.routes()))
    async with httpx.AsyncClient(transport=transport, base_url="http://pages") as browser:
        headers = {"cookie": "sid=1", "content-length": "6", "sec-fetch-site": "same-origin"}
        reply = await browser.post("/api/v1/uploads?name=a.zip", content=pieces(b"abc", b"def"), headers=headers)
        foreign = await browser.post("/api/v1/uploads", content=b"x", headers={"sec-fetch-site": "cross-site"})
        unsaid = await browser.post("/api/v1/uploads", content=b"x")
        other = await browser.post("/api/v1/analyses", content=b"{}", headers=headers)
        bundle = await browser.post("/api/v1/bundles", content=b"bundle", headers=headers)
        await browser.get("/api/v1/analyses/a/bundle", headers=headers)
        await browser.get("/api/v1/analyses/a", headers=headers)
    await proxy.close()

    assert (reply.status_code, reply.json()) == (201, {"url": "upload://x"})
    assert "set-cookie" not in reply.headers
    [(sent, body), (taken, its), (export, _), (usual, _)] = asked
    assert min(each.extensions["timeout"]["read"] for each in (sent, taken, export)) > PACKING
    assert usual.extensions["timeout"]["read"] == 60
    assert (bundle.status_code, taken.url.path, its) == (201, "/api/v1/bundles", b"bundle")
    assert (sent.url.query, sent.headers["cookie"], sent.headers["content-length"], body) == (
        b"name=a.zip",
        "sid=1",
        "6",
        b"abcdef",
    )
    assert [foreign.status_code, unsaid.status_code, other.status_code] == [403, 403, 405]


async def test_a_call_of_a_repositorys_host_is_passed_on_byte_for_byte_with_its_proofs_and_nothing_of_anybody() -> None:
    asked: list[tuple[httpx.Request, bytes]] = []

    async def answer(request: httpx.Request) -> httpx.Response:
        asked.append((request, await request.aread()))
        return httpx.Response(202, json={"outcome": "begun"}, headers={"set-cookie": "a=b"})

    proxy = ApiProxy("http://orchestrator:8001", httpx.MockTransport(answer), signer=signer("web_ui"))
    transport = httpx.ASGITransport(Starlette(routes=proxy.routes()))
    async with httpx.AsyncClient(transport=transport, base_url="http://pages") as host:
        shown = {"x-hub-signature-256": "sha256=1", "x-github-event": "push", "x-gitlab-token": "t", "webhook-id": "1"}
        mine = {"cookie": "sid=1", "authorization": "Bearer x"}
        reply = await host.post("/hooks/r1?x=1", content=pieces(b'{"a":', b" 1}"), headers=shown | mine)
        read = await host.get("/hooks/r1")
    await proxy.close()

    assert (reply.status_code, reply.json(), read.status_code) == (202, {"outcome": "begun"}, 405)
    assert "set-cookie" not in reply.headers
    [(sent, body)] = asked
    assert (sent.url.path, sent.url.query, body) == ("/hooks/r1", b"", b'{"a": 1}')
    assert {name: sent.headers[name] for name in shown} == shown
    assert not {"cookie", "authorization"} & set(sent.headers.keys())
