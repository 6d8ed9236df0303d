"""Uploads over the wire: taken in parts, joined by their content, analysed, let go."""

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
from runtime.client import ApiError, Client
from runtime.client.shapes import AnalysisRequest
from tests.support.archives import zip_of
from tests.support.orchestrator import System, a_system, eventually

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
    import asyncio

    def call() -> Iterator[object]:
        client = Client(str(system.client.base_url))
        kept = client.uploads_receive(io.BytesIO(RAW), name="x.zip")
        yield kept.bytes
        yield client.analyses_begin(AnalysisRequest(url=kept.url)).name
        with pytest.raises(ApiError, match="archive_unknown"):
            client.uploads_receive(io.BytesIO(b"no"), name="x.zip")
        client.close()

    assert await asyncio.to_thread(lambda: list(call())) == [len(RAW), "x"]
