"""Circuits of models over a real Valkey, between processes, and without it."""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import asdict

import pytest
from prometheus_client import REGISTRY
from redis.asyncio import Redis

from ai_engine.adapters.circuits import Circuits, Guarded
from ai_engine.adapters.openai import OpenAIModel
from ai_engine.ports import CircuitOpen
from ai_engine.stages.build_prompt import Prompt, Turn
from ai_engine.stages.circuit import FAILURES, Circuit, State
from runtime.faults import Fault
from tests.fakes.retriever import FakeRetriever
from tests.support.answering import FILES, Desk
from tests.support.delivery import a_kernel, until
from tests.support.model_stand_in import WORDS, StandIn, model_stand_in

NAME = "openai:m"
PROMPT = Prompt("p", "s", (Turn("user", "Where?"),))
RESTED = json.dumps(asdict(Circuit(failures=FAILURES, opened=1, open_until=1.0)))  # its pause was over long ago
CALLERS = """
import asyncio, sys
from redis.asyncio import Redis
from ai_engine.adapters.circuits import Circuits, Guarded
from ai_engine.adapters.openai import OpenAIModel
from ai_engine.ports import CircuitOpen
from ai_engine.stages.build_prompt import Prompt, Turn

async def call(model):
    try:
        return [item async for item in model.stream(Prompt("p", "s", (Turn("user", "Where?"),)))] and "answered"
    except CircuitOpen:
        return "left alone"

async def main(redis_url, model_url):
    redis = Redis.from_url(redis_url)
    inner = OpenAIModel(model="m", key=lambda: "k", base_url=model_url)
    model = Guarded(inner, Circuits(redis))
    await redis.ping()
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    print(*await asyncio.gather(*(call(model) for _ in range(25))), sep=",", flush=True)
    await inner.close()
    await redis.aclose()

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    async with Redis.from_url(redis_url) as redis:
        yield redis


@pytest.fixture
async def guarded(redis: Redis, server: StandIn) -> AsyncIterator[Guarded]:
    model = OpenAIModel(model="m", key=lambda: "k", base_url=server.url)
    yield Guarded(model, Circuits(redis))
    await model.close()


async def called(model: Guarded) -> str:
    try:
        return "".join([str(getattr(item, "text", "")) async for item in model.stream(PROMPT)])
    except Fault as fault:
        return fault.code


async def test_a_model_that_fails_is_left_alone_by_all_and_an_answer_closes_it(
    redis: Redis, server: StandIn, guarded: Guarded
) -> None:
    server.script = ["status:500,0"]
    elsewhere = Circuits(redis)
    codes = [await called(guarded) for _ in range(FAILURES + 2)]

    assert codes == ["model_unavailable"] * FAILURES + ["model_circuit_open"] * 2
    assert len(server.requests) == FAILURES
    assert await elsewhere.states([NAME, "openai:other"]) == {NAME: State.OPEN, "openai:other": State.CLOSED}
    assert REGISTRY.get_sample_value("repostream_model_circuit", {"model": NAME}) == 2
    await redis.set(f"circuit.{NAME}", RESTED)
    server.script = ["whole"]
    assert (await elsewhere.states([NAME]))[NAME] is State.HALF_OPEN
    assert await called(guarded) == "".join(WORDS)
    assert (await elsewhere.states([NAME]))[NAME] is State.CLOSED


@pytest.mark.parametrize("end", ["whole", "status:500,0"])
async def test_of_a_hundred_callers_in_four_processes_one_tries_a_model_that_rested(
    redis: Redis, redis_url: str, server: StandIn, end: str
) -> None:
    await redis.set(f"circuit.{NAME}", RESTED)
    server.script = [f"slow:{end}"]
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", CALLERS, redis_url, server.url,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )
        for _ in range(4)
    ]  # fmt: skip
    for process in processes:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"ready\n"
    outs = await asyncio.gather(*(process.communicate(b"go\n") for process in processes))
    said = [one for out, _ in outs for one in out.decode().strip().split(",")]

    assert len(server.requests) == 1  # the probe fired, and alone
    if end == "whole":
        assert sorted(set(said)) == ["answered", "left alone"]
        assert (said.count("answered"), said.count("left alone")) == (1, 99)
    assert await Circuits(redis).states([NAME]) == {NAME: State.CLOSED if end == "whole" else State.OPEN}


async def test_a_probe_that_is_ended_is_followed_by_another(redis: Redis, server: StandIn, guarded: Guarded) -> None:
    await redis.set(f"circuit.{NAME}", RESTED)
    server.script = ["stall", "whole"]
    probe = asyncio.create_task(called(guarded))
    await until(lambda: server.requests)
    with pytest.raises(CircuitOpen):
        await anext(aiter(guarded.stream(PROMPT)))
    probe.cancel()
    await asyncio.wait([probe])

    assert await called(guarded) == "".join(WORDS)


async def test_without_valkey_each_process_has_its_own_and_one_probe(server: StandIn) -> None:
    async with Redis.from_url("redis://127.0.0.1:9", socket_connect_timeout=0.5) as nowhere:
        circuits = Circuits(nowhere)
        inner = OpenAIModel(model="m", key=lambda: "k", base_url=server.url)
        model = Guarded(inner, circuits)
        server.script = ["status:500,0"]
        codes = [await called(model) for _ in range(FAILURES + 1)]
        circuits._alone[NAME] = Circuit(failures=FAILURES, opened=1, open_until=time.time() - 1)
        server.script = ["slow:whole"]
        before = len(server.requests)
        after = await asyncio.gather(*(called(model) for _ in range(50)))
        await inner.close()

    assert codes[-2:] == ["model_unavailable", "model_circuit_open"]
    assert len(server.requests) - before == 1
    assert sorted(set(after)) == ["".join(WORDS), "model_circuit_open"]


async def test_an_open_circuit_has_the_next_model_answer_at_once_and_says_so(
    database_url: str, redis_url: str, redis: Redis, server: StandIn
) -> None:
    resting = json.dumps(asdict(Circuit(failures=FAILURES, opened=1, open_until=time.time() + 60)))
    await redis.set("circuit.openai:first", resting)
    async with a_kernel(database_url, redis_url) as kernel, model_stand_in("openai") as dead:
        desk, circuits = Desk(kernel), Circuits(redis)
        first = OpenAIModel(model="first", key=lambda: "k", base_url=dead.url)
        second = OpenAIModel(model="m", key=lambda: "k", base_url=server.url)
        await desk.ask()
        models = {"openai:first": Guarded(first, circuits), NAME: Guarded(second, circuits)}
        await desk.work(FakeRetriever(FILES), models)
        data = (await desk.end()).data
        await first.close()
        await second.close()

    assert (dead.requests, len(server.requests)) == ([], 1)
    assert data["passed_over"] == [{"model": "openai:first", "code": "model_circuit_open"}]
    assert data["answer"] == "".join(WORDS)
