"""The pump over real servers: many at once, outages, timers, tidying."""

import asyncio
import sys
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import asyncpg
import pytest

import migrations
from events.catalog import CONSUMERS, WORKFLOW
from events.delivery import janitor
from events.delivery.pump import Pace, Pump
from events.delivery.timers import set_timers
from events.delivery.work import Timer
from events.log.feed import feed_head
from events.log.postgres import PostgresJournal
from events.log.wake import Wake
from tests.conftest import Servers
from tests.support.delivery import Kernel, until
from tests.support.kernel import a_context, requested


async def relayed(kernel: Kernel) -> int:
    return int(await kernel.redis.xlen(WORKFLOW))


async def test_many_pumps_at_once_carry_each_event_once(kernel: Kernel) -> None:
    pumps = [Pump(kernel.engine, kernel.redis) for _ in range(3)]
    for pump in pumps:
        await pump.start()
    await asyncio.gather(*(kernel.journal.append(f"analysis/{n}", [requested(n)]) for n in range(60)))
    await until(lambda: _is(relayed(kernel), 60))
    for pump in pumps:
        await pump.stop()

    ids = [entry_id.decode() for entry_id, _ in await kernel.redis.xrange(WORKFLOW)]
    assert ids == [f"1-{n}" for n in range(1, 61)]


async def _is(work: object, expected: object) -> bool:
    return bool(await work == expected)  # type: ignore[misc]


async def test_a_pump_outlives_both_servers(kernel: Kernel, servers: Servers) -> None:
    pump = Pump(kernel.engine, kernel.redis)
    await pump.start()
    await kernel.journal.append("analysis/a", [requested(1)])
    await until(lambda: _is(relayed(kernel), 1))

    servers.valkey.kill()
    await kernel.journal.append("analysis/a", [requested(2)])
    await until(lambda: _is(feed_head(kernel.engine), 2))  # the feed grows without the transport
    servers.valkey.start()
    await until(lambda: _is(relayed(kernel), 2))
    servers.postgres.kill()
    await asyncio.sleep(0.5)
    servers.postgres.start()
    await kernel.engine.dispose()
    await kernel.journal.append("analysis/a", [requested(3)])
    await until(lambda: _is(relayed(kernel), 3))
    await until(lambda: max(pump.ages()[part] for part in ("sequencer", "relay", "timers", "floors")) < 5)
    await pump.stop()


async def test_a_wake_up_is_faster_than_a_poll_and_a_poll_is_enough(kernel: Kernel) -> None:
    pace = Pace(sequencer=20.0, relay=20.0)
    pump = Pump(kernel.engine, kernel.redis, pace=pace)
    await pump.start()
    await until(lambda: kernel.redis.pubsub_numsub("es.wake"))
    await until(lambda: pump.ages().get("relay") is not None)
    journal = PostgresJournal(kernel.engine, Wake(kernel.redis))
    deadline = asyncio.get_running_loop().time() + 15
    number = 0
    while await relayed(kernel) == 0:  # the subscription may need a moment: say it again until it is heard
        number += 1
        await journal.append("analysis/a", [requested(number)])
        await asyncio.sleep(0.2)
        assert asyncio.get_running_loop().time() < deadline, "nobody heard the wake-up"
    await pump.stop()

    silent = Pump(kernel.engine, kernel.redis, pace=Pace(sequencer=0.05, relay=0.05))
    await silent.start()
    await kernel.journal.append("analysis/b", [requested(0)])  # without a wake-up
    await until(lambda: _is(relayed(kernel), number + 1))
    await silent.stop()


async def test_a_timer_fires_once_when_it_is_due_however_many_look(kernel: Kernel) -> None:
    await kernel.journal.append("analysis/a", [requested(1)])
    now = datetime.now(UTC)
    due = Timer(uuid4(), "analysis/a", now - timedelta(seconds=1), "retry", {"attempt": 2})
    later = Timer(uuid4(), "analysis/a", now + timedelta(hours=1), "retry")
    async with kernel.engine.begin() as connection:
        await set_timers(connection, [due, later], a_context())
        await set_timers(connection, [due], a_context())
    pumps = [Pump(kernel.engine, kernel.redis) for _ in range(3)]
    for pump in pumps:
        await pump.start()
    await until(lambda: _is(feed_head(kernel.engine), 2))
    await asyncio.sleep(0.6)
    for pump in pumps:
        await pump.stop()

    [_, fired] = await kernel.journal.read_stream("analysis/a")
    assert fired.data == {"timer_id": str(due.timer_id), "kind": "retry", "data": {"attempt": 2}}
    assert await kernel.one("SELECT timer_id FROM es.timers") == later.timer_id


async def test_the_pump_keeps_the_books_short(kernel: Kernel) -> None:
    pump = Pump(kernel.engine, kernel.redis, pace=Pace(floors=0.05, trim=0.1))
    await pump.start()
    await kernel.journal.append("analysis/a", [requested(n) for n in range(600)])
    await until(lambda: _is(relayed(kernel), 600))
    await kernel.rows("INSERT INTO es.inbox SELECT 'orchestrator.workflow', seq, 'done' FROM es.feed")

    await until(lambda: _is(kernel.one("SELECT count(*) FROM es.inbox"), 0))
    assert await kernel.one("SELECT floor_seq FROM es.consumers WHERE consumer = 'orchestrator.workflow'") == 600
    await until(lambda: _fewer(kernel, 600))
    await pump.stop()


async def _fewer(kernel: Kernel, than: int) -> bool:
    return await relayed(kernel) < than


async def test_the_janitor_drops_the_idle_and_never_one_that_holds_something(kernel: Kernel) -> None:
    await kernel.journal.append("analysis/a", [requested(1)])
    await kernel.carry()
    await kernel.redis.xreadgroup("orchestrator.workflow", "holding", {WORKFLOW: ">"})
    await kernel.redis.xgroup_createconsumer(WORKFLOW, "orchestrator.workflow", "gone")
    await asyncio.sleep(0.05)

    assert await janitor.tidy(kernel.engine, kernel.redis, CONSUMERS, idle_ms=60_000) == 0
    assert await janitor.tidy(kernel.engine, kernel.redis, CONSUMERS, idle_ms=10) == 1
    [left] = await kernel.redis.xinfo_consumers(WORKFLOW, "orchestrator.workflow")
    assert left["name"] == b"holding"


async def test_migrating_twice_and_at_once_does_it_once(servers: Servers) -> None:
    name = f"migrating_{uuid4().hex[:8]}"
    admin = await asyncpg.connect(servers.postgres.start())
    await admin.execute(f"CREATE DATABASE {name}")
    url = servers.postgres.url.rsplit("/", 1)[0] + f"/{name}"
    try:
        command = "import sys, migrations; migrations.upgrade(sys.argv[1])"
        racers = [await asyncio.create_subprocess_exec(sys.executable, "-c", command, url) for _ in range(2)]
        assert [await racer.wait() for racer in racers] == [0, 0]
        migrations.upgrade(url)
        connection = await asyncpg.connect(url)
        assert await connection.fetchval("SELECT count(*) FROM es.migrations") == 1
        assert await connection.fetchval("SELECT seq FROM es.feed_head") == 0
        await connection.close()
    finally:
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await admin.close()


async def test_a_migration_that_fails_says_so_to_whoever_asked() -> None:
    with pytest.raises(OSError, match=r"refused|Connect"):
        migrations.upgrade("postgresql://nobody:x@127.0.0.1:9/none")
