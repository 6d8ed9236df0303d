"""Activate and promote: the vectors of all shards become one collection, and searches go to it at once."""

import asyncio
import logging
import time
from datetime import UTC, datetime
from functools import partial

from events.artifacts import ArtifactKind
from events.base import Envelope
from events.delivery import stages
from events.delivery.work import Result, Run
from events.index import GenerationKind
from events.processing import StageRequested
from rag_manager.jobs.activation import activation_of, generation_id, record
from rag_manager.jobs.base import Backends, inputs_of, repository_of, ticker
from rag_manager.jobs.fill_collection import Call, Reply, Shards, fill
from rag_manager.ports import VectorsUnavailable
from rag_manager.rows import generations, reading
from rag_manager.rows.generations import Generation
from runtime.faults import Permanent, Transient
from runtime.live import Ticker
from runtime.tenancy import TenantDatabase

logger = logging.getLogger(__name__)

_WAIT = 60.0  # seconds a run waits for the vector server before it gives up its turn
_PAUSE = 1.0


class ActivateGeneration:
    """The handler of activate (quick) and of promote (full)."""

    def __init__(self, backends: Backends, kind: GenerationKind, *, wait: float = _WAIT) -> None:
        self._backends = backends
        self._kind = kind
        self._wait = wait

    async def __call__(self, envelope: Envelope, run: Run) -> Result:
        """Build, verify and activate one generation."""
        began = datetime.now(UTC)
        request = stages.read(envelope, StageRequested)
        repository_id = repository_of(envelope)
        engine = self._backends.engine
        place = await reading.indexed(TenantDatabase(engine), envelope.tenant_id, request.analysis_id)
        if place is None:
            raise Permanent("not_indexed_yet", "The analysis has no lexical index to put vectors beside.")
        refs = inputs_of(request, ArtifactKind.VECTORS)
        shards = Shards(self._backends.objects, refs)
        await shards.read()
        identity = generation_id(request.analysis_id, self._kind)
        generation = Generation(
            generation_id=identity,
            tenant_id=envelope.tenant_id,
            analysis_id=request.analysis_id,
            kind=self._kind,
            state="building",
            model=shards.model,
            chunks=place.chunks,
            vectors=shards.count,
            collection=(await generations.collection_names(engine)).of(envelope.tenant_id, repository_id, identity),
            artifacts=tuple(refs),
        )
        await generations.begin(engine, generation)
        await self._fill(generation, shards, ticker(self._backends, envelope, request), run)
        change = await activation_of(
            engine,
            generation,
            repository_id=repository_id,
            requested_at=place.requested_at,
            dimension=shards.dimension,
        )
        return Result(
            appends=(
                stages.completed(
                    envelope,
                    started_at=began,
                    files_processed=place.files,
                    counts={"chunks": place.chunks, "vectors": shards.count},
                    facts={"model": shards.model, "generation_id": str(identity), "active": change.target is not None},
                    before=change.events,
                ),
            ),
            write=partial(record, change=change),
        )

    async def _fill(self, generation: Generation, shards: Shards, ticks: Ticker, run: Run) -> None:

        async def told(done: int, total: int) -> None:
            run.check()
            await ticks.tick(done, total, "vectors")

        async def patiently(call: Call[Reply]) -> Reply:
            deadline = time.monotonic() + self._wait
            while True:
                run.check()
                try:
                    return await call()
                except VectorsUnavailable as error:
                    if time.monotonic() > deadline:
                        raise
                    logger.info("waiting for the vector server: %s", error)
                    await asyncio.sleep(_PAUSE)

        try:
            await fill(self._backends.vectors, generation.collection or "", shards, told=told, patiently=patiently)
        except VectorsUnavailable as error:
            raise Transient(
                "index_unavailable", "The vector server does not answer: the step is tried again later."
            ) from error
