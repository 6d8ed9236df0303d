"""Recorded questions beside their answers by the present code: those that its runs name, however old they are."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

from events.base import LOCAL_TENANT
from orchestrator.adapters.shadow_answers import AnsweredAgain
from orchestrator.api.dependencies import Services
from orchestrator.api.models import QuestionView
from orchestrator.api.shadow_answers import answered
from orchestrator.auth.identity import Identity
from tests.unit.orchestrator.test_shadow_searches import VIEW

TALKS = (UUID(int=21), UUID(int=22))
WHO = cast("Identity", SimpleNamespace(tenant_id=LOCAL_TENANT))
AT = datetime(2026, 1, 1, tzinfo=UTC)


def a_question(number: int) -> QuestionView:
    ids: dict[str, Any] = {"question_id": UUID(int=number), "conversation_id": TALKS[number]}
    said: dict[str, Any] = {"query": "Why?", "answer": "So.", "mode": "answer", "state": "answered", "asked_at": AT}
    return QuestionView(**ids, **said, repository_id=VIEW.repository_id)


class Parts:
    """The services that are asked: the runs of a shadow of two answers, and the conversations that are there."""

    def __init__(self, *there: QuestionView) -> None:
        self.conversations = self.shadows = self
        self.there = there

    async def answers(self, tenant: UUID, shadow: UUID) -> list[AnsweredAgain]:
        assert (tenant, shadow) == (LOCAL_TENANT, VIEW.shadow_id)
        said = [cast("Any", a_question(number)) for number in range(2)]
        return [AnsweredAgain(one.question_id, f"conversation/{one.conversation_id}", one, None, None) for one in said]

    async def asked_in(self, tenant: UUID, conversations: Collection[UUID]) -> Sequence[QuestionView]:
        assert (tenant, set(conversations)) == (LOCAL_TENANT, set(TALKS))
        return self.there


async def told(*there: QuestionView) -> tuple[list[UUID], bool | None, int]:
    report = (await answered(cast("Services", Parts(*there)), WHO, VIEW)).report
    return [each.question_id for each in report.answers], report.agrees, report.gone


async def test_questions_whose_conversation_is_gone_are_counted() -> None:
    assert await told(a_question(0), a_question(1)) == ([UUID(int=0), UUID(int=1)], True, 0)
    assert await told(a_question(1)) == ([UUID(int=1)], True, 1)


async def test_nothing_agrees_where_none_is_there_any_more() -> None:
    assert await told() == ([], None, 2)
