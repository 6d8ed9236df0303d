"""Let the index that a shadow made take the place of the one that serves: its rows, lexicon and events at once.

The orchestrator decides that it may, on the history as it read it; where that goes on meanwhile, nothing is changed.
The vectors are those of the same passages, and stay.
"""

from collections.abc import Sequence

from events.artifacts import ArtifactKind, ArtifactRef
from events.base import Draft, Event, derived_id
from events.beside import IndexPromotion
from events.index import GenerationKind
from events.log.earlier import made_from
from events.log.journal import WrongExpectedVersion
from events.log.postgres import append_in
from events.processing import Stage, StageRequested
from events.replay.made import made_key
from events.replay.sandbox import SandboxObjects
from rag_manager.jobs.activation import activation_of, generation_id
from rag_manager.jobs.base import Backends, repository_of
from rag_manager.jobs.index_analysis import plan_of, rows_of_plan, write
from rag_manager.ports import Lexicon
from rag_manager.rows import reading, shadows
from rag_manager.rows.generations import Generation
from rag_manager.rows.indexing import AnalysisRow
from rag_manager.rows.shadows import IndexRun
from rag_manager.stages.passage_text import passage_recipe
from runtime.faults import Permanent
from runtime.tenancy import TenantDatabase


class PromoteIndex:
    """`lexicon` says by which recipe this release indexes: what another one made is not put in."""

    def __init__(self, backends: Backends, lexicon: Lexicon) -> None:
        self._backends = backends
        self._lexicon = lexicon

    async def __call__(self, asked: IndexPromotion) -> None:
        """Write it all in one transaction. Raises Permanent `not_found` and the codes of shadows, Transient."""
        engine, tenant_id = self._backends.engine, asked.context.tenant_id
        run = await shadows.index_run(engine, tenant_id, asked.shadow_id)
        if run is None:
            raise Permanent("not_found", "Check the id: no shadow of an index that is done has it.")
        if "passages_of" in run.facts:
            message = "Its passages are another shadow's, and no other stage has them: analyse the repository again."
            raise Permanent("shadow_not_promotable", message)
        request = StageRequested.model_validate(run.request.data)
        repository_id, recipe = repository_of(run.request), made_from(self._lexicon.recipe, passage_recipe())
        artifact = await self._stored(asked, run, recipe)
        place = await reading.indexed(TenantDatabase(engine), tenant_id, request.analysis_id)
        if place is None:
            raise Permanent("shadow_outdated", "The analysis has no index any more: make a new shadow.")
        rows = rows_of_plan(self._backends.objects, await plan_of(self._backends, request, repository_id, recipe))
        generation = Generation(
            generation_id=generation_id(request.analysis_id, GenerationKind.LEXICAL),
            tenant_id=tenant_id,
            analysis_id=request.analysis_id,
            kind=GenerationKind.LEXICAL,
            state="built",
            model=None,
            chunks=rows.count("chunks"),
            vectors=0,
            collection=None,
            artifacts=(artifact,),
        )
        change = await activation_of(engine, generation, repository_id=repository_id, requested_at=place.requested_at)
        completed = asked.completed.model_copy(update={"artifacts": (artifact,)})
        drafts = _drafts(asked, (asked.requested, *change.events, completed))
        analysis = AnalysisRow(
            request.analysis_id, repository_id, tenant_id, asked.requested.commit or "", place.requested_at
        )
        async with engine.begin() as connection:
            if not await shadows.promote(connection, asked.shadow_id):
                raise Permanent("shadow_not_done", "It was promoted or dropped at this moment.")
            try:
                await append_in(connection, asked.stream_id, drafts, expected=asked.expected, told=False)
            except WrongExpectedVersion:
                message = "Something happened to the analysis meanwhile: try again."
                raise Permanent("shadow_outdated", message) from None
            await write(connection, analysis=analysis, rows=rows, change=change, artifact=artifact)

    async def _stored(self, asked: IndexPromotion, run: IndexRun, recipe: str) -> ArtifactRef:
        """The lexicon, in the live store."""
        [made] = [ref for ref in run.result.artifacts if ref.kind == ArtifactKind.LEXICON]
        if made.made_from != recipe:
            raise Permanent("shadow_outdated", "Another release made it: make a new shadow by this one.")
        inside = SandboxObjects(self._backends.objects, asked.context.tenant_id, self._backends.engine)
        content = await inside.get(made_key(asked.shadow_id, run.result.shard, made.kind), made.sha256)
        objects = self._backends.objects.of(asked.context.tenant_id, repository_of(run.request))
        stored = await objects.put("lexicon", ".tar", content)
        return made.model_copy(update={"key": stored.key, "sha256": stored.sha256, "bytes": stored.bytes})


def _drafts(asked: IndexPromotion, events: Sequence[Event]) -> list[Draft]:
    return [
        Draft(
            event_id=derived_id(asked.shadow_id, asked.stream_id, place),
            occurred_at=asked.at,
            context=asked.context,
            event=event,
            stage=Stage.INDEX.value,
        )
        for place, event in enumerate(events)
    ]
