"""Telling that a question was asked before, of the same."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_engine.stages.price import NOTHING
from ai_engine.stages.same_question import fingerprint_of, shelf_of, told_again
from events.question import PlanStep, QuestionAnswered, QuestionAsked, Scope, SearchReply

ASKED = QuestionAsked(question_id=UUID(int=1), repository_id=UUID(int=2), query="Where is Session kept?")
FOUND = SearchReply(
    analysis_id=UUID(int=3),
    commit="c0ffee",
    generation_id=UUID(int=4),
    generation_kind="full",
    model="words",
    passages=(),
    took_ms=1.0,
    lexicon_sha256="a" * 64,
)


def of(asked: QuestionAsked = ASKED, found: SearchReply = FOUND, model: str = "openai:m", prompt: str = "v1") -> str:
    return fingerprint_of(asked, found, model=model, prompt=prompt)


@pytest.mark.parametrize("query", ["Where is Session kept", "  Where is\n Session  kept ?", "Where is Session kept?"])
def test_blanks_and_the_end_of_a_sentence_make_no_other_question(query: str) -> None:
    again = {"query": query, "question_id": uuid4(), "model": "openai:m"}

    assert of(ASKED.model_copy(update=again)) == of()


@pytest.mark.parametrize(
    "other",
    [
        of(ASKED.model_copy(update={"query": "Where is session kept?"})),
        of(ASKED.model_copy(update={"scope": Scope(folder="src")})),
        of(ASKED.model_copy(update={"mode": "deep"})),
        of(model="openai:n"),
        of(prompt="v2"),
        *(of(found=FOUND.model_copy(update={name: UUID(int=7)})) for name in ("generation_id", "analysis_id")),
        of(found=FOUND.model_copy(update={"lexicon_sha256": "b" * 64})),
    ],
)
def test_what_could_make_another_answer_makes_another_question(other: str) -> None:
    assert other not in {"", of()}


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"history": (("What is it?", "A map."),)}, {}),
        ({"facts": "## What it is"}, {}),
        ({}, {"degraded": "vectors_unavailable"}),
        ({}, {"plan": (PlanStep(retriever="graph", found=0, absent=True),)}),
    ],
)
def test_an_answer_that_depends_on_more_is_not_remembered(asked: dict[str, object], found: dict[str, object]) -> None:
    assert not of(ASKED.model_copy(update=asked), FOUND.model_copy(update=found))


@given(st.text(min_size=1))
def test_a_shelf_is_one_of_256(query: str) -> None:
    assert 0 <= shelf_of(of(ASKED.model_copy(update={"query": query}))) < 256


@pytest.mark.parametrize(("cost", "now"), [(0.02, 0.0), (None, None)])
def test_an_answer_that_is_told_again_costs_nothing_and_is_found_by_nobody(
    cost: float | None, now: float | None
) -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    earlier = QuestionAnswered(
        question_id=UUID(int=9),
        query="Where is Session kept?",
        answer="There.",
        mode="generated",
        response_time=3.0,
        rag_hits=1,
        confidence=0.5,
        citations=(),
        removed_citations=0,
        passages=(),
        analysis_id=FOUND.analysis_id,
        commit="c0ffee",
        generation_kind="full",
        provider="openai",
        model="m",
        prompt="answer-v2",
        input_tokens=11,
        output_tokens=7,
        cost_usd=cost,
        fingerprint=of(),
        shelf=shelf_of(of()),
    )
    told = told_again(earlier, ASKED, NOTHING, answered_at=at, seconds=0.01234)

    assert (told.question_id, told.query, told.answer) == (ASKED.question_id, ASKED.query, "There.")
    assert (told.input_tokens, told.output_tokens, told.cost_usd, told.response_time) == (0, 0, now, 0.012)
    assert (told.fingerprint, told.shelf, told.earlier, told.earlier_at) == ("", None, earlier.question_id, at)
