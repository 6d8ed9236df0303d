"""FastStream's traps on Redis streams. Each is first shown with the defaults, then shown to be closed.

Those that are about a worker's death or a slow one are shown closed in test_long_delivery.py, test_delivery.py and
tests/faults; here stands what can be seen within one process.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from logging import WARNING
from typing import Any

import pytest
from faststream import FastStream
from faststream.redis import RedisBroker, StreamSub
from faststream.redis.parser import BinaryMessageFormatV1
from pydantic import SecretStr
from redis.asyncio import Redis
from redis.exceptions import ResponseError
from sqlalchemy.ext.asyncio import AsyncConnection

from events.account import SignedIn
from events.base import Envelope
from events.catalog import WORKFLOW
from events.delivery.entries import Entry
from events.delivery.lane import Lane
from events.delivery.subscriber import EventSubscriber
from events.delivery.work import Result
from events.processing import CancelRequested
from runtime.broker import create_broker
from runtime.settings import BrokerSettings
from tests.support.delivery import Kernel, until
from tests.support.kernel import a_draft, requested

CONSUMER = "orchestrator.workflow"
A_WHILE = 1.0  # seconds in which the defaults would have done what they never do

Handler = Callable[[Any], Awaitable[None]]


@asynccontextmanager
async def naive(redis_url: str, handler: Handler, stream: StreamSub[Any]) -> AsyncIterator[RedisBroker]:
    """A worker with the defaults."""
    broker = RedisBroker(redis_url, logger=None)
    broker.subscriber(stream=stream)(handler)
    await broker.start()
    try:
        yield broker
    finally:
        await broker.stop()


@asynccontextmanager
async def ours(kernel: Kernel, seen: list[Any], *, slots: int = 8) -> AsyncIterator[None]:
    async def handle(envelope: Envelope, _: AsyncConnection) -> Result:
        seen.append(envelope.seq)
        return Result()

    subscriber = kernel.subscriber()
    subscriber.short(WORKFLOW, CONSUMER, handle, slots=slots, idle_seconds=0.6)
    await subscriber.start()
    yield


async def pending(redis: Redis, stream: str = "s", group: str = "g") -> int:
    return int((await redis.xpending(stream, group))["pending"])


async def calls(redis: Redis, command: str) -> int:
    stats = (await redis.info("commandstats")).get(f"cmdstat_{command}", {})
    return int(stats.get("calls", 0))


async def test_2_and_3_a_handler_that_fails_leaves_its_message_pending_for_ever(redis_url: str, kernel: Kernel) -> None:
    async def fail(_body: Any) -> None:
        raise RuntimeError("once")

    async with naive(redis_url, fail, StreamSub("s", group="g", consumer="c")):
        await kernel.redis.xadd("s", {"a": "1"})
        await until(lambda: pending(kernel.redis))
    heard: list[Any] = []

    async def hear(body: Any) -> None:
        heard.append(body)

    async with naive(redis_url, hear, StreamSub("s", group="g", consumer="c")):  # the same name, and started anew
        await asyncio.sleep(A_WHILE)
    assert (heard, await pending(kernel.redis)) == ([], 1)


async def test_5_a_group_that_a_consumer_makes_for_itself_misses_what_came_before(
    redis_url: str, kernel: Kernel
) -> None:
    heard: list[Any] = []

    async def hear(body: Any) -> None:
        heard.append(body)

    await kernel.redis.xadd("s", {"a": "1"})
    async with naive(redis_url, hear, StreamSub("s", group="g", consumer="c")):
        await asyncio.sleep(A_WHILE)
    assert heard == []

    seen: list[Any] = []
    await kernel.journal.append("analysis/a", [requested(n) for n in range(3)])
    await kernel.carry()
    async with ours(kernel, seen):
        await until(lambda: sorted(seen) == [1, 2, 3])


async def test_6_reading_from_a_place_of_its_own_a_group_gets_nothing_and_spins(redis_url: str, kernel: Kernel) -> None:
    heard: list[Any] = []

    async def hear(body: Any) -> None:
        heard.append(body)

    await kernel.redis.xgroup_create("s", "g", "0", mkstream=True)
    await kernel.redis.xadd("s", {"a": "1"})
    before = await calls(kernel.redis, "xreadgroup")
    async with naive(redis_url, hear, StreamSub("s", group="g", consumer="c", last_id="0")):
        await asyncio.sleep(A_WHILE)
    spun = await calls(kernel.redis, "xreadgroup") - before
    assert (heard, spun > 100) == ([], True)

    seen: list[Any] = []
    await kernel.carry()
    before = await calls(kernel.redis, "xreadgroup")
    async with ours(kernel, seen):
        await asyncio.sleep(A_WHILE)
    assert await calls(kernel.redis, "xreadgroup") - before < 20


async def test_7_without_a_count_one_consumer_takes_everything(redis_url: str, kernel: Kernel) -> None:
    release = asyncio.Event()

    async def wait(_body: Any) -> None:
        await release.wait()

    await kernel.redis.xgroup_create("s", "g", "0", mkstream=True)
    for _ in range(200):
        await kernel.redis.xadd("s", {"a": "1"})
    async with naive(redis_url, wait, StreamSub("s", group="g", consumer="c")):
        await until(lambda: pending(kernel.redis))
        assert await pending(kernel.redis) == 200
        release.set()

    blocked = asyncio.Event()

    async def handle(_envelope: Envelope, _: AsyncConnection) -> Result:
        await blocked.wait()
        return Result()

    await kernel.journal.append("analysis/a", [requested(n) for n in range(200)])
    await kernel.carry()
    subscriber = kernel.subscriber()
    subscriber.short(WORKFLOW, CONSUMER, handle, slots=4, idle_seconds=60.0)
    await subscriber.start()
    await until(lambda: kernel.pending(WORKFLOW, CONSUMER))
    assert await kernel.pending(WORKFLOW, CONSUMER) == 4
    blocked.set()


async def test_8_an_entry_that_is_trimmed_while_it_is_pending_is_lost_without_a_word(kernel: Kernel) -> None:
    await kernel.redis.xgroup_create("s", "g", "0", mkstream=True)
    await kernel.redis.xadd("s", {"a": "1"})
    await kernel.redis.xreadgroup("g", "dead", {"s": ">"})
    await kernel.redis.xadd("s", {"a": "2"}, maxlen=1, approximate=False)

    _, claimed, *_ = await kernel.redis.xautoclaim("s", "g", "alive", 0)
    assert (claimed, await pending(kernel.redis)) == ([], 0)
    # The kernel never bounds a stream by its length: see test_relay.py, where trimming stops at the lowest floor.


async def test_10_a_wiped_server_ends_the_default_worker_and_ours_waits_for_the_relay(
    redis_url: str, kernel: Kernel
) -> None:
    async def hear(_body: Any) -> None:
        return

    broker = RedisBroker(redis_url, logger=None)
    broker.subscriber(stream=StreamSub("s", group="g", consumer="c"))(hear)
    app = asyncio.create_task(FastStream(broker, logger=None).run())
    await until(lambda: kernel.redis.exists("s"))
    await kernel.redis.flushall()
    await asyncio.wait_for(app, 30)  # it just ends, as if all were well

    seen: list[Any] = []
    await kernel.journal.append("analysis/a", [requested(1)])
    await kernel.carry()
    async with ours(kernel, seen):
        await until(lambda: seen == [1])
        await kernel.redis.flushall()
        await asyncio.sleep(A_WHILE)
        await kernel.journal.append("analysis/a", [requested(2)])
        await kernel.carry()
        await until(lambda: seen == [1, 2])


async def test_11_an_error_of_the_server_does_not_make_reading_spin(kernel: Kernel) -> None:
    seen: list[Any] = []
    await kernel.carry()
    async with ours(kernel, seen):
        await kernel.redis.delete(WORKFLOW)
        await kernel.redis.set(WORKFLOW, "not a stream")
        before = await calls(kernel.redis, "xpending") + await calls(kernel.redis, "xreadgroup")
        await asyncio.sleep(2 * A_WHILE)
        tries = await calls(kernel.redis, "xpending") + await calls(kernel.redis, "xreadgroup") - before
        assert 0 < tries < 30
        await kernel.journal.append("analysis/a", [requested(1)])
        await kernel.carry()
        await until(lambda: seen == [1])


async def test_12_text_that_is_not_ascii_breaks_the_default_format_and_not_ours(kernel: Kernel) -> None:
    body = b'{"a": 1}'
    broken = await BinaryMessageFormatV1.encode(
        message=body, reply_to=None, headers={"name": "café"}, correlation_id="1"
    )
    data, headers = BinaryMessageFormatV1.parse(broken)
    assert (data, headers.get("name")) != (body, "café")

    heard: list[Envelope] = []

    async def handle(envelope: Envelope, _: AsyncConnection) -> Result:
        heard.append(envelope)
        return Result()

    draft = a_draft(CancelRequested(reason="café \U0001f980 \u2028 " + "x" * 70_000))
    await kernel.journal.append("analysis/a", [draft, a_draft(SignedIn(login="é", provider="p"))])
    await kernel.carry()
    subscriber = kernel.subscriber()
    subscriber.short(WORKFLOW, CONSUMER, handle)
    await subscriber.start()
    await until(lambda: heard)
    assert heard[0].data["reason"] == draft.event.model_dump()["reason"]


async def test_a_worker_starts_before_its_server_does(kernel: Kernel) -> None:
    seen: list[Any] = []
    await kernel.redis.flushall()
    async with ours(kernel, seen):
        await kernel.journal.append("analysis/a", [requested(1)])
        await kernel.carry()
        await until(lambda: seen == [1])


async def test_a_worker_starts_while_its_server_is_silent(kernel: Kernel) -> None:
    connected, hung_up = asyncio.Event(), asyncio.Event()

    async def silent(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connected.set()
        await hung_up.wait()
        writer.close()

    async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        broker = create_broker(BrokerSettings(url=SecretStr(f"redis://127.0.0.1:{port}/0")))
        subscriber = EventSubscriber(broker, kernel.engine, kernel.redis, worker="worker")
        subscriber.short(WORKFLOW, CONSUMER, _nothing)
        await asyncio.wait_for(subscriber.start(), 2.0)
        await asyncio.wait_for(connected.wait(), 5.0)
        hung_up.set()
        await subscriber.stop(grace=0.0)


async def _nothing(_envelope: Envelope, _connection: AsyncConnection) -> Result:
    return Result()


async def test_a_heartbeat_keeps_an_entry_without_counting_as_a_delivery(kernel: Kernel) -> None:
    await kernel.journal.append("analysis/a", [requested(1)])
    await kernel.carry()
    await kernel.redis.xreadgroup(CONSUMER, "me", {WORKFLOW: ">"})
    lane = Lane(kernel.redis, WORKFLOW, CONSUMER, "me", 60.0)
    entry = Entry(WORKFLOW, "1-1", b"")
    await kernel.redis.xclaim(WORKFLOW, CONSUMER, "me", 0, ["1-1"], idle=30_000, justid=True)
    await lane.keep(entry)
    [held] = await kernel.redis.xpending_range(WORKFLOW, CONSUMER, "-", "+", 1)
    assert (held["times_delivered"], held["time_since_delivered"] < 20_000) == (1, True)

    await lane.hand_back(entry, after=10.0)
    [held] = await kernel.redis.xpending_range(WORKFLOW, CONSUMER, "-", "+", 1)
    assert (held["times_delivered"], 45_000 < held["time_since_delivered"] < 60_000) == (0, True)


async def test_groups_are_never_made_by_a_consumer(kernel: Kernel) -> None:
    seen: list[Any] = []
    async with ours(kernel, seen):
        await asyncio.sleep(A_WHILE)
        assert await kernel.redis.exists(WORKFLOW) == 0
        with pytest.raises(ResponseError):
            await kernel.redis.xinfo_groups(WORKFLOW)


async def test_waiting_for_the_first_groups_warns_nobody_and_a_lost_group_does(
    kernel: Kernel, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[Any] = []

    def warnings() -> list[str]:
        return [r.getMessage() for r in caplog.records if r.name == "events.delivery.patient" and r.levelno >= WARNING]

    async with ours(kernel, seen):
        await asyncio.sleep(0.5)
        assert warnings() == []

        await kernel.journal.append("analysis/a", [requested()])
        await kernel.carry()
        await until(lambda: seen == [1])
        await kernel.redis.delete(WORKFLOW)
        await until(warnings)

    assert "NOGROUP" in warnings()[0]
