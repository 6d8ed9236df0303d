"""`/analyses/{id}/generations`: the full generations that are kept, and going back to one, or forward again."""

from uuid import UUID

from fastapi import APIRouter, Request

from events.collection import GenerationChoice, KeptGenerations
from orchestrator.api.dependencies import Parts, Reader, Writer, context_of, history_of, record_of
from orchestrator.api.problems import ApiProblem
from orchestrator.workflow.choosing import why_not
from orchestrator.workflow.evolve import replay
from runtime.faults import Permanent

router = APIRouter(prefix="/analyses/{analysis_id}/generations", tags=["generations"])
_CONFLICTS = 5
_REFUSED = {
    "not_indexed_yet": "It has no vectors yet: wait until it is ready.",
    "embedding_under_way": "Its vectors are being made: wait until it is refined, or stop that first.",
}


@router.get("")
async def kept(analysis_id: UUID, who: Reader, parts: Parts) -> KeptGenerations:
    """Those that searches could go to, what served last first: each with its model, and until when it is kept."""
    await record_of(parts, who, analysis_id)
    return await parts.searching.generations(who.tenant_id, analysis_id)


@router.post("/{generation_id}/activate", responses={404: {}, 409: {}})
async def activate(
    analysis_id: UUID, generation_id: UUID, who: Writer, parts: Parts, request: Request
) -> KeptGenerations:
    """Have searches go to this one from now on, at once; nothing is embedded. Where they do, nothing is changed.

    It stays until something new is built, or until another embedder is set than was at that moment.
    """
    for _ in range(_CONFLICTS):
        history = await history_of(parts, who, f"analysis/{analysis_id}")
        if refused := why_not(replay(history)):
            raise ApiProblem(refused, _REFUSED[refused])
        choice = GenerationChoice(
            analysis_id=analysis_id,
            generation_id=generation_id,
            expected=history[-1].version,
            at=parts.clock(),
            context=context_of(request, who, history[0].repository_id),
        )
        try:
            return await parts.searching.choose(choice)
        except Permanent as fault:
            if fault.code != "index_moved":
                raise
    raise ApiProblem("timed_out", "The analysis changes too fast: try again.")
