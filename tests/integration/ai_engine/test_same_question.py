"""What was answered before, to the same question about the same generation: offered again, and where it must not be."""

import asyncio
from uuid import uuid4

import pytest
from sqlalchemy import text

from ai_engine.ports import LanguageModel
from ai_engine.reranking import ModelReranker, Reranking
from events.question import AnswerRated, QuestionAsked, QuestionStopped
from runtime.metrics import cache_lookups
from tests.fakes.retriever import FakeRetriever
from tests.support.answering import FILES, MODEL, Desk
from tests.support.delivery import until
from tests.support.kernel import a_draft
from tests.support.model_stand_in import WORDS, StandIn

ASKED = "Where are routes kept?"


def counted(outcome: str) -> float:
    return cache_lookups.labels("answers", outcome)._value.get()  # there is no other way to read it


async def recorded(desk: Desk, count: int) -> bool:
    return len(await desk.ends()) == count


async def test_the_answer_of_then_is_the_answer_of_now_and_says_so(
    desk: Desk, server: StandIn, models: dict[str, LanguageModel]
) -> None:
    retriever, second, third = FakeRetriever(FILES), Desk(desk.kernel), Desk(desk.kernel)
    await desk.ask(ASKED)
    await desk.work(retriever, models)
    first = await desk.end()
    hits = counted("hit")
    await second.ask(f"  {ASKED.replace(' ', '  ')} ")
    told = (await second.end()).data
    await second.kernel.journal.append(desk.stream_id, [a_draft(AnswerRated(question_id=desk.question_id, rating=-1))])
    await third.ask(ASKED)
    anew = (await third.end()).data

    assert (told["answer"], told["model"], told["prompt"]) == (first.data["answer"], "m", first.data["prompt"])
    assert told["earlier"] == str(desk.question_id)
    assert told["earlier_at"] == first.timestamp.isoformat().replace("+00:00", "Z")
    assert (told["input_tokens"], told["output_tokens"], told["fingerprint"], told["shelf"]) == (0, 0, "", None)
    assert (await second.seen()).strip() == "".join(WORDS)
    assert counted("hit") - hits == 1
    # Rated down it is offered no more, and what was told again is nobody's earlier answer.
    assert (anew["earlier"], len(server.requests)) == (None, 2)


@pytest.mark.parametrize("because", ["another generation", "deleted", "stopped", "again"])
async def test_it_is_asked_for_where_the_answer_of_then_is_not_the_same_or_nobodys_any_more(
    desk: Desk, server: StandIn, models: dict[str, LanguageModel], because: str
) -> None:
    retriever, second = FakeRetriever(FILES), Desk(desk.kernel)
    await desk.ask(ASKED)
    await desk.work(retriever, models)
    await desk.end()
    journal, engine = desk.kernel.journal, desk.kernel.engine
    again = QuestionAsked(question_id=uuid4(), repository_id=uuid4(), query=ASKED, again=desk.question_id)
    if because == "another generation":
        retriever.generation_id = uuid4()
    if because == "deleted":
        async with engine.begin() as connection:
            hide = text("UPDATE es.streams SET archived_at = now() WHERE stream_id = :stream")
            await connection.execute(hide, {"stream": desk.stream_id})
    if because == "stopped":
        await journal.append(desk.stream_id, [a_draft(QuestionStopped(question_id=desk.question_id))])
    if because == "again":
        await journal.append(desk.stream_id, [a_draft(again)])
        await desk.kernel.carry()
        await until(lambda: recorded(desk, 3))  # the answer of then, the question again, its answer
    await second.ask(ASKED)
    data = (await second.end()).data

    # Of two attempts the newer one is offered.
    assert data["earlier"] == (str(again.question_id) if because == "again" else None)
    assert len(server.requests) == 2


async def test_of_two_that_ask_the_same_at_once_one_asks_the_model(
    desk: Desk, server: StandIn, models: dict[str, LanguageModel]
) -> None:
    asking = asyncio.Barrier(2)

    async def both() -> None:
        await asking.wait()

    retriever, second = FakeRetriever(FILES, before=both), Desk(desk.kernel)
    told = counted("shared") + counted("hit")
    for one, worker in ((desk, "a"), (second, "b")):
        await one.ask(ASKED)
        await one.work(retriever, models, worker=worker)
    ends = [(await one.end()).data for one in (desk, second)]

    assert len(server.requests) == 1
    assert {end["answer"] for end in ends} == {"".join(WORDS)}
    assert sorted(end["earlier"] is None for end in ends) == [False, True]
    assert counted("shared") + counted("hit") - told == 1


async def test_who_waited_for_an_answer_that_never_came_asks(
    desk: Desk, server: StandIn, models: dict[str, LanguageModel]
) -> None:
    server.script = ["status:401", "whole"]
    asking = asyncio.Barrier(2)

    async def both() -> None:
        await asking.wait()

    retriever, second = FakeRetriever(FILES, before=both), Desk(desk.kernel)
    for one, worker in ((desk, "a"), (second, "b")):
        await one.ask(ASKED)
        await one.work(retriever, models, worker=worker)
    ends = [await one.end() for one in (desk, second)]

    assert sorted(end.event_type for end in ends) == ["ai.query.failed", "ai.query.processed"]
    assert len(server.requests) == 2


async def test_what_was_found_is_ordered_by_a_model_where_that_is_wanted_and_paid_for(
    desk: Desk, server: StandIn, models: dict[str, LanguageModel]
) -> None:
    server.script = ["says:2", "whole"]
    desk.reranking = Reranking(ModelReranker(models[MODEL]))
    await desk.ask(ASKED)
    await desk.work(FakeRetriever({"src/other.py": "x = 1", **FILES}), models)
    data = (await desk.end()).data

    assert [one["path"] for one in data["passages"]] == ["src/app.py", "src/other.py"]
    assert (data["plan"][-1]["retriever"], data["plan"][-1]["about"]) == ("rerank", MODEL)
    assert (data["input_tokens"], data["output_tokens"]) == (22, 14)
    asked = [str(request["messages"]) for request in server.requests]
    assert "Passage 2" in asked[0]
    assert asked[1].index("src/app.py") < asked[1].index("src/other.py")
