"""Recorded questions that are answered again in a shadow: their runs, and what came of each.

A run names its question and has nothing that anybody said; its result is sealed as the answer in the log is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from events.base import ERASED, Envelope, derived_id
from events.log.keyring import open_all
from events.question import QuestionAnswered, QuestionAsked
from events.replay.sandbox import ANSWER
from orchestrator.api.models import QuestionView
from orchestrator.projections.conversations import PREFIX

MOST = 50  # questions of one shadow
_RUNS = text("""
SELECT shard, state, code, message, request ->> 'stream_id' AS stream, result::text AS result,
  CAST(request #>> '{data,question_id}' AS uuid) AS question
FROM sandbox.runs WHERE shadow_id = :shadow ORDER BY shard
""")


@dataclass(frozen=True)
class AnsweredAgain:
    """What came of one question: its answer, or the code and message of why there is none."""

    question_id: UUID
    stream_id: str
    answered: QuestionAnswered | None
    code: str | None
    message: str | None


def requests_to_answer(
    questions: Sequence[QuestionView], analysis_id: UUID, tenant_id: UUID, shadow_id: UUID, at: datetime
) -> list[Envelope]:
    """A request for each of the newest questions that the analysis answered. Pure."""
    wanted = [each for each in questions if each.state == "answered" and each.analysis_id == analysis_id][:MOST]
    return [
        Envelope(
            event_id=derived_id("shadow", shadow_id, each.question_id),
            event_type=QuestionAsked.event_type,
            stream_id=f"{PREFIX}{each.conversation_id}",
            version=place + 1,
            repository_id=each.repository_id,
            tenant_id=tenant_id,
            stage=ANSWER,
            correlation_id=shadow_id,
            timestamp=at,
            data={"question_id": str(each.question_id), "shard": place},
        )
        for place, each in enumerate(wanted)
    ]


async def answered_again(connection: AsyncConnection, shadow_id: UUID) -> list[AnsweredAgain]:
    """What came of the questions of a shadow, the newest first. An answer that was emptied is none."""
    runs = list(await connection.execute(_RUNS, {"shadow": shadow_id}))
    sealed = [Envelope.model_validate_json(run.result) for run in runs if run.state == "done"]
    opened = {
        envelope.data["question_id"]: QuestionAnswered.model_validate(envelope.data)
        for envelope in await open_all(connection, sealed)
        if envelope.data["answer"] != ERASED
    }
    return [
        AnsweredAgain(run.question, run.stream, opened.get(str(run.question)), run.code, run.message) for run in runs
    ]
