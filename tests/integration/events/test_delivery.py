"""Short and batched consumption over real servers."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

import pytest
from redis.exceptions import ResponseError
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from events.base import Envelope, caused_by, derived_id
from events.catalog import WORKFLOW
from events.delivery import dead_letters
from events.delivery.timers import fire_due
from events.delivery.work import Append, Result, Timer
from events.log.journal import WrongExpectedVersion
from events.processing import CancelRequested, RetryRequested
from tests.conftest import Servers
from tests.support.delivery import Kernel, until
from tests.support.kernel import AT, cancel_requested, requested

CONSUMER = "orchestrator.workflow"
IDLE = 0.6  # seconds after which what a worker left is taken over: short, for the test's sake


def follow_up(envelope: Envelope, *, expected: int | None = None) -> Append:
    """A fact that follows from another one, on a stream of its own."""
    stream = f"conversation/{envelope.event_id}"
    return Append(stream, (caused_by(envelope, stream, RetryRequested(), ordinal=0, at=AT),), expected=expected)


def parked(envelope: Envelope, deliveries: int) -> tuple[Append, ...]:
    event = CancelRequested(reason=f"parked after {deliveries}")
    return (Append("account/parked", (caused_by(envelope, "account/parked", event, ordinal=0, at=AT),)),)


async def is_acked(kernel: Kernel, seq: int) -> bool:
    """Whether the group has read up to `seq` and holds nothing."""
    try:
        [group] = await kernel.redis.xinfo_groups(WORKFLOW)
    except ResponseError:  # not built yet
        return False
    delivered = int(group["last-delivered-id"].decode().split("-")[1])
    return delivered >= seq and group["pending"] == 0


async def test_a_message_is_handled_once_and_its_events_are_in_the_log(kernel: Kernel) -> None:
    seen: list[Envelope] = []

    async def handle(envelope: Envelope, _: AsyncConnection) -> Result:
        seen.append(envelope)
        return Result(appends=(follow_up(envelope),) if envelope.stream_id == "analysis/a" else ())

    [first] = await kernel.journal.append("analysis/a", [requested(1)])
    subscriber = kernel.subscriber()
    subscriber.short(WORKFLOW, CONSUMER, handle)
    async with kernel.carrying():
        await subscriber.start()
        await until(lambda: len(seen) == 2)
        await until(lambda: is_acked(kernel, 2))

    assert seen[0] == first.with_seq(1)
    assert seen[1].causation_id == first.event_id
    assert await kernel.inbox(CONSUMER) == {1: "done", 2: "done"}


async def test_of_messages_that_are_read_together_the_newest_of_each_stream_stands_for_all(kernel: Kernel) -> None:
    seen: list[tuple[str, int]] = []

    async def handle(envelope: Envelope, _: AsyncConnection) -> Result:
        seen.append((envelope.stream_id, envelope.version))
        return Result()

    await kernel.journal.append("analysis/a", [requested(1), requested(2), requested(3)])
    await kernel.journal.append("analysis/b", [requested(4), requested(5)])
    await kernel.carry()
    subscriber = kernel.subscriber()
    subscriber.newest(WORKFLOW, CONSUMER, handle)
    await subscriber.start()
    await until(lambda: is_acked(kernel, 5))

    assert sorted(seen) == [("analysis/a", 3), ("analysis/b", 2)]
    assert await kernel.inbox(CONSUMER) == dict.fromkeys(range(1, 6), "done")


async def test_redelivery_after_the_transport_was_wiped_has_no_second_effect(kernel: Kernel) -> None:
    calls: Counter[int | None] = Counter()

    async def handle(envelope: Envelope, _: AsyncConnection) -> Result:
        calls[envelope.seq] += 1
        return Result()

    await kernel.journal.append("analysis/a", [requested(n) for n in range(20)])
    subscriber = kernel.subscriber()
    subscriber.short(WORKFLOW, CONSUMER, handle)
    async with kernel.carrying():
        await subscriber.start()
        await until(lambda: len(calls) == 20)
        for _ in range(3):
            await kernel.redis.flushall()
            await until(lambda: kernel.redis.exists(WORKFLOW))
        await kernel.journal.append("analysis/a", [requested(99)])
        await until(lambda: len(calls) == 21)
        await until(lambda: is_acked(kernel, 21))

    assert set(calls.values()) == {1}


async def test_a_decision_that_was_overtaken_is_taken_again_on_what_is_then_there(kernel: Kernel) -> None:
    decided: list[int] = []

    async def handle(envelope: Envelope, connection: AsyncConnection) -> Result:
        if envelope.event_type != "repository.processing.requested":
            return Result()
        query = text("SELECT version FROM es.streams WHERE stream_id = 'analysis/a'")
        version: int = (await connection.execute(query)).scalar_one()
        decided.append(version)
        if len(decided) <= 2:  # somebody else is faster, twice
            await kernel.journal.append("analysis/a", [cancel_requested(str(version))])
        draft = caused_by(envelope, "analysis/a", RetryRequested(), ordinal=0, at=AT)
        return Result(appends=(Append("analysis/a", (draft,), expected=version),))

    await kernel.journal.append("analysis/a", [requested(1)])
    subscriber = kernel.subscriber()
    subscriber.short(WORKFLOW, CONSUMER, handle)
    async with kernel.carrying():
        await subscriber.start()
        await until(lambda: is_acked(kernel, 4))

    assert decided == [1, 2, 3]
    assert [e.event_type.rsplit(".", 1)[1] for e in await kernel.journal.read_stream("analysis/a")] == [
        "requested",
        "cancel_requested",
        "cancel_requested",
        "retry_requested",
    ]


async def test_write_appends_and_timers_are_one_transaction_with_the_inbox(kernel: Kernel) -> None:
    await kernel.rows("CREATE TABLE public.effects (id text PRIMARY KEY)")
    timer = Timer(derived_id("timer"), "analysis/a", AT - timedelta(days=1), "retry", {"run": "1"})
    attempts = 0

    async def write(connection: AsyncConnection) -> None:
        await connection.execute(text("INSERT INTO public.effects VALUES ('one')"))

    async def handle(envelope: Envelope, _: AsyncConnection) -> Result:
        nonlocal attempts
        if envelope.event_type != "repository.processing.requested":
            return Result()
        attempts += 1
        expected = 7 if attempts <= 5 else 0  # the first delivery fails as a whole, after it has written
        return Result(appends=(follow_up(envelope, expected=expected),), timers=(timer,), write=write)

    [cause] = await kernel.journal.append("analysis/a", [requested(1)])
    subscriber = kernel.subscriber()
    subscriber.short(WORKFLOW, CONSUMER, handle, idle_seconds=IDLE)
    async with kernel.carrying():
        await subscriber.start()
        await until(lambda: is_acked(kernel, 2))
        assert await kernel.rows("SELECT id FROM public.effects") == [("one",)]
        assert (attempts, await fire_due(kernel.engine), await fire_due(kernel.engine)) == (6, 1, 0)

    [_, fired] = await kernel.journal.read_stream("analysis/a")
    assert (fired.event_type, fired.data["kind"], fired.data["data"]) == ("timer.fired", "retry", {"run": "1"})
    assert (fired.causation_id, fired.correlation_id) == (cause.event_id, cause.correlation_id)


async def test_a_message_whose_handler_always_fails_is_parked_and_the_others_go_on(kernel: Kernel) -> None:
    calls: Counter[str] = Counter()

    async def handle(envelope: Envelope, _: AsyncConnection) -> Result:
        calls[str(envelope.data.get("reason", "good"))] += 1
        if envelope.data.get("reason") == "poison":
            raise RuntimeError("this one never works")
        return Result()

    await kernel.journal.append("analysis/a", [requested(1), cancel_requested("poison"), requested(2)])
    subscriber = kernel.subscriber()
    subscriber.short(WORKFLOW, CONSUMER, handle, on_parked=parked, idle_seconds=IDLE)
    async with kernel.carrying():
        await subscriber.start()
        await until(lambda: is_acked(kernel, 5))

    assert calls == {"good": 2, "poison": 3, "parked after 4": 1}
    assert await kernel.inbox(CONSUMER) == {1: "done", 2: "parked", 3: "done", 5: "done"}
    async with kernel.engine.begin() as connection:
        [letter] = await dead_letters.listed(connection)
        assert await dead_letters.settle(connection, letter.letter_id, "discarded")
        assert not await dead_letters.settle(connection, letter.letter_id, "retried")
        assert await dead_letters.listed(connection) == []
    assert (letter.seq, letter.attempts, b'"poison"' in (letter.payload or b"")) == (2, 4, True)


@pytest.mark.parametrize("damage", ["type = 'from.the.future'", "schema_version = 9", "data = '{\"analysis_id\": 1}'"])
async def test_what_no_class_can_read_is_parked_with_its_bytes(kernel: Kernel, damage: str) -> None:
    seen: list[int | None] = []

    async def handle(envelope: Envelope, _: AsyncConnection) -> Result:
        seen.append(envelope.seq)
        return Result()

    await kernel.journal.append("analysis/a", [requested(1), requested(2)])
    await kernel.rows(f"UPDATE es.events SET {damage} WHERE version = 1")
    subscriber = kernel.subscriber()
    subscriber.short(WORKFLOW, CONSUMER, handle)
    async with kernel.carrying():
        await subscriber.start()
        await until(lambda: is_acked(kernel, 2))

    assert seen == [2]
    assert await kernel.inbox(CONSUMER) == {1: "parked", 2: "done"}
    [(_, stored)] = await kernel.redis.xrange(WORKFLOW, "1-1", "1-1")
    [(payload,)] = await kernel.rows("SELECT payload FROM es.dead_letters")
    assert payload == stored[b"event"]


async def test_a_strangers_entry_stops_nobody(kernel: Kernel) -> None:
    seen: Counter[int | None] = Counter()

    async def handle(envelope: Envelope, _: AsyncConnection) -> Result:
        seen[envelope.seq] += 1
        return Result()

    await kernel.journal.append("analysis/a", [requested(1)])
    subscriber = kernel.subscriber()
    subscriber.short(WORKFLOW, CONSUMER, handle)
    async with kernel.carrying():
        await subscriber.start()
        await until(lambda: seen[1] == 1)
        await kernel.redis.xadd(WORKFLOW, {"hello": "world"})
        await kernel.journal.append("analysis/a", [requested(2)])
        await until(lambda: seen[2] == 1)
        await kernel.redis.set("x", 1)
        await kernel.redis.rename("x", WORKFLOW)  # not even a stream any more
        await kernel.journal.append("analysis/a", [requested(3)])
        await until(lambda: seen[3] == 1)

    assert seen == {1: 1, 2: 1, 3: 1}


async def test_a_batch_is_one_transaction_and_one_bad_event_does_not_spoil_it(kernel: Kernel) -> None:
    sizes: list[int] = []

    async def handle(envelopes: Sequence[Envelope], connection: AsyncConnection) -> Result:
        sizes.append(len(envelopes))
        if any(envelope.data.get("reason") == "poison" for envelope in envelopes):
            raise RuntimeError("this one never works")
        return Result()

    await kernel.journal.append("analysis/a", [requested(n) for n in range(300)])
    await kernel.journal.append("analysis/a", [cancel_requested("poison"), *(requested(n) for n in range(300, 350))])
    await kernel.carry()
    subscriber = kernel.subscriber()
    subscriber.batch(WORKFLOW, CONSUMER, handle, size=100, idle_seconds=IDLE)
    await subscriber.start()
    await until(lambda: is_acked(kernel, 351))

    assert sizes[:3] == [100, 100, 100]
    outcomes = await kernel.inbox(CONSUMER)
    assert [seq for seq, outcome in outcomes.items() if outcome == "parked"] == [301]
    assert len(outcomes) == 351


async def test_what_one_delivery_is_at_another_one_waits_for(kernel: Kernel) -> None:
    calls = 0

    async def handle(_envelope: Envelope, _connection: AsyncConnection) -> Result:
        nonlocal calls
        calls += 1
        await asyncio.sleep(3 * IDLE)  # longer than it takes to be thought dead
        return Result()

    await kernel.journal.append("analysis/a", [requested(1)])
    await kernel.carry()
    for name in ("a", "b"):
        subscriber = kernel.subscriber(name, max_deliveries=99)
        subscriber.short(WORKFLOW, CONSUMER, handle, idle_seconds=IDLE)
        await subscriber.start()
    await until(lambda: is_acked(kernel, 1))

    assert calls == 1


async def test_a_database_that_crashes_is_waited_for(kernel: Kernel, servers: Servers) -> None:
    seen: Counter[int | None] = Counter()

    async def handle(envelope: Envelope, connection: AsyncConnection) -> Result:
        if envelope.seq == 2 and not seen[0]:
            seen[0] += 1
            servers.postgres.kill()
        await connection.execute(text("SELECT 1"))
        seen[envelope.seq] += 1
        return Result(appends=(follow_up(envelope),) if envelope.stream_id == "analysis/a" else ())

    await kernel.journal.append("analysis/a", [requested(n) for n in range(4)])
    await kernel.carry()
    subscriber = kernel.subscriber()
    subscriber.short(WORKFLOW, CONSUMER, handle, slots=1, idle_seconds=IDLE)
    await subscriber.start()
    await until(lambda: seen[0] == 1)
    await asyncio.sleep(1.0)
    servers.postgres.start()
    await until(lambda: is_acked(kernel, 4))

    assert await kernel.inbox(CONSUMER) == {1: "done", 2: "done", 3: "done", 4: "done"}
    assert await kernel.one("SELECT count(*) FROM es.events WHERE stream_id LIKE 'conversation/%'") == 4


async def test_a_decision_that_is_always_overtaken_is_parked_in_the_end(kernel: Kernel) -> None:
    decisions = 0

    async def handle(envelope: Envelope, _: AsyncConnection) -> Result:
        nonlocal decisions
        decisions += 1
        raise WrongExpectedVersion(envelope.stream_id, 1, 2)

    await kernel.journal.append("analysis/a", [requested(1)])
    await kernel.carry()
    subscriber = kernel.subscriber()
    subscriber.short(WORKFLOW, CONSUMER, handle, idle_seconds=IDLE)
    await subscriber.start()
    await until(lambda: is_acked(kernel, 1))

    assert decisions == 15
    assert await kernel.inbox(CONSUMER) == {1: "parked"}
