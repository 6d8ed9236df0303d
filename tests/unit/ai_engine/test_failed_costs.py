"""What was paid for an answer that failed is told with the failure, and counts."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_engine.metering import Call, Meter
from ai_engine.ports import Finished, LanguageModel, Token, Used
from ai_engine.recording import failed
from ai_engine.stages.build_prompt import Prompt
from ai_engine.stages.price import Noted, Price, Spend, tokens_in
from ai_engine.subscribers import Answerer, Deadlines
from events.base import LOCAL_TENANT, Envelope, Event
from events.question import QuestionAnswered, QuestionAsked, QuestionFailed, QuestionStopped
from events.replay.sandbox import Alone, Nobody
from orchestrator.api.models import QuestionView
from orchestrator.projections.conversations import apply, cost_of, tokens_of
from runtime.faults import Cancelled, Fault, Permanent, Transient
from tests.fakes.facts import FakeFacts
from tests.fakes.retriever import FakeRetriever
from tests.support.kernel import AT

FILES = {"src/app.py": "routes = {}"}
PRICE = Price(2.0, 10.0)  # dollars for a million tokens
ANSWER = "In a map [src/app.py:1]."
HISTORY = (("Where are routes kept?", "In the map [src/app.py:1]."),)


class Scripted:
    """A model that says `answer`, or nothing for ever; what rewrites a question, it does at once.

    An answer that is an exception is raised after a word, `silent` ends without a word of what it took.
    """

    provider, model, most_tokens, price = "openai", "m", 100, PRICE

    def __init__(self, answer: str | Exception) -> None:
        self._answer = answer
        self.asked: list[Prompt] = []
        self.is_asked = asyncio.Event()

    async def stream(self, prompt: Prompt) -> AsyncIterator[Token | Finished]:
        if prompt.name == "standalone-v1":
            yield Token("Why are routes kept in a map?")
            yield Finished("m", 30, 4, cost_usd=0.001)
            return
        self.asked.append(prompt)
        self.is_asked.set()
        if isinstance(self._answer, Exception):
            yield Token("Well, ")
            raise self._answer
        if not self._answer:
            await asyncio.Event().wait()
        if self._answer == "silent":
            yield Token(ANSWER)
            yield Finished("m", 0, 0, cost_usd=0.0)
            return
        yield Token(self._answer)
        yield Finished("m", 100, 20, cost_usd=0.01)


class Notes:
    """`ports.Notes` in a dictionary."""

    def __init__(self) -> None:
        self.kept: dict[UUID, Noted] = {}

    async def keep(self, tenant_id: UUID, question_id: UUID, noted: Noted) -> None:
        assert tenant_id == LOCAL_TENANT
        self.kept[question_id] = noted

    async def find(self, tenant_id: UUID, question_id: UUID) -> Noted | None:
        assert tenant_id == LOCAL_TENANT
        return self.kept.get(question_id)


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


def an_answerer(model: Scripted, notes: Notes | None = None, seconds: float = 0.5) -> Answerer:
    models: dict[str, LanguageModel] = {"openai:m": model}
    return Answerer(
        retriever=FakeRetriever(FILES),
        facts=FakeFacts(),
        models=models,
        redis=Nobody(),
        notes=notes,
        deadlines=Deadlines(seconds, seconds),
    )


def a_question(history: tuple[tuple[str, str], ...] = HISTORY) -> Envelope:
    return an_envelope(
        QuestionAsked(question_id=uuid4(), repository_id=uuid4(), query="And why is it there?", history=history)
    )


def shown(*envelopes: Envelope) -> QuestionView:
    """The question that its events come to."""
    questions: dict[UUID, QuestionView] = {}
    for each in envelopes:
        question = apply(questions, each)
        assert question is not None
        questions[question.question_id] = question
    return question


@pytest.mark.parametrize(
    ("answer", "code", "written"),
    [
        ("[src/none.py:1-2]", "answer_unsupported", None),  # it was paid for, and is not shown
        ("", "answer_deadline", 0),  # of the call that was cut off nobody said what it took
        (ValueError("no such key"), "internal_error", 2),  # it said "Well, "
        (asyncpg.InternalClientError("another operation (2) is in progress"), "database_unavailable", 2),
        (Permanent("model_key_refused", "Check the key."), "model_key_refused", 2),
    ],
)
async def test_a_failed_question_tells_and_counts_what_its_calls_took(
    answer: str | Exception, code: str, written: int | None
) -> None:
    model, envelope = Scripted(answer), a_question()
    answerer = an_answerer(model)
    with pytest.raises(Fault) as raised:
        await answerer.answer(envelope, Alone("test"))
    [append] = answerer.ends.failed(envelope, raised.value)
    [event] = [draft.event for draft in append.drafts]
    question = shown(envelope, an_envelope(event))
    asked = 100 if written is None else tokens_in(model.asked[0])
    said = 20 if written is None else written
    cost = 0.011 if written is None else 0.001 + PRICE.of(asked, said)

    assert isinstance(event, QuestionFailed)
    assert (event.code, event.input_tokens, event.output_tokens) == (code, 30 + asked, 4 + said)
    assert event.cost_usd == pytest.approx(cost)
    assert event.is_estimated == question.is_estimated == (written is not None)
    assert (question.state, tokens_of(question)) == ("failed", 34 + asked + said)
    assert cost_of(question) == event.cost_usd


async def test_a_provider_that_refused_to_begin_took_nothing() -> None:
    class Refusing(Scripted):
        async def stream(self, prompt: Prompt) -> AsyncIterator[Token | Finished]:
            raise Permanent("model_key_refused", "Check the key.")
            yield Finished("m", 0, 0)

    envelope, answerer = a_question(()), an_answerer(Refusing(""))
    with pytest.raises(Permanent) as raised:
        await answerer.answer(envelope, Alone("test"))
    [append] = answerer.ends.failed(envelope, raised.value)

    assert append.drafts[0].event.model_dump(include={"input_tokens", "cost_usd", "is_estimated"}) == {
        "input_tokens": 0,
        "cost_usd": None,
        "is_estimated": False,
    }


async def test_what_a_provider_does_not_tell_of_a_whole_answer_is_estimated_and_marked() -> None:
    model, envelope = Scripted("silent"), a_question(())
    result = await an_answerer(model).answer(envelope, Alone("test"))
    [event] = [draft.event for append in result.appends for draft in append.drafts]

    assert isinstance(event, QuestionAnswered)
    assert event.input_tokens == tokens_in(model.asked[0]) > 100
    assert event.output_tokens == len(ANSWER) // 4
    assert event.cost_usd == pytest.approx(PRICE.of(event.input_tokens, event.output_tokens))
    assert event.is_estimated
    assert shown(envelope, an_envelope(event)).is_estimated


async def test_a_stopped_answer_tells_what_was_taken_until_then_and_counts_as_much() -> None:
    model, run, envelope = Scripted(""), Alone("test"), a_question()
    answerer = an_answerer(model, seconds=30)
    answering = asyncio.create_task(answerer.answer(envelope, run))
    async with asyncio.timeout(5):
        await model.is_asked.wait()
    run.cancelled = True
    with pytest.raises(Cancelled) as raised:
        await answering
    [append] = await answerer.ends.stopped(envelope, raised.value)
    [event] = [draft.event for draft in append.drafts]
    assert isinstance(event, QuestionFailed)
    stop = an_envelope(QuestionStopped(question_id=event.question_id))
    before, after = shown(envelope, stop), shown(envelope, stop, an_envelope(event))

    assert (event.code, event.query, event.is_estimated) == ("answer_stopped", "", True)
    assert event.input_tokens == 30 + tokens_in(model.asked[0])
    assert (tokens_of(before), cost_of(before)) == (None, None)
    assert (tokens_of(after), cost_of(after)) == (event.input_tokens + 4, event.cost_usd)
    assert (before.state, before.query, after.state, after.query) == ("failed", before.query, "failed", before.query)


async def test_a_call_that_breaks_as_its_answer_is_stopped_counts_as_it_was_told() -> None:
    class Breaking(Scripted):
        async def stream(self, prompt: Prompt) -> AsyncIterator[Token | Used | Finished]:
            yield Used(100, 20, is_all=True)
            run.cancelled = True
            raise Permanent("answer_refused", "It declined.")

    run, envelope = Alone("test"), a_question(())
    answerer = an_answerer(Breaking(""))
    with pytest.raises(Cancelled) as raised:
        await answerer.answer(envelope, run)
    [append] = await answerer.ends.stopped(envelope, raised.value)

    assert append.drafts[0].event.model_dump(include={"code", "input_tokens", "output_tokens", "cost_usd"}) == {
        "code": "answer_stopped",
        "input_tokens": 100,
        "output_tokens": 20,
        "cost_usd": PRICE.of(100, 20),
    }


async def test_what_a_worker_took_that_was_killed_counts_once_with_its_successors() -> None:
    notes, envelope = Notes(), a_question(())
    for _ in range(2):
        model = Scripted("")
        dying = asyncio.create_task(an_answerer(model, notes, 30).answer(envelope, Alone("test")))
        async with asyncio.timeout(5):
            await model.is_asked.wait()
        dying.cancel()  # as its process ends: nothing is recorded
        await asyncio.gather(dying, return_exceptions=True)
    last = Scripted(ANSWER)
    result = await an_answerer(last, notes).answer(envelope, Alone("test"))
    [event] = [draft.event for append in result.appends for draft in append.drafts]
    lost = tokens_in(last.asked[0])

    assert isinstance(event, QuestionAnswered)
    assert (event.input_tokens, event.output_tokens, event.is_estimated) == (2 * lost + 100, 20, True)
    assert event.cost_usd == pytest.approx(2 * PRICE.of(lost, 0) + 0.01)


async def test_a_stop_that_comes_after_its_worker_died_counts_what_that_took() -> None:
    notes, envelope, model = Notes(), a_question(()), Scripted("")
    dying = asyncio.create_task(an_answerer(model, notes, 30).answer(envelope, Alone("test")))
    async with asyncio.timeout(5):
        await model.is_asked.wait()
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)
    [append] = await an_answerer(model, notes).ends.stopped(envelope, None)

    assert append.drafts[0].event.model_dump()["input_tokens"] == tokens_in(model.asked[0])
    assert await an_answerer(model, Notes()).ends.stopped(envelope, None) == ()


STEPS = st.lists(st.tuples(st.integers(0, 500), st.integers(0, 500)), max_size=4)


@given(STEPS, STEPS, st.tuples(st.integers(1, 500), st.integers(0, 500)), st.booleans())
async def test_no_death_between_a_call_and_its_step_loses_or_doubles_what_it_took(
    before: list[tuple[int, int]], steps: list[tuple[int, int]], last: tuple[int, int], is_recorded: bool
) -> None:
    """A worker takes steps, makes a last call, and dies; of that call a step is recorded, or is not."""
    kept: list[Noted] = []

    async def keep(noted: Noted) -> None:
        kept.append(noted)

    worker, recorded = Meter(keep), [Spend(*each) for each in before]
    worker.go_on(recorded, None)
    for sent, received in steps:
        call = Call(sent, None, told=Used(sent, received, is_all=True))
        worker.calls.append(call)
        await worker.note(call)
        worker.steps.append(Spend(sent, received))
    call = Call(last[0], None, written=last[1])
    worker.calls.append(call)
    await worker.note(call)
    successor = Meter()
    log = recorded + [Spend(*each) for each in steps] + ([Spend(*last)] if is_recorded else [])
    successor.go_on(log, kept[-1])

    assert successor.spend.input_tokens == worker.spend.input_tokens
    assert successor.spend.output_tokens == worker.spend.output_tokens
    assert successor.spend.is_estimated is not is_recorded


def test_a_failure_of_which_nothing_is_known_took_nothing_and_one_of_before_is_read() -> None:
    asked = an_envelope(QuestionAsked(question_id=UUID(int=2), repository_id=uuid4(), query="Why?"))
    [append] = failed(asked, Transient("search_unavailable", "Ask again."))
    [event] = [draft.event for draft in append.drafts]
    old = {"question_id": str(UUID(int=2)), "query": "Why?", "code": "search_unavailable", "message": "Ask again."}

    assert event == QuestionFailed.model_validate(old)
