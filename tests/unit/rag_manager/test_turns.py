"""Who lets whom pass."""

import asyncio

import pytest

from rag_manager.jobs.base import Turns, Urgency


async def _passes(turns: Turns, urgency: Urgency) -> bool:
    """Whether work of this urgency goes on at once."""
    task = asyncio.create_task(turns.give_way(urgency))
    await asyncio.sleep(0.01)
    passed = task.done()
    task.cancel()
    return passed


async def test_the_less_urgent_waits_and_the_more_urgent_and_its_equals_do_not() -> None:
    turns = Turns()
    with turns.working(Urgency.ANSWERABLE):
        assert [await _passes(turns, urgency) for urgency in Urgency] == [True, True, False, False]


async def test_it_goes_on_when_the_last_of_the_urgent_is_done() -> None:
    turns = Turns()
    with turns.working(Urgency.QUESTION):
        with turns.working(Urgency.READY):
            waiting = asyncio.create_task(turns.give_way(Urgency.REFINED))
            await asyncio.sleep(0)
        await asyncio.sleep(0.01)
        assert not waiting.done()
    await asyncio.wait_for(waiting, 0.5)


async def test_all_that_wait_are_woken() -> None:
    turns = Turns()
    with turns.working(Urgency.QUESTION):
        waiting = [asyncio.create_task(turns.give_way(Urgency.REFINED)) for _ in range(3)]
        await asyncio.sleep(0.01)
    await asyncio.wait_for(asyncio.gather(*waiting), 0.5)


async def test_work_that_fails_no_longer_counts() -> None:
    turns = Turns()
    with pytest.raises(ValueError, match="failed"), turns.working(Urgency.QUESTION):
        raise ValueError("failed")
    assert await _passes(turns, Urgency.REFINED)
