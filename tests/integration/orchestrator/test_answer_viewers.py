"""Many who watch answers that are being written take no connection from the rest of the process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from uuid import UUID

import pytest
from redis.asyncio import Redis

from events.base import LOCAL_TENANT
from runtime.live import LiveChannels, send_answer_part
from tests.support.orchestrator import System, a_system, eventually

LIVE = LiveChannels(LOCAL_TENANT)
VIEWERS = 120  # more than a pool of redis-py holds


@pytest.fixture
async def system(
    database_url: str, redis_url: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[System]:
    async with a_system(
        monkeypatch, database_url=database_url, redis_url=redis_url, home=home, working=False
    ) as system:
        yield system


async def asked(system: System, repository: str) -> UUID:
    began = await system.client.post("/api/v1/conversations", json={"repository_id": repository})
    path = f"/api/v1/conversations/{began.json()['conversation_id']}/questions"
    return UUID((await system.client.post(path, json={"query": "Where?"})).json()["question_id"])


async def listening(system: System) -> int:
    """How many viewers wait for parts."""
    return sum(len(each) for each in system.app.state.services.channels._listeners.values())


@asynccontextmanager
async def viewer(system: System, question: UUID, last: str = "") -> AsyncIterator[asyncio.StreamReader]:
    """One open stream over a connection of its own, its head read."""
    url = system.client.base_url
    reader, writer = await asyncio.open_connection(url.host, url.port)
    path = f"/api/v1/questions/{question}/stream"
    writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nLast-Event-ID: {last}\r\n\r\n".encode())
    try:
        assert b" 200 " in (await reader.readuntil(b"\r\n\r\n")).partition(b"\r\n")[0]
        yield reader
    finally:
        writer.close()


async def heard(reader: asyncio.StreamReader, word: bytes) -> bytes:
    """What came up to `word`."""
    text = b""
    async with asyncio.timeout(15):
        while word not in text:
            part = await reader.read(4_096)
            assert part, text
            text += part
    return text


async def test_many_viewers_of_answers_share_one_connection_and_all_hear_all(system: System, redis_url: str) -> None:
    repository = (await system.get(f"/analyses/{await system.begin()}"))["repository_id"]
    questions = [await asked(system, repository), await asked(system, repository)]
    async with AsyncExitStack() as stack, asyncio.timeout(150):
        redis = await stack.enter_async_context(Redis.from_url(redis_url))
        readers = [await stack.enter_async_context(viewer(system, questions[n % 2])) for n in range(VIEWERS)]
        await eventually(lambda: listening(system), lambda count: count == VIEWERS)
        await eventually(redis.client_list, lambda found: any(client["cmd"] == "xread" for client in found))
        waiting = [client for client in await redis.client_list() if client["cmd"] == "xread"]
        ready = await system.client.get("/readyz")
        for question in questions:
            await send_answer_part(redis, LIVE.answer(question), {"type": "token", "text": f"first-{question}"})
            await send_answer_part(redis, LIVE.answer(question), {"type": "token", "text": f"last-{question}"})
        [(first_id, _), _last] = await redis.xrange(LIVE.answer(questions[0]))
        said = await asyncio.gather(*(heard(one, f"last-{questions[n % 2]}".encode()) for n, one in enumerate(readers)))
        late = await stack.enter_async_context(viewer(system, questions[0]))
        returned = await stack.enter_async_context(viewer(system, questions[0], first_id.decode()))
        for_late, for_returned = await heard(late, b"last-"), await heard(returned, b"last-")

    assert ready.status_code == 200, ready.text
    assert 1 <= len(waiting) < 20  # the ticks' reader, this one, and those of the pump
    assert all(text.count(f"first-{questions[n % 2]}".encode()) == 1 for n, text in enumerate(said))
    assert not any(str(questions[(n + 1) % 2]).encode() in text for n, text in enumerate(said))
    assert for_late.count(b"first-") == 1
    assert b"first-" not in for_returned
