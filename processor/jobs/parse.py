"""Parse: symbols, edges, chunks and outcomes of one shard of sources."""

import asyncio
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pyarrow as pa

from events.artifacts import ArtifactKind, ArtifactRef
from events.base import Envelope
from events.delivery import stages
from events.delivery.work import Result, Run
from events.processing import StageRequested
from processor.adapters.parser_pool import ParsedShard, ParserPool
from processor.jobs.base import Backends, inputs_of
from runtime.faults import Permanent
from runtime.parquet import read_table, write_table

_COLUMNS = ("path", "language", "file_class", "content")
_FAILED = "failed."


@dataclass(frozen=True)
class Parse:
    """The job of the parse stage."""

    backends: Backends
    pool: ParserPool

    async def __call__(self, envelope: Envelope, run: Run) -> Result:
        """Parse the shard; files that fail are counted by their reason, and do not fail the run."""
        started_at = datetime.now(UTC)
        request = stages.read(envelope, StageRequested)
        refs = inputs_of(request, ArtifactKind.SOURCES)
        if len(refs) != 1:
            raise Permanent("artifact_missing", "The stage was asked for without one shard of sources.")
        table = await asyncio.to_thread(read_table, await self.backends.fetch(refs[0]), _COLUMNS)
        ticker = self.backends.ticker(envelope, request)
        parsed = await self.pool.parse(table, on_progress=ticker.tick, cancelled=lambda: run.cancelled)
        owned = replace(self, backends=self.backends.of(envelope))
        artifacts = [await owned._store(kind, request.shard, rows) for kind, rows in _tables(parsed)]
        counts = parsed.counts
        completed = stages.completed(
            envelope,
            started_at=started_at,
            files_processed=table.num_rows,
            counts={name: count for name, count in counts.items() if not name.startswith(_FAILED)},
            artifacts=artifacts,
            facts={
                "failed": {
                    name.removeprefix(_FAILED): count for name, count in counts.items() if name.startswith(_FAILED)
                }
            },
        )
        return Result((completed,))

    async def _store(self, kind: ArtifactKind, shard: int, table: pa.Table) -> ArtifactRef:
        content = await asyncio.to_thread(write_table, table)
        return await self.backends.store(kind, shard, content, table.num_rows)


def _tables(parsed: ParsedShard) -> list[tuple[ArtifactKind, pa.Table]]:
    return [
        (ArtifactKind.SYMBOLS, parsed.symbols),
        (ArtifactKind.EDGES, parsed.edges),
        (ArtifactKind.CHUNKS, parsed.chunks),
        (ArtifactKind.OUTCOMES, parsed.outcomes),
    ]
