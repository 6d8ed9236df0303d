"""Searches are shared by processes over Valkey: made once, sealed, gone with what they are of; Valkey may be away."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from redis.asyncio import Redis

from events.base import LOCAL_TENANT
from events.delivery.work import Run
from events.index import GenerationKind
from events.question import SearchRequest
from rag_manager.adapters.valkey_memory import ValkeyMemory
from rag_manager.jobs.erase_analysis import EraseAnalysis
from rag_manager.rows.generations import memory_key
from rag_manager.search import Search
from rag_manager.serving import ServingCache
from rag_manager.stages.shared_memory import entries_name, entry_of
from runtime.metrics import cache_lookups
from runtime.tenancy import TenantDatabase
from tests.fakes.vectors import MemoryVectors
from tests.support.canaries import keys
from tests.support.index import REPOSITORY, ARun, Index, an_index
from tests.support.names import redis_names, without_tenant

FILES = {"src/cookies.py": "def sign_cookie(value):\n    return kestrel_secret(value)\n"}
ASKED = SearchRequest(tenant_id=LOCAL_TENANT, repository_id=REPOSITORY, query="how is a cookie signed")
TENANT, ANALYSIS = uuid4(), uuid4()


@pytest.fixture
def vectors() -> MemoryVectors:
    return MemoryVectors()


@pytest.fixture
async def index(database_url: str, redis_url: str, tmp_path: Path, vectors: MemoryVectors) -> AsyncIterator[Index]:
    async with an_index(database_url, redis_url, tmp_path, vectors) as made:
        yield made


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    async with Redis.from_url(redis_url) as client:
        yield client


def a_process(index: Index, redis: Redis) -> Search:
    """A search with a memory of its own, as in a process of its own. The full model is somebody else's."""
    engine = index.backends.engine
    cache = ServingCache(TenantDatabase(engine), index.backends.objects, index.lexicon)
    embedders = {GenerationKind.QUICK: index.quick, GenerationKind.FULL: index.full}
    shared = ValkeyMemory(redis, partial(memory_key, engine))
    return Search(
        cache, index.backends.vectors, embedders, index.backends.turns, shared=shared, remote={index.full.name}
    )


async def a_key() -> bytes:
    return b"k" * 32


def counted(name: str, outcome: str) -> float:
    return cache_lookups.labels(name, outcome)._value.get()


async def test_another_process_answers_from_what_one_found_until_another_generation_serves(
    index: Index, vectors: MemoryVectors, redis: Redis, redis_url: str
) -> None:
    analysis = await index.ready(FILES)
    await index.embed(analysis, GenerationKind.FULL)
    await index.activate(analysis, GenerationKind.FULL)
    await index.linked(analysis.id)
    hits = counted("searches, shared", "hit")
    first = await a_process(index, redis)(ASKED)
    embedded = list(index.full.embedded)
    vectors.down = -1

    again = await a_process(index, redis)(ASKED)
    other = await a_process(index, redis)(ASKED.model_copy(update={"query": "secret"}))

    assert (again.degraded, again.passages, again.evidence, again.plan) == (
        None,
        first.passages,
        first.evidence,
        first.plan,
    )
    assert counted("searches, shared", "hit") == hits + 1
    assert other.degraded == "vectors_unavailable"
    vectors.down = 0
    fresh = a_process(index, redis)
    await fresh(ASKED.model_copy(update={"limit": 3}))  # the question's vector is shared beside its searches
    assert index.full.embedded.count(ASKED.query) == embedded.count(ASKED.query) == 1
    await index.ready({"src/cookies.py": "def sign_cookie(value):\n    return value\n"}, number=2)
    assert (await a_process(index, redis)(ASKED)).commit == "c0ffee2"
    await nothing_can_be_read(redis_url)


async def nothing_can_be_read(redis_url: str) -> None:
    """Neither question nor passage, path or name is in Valkey; every name has its tenant."""
    held = [content for name, content in [each async for each in keys(redis_url)] if "found." in name]
    assert held
    told = b"".join(held)
    assert [word for word in (b"cookie", b"kestrel", b"signed", b"src/") if word in told] == []
    assert without_tenant(await redis_names(redis_url), {str(LOCAL_TENANT)}) == []


