"""Conversations, and answers while they are written, over real PostgreSQL and Valkey; the assistant is played here."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from redis.asyncio import Redis
from sqlalchemy import text

from events.base import LOCAL_TENANT, caused_by
from events.question import QuestionAnswered, QuestionFailed
from runtime.live import WRITTEN, LiveChannels, send_answer_part
from tests.support.orchestrator import System, a_system, eventually, messages

LIVE = LiveChannels(LOCAL_TENANT)


@pytest.fixture
async def system(
    database_url: str, redis_url: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[System]:
    async with a_system(
        monkeypatch, database_url=database_url, redis_url=redis_url, home=home, working=False
    ) as system:
        yield system


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    async with Redis.from_url(redis_url) as redis:
        yield redis


async def asked(system: System, query: str = "Where is the app made?") -> dict[str, str]:
    """A new conversation's first question."""
    analysis = await system.get(f"/analyses/{await system.begin()}")
    return await asked_about(system, analysis["repository_id"], query)


async def asked_about(system: System, repository_id: str, query: str) -> dict[str, str]:
    """A new conversation's first question, about a repository that is there."""
    began = await system.client.post("/api/v1/conversations", json={"repository_id": repository_id})
    assert (began.status_code, began.json()["title"]) == (201, "pallets/flask")
    path = f"/api/v1/conversations/{began.json()['conversation_id']}/questions"
    reply = await system.client.post(path, json={"query": query})
    assert (reply.status_code, reply.json()["state"]) == (202, "asked")
    question: dict[str, str] = reply.json()
    return question


def an_answer(question: dict[str, str], text: str) -> QuestionAnswered:
    return QuestionAnswered(
        question_id=UUID(question["question_id"]), query=question["query"], answer=text, mode="extractive",
        response_time=0.2, rag_hits=3, confidence=0.5, citations=(), removed_citations=0, passages=(),
        analysis_id=uuid4(), commit="c0ffee", generation_kind="quick", provider="none", model="none", prompt="p",
    )  # fmt: skip


async def answer(system: System, question: dict[str, str], text: str) -> None:
    stream_id = f"conversation/{question['conversation_id']}"
    envelope = (await system.journal.read_stream(stream_id))[-1]
    draft = caused_by(envelope, stream_id, an_answer(question, text), ordinal=0, at=datetime.now(UTC))
    await system.journal.append(stream_id, [draft])


async def heard(system: System, question: dict[str, str], last: str | None = None) -> list[dict[str, object]]:
    path = f"/questions/{question['question_id']}/stream"
    return [data async for event, _, data in messages(system, path, last=last) if event == "part"]


async def test_an_answer_is_streamed_and_ends_with_what_is_stored(system: System, redis: Redis) -> None:
    question = await asked(system)
    listening = asyncio.create_task(heard(system, question))
    question_id = UUID(question["question_id"])
    for part in (
        {"type": "status", "step": "searching"},
        {"type": "token", "text": "In "},
        {"type": "token", "text": "app.py"},
    ):
        await send_answer_part(redis, LIVE.answer(question_id), part)
    await send_answer_part(redis, LIVE.answer(question_id), {"type": WRITTEN})
    await answer(system, question, "In app.py")
    async with asyncio.timeout(10):
        parts = await listening

    assert [part["type"] for part in parts] == ["status", "token", "token", "done"]
    stored = parts[-1]["question"]
    assert isinstance(stored, dict)
    assert (stored["state"], stored["answer"], stored["question_id"]) == ("answered", "In app.py", str(question_id))


async def test_the_last_part_comes_after_the_commit_so_that_whoever_hears_it_finds_the_answer(
    system: System, redis: Redis
) -> None:
    question = await asked(system)
    question_id = UUID(question["question_id"])
    await send_answer_part(redis, LIVE.answer(question_id), {"type": "token", "text": "In app.py"})
    await send_answer_part(redis, LIVE.answer(question_id), {"type": WRITTEN})
    listening = asyncio.create_task(heard(system, question))
    await asyncio.sleep(0.5)  # a slow commit
    early = listening.done()
    await answer(system, question, "In app.py")
    async with asyncio.timeout(10):
        parts = await listening
    found = await system.get(f"/questions/{question_id}")

    assert not early
    assert [part["type"] for part in parts] == ["token", "done"]
    assert (found["state"], found["answer"]) == ("answered", "In app.py")


