"""An analysis watched live over real sockets: nothing is lost across a reconnect, and it is quick."""

import asyncio
import logging
import signal
import sys
from collections.abc import AsyncGenerator, AsyncIterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import pytest
from redis.asyncio import Redis

from events.base import LOCAL_TENANT, derived_id
from events.delivery.pump import Pace, Pump
from events.log.postgres import PostgresJournal
from events.log.wake import Wake
from events.processing import Stage, StageStarted
from runtime.embedded.child import free_port
from runtime.live import LiveChannels, Tick, Ticker
from tests.support.kernel import a_draft
from tests.support.orchestrator import Message, System, a_system, configure, eventually, messages

logger = logging.getLogger(__name__)


@pytest.fixture
async def system(
    database_url: str, redis_url: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[System]:
    async with a_system(monkeypatch, database_url=database_url, redis_url=redis_url, home=home) as system:
        yield system


async def first(stream: AsyncGenerator[Message], event: str) -> AsyncIterator[Message]:
    """The first message of one kind; the stream is closed after it."""
    async for message in stream:
        if message[0] == event:
            yield message
            break
    await stream.aclose()


async def until_refined(
    system: System, analysis_id: UUID, last: str | None = None, *, stop_after: int = 10_000
) -> list[int]:
    """The versions seen until the analysis is refined, or `stop_after` of them were."""
    seen: list[int] = []
    async with asyncio.timeout(30):
        async for event, version, data in messages(system, f"/analyses/{analysis_id}/events", last=last):
            if event == "milestone":
                seen.append(int(version or 0))
                assert data["version"] == seen[-1]
                if data["event_type"] == "repository.processing.refined" or len(seen) >= stop_after:
                    break
    return seen


async def test_a_viewer_sees_every_event_once_and_in_order(system: System) -> None:
    analysis_id = await system.begin()
    seen = await until_refined(system, analysis_id)
    late = await until_refined(system, analysis_id)

    assert seen == late == list(range(1, seen[-1] + 1))


async def test_a_viewer_who_returns_misses_nothing_and_sees_nothing_twice(system: System) -> None:
    system.workers.held = {Stage.INDEX}
    analysis_id = await system.begin()
    first = await until_refined(system, analysis_id, stop_after=5)
    system.workers.held = set()
    await system.until(analysis_id, "answerable", "ready", "refined")
    second = await until_refined(system, analysis_id, str(first[-1]))

    assert first + second == list(range(1, second[-1] + 1))


async def test_ticks_reach_the_viewer_and_carry_no_id(system: System, redis_url: str) -> None:
    system.workers.held = {Stage.CLONE}
    analysis_id = await system.begin()
    stream = messages(system, f"/analyses/{analysis_id}/events")
    async with Redis.from_url(redis_url) as redis:
        begun = Tick(str(analysis_id), str(uuid4()), "clone", shard=0, shards=1)
        ticker, forged = (Ticker(redis, LiveChannels(one), begun) for one in (LOCAL_TENANT, uuid4()))
        async with asyncio.timeout(10):
            assert (await anext(stream))[0] == "milestone"
            await forged.tick(1, 9, "another tenant's")
            await ticker.tick(3, 9, "src/flask/app.py")
            [message] = [message async for message in first(stream, "tick")]
        await redis.delete(LiveChannels(LOCAL_TENANT).ticks)  # the worker is silent from now on
        async with asyncio.timeout(10):
            [kept] = [m async for m in first(messages(system, f"/analyses/{analysis_id}/events"), "tick")]
            [again] = [m async for m in first(messages(system, f"/analyses/{analysis_id}/events", last="1"), "tick")]
        await ticker.tick(9, 9)
        newest = await redis.hgetall(LiveChannels(LOCAL_TENANT).newest_ticks(analysis_id))

    _, version, data = message
    assert version is None
    assert (data["stage"], data["done"], data["total"], data["current"]) == ("clone", 3, 9, "src/flask/app.py")
    assert kept == again == message, "a reload shows where it was"
    assert newest == {}


@pytest.fixture
async def drowsy(
    database_url: str, redis_url: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[System]:
    """Nothing in it looks for new events by itself before the test is over."""
    monkeypatch.setattr("orchestrator.process._POLL", 600.0)
    monkeypatch.setattr("orchestrator.process.Pump", partial(Pump, pace=Pace(sequencer=600.0, relay=600.0)))
    async with a_system(
        monkeypatch, database_url=database_url, redis_url=redis_url, home=home, working=False
    ) as system:
        yield system


async def test_an_event_reaches_the_socket_by_its_wake_up_and_waits_for_no_look(drowsy: System, redis_url: str) -> None:
    """With the wake-ups that every service sends; without them it is a poll or two later."""
    system = drowsy
    async with Redis.from_url(redis_url) as redis:
        await eventually(lambda: redis.pubsub_numsub("es.wake"), lambda found: found[0][1])
    analysis_id = await system.begin()
    stream = messages(system, f"/analyses/{analysis_id}/events")
    await anext(stream)
    delays = []
    redis = Redis.from_url(redis_url)
    journal = PostgresJournal(system.engine, Wake(redis))
    for n in range(40):
        started = StageStarted(run_id=derived_id(n), stage=Stage.CLONE, shard=0, attempt=9, worker="test")
        draft = a_draft(started).model_copy(update={"occurred_at": datetime.now(UTC)})
        await journal.append(f"analysis/{analysis_id}", [draft])
        async with asyncio.timeout(30):
            async for _, _, data in stream:
                if data.get("event_id") == str(draft.event_id):
                    delays.append((datetime.now(UTC) - draft.occurred_at).total_seconds())
                    break
    await stream.aclose()
    await redis.aclose()

    delays.sort()
    logger.info("append to socket: p50 %.0f ms, p95 %.0f ms", delays[20] * 1000, delays[37] * 1000)
    assert len(delays) == 40


async def test_nobody_watches_what_is_not_there(system: System) -> None:
    for path, refused in (
        (f"analyses/{uuid4()}/events", (404, "not_found")),
        (f"events/live?stream_id=conversation/{uuid4()}", (404, "not_found")),
        ("events/live", (422, "invalid_request")),
    ):
        reply = await system.client.get(f"/api/v1/{path}")
        assert (reply.status_code, reply.json()["code"]) == refused, path


async def test_a_conversation_is_watched_as_an_analysis_is_until_it_is_deleted(system: System) -> None:
    view = await system.until(await system.begin(), "refined")
    begun = await system.client.post("/api/v1/conversations", json={"repository_id": view["repository_id"]})
    talk = f"/conversations/{begun.json()['conversation_id']}"
    path = f"/events/live?stream_id={talk[1:].replace('conversations', 'conversation')}"
    stream = messages(system, path)
    async with asyncio.timeout(15):
        seen = [await anext(stream)]
        assert (await system.client.post(f"/api/v1{talk}/questions", json={"query": "Why?"})).status_code == 202
        seen += [await anext(stream)]
        assert (await system.client.delete(f"/api/v1{talk}")).status_code == 202
        while seen[-1][2].get("event_type") != "conversation.deleted":
            seen += [await anext(stream)]
    await stream.aclose()

    told = [(version, data["event_type"]) for event, version, data in seen if event == "milestone"]
    assert told[:2] == [("1", "conversation.started"), ("2", "ai.query.requested")]
    assert [version for version, _ in told] == [str(n) for n in range(1, len(told) + 1)]
    assert (await system.client.get(f"/api/v1{path}")).status_code == 404


async def test_a_process_that_is_told_to_end_sends_its_viewers_away_and_ends(
    database_url: str, redis_url: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(monkeypatch, database_url=database_url, redis_url=redis_url, home=home)
    port = free_port()
    command = ("-m", "uvicorn", "orchestrator.app:create_app", "--factory", "--port", str(port), "--no-access-log")
    process = await asyncio.create_subprocess_exec(sys.executable, *command, stderr=asyncio.subprocess.DEVNULL)
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=20) as client:
            await eventually(lambda: answers(client), bool, 60)
            begun = await client.post("/api/v1/analyses", json={"url": "https://github.com/pallets/flask"})
            path = f"/api/v1/analyses/{begun.json()['analysis_id']}/events"
            async with asyncio.timeout(30), client.stream("GET", path) as reply:
                lines = reply.aiter_lines()
                assert (await anext(lines)).startswith("retry: ")
                process.send_signal(signal.SIGTERM)
                async for _ in lines:
                    pass
        async with asyncio.timeout(30):
            code = await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()

    assert code in {0, -signal.SIGTERM}


async def answers(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/readyz")).status_code == 200
    except httpx.TransportError:
        return False
