"""rag_manager as a service: it starts from its environment alone, makes its models, and says how it is."""

from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from events.base import LOCAL_TENANT
from rag_manager.app import create_app
from rag_manager.models.files import FULL_MODEL, QUICK_TABLE
from tests.support.service_keys import PUBLIC_KEYS, signer


async def test_the_service_is_ready_and_answers_the_services_that_ask(
    database_url: str, redis_url: str, chroma_url: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REPOSTREAM_DATABASE_URL", database_url)
    monkeypatch.setenv("REPOSTREAM_REDIS_URL", redis_url)
    monkeypatch.setenv("REPOSTREAM_CHROMA_URL", chroma_url)
    monkeypatch.setenv("REPOSTREAM_HOME", str(home))
    monkeypatch.setenv("REPOSTREAM_SERVICE_PUBLIC_KEYS", PUBLIC_KEYS)
    app = create_app()

    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://rag") as client,
    ):
        ready, metrics = await client.get("/readyz"), await client.get("/metrics")
        asked = {"tenant_id": str(LOCAL_TENANT), "repository_id": str(uuid4()), "query": "anything"}
        stranger = await client.post("/internal/search", json=asked)
        early = await client.post("/internal/search", json=asked, headers=signer("ai_engine").headers("rag_manager"))

    assert ready.status_code == 200, ready.text
    assert set(ready.json()["checks"]) == {"database", "broker"}
    assert "repostream_search_seconds" in metrics.text
    assert stranger.status_code == 401
    assert (early.status_code, early.json()["code"]) == (409, "not_indexed_yet")
    assert {FULL_MODEL, QUICK_TABLE} <= {file.name for file in (home / "models").iterdir()}
