"""Uploads over the wire: taken in parts, joined by their content, analysed, let go."""

import asyncio
import hashlib
import io
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import text

from orchestrator.adapters import uploads as adapter
from orchestrator.adapters.uploads_ending import UploadsEnding
from orchestrator.api import uploads as receiving
from runtime.client import ApiError, Client
from runtime.client.shapes import AnalysisRequest
from tests.support.archives import zip_of
from tests.support.github import GitHubStandIn
from tests.support.orchestrator import System, a_system, eventually
from tests.support.people import a_place
from tests.support.signing_in import COOKIE

RAW = zip_of({"a.py": b"x = 1\n", "noise": Random(1).randbytes(300_000)})


@pytest.fixture
async def system(
    database_url: str, redis_url: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[System]:
    monkeypatch.setattr(adapter, "_PART", 100_000)
    monkeypatch.setenv("REPOSTREAM_UPLOADS_BYTES", "1000000")
    async with a_system(monkeypatch, database_url=database_url, redis_url=redis_url, home=home) as system:
        yield system


async def upload(system: System, raw: bytes, name: str = "Flask-3.0.zip", **headers: str) -> dict[str, object]:
    reply = await system.client.post("/api/v1/uploads", params={"name": name}, content=raw, headers=headers)
    return {"status": reply.status_code, "replayed": reply.headers.get("idempotency-replayed"), **reply.json()}


def stored(home: Path) -> set[str]:
    return {path.name for path in (home / "objects").rglob("*.part")}


async def test_an_upload_is_kept_in_parts_joined_by_its_content_and_analysed_once(system: System, home: Path) -> None:
    first = await upload(system, RAW)
    again = await upload(system, RAW, name="other-name.zip")
    digest = hashlib.sha256(RAW).hexdigest()

    assert (first["status"], again["status"]) == (201, 200)
    assert first["url"] == again["url"] == f"upload://{digest}/Flask-3.0"
    assert (first["kind"], first["bytes"], first["sha256"]) == ("zip", len(RAW), digest)
    assert len(stored(home)) == len(RAW) // 100_000 + 1
    assert (await system.get(f"/uploads/{first['upload_id']}"))["url"] == first["url"]

    looked = await system.client.post("/api/v1/preflight", json={"url": first["url"]})
    begun = await system.client.post("/api/v1/analyses", json={"url": first["url"]})
    view = await system.until(begun.json()["analysis_id"], "refined")
    offered = await system.client.post("/api/v1/analyses", json={"url": first["url"]})
    page = await system.get(f"/analyses/{view['analysis_id']}/history", limit=500)

    assert (looked.json()["name"], looked.json()["finished"]) == ("Flask-3.0", None)
    assert (begun.status_code, offered.status_code) == (202, 200)
    assert offered.json()["analysis_id"] == view["analysis_id"]
    assert (view["name"], view["url"]) == ("Flask-3.0", first["url"])
    [asked] = [
        e for e in page["items"] if e["event_type"].endswith("stage.requested") and e["data"]["stage"] == "clone"
    ]
    parts = [await system.objects.get(part["key"], part["sha256"]) for part in asked["data"]["inputs"]]
    assert b"".join(parts) == RAW
    refused = await system.client.post("/api/v1/analyses", json={"url": first["url"], "ref": "main"})
    assert refused.json()["code"] == "bad_ref"


async def test_what_was_told_as_refined_is_offered_while_the_read_models_are_behind(system: System) -> None:
    first = await upload(system, RAW)
    begun = (await system.client.post("/api/v1/analyses", json={"url": first["url"]})).json()
    kept = text("SELECT state FROM app.analyses WHERE analysis_id = :id FOR UPDATE")
    async with system.engine.connect() as holding:

        async def held() -> list[str]:
            return list((await holding.execute(kept, {"id": begun["analysis_id"]})).scalars())

        await eventually(held, bool)
        await system.until(begun["analysis_id"], "refined")
        [behind] = await held()
        again = await system.client.post("/api/v1/analyses", json={"url": first["url"]})
        looked = await system.client.post("/api/v1/preflight", json={"url": first["url"]})

    assert behind not in {"ready", "refined"}
    assert (again.status_code, again.json()["analysis_id"]) == (200, begun["analysis_id"])
    assert looked.json()["finished"]["analysis_id"] == begun["analysis_id"]


async def test_an_upload_goes_with_its_repository_and_after_a_day_where_nothing_was_made_of_it(
    system: System, home: Path
) -> None:
    used, unused = await upload(system, RAW), await upload(system, zip_of({"b.py": b"y = 2\n"}))
    begun = (await system.client.post("/api/v1/analyses", json={"url": used["url"]})).json()
    await system.until(begun["analysis_id"], "refined")
    ending = UploadsEnding(system.engine, system.objects, timedelta(0))

    assert await ending.sweep() == 1
    assert (await system.client.get(f"/api/v1/uploads/{unused['upload_id']}")).status_code == 404
    gone = await system.client.post("/api/v1/analyses", json={"url": unused["url"]})
    assert (gone.status_code, gone.json()["code"]) == (404, "upload_gone")
    assert len(stored(home)) == len(RAW) // 100_000 + 1

    await system.client.delete(f"/api/v1/repositories/{begun['repository_id']}")
    await eventually(lambda: _left(system, home), lambda left: left == (0, 0), 60)


async def _left(system: System, home: Path) -> tuple[int, int]:
    async with system.engine.connect() as connection:
        rows = (await connection.execute(text("SELECT count(*) FROM app.uploads"))).scalar_one()
    return rows, len(stored(home))


async def test_what_is_refused_or_breaks_off_leaves_nothing(system: System, home: Path) -> None:
    unknown = await upload(system, b"#!/bin/sh\n" * 100)
    large = await upload(system, RAW + bytes(1_000_000))

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(30):
            yield RAW

    async def broken() -> AsyncIterator[bytes]:
        yield RAW
        raise OSError("gone")

    larger = await system.client.post("/api/v1/uploads", content=endless())
    with pytest.raises(OSError, match="gone"):
        await system.client.post("/api/v1/uploads", content=broken())

    assert (unknown["status"], unknown["code"]) == (422, "archive_unknown")
    assert (large["status"], large["code"]) == (413, "upload_too_large")
    assert (larger.status_code, larger.json()["code"]) == (413, "upload_too_large")
    await eventually(lambda: _left(system, home), lambda left: left == (0, 0))


async def test_an_upload_under_a_key_is_done_once_and_another_is_refused(system: System) -> None:
    key = {"Idempotency-Key": "u-1"}
    first, again = await upload(system, RAW, **key), await upload(system, RAW, **key)
    other = await upload(system, zip_of({"b.py": b"y\n"}), **key)

    assert (first["status"], again["status"], again["replayed"]) == (201, 201, "true")
    assert (other["status"], other["code"]) == (422, "idempotency_key_reused")


async def test_the_typed_client_sends_a_file(system: System) -> None:
    def call() -> Iterator[object]:
        client = Client(str(system.client.base_url))
        kept = client.uploads_receive(io.BytesIO(RAW), name="x.zip")
        yield kept.bytes
        yield client.analyses_begin(AnalysisRequest(url=kept.url)).name
        with pytest.raises(ApiError, match="archive_unknown"):
            client.uploads_receive(io.BytesIO(b"no"), name="x.zip")
        client.close()

    assert await asyncio.to_thread(lambda: list(call())) == [len(RAW), "x"]


async def test_uploads_are_listed_and_one_goes_by_itself_unless_something_was_made_of_it(
    system: System, home: Path
) -> None:
    first, second = await upload(system, RAW), await upload(system, zip_of({"b.py": b"y = 2\n"}))
    begun = (await system.client.post("/api/v1/analyses", json={"url": first["url"]})).json()

    page = await system.get("/uploads", limit=1)
    rest = await system.get("/uploads", limit=1, cursor=page["next"])
    used = await system.client.delete(f"/api/v1/uploads/{first['upload_id']}")
    gone = await system.client.delete(f"/api/v1/uploads/{second['upload_id']}")
    again = await system.client.delete(f"/api/v1/uploads/{second['upload_id']}")

    assert [one["upload_id"] for one in (*page["items"], *rest["items"])] == [second["upload_id"], first["upload_id"]]
    assert (rest["items"][0]["repositories"], rest["next"]) == ([begun["repository_id"]], None)
    assert (used.status_code, used.json()["code"]) == (409, "upload_in_use")
    assert (gone.status_code, again.status_code) == (204, 404)
    assert (await _left(system, home))[0] == 1
    assert len(stored(home)) == len(RAW) // 100_000 + 1
    asked = await system.client.post("/api/v1/analyses", json={"url": second["url"]})
    assert asked.json()["code"] == "upload_gone"


async def test_patterns_of_what_is_read_all_the_same_are_part_of_what_is_asked_of_an_upload(system: System) -> None:
    kept = await upload(system, RAW)
    plain = (await system.client.post("/api/v1/analyses", json={"url": kept["url"]})).json()
    await system.until(plain["analysis_id"], "refined")
    await system.followed()

    more = await system.client.post("/api/v1/analyses", json={"url": kept["url"], "include": ["vendor/", "*.min.js"]})
    [request] = (await system.get(f"/analyses/{more.json()['analysis_id']}/history", limit=1))["items"]

    assert (more.status_code, more.json()["repository_id"]) == (202, plain["repository_id"])
    assert request["data"]["include"] == ["vendor/", "*.min.js"]
    bad = await system.client.post("/api/v1/analyses", json={"url": kept["url"], "include": ["# all"]})
    assert bad.json()["code"] == "bad_include"


async def test_an_upload_that_stalls_or_drips_breaks_off_and_leaves_nothing(
    system: System, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fault fires: the sender hears why while it still has something to send."""
    monkeypatch.setattr(receiving, "_SILENCE", 0.2)
    stalled = await _sent_slowly(system, drips=0)
    monkeypatch.setattr(receiving, "_SLOWEST", 10_000_000)
    slow = await _sent_slowly(system, drips=100_000)

    for answer in (stalled, slow):
        assert answer.startswith(b"HTTP/1.1 503")
        assert b'"upload_stalled"' in answer
    await eventually(lambda: _left(system, home), lambda left: left == (0, 0))


async def _sent_slowly(system: System, *, drips: int) -> bytes:
    """What is answered to an upload of which a part comes at once, then `drips` bytes one by one, then nothing."""
    base = system.client.base_url
    reader, writer = await asyncio.open_connection(base.host, base.port)
    head = f"POST /api/v1/uploads HTTP/1.1\r\nHost: {base.host}\r\nContent-Length: 900000\r\nConnection: close\r\n\r\n"
    writer.write(head.encode() + RAW[:200_000])
    answer = asyncio.create_task(reader.read())
    for _ in range(drips):
        if answer.done():
            break
        writer.write(b"x")
        await asyncio.sleep(0.01)
    found = await asyncio.wait_for(answer, 30)
    writer.close()
    return found


async def test_what_was_uploaded_and_deleted_is_on_record_with_who_did_it(system: System) -> None:
    kept = await upload(system, RAW)
    await upload(system, b"#!/bin/sh\n" * 100)
    await system.client.delete(f"/api/v1/uploads/{kept['upload_id']}")

    async def recorded() -> list[tuple[str, str, str, str]]:
        page = await system.get("/audit", action="uploads.")
        return [(e["action"], e["outcome"], e["code"], e["target"]) for e in reversed(page["items"])]

    found = await eventually(recorded, lambda entries: len(entries) == 3)
    target = f"uploads/{kept['upload_id']}"
    assert sorted(found) == [
        ("uploads.delete", "allowed", "", target),
        ("uploads.receive", "allowed", "", target),
        ("uploads.receive", "failed", "archive_unknown", ""),
    ]


async def test_an_upload_takes_of_the_teams_bytes_and_of_the_uploads_of_an_hour(
    monkeypatch: pytest.MonkeyPatch, github: GitHubStandIn, database_url: str, redis_url: str, home: Path
) -> None:
    monkeypatch.setenv("REPOSTREAM_QUOTA_BYTES", "200000")
    monkeypatch.setenv("REPOSTREAM_LIMITS_UPLOADS", "user:3/hour")
    async with a_place(monkeypatch, github, database_url, redis_url, home) as here:
        person = await here.person("heron")

        async def sends(raw: bytes) -> tuple[int, str]:
            cookie = {"cookie": f"{COOKIE}={person.visitor.cookies.get(COOKIE, '')}", "origin": here.site.url}
            reply = await here.site.client.post("/api/v1/uploads", content=raw, headers=cookie)
            return reply.status_code, reply.json().get("code", reply.json().get("upload_id"))

        small = zip_of({"b.py": b"y = 2\n"})
        status, first = await sends(RAW)
        assert status == 201
        assert await sends(small) == (409, "quota_full")
        assert (await person.call("DELETE", f"/uploads/{first}")).status_code == 204
        assert (await sends(small))[0] == 201
        assert await sends(small) == (429, "rate_limited")
