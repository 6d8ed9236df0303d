"""The copy of what is revoked is sent what is newer, by one task; no request fills it, and nothing slips by it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from orchestrator.auth import revocations_copy
from orchestrator.auth.revocations import Revocations, revoke_in
from orchestrator.auth.revocations_copy import KEPT, MARK, PREFIX
from orchestrator.auth.sessions import Sessions
from tests.conftest import Servers
from tests.support.accounts import a_person
from tests.support.orchestrator import async_url, eventually

_MANY = 1_200  # more than one round trip's
UPTO = f"{PREFIX}upto"


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    made = create_async_engine(async_url(database_url))
    yield made
    await made.dispose()


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    async with Redis.from_url(redis_url) as made:
        yield made


async def write(engine: AsyncEngine, *ids: UUID) -> None:
    """Revoke as another process does that ends before it tells Redis."""
    async with engine.begin() as connection:
        await revoke_in(connection, ids)


async def sets(redis: Redis) -> int:
    """How many keys were written since Redis began."""
    found: dict[str, Any] = await redis.info("commandstats")
    return int(found.get("cmdstat_set", {}).get("calls", 0))


async def sent(redis: Redis, revocations: Revocations) -> int:
    """How many keys one fill writes, besides how far it goes and the mark."""
    before = await sets(redis)
    await revocations.fill()
    return await sets(redis) - before - 2


async def test_only_what_is_newer_is_sent_and_no_request_sends_anything(engine: AsyncEngine, redis: Redis) -> None:
    revocations = Revocations(engine, redis, clock=lambda: 0.0)  # however long it takes here
    many = [uuid4() for _ in range(_MANY)]
    await write(engine, *many)
    assert await sent(redis, revocations) == _MANY + 1  # and the claim on an empty copy
    fresh = uuid4()
    await write(engine, fresh)
    await redis.persist(MARK)

    assert not await revocations.any_revoked(fresh)  # nobody told, and the copy is believed for some seconds
    assert await sent(redis, revocations) == 1
    assert await sent(redis, revocations) == 0
    await redis.delete(MARK)
    before = await sets(redis)
    answers = [await revocations.any_revoked(each) for each in (many[0], many[-1], fresh, uuid4())]

    assert answers == [True, True, True, False]  # PostgreSQL was asked
    assert await sets(redis) == before
    assert await redis.pttl(MARK) == -2


async def test_a_revocation_that_is_committed_late_is_sent_though_later_ones_were_before_it(
    engine: AsyncEngine, redis: Redis
) -> None:
    revocations = Revocations(engine, redis)
    late, later = uuid4(), uuid4()
    async with engine.connect() as slow:
        await slow.begin()
        await revoke_in(slow, [late])
        await write(engine, later)
        await revocations.fill()
        await redis.delete(f"{PREFIX}{later}")
        await slow.commit()
    await revocations.fill()

    assert await redis.exists(f"{PREFIX}{late}", f"{PREFIX}{later}") == 2
    assert await sent(redis, revocations) == 0


async def test_a_session_that_anybody_ends_is_a_revocation(engine: AsyncEngine, redis: Redis) -> None:
    sessions, person = Sessions(engine), await a_person(engine)
    await sessions.begin(person.user_id, person.tenant_id, "", "")
    [session] = await sessions.of(person.user_id)
    await Revocations(engine, redis).fill()
    await sessions.revoke(session.session_id)
    async with engine.connect() as connection:
        left = await connection.scalar(text("SELECT extract(epoch FROM until - now()) FROM auth.revocations"))

    assert await sent(redis, Revocations(engine, redis)) == 1
    assert await redis.exists(f"{PREFIX}{session.session_id}")
    assert KEPT - 30 < float(left) <= KEPT


def _flush(_mine: Revocations) -> Callable[[Redis], Any]:
    return lambda redis: redis.flushall()


def _fill_elsewhere(_mine: Revocations) -> Callable[[Redis], Any]:
    async def fill(redis: Redis) -> None:
        await redis.delete(UPTO)
        await redis.set(UPTO, b"by another", px=5_000)

    return fill


@pytest.mark.parametrize("meanwhile", [_flush, _fill_elsewhere], ids=["emptied", "another process fills it"])
@pytest.mark.parametrize("empty", [True, False], ids=["an empty copy", "a copy that goes on"])
async def test_what_is_lost_while_it_is_filled_is_not_believed(
    engine: AsyncEngine, redis: Redis, monkeypatch: pytest.MonkeyPatch, meanwhile: Any, empty: bool
) -> None:
    revocations, gone = Revocations(engine, redis), uuid4()
    await write(engine, gone)
    if not empty:
        await revocations.fill()
        await redis.delete(MARK)
    send = revocations_copy.Copy._send
    fired = []

    async def and_then(self: revocations_copy.Copy, ids: list[UUID]) -> None:
        await send(self, ids)
        await meanwhile(revocations)(redis)
        fired.append(ids)

    with monkeypatch.context() as fault:
        fault.setattr(revocations_copy.Copy, "_send", and_then)
        await revocations.fill()
    assert len(fired) == 1
    assert not await redis.exists(MARK)
    assert await revocations.any_revoked(gone)

    await redis.delete(UPTO)  # whoever held it is done
    await revocations.fill()
    assert await redis.exists(MARK, f"{PREFIX}{gone}") == 2


async def test_what_took_too_long_to_be_believed_is_not_sent_again(engine: AsyncEngine, redis: Redis) -> None:
    gone, hours = uuid4(), iter([0.0, 4.0])  # when PostgreSQL was read, and when all was sent
    await write(engine, gone)
    await Revocations(engine, redis, clock=lambda: next(hours)).fill()
    assert await redis.exists(f"{PREFIX}{gone}")
    assert not await redis.exists(MARK)

    assert await sent(redis, Revocations(engine, redis, clock=lambda: 0.0)) == 0
    assert await redis.exists(MARK)


async def test_a_database_that_was_set_back_is_copied_anew(engine: AsyncEngine, redis: Redis) -> None:
    revocations, gone = Revocations(engine, redis), uuid4()
    await redis.set(UPTO, 2**62)
    await redis.set(MARK, b"1")
    await write(engine, gone)
    await revocations.fill()
    assert not await redis.exists(MARK)
    await revocations.fill()

    assert await redis.exists(MARK, f"{PREFIX}{gone}") == 2


async def test_the_task_goes_on_after_an_outage_and_what_was_revoked_in_it_is_honoured_by_every_process(
    engine: AsyncEngine, redis: Redis, servers: Servers
) -> None:
    one, other = Revocations(engine, redis), Revocations(engine, Redis.from_url(servers.valkey.url))
    await other.fill()
    task = asyncio.create_task(one.run())
    try:
        await eventually(lambda: redis.exists(MARK), bool)
        servers.valkey.kill()
        during = uuid4()
        with pytest.raises((RedisError, OSError)):
            await redis.ping()
        await one.revoke(during)
        assert [await each.any_revoked(during) for each in (one, other)] == [True, True]
        servers.valkey.start()
        assert await one.any_revoked(during)
        await eventually(lambda: other.any_revoked(during), bool, seconds=5)
        await eventually(lambda: _has(redis, during), bool)
        assert [await each.any_revoked(during) for each in (one, other)] == [True, True]
        assert not await other.any_revoked(uuid4())
        await eventually(_untold(one), lambda count: count == 0)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        servers.valkey.start()
        await other._redis.aclose()


async def _has(redis: Redis, revoked: UUID) -> bool:
    try:
        return await redis.exists(MARK, f"{PREFIX}{revoked}") == 2
    except (RedisError, OSError):
        return False


def _untold(revocations: Revocations) -> Callable[[], Any]:
    async def count() -> int:
        return len(revocations._untold)

    return count


async def test_what_is_over_is_removed(engine: AsyncEngine, redis: Redis) -> None:
    over, lasting = uuid4(), uuid4()
    await write(engine, over, lasting)
    async with engine.begin() as connection:
        await connection.execute(
            text("UPDATE auth.revocations SET until = now() - interval '1 second' WHERE id = :id"), {"id": over}
        )
    task = asyncio.create_task(Revocations(engine, redis).run())

    async def ids() -> list[UUID]:
        async with engine.connect() as connection:
            return list(await connection.scalars(text("SELECT id FROM auth.revocations")))

    await eventually(ids, lambda found: found == [lasting])
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
