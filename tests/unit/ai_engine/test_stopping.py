"""An answer that somebody stopped ends the call that is under way, whatever it was for."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from ai_engine.ports import Finished, LanguageModel, Token
from ai_engine.reranking import ModelReranker, Reranking
from ai_engine.stages.build_prompt import Prompt
from ai_engine.subscribers import Answerer, Deadlines
from events.base import LOCAL_TENANT, Envelope
from events.question import QuestionAsked
from events.replay.sandbox import Alone, Nobody
from runtime.faults import Cancelled
from tests.fakes.facts import FakeFacts
from tests.fakes.retriever import FakeRetriever
from tests.support.kernel import AT

FILES = {"src/app.py": "routes = {}", "src/web.py": "routes = []"}
HISTORY = (("Where are routes kept?", "In the map [src/app.py:1]."),)


class Silent:
    """A model that is asked, and never says anything: `was_ended` where its call was."""

    provider, model, most_tokens, price = "openai", "m", 100, None

    def __init__(self) -> None:
        self.asked: list[Prompt] = []
        self.is_asked = asyncio.Event()
        self.was_ended = False

    async def stream(self, prompt: Prompt) -> AsyncIterator[Token | Finished]:
        self.asked.append(prompt)
        self.is_asked.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.was_ended = True
        yield Finished("m", 0, 0)


def an_envelope(asked: QuestionAsked) -> Envelope:
    return Envelope(
        event_id=uuid4(),
        event_type=QuestionAsked.event_type,
        stream_id=f"conversation/{uuid4()}",
        version=1,
        tenant_id=LOCAL_TENANT,
        correlation_id=uuid4(),
        timestamp=AT,
        data=asked.model_dump(mode="json"),
    )


@pytest.mark.parametrize(("during", "history"), [("standalone-v1", HISTORY), ("rerank-v1", ())])
async def test_a_stop_ends_the_call_that_rewrites_a_question_and_the_one_that_orders(
    during: str, history: tuple[tuple[str, str], ...]
) -> None:
    model, run = Silent(), Alone("test")
    models: dict[str, LanguageModel] = {"openai:m": model}
    answerer = Answerer(
        retriever=FakeRetriever(FILES),
        facts=FakeFacts(),
        models=models,
        redis=Nobody(),
        reranking=Reranking(ModelReranker(model), seconds=30),
        deadlines=Deadlines(30, 30),
    )
    asked = QuestionAsked(question_id=uuid4(), repository_id=uuid4(), query="And why is it there?", history=history)
    answering = asyncio.create_task(answerer.answer(an_envelope(asked), run))
    async with asyncio.timeout(5):
        await model.is_asked.wait()
    run.cancelled = True

    with pytest.raises(Cancelled):
        async with asyncio.timeout(2):
            await answering
    assert [prompt.name for prompt in model.asked] == [during]
    assert model.was_ended
