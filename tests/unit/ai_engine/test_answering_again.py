"""Recorded questions answered again by the present code, with what was replied then. Nobody's model is asked."""

from collections.abc import Mapping
from uuid import uuid4

import pytest

from ai_engine.answering_again import AnswerAgain
from ai_engine.stages.plan_steps import Budget
from ai_engine.subscribers import Deadlines
from events.base import ERASED, LOCAL_TENANT, Envelope, Event
from events.log.memory import MemoryJournal
from events.question import Citation, Evidence, QuestionAnswered, QuestionAsked, StepTaken
from events.replay.sandbox import Alone, end_of
from runtime.faults import Permanent
from tests.fakes.facts import FakeFacts
from tests.fakes.retriever import FakeRetriever
from tests.support.answering import FILES
from tests.support.kernel import AT, a_draft

CITED = "Routes are kept in the map [src/app.py:1-3]."
NOTHING = Evidence(chunks=500, terms=4, unknown=1.0, rare=1.0, weight=20.0, best=0.0)


class Record:
    """A conversation with one question, its answer, and what answers it again."""

    def __init__(self, retriever: FakeRetriever | None = None, *, configured: bool = True) -> None:
        self.journal = MemoryJournal()
        self.retriever = retriever or FakeRetriever(FILES)
        self.facts = FakeFacts()
        self.question, self.stream = uuid4(), f"conversation/{uuid4()}"
        self.again = AnswerAgain(
            self.journal, self.retriever, self.facts, configured=configured, deadlines=Deadlines(5, 5), budget=Budget()
        )

    async def asked(self, **more: object) -> None:
        plain = {"question_id": self.question, "repository_id": uuid4(), "query": "Where are routes kept?"}
        await self._append(QuestionAsked.model_validate({**plain, **more}))

    async def answered(self, answer: str, provider: str = "openai", **more: object) -> None:
        plain = {
            "question_id": self.question,
            "query": "Where are routes kept?",
            "answer": answer,
            "commit": "c0ffee",
            "mode": "generated",
            "response_time": 1.0,
            "rag_hits": 1,
            "confidence": 0.5,
            "citations": (),
            "removed_citations": 0,
            "passages": (),
            "analysis_id": self.retriever.analysis_id,
            "model": "m",
            "generation_kind": "quick",
            "provider": provider,
            "prompt": "answer-v1",
        }
        await self._append(QuestionAnswered.model_validate({**plain, **more}))

    async def step(self, number: int) -> None:
        await self._append(
            StepTaken(
                question_id=self.question,
                analysis_id=self.retriever.analysis_id,
                number=number,
                tool="read",
                asked='{"path": "src/app.py"}',
                places=(Citation(path="src/app.py", first_line=1, last_line=7),),
            )
        )

    async def told(self) -> QuestionAnswered:
        request = Envelope(
            event_id=uuid4(),
            event_type=QuestionAsked.event_type,
            stream_id=self.stream,
            version=1,
            tenant_id=LOCAL_TENANT,
            correlation_id=uuid4(),
            timestamp=AT,
            data={"question_id": str(self.question), "shard": 0},
        )
        stream, draft = end_of(await self.again(request, Alone("test")))
        assert stream == self.stream
        assert isinstance(draft.event, QuestionAnswered)
        return draft.event

    async def _append(self, event: Event) -> None:
        await self.journal.append(self.stream, [a_draft(event)])


async def test_what_a_model_replied_is_checked_against_what_is_found_now() -> None:
    record = Record()
    await record.asked(model="openai:m")
    await record.answered(f"{CITED} And in [src/gone.py:1-2].")

    told = await record.told()

    assert (told.answer, told.mode, told.provider, told.model) == (f"{CITED} And in.", "generated", "openai", "m")
    assert [(one.path, one.first_line, one.last_line) for one in told.citations] == [("src/app.py", 1, 3)]
    assert told.removed_citations == 1
    [searched] = record.retriever.searches
    assert (searched.offline, searched.analysis_id) == (True, record.retriever.analysis_id)


@pytest.mark.parametrize("configured", [True, False])
async def test_an_answer_that_no_model_wrote_is_extracted_again(configured: bool) -> None:
    record = Record(configured=configured)
    await record.asked()
    await record.answered("What it was.", "none", mode="extractive")

    told = await record.told()

    assert (told.mode, told.prompt) == ("extractive", "extractive-v2")
    assert "def route(path):" in told.answer


async def test_a_refusal_stays_one_where_nothing_is_found_and_lacks_a_reply_where_something_is() -> None:
    refused = {"mode": "extractive", "refused": "no_evidence"}
    record = Record(FakeRetriever({f"src/{n}.py": "x = 1\n" for n in range(3)}, evidence=NOTHING))
    await record.asked(query="How is the kernel scheduler of Linux tuned?")
    await record.answered("Not found.", "none", **refused)
    assert (await record.told()).refused == "no_evidence"

    found = Record()
    await found.asked()
    await found.answered("Not found.", "none", **refused)
    with pytest.raises(Permanent) as fault:
        await found.told()
    assert fault.value.code == "effect_not_recorded"


async def test_a_models_refusal_and_its_rewriting_are_replies_too() -> None:
    record = Record()
    await record.asked(query="And who calls it?", history=[("Where are routes kept?", "In a map.")])
    await record.answered(
        "Not found in this repository.", refused="not_in_passages", standalone="Who calls route?", standalone_by="m"
    )

    told = await record.told()

    assert (told.refused, told.standalone, told.standalone_by) == ("not_in_passages", "Who calls route?", "m")
    assert record.retriever.searches[0].query == "Who calls route?"


async def test_an_answer_in_steps_goes_on_after_those_that_were_taken() -> None:
    record = Record()
    await record.asked(mode="deep")
    await record.step(1)
    await record.answered("It ends there [src/app.py:6-7].", mode="deep")

    told = await record.told()

    assert (told.mode, told.answer) == ("deep", "It ends there [src/app.py:6-7].")
    assert told.removed_citations == 0


@pytest.mark.parametrize("gone", [{"query": ERASED}, {"answer": ERASED}, None])
async def test_what_was_emptied_is_not_answered(gone: Mapping[str, str] | None) -> None:
    record = Record()
    await record.asked(**({"query": gone["query"]} if gone and "query" in gone else {}))
    if gone is not None:
        await record.answered(gone.get("answer", CITED))

    with pytest.raises(Permanent) as fault:
        await record.told()

    assert fault.value.code == "effect_not_recorded"
