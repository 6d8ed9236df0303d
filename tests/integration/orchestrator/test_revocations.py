"""What is revoked stays so, also where Redis is wiped or away; where nobody can say, nothing is changed."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import jwt
import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy.ext.asyncio import create_async_engine

from orchestrator.auth.credentials import Credentials
from orchestrator.auth.issuing import SessionTokens
from orchestrator.auth.revocations import Revocations, Unknown
from orchestrator.auth.revocations_copy import MARK
from runtime.broker import create_quick_redis
from runtime.settings import BrokerSettings
from tests.conftest import Servers
from tests.support.accounts import SignIn, a_person, a_sign_in, bearer, execute
from tests.support.orchestrator import eventually, within_five_seconds

ME = "/api/v1/me"


@pytest.fixture
async def system(
    monkeypatch: pytest.MonkeyPatch, database_url: str, redis_url: str, home: Path
) -> AsyncIterator[SignIn]:
    async with a_sign_in(monkeypatch, database_url=database_url, redis_url=redis_url, home=home) as made:
        yield made


async def two_tokens(system: SignIn) -> tuple[str, str, dict[str, str]]:
    """A token that is going to be revoked, one that is not, and the claims of the first."""
    first, second = [await system.token(await a_person(system.engine)) for _ in range(2)]
    return first, second, jwt.decode(first, options={"verify_signature": False})


@contextmanager
def asked(revocations: Revocations) -> Iterator[list[float]]:
    """When Redis was asked in the block."""
    times: list[float] = []
    ask = revocations._redis.mget

    def noted(*keys: Any, **options: Any) -> Any:
        times.append(time.monotonic())
        return ask(*keys, **options)

    revocations._redis.mget = noted  # type: ignore[method-assign]
    try:
        yield times
    finally:
        revocations._redis.mget = ask  # type: ignore[method-assign]


async def statuses(system: SignIn, *tokens: str) -> list[int]:
    return [(await system.get(ME, token)).status_code for token in tokens]


async def test_a_wiped_redis_lets_nobody_back_in(system: SignIn, redis_url: str) -> None:
    gone, stays, claims = await two_tokens(system)
    assert await statuses(system, gone, stays) == [200, 200]
    await execute(system.engine, "UPDATE auth.sessions SET revoked_at = now() WHERE session_id = :id", id=claims["sid"])
    await within_five_seconds(lambda: system.get(ME, gone), lambda reply: reply.status_code == 401)

    async with Redis.from_url(redis_url) as redis:
        assert await redis.dbsize() > 0
        await redis.flushall()
        after = [await statuses(system, gone, stays) for _ in range(20)]
        await eventually(lambda: redis.exists(MARK), bool)  # filled again, from the database
        after += [await statuses(system, gone, stays) for _ in range(5)]

    assert after == [[401, 200]] * 25


async def test_what_is_revoked_while_redis_is_away_is_revoked_then_and_afterwards(
    system: SignIn, servers: Servers
) -> None:
    gone, stays, claims = await two_tokens(system)
    servers.valkey.stop()
    try:
        with pytest.raises((RedisError, OSError)):
            await create_quick_redis(BrokerSettings()).ping()  # it is away indeed
        before = await statuses(system, gone, stays)
        await system.accounts.tokens.revocations.revoke(uuid4())  # somebody else's: takes, without Redis
        await execute(
            system.engine, "UPDATE auth.sessions SET revoked_at = now() WHERE session_id = :id", id=claims["sid"]
        )
        without = await statuses(system, gone, stays)
        with asked(system.accounts.tokens.revocations) as times:
            began = time.monotonic()
            await statuses(system, *[stays] * 20)
            took = time.monotonic() - began
    finally:
        servers.valkey.start()
    after = []
    until = time.monotonic() + 4  # beyond what is remembered of Redis' absence, and beyond the copy's mark
    while time.monotonic() < until:
        after.append(await statuses(system, gone, stays))
        await asyncio.sleep(0.2)

    assert before == [200, 200]
    assert without == [401, 200]
    assert len(times) <= 1 + took  # an absent Redis is asked once a second, and not waited for
    assert set(map(tuple, after)) == {(401, 200)}


async def test_where_neither_can_say_reading_goes_on_and_nothing_is_changed(system: SignIn) -> None:
    token = await system.token(await a_person(system.engine))
    nowhere = create_async_engine("postgresql+asyncpg://nobody@127.0.0.1:1/nothing")
    blind = Revocations(nowhere, Redis.from_url("redis://127.0.0.1:1/0"))
    with pytest.raises(Unknown):
        await blind.any_revoked(uuid4())
    tokens = SessionTokens(system.accounts.tokens.keys, system.accounts.standings, blind)
    accounts = replace(system.accounts, tokens=tokens)
    system.app.state.services = replace(
        system.app.state.services, accounts=accounts, provider=Credentials(accounts, local=None)
    )

    looks = await system.get(ME, token)
    changes = await system.client.post(f"/api/v1/analyses/{uuid4()}/cancel", headers=bearer(token))
    await nowhere.dispose()

    assert looks.status_code == 200
    assert (changes.status_code, changes.json()["code"]) == (503, "sign_in_unavailable")
    assert int(changes.headers["retry-after"]) > 0


async def test_a_redis_that_hangs_holds_nobody_up(system: SignIn) -> None:
    async def silent(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await asyncio.sleep(30)
        finally:
            writer.close()

    listening = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    redis = Redis.from_url(f"redis://127.0.0.1:{port}/0")
    revocations = Revocations(system.engine, redis)
    with asked(revocations) as times:
        began = time.monotonic()
        answers = [await revocations.any_revoked(uuid4()) for _ in range(5)]
        took = time.monotonic() - began
    listening.close()
    await redis.aclose()

    assert answers == [False] * 5
    assert 1 <= len(times) <= 1 + took
