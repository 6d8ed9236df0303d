"""Counting in a real Valkey: exactly what is allowed goes through, with it and without it."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis

from orchestrator.adapters import rates
from orchestrator.adapters.leases import Full, Leases
from orchestrator.adapters.rates import Charge, Rates
from orchestrator.limits.rules import Resource, Rule, Subject
from runtime.broker import create_quick_redis
from runtime.settings import BrokerSettings
from tests.conftest import Servers
from tests.support.orchestrator import eventually

USER = Rule(Resource.REQUESTS, Subject.USER, 100, 3_600)
TENANT = Rule(Resource.REQUESTS, Subject.TENANT, 150, 3_600)
STREAMS = Rule(Resource.STREAMS, Subject.USER, 5)


@pytest.fixture
async def quick(redis_url: str) -> AsyncIterator[Redis]:
    redis = create_quick_redis(BrokerSettings(url=SecretStr(redis_url)))
    yield redis
    await redis.aclose()


def ask(user: str, tenant: str, cost: int = 1) -> list[Charge]:
    return [Charge(USER, user, cost), Charge(TENANT, tenant, cost)]


async def let_through(counting: Rates, charges: Sequence[Charge]) -> bool:
    return all(standing.wait is None for standing in await counting.take(charges))


async def test_exactly_the_allowed_number_of_many_at_once_goes_through(quick: Redis) -> None:
    two_processes = Rates(quick), Rates(quick)

    passed = await asyncio.gather(*(let_through(two_processes[n % 2], ask("u", "t")) for n in range(1_000)))

    assert sum(passed) == 100
    assert not any(counting.local for counting in two_processes)


async def test_what_a_user_is_refused_is_not_held_against_the_tenant(quick: Redis) -> None:
    counting = Rates(quick)

    loud = [await let_through(counting, ask("loud", "t")) for _ in range(400)]
    quiet = [await let_through(counting, ask("quiet", "t")) for _ in range(60)]
    other = [await let_through(counting, ask("somebody", "other")) for _ in range(100)]

    assert (sum(loud), sum(quiet), sum(other)) == (100, 50, 100)


async def test_a_refusal_names_the_rule_and_takes_nothing(quick: Redis) -> None:
    counting = Rates(quick)
    await counting.take(ask("u", "t", cost=90))

    [refused] = await counting.take(ask("u", "t", cost=11))
    user, tenant = await counting.take(ask("u", "t", cost=10))

    assert refused.rule is USER
    assert refused.wait is not None
    assert 0 < refused.wait <= 7_200
    assert (user.remaining, tenant.remaining) == (0, 50)


async def test_what_was_used_already_counts_however_much_it_is(quick: Redis) -> None:
    counting = Rates(quick)
    moved = Rule(Resource.BYTES, Subject.USER, 1_000, 3_600)

    [before] = await counting.take([Charge(moved, "u", cost=0, owed=900)])
    [over] = await counting.take([Charge(moved, "u", cost=0, owed=5_000)])
    [after] = await counting.take([Charge(moved, "u", cost=0)])

    assert (before.wait, before.remaining) == (None, 100)
    assert over.wait is not None
    assert after.wait is not None


async def test_a_window_that_is_over_lets_through_again(quick: Redis) -> None:
    counting, rule = Rates(quick), Rule(Resource.REQUESTS, Subject.USER, 3, 2)

    passed = 0
    while await let_through(counting, [Charge(rule, "u")]):  # more than three only where that takes seconds
        passed += 1
    [refused] = await counting.take([Charge(rule, "u")])
    assert passed >= 3
    assert refused.wait in {1, 2, 3, 4}
    await asyncio.sleep(refused.wait)
    assert await let_through(counting, [Charge(rule, "u")])


async def test_without_valkey_each_process_lets_through_no_more_than_the_rule_and_returns_when_it_is_back(
    quick: Redis, servers: Servers
) -> None:
    counting = Rates(quick)
    before = [await let_through(counting, ask("before", "t1")) for _ in range(30)]
    servers.valkey.kill()

    without = await asyncio.gather(*(let_through(counting, ask("u", "t2")) for _ in range(1_000)))
    assert counting.local
    assert sum(without) == 100

    servers.valkey.start()
    await eventually(lambda: let_through(counting, ask("another", "t4")), lambda _: not counting.local)
    after = [await let_through(counting, ask("later", "t3")) for _ in range(130)]
    assert not counting.local
    assert (sum(before), sum(after)) == (30, 100)


async def test_connections_that_were_idle_while_valkey_was_away_are_no_second_outage(
    quick: Redis, servers: Servers
) -> None:
    counting = Rates(quick)
    await asyncio.gather(*(quick.blpop(["nothing"], timeout=0.2) for _ in range(12)))  # twelve connections, now idle
    assert quick.connection_pool.get_connection_count()[0][0] == 12
    servers.valkey.kill()
    servers.valkey.start()

    told = []
    for each in range(12):  # each on a connection of its own
        held = [asyncio.create_task(quick.blpop(["nothing"], timeout=0.2)) for _ in range(each)]
        await counting.take(ask("u", "t"))
        told.append(counting.local)
        await asyncio.gather(*held)
    assert not any(told)


async def test_a_valkey_that_says_nothing_holds_up_one_request_at_a_time(
    quick: Redis, servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    counting = Rates(quick)
    await counting.take(ask("u", "t"))
    process = servers.valkey._process
    assert process is not None
    process.send_signal(19)  # SIGSTOP
    try:
        await counting.take(ask("u", "t"))
        assert counting.local
        attempts, attempt, began = 0, counting._attempt, time.monotonic()

        async def counted(charges: Sequence[Charge]) -> object:
            nonlocal attempts
            attempts += 1
            return await attempt(charges)

        monkeypatch.setattr(counting, "_attempt", counted)
        for _ in range(50):
            await counting.take(ask("u", "t"))
        took = time.monotonic() - began
    finally:
        process.send_signal(18)  # SIGCONT
    assert attempts <= took / rates.PAUSE  # none, unless the machine stands still for that long


async def opened(counting: Leases, user: str, until: asyncio.Event) -> bool:
    try:
        end = await counting.begin([(STREAMS, user)])
    except Full:
        return False
    await until.wait()
    await end()
    return True


async def refusals(tasks: list[asyncio.Task[bool]], number: int) -> None:
    """Wait until `number` of them ended, which none does that was let through."""
    waiting = set(tasks)
    while len(tasks) - len(waiting) < number:
        _, waiting = await asyncio.wait(waiting, timeout=10, return_when=asyncio.FIRST_COMPLETED)


async def test_as_many_streams_as_allowed_are_open_at_once_over_all_processes(quick: Redis) -> None:
    processes, ends = (Leases(quick), Leases(quick)), asyncio.Event()
    tasks = [asyncio.create_task(opened(processes[n % 2], "u", ends)) for n in range(20)]
    other = asyncio.create_task(opened(processes[0], "other", ends))
    await refusals(tasks, 15)
    ends.set()

    assert sum(await asyncio.gather(*tasks)) == 5
    assert await other
    assert await opened(processes[1], "u", ends)
    assert await quick.keys("limits:open/*") == []


async def test_leases_of_a_process_that_died_expire_and_those_of_one_that_lives_do_not(quick: Redis) -> None:
    dead, living, ends = Leases(quick, 3.0), Leases(quick, 3.0), asyncio.Event()
    keeping = asyncio.create_task(living.keep())
    began = time.monotonic()
    tasks = [asyncio.create_task(opened(dead, "dead", ends)) for _ in range(5)]
    tasks += [asyncio.create_task(opened(living, "living", ends)) for _ in range(5)]
    ended = asyncio.Event()
    ended.set()
    for user in ("dead", "living"):
        await eventually(lambda user=user: quick.zcard(f"limits:open/user/{user}"), lambda number: number == 5)  # type: ignore[misc]  # bound now

    is_full = not await opened(living, "dead", ended)
    assert is_full or time.monotonic() - began > 3.0

    await eventually(lambda: opened(living, "dead", ended), bool)

    assert not await opened(living, "living", ended)
    keeping.cancel()
    ends.set()
    assert all(await asyncio.gather(*tasks))


async def test_streams_are_counted_without_valkey_and_told_to_it_when_it_is_back(
    quick: Redis, servers: Servers
) -> None:
    counting, ends, ended = Leases(quick, 1.0), asyncio.Event(), asyncio.Event()
    ended.set()
    servers.valkey.kill()
    tasks = [asyncio.create_task(opened(counting, "u", ends)) for _ in range(9)]
    await refusals(tasks, 4)
    assert not await opened(counting, "u", ended)

    servers.valkey.start()
    keeping = asyncio.create_task(counting.keep())
    elsewhere = Leases(quick, 1.0)
    await eventually(lambda: opened(elsewhere, "u", ended), lambda was_let_in: not was_let_in)  # once it is renewed
    keeping.cancel()
    ends.set()
    assert sum(await asyncio.gather(*tasks)) == 5
    assert await opened(elsewhere, "u", ended)
