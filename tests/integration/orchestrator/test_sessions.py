"""Sessions on a real PostgreSQL: found by their secret alone, until they are over, idle, revoked or suspended."""

import hashlib
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from events.base import LOCAL_TENANT, LOCAL_USER
from orchestrator.auth.sessions import Sessions
from tests.support.orchestrator import async_url


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_async_engine(async_url(database_url))
    yield engine
    await engine.dispose()


async def _change(engine: AsyncEngine, statement: str) -> None:
    async with engine.begin() as connection:
        done = await connection.execute(text(statement))
        assert done.rowcount == 1


async def test_a_session_is_found_by_its_secret_and_the_database_has_only_the_hash(engine: AsyncEngine) -> None:
    sessions = Sessions(engine)
    secret = await sessions.begin(LOCAL_USER, LOCAL_TENANT, "203.0.113.7", "Mozilla/5.0")

    found = await sessions.find(secret)

    assert found is not None
    assert (found.user_id, found.tenant_id, found.address, found.agent) == (
        LOCAL_USER,
        LOCAL_TENANT,
        "203.0.113.7",
        "Mozilla/5.0",
    )
    assert len(secret) == 43
    assert found.expires_at - found.created_at == sessions.life
    assert await sessions.by_id(found.session_id) == found
    async with engine.connect() as connection:
        row = (await connection.execute(text("SELECT s::text, secret_hash FROM auth.sessions s"))).one()
    assert secret not in row[0]
    assert row[1] == hashlib.sha256(secret.encode()).digest()


@pytest.mark.parametrize("secret", ["", "x" * 43, "x" * 257, "\ud800", "a\x00b", "ü" * 43])
async def test_what_is_no_secret_of_ours_finds_nothing(engine: AsyncEngine, secret: str) -> None:
    sessions = Sessions(engine)
    await sessions.begin(LOCAL_USER, LOCAL_TENANT, "", "")

    assert await sessions.find(secret) is None


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE auth.sessions SET expires_at = now() - interval '1 second'",
        "UPDATE auth.sessions SET seen_at = now() - interval '25 hours'",
        "UPDATE auth.sessions SET revoked_at = now()",
        "UPDATE auth.users SET suspended_at = now()",
        "UPDATE auth.users SET deleted_at = now()",
    ],
)
async def test_a_session_that_is_over_lets_nobody_in(engine: AsyncEngine, change: str) -> None:
    sessions = Sessions(engine)
    secret = await sessions.begin(LOCAL_USER, LOCAL_TENANT, "", "")
    session = await sessions.find(secret)
    assert session is not None

    await _change(engine, change)

    assert await sessions.find(secret) is None
    assert await sessions.by_id(session.session_id) is None
    assert await sessions.of(LOCAL_USER) == []


async def test_use_keeps_a_session_awake_to_the_minute_and_asking_by_id_does_not(engine: AsyncEngine) -> None:
    sessions = Sessions(engine, idle=timedelta(minutes=5))
    secret = await sessions.begin(LOCAL_USER, LOCAL_TENANT, "", "")
    first = await sessions.find(secret)
    assert first is not None
    assert await sessions.find(secret) == first  # within the minute nothing is written

    await _change(engine, "UPDATE auth.sessions SET seen_at = now() - interval '4 minutes'")
    by_id = await sessions.by_id(first.session_id)
    assert by_id is not None
    assert by_id.seen_at < first.seen_at
    await sessions.find(secret)
    awake = await sessions.by_id(first.session_id)

    assert awake is not None
    assert awake.seen_at > first.seen_at


async def test_one_session_is_revoked_and_the_others_stay(engine: AsyncEngine) -> None:
    sessions = Sessions(engine)
    first, second = [await sessions.begin(LOCAL_USER, LOCAL_TENANT, "", f"agent {n}\x00\n") for n in range(2)]
    found = await sessions.find(first)
    assert found is not None
    assert [session.agent for session in await sessions.of(LOCAL_USER)] == ["agent 1", "agent 0"]

    assert await sessions.revoke(found.session_id)

    assert await sessions.find(first) is None
    assert await sessions.find(second) is not None
    assert [session.agent for session in await sessions.of(LOCAL_USER)] == ["agent 1"]
    assert not await sessions.revoke(found.session_id)
