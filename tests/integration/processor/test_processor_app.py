"""The processor as a service: it starts from its environment alone, says how it is, and leaves nothing behind."""

from pathlib import Path

import httpx
import pytest

from processor.app import create_app


async def test_the_service_is_ready_and_cleans_up(
    database_url: str, redis_url: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REPOSTREAM_DATABASE_URL", database_url)
    monkeypatch.setenv("REPOSTREAM_REDIS_URL", redis_url)
    monkeypatch.setenv("REPOSTREAM_HOME", str(home))
    app = create_app()

    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://processor") as client,
    ):
        ready, metrics = await client.get("/readyz"), await client.get("/metrics")
        folders = list((home / "work").iterdir())

    assert ready.status_code == 200, ready.text
    assert set(ready.json()["checks"]) == {"database", "broker", "disk"}
    assert "repostream_rss_bytes" in metrics.text
    assert len(folders) == 1
    assert list((home / "work").iterdir()) == []