async def test_what_is_shared_of_an_analysis_goes_with_it_and_by_itself(index: Index, redis: Redis) -> None:
    analysis, newest = await index.ready(FILES), await index.ready(FILES | {"b.py": "x = 1\n"}, number=2)
    for each in (analysis, newest):
        await index.linked(each.id)
    search = a_process(index, redis)
    await search(ASKED.model_copy(update={"analysis_id": analysis.id}))
    newer = await search(ASKED)
    mine, others = (entries_name(LOCAL_TENANT, one) for one in (analysis.id, newer.analysis_id))
    assert [await redis.exists(name) for name in (mine, others)] == [1, 1]
    assert 0 < await redis.ttl(mine) <= 300

    run: Run = ARun()
    await EraseAnalysis(index.backends)(LOCAL_TENANT, analysis.stream, REPOSITORY, run)

    assert [await redis.exists(name) for name in (mine, others)] == [0, 1]


async def test_of_many_processes_that_ask_the_same_at_once_one_makes_it(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rag_manager.adapters.valkey_memory._ANSWER", 20.0)  # however busy the machine is
    monkeypatch.setattr("rag_manager.adapters.valkey_memory._LEASE", 60.0)
    made: list[int] = []

    async def make() -> bytes:
        made.append(1)
        await asyncio.sleep(0.15)
        return b"made"

    processes = [ValkeyMemory(redis, a_key) for _ in range(12)]
    got = await asyncio.gather(*(one.get("t", TENANT, ANALYSIS, "at once", make) for one in processes))

    assert (got, len(made)) == ([b"made"] * 12, 1)
    assert not [name async for name in redis.scan_iter(match=f"found.{TENANT}.*lease*")]


async def test_a_failure_is_ones_own_and_what_is_not_to_be_kept_is_made_by_each(redis: Redis) -> None:
    calls = iter([RuntimeError("broke"), b"made"])

    async def make() -> bytes:
        await asyncio.sleep(0.05)
        said = next(calls)
        if isinstance(said, Exception):
            raise said
        return said

    processes = [ValkeyMemory(redis, a_key) for _ in range(3)]
    got = await asyncio.gather(
        *(one.get("t", TENANT, ANALYSIS, "fails", make) for one in processes), return_exceptions=True
    )
    assert sorted(map(repr, got)) == ["RuntimeError('broke')", "b'made'", "b'made'"]

    async def nothing() -> None:
        return None

    assert [await one.get("t", TENANT, ANALYSIS, "not kept", nothing) for one in processes] == [None] * 3


async def test_a_damaged_entry_is_made_again_and_a_maker_that_died_is_waited_for_no_longer_than_its_lease(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rag_manager.adapters.valkey_memory._LEASE", 0.2)
    entry = entry_of(await a_key(), TENANT, ANALYSIS, "damaged")
    await redis.hset(entry.name, entry.place, entry.tag + b"gAAAAnonsense")
    await redis.set(entry.lease, "somebody who died", px=60_000)

    async def make() -> bytes:
        return b"made"

    began = asyncio.get_running_loop().time()
    assert await ValkeyMemory(redis, a_key).get("t", TENANT, ANALYSIS, "damaged", make) == b"made"
    assert 0.2 <= asyncio.get_running_loop().time() - began < 2
    assert await redis.get(entry.lease) == b"somebody who died"  # not this one's to give back


async def test_without_valkey_everything_is_made_and_it_is_left_alone_for_a_while() -> None:
    made: list[UUID] = []

    async def make() -> bytes:
        made.append(ANALYSIS)
        return b"made"

    async with Redis.from_url("redis://127.0.0.1:1/0") as nowhere:
        memory = ValkeyMemory(nowhere, a_key)
        began, away = asyncio.get_running_loop().time(), counted("t", "away")
        got = [await memory.get("t", TENANT, ANALYSIS, "x", make) for _ in range(20)]

    assert (got, len(made)) == ([b"made"] * 20, 20)
    assert counted("t", "away") == away + 20
    assert asyncio.get_running_loop().time() - began < 1.5
