"""States of long analyses are kept beside the log: the same as folded, sealed, of one code alone, gone with theirs."""

import asyncio
import zlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import cast
from uuid import UUID

import asyncpg
import pytest
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from events.base import Draft, Envelope, Subject
from events.catalog import UnknownEvent, decode
from events.log import snapshots as table
from events.log.keyring import erase_stream, erase_subject
from events.log.postgres import PostgresJournal
from events.log.wake import Wake
from events.replay.history import fold
from orchestrator.adapters import snapshots
from orchestrator.adapters.inspection import At, Inspection
from orchestrator.adapters.journals import Journals
from orchestrator.adapters.readmodels import ReadModels
from orchestrator.adapters.repository_pasts import RepositoryPasts
from orchestrator.adapters.snapshots import KeptPasts, Snapshots, decided_on
from orchestrator.projections.pasts import fold_of
from orchestrator.workflow import replay
from runtime.database import create_engine
from runtime.sealing import fresh_key
from runtime.settings import DatabaseSettings
from runtime.tenancy import DatabaseRole, TenantDatabase
from tests.support import histories

EVENTS = histories.load("whole").events
STREAM, TENANT, REPOSITORY = EVENTS[0].stream_id, EVENTS[0].tenant_id, EVENTS[0].repository_id
URL = str(EVENTS[0].data["url"])
EVERY = 10
HOW = fold_of(STREAM)
NOBODY = cast("Wake", None)  # nothing is appended by whoever looks


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshots, "EVERY", EVERY)


