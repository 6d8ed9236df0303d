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

ANSWER = QuestionAnswered.model_construct(question_id=UUID(int=9), answer="There.")
FOUND = Found(ANSWER, datetime(2026, 1, 1, tzinfo=UTC))
TENANT = UUID(int=7)


class Log:
    """What is recorded, and how often it was looked for."""

    def __init__(self, found: Found | None = None) -> None:
        self.found = found
        self.looks = 0

    async def find(self, _tenant_id: UUID, _generation_id: UUID, _fingerprint: str) -> Found | None:
        self.looks += 1
        return self.found


class Turns:
    """The turn of one question."""

    def __init__(self) -> None:
        self.of: UUID | None = None
        self.said: list[str] = []

    async def take(self, _tenant_id: UUID, _fingerprint: str, question_id: UUID, _seconds: float) -> bool:
        self.of = self.of or question_id
        return self.of == question_id

    async def give_back(self, _tenant_id: UUID, _fingerprint: str) -> None:
        self.of = None
        self.said.append("given back")

    async def end(self, _tenant_id: UUID, _fingerprint: str) -> None:
        self.said.append("ended")


def a_run(*, stop: bool = False) -> LeasedRun:
    return LeasedRun("w", uuid4(), asked_to_stop=stop)


def wanted() -> Wanted:
    return Wanted(TENANT, UUID(int=1), uuid4(), "ab" * 32)


async def test_what_is_there_is_offered_and_nobody_takes_a_turn() -> None:
    log, turns = Log(FOUND), Turns()

    async with Remembering(log, turns).offered(wanted(), a_run(), 10.0) as found:
        assert found == FOUND

    assert (log.looks, turns.of, turns.said) == (1, None, [])


async def test_nothing_is_looked_for_where_nothing_is_wanted() -> None:
    log = Log(FOUND)

    async with Remembering(log, Turns()).offered(None, a_run(), 10.0) as found:
        assert found is None

    assert log.looks == 0


async def test_whose_turn_it_is_keeps_it_until_the_answer_must_be_recorded() -> None:
    turns = Turns()

    async with Remembering(Log(), turns).offered(wanted(), a_run(), 10.0) as found:
        assert (found, turns.said) == (None, [])

    assert turns.said == ["ended"]


async def test_who_fails_lets_the_next_one_ask_at_once() -> None:
    turns = Turns()

    with pytest.raises(Transient):
        async with Remembering(Log(), turns).offered(wanted(), a_run(), 10.0):
            raise Transient("model_unavailable", "It is away.")

    assert turns.said == ["given back"]


async def test_who_waits_is_given_the_others_answer() -> None:
    log, turns = Log(), Turns()
    remembering, asking, ready = Remembering(log, turns), asyncio.Event(), asyncio.Event()

    async def ask() -> None:
        async with remembering.offered(wanted(), a_run(), 10.0):
            asking.set()
            await ready.wait()
            log.found = FOUND

    async def wait() -> Found | None:
        async with remembering.offered(wanted(), a_run(), 10.0) as found:
            return found

    first = asyncio.create_task(ask())
    await asking.wait()
    second = asyncio.create_task(wait())
    await asyncio.sleep(0.05)
    assert not second.done()
    ready.set()
    await first

    assert await second == FOUND


async def test_who_waited_for_half_the_time_asks_as_well() -> None:
    turns = Turns()
    turns.of = uuid4()

    async with Remembering(Log(), turns).offered(wanted(), a_run(), 0.1) as found:
        assert found is None


async def test_who_waits_can_be_stopped() -> None:
    turns = Turns()
    turns.of = uuid4()

    with pytest.raises(Cancelled):
        async with Remembering(Log(), turns).offered(wanted(), a_run(stop=True), 10.0):
            pass
