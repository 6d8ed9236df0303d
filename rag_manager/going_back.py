"""Go back to an earlier full generation of an analysis while it is kept, or forward again: nothing is embedded.

The orchestrator decides that nothing is being embedded, on the history as it read it. Here the event, the generation
and the pointer change in one transaction: a search has the one or the other, and whoever dies in between changed
nothing. Nor is anything changed that nobody waits for any more: what is being looked at goes on, and is known to
whoever asks again. What a person chose stays until another model is set than was then, or something new is built.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

import pyarrow as pa

from events.base import Draft, derived_id
from events.collection import GenerationChoice, KeptGeneration, KeptGenerations
from events.index import IndexActivated
from events.log.journal import WrongExpectedVersion
from events.log.postgres import append_in
from rag_manager.housekeeping import Graces
from rag_manager.jobs.base import Backends, tables
from rag_manager.jobs.fill_collection import Shards, is_whole
from rag_manager.ports import VectorsUnavailable
from rag_manager.rows import choosing, generations, sharing
from rag_manager.rows.generations import Generation
from rag_manager.stages.may_serve import Serving
from runtime.faults import Permanent, Transient
from runtime.tasks import end_tasks

_UNKNOWN = "No generation of the analysis has that id, or it is not kept any more: list those that are."
_REPLACED = "A newer analysis of the repository is searched: choose among its generations."
_MUTE = "Questions cannot be embedded by its model here: name that by REPOSTREAM_FORMER_EMBEDDER… first."
_OUTDATED = "Passages were added since it was made, which it has no vectors of: have it embedded anew instead."
_MOVED = "Something happened to the analysis at the same moment: it will be decided again."
_LOOKING = "Its vectors are being looked at, which takes a while for so many: try again in a moment."
_UNAVAILABLE = "Its vectors do not answer: try again in a moment, they are looked after."
_WAITED = 9.0  # seconds: the orchestrator waits for twelve, and what is decided has to be written in them
_KNOWN = 16  # comparisons whose outcome is kept for whoever asks again


@dataclass(frozen=True)
class Models:
    """The model that is `wanted` for full generations, and whether questions can be embedded by another one."""

    wanted: str
    has: Callable[[str], bool]

    def can_ask(self, model: str) -> bool:
        """Whether questions can be embedded by it."""
        return model == self.wanted or self.has(model)


class GoingBack:
    """Tells what is kept, and has one of it serve."""

    def __init__(self, backends: Backends, models: Models, graces: Graces, *, patience: float = _WAITED) -> None:
        """`patience` is for how many seconds a choice is looked at before nothing is changed any more."""
        self._backends = backends
        self._models = models
        self._graces = graces
        self._patience = patience
        self._compared: dict[tuple[UUID, int], asyncio.Task[bool]] = {}

    async def kept(self, tenant_id: UUID, analysis_id: UUID) -> KeptGenerations:
        """The full generations that searches of an analysis could go to; none of one that nobody has."""
        graces = (self._graces.generation, self._graces.model)
        found = await choosing.kept(self._backends.engine, tenant_id, analysis_id, graces)
        items = tuple(
            KeptGeneration.model_validate(vars(one) | {"asked": self._models.can_ask(one.model)}) for one in found
        )
        return KeptGenerations(analysis_id=analysis_id, wanted=self._models.wanted, items=items)

    async def __call__(self, choice: GenerationChoice) -> KeptGenerations:
        """Have one serve; where it does, that is all.

        Raises Permanent `generation_unknown`, `analysis_replaced`, `embedder_not_set`, `generation_outdated`,
        `index_moved`; Transient `index_unavailable`.
        """
        try:
            async with asyncio.timeout(self._patience):
                generation, repository_id, current = await self._looked(choice)
                serves = current.generation_id == generation.generation_id
                if not serves:
                    await self._check(generation, choice.expected)
        except TimeoutError:
            raise Transient("index_unavailable", _LOOKING) from None
        if not serves:
            await self._move(choice, generation, repository_id, current)
        return await self.kept(choice.context.tenant_id, choice.analysis_id)

    async def close(self) -> None:
        """End what is being looked at."""
        await end_tasks(self._compared.values())

    async def _looked(self, choice: GenerationChoice) -> tuple[Generation, UUID, Serving]:
        """The generation that is chosen, its repository, and what serves that."""
        engine = self._backends.engine
        kept = await self.kept(choice.context.tenant_id, choice.analysis_id)
        generation = await generations.get(engine, choice.generation_id)
        repository_id = await generations.repository_of(engine, choice.generation_id)
        if (
            generation is None
            or repository_id is None
            or all(one.generation_id != choice.generation_id for one in kept.items)
        ):
            raise Permanent("generation_unknown", _UNKNOWN)
        async with engine.connect() as connection:
            current = await generations.serving(connection, repository_id)
        if current is None or current.analysis_id != choice.analysis_id:
            raise Permanent("analysis_replaced", _REPLACED)
        return generation, repository_id, current

    async def _check(self, generation: Generation, expected: int) -> None:
        """Raise where searches would be worse off than by words and vectors of all that there is."""
        if not self._models.can_ask(generation.model or ""):
            raise Permanent("embedder_not_set", _MUTE)
        objects, engine = self._backends.objects, self._backends.engine
        if not await self._has_all(generation, expected):
            raise Permanent("generation_outdated", _OUTDATED)
        shards, collection = Shards(objects, generation.artifacts[:1]), generation.collection or ""
        await shards.read()
        shared = collection in await sharing.shared(engine)
        try:
            whole = await is_whole(self._backends.vectors, collection, generation.vectors, shards.probes, shared=shared)
        except VectorsUnavailable as error:
            raise Transient("index_unavailable", _UNAVAILABLE) from error
        if not whole:
            raise Transient("index_unavailable", _UNAVAILABLE)

    async def _has_all(self, generation: Generation, expected: int) -> bool:
        """Whether it has every passage. That goes on where nobody waits: of the same history it is the same."""
        key = (generation.generation_id, expected)
        task = self._compared.pop(key, None)
        if task is None or (task.done() and task.exception() is not None):
            task = asyncio.create_task(self._compare(generation))
        self._compared[key] = task
        for old in [old for old, each in self._compared.items() if each.done()][:-_KNOWN]:
            del self._compared[old]
        return await asyncio.shield(task)

    async def _compare(self, generation: Generation) -> bool:
        objects, engine = self._backends.objects, self._backends.engine
        missing = await choosing.passages(engine, generation.analysis_id)
        async for _, table in tables(objects, generation.artifacts, ("chunk_id",)):
            await asyncio.to_thread(_cross_off, missing, table)
        return not missing

    async def _move(
        self, choice: GenerationChoice, generation: Generation, repository_id: UUID, current: Serving
    ) -> None:
        target = Serving(generation.generation_id, generation.analysis_id, generation.kind, current.requested_at)
        over = self._models.wanted if generation.model != self._models.wanted else None
        async with self._backends.engine.begin() as connection:
            try:
                draft = _draft(choice, generation, current)
                await append_in(connection, f"analysis/{choice.analysis_id}", [draft], expected=choice.expected)
            except WrongExpectedVersion:
                raise Permanent("index_moved", _MOVED) from None
            moved = await choosing.choose(
                connection, generation.tenant_id, repository_id, target, current=current, chosen_over=over
            )
            if not moved:
                raise Permanent("index_moved", _MOVED)


def _cross_off(missing: set[str], table: pa.Table) -> None:
    missing.difference_update(table.column("chunk_id").to_pylist())


def _draft(choice: GenerationChoice, generation: Generation, current: Serving) -> Draft:
    event = IndexActivated(
        analysis_id=generation.analysis_id,
        generation_id=generation.generation_id,
        kind=generation.kind,
        chunks=generation.chunks,
        model=generation.model,
        instead_of=current.generation_id,
    )
    return Draft(
        event_id=derived_id("chosen", generation.generation_id, choice.expected),
        occurred_at=choice.at,
        context=choice.context,
        event=event,
    )