@pytest.fixture(params=["sealed", "open"])
def _secret(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "sealed":
        monkeypatch.setenv("REPOSTREAM_SECRET_KEY", fresh_key())


@pytest.fixture
async def engines(database_url: str, _secret: None) -> AsyncIterator[tuple[AsyncEngine, AsyncEngine]]:
    """The background's, and that of requests, each as its role; with one analysis, as its read model has it."""
    settings = DatabaseSettings(url=SecretStr(database_url))
    roles = (DatabaseRole.BACKGROUND, DatabaseRole.REQUESTS)
    made = [create_engine(settings, application="test", role=role) for role in roles]
    await _record(made[0], EVENTS)
    yield made[0], made[1]
    for engine in made:
        await engine.dispose()


async def _record(engine: AsyncEngine, events: Sequence[Envelope]) -> None:
    await PostgresJournal(engine).append(events[0].stream_id, [_draft(one) for one in events])
    statement = """
        INSERT INTO app.analyses (analysis_id, tenant_id, repository_id, state, version, requested_at, record)
        VALUES (CAST(split_part(:stream, '/', 2) AS uuid), :tenant, :repository, 'refined', :version, now(), '{}')
    """
    whose = {"tenant": events[0].tenant_id, "repository": events[0].repository_id}
    async with engine.begin() as connection:
        await connection.execute(text(statement), whose | {"stream": events[0].stream_id, "version": len(events)})


def _draft(one: Envelope) -> Draft:
    context = one.context.model_copy(update={"causation_id": one.causation_id})
    return Draft(event_id=one.event_id, occurred_at=one.timestamp, context=context, event=decode(one), stage=one.stage)


async def _keep_all(engine: AsyncEngine) -> None:
    keeper = Snapshots(engine)
    while await keeper.keep_next():
        pass


async def _keep_first(engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep one state of each fold, after which more are due."""
    with monkeypatch.context() as patch:
        patch.setattr(snapshots, "EVERY", 3 * EVERY)
        await _keep_all(engine)
    assert [row[:2] for row in await _rows(engine)] == [("past", 3 * EVERY), ("workflow", 3 * EVERY)]


async def _rows(engine: AsyncEngine) -> Sequence[tuple[str, int, bool, bytes]]:
    async with engine.connect() as connection:
        found = await connection.execute(text("SELECT fold, version, is_sealed, state FROM es.snapshots ORDER BY 1, 2"))
        return [(row.fold, row.version, row.is_sealed, bytes(row.state)) for row in found]


async def test_each_look_and_decision_goes_on_from_the_nearest_state(engines: tuple[AsyncEngine, AsyncEngine]) -> None:
    engine, requests = engines
    await _keep_all(engine)
    rows, pasts = TenantDatabase(requests), KeptPasts(TenantDatabase(requests))
    last = len(EVENTS) // EVERY * EVERY

    kept = [(fold_name, version) for fold_name, version, *_ in await _rows(engine)]
    assert kept == [*(("past", at) for at in range(EVERY, last + 1, EVERY)), ("workflow", last)]
    inspection = Inspection(Journals(rows, NOBODY), RepositoryPasts(ReadModels(rows).streams_of), pasts)
    for version, against in ((len(EVENTS), len(EVENTS) - 1), (EVERY, EVERY - 1), (last, 1), (3, last), (0, 0)):
        found = await inspection.look(TENANT, STREAM, At(version=version, against=against))
        assert found is not None
        for at, shown in ((version, found.after), (against, found.before)):
            state = fold(EVENTS, HOW.evolve, HOW.initial(), to=at)
            assert shown == HOW.shown(state), at
    for event in EVENTS:
        there = next((one.version - 1 for one in EVENTS if one.timestamp > event.timestamp), len(EVENTS))
        assert await pasts.version_at(TENANT, STREAM, event.timestamp) == there
    assert (await pasts.newest(TENANT, STREAM), await pasts.newest(UUID(int=9), STREAM)) == (len(EVENTS), 0)
    assert await pasts.before(UUID(int=9), STREAM, last) is None  # another tenant's
    async with engine.connect() as connection:
        assert await decided_on(connection, STREAM) == (replay(EVENTS[:last]), last)


async def test_a_state_of_other_code_is_never_read_and_goes_after_a_day(
    engines: tuple[AsyncEngine, AsyncEngine], database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, requests = engines
    await _keep_first(engine, monkeypatch)
    mine = await _rows(engine)
    monkeypatch.setattr(snapshots, "code", lambda: "of another release")

    assert await KeptPasts(TenantDatabase(requests)).before(TENANT, STREAM, len(EVENTS)) is None
    async with engine.connect() as connection:
        assert await decided_on(connection, STREAM) is None
    await _keep_all(engine)
    theirs = len(EVENTS) // EVERY + 1
    assert len(await _rows(engine)) == len(mine) + theirs  # the other release may still run
    owner = await asyncpg.connect(database_url)
    day = "UPDATE es.snapshots SET made_at = made_at - interval '25 hours' WHERE code <> 'of another release'"
    await owner.execute(day)
    await owner.close()
    await _keep_all(engine)
    assert len(await _rows(engine)) == theirs


async def test_what_is_damaged_is_folded_from_the_log_and_made_again(
    engines: tuple[AsyncEngine, AsyncEngine], database_url: str
) -> None:
    engine, requests = engines
    await _keep_all(engine)
    owner = await asyncpg.connect(database_url)
    await owner.execute("UPDATE es.snapshots SET state = set_byte(state, 20, 255 - get_byte(state, 20))")
    await owner.execute("DELETE FROM es.snapshots WHERE version = (SELECT max(version) FROM es.snapshots)")
    await owner.close()

    assert await KeptPasts(TenantDatabase(requests)).before(TENANT, STREAM, len(EVENTS)) is None
    async with engine.connect() as connection:
        assert await decided_on(connection, STREAM) is None
    await _keep_all(engine)
    found = await KeptPasts(TenantDatabase(requests)).before(TENANT, STREAM, len(EVENTS))
    last = len(EVENTS) // EVERY * EVERY
    assert found == (last, fold(EVENTS, HOW.evolve, HOW.initial(), to=last))


@pytest.mark.parametrize("damaged", ["past", "workflow"])
async def test_each_state_that_is_damaged_alone_is_made_again(
    engines: tuple[AsyncEngine, AsyncEngine], database_url: str, monkeypatch: pytest.MonkeyPatch, damaged: str
) -> None:
    engine, requests = engines
    await _keep_first(engine, monkeypatch)
    owner = await asyncpg.connect(database_url)
    damage = "UPDATE es.snapshots SET state = set_byte(state, 20, 255 - get_byte(state, 20)) WHERE fold = $1"
    assert await owner.execute(damage, damaged) == "UPDATE 1"
    await owner.close()
    await _keep_all(engine)

    last = len(EVENTS) // EVERY * EVERY
    found = await KeptPasts(TenantDatabase(requests)).before(TENANT, STREAM, len(EVENTS))
    assert found == (last, fold(EVENTS, HOW.evolve, HOW.initial(), to=last))
    async with engine.connect() as connection:
        assert await decided_on(connection, STREAM) == (replay(EVENTS[:last]), last)


async def test_a_state_that_this_code_cannot_fold_is_left_out_and_the_other_goes_on(
    engines: tuple[AsyncEngine, AsyncEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, _ = engines
    decided = snapshots._FOLDS["workflow"]

    def fails_at_the_eighth(state: object, envelope: Envelope) -> object:
        if envelope.version == 8:
            raise UnknownEvent("of a later release")
        return decided.evolve(state, envelope)

    folds = dict(snapshots._FOLDS) | {"workflow": replace(decided, evolve=fails_at_the_eighth)}
    monkeypatch.setattr(snapshots, "_FOLDS", folds)
    monkeypatch.setattr(snapshots, "EVERY", 5)
    keeper = Snapshots(engine)
    assert [await keeper.keep_next() for _ in range(3)] == [True, True, False]

    kept = [(name, version) for name, version, *_ in await _rows(engine)]
    assert kept == [*(("past", at) for at in range(5, len(EVENTS), 5)), ("workflow", 5)]


async def test_it_is_sealed_and_goes_with_what_is_private_in_its_stream(
    engines: tuple[AsyncEngine, AsyncEngine], request: pytest.FixtureRequest
) -> None:
    engine, requests = engines
    await _keep_all(engine)
    is_sealed = "[sealed]" in request.node.name
    for _, _, sealed, state in await _rows(engine):
        assert sealed == is_sealed
        assert sealed != _has_url(state)

    async with engine.begin() as connection:
        await erase_subject(connection, Subject.USER, REPOSITORY)
    assert await _rows(engine)
    archive = "UPDATE es.streams SET archived_at = {} WHERE stream_id = :stream"
    async with engine.begin() as connection:
        await connection.execute(text(archive.format("now()")), {"stream": STREAM})
        await erase_stream(connection, STREAM)
    assert await _rows(engine) == []
    assert not await Snapshots(engine).keep_next()  # it is deleted
    async with engine.begin() as connection:
        await connection.execute(text(archive.format("NULL")), {"stream": STREAM})
    await _keep_all(engine)
    assert await _rows(engine)
    async with engine.begin() as connection:
        await erase_subject(connection, Subject.REPOSITORY, REPOSITORY)
        gone = "INSERT INTO app.deleted_repositories VALUES (:id, :tenant, now())"
        await connection.execute(text(gone), {"id": REPOSITORY, "tenant": TENANT})
    assert await _rows(engine) == []
    assert not await Snapshots(engine).keep_next()  # nothing of what is deleted
    assert await KeptPasts(TenantDatabase(requests)).before(TENANT, STREAM, len(EVENTS)) is None


def _has_url(state: bytes) -> bool:
    try:
        return URL.encode() in zlib.decompress(state)
    except zlib.error:
        return False


async def test_what_was_recorded_without_a_secret_key_is_kept_and_what_cannot_be_holds_nobody_up(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, other = DatabaseSettings(url=SecretStr(database_url)), histories.load("upload").events
    assert other[0].repository_id != REPOSITORY
    engine = create_engine(settings, application="test", role=DatabaseRole.BACKGROUND)
    await _record(engine, other)
    await _record(engine, EVENTS)  # asked for last, and so the first in turn
    async with engine.begin() as connection:
        await erase_subject(connection, Subject.REPOSITORY, REPOSITORY)
    await engine.dispose()
    monkeypatch.setenv("REPOSTREAM_SECRET_KEY", fresh_key())
    engine = create_engine(settings, application="test", role=DatabaseRole.BACKGROUND)
    keeper = Snapshots(engine)

    assert [await keeper.keep_next() for _ in range(3)] == [True, True, False]
    assert {is_sealed for _, _, is_sealed, _ in await _rows(engine)} == {True}
    async with engine.connect() as connection:
        assert await decided_on(connection, STREAM) is None
        last = len(other) // EVERY * EVERY
        assert await decided_on(connection, other[0].stream_id) == (replay(other[:last]), last)
    await engine.dispose()


async def test_erasing_waits_for_whoever_keeps_a_state_and_takes_that_too(
    engines: tuple[AsyncEngine, AsyncEngine],
) -> None:
    engine, _ = engines

    async def erase() -> None:
        async with engine.begin() as connection:
            await erase_subject(connection, Subject.TENANT, TENANT)

    async with engine.begin() as keeping:
        assert await table.hold(keeping)
        assert not await Snapshots(engine).keep_next()  # one process at a time
        erasing = asyncio.create_task(erase())
        place, whose = table.Place(STREAM, "past", "code"), table.Whose(TENANT, cast("UUID", REPOSITORY))
        assert await table.keep(keeping, place, 1, b"state", whose)
        await asyncio.sleep(0.2)
        assert not erasing.done()
    await erasing

    assert await _rows(engine) == []
