"""Which questions a shadow of an index is searched for, and for whom."""

from collections.abc import Sequence
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID, uuid4

import pytest

from events.base import LOCAL_TENANT
from events.beside import BesideReply, BesideRequest, FoundBeside
from events.question import Passage, SearchReply
from orchestrator.api import shadow_searches, shadows
from orchestrator.api.dependencies import Services
from orchestrator.api.models import QuestionView
from orchestrator.api.shadow_models import ShadowReport, ShadowView
from orchestrator.api.shadow_searches import MOST, searched
from orchestrator.auth.identity import Identity
from orchestrator.workflow.shadowed import NotPromotable
from runtime.faults import Transient

AT = datetime(2026, 1, 1, tzinfo=UTC)
WHO = cast("Identity", SimpleNamespace(tenant_id=LOCAL_TENANT))
VIEW = ShadowView(
    shadow_id=uuid4(),
    analysis_id=uuid4(),
    repository_id=uuid4(),
    stage="index",
    state="done",
    asked_at=AT,
    ended_at=AT,
    promoted_at=None,
    code=None,
    message=None,
    report=ShadowReport(),
)


def asked(query: str, standalone: str = "") -> QuestionView:
    ids: dict[str, Any] = {"question_id": uuid4(), "conversation_id": uuid4(), "repository_id": VIEW.repository_id}
    return QuestionView(query=query, standalone=standalone, state="answered", asked_at=AT, **ids)


def reply(*paths: str) -> SearchReply:
    passages = tuple(Passage(chunk_id=path, path=path, first_line=1, last_line=9, text="") for path in paths)
    return SearchReply(
        analysis_id=VIEW.analysis_id,
        commit="",
        generation_id=uuid4(),
        generation_kind="quick",
        model="m",
        passages=passages,
        took_ms=1.0,
    )


class Parts:
    """The services that are asked: a team's questions, and a search that finds one passage more in the shadow."""

    def __init__(self, questions: Sequence[QuestionView], *, away: bool = False) -> None:
        self.conversations = self.searching = self
        self.questions = questions
        self.away = away
        self.requests: list[BesideRequest] = []

    async def asked(self, tenant: UUID, repository: UUID) -> Sequence[QuestionView]:
        assert (tenant, repository) == (LOCAL_TENANT, VIEW.repository_id)
        return self.questions

    async def beside(self, request: BesideRequest) -> BesideReply:
        self.requests.append(request)
        if self.away:
            raise Transient("search_unavailable", "Try again.")
        found = FoundBeside(live=reply("a", "b"), shadow=reply("c", "a", "b"))
        return BesideReply(found=(found,) * len(request.queries))


async def test_each_question_of_the_team_is_searched_once_as_it_was_meant() -> None:
    questions = [asked("And its tests?", "Tests of the router?"), asked("Where?"), asked("WHERE?")]
    parts = Parts([*questions, *(asked(f"Question {n}?") for n in range(MOST))])

    told = await searched(cast("Services", parts), WHO, VIEW)

    [request] = parts.requests
    assert (request.shadow_id, len(request.queries)) == (VIEW.shadow_id, MOST)
    assert request.queries[:3] == ("Tests of the router?", "Where?", "Question 0?")
    first = told.report.searches[0]
    assert first.question_id == questions[0].question_id
    assert (first.same, first.moved, first.gained, first.lost) == (0, 2, 1, 0)
    assert told.report.agrees is False


async def test_where_nobody_asked_anything_the_suggested_questions_are(monkeypatch: pytest.MonkeyPatch) -> None:
    async def overview_of(*_arguments: object) -> tuple[None, SimpleNamespace]:
        return None, SimpleNamespace(questions=("What does it do?", "How is it tested?"))

    monkeypatch.setattr(shadow_searches, "overview_of", overview_of)

    told = await searched(cast("Services", Parts([])), WHO, VIEW)

    assert [(one.question, one.conversation_id) for one in told.report.searches] == [
        ("What does it do?", None),
        ("How is it tested?", None),
    ]


async def test_an_index_beside_which_something_else_serves_by_now_shows_no_difference() -> None:
    outdated, other = NotPromotable("Make a new one.", outdated=True), NotPromotable("Wait.")
    parts = Parts([asked("Where?")])

    told = [await _one(parts, refused) for refused in (None, other, outdated)]

    assert [(view.code, len(view.report.searches), view.not_promotable) for view in told] == [
        (None, 1, None),
        (None, 1, "Wait."),
        ("shadow_outdated", 0, "Make a new one."),
    ]
    assert told[2].message == "Make a new one."
    promoted = await _one(parts, outdated, promoted_at=AT)
    assert (promoted.code, promoted.report.searches, len(parts.requests)) == (None, [], 3)


async def _one(parts: Parts, refused: NotPromotable | None, **more: Any) -> ShadowView:
    """`GET /shadows/{id}` of a shadow that could not be promoted for this reason."""
    shadow = SimpleNamespace(**{**vars(VIEW), "report": {}, **more})

    async def one(*_: object) -> SimpleNamespace:
        return shadow

    async def why_not(*_: object) -> NotPromotable | None:
        return refused

    whole: Any = SimpleNamespace(
        conversations=parts,
        searching=parts,
        shadows=SimpleNamespace(one=one, promoting=SimpleNamespace(why_not=why_not)),
        clock=lambda: AT,
    )
    return await shadows.one(VIEW.shadow_id, WHO, whole)


async def test_nothing_was_found_the_same_where_nothing_was_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    async def overview_of(*_arguments: object) -> tuple[None, SimpleNamespace]:
        return None, SimpleNamespace(questions=())

    monkeypatch.setattr(shadow_searches, "overview_of", overview_of)

    told = await searched(cast("Services", Parts([])), WHO, VIEW)

    assert (told.report.searches, told.report.agrees) == ([], None)


async def test_where_search_does_not_answer_that_is_said() -> None:
    told = await searched(cast("Services", Parts([asked("Where?")], away=True)), WHO, VIEW)

    assert (told.state, told.code, told.report.searches) == ("done", "search_unavailable", [])
