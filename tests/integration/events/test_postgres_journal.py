import asyncio
from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncEngine

from events.log.journal import WrongExpectedVersion
from events.log.postgres import PostgresJournal, append_in
from events.log.sequencer import sequence
from runtime.database import create_engine
from runtime.settings import DatabaseSettings
from tests.support.journal_behaviour import JournalBehaviour
from tests.support.kernel import requested


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(DatabaseSettings(url=SecretStr(database_url)), application="test")
    yield engine
    await engine.dispose()


@pytest.fixture
def journal(engine: AsyncEngine) -> PostgresJournal:
    return PostgresJournal(engine)


class TestPostgresJournal(JournalBehaviour):
    @pytest.fixture(autouse=True)
    def _engine(self, engine: AsyncEngine) -> None:
        self.engine = engine

    async def settle(self) -> None:
        while await sequence(self.engine):
            pass


async def test_of_many_racers_for_one_version_exactly_one_wins(journal: PostgresJournal) -> None:
    await journal.append("analysis/a", [requested(0)], expected=0)

    outcomes = await asyncio.gather(
        *(journal.append("analysis/a", [requested(n)], expected=1) for n in range(1, 51)), return_exceptions=True
    )

    assert sum(not isinstance(outcome, BaseException) for outcome in outcomes) == 1
    assert all(isinstance(o, list | WrongExpectedVersion) for o in outcomes)
    assert len(await journal.read_stream("analysis/a")) == 2


async def test_of_many_racers_for_a_new_stream_exactly_one_wins(journal: PostgresJournal) -> None:
    outcomes = await asyncio.gather(
        *(journal.append("analysis/new", [requested(n)], expected=0) for n in range(50)), return_exceptions=True
    )

    assert sum(not isinstance(outcome, BaseException) for outcome in outcomes) == 1
    assert len(await journal.read_stream("analysis/new")) == 1


async def test_racers_with_the_same_event_all_succeed_and_it_is_there_once(journal: PostgresJournal) -> None:
    draft = requested(1)

    outcomes = await asyncio.gather(*(journal.append("analysis/a", [draft], expected=0) for _ in range(30)))

    assert {envelope.version for [envelope] in outcomes} == {1}
    assert len(await journal.read_stream("analysis/a")) == 1


async def test_appends_without_an_expected_version_never_collide(journal: PostgresJournal) -> None:
    await asyncio.gather(*(journal.append("analysis/a", [requested(n)]) for n in range(60)))

    assert [e.version for e in await journal.read_stream("analysis/a")] == list(range(1, 61))


async def test_a_conflict_leaves_the_callers_transaction_usable(engine: AsyncEngine, journal: PostgresJournal) -> None:
    await journal.append("analysis/a", [requested(0)])

    async with engine.begin() as connection:
        with pytest.raises(WrongExpectedVersion):
            await append_in(connection, "analysis/a", [requested(1)], expected=0)
        await append_in(connection, "analysis/b", [requested(2)], expected=0)

    assert len(await journal.read_stream("analysis/a")) == 1
    assert len(await journal.read_stream("analysis/b")) == 1


async def test_a_rolled_back_append_leaves_no_hole_in_the_feed(engine: AsyncEngine, journal: PostgresJournal) -> None:
    async with engine.connect() as connection:
        await append_in(connection, "analysis/lost", [requested(1)])
        await connection.rollback()
    await journal.append("analysis/kept", [requested(2)])

    await sequence(engine)

    assert [(e.seq, e.stream_id) for e in await journal.read_feed(after=0, limit=9)] == [(1, "analysis/kept")]


async def test_the_sequencer_moves_no_more_than_its_batch(engine: AsyncEngine, journal: PostgresJournal) -> None:
    await journal.append("analysis/a", [requested(n) for n in range(25)])

    assert [await sequence(engine, batch=10) for _ in range(4)] == [10, 10, 5, 0]


async def test_many_sequencers_at_once_keep_the_feed_dense(engine: AsyncEngine, journal: PostgresJournal) -> None:
    await asyncio.gather(*(journal.append(f"analysis/{n}", [requested(n)]) for n in range(40)))

    moved = await asyncio.gather(*(sequence(engine, batch=7) for _ in range(12)))

    assert sum(moved) == 40
    assert [e.seq for e in await journal.read_feed(after=0, limit=99)] == list(range(1, 41))
