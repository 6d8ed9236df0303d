"""The relay over real servers: whatever Redis forgets, and whoever else relays, the stream is the feed."""

import asyncio
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from events.catalog import CONSUMERS, WORKFLOW
from events.delivery import inbox, reconciler
from events.log import floors
from events.log.feed import PostgresFeed
from events.log.relay import Place, Relay
from events.log.sequencer import sequence
from events.log.streams import RedisStreams
from events.log.trim import trim
from events.replay.doctor import Limits, examine
from tests.conftest import Servers
from tests.support.delivery import Kernel
from tests.support.kernel import requested, stage_requested

CONSUMER = "orchestrator.workflow"


async def ids(redis: Redis, topic: str = WORKFLOW) -> list[str]:
    return [entry_id.decode() for entry_id, _ in await redis.xrange(topic)]


def another_relay(kernel: Kernel) -> Relay:
    return Relay(PostgresFeed(kernel.engine), RedisStreams(kernel.redis), CONSUMERS)


async def fill(kernel: Kernel, count: int, *, first: int = 0) -> None:
    await kernel.journal.append("analysis/a", [requested(n) for n in range(first, first + count)])
    while await sequence(kernel.engine):
        pass


async def test_an_entry_has_the_id_of_its_place_in_the_feed_on_the_topic_of_its_event(kernel: Kernel) -> None:
    await kernel.journal.append("analysis/a", [requested(1), stage_requested(), requested(2)])
    await kernel.carry()

    assert await ids(kernel.redis) == ["1-1", "1-3"]
    assert await ids(kernel.redis, "stage.parse") == ["1-2"]


async def test_groups_are_there_before_anybody_reads_and_begin_at_the_beginning(kernel: Kernel) -> None:
    await fill(kernel, 3)
    await kernel.carry()

    for topic, names in CONSUMERS.items():
        groups = await kernel.redis.xinfo_groups(topic)
        assert {group["name"].decode() for group in groups} == set(names)
    assert len((await kernel.redis.xreadgroup(CONSUMER, "late", {WORKFLOW: ">"}))[0][1]) == 3


async def test_two_relays_at_once_append_each_entry_once(kernel: Kernel) -> None:
    await fill(kernel, 400)
    relays = [another_relay(kernel) for _ in range(3)]

    async def run(relay: Relay) -> None:
        await relay.step(batch=7)
        while not relay.is_settled:
            await relay.step(batch=7)

    await asyncio.gather(*(run(relay) for relay in relays))

    assert await ids(kernel.redis) == [f"1-{n}" for n in range(1, 401)]


async def test_a_lost_stream_is_rebuilt_from_the_floor_with_its_groups(kernel: Kernel) -> None:
    await fill(kernel, 10)
    await kernel.carry()
    await kernel.rows("UPDATE es.consumers SET floor_seq = 4 WHERE consumer = :c", c=CONSUMER)

    await kernel.redis.flushall()
    await kernel.carry()

    assert await ids(kernel.redis) == [f"1-{n}" for n in range(5, 11)]
    assert len((await kernel.redis.xreadgroup(CONSUMER, "x", {WORKFLOW: ">"}))[0][1]) == 6


async def test_a_stream_that_is_lost_between_look_and_append_is_rebuilt_too(kernel: Kernel) -> None:
    await fill(kernel, 3)
    await kernel.carry()
    await fill(kernel, 3, first=3)
    await kernel.redis.delete(WORKFLOW)

    await kernel.relay.step()  # knows nothing of it
    await kernel.carry()

    assert await ids(kernel.redis) == [f"1-{n}" for n in range(1, 7)]


async def test_a_group_that_is_missing_is_made_again_and_misses_nothing(kernel: Kernel) -> None:
    await fill(kernel, 5)
    await kernel.carry()
    await kernel.redis.xgroup_destroy(WORKFLOW, CONSUMER)

    await kernel.carry()

    assert len((await kernel.redis.xreadgroup(CONSUMER, "x", {WORKFLOW: ">"}))[0][1]) == 5


