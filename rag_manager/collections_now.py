"""How the collections of all generations stand, by their counts, and which models made what serves."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

from events.collection import CollectionsState, DamagedCollection, EarlierModel
from rag_manager.former import FormerEmbedders
from rag_manager.jobs.base import Backends
from rag_manager.jobs.fill_collection import has_enough
from rag_manager.ports import CollectionMissing, VectorsUnavailable
from rag_manager.rows import generations, sharing
from rag_manager.rows.generations import OfAnother
from runtime.faults import Transient

_AT_ONCE = 8  # collections that are counted side by side
_LISTED = 100  # of what is damaged
_NEWEST = 5  # analyses of one model


class CollectionsNow:
    """A look at all of them. `wanted` is the name of the model that embeds for full generations."""

    def __init__(self, backends: Backends, wanted: str, former: FormerEmbedders) -> None:
        self._backends = backends
        self._wanted = wanted
        self._former = former
        self._turn = asyncio.Semaphore(_AT_ONCE)

    async def __call__(self) -> CollectionsState:
        """Count them. Raises Transient `index_unavailable` where the vector server is away."""
        engine = self._backends.engine
        shared = await sharing.shared(engine)
        built = [one for one in await generations.with_collections(engine) if one.state == "built"]
        try:
            held = await asyncio.gather(*(self._count(one.collection or "") for one in built))
        except VectorsUnavailable as error:
            raise Transient("index_unavailable", "The vector server does not answer: try again in a moment.") from error
        damaged = [
            DamagedCollection(
                generation_id=one.generation_id,
                analysis_id=one.analysis_id,
                kind=one.kind,
                vectors=one.vectors,
                held=count,
            )
            for one, count in zip(built, held, strict=True)
            if not has_enough(count, one.vectors, shared=one.collection in shared)
        ]
        return CollectionsState(
            checked=len(built),
            wrong=len(damaged),
            damaged=tuple(damaged[:_LISTED]),
            wanted=self._wanted,
            earlier=self._earlier(await generations.of_other_models(engine, self._wanted)),
        )

    def _earlier(self, others: Sequence[OfAnother]) -> tuple[EarlierModel, ...]:
        by_model: dict[str, list[UUID]] = {}
        for one in others:
            by_model.setdefault(one.model, []).append(one.analysis_id)
        return tuple(
            EarlierModel(model=model, analyses=len(made), newest=tuple(made[:_NEWEST]), asked=self._former.has(model))
            for model, made in by_model.items()
        )

    async def _count(self, collection: str) -> int | None:
        async with self._turn:
            try:
                return await self._backends.vectors.count(collection)
            except CollectionMissing:
                return None
