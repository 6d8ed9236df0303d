"""Erase the index of what was deleted, an analysis, a repository or a tenant: collections, rows, known embeddings.

Caches follow with the next sweep.
"""

from uuid import UUID

from events.account import TenantDeleted
from events.base import Envelope
from events.delivery.persist import until_done, until_idle
from events.delivery.work import Result, Run
from events.processing import AnalysisDeleted
from events.repository import RepositoryDeleted
from rag_manager.jobs.base import Backends, forget_searches
from rag_manager.jobs.erase_analysis import EraseAnalysis
from rag_manager.rows import erasing


class EraseRepository:
    """The handler of the topic `erasure`. Each step may be done again, so that it survives an end in the middle."""

    def __init__(self, backends: Backends) -> None:
        self._backends = backends

    async def __call__(self, envelope: Envelope, run: Run) -> Result:
        """Erase the index of a deleted repository; returns once it is gone."""
        repository_id = envelope.repository_id
        if envelope.event_type == RepositoryDeleted.event_type and repository_id is not None:
            await until_done(lambda: self._erase(repository_id, run), run, f"erasing the index of {repository_id}")
        elif envelope.event_type == TenantDeleted.event_type:
            await until_done(lambda: self._tenant(envelope.tenant_id, run), run, f"erasing {envelope.stream_id}")
        elif envelope.event_type == AnalysisDeleted.event_type and repository_id is not None:
            erase = EraseAnalysis(self._backends)
            await until_done(
                lambda: erase(envelope.tenant_id, envelope.stream_id, repository_id, run),
                run,
                f"erasing {envelope.stream_id}",
            )
        return Result()

    async def _tenant(self, tenant_id: UUID, run: Run) -> None:
        """Each repository has a message of its own: this is for what one of those left behind."""
        async with self._backends.engine.connect() as connection:
            repositories = await erasing.repositories(connection, tenant_id)
        for repository_id in repositories:
            await self._erase(repository_id, run)
        async with self._backends.engine.begin() as connection:
            await erasing.forget_tenant(connection, tenant_id)

    async def _erase(self, repository_id: UUID, run: Run) -> None:
        engine = self._backends.engine
        await until_idle(engine, repository_id, run)
        async with engine.begin() as connection:
            await erasing.hide(connection, repository_id)
            collections = await erasing.collections(connection, repository_id)
            whose = await erasing.analyses(connection, repository_id)
        for tenant_id, analysis_id in whose:
            await forget_searches(self._backends, tenant_id, analysis_id)
        await self._drop(collections, run)
        async with engine.begin() as connection:
            await erasing.forget(connection, repository_id)
        await self._drop(collections, run)  # a round of mending that had begun may have built one again

    async def _drop(self, collections: list[str], run: Run) -> None:
        for collection in collections:
            run.check()
            await self._backends.vectors.drop(collection)
