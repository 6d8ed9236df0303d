"""Consumption under a lease over real servers."""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest
from asyncpg import CannotConnectNowError, InternalClientError
from redis.exceptions import ResponseError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from events.base import Envelope, caused_by
from events.catalog import stage_topic
from events.delivery import leases, stages
from events.delivery.subscriber import EventSubscriber
from events.delivery.work import Also, Append, Result, Run
from events.log.earlier import EarlierRuns
from events.processing import CancelRequested, Stage
from runtime.faults import Cancelled, Permanent, Transient
from tests.support.delivery import Kernel, until
from tests.support.kernel import AT, cancel_requested, stage_requested
from tests.support.stopping import stopped

TOPIC = stage_topic(Stage.PARSE)
CONSUMER = "processor.parse"
STREAM = "analysis/a"
LONGER = 2.5  # seconds: where a machine that stands still for a moment must not look like a dead worker
IDLE = 1.0  # seconds after which what a worker left is taken over: short, for the test's sake

Work = Callable[[Envelope, Run], Awaitable[None]]


def subscribe(subscriber: EventSubscriber, work: Work, *, slots: int = 1, idle_seconds: float = IDLE) -> None:
    """Do `work`, then say what it led to: one effect per call."""

    async def handle(envelope: Envelope, run: Run) -> Result:
        await work(envelope, run)
        effect = caused_by(envelope, f"account/{run.worker}", CancelRequested(), ordinal=run.token, at=AT)
        return Result(appends=(Append(f"account/{run.worker}", (effect,)),))

    subscriber.long(
        TOPIC,
        CONSUMER,
        handle,
        slots=slots,
        on_start=stages.started,
        on_fault=stages.failed,
        on_parked=stages.parked,
        idle_seconds=idle_seconds,
    )


async def is_acked(kernel: Kernel, seq: int) -> bool:
    try:
        [group] = await kernel.redis.xinfo_groups(TOPIC)
    except ResponseError:  # not built yet
        return False
    return int(group["last-delivered-id"].decode().split("-")[1]) >= seq and group["pending"] == 0


async def types(kernel: Kernel, stream: str = STREAM) -> list[str]:
    return [envelope.event_type for envelope in await kernel.journal.read_stream(stream)]


async def idle(_envelope: Envelope, _run: Run) -> None:
    return


async def test_a_run_may_be_done_with_others_that_nobody_has_begun(kernel: Kernel) -> None:
    handled: list[UUID] = []

    async def handle(envelope: Envelope, _run: Run) -> Result:
        handled.append(envelope.event_id)
        beside = await EarlierRuns(kernel.engine).beside(envelope)
        said = [stages.completed(one, started_at=AT, files_processed=1, at=AT) for one in (envelope, *beside)]
        return Result((said[0],), also=tuple(Also(*each) for each in zip(beside, said[1:], strict=True)))

    asked = [stage_requested(number=number) for number in range(4)]
    await kernel.journal.append(STREAM, asked)
    await kernel.carry()
    subscriber = kernel.subscriber("a")
    subscriber.long(TOPIC, CONSUMER, handle, slots=1, on_fault=stages.failed, on_parked=stages.parked)
    await subscriber.start()
    await until(lambda: is_acked(kernel, 4))

    history = await kernel.journal.read_stream(STREAM)
    assert handled == [asked[0].event_id]
    assert [one.causation_id for one in history[4:]] == [one.event_id for one in asked]
    assert await kernel.inbox(CONSUMER) == dict.fromkeys(range(1, 5), "done")


