"""What is kept of a quota for an answer is no less than its calls take by the assistant's own bounds."""

from uuid import uuid4

import pytest

from ai_engine.settings import AiSettings
from ai_engine.stages.build_prompt import build_prompt
from ai_engine.stages.fit_history import fit_history
from ai_engine.stages.price import tokens_in
from events.question import Passage, QuestionAsked
from orchestrator.limits.reserving import AnswerLimits
from orchestrator.settings import OfferSettings

CLAUDE, GPT = "anthropic:claude", "openai:gpt"


def asked(
    mode: str = "answer", *, model: str | None = None, history: tuple[tuple[str, str], ...] = ()
) -> QuestionAsked:
    ids = {"question_id": uuid4(), "repository_id": uuid4()}
    return QuestionAsked(**ids, query="Where is it?", mode=mode, model=model, history=history)


def passages() -> list[Passage]:
    text = "\n".join("    return self.of(value)" for _ in range(40))
    return [
        Passage(
            chunk_id=str(n), path="a/b.py", first_line=1, last_line=40, text=text, language="python", file_class="code"
        )
        for n in range(100)
    ]


@pytest.mark.parametrize(("name", "reply"), [(CLAUDE, 2_048), (GPT, 8_192)])
def test_the_largest_prompt_with_the_longest_reply_is_covered(name: str, reply: int) -> None:
    talk = (("How?" * 700, "So." * 2_000),) * 2
    question = asked(history=talk)
    rules = "r" * 1_500
    prompt = build_prompt(
        question.query, passages(), rules=rules, name="x", boundary="b" * 16, history=fit_history(talk).turns
    ).prompt

    reserved = AnswerLimits((name,)).tokens_of(question)

    assert tokens_in(prompt) + reply <= reserved < 3 * (tokens_in(prompt) + reply)
    assert reserved > AnswerLimits((name,)).tokens_of(asked()) > reply + 7_000  # who may be rewritten, and who may not


def test_no_tokens_are_kept_where_no_model_is_asked() -> None:
    assert AnswerLimits().tokens_of(asked()) == 0
    assert AnswerLimits((GPT,)).tokens_of(asked("extractive")) == 0


def test_the_model_that_is_named_bounds_its_answer_and_else_the_largest() -> None:
    limits = AnswerLimits((CLAUDE, GPT))
    named = [limits.tokens_of(asked(model=name)) for name in (CLAUDE, GPT, None)]

    assert named[1] - named[0] == 8_192 - 2_048
    assert named[2] == named[1]
    assert AnswerLimits((CLAUDE, GPT), reranks=True).tokens_of(asked()) == 2 * named[2]


def test_an_answer_in_steps_has_its_budget_and_the_calls_at_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPOSTREAM_AI_MODELS", CLAUDE)
    usual = OfferSettings().limits.tokens_of(asked("deep"))
    monkeypatch.setenv("REPOSTREAM_AI_DEEP_TOKENS", "100000")
    more = OfferSettings().limits.tokens_of(asked("deep"))
    monkeypatch.setenv("REPOSTREAM_AI_DEEP_STEPS", "1")
    one = OfferSettings().limits

    assert 80_000 < usual < 180_000
    assert more - usual == 20_000
    assert one.tokens_of(asked("deep")) < 100_000


def test_both_services_read_the_same_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    for each in range(2):
        ours, theirs = OfferSettings(), AiSettings()
        for name in ("deep_steps", "deep_tokens", "deep_characters", "rerank"):
            assert getattr(ours, name) == getattr(theirs, name)
        monkeypatch.setenv("REPOSTREAM_AI_DEEP_STEPS", str(3 + each))
        monkeypatch.setenv("REPOSTREAM_AI_RERANK", CLAUDE)
