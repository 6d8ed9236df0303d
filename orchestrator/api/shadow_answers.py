"""Recorded questions beside their answers by the present code.

Both answers are sealed where they are kept, and are opened for whoever looks at the shadow.
"""

from uuid import UUID

from orchestrator.adapters.shadow_answers import AnsweredAgain
from orchestrator.api.dependencies import Services
from orchestrator.api.models import QuestionView
from orchestrator.api.shadow_models import ShadowAnswer, ShadowAnswered, ShadowView
from orchestrator.auth.identity import Identity
from orchestrator.projections.beside_answers import beside
from orchestrator.projections.conversations import PREFIX


async def answered(parts: Services, who: Identity, view: ShadowView) -> ShadowView:
    """A shadow of answers that is done, with both answers to each question that is there, and how many are not."""
    again = await parts.shadows.answers(who.tenant_id, view.shadow_id)
    conversations = {UUID(each.stream_id.removeprefix(PREFIX)) for each in again}
    there = await parts.conversations.asked_in(who.tenant_id, conversations)
    asked = {each.question_id: each for each in there if each.state == "answered"}
    answers = [_beside(asked[each.question_id], each) for each in again if each.question_id in asked]
    agrees = all(each.after is not None and not each.changed for each in answers) if answers else None
    told = {"answers": answers, "agrees": agrees, "gone": len(again) - len(answers)}
    return view.model_copy(update={"report": view.report.model_copy(update=told)})


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