async def test_what_was_done_with_another_run_is_not_said_twice(kernel: Kernel) -> None:
    begun, go = asyncio.Event(), asyncio.Event()
    asked = [stage_requested(number=number) for number in range(2)]
    first, second = await kernel.journal.append(STREAM, asked)

    async def handle(envelope: Envelope, _run: Run) -> Result:
        said = stages.completed(envelope, started_at=AT, files_processed=1, at=AT)
        if envelope.event_id == second.event_id:
            begun.set()
            await go.wait()
            return Result((said,))
        await begun.wait()
        other = second.with_seq(2)
        return Result((said,), also=(Also(other, stages.completed(other, started_at=AT, files_processed=2, at=AT)),))

    await kernel.carry()
    subscriber = kernel.subscriber("a")
    subscriber.long(TOPIC, CONSUMER, handle, slots=2, on_fault=stages.failed, on_parked=stages.parked)
    await subscriber.start()
    await until(lambda: _has(kernel, 4))
    go.set()
    await until(lambda: is_acked(kernel, 2))

    history = await kernel.journal.read_stream(STREAM)
    assert [(one.causation_id, one.data["files_processed"]) for one in history[2:]] == [
        (first.event_id, 1),
        (second.event_id, 2),
    ]


async def _has(kernel: Kernel, events: int) -> bool:
    return len(await kernel.journal.read_stream(STREAM)) >= events


async def test_a_run_says_that_it_started_and_what_it_did_and_leaves_no_lease(kernel: Kernel) -> None:
    await kernel.journal.append(STREAM, [stage_requested()])
    await kernel.carry()
    subscriber = kernel.subscriber("a")
    subscribe(subscriber, idle)
    await subscriber.start()
    await until(lambda: is_acked(kernel, 1))

    assert await types(kernel) == ["processing.stage.requested", "processing.stage.started"]
    assert len(await kernel.journal.read_stream("account/a")) == 1
    assert await kernel.inbox(CONSUMER) == {1: "done"}
    assert await kernel.rows("SELECT run_id FROM es.leases") == []


@pytest.mark.parametrize(
    ("error", "code", "kind"),
    [
        (Permanent("no_text_files", "Nothing to read."), "no_text_files", "permanent"),
        (ZeroDivisionError("secret detail"), "internal_error", "transient"),
        (asyncio.CancelledError("a pool that was shut down"), "internal_error", "transient"),
        (DBAPIError("SELECT 1", {}, CannotConnectNowError("starting up")), "database_unavailable", "transient"),
        (InternalClientError("another operation (2) is in progress"), "database_unavailable", "transient"),
        (ConnectionRefusedError(111, "Connection refused"), "database_unavailable", "transient"),
        (TimeoutError("of something else"), "internal_error", "transient"),
    ],
)
async def test_a_failure_is_a_fact_and_not_a_redelivery(
    kernel: Kernel, error: BaseException, code: str, kind: str
) -> None:
    async def fail(_envelope: Envelope, _run: Run) -> None:
        raise error

    await kernel.journal.append(STREAM, [stage_requested()])
    await kernel.carry()
    subscriber = kernel.subscriber("a")
    subscribe(subscriber, fail)
    await subscriber.start()
    await until(lambda: is_acked(kernel, 1))

    [*_, failed] = await kernel.journal.read_stream(STREAM)
    assert (failed.event_type, failed.data["code"], failed.data["kind"]) == ("processing.stage.failed", code, kind)
    assert "secret" not in str(failed.data)
    assert await kernel.inbox(CONSUMER) == {1: "failed"}


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Transient("index_moved", "Another took over."), "index_moved"),
        (ZeroDivisionError("secret detail"), "internal_error"),
    ],
)
async def test_what_a_result_cannot_be_written_by_is_the_failure(kernel: Kernel, error: Exception, code: str) -> None:
    async def refuse(_connection: AsyncConnection) -> None:
        raise error

    async def handle(_envelope: Envelope, _run: Run) -> Result:
        return Result(write=refuse)

    await kernel.journal.append(STREAM, [stage_requested()])
    await kernel.carry()
    subscriber = kernel.subscriber("a")
    subscriber.long(TOPIC, CONSUMER, handle, slots=1, on_fault=stages.failed, on_parked=stages.parked)
    await subscriber.start()
    await until(lambda: is_acked(kernel, 1))

    [*_, failed] = await kernel.journal.read_stream(STREAM)
    assert (failed.event_type, failed.data["code"]) == ("processing.stage.failed", code)
    assert await kernel.inbox(CONSUMER) == {1: "failed"}


