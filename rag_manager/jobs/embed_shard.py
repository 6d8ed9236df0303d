"""Embed the chunks of one shard: a vector for each text, computed once per model."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from itertools import accumulate
from uuid import UUID

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from sqlalchemy.ext.asyncio import AsyncConnection

from events.artifacts import ArtifactKind, ArtifactRef
from events.base import Envelope
from events.delivery import stages
from events.delivery.work import Also, Result, Run
from events.log.earlier import EarlierRun, find_made, made_from
from events.processing import Stage, StageRequested
from rag_manager.jobs.base import Backends, Urgency, inputs_of, tables, ticker
from rag_manager.jobs.embedding import NOT_EMBEDDED, Account, Embedded, Embedding
from rag_manager.jobs.paying import Ends, Took
from rag_manager.jobs.vector_tables import MODEL_KEY, stored_vectors, vectors_of, vectors_table
from rag_manager.jobs.write_ahead import WriteAhead
from rag_manager.ports import Embedder
from rag_manager.rows import embeddings
from rag_manager.stages.passage_text import embedding_text, passage_recipe, text_hash
from runtime.faults import Fault, Permanent
from runtime.live import Ticker
from runtime.objects import Objects, StoredObject
from runtime.parquet import read_table

_MOST_BESIDE = 64  # shards that are taken over in one transaction

_MOST_TOLD = 100  # chunks without a vector that are named one by one
_TAKEN_OVER = Account()
Write = Callable[[AsyncConnection], Awaitable[None]]


class EmbedShard:
    """The handler of embed (`background=False`, quick model) and of refine (`background=True`, full model).

    What an earlier analysis of the repository embedded is taken over: a whole shard of the same chunks, or the texts
    that the shard of the same number has; where something is added to a shard, what it has already. In the background
    all that the tenant ever embedded is looked up besides; with the quick model computing a vector costs less. It lets
    what is more urgent pass first.
    """

    def __init__(
        self, backends: Backends, embedder: Embedder, *, background: bool, ahead: WriteAhead | None = None
    ) -> None:
        """`ahead` writes what was embedded into the collection to come."""
        self._backends = backends
        self._embedder = embedder
        self._background = background
        self._ahead = ahead
        self._urgency = Urgency.REFINED if background else Urgency.READY
        self._sweeping: set[str] = set()
        self.ends = Ends()

    async def __call__(self, envelope: Envelope, run: Run) -> Result:
        """Write the vectors of one shard of chunks."""
        with self.ends.counted(run) as took:
            return await self._embedded(envelope, run, took)

    async def _embedded(self, envelope: Envelope, run: Run, took: Took) -> Result:
        began = datetime.now(UTC)
        request = stages.read(envelope, StageRequested)
        refs = inputs_of(request, ArtifactKind.CHUNKS)
        objects = self._backends.objects.of(envelope.tenant_id, envelope.repository_id)
        digest = self._digest(request)
        runs = await self._backends.earlier.of(envelope, request.stage)
        if request.shard in (taken := await _taken(objects, runs, {request.shard: digest}, request.stage)):
            result = self._result(envelope, began, taken[request.shard][0], files=taken[request.shard][1])
            return replace(result, also=await self._beside(envelope, objects, runs))
        ids, paths, texts = await chunks_in(self._backends.objects, refs)
        hashes = await asyncio.to_thread(lambda: [text_hash(text) for text in texts])
        found = await self._reused(envelope.tenant_id, hashes, await self._earlier_shard(runs, request))
        fresh = {hash_: place for place, hash_ in enumerate(hashes) if hash_ not in found}
        order = sorted(fresh.values(), key=lambda place: (len(texts[place]), place))
        ticks = ticker(self._backends, envelope, request, "passages", foresees=True)
        embedding = Embedding(self._embedder, self._backends.turns, self._urgency, run, took)
        told = partial(_tick, ticks, len(texts), _Order(order, paths, texts))
        made = await embedding([texts[place] for place in order], told)
        if made.fault is not None:
            rows = [(ids[order[row]], hashes[order[row]]) for row in made.taken]
            return await self._broken_off(envelope, objects, made, took, rows)
        found |= {hashes[place]: made.vectors[row] for row, place in enumerate(order)}
        refused = {hashes[order[row]]: code for row, code in made.refused.items()}
        content = await asyncio.to_thread(
            vectors_table, ids, hashes, found, self._embedder.name, self._embedder.dimension
        )
        run.check()
        artifact = _artifact(
            await objects.put("vectors", ".parquet", content), len(ids), request.shard, made_from=digest
        )
        if self._ahead is not None:
            await self._ahead(envelope, artifact, run)
        without = [
            {"chunk_id": ids[row], "path": paths[row], "code": refused[hash_]}
            for row, hash_ in enumerate(hashes)
            if hash_ in refused
        ]
        account = Account(len(fresh) - len(refused), without, took.tokens, took.dollars)
        places = [(hash_, row) for hash_, row in fresh.items() if hash_ not in refused] if self._background else []
        return self._result(envelope, began, artifact, account, files=len(set(paths)), places=places)

    async def _broken_off(
        self,
        envelope: Envelope,
        objects: Objects,
        made: Embedded,
        took: Took,
        rows: Sequence[tuple[str, str]],
    ) -> Result:
        """Say that it failed, and remember the vectors (chunk id and hash, row by row) that were made before.

        Raises the fault where they are not remembered anyway, or cannot be stored.
        """
        fault = made.fault
        assert fault is not None  # noqa: S101  # it broke off
        if not self._background:
            raise fault
        ids, hashes = [chunk_id for chunk_id, _ in rows], [hash_ for _, hash_ in rows]
        found = dict(zip(hashes, made.vectors[made.taken], strict=True))
        content = await asyncio.to_thread(
            vectors_table, ids, hashes, found, self._embedder.name, self._embedder.dimension
        )
        try:
            stored = await objects.put("vectors", ".parquet", content)
        except Fault:
            raise fault from None
        shard = stages.read(envelope, StageRequested).shard
        artifact = _artifact(stored, len(rows), shard)
        places = [(hash_, row) for row, hash_ in enumerate(hashes)]
        return Result(
            appends=took.failed(envelope, fault, artifacts=(artifact,)),
            write=self._remember(envelope, artifact, places),
        )

    def _digest(self, request: StageRequested) -> str:
        chunks = inputs_of(request, ArtifactKind.CHUNKS)
        return made_from(self._embedder.name, passage_recipe(), *(ref.sha256 for ref in chunks))

    async def _beside(self, envelope: Envelope, objects: Objects, runs: Sequence[EarlierRun]) -> tuple[Also, ...]:
        """The other shards that were asked for, nobody has begun, and can be taken over."""
        if envelope.stream_id in self._sweeping:
            return ()
        self._sweeping.add(envelope.stream_id)
        try:
            began = datetime.now(UTC)
            open_ones = (await self._backends.earlier.beside(envelope))[:_MOST_BESIDE]
            asked = {stages.read(one, StageRequested).shard: one for one in open_ones}
            wanted = {shard: self._digest(stages.read(one, StageRequested)) for shard, one in asked.items()}
            taken = await _taken(objects, runs, wanted, stages.read(envelope, StageRequested).stage)
            said = {shard: self._result(asked[shard], began, ref, files=n) for shard, (ref, n) in taken.items()}
            return tuple(Also(asked[shard], append) for shard, result in said.items() for append in result.appends)
        finally:
            self._sweeping.discard(envelope.stream_id)

    def _result(  # what is said of the vectors, and what is remembered of them
        self,
        envelope: Envelope,
        began: datetime,
        artifact: ArtifactRef,
        account: Account = _TAKEN_OVER,
        *,
        files: int,
        places: Sequence[tuple[str, int]] = (),
    ) -> Result:
        return Result(
            appends=(
                stages.completed(
                    envelope,
                    started_at=began,
                    files_processed=files,
                    counts=account.counts(artifact.rows),
                    artifacts=(artifact,),
                    facts={
                        "model": self._embedder.name,
                        "dimension": self._embedder.dimension,
                        **account.facts(_MOST_TOLD),
                    },
                ),
            ),
            write=self._remember(envelope, artifact, places) if places else None,
        )

    def _remember(self, envelope: Envelope, artifact: ArtifactRef, places: Sequence[tuple[str, int]]) -> Write:
        return partial(
            embeddings.remember,
            tenant_id=envelope.tenant_id,
            model=self._embedder.name,
            artifact=artifact,
            places=places,
        )

    async def _earlier_shard(self, runs: Sequence[EarlierRun], request: StageRequested) -> pa.Table | None:
        """The shard's own vectors of before, else those of the newest earlier analysis: most are of the same texts."""
        newest = [run for run in runs if run.stream_id == runs[0].stream_id and run.shard == request.shard]
        of_others = (ref for run in newest for ref in run.artifacts)
        for ref in (*inputs_of(request, ArtifactKind.VECTORS), *of_others):
            try:
                content = await self._backends.objects.get(ref.key, ref.sha256)
                table = await asyncio.to_thread(read_table, content, ["text_sha256", "vector"])
            except Permanent:
                return None
            same_model = (table.schema.metadata or {}).get(MODEL_KEY, b"").decode() == self._embedder.name
            return table if same_model and table.num_rows else None
        return None

    async def _reused(
        self, tenant_id: UUID, hashes: Sequence[str], earlier: pa.Table | None
    ) -> dict[str, NDArray[np.float32]]:
        wanted = set(hashes)
        found: dict[str, NDArray[np.float32]] = {}
        if earlier is not None:
            matrix = vectors_of(earlier, self._embedder.dimension)
            known = earlier.column("text_sha256").to_pylist()
            found = {hash_: matrix[row] for row, hash_ in enumerate(known) if hash_ in wanted}
        if not self._background:
            return found
        found = {hash_: vector for hash_, vector in found.items() if vector.any()}  # what was refused is asked again
        unique = sorted(wanted - found.keys())
        places = await embeddings.known(self._backends.engine, tenant_id, self._embedder.name, unique)
        return found | await stored_vectors(self._backends.objects, places, self._embedder.dimension)


