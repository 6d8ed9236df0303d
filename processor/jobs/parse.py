"""Parse: symbols, edges, chunks and outcomes of one shard of sources."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.compute as pc

from events.artifacts import ArtifactKind, ArtifactRef
from events.base import Envelope
from events.delivery import stages
from events.delivery.work import Also, Append, Result, Run
from events.log.earlier import EarlierRun, made_from
from events.processing import Stage, StageRequested
from processor.adapters.parser_pool import ParsedShard, ParserPool
from processor.adapters.parser_recipe import parser_recipe
from processor.jobs.base import Backends, inputs_of
from processor.jobs.taken_over import (
    FILES_REUSED,
    KINDS,
    TakenShard,
    merge,
    paths_of,
    take_files,
    take_own,
    take_shards,
)
from runtime.faults import Permanent
from runtime.live import Ticker
from runtime.memory import give_back
from runtime.parquet import read_table, write_table

_COLUMNS = ("path", "blob_id", "language", "file_class", "content")
_FAILED = "failed."
_MOST_BESIDE = 64  # shards that are taken over in one transaction


@dataclass(frozen=True)
class Parse:
    """The job of the parse stage. `sweeping` are the streams of which somebody looks at all shards at this moment."""

    backends: Backends
    pool: ParserPool
    sweeping: set[str] = field(default_factory=set)

    async def __call__(self, envelope: Envelope, run: Run) -> Result:
        """Parse the shard; files that fail are counted by their reason, and do not fail the run.

        Where its inputs have what an earlier attempt made, only the files that failed in that are parsed. A shard that
        is taken over takes the others along that can be.
        """
        started_at = datetime.now(UTC)
        request = stages.read(envelope, StageRequested)
        sources = _sources_of(request)
        owned = replace(self, backends=self.backends.of(envelope))
        runs = await self.backends.earlier.of(envelope, Stage.CLONE, Stage.PARSE)
        digest = self._digest(sources)
        if request.shard in (taken := await take_shards(owned.backends, runs, {request.shard: digest})):
            return Result(
                (_taken_over(envelope, taken[request.shard], started_at),), also=await owned._beside(envelope, runs)
            )
        ticker = self.backends.ticker(envelope, request, "files", foresees=True)
        parsed, reused = await owned._parse(request, runs, run, ticker)
        artifacts = [await owned._store(kind, request.shard, rows, digest) for kind, rows in _tables(parsed)]
        counts = parsed.counts
        del parsed
        await asyncio.to_thread(give_back)
        completed = stages.completed(
            envelope,
            started_at=started_at,
            files_processed=counts["files"],
            counts={
                **{name: count for name, count in counts.items() if not name.startswith(_FAILED)},
                FILES_REUSED: reused,
            },
            artifacts=artifacts,
            facts={
                "failed": {
                    name.removeprefix(_FAILED): count for name, count in counts.items() if name.startswith(_FAILED)
                }
            },
        )
        return Result((completed,))

    async def _beside(self, envelope: Envelope, runs: Sequence[EarlierRun]) -> tuple[Also, ...]:
        """The other shards that were asked for, nobody has begun, and can be taken over."""
        if envelope.stream_id in self.sweeping:
            return ()
        self.sweeping.add(envelope.stream_id)
        try:
            began = datetime.now(UTC)
            asked = {
                stages.read(one, StageRequested).shard: one for one in await self.backends.earlier.beside(envelope)
            }
            asked = dict(list(asked.items())[:_MOST_BESIDE])
            wanted = {
                shard: self._digest(_sources_of(stages.read(one, StageRequested))) for shard, one in asked.items()
            }
            taken = await take_shards(self.backends, runs, wanted)
            return tuple(Also(asked[shard], _taken_over(asked[shard], each, began)) for shard, each in taken.items())
        finally:
            self.sweeping.discard(envelope.stream_id)

    def _digest(self, sources: ArtifactRef) -> str:
        return made_from(parser_recipe(self.pool.limits), sources.sha256)

    async def _parse(
        self, request: StageRequested, runs: Sequence[EarlierRun], run: Run, ticker: Ticker
    ) -> tuple[ParsedShard, int]:
        """Parse the files that earlier runs do not have; all rows, and how many files were taken over."""
        [sources] = inputs_of(request, ArtifactKind.SOURCES)
        recipe = parser_recipe(self.pool.limits)
        table = await asyncio.to_thread(read_table, await self.backends.fetch(sources), _COLUMNS)
        own = [ref for ref in request.inputs if ref.kind in KINDS]
        taken = await take_own(self.backends, own, made_from(recipe, sources.sha256), table)
        taken = taken or await take_files(self.backends, runs, recipe, table)
        reused = pa.array(sorted(paths_of(taken)), pa.large_string())
        rest = table.filter(pc.invert(pc.is_in(table["path"], value_set=reused)))
        parsed = await self.pool.parse(rest, on_progress=ticker.tick, cancelled=lambda: run.cancelled)
        if taken:
            parsed = await asyncio.to_thread(merge, table["path"], parsed, taken)
        return parsed, len(reused)

    async def _store(self, kind: ArtifactKind, shard: int, table: pa.Table, digest: str) -> ArtifactRef:
        content = await asyncio.to_thread(write_table, table)
        return await self.backends.store(kind, shard, content, table.num_rows, made_from=digest)


def _sources_of(request: StageRequested) -> ArtifactRef:
    refs = inputs_of(request, ArtifactKind.SOURCES)
    if len(refs) != 1:
        raise Permanent("artifact_missing", "The stage was asked for without one shard of sources.")
    return refs[0]


def _taken_over(envelope: Envelope, taken: TakenShard, started_at: datetime) -> Append:
    return stages.completed(
        envelope,
        started_at=started_at,
        files_processed=taken.files,
        counts={**taken.counts, FILES_REUSED: taken.files},
        artifacts=taken.artifacts,
        facts={"failed": {}},
    )


def _tables(parsed: ParsedShard) -> list[tuple[ArtifactKind, pa.Table]]:
    return [
        (ArtifactKind.SYMBOLS, parsed.symbols),
        (ArtifactKind.EDGES, parsed.edges),
        (ArtifactKind.CHUNKS, parsed.chunks),
        (ArtifactKind.OUTCOMES, parsed.outcomes),
    ]