async def test_a_cancellation_reaches_the_run_and_ends_it_without_a_failure(kernel: Kernel) -> None:
    started = asyncio.Event()

    async def work(_envelope: Envelope, run: Run) -> None:
        started.set()
        while True:
            run.check()
            await asyncio.sleep(0.02)

    await kernel.journal.append(STREAM, [stage_requested()])
    await kernel.carry()
    subscriber = kernel.subscriber("a")
    subscribe(subscriber, work)
    await subscriber.start()
    await asyncio.wait_for(started.wait(), 30)
    await kernel.journal.append(STREAM, [cancel_requested()])
    await until(lambda: is_acked(kernel, 1))

    assert await kernel.inbox(CONSUMER) == {1: "cancelled"}
    assert await types(kernel) == [
        "processing.stage.requested",
        "processing.stage.started",
        "repository.processing.cancel_requested",
    ]


async def test_a_run_that_waits_for_a_server_that_does_not_answer_is_cancelled_there(kernel: Kernel) -> None:
    waiting, ended = asyncio.Event(), asyncio.Event()

    async def work(_envelope: Envelope, _run: Run) -> None:
        try:
            waiting.set()
            await asyncio.Event().wait()
        finally:
            ended.set()

    [request] = await kernel.journal.append(STREAM, [stage_requested()])
    subscriber = kernel.subscriber("a")
    subscribe(subscriber, work, idle_seconds=30.0)

    assert await stopped(kernel, subscriber, request, waiting.is_set) < 2
    assert ended.is_set()
    assert (await types(kernel))[-1] == "repository.processing.cancel_requested"


async def test_a_run_that_was_cancelled_before_it_began_does_not_begin(kernel: Kernel) -> None:
    begun: list[UUID] = []

    async def work(envelope: Envelope, _run: Run) -> None:
        begun.append(envelope.event_id)

    await kernel.journal.append(STREAM, [stage_requested(number=1), cancel_requested(), stage_requested(number=2)])
    await kernel.carry()
    subscriber = kernel.subscriber("a")
    subscribe(subscriber, work)
    await subscriber.start()
    await until(lambda: is_acked(kernel, 3))

    assert begun == [stage_requested(number=2).event_id]
    assert await kernel.inbox(CONSUMER) == {1: "cancelled", 3: "done"}


async def test_a_heartbeat_keeps_a_long_run_from_being_taken_over(kernel: Kernel) -> None:
    calls: list[str] = []

    async def work(_envelope: Envelope, run: Run) -> None:
        calls.append(run.worker)
        await asyncio.sleep(2 * LONGER)

    await kernel.journal.append(STREAM, [stage_requested()])
    await kernel.carry()
    for name in ("a", "b"):
        subscriber = kernel.subscriber(name)
        subscribe(subscriber, work, slots=2, idle_seconds=LONGER)
        await subscriber.start()
    await until(lambda: is_acked(kernel, 1))

    assert len(calls) == 1
    assert await kernel.inbox(CONSUMER) == {1: "done"}


async def test_whoever_lost_the_lease_is_told_and_records_nothing(kernel: Kernel) -> None:
    release, told = asyncio.Event(), asyncio.Event()

    async def slow(_envelope: Envelope, run: Run) -> None:
        while not run.cancelled:  # noqa: ASYNC110  # as a stage does between two files
            await asyncio.sleep(0.02)
        with pytest.raises(Cancelled, match="lease"):
            run.check()
        told.set()
        await release.wait()  # and does not care

    await kernel.journal.append(STREAM, [stage_requested()])
    await kernel.carry()
    first = kernel.subscriber("a")
    subscribe(first, slow)
    await first.start()
    await until(lambda: kernel.rows("SELECT token FROM es.leases"))
    # Somebody else takes the run over, as if this worker had been silent for too long.
    await kernel.rows("UPDATE es.leases SET token = DEFAULT, worker = 'b', expires_at = now() + interval '1 hour'")
    await asyncio.wait_for(told.wait(), 30)
    release.set()
    await until(lambda: first.busy == 0)

    assert await kernel.journal.read_stream("account/a") == []
    assert await kernel.inbox(CONSUMER) == {}
    assert await kernel.pending(TOPIC, CONSUMER) == 1
    await kernel.rows("UPDATE es.leases SET expires_at = now() - interval '1 second'")
    release.set()
    second = kernel.subscriber("c")
    await first.stop()
    subscribe(second, idle)
    await second.start()
    await until(lambda: is_acked(kernel, 1))
    assert len(await kernel.journal.read_stream("account/c")) == 1


