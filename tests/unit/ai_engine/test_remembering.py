"""Whose turn it is to ask for an answer, and who waits for it."""

import asyncio
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from ai_engine.ports import Found
from ai_engine.remembering import Remembering, Wanted
from events.delivery.long import LeasedRun
from events.question import QuestionAnswered
from runtime.faults import Cancelled, Transient
from tests.fakes.turns import MemoryTurns
from tests.support.delivery import until

ANSWER = QuestionAnswered.model_construct(question_id=UUID(int=9), answer="There.")
FOUND = Found(ANSWER, datetime(2026, 1, 1, tzinfo=UTC))
TENANT, ANOTHER, WHAT = UUID(int=7), UUID(int=8), "ab" * 32


class Log:
    """What is recorded, and how often it was looked for."""

    def __init__(self, found: Found | None = None) -> None:
        self.found = found
        self.looks = 0

    async def find(self, _tenant_id: UUID, _generation_id: UUID, _fingerprint: str) -> Found | None:
        self.looks += 1
        return self.found


def a_run(*, stop: bool = False) -> LeasedRun:
    return LeasedRun("w", uuid4(), asked_to_stop=stop)


def wanted() -> Wanted:
    return Wanted(TENANT, UUID(int=1), uuid4(), WHAT)


def taken_by_another() -> MemoryTurns:
    turns = MemoryTurns()
    turns.of[TENANT, WHAT] = ANOTHER
    return turns


@pytest.mark.parametrize("of", [{}, {(TENANT, WHAT): ANOTHER}])
async def test_what_is_there_is_offered_at_once_whose_turn_it_may_be(of: dict[tuple[UUID, str], UUID]) -> None:
    log, turns = Log(FOUND), MemoryTurns()
    turns.of.update(of)

    async with Remembering(log, turns).offered(wanted(), a_run(), 10.0) as offer:
        assert offer.found == FOUND

    assert (log.looks, turns.of) == (1, of)


async def test_what_is_not_there_is_looked_for_once() -> None:
    log = Log()

    async with Remembering(log, MemoryTurns()).offered(wanted(), a_run(), 10.0) as offer:
        assert offer.found is None

    assert log.looks == 1


async def test_nothing_is_looked_for_where_nothing_is_wanted() -> None:
    log = Log(FOUND)

    async with Remembering(log, MemoryTurns()).offered(None, a_run(), 10.0) as offer:
        assert offer.found is None

    assert log.looks == 0


async def test_whose_turn_it_is_keeps_it_until_the_answer_must_be_recorded() -> None:
    turns = MemoryTurns()

    async with Remembering(Log(), turns).offered(wanted(), a_run(), 10.0) as offer:
        assert (offer.found, turns.said) == (None, [])
        offer.is_kept = True

    assert turns.said == ["ended"]


async def test_an_answer_that_is_offered_to_nobody_lets_all_who_wait_ask_side_by_side() -> None:
    turns, inside = MemoryTurns(), asyncio.Barrier(3)
    remembering = Remembering(Log(), turns)

    async def ask() -> None:
        async with remembering.offered(wanted(), a_run(), 10.0):
            await inside.wait()

    async with remembering.offered(wanted(), a_run(), 10.0):  # the first model is down, and another one answers
        waiting = [asyncio.create_task(ask()) for _ in range(3)]
        await until(lambda: remembering._waiting == 3)
    async with asyncio.timeout(5):
        await asyncio.gather(*waiting)

    assert turns.said == ["opened"]


async def test_who_fails_lets_the_next_one_ask_at_once() -> None:
    turns = MemoryTurns()

    with pytest.raises(Transient):
        async with Remembering(Log(), turns).offered(wanted(), a_run(), 10.0):
            raise Transient("model_unavailable", "It is away.")

    assert turns.said == ["given back"]


async def test_who_waits_is_given_the_others_answer() -> None:
    log, turns = Log(), MemoryTurns()
    remembering, asking, ready = Remembering(log, turns), asyncio.Event(), asyncio.Event()

    async def ask() -> None:
        async with remembering.offered(wanted(), a_run(), 10.0) as offer:
            asking.set()
            await ready.wait()
            log.found, offer.is_kept = FOUND, True

    async def wait() -> Found | None:
        async with remembering.offered(wanted(), a_run(), 10.0) as offer:
            return offer.found

    first = asyncio.create_task(ask())
    await asking.wait()
    second = asyncio.create_task(wait())
    await asyncio.sleep(0.05)
    assert not second.done()
    ready.set()
    await first

    assert (await second, log.looks) == (FOUND, 1 + 2), "while another one asks nobody looks"


async def test_who_waited_for_half_the_time_asks_as_well_and_leaves_the_turn_whose_it_is() -> None:
    turns = taken_by_another()

    async with Remembering(Log(), turns).offered(wanted(), a_run(), 0.1) as offer:
        assert offer.found is None
        offer.is_kept = True

    assert (turns.of, turns.said) == ({(TENANT, WHAT): ANOTHER}, [])


async def test_four_wait_in_one_process_and_whoever_comes_then_asks_as_well() -> None:
    turns, asked = taken_by_another(), 0
    remembering = Remembering(Log(), turns)

    async def ask() -> None:
        nonlocal asked
        async with remembering.offered(wanted(), a_run(), 1_000.0):
            asked += 1

    asking = [asyncio.create_task(ask()) for _ in range(6)]
    await until(lambda: asked + remembering._waiting == 6)
    before = asked
    turns.of.clear()
    async with asyncio.timeout(5):
        await asyncio.gather(*asking)

    assert (before, asked) == (2, 6)


async def test_who_waits_can_be_stopped() -> None:
    with pytest.raises(Cancelled):
        async with Remembering(Log(), taken_by_another()).offered(wanted(), a_run(stop=True), 10.0):
            pass
