"""What parsing takes over from earlier analyses of the same repository: a whole shard, or the files that are the same.

A file's rows depend on its path, language, class and bytes, and on the recipe (`parser_recipe`). Files that failed are
tried again.
"""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel

from events.artifacts import ArtifactKind, ArtifactRef, ChunkRow, EdgeRow, OutcomeRow, SymbolRow
from events.log.earlier import EarlierRun, find_made, made_from
from events.processing import Stage
from processor.adapters.parser_pool import ParsedShard
from processor.jobs.base import Backends
from runtime.faults import Permanent
from runtime.parquet import read_table, schema_of

KINDS: Mapping[ArtifactKind, type[BaseModel]] = {
    ArtifactKind.SYMBOLS: SymbolRow,
    ArtifactKind.EDGES: EdgeRow,
    ArtifactKind.CHUNKS: ChunkRow,
    ArtifactKind.OUTCOMES: OutcomeRow,
}
FILES_REUSED = "files_reused"
_IDENTITY = ("path", "blob_id", "language", "file_class")
_MOST_SHARDS = 8  # of an earlier analysis that one shard is put together from
Tables = Mapping[ArtifactKind, pa.Table]


@dataclass(frozen=True)
class TakenShard:
    """A whole shard that was parsed before: its artifacts, now this analysis's as well, its files, what was counted."""

    artifacts: tuple[ArtifactRef, ...]
    files: int
    counts: Mapping[str, int]


def parsed_of(tables: Tables) -> ParsedShard:
    """The tables by their names. Pure."""
    return ParsedShard(
        symbols=tables[ArtifactKind.SYMBOLS],
        edges=tables[ArtifactKind.EDGES],
        chunks=tables[ArtifactKind.CHUNKS],
        outcomes=tables[ArtifactKind.OUTCOMES],
    )


async def take_shards(
    backends: Backends, runs: Sequence[EarlierRun], wanted: Mapping[int, str]
) -> dict[int, TakenShard]:
    """Of the shards (digests by number) those that were made from the same, are whole, and of which no file failed.

    Raises Permanent where nothing may be kept for the repository any more.
    """
    made = {shard: find_made(runs, Stage.PARSE, digest) for shard, digest in wanted.items()}
    usable = {shard: run for shard, run in made.items() if run is not None and _is_whole(run)}
    blobs = {ref.key: ref.sha256 for run in usable.values() for ref in run.artifacts}
    whole = await backends.objects.take_over_all(blobs)
    return {
        shard: TakenShard(
            tuple(ref.model_copy(update={"shard": shard}) for kind in KINDS for ref in run.outputs(kind)),
            run.files,
            {name: count for name, count in run.counts.items() if name != FILES_REUSED},
        )
        for shard, run in usable.items()
        if all(ref.key in whole for ref in run.artifacts)
    }


def _is_whole(run: EarlierRun) -> bool:
    return {ref.kind for ref in run.artifacts} == set(KINDS) and not run.counts.get("failed")


async def take_files(backends: Backends, runs: Sequence[EarlierRun], recipe: str, sources: pa.Table) -> list[Tables]:
    """Rows of files of `sources` that are the same in the newest earlier analysis; none where it cannot be read."""
    for clone in (run for run in runs if run.stage is Stage.CLONE):
        of_clone = [run for run in runs if run.stream_id == clone.stream_id and run.stage is Stage.PARSE]
        parsed = {run.shard: run for run in reversed(of_clone)}  # of several attempts, the newest
        made = {ref.shard: made_from(recipe, ref.sha256) for ref in clone.outputs(ArtifactKind.SOURCES)}
        usable = {n: run for n, run in parsed.items() if find_made((run,), Stage.PARSE, made.get(n, "-")) is not None}
        if usable:
            return await _take_from(backends, clone, usable, sources)
    return []