async def test_a_redis_that_rolled_back_gets_its_last_entries_again(kernel: Kernel) -> None:
    await fill(kernel, 10)
    await kernel.carry()
    # What a crash with a lost second of its journal leaves: fewer entries, and a tip that went back.
    await kernel.redis.xdel(WORKFLOW, "1-8", "1-9", "1-10")
    kept = await kernel.redis.xrange(WORKFLOW)
    await kernel.redis.delete(WORKFLOW)
    await kernel.redis.xgroup_create(WORKFLOW, CONSUMER, "0", mkstream=True)
    for entry_id, fields in kept:
        await kernel.redis.xadd(WORKFLOW, fields, id=entry_id)
    await fill(kernel, 1, first=10)

    await kernel.relay.step()  # believes in the old tip, and is told
    await kernel.relay.step()

    assert await ids(kernel.redis) == [f"1-{n}" for n in range(1, 12)]


async def test_an_idle_relay_notices_a_tip_that_went_back(kernel: Kernel) -> None:
    await fill(kernel, 4)
    await kernel.carry()
    await kernel.redis.flushall()

    await kernel.relay.step()
    assert await ids(kernel.redis) == []  # nothing new in the log: a step alone reads one row
    await kernel.relay.check()
    await kernel.relay.step()

    assert await ids(kernel.redis) == ["1-1", "1-2", "1-3", "1-4"]


async def test_a_redis_that_knows_more_than_the_log_is_not_believed(kernel: Kernel) -> None:
    await fill(kernel, 3)
    await kernel.carry()
    await kernel.redis.xadd(WORKFLOW, {"event": "of a database that is gone"}, id="1-9")

    await kernel.carry()
    await fill(kernel, 1, first=3)
    await kernel.carry()

    assert await ids(kernel.redis) == ["2-1", "2-2", "2-3", "2-4"]
    assert await PostgresFeed(kernel.engine).head() == Place(2, 4)
    assert await ids(kernel.redis, "questions") == []
    assert (await kernel.redis.xinfo_stream("questions"))["last-generated-id"] == b"2-0"


async def test_a_killed_server_is_waited_for_and_nothing_is_missing(kernel: Kernel, servers: Servers) -> None:
    await fill(kernel, 5)
    await kernel.carry()
    servers.valkey.kill()
    await fill(kernel, 5, first=5)
    with pytest.raises(RedisConnectionError):
        await kernel.relay.step()
    servers.valkey.start()

    await kernel.carry()

    assert await ids(kernel.redis) == [f"1-{n}" for n in range(1, 11)]


async def test_the_floor_rises_over_what_is_done_and_the_inbox_is_emptied(kernel: Kernel) -> None:
    await fill(kernel, 6)
    await kernel.carry()
    for seq in (1, 2, 3, 5):
        await kernel.rows("INSERT INTO es.inbox VALUES (:c, :seq, 'done')", c=CONSUMER, seq=seq)

    async with kernel.engine.begin() as connection:
        assert await floors.advance(connection) == {CONSUMER: 3}
    async with kernel.engine.begin() as connection:
        assert await floors.compact(connection) == 3
    assert await kernel.inbox(CONSUMER) == {5: "done"}
    await kernel.rows("INSERT INTO es.inbox VALUES (:c, 4, 'done')", c=CONSUMER)
    async with kernel.engine.begin() as connection:
        assert await floors.advance(connection, reach=1) == {CONSUMER: 4}
        assert await floors.advance(connection) == {CONSUMER: 5}
        assert await floors.advance(connection) == {}


