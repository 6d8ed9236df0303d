"""Accept a question: counted and appended in one transaction, so that no two at one moment overrun a quota."""

from datetime import datetime

from events.base import Context, Draft, Envelope
from events.log.postgres import append_in
from events.log.wake import Wake
from events.question import QuestionAsked
from orchestrator.adapters.deletion_of_parts import is_hidden
from orchestrator.adapters.journals import accepted_as
from orchestrator.adapters.usage import Usage
from orchestrator.api.problems import ApiProblem
from orchestrator.auth.identity import Identity
from orchestrator.limits.reserving import AnswerLimits
from runtime.tenancy import TenantDatabase


class Asking:
    """Accepts questions."""

    def __init__(self, database: TenantDatabase, wake: Wake, usage: Usage, limits: AnswerLimits) -> None:
        self._database = database
        self._wake = wake
        self._usage = usage
        self._limits = limits

    async def accept(
        self, who: Identity, stream_id: str, asked: QuestionAsked, context: Context, at: datetime
    ) -> list[Envelope]:
        """Append the question to its conversation. Committed when it returns.

        Raises ApiProblem `quota_reached` where the day's questions or tokens are used up or kept, `not_found` where the
        conversation was deleted a moment ago.
        """
        reserved = self._limits.tokens_of(asked)
        draft = Draft(event_id=accepted_as(asked.question_id), occurred_at=at, context=context, event=asked)
        async with self._database.of(who.tenant_id) as connection:
            await self._usage.count_question(connection, who, asked.question_id, at, reserved)
            added = await append_in(connection, stream_id, [draft])
            if await is_hidden(connection, stream_id):  # looked at after whoever deletes it is waited for
                raise ApiProblem("not_found", "Check the id: no conversation of yours has it.")
        self._wake.appended()
        return added