async def test_a_writer_that_died_before_its_commit_is_followed_by_one_that_begins_anew(
    system: System, redis: Redis
) -> None:
    question = await asked(system)
    question_id = UUID(question["question_id"])
    lost: list[dict[str, object]] = [{"type": "token", "text": "lost"}, {"type": WRITTEN}]
    for part in [*lost, {"type": "reset"}, {"type": "token", "text": "kept"}]:
        await send_answer_part(redis, LIVE.answer(question_id), part)
    parts: list[dict[str, object]] = []
    async with asyncio.timeout(10):
        async for event, _, data in messages(system, f"/questions/{question_id}/stream"):
            parts += [data] if event == "part" else []
            if data.get("text") == "kept":
                await answer(system, question, "kept")

    assert [(part["type"], part.get("text")) for part in parts] == [
        ("token", "lost"),
        ("reset", None),
        ("token", "kept"),
        ("done", None),
    ]


async def test_a_listener_who_returns_goes_on_after_the_part_it_had(system: System, redis: Redis) -> None:
    question = await asked(system)
    for word in ("a", "b", "c"):
        await send_answer_part(redis, LIVE.answer(question["question_id"]), {"type": "token", "text": word})
    ids = [entry_id.decode() for entry_id, _ in await redis.xrange(LIVE.answer(question["question_id"]))]
    await answer(system, question, "abc")
    parts = await heard(system, question, last=ids[0])

    assert [part.get("text") for part in parts] == ["b", "c", None]


async def test_an_answer_whose_channel_is_lost_comes_from_the_log(system: System, redis: Redis) -> None:
    question = await asked(system)
    listening = asyncio.create_task(heard(system, question))
    await send_answer_part(redis, LIVE.answer(question["question_id"]), {"type": "token", "text": "x"})
    await redis.delete(LIVE.answer(question["question_id"]))
    await answer(system, question, "All of it")
    async with asyncio.timeout(10):
        parts = await listening

    assert parts[-1]["type"] == "done"
    assert parts[-1]["question"]["answer"] == "All of it"


async def test_a_question_that_no_read_model_knows_yet_is_waited_for_and_one_that_nobody_asked_is_not(
    system: System,
) -> None:
    await system.followed()
    async with system.engine.begin() as connection:
        held = await connection.execute(text("SELECT 1 FROM es.projections WHERE name = 'overview' FOR UPDATE"))
        assert held.all()
        question = await asked(system)
        looking = asyncio.create_task(system.client.get(f"/api/v1/questions/{question['question_id']}"))
        unknown = await system.client.get(f"/api/v1/questions/{uuid4()}")
        assert (unknown.status_code, looking.done()) == (404, False)
    found = await looking

    assert (found.status_code, found.json()["state"]) == (200, "asked")


async def test_a_question_that_fails_says_so_in_its_last_part(system: System) -> None:
    question = await asked(system)
    stream_id = f"conversation/{question['conversation_id']}"
    envelope = (await system.journal.read_stream(stream_id))[-1]
    event = QuestionFailed(
        question_id=UUID(question["question_id"]), query="q", code="provider_down", message="Ask again."
    )
    await system.journal.append(stream_id, [caused_by(envelope, stream_id, event, ordinal=0, at=datetime.now(UTC))])
    [last] = await heard(system, question)

    assert (last["type"], last["code"], last["message"]) == ("failed", "provider_down", "Ask again.")