async def test_trimming_takes_what_everybody_is_done_with_and_nothing_else(kernel: Kernel) -> None:
    await fill(kernel, 10)
    await kernel.carry()
    assert await trim(kernel.engine, kernel.redis, CONSUMERS, approximate=False) == 0
    await kernel.rows("UPDATE es.consumers SET floor_seq = 7 WHERE consumer = :c", c=CONSUMER)

    assert await trim(kernel.engine, kernel.redis, CONSUMERS, approximate=False) == 6
    assert await ids(kernel.redis) == ["1-7", "1-8", "1-9", "1-10"]


async def test_what_a_hand_acknowledged_is_revived(kernel: Kernel) -> None:
    await fill(kernel, 3)
    await kernel.carry()
    await kernel.redis.xreadgroup(CONSUMER, "x", {WORKFLOW: ">"}, count=2)
    await kernel.redis.xack(WORKFLOW, CONSUMER, "1-1")

    assert await reconciler.reconcile(kernel.engine, kernel.redis, CONSUMERS, older_than=3_600) == 0
    assert await reconciler.reconcile(kernel.engine, kernel.redis, CONSUMERS, older_than=0) == 1
    assert await reconciler.reconcile(kernel.engine, kernel.redis, CONSUMERS, older_than=0) == 0

    [revived] = await kernel.redis.xpending_range(WORKFLOW, CONSUMER, "-", "+", 9, idle=60_000)
    assert revived["message_id"] == b"1-1"


