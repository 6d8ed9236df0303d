"""Recorded questions beside their answers by the present code.

Both answers are sealed where they are kept, and are opened for whoever looks at the shadow.
"""

from orchestrator.adapters.shadow_answers import AnsweredAgain
from orchestrator.api.dependencies import Services
from orchestrator.api.models import QuestionView
from orchestrator.api.shadow_models import ShadowAnswer, ShadowAnswered, ShadowView
from orchestrator.auth.identity import Identity
from orchestrator.projections.beside_answers import beside


async def answered(parts: Services, who: Identity, view: ShadowView) -> ShadowView:
    """A shadow of answers that is done, with both answers to each question that is still there."""
    asked = {each.question_id: each for each in await parts.conversations.asked(who.tenant_id, view.repository_id)}
    again = await parts.shadows.answers(who.tenant_id, view.shadow_id)
    answers = [_beside(asked[each.question_id], each) for each in again if each.question_id in asked]
    agrees = all(each.after is not None and not each.changed for each in answers)
    return view.model_copy(update={"report": view.report.model_copy(update={"answers": answers, "agrees": agrees})})


def _beside(asked: QuestionView, again: AnsweredAgain) -> ShadowAnswer:
    told = ShadowAnswer(
        question=asked.query,
        conversation_id=asked.conversation_id,
        question_id=asked.question_id,
        before=ShadowAnswered.model_validate(asked.model_dump()),
        code=again.code,
        message=again.message,
    )
    if again.answered is None:
        return told
    found = beside(asked, again.answered)
    return told.model_copy(
        update={
            "after": ShadowAnswered.model_validate(again.answered.model_dump()),
            "changed": list(found.changed),
            "gained": list(found.gained),
            "lost": list(found.lost),
        }
    )