async def test_later_questions_carry_the_earlier_turns_and_ratings_are_kept(system: System) -> None:
    first = await asked(system, "What is it?")
    rating = f"/api/v1/questions/{first['question_id']}/rating"
    early = await system.client.post(rating, json={"rating": 1})
    await answer(system, first, "A framework.")
    rated = await system.client.post(rating, json={"rating": 1})
    path = f"/api/v1/conversations/{first['conversation_id']}/questions"
    second = (await system.client.post(path, json={"query": "  And where is it? "})).json()
    events = await system.journal.read_stream(f"conversation/{first['conversation_id']}")
    conversation = await system.get(f"/conversations/{first['conversation_id']}")

    assert (early.status_code, early.json()["code"]) == (409, "not_answered")
    assert (rated.status_code, rated.json()["rating"]) == (200, 1)
    assert events[-1].data["history"] == [["What is it?", "A framework."]]
    assert [(q["query"], q["rating"]) for q in conversation["questions"]] == [
        ("What is it?", 1),
        ("And where is it?", None),
    ]
    assert (await system.get(f"/questions/{second['question_id']}"))["state"] == "asked"
    listed = await eventually(lambda: system.get("/conversations"), lambda page: page["items"])
    [item] = listed["items"]
    assert (item["conversation_id"], item["first_question"]) == (first["conversation_id"], "What is it?")
    assert item["questions"] == 2


async def test_conversations_are_found_by_the_words_of_a_question_and_its_answer(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    about_routes = await asked(system, "Where are routes added?")
    about_tests = await asked_about(system, about_routes["repository_id"], "What tests it?")
    await answer(system, about_routes, "By `add_url_rule` in sansio/app.py.")
    await eventually(lambda: system.get("/conversations"), lambda page: len(page["items"]) == 2)

    async def found(words: str, **more: object) -> list[str]:
        return [item["conversation_id"] for item in (await system.get("/conversations", words=words, **more))["items"]]

    assert await found("ADD_URL_RULE where") == [about_routes["conversation_id"]]
    assert await found("it") == [about_tests["conversation_id"]]
    assert await found("add_url_rule tests") == []
    assert await found("a") == [about_tests["conversation_id"], about_routes["conversation_id"]]
    assert await found("a", limit=1) == [about_tests["conversation_id"]]
    monkeypatch.setattr("orchestrator.adapters.conversations.LOOKED_THROUGH", 1)
    passed = await system.get("/conversations", words="routes")
    assert passed["items"] == []
    assert await found("routes", cursor=passed["next"]) == [about_routes["conversation_id"]]


async def test_a_conversation_that_is_too_large_is_listed_without_being_read(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = await asked(system, "Where are routes added?")
    path = f"/api/v1/conversations/{large['conversation_id']}/questions"
    await answer(system, large, "By `add_url_rule`.")
    await system.client.post(path, json={"query": "And tested?"})
    small = await asked_about(system, large["repository_id"], "Where is it?")
    await eventually(lambda: system.get("/conversations"), lambda page: len(page["items"]) == 2)
    async with system.engine.connect() as connection:
        stream = {"stream": f"conversation/{small['conversation_id']}"}
        sizes = text("SELECT max(pg_column_size(data)) FROM es.events WHERE stream_id = :stream")
        size = await connection.scalar(sizes, stream)
    monkeypatch.setattr("orchestrator.adapters.conversations.MOST_SHOWN", size)
    monkeypatch.setattr("orchestrator.adapters.conversations.MOST_READ", 2 * size)

    listed = (await system.get("/conversations"))["items"]
    found = (await system.get("/conversations", words="where"))["items"]

    assert [(item["first_question"], item["questions"]) for item in listed] == [("Where is it?", 1), (None, 2)]
    assert [item["conversation_id"] for item in found] == [small["conversation_id"]]


async def test_a_question_is_put_in_other_words_and_later_ones_build_upon_them(system: System) -> None:
    first = await asked(system, "What is ti?")
    await answer(system, first, "Unclear.")
    again = f"/api/v1/questions/{first['question_id']}/again"
    empty = await system.client.post(again, json={"query": " "})
    edited = (await system.client.post(again, json={"query": " What is it? "})).json()
    await answer(system, edited, "A framework.")
    once_more = await system.client.post(f"/api/v1/questions/{edited['question_id']}/again", json={})
    conversation = f"/conversations/{first['conversation_id']}"
    later = await system.client.post(f"/api/v1{conversation}/questions", json={"query": "Whose?"})
    last = (await system.journal.read_stream(f"conversation/{first['conversation_id']}"))[-1]
    document = (await system.get(f"{conversation}/document"))["markdown"]
    listed = await eventually(lambda: system.get("/conversations"), lambda page: page["items"])

    assert (empty.status_code, empty.json()["code"]) == (422, "invalid_request")
    assert (edited["query"], edited["again"], once_more.json()["query"]) == (
        "What is it?",
        first["question_id"],
        "What is it?",
    )
    assert later.status_code == 202
    assert last.data["history"] == [["What is it?", "A framework."]]
    assert "### Answer 2 of 3\n\n> What is it?\n\nA framework.\n" in document
    assert (listed["items"][0]["first_question"], listed["items"][0]["questions"]) == ("What is it?", 2)


async def test_another_attempt_names_its_cause_and_stands_beside_the_answer_that_was_not_enough(
    system: System,
) -> None:
    first = await asked(system, "What is it?")
    again = f"/api/v1/questions/{first['question_id']}/again"
    early = await system.client.post(again, json={})
    await answer(system, first, "A framework.")
    unknown = await system.client.post(again, json={"model": "openai:nothing"})
    second = (await system.client.post(again, json={})).json()
    await answer(system, second, "A web framework.")
    third = (await system.client.post(f"/api/v1/questions/{second['question_id']}/again", json={})).json()
    conversation = f"/conversations/{first['conversation_id']}"
    [_, asked_first, answered, asked_again, answered_again, asked_last] = await system.journal.read_stream(
        f"conversation/{first['conversation_id']}"
    )
    questions = (await system.get(conversation))["questions"]
    document = (await system.get(f"{conversation}/document"))["markdown"]

    assert (early.status_code, early.json()["code"]) == (409, "not_answered")
    assert (unknown.status_code, unknown.json()["code"]) == (422, "model_not_configured")
    assert (asked_again.causation_id, asked_last.causation_id) == (answered.event_id, answered_again.event_id)
    assert asked_again.data | {"question_id": "", "again": None} == asked_first.data | {"question_id": ""}
    assert [(q["question_id"], q["again"], q["answer"]) for q in questions] == [
        (first["question_id"], None, "A framework."),
        (second["question_id"], first["question_id"], "A web framework."),
        (third["question_id"], first["question_id"], None),
    ]
    assert "> What is it?\n\n### Answer 1 of 3\n\nA framework.\n" in document
    assert "### Answer 2 of 3\n\nA web framework.\n" in document


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"query": ""}, 422, "invalid_request"),
        ({"query": "   "}, 422, "invalid_request"),
        ({"query": "a\x00b"}, 422, "invalid_request"),
        ({"query": "x" * 4_001}, 422, "invalid_request"),
        ({"query": "x", "model": "openai:nothing"}, 422, "model_not_configured"),
        ({"query": "x", "mode": "deep"}, 422, "mode_not_offered"),
        ({"query": "x", "mode": "wild"}, 422, "invalid_request"),
        ({}, 422, "invalid_request"),
    ],
)
async def test_a_question_that_is_none_is_refused(system: System, body: dict[str, str], status: int, code: str) -> None:
    first = await asked(system)
    reply = await system.client.post(f"/api/v1/conversations/{first['conversation_id']}/questions", json=body)

    assert (reply.status_code, reply.json()["code"]) == (status, code)


