"""Activate and promote: the vectors of all shards become one collection, and searches go to it at once."""

import asyncio
import logging
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from uuid import UUID

from events.artifacts import ArtifactKind
from events.base import Envelope
from events.delivery import stages
from events.delivery.work import Result, Run
from events.index import EmbedderChanged, GenerationKind
from events.processing import StageRequested
from rag_manager.jobs.activation import activation_of, generation_id, record
from rag_manager.jobs.base import Backends, inputs_of, repository_of, ticker
from rag_manager.jobs.fill_collection import Call, Patience, Reply, Shards, Told, fill
from rag_manager.jobs.share_collection import extend, plan_extension
from rag_manager.ports import VectorsUnavailable
from rag_manager.rows import generations, reading, sharing
from rag_manager.rows.generations import Generation
from runtime.faults import Permanent, Transient
from runtime.live import Ticker
from runtime.tenancy import TenantDatabase

logger = logging.getLogger(__name__)

_WAIT = 60.0  # seconds a run waits for the vector server before it gives up its turn
_PAUSE = 1.0


@dataclass(frozen=True)
class _Built:
    """A generation whose collection is complete; `written` of its vectors were not in there before."""

    generation: Generation
    dimension: int | None
    written: int


class ActivateGeneration:
    """The handler of activate (quick) and of promote (full)."""

    def __init__(self, backends: Backends, kind: GenerationKind, wanted: str, *, wait: float = _WAIT) -> None:
        """`wanted` is the model that embeds for this kind."""
        self._backends = backends
        self._kind = kind
        self._wanted = wanted
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
        identity = generation_id(request.analysis_id, self._kind, request.round)
        blank = Generation(
            generation_id=identity,
            tenant_id=envelope.tenant_id,
            analysis_id=request.analysis_id,
            kind=self._kind,
            state="building",
            model=None,
            chunks=0,
            vectors=0,
            collection=(await generations.collection_names(engine)).of(envelope.tenant_id, repository_id, identity),
            artifacts=tuple(refs),
        )
        ticks = ticker(self._backends, envelope, request, "vectors", foresees=True)
        told, patiently = _told(ticks, run), self._patience(run)
        await self._must_bring_something(blank)
        try:
            extended = await self._extended(blank, repository_id, told, patiently)
            built = extended or await self._alone(blank, told, patiently)
        except Permanent as fault:
            if fault.code != "mixed_models" or self._kind is GenerationKind.QUICK:
                raise
            # The setting changed while the shards were embedded: those of the other model are embedded again.
            changed = EmbedderChanged(
                analysis_id=request.analysis_id, generation_id=identity, model="", wanted=self._wanted
            )
            return Result(appends=stages.failed(envelope, fault, after=(changed,)))
        generation = built.generation
        change = await activation_of(
            engine,
            generation,
            repository_id=repository_id,
            requested_at=place.requested_at,
            dimension=built.dimension,
        )
        return Result(
            appends=(
                stages.completed(
                    envelope,
                    started_at=began,
                    files_processed=place.files,
                    counts={
                        "chunks": generation.chunks,
                        "vectors": generation.vectors,
                        "vectors_reused": generation.vectors - built.written,
                    },
                    facts={
                        "model": generation.model,
                        "generation_id": str(identity),
                        "active": change.target is not None,
                    },
                    before=change.events,
                ),
            ),
            write=partial(record, change=change),
        )

    async def _must_bring_something(self, blank: Generation) -> None:
        """Raise Permanent where all that was to be embedded anew failed: its vectors are those that serve already.

        A generation of them would be of the former model, too, and found to be so again, without end.
        """
        if self._kind is not GenerationKind.FULL:
            return
        vectors = [ref.sha256 for ref in blank.artifacts]
        for built in await generations.built_of(self._backends.engine, blank.analysis_id, self._kind):
            is_same = built.generation_id != blank.generation_id and vectors == [ref.sha256 for ref in built.artifacts]
            if is_same and built.model != self._wanted:
                raise Permanent(
                    "not_embedded_anew",
                    f"Nothing could be embedded with {self._wanted}: what is there goes on serving. Look at why the"
                    " refine steps failed, mend that, and retry.",
                )

    async def _extended(self, blank: Generation, repository_id: UUID, told: Told, patiently: Patience) -> _Built | None:
        """The generation in the collection of the one before it; None where it has to have one of its own."""
        try:
            extension = await patiently(partial(plan_extension, self._backends, repository_id, blank))
            if extension is None:
                return None
            generation = replace(
                blank,
                model=extension.model,
                chunks=extension.chunks,
                vectors=extension.count,
                collection=extension.collection,
            )
            if not await sharing.begin_in(self._backends.engine, generation, extension.base):
                return None
            if not await extend(self._backends, extension, told=told, patiently=patiently):
                return None
        except VectorsUnavailable as error:
            raise _unavailable() from error
        return _Built(generation, extension.dimension, extension.written)

    async def _alone(self, blank: Generation, told: Told, patiently: Patience) -> _Built:
        shards = Shards(self._backends.objects, blank.artifacts)
        await shards.read()
        generation = replace(blank, model=shards.model, chunks=shards.chunks, vectors=shards.count)
        await generations.begin(self._backends.engine, generation)
        try:
            await fill(self._backends.vectors, generation.collection or "", shards, told=told, patiently=patiently)
        except VectorsUnavailable as error:
            raise _unavailable() from error
        return _Built(generation, shards.dimension, shards.count)

    def _patience(self, run: Run) -> Patience:
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

        return patiently


def _told(ticks: Ticker, run: Run) -> Told:
    async def told(done: int, total: int) -> None:
        run.check()
        await ticks.tick(done, total)

    return told


def _unavailable() -> Transient:
    return Transient("index_unavailable", "The vector server does not answer: see whether it runs.")
