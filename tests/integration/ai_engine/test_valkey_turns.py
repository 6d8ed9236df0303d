"""Turns over a real Valkey."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from ai_engine.adapters.turns import ValkeyTurns
from ai_engine.ports import Turn
from tests.support.turns_behaviour import ONE, TENANT, TWO, WHAT, TurnsBehaviour


@pytest.fixture
async def turns(redis_url: str) -> AsyncIterator[ValkeyTurns]:
    async with Redis.from_url(redis_url) as redis:
        yield ValkeyTurns(redis)


class TestValkeyTurns(TurnsBehaviour):
    pass


async def test_a_turn_that_is_given_back_or_runs_out_is_the_next_ones(turns: ValkeyTurns) -> None:
    await turns.take(TENANT, WHAT, ONE, 30)
    await turns.give_back(TENANT, WHAT, ONE)
    await asyncio.sleep(0.05)
    given = await turns.take(TENANT, WHAT, TWO, 0.1)
    await asyncio.sleep(0.15)

    assert (given, await turns.take(TENANT, WHAT, ONE, 30)) == (Turn.OWN, Turn.OWN)


async def test_where_nobody_can_be_asked_it_is_everybodys_turn() -> None:
    async with Redis.from_url("redis://127.0.0.1:1") as away:
        turns = ValkeyTurns(away)
        taken = await turns.take(TENANT, WHAT, ONE, 30)
        await turns.end(TENANT, WHAT, ONE)

    assert taken is Turn.OWN