def _artifact(stored: StoredObject, rows: int, shard: int, made_from: str = "") -> ArtifactRef:
    return ArtifactRef(
        kind=ArtifactKind.VECTORS,
        key=stored.key,
        sha256=stored.sha256,
        rows=rows,
        bytes=stored.bytes,
        shard=shard,
        made_from=made_from,
    )


async def _taken(
    objects: Objects, runs: Sequence[EarlierRun], wanted: Mapping[int, str], stage: Stage
) -> dict[int, tuple[ArtifactRef, int]]:
    """Of the shards (digests by number) the vectors made of the same chunks, and of how many files.

    Not of runs in which passages were refused: those are asked again, beside what the run has of the others.
    """
    whole_runs = [run for run in runs if not run.counts.get(NOT_EMBEDDED)]
    made = {shard: find_made(whole_runs, stage, digest) for shard, digest in wanted.items()}
    whole = await objects.take_over_all({ref.key: ref.sha256 for run in made.values() if run for ref in run.artifacts})
    return {
        shard: (run.artifacts[0].model_copy(update={"shard": shard}), run.files)
        for shard, run in made.items()
        if run is not None and run.artifacts[0].key in whole
    }


class _Order:
    """In which order texts are embedded: what is at a place, and which share of all characters is done with it."""

    def __init__(self, order: Sequence[int], paths: Sequence[str], texts: Sequence[str]) -> None:
        self._paths = [paths[place] for place in order]
        self._characters = list(accumulate(len(texts[place]) for place in order))

    def __len__(self) -> int:
        return len(self._paths)

    def path(self, done: int) -> str:
        return self._paths[done - 1]

    def share(self, done: int) -> float:
        return self._characters[done - 1] / max(1, self._characters[-1])


async def _tick(ticks: Ticker, total: int, order: _Order, done: int) -> None:
    await ticks.tick(total - len(order) + done, total, order.path(done), order.share(done))


async def chunks_in(objects: Objects, refs: Sequence[ArtifactRef]) -> tuple[list[str], list[str], list[str]]:
    """Of each chunk its id, its path and the text that is embedded."""
    ids: list[str] = []
    paths: list[str] = []
    texts: list[str] = []
    async for _, table in tables(objects, refs, ("chunk_id", "path", "header", "text")):
        read = await asyncio.to_thread(_embedded_of, table)
        ids, paths, texts = ids + read[0], paths + read[1], texts + read[2]
    return ids, paths, texts


def _embedded_of(table: pa.Table) -> tuple[list[str], list[str], list[str]]:
    columns = table.to_pydict()
    texts = [embedding_text(*pair) for pair in zip(columns["header"], columns["text"], strict=True)]
    return columns["chunk_id"], columns["path"], texts
