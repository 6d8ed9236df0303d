"""Reading: what has not changed is not sent again, what is long is compressed, and pages elsewhere may ask."""

import gzip
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import brotli
import httpx
import pytest
from sqlalchemy import text

from orchestrator.api.guard import Guard
from orchestrator.api.origins import Origins
from tests.support.orchestrator import System, a_system

PAGE = "https://tools.example"


@pytest.fixture
async def system(
    database_url: str, redis_url: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[System]:
    async with a_system(monkeypatch, database_url=database_url, redis_url=redis_url, home=home) as system:
        layer: Any = system.app.middleware_stack
        while not isinstance(layer, Guard):
            layer = layer._app
        layer._origins = Origins(frozenset({PAGE}))  # where one person signs in locally, the setting is refused
        yield system


async def ask(system: System, path: str, **headers: str) -> httpx.Response:
    sent = {"accept-encoding": "identity"} | {name.replace("_", "-"): value for name, value in headers.items()}
    return await system.client.get(f"/api/v1{path}", headers=sent)


async def test_what_has_not_changed_is_not_sent_again_and_what_has_is(system: System) -> None:
    analysis_id = await system.begin()
    view = await system.until(analysis_id, "refined")
    of = f"/analyses/{analysis_id}"
    await system.followed()
    paths = [
        of, f"{of}/files", f"{of}/files?limit=1", f"{of}/skipped", f"{of}/symbols", f"{of}/history",
        f"{of}/lines?path=README.md", f"/repositories/{view['repository_id']}/files", "/analyses", "/repositories",
        "/conversations", "/config", "/me", "/openapi.json",
    ]  # fmt: skip
    tags: dict[str, str] = {}
    for path in paths:
        first = await ask(system, path)
        tags[path] = first.headers["etag"]
        again = await ask(system, path, if_none_match=f'"other", {tags[path]}')
        assert first.status_code == 200, path
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tags[path]), path
        assert {r.headers["cache-control"] for r in (first, again)} == {"private, no-cache"}, path
        assert "Authorization" in first.headers["vary"]
        assert (await ask(system, path, if_none_match='"other"')).content == first.content
    assert len(set(tags.values())) == len(tags)
    assert not tags[f"{of}/lines?path=README.md"].startswith("W/")

    async with system.engine.begin() as connection:
        await connection.execute(
            text("UPDATE app.loaded SET code = 'artifact_missing', message = 'gone' WHERE kind = 'symbols'")
        )
    damaged = await ask(system, of, if_none_match=tags[of])
    assert damaged.status_code == 200
    assert "symbols 0: gone" in damaged.json()["damaged"]
    second = await system.begin("https://github.com/pallets/click")
    await system.until(second, "refined")
    await system.followed()
    assert (await ask(system, "/analyses", if_none_match=tags["/analyses"])).status_code == 200

    gone = await system.client.delete(f"/api/v1/repositories/{view['repository_id']}")
    assert gone.status_code == 202
    for path in (of, f"{of}/files", f"{of}/lines?path=README.md", f"/repositories/{view['repository_id']}/files"):
        assert (await ask(system, path, if_none_match=tags[path])).status_code == 404, path


async def test_the_audit_trail_and_answers_that_change_something_are_kept_by_no_cache(system: System) -> None:
    made = await system.client.post("/api/v1/me/keys", json={"name": "k", "scopes": ["read:events"]})
    for reply in (made, await ask(system, "/audit"), await ask(system, "/nothing")):
        assert reply.headers["cache-control"] == "no-store"
        assert "etag" not in reply.headers


async def test_long_json_is_compressed_for_readers_and_nothing_else_is(system: System) -> None:
    plain = await ask(system, "/openapi.json")
    unpack: dict[str, Any] = {"br": brotli.decompress, "gzip": gzip.decompress}
    for accepted, chosen in (("gzip, br", "br"), ("gzip", "gzip"), ("br;q=0, gzip", "gzip")):
        sent = {"accept-encoding": accepted}
        async with system.client.stream("GET", "/api/v1/openapi.json", headers=sent) as reply:
            raw = b"".join([piece async for piece in reply.aiter_raw()])
        assert reply.headers["content-encoding"] == chosen
        assert int(reply.headers["content-length"]) == len(raw) < len(plain.content) / 5
        assert unpack[chosen](raw) == plain.content
        assert {"Accept-Encoding", "Authorization", "Cookie", "Origin"} <= set(reply.headers["vary"].split(", "))
        known = await ask(system, "/openapi.json", if_none_match=reply.headers["etag"], accept_encoding=accepted)
        assert known.status_code == 304
    small = await system.client.get("/api/v1/config", headers={"accept-encoding": "br"})
    body = {"name": "k" * 90, "scopes": ["read:events"]}
    secret = await system.client.post("/api/v1/me/keys", json=body, headers={"accept-encoding": "br"})
    assert {"content-encoding"}.isdisjoint({*small.headers, *secret.headers})


async def test_an_open_stream_is_neither_compressed_nor_held_back(system: System) -> None:
    analysis_id = await system.begin()
    path = f"/api/v1/analyses/{analysis_id}/events"
    sent = {"accept-encoding": "br, gzip", "origin": PAGE}
    async with system.client.stream("GET", path, headers=sent) as reply:
        first = await anext(reply.aiter_raw())
    assert b"retry: " in first
    assert "content-encoding" not in reply.headers
    assert "etag" not in reply.headers
    assert reply.headers["cache-control"] == "no-store"
    assert reply.headers["access-control-allow-origin"] == PAGE


async def test_a_page_elsewhere_may_ask_where_it_is_named_exactly_and_never_with_cookies(system: System) -> None:
    asked = {
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization, idempotency-key",
    }
    good = await system.client.options("/api/v1/analyses", headers={"origin": PAGE, **asked})
    bad = await system.client.options("/api/v1/analyses", headers={"origin": "https://evil.example", **asked})
    read = await ask(system, "/config", origin=PAGE)
    foreign = await ask(system, "/config", origin="https://evil.example")

    assert (good.status_code, bad.status_code) == (200, 400)
    assert good.headers["access-control-allow-origin"] == read.headers["access-control-allow-origin"] == PAGE
    assert "ETag" in read.headers["access-control-expose-headers"]
    assert "access-control-allow-origin" not in {*bad.headers, *foreign.headers}
    assert not [r for r in (good, bad, read, foreign) if "access-control-allow-credentials" in r.headers]
    assert {r.headers["vary"].count("Origin") for r in (read, foreign)} == {1}
    changed = await system.client.post("/api/v1/analyses", json={}, headers={"origin": "https://evil.example"})
    assert (changed.status_code, changed.json()["code"]) == (403, "cross_site")
