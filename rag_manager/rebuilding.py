"""Build the collection of a generation again beside the one that serves, compare it, and let it take over at once.

Asked for by an administrator, or by a round of mending. The vectors are the stored ones: no model is asked. What is to
be done is a row: whoever works on one holds a lock of its generation, and where that process ends, another goes on with
what it left. The collection that is being built is nobody's orphan until then; one that nobody wants any more, and the
former one after its grace, is dropped by the janitor.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import UUID, uuid4

from events.collection import CollectionAsked, CollectionRebuild
from rag_manager.jobs.base import Backends
from rag_manager.jobs.compare_collection import compare
from rag_manager.jobs.fill_collection import Shards, fill
from rag_manager.ports import VectorsUnavailable
from rag_manager.rows import generations, rebuilds, sharing
from rag_manager.rows.generations import Generation
from rag_manager.rows.rebuilds import Rebuild
from runtime.faults import Permanent, Transient

logger = logging.getLogger(__name__)

_POLL = 5.0  # seconds between two looks at what is to be done
_PATIENCE = 3_600.0  # seconds after which one that does not come through is given up
_CHANGED = (
    "The index was built anew, replaced or deleted meanwhile: nothing was changed. Ask again if it is still there."
)


class _NotWanted(Exception):
    """The generation went while its collection was built."""


class Rebuilding:
    """`run` does what was asked for; `mend` asks and does it at once."""

    def __init__(self, backends: Backends) -> None:
        self._backends = backends
        self._asked = asyncio.Event()

    async def ask(self, asked: CollectionAsked) -> CollectionRebuild:
        """Have it done soon. Raises Permanent `no_such_analysis`, or `not_indexed_yet` where it has no vectors."""
        engine = self._backends.engine
        generation = await rebuilds.generation_of(engine, asked.of)
        if generation is None:
            if await rebuilds.is_indexed(engine, asked.of):
                raise Permanent("not_indexed_yet", "It has no vectors yet: wait until it is ready.")
            raise Permanent("no_such_analysis", "Check the id: no repository or analysis that is indexed has it.")
        rebuild = await self._ask(generation, replace=asked.replace)
        if rebuild is None:
            raise Permanent("no_such_analysis", "It was deleted at this moment.")
        self._asked.set()
        return rebuild.told

    async def one(self, rebuild_id: UUID) -> CollectionRebuild:
        """How it stands. Raises Permanent `not_found`."""
        found = await rebuilds.one(self._backends.engine, rebuild_id)
        if found is None:
            raise Permanent("not_found", "Check the id: no rebuild of a collection has it.")
        return found.told

    async def mend(self, generation: Generation) -> bool:
        """Build its collection again now; whether that was done, by this process."""
        logger.warning("rebuilding the collection of generation %s", generation.generation_id)
        rebuild = await self._ask(generation, replace=True)
        return rebuild is not None and await self._do(rebuild)

    async def run(self) -> None:
        """Do what was asked for, one after the other, for ever."""
        while True:
            self._asked.clear()
            await self.do_all()
            try:
                async with asyncio.timeout(_POLL):
                    await self._asked.wait()
            except TimeoutError:
                continue

    async def do_all(self) -> None:
        """Do all that waits; what cannot be done while the vector server is away still waits afterwards."""
        for rebuild in await rebuilds.waiting(self._backends.engine):
            try:
                await self._do(rebuild)
            except VectorsUnavailable as error:
                logger.info("rebuild %s waits for the vector server: %s", rebuild.told.rebuild_id, error)

    async def _ask(self, generation: Generation, *, replace: bool) -> Rebuild | None:
        engine, rebuild_id, collection = self._backends.engine, uuid4(), None
        repository_id = await generations.repository_of(engine, generation.generation_id)
        if replace and repository_id is not None:
            names = await generations.collection_names(engine)
            collection = names.of(generation.tenant_id, repository_id, rebuild_id)
        return await rebuilds.ask(engine, rebuild_id, generation.generation_id, replace=replace, collection=collection)

    async def _do(self, rebuild: Rebuild) -> bool:
        """Whether it came to a good end here. Raises VectorsUnavailable."""
        engine = self._backends.engine
        async with self._alone(rebuild.told.generation_id) as mine:
            still = await rebuilds.one(engine, rebuild.told.rebuild_id) if mine else None
            if still is None or still.told.state != "asked":
                return False  # another process has it, or had
            try:
                return await self._end(rebuild)
            except Permanent as fault:
                logger.warning("rebuild %s failed: %s", rebuild.told.rebuild_id, fault)
                await rebuilds.end(engine, rebuild, "failed", fault.message)
            except Transient as fault:
                logger.info("rebuild %s waits: %s", rebuild.told.rebuild_id, fault)
            except _NotWanted:
                await rebuilds.end(engine, rebuild, "failed", _CHANGED)
            except VectorsUnavailable as error:
                if (datetime.now(UTC) - rebuild.told.asked_at).total_seconds() < _PATIENCE:
                    raise
                logger.warning("rebuild %s is given up: %s", rebuild.told.rebuild_id, error)
                message = "The vector server did not answer for an hour, or not with what was written to it."
                await rebuilds.end(engine, rebuild, "failed", message)
        return False

    async def _end(self, rebuild: Rebuild) -> bool:
        """Compare, build and swap. Raises Permanent, _NotWanted, VectorsUnavailable."""
        engine, vectors = self._backends.engine, self._backends.vectors
        generation = await self._generation(rebuild)
        former = generation.collection or ""
        shards = Shards(self._backends.objects, generation.artifacts)
        await shards.read()
        others = [Shards(self._backends.objects, refs) for refs in await sharing.all_in(engine, former)]
        before = await compare(vectors, former, shards, others)
        if rebuild.collection is None:
            await rebuilds.end(engine, rebuild, "done", before=before)
            return True

        async def told(_done: int, _total: int) -> None:
            await self._generation(rebuild)

        await fill(vectors, rebuild.collection, shards, told=told)
        after = await compare(vectors, rebuild.collection, shards)
        if not after.agrees:
            raise VectorsUnavailable("the collection does not have what was written to it")
        if not await rebuilds.swap(engine, rebuild, generation, before, after):
            raise _NotWanted
        logger.info("generation %s is served by a collection that was built again", generation.generation_id)
        return True

    async def _generation(self, rebuild: Rebuild) -> Generation:
        """The generation as long as it has a collection to be searched. Raises _NotWanted."""
        generation = await generations.get(self._backends.engine, rebuild.told.generation_id)
        if generation is None or generation.state != "built" or generation.collection is None:
            raise _NotWanted
        return generation

    @asynccontextmanager
    async def _alone(self, generation_id: UUID) -> AsyncIterator[bool]:
        """Whether no other process works on the generation, nor will while this lasts."""
        async with self._backends.engine.connect() as connection:
            yield await rebuilds.try_lock(connection, generation_id)
