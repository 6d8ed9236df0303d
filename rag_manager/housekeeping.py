"""What is done without being asked: retire what was replaced, sweep orphans, bring lost collections back.

Each round is safe beside other processes doing the same, and beside generations being built.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

from events.log.outage import is_database_away
from rag_manager.jobs.base import Backends
from rag_manager.jobs.fill_collection import Shards, is_whole
from rag_manager.jobs.share_collection import purge
from rag_manager.ports import CollectionUnreadable, VectorsUnavailable
from rag_manager.rebuilding import Rebuilding
from rag_manager.rows import ahead, generations, rebuilds, shadows, sharing
from rag_manager.rows.generations import Generation
from runtime.faults import Fault
from runtime.tasks import end_tasks

logger = logging.getLogger(__name__)

_AHEAD = 3_600.0  # seconds after the last vectors until what was written ahead of a generation is nobody's


@dataclass(frozen=True)
class Graces:
    """Seconds that something is kept after it was replaced: a generation, an analysis, one of another model."""

    generation: float
    analysis: float
    model: float


class Housekeeping:
    """`sweep` now and then, `mend` at start, now and then, and when a search misses a collection."""

    def __init__(self, backends: Backends, rebuilding: Rebuilding, graces: Graces) -> None:
        self._backends = backends
        self._rebuilding = rebuilding
        self._graces = graces

    async def sweep(self) -> None:
        """Retire replaced generations and analyses, and drop every collection of ours that belongs to none.

        Raises VectorsUnavailable where the vector server is down: what is left over is found the next time.
        """
        engine = self._backends.engine
        for generation in await generations.superseded(engine, self._graces.generation, self._graces.model):
            await generations.retire(engine, generation.generation_id)
        await generations.forget_analyses(engine, grace=self._graces.analysis)
        await rebuilds.forget_old(engine)
        for collection in await sharing.left_by_some(engine, self._graces.generation):
            await self._purge(collection)
        ours = await generations.collection_names(engine)
        # Names first: a collection made after this list was read is not on it, and one on it has had its row before.
        names = await self._backends.vectors.names()
        # What is written ahead before generations: a collection that is handed over in between is among the latter.
        wanted = await ahead.collections(engine, _AHEAD)
        # Generations before rebuilds: of one that is swapped in between, both collections are among the latter.
        wanted |= {one.collection for one in await generations.with_collections(engine) if one.collection}
        wanted |= await rebuilds.kept_collections(engine, self._graces.generation)
        wanted |= await shadows.collections(engine, ours)
        for name in names:
            if ours.include(name) and name not in wanted:
                logger.info("dropping the collection %s: no generation has it", name)
                await self._drop(name)

    async def _drop(self, collection: str) -> None:
        """Remove a collection; one that the server cannot remove now is found the next time."""
        try:
            await self._backends.vectors.drop(collection)
        except VectorsUnavailable as error:
            logger.warning("collection %s cannot be dropped: %s", collection, error)

    async def _purge(self, collection: str) -> None:
        """Remove what only those had that left a collection which another lives in."""
        try:
            await purge(self._backends, collection)
        except (Fault, VectorsUnavailable) as error:
            logger.warning("collection %s cannot be purged: %s", collection, error)
            return
        async with self._backends.engine.begin() as connection:
            await sharing.forget_left(connection, collection)

    async def mend(self) -> list[UUID]:
        """Check every collection in use against what was written to it; return the generations that were rebuilt.

        Raises VectorsUnavailable.
        """
        engine = self._backends.engine
        shared, lost = await sharing.shared(engine), set[str | None]()
        mended = []
        for generation in await generations.with_collections(engine):
            if generation.state != "built":
                continue
            damaged = generation.collection in lost  # then whoever else lives in it is damaged as well
            if damaged or await self._has_lost(generation, shared=generation.collection in shared):
                lost.add(generation.collection)
                mended += [generation.generation_id] if await self._rebuilding.mend(generation) else []
        return mended

    async def _has_lost(self, generation: Generation, *, shared: bool) -> bool:
        """Whether vectors of a generation in use are lost. `shared` is from before its vectors were looked at."""
        if not await self._is_damaged(generation, shared=shared):
            return False
        # Rows again, after vectors: what was let go meanwhile has lost nothing, nor has what another came to live with.
        if generation not in await generations.with_collections(self._backends.engine):
            return False
        now = generation.collection in await sharing.shared(self._backends.engine)
        return now == shared or await self._is_damaged(generation, shared=now)

    async def _is_damaged(self, generation: Generation, *, shared: bool) -> bool:
        shards = Shards(self._backends.objects, generation.artifacts[:1])
        try:
            await shards.read()
        except Fault as fault:
            logger.warning("generation %s cannot be checked: %s", generation.generation_id, fault)
            return False
        vectors, collection = self._backends.vectors, generation.collection or ""
        try:
            return not await is_whole(vectors, collection, generation.vectors, shards.probes, shared=shared)
        except VectorsUnavailable:
            await vectors.names()  # where the whole server is away, nothing is known of any
        try:
            return not await is_whole(vectors, collection, generation.vectors, shards.probes, shared=shared)
        except CollectionUnreadable as error:
            logger.warning("collection %s cannot be read: %s", collection, error)
            return True
        except VectorsUnavailable as error:
            logger.warning("collection %s is not checked, for it does not answer in time: %s", collection, error)
            return False  # what is slow is not built again on the same server


class Chores:
    """Runs the rounds until it is stopped. A round that fails is told in the log and tried again."""

    def __init__(
        self,
        housekeeping: Housekeeping,
        forget: Callable[[], Awaitable[None]],
        embed_anew: Callable[[], Awaitable[object]],
        *,
        sweep_every: float,
        mend_every: float,
    ) -> None:
        self._housekeeping = housekeeping
        self._forget = forget
        self._embed_anew = embed_anew
        self._sweep_every = sweep_every
        self._mend_every = mend_every
        self._missed = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin the rounds in the background."""
        self._tasks = [
            asyncio.create_task(self._sweeping(), name="sweep"),
            asyncio.create_task(self._mending(), name="mend"),
        ]

    def collection_missed(self) -> None:
        """Say that a search found a collection missing: it is looked after at once."""
        self._missed.set()

    async def stop(self) -> None:
        """End the rounds."""
        await end_tasks(self._tasks)

    async def _sweeping(self) -> None:
        while True:
            await asyncio.sleep(self._sweep_every)
            await _attempt(self._forget, "forgetting")
            await _attempt(self._housekeeping.sweep, "sweep")
            await _attempt(self._embed_anew, "embedding anew")

    async def _mending(self) -> None:
        while True:
            self._missed.clear()
            done = await _attempt(self._housekeeping.mend, "mend")
            try:
                async with asyncio.timeout(self._mend_every if done else min(5.0, self._mend_every)):
                    await self._missed.wait()
                    await asyncio.sleep(1.0)
            except TimeoutError:
                continue


async def _attempt(work: Callable[[], Awaitable[object]], name: str) -> bool:
    try:
        await work()
    except VectorsUnavailable as error:
        logger.info("%s waits for the vector server: %s", name, error)
        return False
    except Exception as error:  # the round is tried again, whatever it was
        if is_database_away(error):
            logger.warning("%s waits for the database: %s", name, error)
        else:
            logger.exception("%s failed", name)
        return False
    return True
