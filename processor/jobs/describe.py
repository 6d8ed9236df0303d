"""Metadata and structure: what is said about a repository, from its artifacts alone."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.compute as pc

from events.artifacts import ArtifactKind, ArtifactRef, DependencyRow, SourceRow, TreeRow
from events.base import Envelope
from events.delivery import stages
from events.delivery.work import Result, Run
from events.processing import StageRequested
from processor.adapters.manifest_process import read_apart
from processor.jobs.base import Backends, Watched, inputs_of, watched
from processor.manifests.model import Manifest
from processor.manifests.registry import read_manifest
from processor.ports import MAX_FILE_BYTES
from processor.stages.choose_files import Chosen, choose_files
from processor.stages.describe_structure import describe_structure
from processor.stages.gather_metadata import Gathered, gather_metadata
from runtime.faults import Permanent
from runtime.parquet import each_row, read_table, shape_of, write_rows
from runtime.redaction import redact_lines


@dataclass(frozen=True)
class Metadata:
    """The job of the metadata stage. Reads only the shards that have a file it wants, one at a time."""

    backends: Backends

    async def __call__(self, envelope: Envelope, run: Run) -> Result:
        """Gather README, licence, dependencies and the like."""
        started_at = datetime.now(UTC)
        request = stages.read(envelope, StageRequested)
        ticker = self.backends.ticker(envelope, request)
        tree = await read_tree(self.backends, request)
        chosen = await asyncio.to_thread(lambda: choose_files(each_row(TreeRow, tree)))
        sources: list[SourceRow] = []
        for done, ref in enumerate(inputs_of(request, ArtifactKind.SOURCES)):
            run.check()
            paths = frozenset(chosen.wanted.get(ref.shard, ()))
            if paths:
                await ticker.tick(done, len(request.inputs), min(paths))
                sources += await asyncio.to_thread(_rows_at, paths, await self.backends.fetch(ref))
        for ref in inputs_of(request, ArtifactKind.LOCKS):
            sources += await self.backends.rows(SourceRow, ref)
        found = await watched(run, ticker, lambda watch: _gather(sources, chosen, watch))
        stored = await self._store(envelope, found.dependencies)
        await ticker.tick(len(request.inputs), len(request.inputs))
        dependencies, config = found.facts["dependencies_found"], found.facts["config_files"]
        counts = {
            "dependencies": dependencies if isinstance(dependencies, int) else 0,
            "config_files": config if isinstance(config, int) else 0,
        }
        completed = stages.completed(
            envelope,
            started_at=started_at,
            files_processed=len(sources),
            counts=counts,
            artifacts=stored,
            metadata_extracted=found.facts,
        )
        return Result((completed,))

    async def _store(self, envelope: Envelope, rows: list[DependencyRow]) -> tuple[ArtifactRef, ...]:
        """All dependencies as an artifact; none where there are none."""
        if not rows:
            return ()
        content = await asyncio.to_thread(write_rows, DependencyRow, rows)
        return (await self.backends.of(envelope).store(ArtifactKind.DEPENDENCIES, 0, content, len(rows)),)


def _rows_at(paths: frozenset[str], content: bytes) -> list[SourceRow]:
    table = read_table(content)
    wanted = table.filter(pc.is_in(table["path"], value_set=pa.array(sorted(paths), pa.large_string())))
    return [SourceRow.model_construct(**row) for row in wanted.to_pylist()]


def _gather(sources: list[SourceRow], chosen: Chosen, watch: Watched) -> Gathered:
    def read_one(path: str, content: str) -> Manifest:
        return read_apart(path, content, watch) if len(content) > MAX_FILE_BYTES else read_manifest(path, content)

    told = [row.model_copy(update={"content": redact_lines(row.content, row.path)}) for row in sources]
    return gather_metadata(chosen, told, lambda path: watch.look(0, 0, path), read_one)


@dataclass(frozen=True)
class Structure:
    """The job of the structure stage."""

    backends: Backends

    async def __call__(self, envelope: Envelope, run: Run) -> Result:
        """Say which languages, folders and classes of files there are."""
        started_at = datetime.now(UTC)
        request = stages.read(envelope, StageRequested)
        tree = await read_tree(self.backends, request)
        run.check()
        facts = await asyncio.to_thread(lambda: describe_structure(each_row(TreeRow, tree)))
        entries, _ = shape_of(tree)
        await self.backends.ticker(envelope, request, "files").tick(entries, entries)
        languages = facts["languages"]
        completed = stages.completed(
            envelope,
            started_at=started_at,
            files_processed=entries,
            counts={"languages": len(languages) if isinstance(languages, dict) else 0},
            facts=facts,
        )
        return Result((completed,))


async def read_tree(backends: Backends, request: StageRequested) -> bytes:
    """The run's tree, as Parquet. Raises Permanent where the run was asked for without one."""
    refs = inputs_of(request, ArtifactKind.TREE)
    if not refs:
        raise Permanent("artifact_missing", "The stage was asked for without the repository's tree.")
    return await backends.fetch(refs[0])