async def test_tokens_only_grow_and_a_late_one_is_refused(kernel: Kernel) -> None:
    run_id = stage_requested().event_id
    async with kernel.engine.begin() as connection:
        first = await leases.acquire(connection, run_id, "a", -1.0)
        second = await leases.acquire(connection, run_id, "b", 60.0)
        assert await leases.acquire(connection, run_id, "c", 60.0) is None
    assert first is not None
    assert second is not None
    assert second > first

    async with kernel.engine.begin() as connection:
        assert not await leases.extend(connection, run_id, first, 60.0)
        assert await leases.extend(connection, run_id, second, 60.0)
        with pytest.raises(leases.LeaseLost):
            await leases.release(connection, run_id, first)
        await leases.release(connection, run_id, second)


async def test_a_wiped_transport_does_not_start_a_running_run_again(kernel: Kernel) -> None:
    release = asyncio.Event()
    calls: list[str] = []

    async def work(_envelope: Envelope, run: Run) -> None:
        calls.append(run.worker)
        await release.wait()

    await kernel.journal.append(STREAM, [stage_requested()])
    async with kernel.carrying():
        for name in ("a", "b"):
            subscriber = kernel.subscriber(name)
            subscribe(subscriber, work, idle_seconds=LONGER)
            await subscriber.start()
        await until(lambda: calls)
        await kernel.redis.flushall()
        await until(lambda: kernel.redis.exists(TOPIC))
        await asyncio.sleep(1.5 * LONGER)  # the other worker has met the entry several times by now
        release.set()
        await until(lambda: is_acked(kernel, 1))

    assert len(calls) == 1
    assert await kernel.inbox(CONSUMER) == {1: "done"}


async def test_stopping_hands_a_run_back_and_another_worker_has_it_at_once(kernel: Kernel) -> None:
    started = asyncio.Event()

    async def for_ever(_envelope: Envelope, _run: Run) -> None:
        started.set()
        await asyncio.Event().wait()

    await kernel.journal.append(STREAM, [stage_requested()])
    await kernel.carry()
    first, second = kernel.subscriber("a"), kernel.subscriber("b")
    subscribe(first, for_ever, idle_seconds=60.0)
    await first.start()
    await asyncio.wait_for(started.wait(), 30)
    await first.stop(grace=0.2)
    subscribe(second, idle, idle_seconds=60.0)
    await second.start()
    await until(lambda: is_acked(kernel, 1))

    assert len(await kernel.journal.read_stream("account/b")) == 1
    assert await kernel.journal.read_stream("account/a") == []
    assert await kernel.inbox(CONSUMER) == {1: "done"}


async def test_what_the_end_of_a_process_is_turned_into_is_no_failure_of_the_run(kernel: Kernel) -> None:
    started = asyncio.Event()

    async def translating(_envelope: Envelope, _run: Run) -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError as error:  # as whoever waits for a child process, or another thread's loop
            raise Transient("clone_failed", "git ended in the middle.") from error

    await kernel.journal.append(STREAM, [stage_requested()])
    await kernel.carry()
    first, second = kernel.subscriber("a"), kernel.subscriber("b")
    subscribe(first, translating, idle_seconds=60.0)
    await first.start()
    await asyncio.wait_for(started.wait(), 30)
    await first.stop(grace=0.2)
    assert "processing.stage.failed" not in await types(kernel)
    subscribe(second, idle, idle_seconds=60.0)
    await second.start()
    await until(lambda: is_acked(kernel, 1))

    assert await kernel.inbox(CONSUMER) == {1: "done"}


