"""Link: the graph of a whole repository, from what was parsed of each file."""

import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import pyarrow as pa

from events.artifacts import ArtifactKind, ArtifactRef
from events.base import Envelope
from events.delivery import stages
from events.delivery.work import Result, Run
from events.processing import StageRequested
from processor.jobs.base import Backends, Watched, inputs_of, watched
from processor.linking.own_modules import is_wanted, known_of
from processor.stages.link import EDGE_COLUMNS, MEASURE_COLUMNS, SYMBOL_COLUMNS, Linked, Repository, link
from runtime.faults import Permanent
from runtime.parquet import read_table, rows_in

_TREE = ("path", "language", "shard")
_DEPENDENCIES = ("ecosystem", "name")
_SOURCES = ("path", "content")


@dataclass(frozen=True)
class Link:
    """The job of the link stage. Reads its shards one at a time, and those of edges more than once."""

    backends: Backends

    async def __call__(self, envelope: Envelope, run: Run) -> Result:
        """Resolve imports and calls; store the graph."""
        started_at = datetime.now(UTC)
        request = stages.read(envelope, StageRequested)
        ticker = self.backends.ticker(envelope, request)
        linked = await watched(run, ticker, lambda watch: self._link(request, watch))
        owned = self.backends.of(envelope)
        tables = (
            (ArtifactKind.IMPORTS, linked.imports),
            (ArtifactKind.LINKS, linked.links),
            (ArtifactKind.CONNECTIONS, linked.connections),
        )
        artifacts = []
        for kind, table in tables:
            artifacts.append(await owned.store(kind, 0, table.content, table.num_rows))
        counts = {"imports": linked.imports.num_rows, "links": linked.links.num_rows}
        completed = stages.completed(
            envelope,
            started_at=started_at,
            files_processed=linked.connections.num_rows,
            counts=counts,
            artifacts=artifacts,
            facts=linked.facts,
        )
        return Result((completed,))

    def _link(self, request: StageRequested, watch: Watched) -> Linked:
        """Blocking; on a thread."""
        fetch = _Fetch(self.backends, watch)
        trees = inputs_of(request, ArtifactKind.TREE)
        if not trees:
            raise Permanent("artifact_missing", "The stage was asked for without the repository's tree.")
        paths, wanted = _read_tree(fetch, trees[0])
        manifests = _manifests(request, fetch, wanted)
        dependencies: dict[str, set[str]] = defaultdict(set)
        for ref in inputs_of(request, ArtifactKind.DEPENDENCIES):
            table = fetch.table(ref, _DEPENDENCIES)
            for ecosystem, name in zip(*(table[column].to_pylist() for column in _DEPENDENCIES), strict=True):
                dependencies[ecosystem].add(name.lower())
        columns = tuple(dict.fromkeys((*SYMBOL_COLUMNS, *MEASURE_COLUMNS)))
        repository = Repository(
            paths,
            symbols=lambda: fetch.each(inputs_of(request, ArtifactKind.SYMBOLS), columns),
            edges=lambda: fetch.each(inputs_of(request, ArtifactKind.EDGES), EDGE_COLUMNS),
            known=known_of(manifests, {name: frozenset(found) for name, found in dependencies.items()}),
        )
        return link(repository, lambda doing: watch.look(0, 0, doing))


@dataclass(frozen=True)
class _Fetch:
    """Artifacts, from the thread."""

    backends: Backends
    watch: Watched

    def table(self, ref: ArtifactRef, columns: Sequence[str]) -> pa.Table:
        return read_table(self.content(ref), columns)

    def content(self, ref: ArtifactRef) -> bytes:
        return self.watch.fetch(self.backends, ref)

    def each(self, refs: Sequence[ArtifactRef], columns: Sequence[str]) -> Iterator[tuple[int, pa.Table]]:
        for ref in refs:
            yield ref.shard, self.table(ref, columns)


def _read_tree(fetch: _Fetch, tree: ArtifactRef) -> tuple[dict[str, str | None], dict[int, set[str]]]:
    """The language of each file that was read, and by shard the manifests that name modules of the repository."""
    paths: dict[str, str | None] = {}
    wanted: dict[int, set[str]] = defaultdict(set)
    for path, language, shard in rows_in(fetch.content(tree), _TREE):
        if shard is not None:
            paths[path] = language and sys.intern(language)  # else a string for each file
            if is_wanted(path):
                wanted[shard].add(path)
    return paths, wanted


def _manifests(request: StageRequested, fetch: _Fetch, wanted: Mapping[int, set[str]]) -> Iterator[tuple[str, str]]:
    """Path and text of the wanted manifests, from the shards that have one."""
    for ref in inputs_of(request, ArtifactKind.SOURCES):
        if ref.shard in wanted:
            for path, content in rows_in(fetch.content(ref), _SOURCES):
                if path in wanted[ref.shard]:
                    yield path, content
