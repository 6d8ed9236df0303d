"""Let a generation that is complete take over the repository's searches: decide, say so, and move the pointer."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from events.base import Event, derived_id
from events.index import GenerationKind, IndexActivated, IndexBuilt
from rag_manager.rows import ahead, generations
from rag_manager.rows.generations import Generation
from rag_manager.stages.may_serve import Serving, may_serve
from runtime.faults import Transient


@dataclass(frozen=True)
class Change:
    """A generation to be recorded as built, and the pointer's move: from `expected` to `target`, or none."""

    repository_id: UUID
    generation: Generation
    dimension: int | None
    target: Serving | None
    expected: Serving | None
    events: tuple[Event, ...]


def generation_id(analysis_id: UUID, kind: GenerationKind, again: int = 0) -> UUID:
    """The id of an analysis' generation of one kind: built again after a crash, it is the same.

    One that is built beside a serving one, since something was added, has a number of its own: `again`.
    """
    return derived_id("generation", analysis_id, kind, *((again,) if again else ()))


async def activation_of(
    engine: AsyncEngine,
    generation: Generation,
    *,
    repository_id: UUID,
    requested_at: datetime,
    dimension: int | None = None,
) -> Change:
    """What is to be said and done about a complete generation, as the pointer stands now."""
    async with engine.connect() as connection:
        current = await generations.serving(connection, repository_id)
    candidate = Serving(generation.generation_id, generation.analysis_id, generation.kind, requested_at)
    moves = may_serve(candidate, current)
    common = {
        "analysis_id": generation.analysis_id,
        "generation_id": generation.generation_id,
        "kind": generation.kind,
        "chunks": generation.chunks,
        "model": generation.model,
    }
    built = IndexBuilt.model_validate({**common, "dimension": dimension})
    return Change(
        repository_id=repository_id,
        generation=generation,
        dimension=dimension,
        target=candidate if moves else None,
        expected=current,
        events=(built, IndexActivated.model_validate(common)) if moves else (built,),
    )


async def record(connection: AsyncConnection, change: Change) -> None:
    """Write the change. Raises Transient where the pointer moved meanwhile: what was to be said is not true then."""
    await generations.finish(connection, change.generation, dimension=change.dimension)
    if change.generation.kind is GenerationKind.QUICK:
        await ahead.forget(connection, change.generation.analysis_id)
    if change.target is None:
        return
    moved = await generations.move_pointer(
        connection, change.generation.tenant_id, change.repository_id, change.target, expected=change.expected
    )
    if not moved:
        raise Transient("index_moved", "Another generation took over at the same moment: it will be decided again.")