async def test_a_run_that_ends_its_workers_is_parked_and_said_to_be(kernel: Kernel) -> None:
    begun: list[UUID] = []

    async def work(envelope: Envelope, _run: Run) -> None:
        begun.append(envelope.event_id)

    await kernel.journal.append(STREAM, [stage_requested(number=1), stage_requested(number=2)])
    await kernel.carry()
    # Three workers have read it and died; nothing is left of them but the count.
    await kernel.redis.xreadgroup(CONSUMER, "dead", {TOPIC: ">"}, count=1)
    await kernel.redis.xclaim(TOPIC, CONSUMER, "dead", 0, ["1-1"], idle=60_000, retrycount=3, justid=True)
    subscriber = kernel.subscriber("a")
    subscribe(subscriber, work)
    await subscriber.start()
    await until(lambda: is_acked(kernel, 2))

    assert begun == [stage_requested(number=2).event_id]
    [parked] = [e for e in await kernel.journal.read_stream(STREAM) if e.event_type == "processing.stage.parked"]
    assert parked.data["deliveries"] == 4
    assert await kernel.inbox(CONSUMER) == {1: "parked", 2: "done"}


async def test_a_run_that_somebody_holds_is_not_parked_however_often_it_was_delivered(kernel: Kernel) -> None:
    [request] = await kernel.journal.append(STREAM, [stage_requested()])
    await kernel.carry()
    await kernel.redis.xreadgroup(CONSUMER, "alive", {TOPIC: ">"}, count=1)
    await kernel.redis.xclaim(TOPIC, CONSUMER, "alive", 0, ["1-1"], idle=60_000, retrycount=3, justid=True)
    run_id = UUID(str(request.data["run_id"]))
    async with kernel.engine.begin() as connection:
        token = await leases.acquire(connection, run_id, "alive", 60.0)
    assert token is not None
    subscriber = kernel.subscriber("a")
    subscribe(subscriber, idle)
    await subscriber.start()
    await until(lambda: _was_taken_over(kernel))
    await asyncio.sleep(IDLE)

    assert await kernel.inbox(CONSUMER) == {}
    async with kernel.engine.begin() as connection:
        await leases.release(connection, run_id, token)
    await until(lambda: is_acked(kernel, 1))
    assert await kernel.inbox(CONSUMER) == {1: "parked"}


async def _was_taken_over(kernel: Kernel) -> bool:
    [held] = await kernel.redis.xpending_range(TOPIC, CONSUMER, "-", "+", 1) or [{"consumer": b"alive"}]
    return bool(held["consumer"] != b"alive")


async def test_a_busy_worker_reads_nothing_ahead(kernel: Kernel) -> None:
    release = asyncio.Event()

    async def work(_envelope: Envelope, _run: Run) -> None:
        await release.wait()

    await kernel.journal.append(STREAM, [stage_requested(number=n) for n in range(10)])
    await kernel.carry()
    subscriber = kernel.subscriber("a")
    subscribe(subscriber, work, slots=2)
    await subscriber.start()
    await until(lambda: subscriber.busy == 2)
    await asyncio.sleep(0.5)

    assert await kernel.pending(TOPIC, CONSUMER) == 2
    release.set()
    await until(lambda: is_acked(kernel, 10))


async def test_a_run_records_something_before_its_end_once_and_not_with_a_lease_that_it_lost(kernel: Kernel) -> None:
    refused: list[str] = []
    later: list[str] = []

    async def work(envelope: Envelope, run: Run) -> None:
        step = caused_by(envelope, "account/step", CancelRequested(), ordinal=1, at=AT)
        for _ in range(2):
            await run.record(Append("account/step", (step,)))
        later.extend(one.event_type for one in await run.recorded(envelope))
        await kernel.rows("UPDATE es.leases SET token = DEFAULT, worker = 'b', expires_at = now() + interval '1 hour'")
        late = caused_by(envelope, "account/late", CancelRequested(), ordinal=1, at=AT)
        with pytest.raises(Cancelled, match="lease"):
            await run.record(Append("account/late", (late,)))
        refused.append("late")

    await kernel.journal.append(STREAM, [stage_requested()])
    await kernel.carry()
    subscribe(subscriber := kernel.subscriber(), work, idle_seconds=LONGER)
    await subscriber.start()
    await until(lambda: refused)

    assert await types(kernel, "account/step") == ["repository.processing.cancel_requested"]
    assert await types(kernel, "account/late") == []
    assert later == ["processing.stage.started"]
