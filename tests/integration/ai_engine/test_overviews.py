"""An overview told again: by a model that may cite nothing but what the facts cite, else as the facts have it."""

import pytest

from ai_engine.adapters.anthropic import AnthropicModel
from ai_engine.ports import LanguageModel
from events.base import Envelope
from events.question import QuestionAsked
from tests.fakes.retriever import FakeRetriever
from tests.support.answering import FILES, Desk
from tests.support.kernel import a_draft
from tests.support.model_stand_in import StandIn, model_stand_in

FACTS = "## What it is\n\n> It sends mail\n\n- class `App` [src/app.py:1-3]\n- never stored [gone.py:1-2]"
KEPT = "## What it is\n\n> It sends mail\n\n- class `App` [src/app.py:1-3]\n- never stored"


async def told(desk: Desk, models: dict[str, LanguageModel]) -> Envelope:
    """What becomes of the facts."""
    retriever = FakeRetriever(FILES)
    asked = QuestionAsked(
        question_id=desk.question_id,
        repository_id=desk.question_id,
        query="What is it?",
        analysis_id=retriever.analysis_id,
        facts=FACTS,
    )
    await desk.kernel.journal.append(desk.stream_id, [a_draft(asked)])
    await desk.kernel.carry()
    await desk.work(retriever, models)
    return await desk.end()


async def test_a_model_tells_the_facts_again_from_the_facts_and_the_lines_they_cite(
    desk: Desk, server: StandIn, models: dict[str, LanguageModel]
) -> None:
    server.words = ("An app ", "[src/app.py:1-2]", ", [gone.py:1-1] and [src/app.py:4-5].")
    data = (await told(desk, models)).data

    assert (data["answer"], data["mode"], data["prompt"]) == (
        "An app [src/app.py:1-2], and.",
        "generated",
        "overview-v1",
    )
    assert data["removed_citations"] == 2  # one file is not there, and lines 4 and 5 were not given
    given = str(server.requests[0]["messages"])
    assert ":facts::1-6>>>" in given
    assert "It sends mail" in given
    assert "src/app.py:1-3>>>" in given
    assert "gone.py:1-2>>>" not in given


async def test_anthropics_wire_tells_it_as_well(desk: Desk) -> None:
    async with model_stand_in("anthropic") as server:
        model = AnthropicModel(model="m", key=lambda: "test-key", base_url=server.url)
        data = (await told(desk, {"anthropic:m": model})).data
        await model.close()

    assert (data["mode"], data["provider"]) == ("generated", "anthropic")
    assert [(one["path"], one["last_line"]) for one in data["citations"]] == [("src/app.py", 3)]


@pytest.mark.parametrize(
    ("script", "code"),
    [
        ("status:401", "model_key_refused"),
        ("status:429,3600", "model_rate_limited"),
        ("length", "answer_too_long"),
        ("cut", "answer_cut_off"),
        ("html", "answer_cut_off"),
        ("garbage", "model_reply_unreadable"),
        ("invented", "answer_unsupported"),
    ],
)
async def test_whatever_keeps_the_model_from_it_the_facts_are_the_answer_and_say_so(
    desk: Desk, server: StandIn, models: dict[str, LanguageModel], *, script: str, code: str
) -> None:
    server.script = [script if script != "invented" else "whole"]
    server.words = server.words if script != "invented" else ("All in ", "[no/such.py:1-9].")
    data = (await told(desk, models)).data

    assert server.requests, "the fault did not happen"
    assert data["answer"] == f"*The model did not tell it ({code}); this is told from the facts.*\n\n{KEPT}"
    assert (data["mode"], data["provider"], data["removed_citations"]) == ("extractive", "none", 1)
    assert await desk.seen() == f"*The model did not tell it ({code}); this is told from the facts.*\n\n{KEPT}"


async def test_without_a_model_the_facts_are_the_answer(desk: Desk) -> None:
    data = (await told(desk, {})).data

    assert (data["answer"], data["mode"], data["prompt"]) == (KEPT, "extractive", "overview-facts-v1")
