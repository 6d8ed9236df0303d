"""Rebuilds are done one after the other; what fails is tried for an hour, and keeps no other waiting."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.exc import OperationalError

from events.collection import CollectionRebuild
from events.index import GenerationKind
from rag_manager.ports import VectorsUnavailable
from rag_manager.rebuilding import Rebuilding
from rag_manager.rows import rebuilds
from rag_manager.rows.rebuilds import Rebuild
from runtime.faults import Transient

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
ONE, TWO = UUID(int=1), UUID(int=2)
AWAY = VectorsUnavailable("it is down")
FAULTS = pytest.mark.parametrize("error", [AssertionError("by a bug"), AWAY, Transient("store_unavailable", "Away.")])


def a_rebuild(number: UUID) -> Rebuild:
    """One that was asked for long ago: it waited behind others."""
    told = CollectionRebuild(
        rebuild_id=number,
        generation_id=number,
        analysis_id=number,
        repository_id=number,
        kind=GenerationKind.FULL,
        model="words",
        replace=True,
        state="asked",
        asked_at=LONG_AGO,
    )
    return Rebuild(told, f"c-{number}")


class Unheard:
    """Where wake-ups go that nobody waits for."""

    async def publish(self, _channel: bytes, _message: bytes) -> int:
        return 0


@dataclass
class Books:
    """What waits, how each ends, how long that takes, and what time it is (seconds)."""

    breaks: dict[UUID, Exception] = field(default_factory=dict)
    ended: dict[UUID, str] = field(default_factory=dict)
    begun: dict[UUID, int] = field(default_factory=dict)
    since: dict[UUID, float] = field(default_factory=dict)
    failed: dict[UUID, float] = field(default_factory=dict)
    takes: float = 0.0
    now: float = 0.0
    engine: object = None
    redis: object = field(default_factory=Unheard)

    async def waiting(self, _engine: object) -> list[Rebuild]:
        return [a_rebuild(number) for number in (ONE, TWO) if number not in self.ended]

    async def one(self, _engine: object, rebuild_id: UUID) -> Rebuild:
        return a_rebuild(rebuild_id)

    async def begin(self, _engine: object, rebuild: Rebuild, most: int) -> bool:
        number = rebuild.told.rebuild_id
        self.begun[number] = self.begun.get(number, 0) + 1
        return self.begun[number] <= most

    async def leave(self, _engine: object, rebuild: Rebuild) -> None:
        self.begun[rebuild.told.rebuild_id] = 0

    async def failing(self, _engine: object, rebuild: Rebuild, apart: float) -> float:
        number = rebuild.told.rebuild_id
        if self.now - self.failed.get(number, -apart) >= apart:
            self.since[number] = self.now
        self.failed[number] = self.now
        return self.now - self.since[number]

    async def end(self, _engine: object, rebuild: Rebuild, state: str, message: str | None = None) -> None:
        self.ended[rebuild.told.rebuild_id] = state
        assert message


@pytest.fixture
def books(monkeypatch: pytest.MonkeyPatch) -> Books:
    made = Books()
    for name in ("waiting", "one", "begin", "leave", "failing", "end"):
        monkeypatch.setattr(rebuilds, name, getattr(made, name))
    return made


class Played(Rebuilding):
    """A rebuilding whose work is played."""

    def __init__(self, books: Books) -> None:
        backends: Any = books  # nothing but its engine is asked for
        super().__init__(backends, clock=lambda: books.now)
        self._books = books

    @asynccontextmanager
    async def _alone(self, generation_id: UUID) -> AsyncIterator[bool]:
        yield True

    async def _end(self, rebuild: Rebuild) -> bool:
        self._books.now += self._books.takes
        if (error := self._books.breaks.get(rebuild.told.rebuild_id)) is not None:
            raise error
        self._books.ended[rebuild.told.rebuild_id] = "done"
        return True


@FAULTS
async def test_one_that_fails_keeps_no_other_waiting_and_ends_after_an_hour_of_failing(
    books: Books, error: Exception
) -> None:
    books.breaks[ONE] = error
    rebuilding = Played(books)

    await rebuilding.do_all()
    books.now = 3_599
    await Played(books).do_all()  # by another process
    assert books.ended == {TWO: "done"}, "it was asked for long ago, and has failed for less than an hour"
    books.now = 3_600
    await Played(books).do_all()

    assert books.ended == {ONE: "failed", TWO: "done"}


@FAULTS
async def test_one_whose_attempts_take_more_than_an_hour_is_given_up_too(books: Books, error: Exception) -> None:
    books.breaks, books.takes = {ONE: error, TWO: error}, 4_200
    rebuilding = Played(books)

    await rebuilding.do_all()
    assert books.ended == {}, "each failed once"
    await rebuilding.do_all()

    assert books.ended == {ONE: "failed", TWO: "failed"}


async def test_one_that_nobody_tried_for_long_begins_its_hour_anew(books: Books) -> None:
    books.breaks[ONE] = AWAY
    for books.now in (0, 7_200):
        await Played(books).do_all()

    assert books.ended == {TWO: "done"}


async def test_one_that_comes_through_at_last_is_done(books: Books) -> None:
    books.breaks[ONE] = AWAY
    rebuilding = Played(books)
    await rebuilding.do_all()
    books.now = 3_599
    books.breaks.clear()
    await rebuilding.do_all()

    assert books.ended == {ONE: "done", TWO: "done"}


async def test_one_that_ended_three_processes_is_not_begun_a_fourth_time(books: Books) -> None:
    books.begun[ONE] = 2
    await Played(books).do_all()
    once_alive = books.begun[ONE], books.ended.pop(ONE)
    books.begun[ONE] = 3
    await Played(books).do_all()

    assert once_alive == (0, "done")
    assert books.ended == {ONE: "failed", TWO: "done"}


async def test_a_database_that_is_away_ends_none_of_them(books: Books) -> None:
    books.breaks[ONE] = OperationalError("SELECT", {}, Exception("away"))
    rebuilding = Played(books)

    for books.now in (0, 10_000):
        with pytest.raises(OperationalError):
            await rebuilding.do_all()

    assert books.ended == {}