GONE = uuid4()  # a question that was deleted while it was answered


async def _paid(system: System, question: dict[str, Any]) -> dict[UUID, tuple[int, float]]:
    """What counts after the workers of a stopped question, and of a deleted one, said what they took."""
    stream_id = f"conversation/{question['conversation_id']}"
    [*_, envelope] = await system.journal.read_stream(stream_id)
    accepted = text("INSERT INTO app.accepted_questions (question_id, tenant_id, accepted_at) VALUES (:id, :of, now())")
    async with system.engine.begin() as connection:
        await connection.execute(accepted, {"id": GONE, "of": envelope.tenant_id})
    for ordinal, id_ in enumerate((UUID(question["question_id"]), GONE)):
        ended = {"question_id": id_, "query": "", "code": "answer_stopped", "message": "Stopped."}
        event = QuestionFailed(**ended, input_tokens=70, output_tokens=30, cost_usd=0.25, is_estimated=True)
        drafted = caused_by(envelope, stream_id, event, ordinal=ordinal, at=datetime.now(UTC))
        await system.journal.append(stream_id, [drafted])
    await system.followed()
    shown = await system.get(f"/questions/{question['question_id']}")
    assert (shown["code"], shown["query"], shown["is_estimated"]) == ("answer_stopped", question["query"], True)
    async with system.engine.connect() as connection:
        rows = await connection.execute(text("SELECT question_id, tokens, cost_usd FROM app.accepted_questions"))
        return {row.question_id: (row.tokens, float(row.cost_usd)) for row in rows}


