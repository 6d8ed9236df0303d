"""What runs of earlier analyses of the same repository made: it need not be made again where nothing changed.

The log is asked, so that what a deleted analysis made is not found. Whoever takes something over claims it first.
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256

from pydantic import TypeAdapter
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from events.artifacts import ArtifactKind, ArtifactRef
from events.base import Envelope
from events.log.postgres import ENVELOPE_COLUMNS, envelopes_of
from events.processing import Stage

_ANALYSES = 3  # the newest that are looked at: older ones have nothing that these do not, but after a change of rules
_KEPT = 16
_REFS = TypeAdapter(tuple[ArtifactRef, ...])
_COUNTS = TypeAdapter(dict[str, int])
_BESIDE = text(f"""
SELECT {ENVELOPE_COLUMNS} FROM es.events e JOIN es.feed f USING (position)
WHERE e.stream_id = :stream AND e.type = 'processing.stage.requested' AND e.stage = :stage AND e.event_id <> :mine
  AND NOT EXISTS (
    SELECT FROM es.events d WHERE d.stream_id = e.stream_id AND d.version > e.version AND d.type = ANY (:begun)
      AND d.data->>'run_id' = e.data->>'run_id')
ORDER BY e.version
""")  # noqa: S608  # only our own column names are put in
_BEGUN = [f"processing.stage.{how}" for how in ("started", "completed", "failed", "parked")]
_RUNS = text("""
WITH newest AS (
  SELECT e.stream_id, max(e.position) AS position FROM es.events e JOIN es.streams s USING (stream_id)
  WHERE e.repository_id = :repository AND e.tenant_id = :tenant AND e.type = 'processing.stage.completed'
    AND e.stage = 'clone' AND s.archived_at IS NULL AND e.stream_id <> :mine
  GROUP BY e.stream_id ORDER BY position DESC LIMIT :analyses
)
SELECT e.stream_id, e.stage, (e.data->>'shard')::int AS shard, (e.data->'artifacts')::text AS artifacts,
  (e.data->>'files_processed')::int AS files, (e.data->'counts')::text AS counts
FROM newest n JOIN es.events e USING (stream_id)
WHERE e.type = 'processing.stage.completed' AND e.stage = ANY (:stages)
ORDER BY n.position DESC, e.version DESC
""")


@dataclass(frozen=True)
class EarlierRun:
    """One completed run of an earlier analysis (`stream_id`), what it wrote out of how many files, what it counted."""

    stream_id: str
    stage: Stage
    shard: int
    artifacts: tuple[ArtifactRef, ...]
    files: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)

    def outputs(self, kind: ArtifactKind) -> tuple[ArtifactRef, ...]:
        """Its artifacts of one kind."""
        return tuple(ref for ref in self.artifacts if ref.kind is kind)


def made_from(recipe: str, *inputs: str) -> str:
    """The digest of what makes an artifact (`recipe`: code, grammars, model) and of its inputs' hashes. Pure."""
    return sha256("\n".join((recipe, *inputs)).encode()).hexdigest()


def find_made(runs: Iterable[EarlierRun], stage: Stage, wanted: str) -> EarlierRun | None:
    """The newest run of a stage all of whose artifacts were made from `wanted`. Pure."""
    return next(
        (
            run
            for run in runs
            if run.stage is stage and run.artifacts and all(ref.made_from == wanted for ref in run.artifacts)
        ),
        None,
    )


class EarlierRuns:
    """Reads the log of one database; without one, nothing was ever made."""

    def __init__(self, engine: AsyncEngine | None = None) -> None:
        self._engine = engine
        self._kept: OrderedDict[tuple[str, tuple[Stage, ...]], tuple[EarlierRun, ...]] = OrderedDict()

    async def of(self, envelope: Envelope, *stages: Stage) -> tuple[EarlierRun, ...]:
        """The completed runs of `stages` in the newest other analyses of the envelope's repository, newest first.

        Asked once for an analysis: all its shards see the same.
        """
        if self._engine is None or envelope.repository_id is None:
            return ()
        key = (envelope.stream_id, stages)
        if key not in self._kept:
            self._kept[key] = await self._read(self._engine, envelope, stages)
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return self._kept[key]

    async def beside(self, envelope: Envelope) -> list[Envelope]:
        """The other requests of the same stage of the same analysis that nobody has begun."""
        if self._engine is None:
            return []
        values = {"stream": envelope.stream_id, "stage": envelope.stage, "mine": envelope.event_id, "begun": _BEGUN}
        async with self._engine.connect() as connection:
            return await envelopes_of(connection, await connection.execute(_BESIDE, values))

    async def _read(self, engine: AsyncEngine, envelope: Envelope, stages: tuple[Stage, ...]) -> tuple[EarlierRun, ...]:
        values = {
            "repository": envelope.repository_id,
            "tenant": envelope.tenant_id,
            "mine": envelope.stream_id,
            "stages": [stage.value for stage in stages],
            "analyses": _ANALYSES,
        }
        async with engine.connect() as connection:
            rows = list(await connection.execute(_RUNS, values))
        return tuple(
            EarlierRun(
                row.stream_id,
                Stage(row.stage),
                row.shard,
                _REFS.validate_json(row.artifacts),
                row.files,
                _COUNTS.validate_json(row.counts),
            )
            for row in rows
        )