async def take_own(backends: Backends, refs: Sequence[ArtifactRef], digest: str, sources: pa.Table) -> list[Tables]:
    """The rows that an earlier attempt of the same run made, but for files that failed; none where it cannot be read.

    `refs` are what it wrote; what another recipe made is not looked at.
    """
    if {ref.kind for ref in refs} != set(KINDS) or any(ref.made_from != digest for ref in refs):
        return []
    try:
        return [await _files_of(backends, refs, set(sources["path"].to_pylist()))]
    except (Permanent, ValueError, KeyError, pa.ArrowException):
        return []


async def _take_from(
    backends: Backends, clone: EarlierRun, usable: Mapping[int, EarlierRun], sources: pa.Table
) -> list[Tables]:
    try:
        [tree] = clone.outputs(ArtifactKind.TREE)
        content = await backends.fetch(tree)
        wanted = await asyncio.to_thread(same_files, content, sources)
        chosen = sorted(wanted.keys() & usable.keys(), key=lambda shard: -len(wanted[shard]))[:_MOST_SHARDS]
        return [await _files_of(backends, usable[shard].artifacts, wanted[shard]) for shard in chosen]
    except (Permanent, ValueError, KeyError, pa.ArrowException):
        return []  # what is gone or cannot be read is made again


def same_files(tree: bytes, sources: pa.Table) -> dict[int, set[str]]:
    """The paths of `sources` that a tree has with the same blob, language and class, by the tree's shard. Pure."""
    rows = read_table(tree, (*_IDENTITY, "shard", "skipped"))
    rows = rows.filter(pc.is_in(rows["path"], value_set=sources["path"].combine_chunks()))
    there = {key[0]: key for key in zip(*(sources[name].to_pylist() for name in _IDENTITY), strict=True)}
    found: dict[int, set[str]] = defaultdict(set)
    columns = (rows[name].to_pylist() for name in (*_IDENTITY, "shard", "skipped"))
    for *key, shard, skipped in zip(*columns, strict=True):
        if shard is not None and skipped is None and there.get(key[0]) == tuple(key):
            found[shard].add(key[0])
    return found


async def _files_of(backends: Backends, refs: Sequence[ArtifactRef], paths: Collection[str]) -> Tables:
    by_kind = {ref.kind: ref for ref in refs}
    tables = {kind: await asyncio.to_thread(read_table, await backends.fetch(by_kind[kind])) for kind in KINDS}
    outcomes = tables[ArtifactKind.OUTCOMES]
    pairs = zip(outcomes["path"].to_pylist(), outcomes["outcome"].to_pylist(), strict=True)
    good = pa.array([path for path, outcome in pairs if path in paths and outcome != "failed"], pa.large_string())
    return {kind: table.filter(pc.is_in(table["path"], value_set=good)) for kind, table in tables.items()}


def paths_of(taken: Iterable[Tables]) -> set[str]:
    """The files whose rows were taken over. Pure."""
    return {path for tables in taken for path in tables[ArtifactKind.OUTCOMES]["path"].to_pylist()}


def merge(paths: pa.ChunkedArray, fresh: ParsedShard, taken: Sequence[Tables]) -> ParsedShard:
    """All rows in the order of `paths`, as if every file had been parsed now. Pure."""
    order = paths.combine_chunks()
    parsed: Tables = {
        ArtifactKind.SYMBOLS: fresh.symbols,
        ArtifactKind.EDGES: fresh.edges,
        ArtifactKind.CHUNKS: fresh.chunks,
        ArtifactKind.OUTCOMES: fresh.outcomes,
    }
    return parsed_of({kind: _merged(kind, [parsed[kind], *(each[kind] for each in taken)], order) for kind in KINDS})


def _merged(kind: ArtifactKind, tables: Sequence[pa.Table], order: pa.Array) -> pa.Table:
    schema = schema_of(KINDS[kind])
    whole = pa.concat_tables([table.select(schema.names).cast(schema) for table in tables])
    places = pc.index_in(whole["path"], value_set=order).to_numpy()
    return whole.take(pa.array(places.argsort(kind="stable"))).combine_chunks()
