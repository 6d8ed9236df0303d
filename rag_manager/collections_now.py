"""How the collections of all generations stand, by their counts, and which models made what serves."""

import asyncio
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from events.collection import CollectionsState, DamagedCollection, EarlierModel
from rag_manager.former import FormerEmbedders
from rag_manager.jobs.base import Backends
from rag_manager.jobs.fill_collection import has_enough
from rag_manager.ports import CollectionMissing, CollectionUnreadable, VectorsUnavailable
from rag_manager.rows import choosing, generations, sharing
from rag_manager.rows.choosing import OfAnother
from rag_manager.rows.generations import Generation
from runtime.faults import Transient

_AT_ONCE = 8  # collections that are counted side by side
_LISTED = 100  # of what is damaged
_KEPT = 60.0  # seconds that a count is believed
_NEWEST = 5  # analyses of one model


@dataclass(frozen=True)
class _Counted:
    """How many vectors a collection of these generations held, and when; None where it was not there, or unreadable."""

    whose: frozenset[object]
    at: float
    held: int | None


class CollectionsNow:
    """A look at all of them, one at a time. `wanted` is the name of the model that embeds for full generations.

    What a collection was found to hold is believed for a minute, or until others live in it.
    """

    def __init__(
        self, backends: Backends, wanted: str, former: FormerEmbedders, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`clock` tells seconds."""
        self._backends = backends
        self._wanted = wanted
        self._former = former
        self._clock = clock
        self._alone = asyncio.Lock()
        self._turn = asyncio.Semaphore(_AT_ONCE)
        self._counted: dict[str, _Counted] = {}

    async def __call__(self) -> CollectionsState:
        """Count them. Raises Transient `index_unavailable` where the vector server does not answer, or not of one."""
        engine = self._backends.engine
        shared = await sharing.shared(engine)
        built = [one for one in await generations.with_collections(engine) if one.state == "built"]
        try:
            held = await self._held(_by_collection(built, shared))
        except VectorsUnavailable as error:
            raise Transient("index_unavailable", "The vector server does not answer: try again in a moment.") from error
        damaged = [
            DamagedCollection(
                generation_id=one.generation_id,
                analysis_id=one.analysis_id,
                kind=one.kind,
                vectors=one.vectors,
                held=held[one.collection or ""],
            )
            for one in built
            if not has_enough(held[one.collection or ""], one.vectors, shared=one.collection in shared)
        ]
        return CollectionsState(
            checked=len(built),
            wrong=len(damaged),
            damaged=tuple(damaged[:_LISTED]),
            wanted=self._wanted,
            earlier=self._earlier(await choosing.of_other_models(engine, self._wanted)),
        )

    def _earlier(self, others: Sequence[OfAnother]) -> tuple[EarlierModel, ...]:
        by_model: dict[tuple[str, bool], list[UUID]] = {}
        for one in others:
            by_model.setdefault((one.model, one.chosen), []).append(one.analysis_id)
        return tuple(
            EarlierModel(
                model=model,
                analyses=len(made),
                newest=tuple(made[:_NEWEST]),
                asked=self._former.has(model),
                chosen=chosen,
            )
            for (model, chosen), made in by_model.items()
        )

    async def _held(self, living: Mapping[str, frozenset[object]]) -> dict[str, int | None]:
        """How many vectors each holds. Whoever comes meanwhile waits, and then has what was counted."""
        async with self._alone:
            since = self._clock() - _KEPT
            known = [(name, self._counted.get(name)) for name in living]
            self._counted = {
                name: each
                for name, each in known
                if each is not None and each.at > since and each.whose == living[name]
            }
            await asyncio.gather(*(self._count(name, living[name]) for name in living if name not in self._counted))
            return {name: self._counted[name].held for name in living}

    async def _count(self, collection: str, whose: frozenset[object]) -> None:
        vectors = self._backends.vectors
        async with self._turn:
            try:
                held: int | None = await vectors.count(collection)
            except CollectionMissing:
                held = None
            except CollectionUnreadable:
                await vectors.names()  # where the whole server is away, nothing is known of any
                held = None
        self._counted[collection] = _Counted(whose, self._clock(), held)


def _by_collection(built: Sequence[Generation], shared: Collection[str]) -> dict[str, frozenset[object]]:
    """Who lives in each collection, and whether others did."""
    found: dict[str, set[object]] = {}
    for one in built:
        name = one.collection or ""
        found.setdefault(name, {name in shared}).add((one.generation_id, one.vectors))
    return {name: frozenset(whose) for name, whose in found.items()}
