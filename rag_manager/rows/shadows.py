"""Shadows of indexes: what was asked of one, what it came to, and the collections that they have.

Rows of the schema `sandbox`, which the orchestrator writes and `events.replay.sandbox` ends. Here they are read, and
it is said of one that it was promoted.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from events.base import Envelope
from events.processing import Stage, StageCompleted
from rag_manager.stages.collection_names import CollectionNames

_RUN = text("""
SELECT request::text AS request, result::text AS result FROM sandbox.runs
WHERE shadow_id = :shadow AND tenant_id = :tenant AND stage = :stage AND state = 'done'
""")
_ALL = text("""
SELECT shadow_id, tenant_id, CAST(request ->> 'repository_id' AS uuid) AS repository_id FROM sandbox.runs
WHERE stage = :stage
""")
_THERE = text("SELECT DISTINCT shadow_id FROM sandbox.runs WHERE shadow_id = ANY (:shadows)")
_PROMOTED = text("""
UPDATE sandbox.shadows SET promoted_at = clock_timestamp()
WHERE shadow_id = :shadow AND state = 'done' AND promoted_at IS NULL RETURNING shadow_id
""")


@dataclass(frozen=True)
class IndexRun:
    """The run that made a shadow of an index."""

    request: Envelope
    result: StageCompleted

    @property
    def facts(self) -> Mapping[str, Any]:
        """What it said of its vectors."""
        return self.result.facts


async def index_run(engine: AsyncEngine, tenant_id: UUID, shadow_id: UUID) -> IndexRun | None:
    """The run of a shadow of the tenant, once it is done."""
    values = {"shadow": shadow_id, "tenant": tenant_id, "stage": Stage.INDEX.value}
    async with engine.connect() as connection:
        row = (await connection.execute(_RUN, values)).first()
    if row is None:
        return None
    return IndexRun(Envelope.model_validate_json(row.request), StageCompleted.model_validate_json(row.result))


async def collections(engine: AsyncEngine, names: CollectionNames) -> set[str]:
    """The names of the collections that shadows have, or are about to have."""
    async with engine.connect() as connection:
        rows = await connection.execute(_ALL, {"stage": Stage.INDEX.value})
        return {names.of(row.tenant_id, row.repository_id, row.shadow_id) for row in rows}


async def there(engine: AsyncEngine, shadow_ids: Collection[UUID]) -> frozenset[UUID]:
    """Of these shadows, those that still have a run."""
    async with engine.connect() as connection:
        return frozenset((await connection.execute(_THERE, {"shadows": list(shadow_ids)})).scalars())


async def promote(connection: AsyncConnection, shadow_id: UUID) -> bool:
    """Say that a shadow was promoted; whether it could be, and was not before. Does not commit."""
    return (await connection.execute(_PROMOTED, {"shadow": shadow_id})).first() is not None
