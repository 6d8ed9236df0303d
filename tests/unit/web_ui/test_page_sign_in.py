"""The trade of a session for a token, and the way in and out through the pages' own origin, without a socket."""

import httpx
import pytest
from starlette.applications import Starlette

from runtime.client import ApiError
from tests.support.service_keys import signer, verifier
from web_ui.components.signed_out import button, here
from web_ui.proxy import ApiProxy
from web_ui.sign_in import Entrance, Way

WAYS = [{"name": "github", "label": "GitHub"}]
OVER = {
    "type": "urn:repostream:problem:not_signed_in",
    "title": "You are not signed in",
    "status": 401,
    "detail": "Sign in again.",
    "code": "not_signed_in",
    "correlation_id": "",
}


class _Orchestrator:
    """Answers what an entrance asks, and counts it."""

    def __init__(self) -> None:
        self.now = 0.0
        self.down = False
        self.status = 200
        self.ways: list[dict[str, str]] = WAYS
        self.trades = 0
        self.asked = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if self.down:
            raise httpx.ConnectError("down")
        if request.url.path == "/auth/providers":
            self.asked += 1
            return httpx.Response(self.status, json=self.ways if self.status == 200 else OVER)
        assert verifier("orchestrator").caller(request.headers["authorization"], {"web_ui"}) == "web_ui"
        self.trades += 1
        if request.read() != b'{"session":"secret"}':
            return httpx.Response(401, json=OVER)
        return httpx.Response(200, json={"access_token": f"token {self.trades}", "expires_in": 600})

    def entrance(self) -> Entrance:
        return Entrance("http://api", signer("web_ui"), httpx.MockTransport(self), lambda: self.now)


def test_a_session_is_traded_once_and_its_token_renewed_before_its_end() -> None:
    orchestrator = _Orchestrator()
    entrance = orchestrator.entrance()
    first = entrance.token("secret", None)
    assert first is not None

    orchestrator.now = 539
    assert entrance.token("secret", first) is first
    orchestrator.now = 541
    renewed = entrance.token("secret", first)

    assert renewed is not None
    assert (renewed.access_token, orchestrator.trades) == ("token 2", 2)


@pytest.mark.parametrize("secret", ["", "another"])
def test_another_browsers_token_is_not_used_for_a_session_that_is_over(secret: str) -> None:
    orchestrator = _Orchestrator()
    entrance = orchestrator.entrance()
    kept = entrance.token("secret", None)

    assert entrance.token(secret, kept) is None


def test_an_outage_is_told_and_the_ways_in_stay_known() -> None:
    orchestrator = _Orchestrator()
    entrance = orchestrator.entrance()
    assert entrance.ways() == (Way(name="github", label="GitHub"),)
    orchestrator.down = True
    orchestrator.now = 61

    assert entrance.ways() == (Way(name="github", label="GitHub"),)
    with pytest.raises(ApiError, match="orchestrator_unreachable"):
        entrance.token("secret", None)


@pytest.mark.parametrize("status", [400, 429, 500, 503])
def test_a_refusal_to_say_the_ways_in_is_not_taken_for_local_mode(status: int) -> None:
    orchestrator = _Orchestrator()
    entrance = orchestrator.entrance()
    known = entrance.ways()
    orchestrator.status, orchestrator.now = status, 61

    assert entrance.ways() == known == (Way(name="github", label="GitHub"),)
    orchestrator.status, orchestrator.ways, orchestrator.now = 200, [], 65
    assert entrance.ways() == ()


def test_in_local_mode_there_is_nothing_to_sign_in_with_and_that_is_remembered() -> None:
    orchestrator = _Orchestrator()
    orchestrator.ways = []
    entrance = orchestrator.entrance()

    assert [entrance.ways() for _ in range(5)] == [()] * 5
    assert orchestrator.asked == 1


@pytest.mark.parametrize(
    ("address", "path"),
    [
        ("https://pages.example/analysis?analysis=1&sign_in=not_invited", "/analysis?analysis=1"),
        ("https://pages.example/?sign_in=sign_in_denied", "/"),
        ("https://pages.example", "/"),
    ],
)
def test_one_comes_back_to_the_page_that_was_asked_for(address: str, path: str) -> None:
    assert here(address) == path


def test_what_a_provider_is_called_is_text() -> None:
    assert "<b>" not in button(Way(name='"><b>', label="<b>"), "/")


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/auth/login", {}, 302),
        ("POST", "/auth/logout", {"origin": "http://pages"}, 302),
        ("POST", "/auth/logout", {"origin": "null", "sec-fetch-site": "same-origin"}, 302),
        ("POST", "/auth/logout", {"origin": "http://evil"}, 403),
        ("POST", "/auth/logout", {"origin": "null"}, 403),
        ("POST", "/auth/logout", {}, 403),
        ("POST", "/auth/logout", {"origin": "http://pages", "sec-fetch-site": "cross-site"}, 403),
        ("GET", "/auth/logout", {}, 405),
        ("POST", "/auth/token", {"origin": "http://pages"}, 404),
        ("POST", "/auth/refresh", {"origin": "http://pages"}, 404),
    ],
)
async def test_only_a_persons_own_steps_pass_through_the_pages(
    method: str, path: str, headers: dict[str, str], status: int
) -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        told = [("location", "/"), ("set-cookie", "a=1"), ("set-cookie", "b=2"), ("server", "x")]
        return httpx.Response(302, headers=told)

    proxy = ApiProxy("http://orchestrator:8001", httpx.MockTransport(answer))
    app = Starlette(routes=proxy.routes())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://pages") as browser:
        sent = {**headers, "cookie": "sid=1", "x-forwarded-for": "203.0.113.9", "authorization": "Bearer x"}
        reply = await browser.request(method, path, headers=sent)
    await proxy.close()

    assert reply.status_code == status
    assert len(asked) == (status == 302)
    for request in asked:
        assert reply.headers.get_list("set-cookie") == ["a=1", "b=2"]
        assert "server" not in reply.headers
        assert request.headers["x-forwarded-for"] == "203.0.113.9, 127.0.0.1"
        assert request.headers["cookie"] == "sid=1"
        assert {"authorization", "origin"}.isdisjoint(request.headers)
