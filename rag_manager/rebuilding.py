"""Build the collection of a generation again beside the one that serves, compare it, and let it take over at once.

Asked for by an administrator, or by a round of mending. The vectors are the stored ones: no model is asked. What is to
be done is a row: whoever works on one holds a lock of its generation, and where that process ends, another goes on with
what it left. The collection that is being built is nobody's orphan until then; one that nobody wants any more, and the
former one after its grace, is dropped by the janitor.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

from sqlalchemy.exc import InterfaceError, OperationalError

from events.collection import CollectionAsked, CollectionRebuild, Comparison
from events.log.wake import Wake
from rag_manager.jobs.base import Backends
from rag_manager.jobs.compare_collection import compare, unread
from rag_manager.jobs.fill_collection import Shards, fill
from rag_manager.ports import VectorsUnavailable
from rag_manager.rows import generations, rebuilds, sharing
from rag_manager.rows.generations import Generation
from rag_manager.rows.rebuilds import Rebuild
from runtime.faults import Permanent, Transient

logger = logging.getLogger(__name__)

_POLL = 5.0  # seconds between two looks at what is to be done
_PATIENCE = 3_600.0  # seconds of failing after which one is given up
_MOST_BEGUN = 3  # processes that ended while they were at it
_DEADLY = (
    "Three processes ended while they were at it, most likely for want of memory: see rag_manager's log, "
    "give it more, and ask again."
)
_CHANGED = (
    "The index was built anew, replaced or deleted meanwhile: nothing was changed. Ask again if it is still there."
)


class _NotWanted(Exception):
    """The generation went while its collection was built."""


class Rebuilding:
    """`run` does what was asked for; `mend` asks and does it at once."""

    def __init__(self, backends: Backends, *, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` tells seconds."""
        self._backends = backends
        self._clock = clock
        self._began = clock()
        self._asked = asyncio.Event()
        self._wake = Wake(backends.redis)

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
        """Build its collection again now; whether that was done, by this process.

        Not within an hour after it ended process after process.
        """
        if await rebuilds.is_deadly(self._backends.engine, generation.generation_id, _PATIENCE):
            return False
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
        waiting = await rebuilds.waiting(self._backends.engine)
        for rebuild in waiting:
            try:
                await self._do(rebuild)
            except VectorsUnavailable as error:
                logger.info("rebuild %s waits for the vector server: %s", rebuild.told.rebuild_id, error)
            except (InterfaceError, OperationalError):
                raise  # the database is away: it would say so of all
            except Exception:  # the others are not to wait for it
                logger.exception("rebuild %s failed, and is tried again", rebuild.told.rebuild_id)
                await self._give_up(rebuild, "It failed for an hour by a fault of its own: see the service's log.")

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
            if not await rebuilds.begin(engine, rebuild, _MOST_BEGUN):
                logger.error("rebuild %s ended process after process", rebuild.told.rebuild_id)
                await rebuilds.end(engine, rebuild, "failed", _DEADLY)
                return False
            try:
                return await self._end(rebuild)
            except Permanent as fault:
                logger.warning("rebuild %s failed: %s", rebuild.told.rebuild_id, fault)
                await rebuilds.end(engine, rebuild, "failed", fault.message)
            except Transient as fault:
                logger.info("rebuild %s waits: %s", rebuild.told.rebuild_id, fault)
                await self._give_up(rebuild, fault.message)
            except _NotWanted:
                await rebuilds.end(engine, rebuild, "failed", _CHANGED)
            except VectorsUnavailable:
                message = "The vector server did not answer for an hour, or not with what was written to it."
                if not await self._give_up(rebuild, message):
                    raise
            finally:
                await rebuilds.leave(engine, rebuild)
                self._wake.worked()
        return False

    async def _give_up(self, rebuild: Rebuild, message: str) -> bool:
        """End it where it has failed for an hour, in whichever processes; whether it was.

        This one tried all along, however long an attempt takes, or the others do that come before the next.
        """
        apart = self._clock() - self._began + _PATIENCE
        if await rebuilds.failing(self._backends.engine, rebuild, apart) < _PATIENCE:
            return False
        logger.warning("rebuild %s is given up", rebuild.told.rebuild_id)
        await rebuilds.end(self._backends.engine, rebuild, "failed", message)
        return True

    async def _end(self, rebuild: Rebuild) -> bool:
        """Compare, build and swap. Raises Permanent, _NotWanted, VectorsUnavailable."""
        engine, vectors = self._backends.engine, self._backends.vectors
        generation = await self._generation(rebuild)
        former = generation.collection or ""
        shards = Shards(self._backends.objects, generation.artifacts)
        await shards.read()
        before = await self._before(rebuild, former, shards)
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

    async def _before(self, rebuild: Rebuild, former: str, shards: Shards) -> Comparison:
        """How the collection that serves differs; one that is to be replaced need not be readable."""
        refs = await sharing.all_in(self._backends.engine, former)
        try:
            others = [Shards(self._backends.objects, each) for each in refs]
            return await compare(self._backends.vectors, former, shards, others)
        except VectorsUnavailable as error:
            if rebuild.collection is None:
                raise
            logger.warning("collection %s cannot be read, and is built again unseen: %s", former, error)
            return await unread(shards)

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
