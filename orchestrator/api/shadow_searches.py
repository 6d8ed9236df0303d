"""What is found in the shadow of an index, beside what is found in the index that serves.

Nothing of it is kept: what people asked is sealed in the log, and is read for whoever looks at the shadow.
"""

from uuid import UUID

from events.beside import BesideRequest, FoundBeside
from orchestrator.api.dependencies import Services
from orchestrator.api.overview import overview_of
from orchestrator.api.shadow_models import ShadowPassage, ShadowSearch, ShadowView
from orchestrator.auth.identity import Identity
from orchestrator.projections.beside_searches import beside
from runtime.faults import Fault

MOST = 20  # questions of one shadow
Asked = tuple[str, UUID | None, UUID | None]  # the words, the conversation, the question


async def searched(parts: Services, who: Identity, view: ShadowView) -> ShadowView:
    """A shadow of an index that is done, with its searches; with the reason where they cannot be made now."""
    asked = await _questions(parts, who, view)
    request = BesideRequest(
        tenant_id=who.tenant_id, shadow_id=view.shadow_id, queries=tuple(words for words, *_ in asked)
    )
    try:
        reply = await parts.searching.beside(request)
    except Fault as fault:
        return view.model_copy(update={"code": fault.code, "message": fault.message})
    searches = [_beside(one, found) for one, found in zip(asked, reply.found, strict=True)]
    agrees = all(not (each.moved or each.gained or each.lost) for each in searches) if searches else None
    return view.model_copy(update={"report": view.report.model_copy(update={"searches": searches, "agrees": agrees})})


async def _questions(parts: Services, who: Identity, view: ShadowView) -> list[Asked]:
    """What was asked of the repository, each question once, the newest first; else what is suggested to be asked."""
    found: dict[str, Asked] = {}
    for each in await parts.conversations.asked(who.tenant_id, view.repository_id):
        words = each.standalone or each.query
        found.setdefault(words.casefold(), (words, each.conversation_id, each.question_id))
    if not found:
        _record, overview = await overview_of(parts, who, view.analysis_id)
        found = {words: (words, None, None) for words in overview.questions}
    return list(found.values())[:MOST]


def _beside(asked: Asked, found: FoundBeside) -> ShadowSearch:
    words, conversation_id, question_id = asked
    placed = beside(found.live.passages, found.shadow.passages)
    both = [each for each in placed if each.live is not None and each.shadow is not None]
    same = sum(each.live == each.shadow for each in both)
    return ShadowSearch(
        question=words,
        conversation_id=conversation_id,
        question_id=question_id,
        passages=[ShadowPassage.model_validate(vars(each)) for each in placed],
        same=same,
        moved=len(both) - same,
        gained=sum(each.live is None for each in placed),
        lost=sum(each.shadow is None for each in placed),
        live_degraded=found.live.degraded,
        shadow_degraded=found.shadow.degraded,
    )
