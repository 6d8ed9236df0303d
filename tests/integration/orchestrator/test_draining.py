"""A service is told to end under load: what it took is answered, streams are sent elsewhere, and nobody fails."""

import asyncio
import signal
import time
from pathlib import Path

import httpx
import pytest

from runtime.embedded.child import free_port
from tests.support.draining import Load, last_words, serving
from tests.support.orchestrator import configure, eventually

ROUNDS, CLIENTS, STREAMS = 3, 12, 5
RESYNC = b"event: resync\ndata: {}\n\n"


async def _counted(load: Load) -> int:
    return len(load.spans)


@pytest.mark.timeout(180)
async def test_three_ends_under_load_fail_no_request_and_send_every_stream_elsewhere(
    monkeypatch: pytest.MonkeyPatch, database_url: str, redis_url: str, home: Path
) -> None:
    configure(monkeypatch, database_url=database_url, redis_url=redis_url, home=home)
    port = free_port()
    load = Load(f"http://127.0.0.1:{port}")
    clients: list[asyncio.Task[None]] = []
    for round_ in range(ROUNDS):
        async with serving("orchestrator", port) as process:
            async with httpx.AsyncClient(base_url=load.url, trust_env=False) as http:
                begun = await http.post("/api/v1/analyses", json={"url": "https://github.com/pallets/flask"})
            analysis = begun.json()
            if not clients:
                what = {"repository_id": analysis["repository_id"]}
                clients += [asyncio.create_task(load.client(what)) for _ in range(CLIENTS)]
            opened = asyncio.Semaphore(0)
            path = f"/api/v1/analyses/{analysis['analysis_id']}/events"
            streams = [asyncio.create_task(last_words(load.url, path, opened)) for _ in range(STREAMS)]
            for _ in range(STREAMS):
                await opened.acquire()
            await asyncio.sleep(0.5)
            told = time.monotonic()
            process.send_signal(signal.SIGTERM)
            code = await asyncio.wait_for(process.wait(), 30)
            ended = time.monotonic()
            said = await asyncio.wait_for(asyncio.gather(*streams), 5)

        crossing = [span for span in load.spans if span[0] < told < span[1] <= ended]
        assert code in {0, -signal.SIGTERM}, round_
        assert ended - told < 30
        assert crossing, "no request was at work when the signal came: nothing is proved"
        assert all(words.endswith(RESYNC) for words in said), said
        assert all(b"retry: " in words for words in said)
    async with serving("orchestrator", port):
        done = len(load.spans)
        await eventually(lambda: _counted(load), lambda count: count >= done + 2 * CLIENTS)
        load.over = True
        await asyncio.gather(*clients)

    assert load.failed == []
    assert load.again > 0
    assert len(load.spans) > 100


@pytest.mark.timeout(180)
async def test_the_page_server_ends_as_gently_and_its_viewers_miss_nothing(
    monkeypatch: pytest.MonkeyPatch, database_url: str, redis_url: str, home: Path
) -> None:
    configure(monkeypatch, database_url=database_url, redis_url=redis_url, home=home)
    behind, port = free_port(), free_port()
    load = Load(f"http://127.0.0.1:{port}")
    inside = {"REPOSTREAM_INTERNAL_ORCHESTRATOR_URL": f"http://127.0.0.1:{behind}"}
    async with serving("orchestrator", behind):
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{behind}", trust_env=False) as http:
            begun = await http.post("/api/v1/analyses", json={"url": "https://github.com/pallets/flask"})
        path = f"/api/v1/analyses/{begun.json()['analysis_id']}/events"
        async with serving("web_ui", port, **inside) as process:
            clients = [asyncio.create_task(load.client(None)) for _ in range(CLIENTS)]
            opened = asyncio.Semaphore(0)
            streams = [asyncio.create_task(last_words(load.url, path, opened)) for _ in range(STREAMS)]
            for _ in range(STREAMS):
                await opened.acquire()
            await eventually(lambda: _counted(load), lambda count: count >= 2 * CLIENTS)
            told = time.monotonic()
            process.send_signal(signal.SIGTERM)
            said = await asyncio.gather(*streams)
            code = await asyncio.wait_for(process.wait(), 60)
            ended = time.monotonic()
        async with serving("web_ui", port, **inside):
            done = len(load.spans)
            await eventually(lambda: _counted(load), lambda count: count >= done + CLIENTS, 60)
            load.over = True
            await asyncio.gather(*clients)

    crossing = [span for span in load.spans if span[0] < told < span[1] <= ended]
    assert code in {0, -signal.SIGTERM}
    assert crossing, "no request was at work when the signal came: nothing is proved"
    assert all(b"event: milestone" in words and words.endswith(RESYNC) for words in said), said
    assert load.failed == []
    assert load.again > 0
