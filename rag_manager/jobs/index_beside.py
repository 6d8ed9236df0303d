"""Index in a sandbox: a lexicon of its own, and a collection of the vectors that were recorded of the same texts.

No model is asked: a passage of whose text no vector is recorded has none, is found by its words alone, and is counted.
"""

import asyncio
from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from events.artifacts import ArtifactKind, ArtifactRef
from events.base import Envelope
from events.delivery import stages
from events.delivery.work import Append, Result, Run
from events.index import GenerationKind
from events.processing import StageCompleted, StageRequested
from events.replay.made import read_key
from rag_manager.jobs.base import Backends, inputs_of, repository_of, tables
from rag_manager.jobs.embed_shard import chunks_in
from rag_manager.jobs.fill_collection import Shards, fill
from rag_manager.jobs.index_analysis import IndexAnalysis
from rag_manager.jobs.vector_tables import vectors_of, vectors_table
from rag_manager.ports import Lexicon, VectorsUnavailable
from rag_manager.rows import generations, reading
from rag_manager.rows.generations import Generation
from rag_manager.stages.passage_text import text_hash
from runtime.faults import Transient
from runtime.tenancy import TenantDatabase

Vectors = dict[str, NDArray[np.float32]]  # by the hash of the text


class IndexBeside:
    """The handler of the index stage of a shadow.

    `inside` are the parts of a sandbox; of the vector server only a collection of the shadow's own is written. The
    vectors are those of the best generation that serves, but of the models `remote`: nobody may be asked for a
    question's vector either.
    """

    def __init__(self, inside: Backends, lexicon: Lexicon, remote: Collection[str]) -> None:
        self._inside = inside
        self._lexicon = lexicon
        self._remote = remote

    async def __call__(self, envelope: Envelope, run: Run) -> Result:
        """Build the lexicon and the collection. The result says which vectors there are (`facts`)."""
        request = stages.read(envelope, StageRequested)
        made = await IndexAnalysis(self._inside, self._lexicon)(envelope, run)
        [append] = made.appends
        last = append.drafts[-1]
        assert isinstance(last.event, StageCompleted)  # noqa: S101  # the handler of a stage ends with nothing else
        facts: dict[str, object] = {"generation_kind": GenerationKind.LEXICAL.value, "vectors": 0, "not_recorded": 0}
        if bases := {str(key[0]) for ref in request.inputs if (key := read_key(ref.key)) is not None}:
            facts["passages_of"] = min(bases)
        facts |= await self._vectors(envelope, request, run)
        done = last.model_copy(update={"event": last.event.model_copy(update={"facts": facts})})
        return Result(appends=(Append(append.stream_id, (*append.drafts[:-1], done)),))

    async def _vectors(self, envelope: Envelope, request: StageRequested, run: Run) -> dict[str, object]:
        engine, repository_id = self._inside.engine, repository_of(envelope)
        best = await reading.best_generation(
            TenantDatabase(engine), envelope.tenant_id, repository_id, request.analysis_id, but_of=self._remote
        )
        generation = await generations.get(engine, best) if best is not None else None
        if generation is None or generation.model is None:
            return {}
        ids, _, texts = await chunks_in(self._inside.objects, inputs_of(request, ArtifactKind.CHUNKS))
        hashes = await asyncio.to_thread(lambda: [text_hash(text) for text in texts])
        found, width = await self._recorded(generation, set(hashes))
        run.check()
        hash_of = {chunk_id: hash_ for chunk_id, hash_ in zip(ids, hashes, strict=True) if hash_ in found}
        content = await asyncio.to_thread(
            vectors_table, list(hash_of), list(hash_of.values()), found, generation.model, width
        )
        names = await generations.collection_names(engine)
        collection = names.of(envelope.tenant_id, repository_id, envelope.correlation_id)
        return {
            "generation_kind": generation.kind.value,
            "model": generation.model,
            "vectors": await self._fill(collection, content, len(hash_of)) if hash_of else 0,
            "not_recorded": len(set(ids) - hash_of.keys()),
        }

    async def _fill(self, collection: str, content: bytes, rows: int) -> int:
        """Write the vectors of a table into a collection; how many these are. Raises Transient."""
        stored = await self._inside.objects.put("vectors", ".parquet", content)
        kind, size = ArtifactKind.VECTORS, stored.bytes
        shards = Shards(
            self._inside.objects,
            [ArtifactRef(kind=kind, key=stored.key, sha256=stored.sha256, rows=rows, bytes=size)],
        )
        await shards.read()
        try:
            return await fill(self._inside.vectors, collection, shards)
        except VectorsUnavailable as error:
            raise Transient("index_unavailable", "The vector server does not answer: see whether it runs.") from error

    async def _recorded(self, generation: Generation, wanted: Collection[str]) -> tuple[Vectors, int]:
        """The vectors of these texts, and their length."""
        found: Vectors = {}
        width = 0
        async for _, table in tables(self._inside.objects, generation.artifacts, ("text_sha256", "vector")):
            if not table.num_rows:
                continue
            width = len(table.column("vector")[0])
            matrix, hashes = vectors_of(table, width), table.column("text_sha256").to_pylist()
            found |= {hash_: matrix[row] for row, hash_ in enumerate(hashes) if hash_ in wanted and matrix[row].any()}
        return found, width
