"""Refresh tokens go once they are evidence of nothing; until then, and for the rest of the grant, reuse is noticed."""

from collections.abc import AsyncIterator
from hashlib import sha256
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from orchestrator.auth.identity import READ
from orchestrator.auth.old_grants import forget_old
from orchestrator.auth.refresh import ABSOLUTE_DAYS, RefreshTokens, Verdict
from tests.support.accounts import Person, a_person, execute
from tests.support.orchestrator import async_url

SCOPES = frozenset({READ})


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    made = create_async_engine(async_url(database_url))
    yield made
    await made.dispose()


async def days_pass(engine: AsyncEngine, days: int, family: UUID | None = None) -> None:
    """Everything that was, was so many days earlier; tokens live on, as those of a grant in use do."""
    await execute(
        engine,
        "UPDATE auth.refresh_tokens SET created_at = created_at - CAST(:days AS int) * interval '1 day',"
        " used_at = CASE WHEN used_at > 'epoch' THEN used_at - CAST(:days AS int) * interval '1 day' ELSE used_at END,"
        " revoked_at = revoked_at - CAST(:days AS int) * interval '1 day'"
        " WHERE CAST(:family AS uuid) IS NULL OR family_id = :family",
        days=days,
        family=family,
    )


async def a_grant(engine: AsyncEngine, turns: int) -> tuple[Person, UUID, list[str]]:
    """A grant that was refreshed `turns` times: its person, its id, its tokens from the first to the living one."""
    person = await a_person(engine)
    tokens = RefreshTokens(engine)
    secret, family = await tokens.begin(person.user_id, person.tenant_id, SCOPES)
    secrets = [secret]
    for _ in range(turns):
        found = await tokens.exchange(secrets[-1])
        assert found.verdict is Verdict.GOOD
        secrets.append(found.secret)
    return person, family, secrets


async def kept(engine: AsyncEngine, secrets: list[str]) -> list[int]:
    """Which of the tokens are still there, by their place."""
    async with engine.connect() as connection:
        rows = {bytes(row) for row in await connection.scalars(text("SELECT token_hash FROM auth.refresh_tokens"))}
    return [place for place, secret in enumerate(secrets) if sha256(secret.encode()).digest() in rows]


async def test_used_tokens_go_a_month_after_their_use_and_a_younger_one_still_ends_the_grant(
    engine: AsyncEngine,
) -> None:
    _, _, secrets = await a_grant(engine, 3)
    await days_pass(engine, 29)
    assert await forget_old(engine) == 0
    tokens = RefreshTokens(engine)
    secrets.append((await tokens.exchange(secrets[-1])).secret)
    await days_pass(engine, 2)

    assert await forget_old(engine) == 2
    assert await kept(engine, secrets) == [0, 3, 4]  # the first one says when it began
    assert (await tokens.look(secrets[1])).verdict is Verdict.UNKNOWN
    assert (await tokens.look(secrets[4])).verdict is Verdict.GOOD
    assert (await tokens.exchange(secrets[3])).verdict is Verdict.REUSED
    assert (await tokens.exchange(secrets[4])).verdict is Verdict.UNKNOWN  # it ended all


async def test_a_grant_ends_at_its_absolute_end_whatever_went_before(engine: AsyncEngine) -> None:
    person, family, secrets = await a_grant(engine, 2)
    await days_pass(engine, ABSOLUTE_DAYS - 1)
    await forget_old(engine)
    tokens = RefreshTokens(engine)
    secrets.append((await tokens.exchange(secrets[-1])).secret)
    async with engine.connect() as connection:
        left = await connection.scalar(text("SELECT max(expires_at) FROM auth.refresh_tokens WHERE used_at IS NULL"))
        began = await connection.scalar(text("SELECT min(created_at) FROM auth.refresh_tokens"))
    [listed] = await tokens.of(person.user_id, person.tenant_id)

    assert await kept(engine, secrets) == [0, 2, 3]
    assert (left - began).days == ABSOLUTE_DAYS
    assert (listed.family_id, listed.began_at) == (family, began)


async def test_a_token_that_was_replaced_stays_as_long_as_one_that_was_used(engine: AsyncEngine) -> None:
    _, _, secrets = await a_grant(engine, 0)
    tokens = RefreshTokens(engine)
    lost, got = [(await tokens.exchange(secrets[0])).secret for _ in range(2)]
    secrets += [lost, got]
    await days_pass(engine, 29)
    assert await forget_old(engine) == 0
    await days_pass(engine, 2)

    assert await forget_old(engine) == 1
    assert await kept(engine, secrets) == [0, 2]


async def test_a_grant_that_was_over_for_a_month_goes_as_a_whole_and_others_stay(engine: AsyncEngine) -> None:
    _, ended, over = await a_grant(engine, 2)
    _, idle, forgotten = await a_grant(engine, 1)
    _, _, living = await a_grant(engine, 1)
    await RefreshTokens(engine).end_by(over[-1])
    await days_pass(engine, 31, ended)
    await execute(
        engine, "UPDATE auth.refresh_tokens SET expires_at = now() - interval '31 days' WHERE family_id = :id", id=idle
    )

    assert await forget_old(engine) == 5
    assert [await kept(engine, each) for each in (over, forgotten, living)] == [[], [], [0, 1]]
