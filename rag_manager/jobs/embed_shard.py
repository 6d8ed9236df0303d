"""Embed the chunks of one shard: a vector for each text, computed once per model."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from uuid import UUID

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from events.artifacts import ArtifactKind, ArtifactRef, VectorRow
from events.base import Envelope
from events.delivery import stages
from events.delivery.work import Result, Run
from events.processing import StageRequested
from rag_manager.jobs.base import Backends, Urgency, inputs_of, tables, ticker
from rag_manager.ports import Embedder
from rag_manager.rows import embeddings
from rag_manager.rows.embeddings import VectorPlace
from rag_manager.stages.passage_text import embedding_text, text_hash
from runtime.faults import Fault
from runtime.live import Ticker
from runtime.objects import Objects
from runtime.parquet import read_table, schema_of, write_table

Ticked = Callable[[int], Awaitable[None]]

_BACKGROUND_BATCH = 16  # texts between two moments at which others are let pass

MODEL_KEY = b"repostream.model"  # which model made the vectors: in the artifact's schema metadata


class EmbedShard:
    """The handler of embed (`background=False`, quick model) and of refine (`background=True`, full model).

    It lets what is more urgent pass first. In the background it looks up what was embedded before; with the quick model
    computing a vector costs less than looking it up.
    """

    def __init__(self, backends: Backends, embedder: Embedder, *, background: bool) -> None:
        self._backends = backends
        self._embedder = embedder
        self._background = background

    async def __call__(self, envelope: Envelope, run: Run) -> Result:
        """Write the vectors of one shard of chunks."""
        began = datetime.now(UTC)
        request = stages.read(envelope, StageRequested)
        ids, paths, texts = await _chunks(self._backends.objects, inputs_of(request, ArtifactKind.CHUNKS))
        hashes = await asyncio.to_thread(lambda: [text_hash(text) for text in texts])
        found = await self._reused(envelope.tenant_id, hashes)
        fresh = {hash_: place for place, hash_ in enumerate(hashes) if hash_ not in found}
        order = sorted(fresh.values(), key=lambda place: (len(texts[place]), place))
        ticks = ticker(self._backends, envelope, request)
        found |= await self._embedded(order, hashes, texts, run, partial(_tick, ticks, len(texts), order, paths))
        content = await asyncio.to_thread(_table_bytes, ids, hashes, found, self._embedder)
        run.check()
        objects = self._backends.objects.of(envelope.tenant_id, envelope.repository_id)
        stored = await objects.put("vectors", ".parquet", content)
        artifact = ArtifactRef(
            kind=ArtifactKind.VECTORS,
            key=stored.key,
            sha256=stored.sha256,
            rows=len(ids),
            bytes=stored.bytes,
            shard=request.shard,
        )
        places = list(fresh.items()) if self._background else []
        return Result(
            appends=(
                stages.completed(
                    envelope,
                    started_at=began,
                    files_processed=len(set(paths)),
                    counts={"chunks": len(ids), "embedded": len(fresh), "reused": len(ids) - len(fresh)},
                    artifacts=(artifact,),
                    facts={"model": self._embedder.name, "dimension": self._embedder.dimension},
                ),
            ),
            write=partial(
                embeddings.remember,
                tenant_id=envelope.tenant_id,
                model=self._embedder.name,
                artifact=artifact,
                places=places,
            )
            if places
            else None,
        )

    async def _reused(self, tenant_id: UUID, hashes: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        if not self._background:
            return {}
        unique = sorted(set(hashes))
        places = await embeddings.known(self._backends.engine, tenant_id, self._embedder.name, unique)
        return await stored_vectors(self._backends.objects, places, self._embedder.dimension)

    async def _embedded(
        self, order: Sequence[int], hashes: Sequence[str], texts: Sequence[str], run: Run, ticked: Ticked
    ) -> dict[str, NDArray[np.float32]]:
        found: dict[str, NDArray[np.float32]] = {}
        urgency = Urgency.REFINED if self._background else Urgency.READY
        size = min(self._embedder.max_batch, _BACKGROUND_BATCH) if self._background else self._embedder.max_batch
        for start in range(0, len(order), size):
            run.check()
            batch = [texts[place] for place in order[start : start + size]]
            await self._backends.turns.give_way(urgency)
            with self._backends.turns.working(urgency):
                vectors = await asyncio.to_thread(self._embedder.embed, batch)
            found |= {hashes[place]: vectors[row] for row, place in enumerate(order[start : start + size])}
            await ticked(min(start + size, len(order)))
        return found


async def _tick(ticks: Ticker, total: int, order: Sequence[int], paths: Sequence[str], done: int) -> None:
    await ticks.tick(total - len(order) + done, total, paths[order[done - 1]])


async def _chunks(objects: Objects, refs: Sequence[ArtifactRef]) -> tuple[list[str], list[str], list[str]]:
    ids: list[str] = []
    paths: list[str] = []
    texts: list[str] = []
    async for _, table in tables(objects, refs, ("chunk_id", "path", "header", "text")):
        columns = table.to_pydict()
        ids += columns["chunk_id"]
        paths += columns["path"]
        texts += [embedding_text(*pair) for pair in zip(columns["header"], columns["text"], strict=True)]
    return ids, paths, texts


async def stored_vectors(
    objects: Objects, places: Mapping[str, VectorPlace], dimension: int
) -> dict[str, NDArray[np.float32]]:
    """The vectors at these places; what cannot be read any more is left out, and embedded again."""
    by_artifact: dict[tuple[str, str], list[tuple[str, int]]] = {}
    for hash_, place in places.items():
        by_artifact.setdefault((place.key, place.sha256), []).append((hash_, place.row))
    found: dict[str, NDArray[np.float32]] = {}
    for (key, sha256), rows in by_artifact.items():
        try:
            table = await asyncio.to_thread(read_table, await objects.get(key, sha256), ["vector"])
        except Fault:
            continue
        matrix = vectors_of(table, dimension)
        found |= {hash_: matrix[row] for hash_, row in rows if row < len(matrix)}
    return found


def vectors_of(table: pa.Table, dimension: int) -> NDArray[np.float32]:
    """The vectors of a table of VectorRow, shape (rows, dimension)."""
    flat = table.column("vector").combine_chunks().flatten()
    return np.asarray(flat.to_numpy(zero_copy_only=False), dtype=np.float32).reshape(-1, dimension)


def _table_bytes(
    ids: Sequence[str], hashes: Sequence[str], found: Mapping[str, NDArray[np.float32]], embedder: Embedder
) -> bytes:
    width = embedder.dimension
    flat = np.concatenate([found[hash_] for hash_ in hashes]) if hashes else np.empty(0, np.float32)
    offsets = np.arange(0, len(hashes) * width + 1, width, dtype=np.int32)
    schema = schema_of(VectorRow).with_metadata({MODEL_KEY: embedder.name.encode()})
    vectors = pa.ListArray.from_arrays(offsets, pa.array(flat, pa.float32()))
    return write_table(
        pa.Table.from_arrays(
            [pa.array(ids, pa.large_string()), pa.array(hashes, pa.large_string()), vectors], schema=schema
        )
    )
