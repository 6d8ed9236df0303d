"""A repository says which of its analyses searches and questions go to."""

from datetime import timedelta
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncEngine

from events import processing as facts
from events.base import LOCAL_TENANT, Context, Draft, Event
from events.log.postgres import PostgresJournal
from events.log.sequencer import sequence
from events.processing import FaultKind, Stage
from events.repository import RepositoryRegistered
from orchestrator.adapters.readmodels import ReadModels
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


async def test_an_earlier_analysis_serves_until_the_newest_is_ready_and_where_that_failed(engine: AsyncEngine) -> None:
    repository, read, seen = uuid4(), ReadModels(TenantDatabase(engine)), []
    registered = RepositoryRegistered(url=URL, host="github.com", name="a/b")
    await tell(engine, repository, f"repository/{repository}", registered, minute=0)
    ready = facts.ProcessingCompleted(commit="c", totals={}, skipped={}, failed={}, duration=1.0)
    failed = facts.ProcessingFailed(stage=Stage.CLONE, kind=FaultKind.PERMANENT, code="x", message="x")
    ids = [uuid4() for _ in range(3)]
    for minute, (analysis_id, ends) in enumerate(zip(ids, ((ready,), (failed,), (None, ready)), strict=True), 1):
        stream = f"analysis/{analysis_id}"
        begun = facts.ProcessingRequested(analysis_id=analysis_id, url=URL)
        started = facts.ProcessingStarted(url=URL, commit="c", ref="main", size=1, file_count=1, skipped_count=0)
        await tell(engine, repository, stream, begun, started, minute=minute)
        for end in ends:
            said = completed(analysis_id, Stage.INDEX, 0, ()) if end is None else (end,)
            await tell(engine, repository, stream, *said, minute=minute)
            found = await read.repository(LOCAL_TENANT, repository)
            assert found is not None
            assert found.latest is not None
            seen.append((ids.index(found.latest.analysis_id), found.serving and ids.index(found.serving)))

    assert seen == [(0, 0), (1, 0), (2, 0), (2, 2)]
