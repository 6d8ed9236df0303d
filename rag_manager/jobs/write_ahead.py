"""Write the vectors of a shard into the collection of the generation to come, while other shards are still embedded.

The vector server has its own processor time, and would have nothing to do until all of them are. What is written here
is not relied on: activating counts it, probes it, and writes what is missing, so that any failure here is passed over.
"""

import logging
import time

from events.artifacts import ArtifactRef
from events.base import Envelope
from events.delivery import stages
from events.delivery.work import Run
from events.index import GenerationKind
from events.processing import StageRequested
from rag_manager.jobs.activation import generation_id
from rag_manager.jobs.base import Backends, repository_of
from rag_manager.jobs.fill_collection import Shards
from rag_manager.ports import VectorsUnavailable
from rag_manager.rows import ahead, generations
from runtime.faults import Cancelled

logger = logging.getLogger(__name__)

_PAUSE = 60.0  # seconds without writing to a vector server that failed: a silent one takes as long for each shard


class WriteAhead:
    """Of the first quick generation of a repository: a later one lives in the collection of the one before it."""

    def __init__(self, backends: Backends, *, pause: float = _PAUSE) -> None:
        """For `pause` seconds after the vector server failed nothing is written."""
        self._backends = backends
        self._pause = pause
        self._quiet_until = 0.0

    async def __call__(self, envelope: Envelope, artifact: ArtifactRef, run: Run) -> None:
        """Write the vectors of a shard's artifact, where that is worth it. Raises Cancelled, and nothing else."""
        request = stages.read(envelope, StageRequested)
        if request.shards == 1 or request.round:  # then nothing goes on beside it; or something is there already
            return
        if time.monotonic() < self._quiet_until:
            return
        try:
            await self._write(envelope, request, artifact, run)
        except Cancelled:
            raise
        except Exception as error:  # noqa: BLE001  # whatever it is, the shard is embedded, and activating writes it
            if isinstance(error, VectorsUnavailable):
                self._quiet_until = time.monotonic() + self._pause
            logger.warning("vectors of shard %d are left to activating: %s", request.shard, repr(error)[:500])

    async def _write(self, envelope: Envelope, request: StageRequested, artifact: ArtifactRef, run: Run) -> None:
        engine, vectors, repository_id = self._backends.engine, self._backends.vectors, repository_of(envelope)
        identity = generation_id(request.analysis_id, GenerationKind.QUICK)
        collection = (await generations.collection_names(engine)).of(envelope.tenant_id, repository_id, identity)
        whose = {"tenant_id": envelope.tenant_id, "repository_id": repository_id, "analysis_id": request.analysis_id}
        if not await ahead.begin(engine, collection, **whose):
            return
        shards = Shards(self._backends.objects, [artifact])
        await shards.read()
        await vectors.create(collection)
        async for ids, matrix in shards.batches():
            run.check()
            await vectors.upsert(collection, ids, matrix)