async def test_a_stopped_question_ends_for_everybody_and_an_answer_that_comes_after_it_does_not_count(
    system: System,
) -> None:
    question = await asked(system)
    listening = asyncio.create_task(heard(system, question))
    stop = f"/api/v1/questions/{question['question_id']}/stop"
    stopped = await system.client.post(stop)
    async with asyncio.timeout(10):
        parts = await listening
    await answer(system, question, "Too late.")
    again = await system.client.post(stop)
    await system.followed()
    async with system.engine.connect() as connection:
        tokens = (await connection.execute(text("SELECT tokens FROM app.accepted_questions"))).scalar_one()
    was_paid = await _paid(system, question)
    other = (await system.client.post(f"/api/v1/questions/{question['question_id']}/again", json={})).json()
    await answer(system, other, "In app.py")
    came_first = await system.client.post(f"/api/v1/questions/{other['question_id']}/stop")
    events = await system.journal.read_stream(f"conversation/{question['conversation_id']}")

    assert (stopped.status_code, stopped.json()["state"], stopped.json()["code"]) == (200, "failed", "answer_stopped")
    assert (parts[-1]["type"], parts[-1]["code"]) == ("failed", "answer_stopped")
    assert again.json() == stopped.json()
    assert tokens is None  # what is reserved stands until its worker told what it took
    assert was_paid == {UUID(question["question_id"]): (100, 0.25), GONE: (100, 0.25)}
    assert (came_first.json()["state"], came_first.json()["answer"]) == ("answered", "In app.py")
    assert [event.event_type for event in events].count("ai.query.stopped") == 1


@pytest.mark.parametrize("deleted", ["conversations/{conversation_id}", "repositories/{repository_id}"])
async def test_an_answer_that_was_written_as_its_question_was_deleted_is_paid_for(system: System, deleted: str) -> None:
    question = await asked(system)
    stream_id = f"conversation/{question['conversation_id']}"
    [*_, envelope] = await system.journal.read_stream(stream_id)
    gone = await system.client.delete(f"/api/v1/{deleted.format(**question)}")
    await system.followed()
    taken = {"input_tokens": 70, "output_tokens": 30, "cost_usd": 0.25}
    late = an_answer(question, "Too late.").model_copy(update=taken)
    await system.journal.append(stream_id, [caused_by(envelope, stream_id, late, ordinal=0, at=datetime.now(UTC))])
    await system.followed()
    async with system.engine.connect() as connection:
        [row] = await connection.execute(text("SELECT tokens, cost_usd FROM app.accepted_questions"))

    assert gone.status_code < 300
    assert (row.tokens, float(row.cost_usd)) == (100, 0.25)


async def test_an_end_that_tells_nothing_takes_back_nothing_that_was_counted(system: System) -> None:
    """A new version of the read models takes all events again: by now the question's steps are of nothing."""
    question = await asked(system)
    stream_id = f"conversation/{question['conversation_id']}"
    [*_, envelope] = await system.journal.read_stream(stream_id)
    gone = await system.client.delete(f"/api/v1/repositories/{question['repository_id']}")
    async with system.engine.begin() as connection:
        await connection.execute(text("UPDATE app.accepted_questions SET tokens = 500, cost_usd = 0.5"))
    asked_for = {"question_id": UUID(question["question_id"]), "query": "", "code": "answer_parked", "message": ""}
    end = QuestionFailed.model_validate(asked_for)
    await system.journal.append(stream_id, [caused_by(envelope, stream_id, end, ordinal=0, at=datetime.now(UTC))])
    await system.followed()
    async with system.engine.connect() as connection:
        [row] = await connection.execute(text("SELECT tokens, cost_usd FROM app.accepted_questions"))

    assert gone.status_code < 300
    assert (row.tokens, float(row.cost_usd)) == (500, 0.5)
