"""A repository says which of its analyses searches and questions go to."""

from datetime import timedelta
from functools import partial
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncEngine

from events import processing as facts
from events.base import LOCAL_TENANT, Context, Draft, Event
from events.index import GenerationKind, IndexActivated
from events.log.postgres import PostgresJournal
from events.log.sequencer import sequence
from events.processing import FaultKind, Stage
from events.repository import RepositoryRegistered
from orchestrator.adapters.readmodels import ReadModels
from orchestrator.projections.beside import rebuild_beside
from orchestrator.projections.overview import Overview
from orchestrator.projections.runner import catch_up
from runtime.tenancy import TenantDatabase
from tests.integration.orchestrator.test_read_models import completed, engine
from tests.support.analyses import NOON

__all__ = ["engine"]  # a fixture
URL = "https://github.com/a/b"


async def tell(engine: AsyncEngine, repository: UUID, stream_id: str, *events: Event, minute: int) -> None:
    context = Context(tenant_id=LOCAL_TENANT, correlation_id=uuid4(), repository_id=repository)
    at = NOON + timedelta(minutes=minute)
    drafts = [Draft(event_id=uuid4(), occurred_at=at, context=context, event=event) for event in events]
    await PostgresJournal(engine).append(stream_id, drafts)
    await sequence(engine)
    await catch_up(engine, PostgresJournal(engine), Overview())


def activated(analysis_id: UUID, kind: GenerationKind) -> Event:
    return IndexActivated(analysis_id=analysis_id, generation_id=uuid4(), kind=kind, chunks=1)


async def test_an_earlier_analysis_serves_until_searches_go_to_the_newest_whatever_else_of_that_still_runs(
    engine: AsyncEngine,
) -> None:
    repository, read, seen = uuid4(), ReadModels(TenantDatabase(engine)), []
    registered = RepositoryRegistered(url=URL, host="github.com", name="a/b")
    await tell(engine, repository, f"repository/{repository}", registered, minute=0)
    ready = facts.ProcessingCompleted(commit="c", totals={}, skipped={}, failed={}, duration=1.0)
    failed = facts.ProcessingFailed(stage=Stage.CLONE, kind=FaultKind.PERMANENT, code="x", message="x")
    ids = [uuid4() for _ in range(3)]
    words, quick, full = (partial(activated, kind=kind) for kind in GenerationKind)
    told: list[tuple[int, tuple[Event, ...]]] = [
        (0, ()),
        (0, (*completed(ids[0], Stage.INDEX, 0, ()), words(ids[0]))),
        (0, (quick(ids[0]), ready)),
        (1, (failed,)),
        (2, completed(ids[2], Stage.INDEX, 0, ())),  # of words alone it takes no place of one with vectors
        (2, (quick(ids[2]),)),  # history still runs: it is not ready
        (0, (full(ids[0]),)),  # somebody went back, to another analysis
        (2, (ready, full(ids[2]))),
        (2, (facts.AnalysisDeleted(),)),
    ]
    begun = set[int]()
    for minute, (which, said) in enumerate(told, 1):
        if which not in begun:
            begun.add(which)
            asked = facts.ProcessingRequested(analysis_id=ids[which], url=URL)
            await tell(engine, repository, f"analysis/{ids[which]}", asked, minute=minute)
        if said:
            await tell(engine, repository, f"analysis/{ids[which]}", *said, minute=minute)
        found = await read.repository(LOCAL_TENANT, repository)
        assert found is not None
        seen.append(found.serving and ids.index(found.serving))

    assert seen == [None, 0, 0, 0, 0, 2, 0, 2, None]
    rebuilt = await rebuild_beside(engine, PostgresJournal(engine), Overview())
    assert rebuilt.agrees
