"""Erase the index of one analysis whose repository stays: collections, rows, and where its texts' vectors are.

A text that the repository still has is not embedded again: its vector is looked for in a newer analysis from then on.
"""

import asyncio
from uuid import UUID

from events.delivery.persist import until_stream_idle
from events.delivery.work import Run
from rag_manager.jobs.base import Backends, forget_searches
from rag_manager.jobs.share_collection import drop_or_purge
from rag_manager.rows import erasing_analysis
from runtime.faults import Permanent
from runtime.parquet import read_table


class EraseAnalysis:
    """Each step may be done again, so that it survives an end in the middle."""

    def __init__(self, backends: Backends) -> None:
        self._backends = backends

    async def __call__(self, tenant_id: UUID, stream_id: str, repository_id: UUID, run: Run) -> None:
        """Return once nothing of the index of `analysis/<id>` is left."""
        engine, analysis_id = self._backends.engine, UUID(stream_id.partition("/")[2])
        await until_stream_idle(engine, stream_id, run)
        async with engine.begin() as connection:
            collections = await erasing_analysis.hide(connection, analysis_id)
            going = await erasing_analysis.going(connection, repository_id, analysis_id)
        await forget_searches(self._backends, tenant_id, analysis_id)
        await self._drop(collections, run)
        if going:
            await self._remember_elsewhere(repository_id, analysis_id, going)
        async with engine.begin() as connection:
            await erasing_analysis.forget(connection, repository_id, analysis_id, going)
        await self._drop(collections, run)  # a round of mending that had begun may have built one again

    async def _remember_elsewhere(self, repository_id: UUID, analysis_id: UUID, going: list[str]) -> None:
        async with self._backends.engine.connect() as connection:
            found = await erasing_analysis.staying(connection, repository_id, analysis_id)
        tenant_id, model, artifacts = found or (None, "", [])
        if tenant_id is None:
            return
        for artifact in artifacts:
            try:
                content = await self._backends.objects.get(artifact.key, artifact.sha256)
            except Permanent:
                continue  # what cannot be read is embedded again where it is wanted
            table = await asyncio.to_thread(read_table, content, ["text_sha256"])
            hashes = table.column("text_sha256").to_pylist()
            async with self._backends.engine.begin() as connection:
                await erasing_analysis.move(
                    connection, artifact, tenant_id=tenant_id, model=model, hashes=hashes, going=going
                )

    async def _drop(self, collections: list[str], run: Run) -> None:
        for collection in collections:
            run.check()
            await drop_or_purge(self._backends, collection)
