"""Which answers others are offered: those that were made as was wanted."""

from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from ai_engine.composing import Grounds, compose
from ai_engine.metering import Meter
from ai_engine.rewriting import Meant
from ai_engine.stages.check_citations import Checked
from ai_engine.stages.fit_history import Kept
from ai_engine.stages.rerank import reordered
from ai_engine.writing import NOBODY, Written
from events.question import PassedOver, QuestionAsked, SearchReply
from tests.unit.ai_engine.test_rerank import FOUND

WHAT = "ab" * 32
WRITTEN = Written("There.", "answer", "openai", "m", "answer-v2")


@pytest.mark.parametrize(
    ("found", "written", "is_offered"),
    [
        (FOUND, WRITTEN, True),
        (reordered(FOUND, (1, 0), "openai:r"), WRITTEN, True),
        (reordered(FOUND, (), "openai:r, deadline"), WRITTEN, False),
        (FOUND, Written("There.", "extractive", NOBODY, NOBODY, "extractive-v1"), False),
        (FOUND, Written("There.", "answer", "b", "m", "p", passed_over=(PassedOver(model="a", code="x"),)), False),
    ],
)
def test_an_answer_is_offered_where_it_was_made_as_was_wanted(
    found: SearchReply, written: Written, is_offered: bool
) -> None:
    asked = QuestionAsked(question_id=UUID(int=1), repository_id=UUID(int=2), query="where is c?")
    question: Any = SimpleNamespace(asked=asked, meant=Meant("where is c?"), kept=Kept(), began=0.0, took=Meter())

    answered = compose(question, Grounds(found, 1.0, WHAT), written, found.passages, Checked("There.", (), 0))

    assert (answered.fingerprint == WHAT, answered.shelf is not None) == (is_offered, is_offered)
