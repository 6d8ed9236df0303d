"""What the clone takes over of earlier analyses of the same repository: rows of its tree, whole shards of sources."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from events.artifacts import ArtifactKind, ArtifactRef, TreeRow
from events.log.earlier import EarlierRun
from events.processing import Stage
from processor.jobs.base import Backends, Watched
from processor.stages.known_files import KnownFiles
from runtime.faults import Permanent
from runtime.parquet import read_rows, read_table


@dataclass(frozen=True)
class KnownSources:
    """The tree of one earlier analysis, and its shards by number."""

    files: KnownFiles = field(default_factory=KnownFiles)
    shards: Mapping[int, ArtifactRef] = field(default_factory=dict)


def known_sources(backends: Backends, runs: Sequence[EarlierRun], made_from: str, watch: Watched) -> KnownSources:
    """The newest that was made by the same rules and code, and that can be read. Blocking; on a thread."""
    for run in (run for run in runs if run.stage is Stage.CLONE):
        trees = [ref for ref in run.outputs(ArtifactKind.TREE) if ref.made_from == made_from]
        try:
            if trees:
                tree = read_rows(TreeRow, watch.fetch(backends, trees[0]))
                return KnownSources(KnownFiles(tree), {ref.shard: ref for ref in run.outputs(ArtifactKind.SOURCES)})
        except (Permanent, pa.ArrowException):
            continue  # what is gone or cannot be read is read anew
    return KnownSources()


async def take_over(backends: Backends, refs: Mapping[int, ArtifactRef]) -> dict[int, ArtifactRef]:
    """The shards, by their new numbers, that are this analysis's too from now on; those that are not whole are missing.

    Raises Permanent where nothing may be kept for the repository any more.
    """
    whole = await backends.objects.take_over_all({ref.key: ref.sha256 for ref in refs.values()})
    return {shard: ref.model_copy(update={"shard": shard}) for shard, ref in refs.items() if ref.key in whole}


def texts_of(content: bytes) -> list[str]:
    """The texts in a shard of sources."""
    texts: list[str] = read_table(content, ("content",))["content"].to_pylist()
    return texts
