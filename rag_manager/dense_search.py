"""Dense search: the passages whose vectors are nearest to the question's, or why there are none.

The question's vector is made by the model that made those of the generation that serves. One that cannot be asked, and
a vector server that fails, are left alone for a moment, in which the answers are lexical.
"""

import asyncio
import time
from collections.abc import Callable, Collection, Container, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from events.index import GenerationKind
from events.question import SearchRequest
from rag_manager.former import FormerEmbedders
from rag_manager.ports import CollectionMissing, Embedder, InputRefused, SharedMemory, Vectors, VectorsUnavailable
from rag_manager.remembering import KEPT, MOST_KEPT, Asked, Form, Recalled, Remembered, asked_of
from rag_manager.rows.reading import Served
from rag_manager.scoping import Chunks
from rag_manager.stages.catalogue import Catalogue
from rag_manager.stages.question_vector import question_vector
from rag_manager.stages.rank import Weights
from rag_manager.stages.read_question import Question
from runtime.faults import Fault

DENSE_DEPTH = 100  # chunks that are handed to the fusion
_MOST_ASKED = 8 * DENSE_DEPTH
_NAMED_AT_MOST = 40_000  # chunks of a scope that the vector server is given by their ids: 2.6 MB, a third of a second
_TIMEOUT = 2.0  # seconds: then the answer is lexical
_PAUSE = 5.0  # seconds without asking a vector server that failed
_VECTOR = Form[NDArray[np.float32]](lambda vector: vector.tobytes(), lambda raw: np.frombuffer(raw, np.float32))


@dataclass(frozen=True)
class Dense:
    """The nearest chunks and how near they are; or why vectors that there should be were not asked."""

    chunks: tuple[int, ...] = ()
    weight: float = 0.0
    degraded: str | None = None
    similarities: tuple[float, ...] = ()


class DenseSearch:
    """Asks the vectors of what serves. `embedders`, `former` and `remote` as of `Search`."""

    def __init__(  # the parts that it is made of
        self,
        vectors: Vectors,
        embedders: Mapping[GenerationKind, Embedder],
        former: FormerEmbedders | None,
        weights: Weights,
        *,
        remote: Collection[str],
        shared: SharedMemory | None,
    ) -> None:
        self._vectors = vectors
        self._embedders = embedders
        self._former = former or FormerEmbedders({})
        self._weights = weights
        self._remote = remote
        self.on_missing: Callable[[], None] = lambda: None  # called where the vectors of what serves are gone
        self._quiet_until = 0.0
        self._no_model_until: dict[str, float] = {}  # by name of the model
        embedded = Remembered[Asked, NDArray[np.float32]]("embeddings", most=MOST_KEPT, seconds=KEPT)
        # By whether the model is somebody else's: the local ones take no more than asking for what they made.
        self._embedded = {
            is_remote: Recalled(embedded, "embeddings", shared if is_remote else None, _VECTOR)
            for is_remote in (False, True)
        }

    def keep(self, there: Container[tuple[UUID, UUID, str]]) -> None:
        """As `Search.keep`."""
        self._embedded[True].keep(there)  # both have one memory

    async def __call__(  # what is asked, and of what
        self, request: SearchRequest, served: Served, question: Question, catalogue: Catalogue, scope: Chunks
    ) -> Dense:
        """The nearest passages of what serves, in scope."""
        if served.collection is None:
            return Dense()
        if time.monotonic() < self._quiet_until:
            return Dense(degraded="vectors_unavailable")
        vector = await self._vector(request, served, question.meant)
        if isinstance(vector, str):
            return Dense(degraded=vector)
        try:
            async with asyncio.timeout(_TIMEOUT):
                own = catalogue.ordinals if scope is None else {catalogue.chunk_ids[chunk] for chunk in scope}
                found = await self._ask(served.collection, vector, own, scoped=scope is not None)
        except (VectorsUnavailable, TimeoutError):
            self._quiet_until = time.monotonic() + _PAUSE
            return Dense(degraded="vectors_unavailable")
        except CollectionMissing:
            self.on_missing()
            return Dense(degraded="vectors_missing")
        weight = self._weights.full if served.kind == GenerationKind.FULL else self._weights.quick
        chunks = tuple(catalogue.ordinals[chunk_id] for chunk_id, _ in found)
        return Dense(chunks, weight, similarities=tuple(1.0 - distance for _, distance in found))

    async def _vector(self, request: SearchRequest, served: Served, texts: Sequence[str]) -> NDArray[np.float32] | str:
        """The question's vector by the model that made the generation's, or why there is none."""
        name = served.model or ""
        if time.monotonic() < self._no_model_until.get(name, 0.0):
            return "embedder_unavailable"
        current = self._embedders.get(served.kind)
        try:
            async with asyncio.timeout(_TIMEOUT):
                has_it = current is not None and current.name == name
                embedder = current if has_it else await asyncio.to_thread(self._former.get, name)
                if embedder is None:
                    return "model_changed"
                return await self._embedded[name in self._remote].get(
                    asked_of(request, served, (name, *texts)),
                    lambda: asyncio.to_thread(question_vector, embedder, texts),
                )
        except (InputRefused, TimeoutError):  # of this question alone, or somebody else is at it
            return "embedder_unavailable"
        except (Fault, OSError, RuntimeError):  # of the model: its metrics say which, and how often
            self._no_model_until[name] = time.monotonic() + _PAUSE
            return "embedder_unavailable"

    async def _ask(
        self, collection: str, vector: NDArray[np.float32], own: Collection[str], *, scoped: bool
    ) -> list[tuple[str, float]]:
        """The nearest chunks of the analysis, or of a scope: others may live in the collection, and are passed over."""
        if not vector.any():  # no word that the model knows: near to nothing
            return []
        if scoped and len(own) <= _NAMED_AT_MOST:
            return await self._vectors.query(collection, vector, min(DENSE_DEPTH, len(own)), among=sorted(own))
        limit = DENSE_DEPTH
        while True:
            near = await self._vectors.query(collection, vector, limit)
            found = [each for each in near if each[0] in own][:DENSE_DEPTH]
            if len(found) == DENSE_DEPTH or len(near) < limit or limit >= _MOST_ASKED:
                return found
            limit *= 2
