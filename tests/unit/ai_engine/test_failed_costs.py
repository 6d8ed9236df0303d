"""What was paid for an answer that failed is told with the failure, and counts."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest

from ai_engine.ports import Finished, LanguageModel, Token
from ai_engine.recording import failed
from ai_engine.stages.build_prompt import Prompt
from ai_engine.subscribers import Answerer, Deadlines
from events.base import LOCAL_TENANT, Envelope, Event
from events.question import QuestionAsked, QuestionFailed
from events.replay.sandbox import Alone, Nobody
from orchestrator.projections.conversations import apply, cost_of, tokens_of
from runtime.faults import Fault, Transient
from tests.fakes.facts import FakeFacts
from tests.fakes.retriever import FakeRetriever
from tests.support.kernel import AT

FILES = {"src/app.py": "routes = {}"}
HISTORY = (("Where are routes kept?", "In the map [src/app.py:1]."),)


class Scripted:
    """A model that says `answer`, or nothing for ever; what rewrites a question, it does at once."""

    provider, model, most_tokens = "openai", "m", 100

    def __init__(self, answer: str) -> None:
        self._answer = answer

    async def stream(self, prompt: Prompt) -> AsyncIterator[Token | Finished]:
        if prompt.name == "standalone-v1":
            yield Token("Why are routes kept in a map?")
            yield Finished("m", 30, 4, cost_usd=0.001)
            return
        if not self._answer:
            await asyncio.Event().wait()
        yield Token(self._answer)
        yield Finished("m", 100, 20, cost_usd=0.01)


def an_envelope(event: Event) -> Envelope:
    return Envelope(
        event_id=uuid4(),
        event_type=event.event_type,
        stream_id=f"conversation/{UUID(int=1)}",
        version=1,
        tenant_id=LOCAL_TENANT,
        correlation_id=uuid4(),
        timestamp=AT,
        data=event.model_dump(mode="json"),
    )


@pytest.mark.parametrize(
    ("answer", "code", "tokens", "cost"),
    [
        ("[src/none.py:1-2]", "answer_unsupported", (130, 24), 0.011),  # it was paid for, and is not shown
        ("", "answer_deadline", (30, 4), 0.001),  # of the call that was cut off nobody said what it took
    ],
)
async def test_a_failed_question_tells_and_counts_what_its_calls_took(
    answer: str, code: str, tokens: tuple[int, int], cost: float
) -> None:
    models: dict[str, LanguageModel] = {"openai:m": Scripted(answer)}
    answerer = Answerer(
        retriever=FakeRetriever(FILES),
        facts=FakeFacts(),
        models=models,
        redis=Nobody(),
        deadlines=Deadlines(0.5, 0.5),
    )
    asked = QuestionAsked(question_id=uuid4(), repository_id=uuid4(), query="And why is it there?", history=HISTORY)
    envelope = an_envelope(asked)
    with pytest.raises(Fault) as raised:
        await answerer.answer(envelope, Alone("test"))
    [append] = answerer.failed(envelope, raised.value)
    [event] = [draft.event for draft in append.drafts]
    questions = {}
    for each in (envelope, an_envelope(event)):
        question = apply(questions, each)
        assert question is not None
        questions[question.question_id] = question

    assert isinstance(event, QuestionFailed)
    assert (event.code, event.input_tokens, event.output_tokens, event.cost_usd) == (code, *tokens, cost)
    assert (question.state, tokens_of(question), cost_of(question)) == ("failed", sum(tokens), cost)


def test_a_failure_of_which_nothing_is_known_took_nothing_and_one_of_before_is_read() -> None:
    asked = an_envelope(QuestionAsked(question_id=UUID(int=2), repository_id=uuid4(), query="Why?"))
    [append] = failed(asked, Transient("search_unavailable", "Ask again."))
    [event] = [draft.event for draft in append.drafts]
    old = {"question_id": str(UUID(int=2)), "query": "Why?", "code": "search_unavailable", "message": "Ask again."}

    assert event == QuestionFailed.model_validate(old)