async def test_what_is_handled_while_the_reconciler_looks_is_not_forgotten(
    kernel: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(kernel, 1)
    await kernel.carry()
    await kernel.redis.xreadgroup(CONSUMER, "x", {WORKFLOW: ">"}, count=1)
    look = kernel.redis.xinfo_groups

    async def look_after_it_was_handled(topic: str) -> Any:
        async with kernel.engine.begin() as connection:
            await inbox.take(connection, CONSUMER, WORKFLOW, [(1, None)])
        await kernel.redis.xack(WORKFLOW, CONSUMER, "1-1")
        return await look(topic)

    monkeypatch.setattr(kernel.redis, "xinfo_groups", look_after_it_was_handled)

    assert await reconciler.reconcile(kernel.engine, kernel.redis, CONSUMERS, older_than=0) == 0


async def test_what_a_hand_deleted_comes_back_with_the_stream(kernel: Kernel) -> None:
    await fill(kernel, 3)
    await kernel.carry()
    await kernel.redis.xreadgroup(CONSUMER, "x", {WORKFLOW: ">"}, count=2)
    await kernel.redis.xack(WORKFLOW, CONSUMER, "1-1")
    await kernel.redis.xdel(WORKFLOW, "1-1")

    assert await reconciler.reconcile(kernel.engine, kernel.redis, CONSUMERS, older_than=0) == 1
    await kernel.carry()

    assert await ids(kernel.redis) == ["1-1", "1-2", "1-3"]


async def test_what_a_hand_deleted_before_anybody_had_it_comes_back_although_nothing_follows(kernel: Kernel) -> None:
    await fill(kernel, 3)
    await kernel.carry()
    await kernel.redis.xreadgroup(CONSUMER, "x", {WORKFLOW: ">"}, count=1)
    assert await reconciler.reconcile(kernel.engine, kernel.redis, CONSUMERS, older_than=0) == 0
    await kernel.redis.xdel(WORKFLOW, "1-3")

    assert await reconciler.reconcile(kernel.engine, kernel.redis, CONSUMERS, older_than=3_600) == 0
    assert await reconciler.reconcile(kernel.engine, kernel.redis, CONSUMERS, older_than=0) == 1
    await kernel.carry()

    assert await ids(kernel.redis) == ["1-1", "1-2", "1-3"]


async def test_the_doctor_finds_a_healthy_kernel_healthy_and_names_what_is_not(kernel: Kernel) -> None:
    limits = Limits(lease=0.0, forgotten_after=0.0, relay_behind=0)
    await fill(kernel, 4)
    await kernel.carry()
    healthy = await examine(kernel.engine, kernel.redis, limits=limits)
    assert [finding for finding in healthy if not finding.ok] == []

    await kernel.redis.xreadgroup(CONSUMER, "x", {WORKFLOW: ">"}, count=2)
    await kernel.redis.xack(WORKFLOW, CONSUMER, "1-1")
    await kernel.redis.xdel(WORKFLOW, "1-3")
    await kernel.rows("UPDATE es.feed SET seq = 9 WHERE seq = 4")
    await kernel.rows("DELETE FROM es.feed WHERE seq = 2")
    await asyncio.sleep(0.01)

    found = await examine(kernel.engine, kernel.redis, limits=limits)
    sick = {finding.name: finding.detail for finding in found if not finding.ok}
    assert all(detail.endswith((".", "discard`")) for detail in sick.values()), "each says what to do"
    assert sick.keys() >= {
        "feed dense",
        "nothing unplaced",
        f"transport of {WORKFLOW}",
        f"pending of {CONSUMER}",
        f"inbox of {CONSUMER}",
    }


async def sick(kernel: Kernel, **limits: float) -> dict[str, str]:
    """What the doctor finds wrong, which says what to do each time."""
    nothing_may_wait = Limits(**{"lease": 0.0, "forgotten_after": 0.0, "outbox_age": 0.0, **limits}, relay_behind=0)
    found = await examine(kernel.engine, kernel.redis, limits=nothing_may_wait)
    wrong = {finding.name: finding.detail for finding in found if not finding.ok}
    assert all(detail.endswith((".", "discard`")) for detail in wrong.values())
    return wrong


@pytest.mark.parametrize(
    ("broken", "found"),
    [
        ("DELETE FROM es.events WHERE stream_id = 'analysis/a' AND version = 2", "versions dense"),
        ("UPDATE es.streams SET version = 4 WHERE stream_id = 'analysis/a'", "versions dense"),
        ("UPDATE es.feed_head SET seq = 4", "feed dense"),
        ("UPDATE es.feed SET seq = 9 WHERE seq = 3", "feed dense"),
        ("DELETE FROM es.feed WHERE seq = 3", "nothing unplaced"),
    ],
)
async def test_the_doctor_names_what_a_hand_did_to_the_log(kernel: Kernel, broken: str, found: str) -> None:
    await fill(kernel, 3)
    await kernel.carry()
    assert await sick(kernel) == {}

    await kernel.rows(broken)

    assert "restore the database from a backup" in (await sick(kernel))[found]


async def test_what_the_doctor_says_helps(kernel: Kernel) -> None:
    await fill(kernel, 3)
    await kernel.carry()
    await kernel.journal.append("analysis/b", [requested(9)])
    assert set(await sick(kernel)) == {"outbox young"}

    await sequence(kernel.engine)  # which an orchestrator does
    assert set(await sick(kernel)) == {f"transport of {WORKFLOW}"}, "it is behind"
    await kernel.carry()
    assert await sick(kernel) == {}

    await kernel.redis.xdel(WORKFLOW, "1-2")
    assert set(await sick(kernel)) == {f"transport of {WORKFLOW}", f"inbox of {CONSUMER}"}
    await kernel.redis.delete(WORKFLOW)  # docs/operating.md
    await kernel.relay.check()
    await kernel.carry()
    assert await sick(kernel) == {}

    await kernel.redis.xreadgroup(CONSUMER, "x", {WORKFLOW: ">"}, count=1)
    await asyncio.sleep(0.01)
    assert set(await sick(kernel)) == {f"pending of {CONSUMER}"}
    await kernel.redis.xack(WORKFLOW, CONSUMER, "1-1")
    assert set(await sick(kernel)) == {f"inbox of {CONSUMER}"}
    await reconciler.reconcile(kernel.engine, kernel.redis, CONSUMERS, older_than=0)
    assert set(await sick(kernel)) == {f"pending of {CONSUMER}"}, "whoever takes it over is next"
