"""Scripts and styles are packed once; everything else comes as it is."""

import gzip
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from web_ui.assets import PackedAssets

SCRIPT = b"export const answer = 42;\n" * 1_000


@pytest.fixture
def asked() -> list[str]:
    """What came through to the application."""
    return []


@pytest.fixture
def browser(tmp_path: Path, asked: list[str]) -> httpx.AsyncClient:
    tmp_path.joinpath("a.js").write_bytes(SCRIPT)

    async def asset(request: Request) -> Response:
        asked.append(request.url.path)
        if not request.url.path.endswith("/a.js"):
            return PlainTextResponse("none", 404)
        return FileResponse(tmp_path / "a.js", headers={"cache-control": "public, immutable", "set-cookie": "own=1"})

    app = Starlette(routes=[Route("/{path:path}", asset)], middleware=[Middleware(PackedAssets)])
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://pages")


async def _raw(browser: httpx.AsyncClient, path: str, **headers: str) -> tuple[httpx.Headers, bytes]:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    async with browser.stream("GET", path, headers=sent) as reply:
        return reply.headers, b"".join([piece async for piece in reply.aiter_raw()])


async def test_an_asset_is_packed_once_for_all_who_take_it(browser: httpx.AsyncClient, asked: list[str]) -> None:
    async with browser:
        headers, body = await _raw(browser, "/static/js/a.js", accept_encoding="gzip, deflate, br")
        again, same = await _raw(browser, "/static/js/a.js", accept_encoding="gzip")

    assert (gzip.decompress(body), same, again) == (SCRIPT, body, headers)
    assert len(body) < len(SCRIPT) / 10
    assert (headers["content-encoding"], headers["content-length"]) == ("gzip", str(len(body)))
    assert (headers["vary"], headers["cache-control"]) == ("Accept-Encoding", "public, immutable")
    assert "set-cookie" not in headers
    assert headers["etag"].startswith('W/"')
    assert asked == ["/static/js/a.js"]


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("/static/js/a.js", {"accept_encoding": "identity"}),
        ("/static/js/a.js", {"accept_encoding": "gzip", "range": "bytes=0-9"}),
        ("/media/a.js", {"accept_encoding": "gzip"}),
        ("/static/js//a.js", {"accept_encoding": "gzip"}),
        ("/static/js/other/a.js", {"accept_encoding": "gzip"}),
    ],
)
async def test_what_is_no_asset_or_not_wanted_packed_comes_as_it_is(
    browser: httpx.AsyncClient, asked: list[str], path: str, sent: dict[str, str]
) -> None:
    async with browser:
        for _ in range(2):
            headers, body = await _raw(browser, path, **sent)

            assert "content-encoding" not in headers
            assert body == (SCRIPT[:10] if "range" in sent else SCRIPT)
    assert len(asked) == 2


async def test_an_asset_that_is_not_there_is_not_kept(browser: httpx.AsyncClient, asked: list[str]) -> None:
    async with browser:
        for _ in range(2):
            reply = await browser.get("/static/js/b.js", headers={"accept-encoding": "gzip"})

            assert (reply.status_code, reply.text) == (404, "none")
    assert len(asked) == 2
