"""Parked messages: each is an event, is looked at, done again or not, and what was decided happens once."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from events.base import Envelope
from events.catalog import QUESTIONS, WORKFLOW
from events.delivery import dead_letters
from events.delivery.entries import Entry
from events.letters import MessageDiscarded, MessageEdited, MessageParked, MessageRetried
from events.log.postgres import read_stream_in
from events.log.wake import Wake
from events.processing import FaultKind, RetryRequested, Stage, StageRequested
from events.question import QuestionAsked
from events.replay.doctor import examine
from orchestrator.adapters.letters import Letters
from orchestrator.limits.reserving import AnswerLimits
from orchestrator.subscribers import CONSUMER, workflow_handler
from orchestrator.workflow import Policy
from tests.support.delivery import Kernel, a_kernel, until
from tests.support.kernel import AT, requested
from tests.support.orchestrator import System, a_system, eventually

NO_STREAM = "nothing"
SECRET = "ghp_" + "a1B2" * 9


@pytest.fixture
async def kernel(database_url: str, redis_url: str) -> AsyncIterator[Kernel]:
    async with a_kernel(database_url, redis_url) as running:
        yield running


@pytest.fixture
async def system(
    database_url: str, redis_url: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[System]:
    async with a_system(monkeypatch, database_url=database_url, redis_url=redis_url, home=home) as running:
        yield running


async def types(kernel: Kernel, stream: str) -> list[str]:
    return [event.event_type for event in await kernel.journal.read_stream(stream)]


async def test_a_message_to_the_workflow_is_parked_told_and_done_again_once(kernel: Kernel) -> None:
    broken, by = [True], uuid4()

    async def read(connection: AsyncConnection, stream: str, after: int) -> Sequence[Envelope]:
        if broken:
            raise RuntimeError("a bug of ours")
        return await read_stream_in(connection, stream, after=after)

    stream = "analysis/a"
    await kernel.journal.append(stream, [requested(1)])
    subscriber = kernel.subscriber(max_deliveries=1)
    subscriber.short(WORKFLOW, CONSUMER, workflow_handler(read, Policy()), idle_seconds=0.4)
    await subscriber.start()
    letters = Letters(kernel.engine, Wake(kernel.redis), lambda: AT, AnswerLimits())
    async with kernel.carrying():
        await until(lambda: letters.listed(settled=False, after=None, limit=9))
        [letter] = await letters.listed(settled=False, after=None, limit=9)
        broken.clear()
        found = next(each for each in await examine(kernel.engine, kernel.redis) if each.name == "no dead letters")
        done = [await letters.run_again(letter.letter_id, by) for _ in range(2)]

        async def asks() -> bool:
            return StageRequested.event_type in await types(kernel, stream)

        await until(asks)

    said = await types(kernel, stream)
    assert (letter.consumer, letter.event_type, letter.stream_id, letter.attempts) == (
        CONSUMER,
        "repository.processing.requested",
        stream,
        2,
    )
    assert f"repostream letters show {letter.letter_id}" in found.detail
    assert [each.resolution for each in done if each is not None] == ["retried", "retried"]
    assert [said.count(kind) for kind in (MessageParked.event_type, MessageRetried.event_type)] == [1, 1]
    assert said.count(StageRequested.event_type) == 1
    assert await letters.listed(settled=False, after=None, limit=9) == []
    retried = (await kernel.journal.read_stream(stream))[said.index(MessageRetried.event_type)]
    assert (retried.user_id, retried.causation_id, retried.correlation_id) == (
        by,
        letter.event_id,
        letter.correlation_id,
    )


async def the_seq(system: System, topic: str, stream: str) -> int:
    query = "SELECT f.seq FROM es.feed f JOIN es.events e USING (position) "
    query += "WHERE e.stream_id = :stream AND f.topic = :topic"
    async with asyncio.timeout(20):
        while True:
            async with system.engine.connect() as connection:
                found = await connection.execute(text(query), {"stream": stream, "topic": topic})
                if (seq := found.scalars().first()) is not None:
                    return int(seq)
            await asyncio.sleep(0.02)


async def a_letter(system: System, topic: str, stream: str) -> UUID:
    """Park the message of an event of a stream, once it has its place in the feed, or a stranger's of no stream."""
    seq = 10**9 if stream == NO_STREAM else await the_seq(system, topic, stream)
    async with system.engine.begin() as connection:
        entry = Entry(topic, f"1-{seq}", b'{"secret": "of a repository"}', 4)
        await dead_letters.park(connection, "a.consumer", entry, f"it broke with {SECRET}")
        letters = await dead_letters.listed(connection)
        return next(letter.letter_id for letter in letters if letter.seq == seq)


async def test_administrators_look_at_it_and_decide_and_all_is_on_record(system: System) -> None:
    system.workers.faults[(Stage.PARSE, 0, 1)] = (FaultKind.PERMANENT, "broken")
    analysis = await system.begin()
    await system.until(analysis, "refined")
    stream = f"analysis/{analysis}"
    parse, stranger = await a_letter(system, "stage.parse", stream), await a_letter(system, QUESTIONS, NO_STREAM)
    whole = await a_letter(system, "stage.structure", stream)

    page = await system.get("/dead-letters")
    shown = {item["letter_id"]: item for item in page["items"]}
    one = await system.get(f"/dead-letters/{parse}")
    assert one == shown[str(parse)]
    assert (one["event_type"], one["stream_id"], one["attempts"], one["repeatable"]) == (
        StageRequested.event_type,
        stream,
        4,
        True,
    )
    assert SECRET not in str(page)
    assert "of a repository" not in str(page)
    assert (shown[str(stranger)]["stream_id"], shown[str(stranger)]["repeatable"]) == (None, False)

    async def decide(letter: UUID, what: str) -> tuple[int, str]:
        reply = await system.client.post(f"/api/v1/dead-letters/{letter}/{what}")
        return reply.status_code, reply.json().get("resolution") or reply.json().get("code")

    assert await decide(stranger, "retry") == (409, "letter_not_repeatable")
    assert await decide(stranger, "discard") == (200, "discarded")
    assert await decide(whole, "retry") == (409, "letter_not_waiting")
    assert (await system.get(f"/dead-letters/{whole}"))["resolution"] is None  # nothing ran, and nothing is decided
    assert await decide(whole, "discard") == (200, "discarded")
    assert await decide(parse, "retry") == (200, "retried")
    assert await decide(parse, "retry") == (200, "retried")
    assert await decide(parse, "discard") == (409, "letter_settled")
    assert await decide(uuid4(), "retry") == (404, "not_found")
    assert (await system.get("/dead-letters"))["items"] == []
    assert len((await system.get("/dead-letters", settled="true"))["items"]) == 3

    said = [event["event_type"] for event in (await system.get("/events", stream_id=stream, limit=500))["items"]]
    assert [
        said.count(kind.event_type) for kind in (MessageParked, MessageRetried, MessageDiscarded, RetryRequested)
    ] == [2, 1, 1, 1]
    runs = await eventually(lambda: parse_runs(system, stream), lambda found: len(found) == 3)
    assert runs == [(0, 1, ""), (1, 1, ""), (0, 2, "broken")]

    async def recorded() -> list[str]:
        entries = (await system.get("/audit", target=f"dead-letters/{parse}"))["items"]
        return [entry["outcome"] for entry in entries if entry["status"] != 200 or "retry" in entry["action"]]

    assert sorted(await eventually(recorded, lambda found: len(found) > 2)) == ["allowed", "allowed", "failed"]


async def test_a_parked_question_is_asked_again_as_its_asker_had_it(system: System) -> None:
    analysis = await system.get(f"/analyses/{await system.begin()}")
    began = await system.client.post("/api/v1/conversations", json={"repository_id": analysis["repository_id"]})
    stream = f"conversation/{began.json()['conversation_id']}"
    asked = (await system.client.post(f"/api/v1/{stream.replace('/', 's/')}/questions", json={"query": "Why?"})).json()
    letter = await a_letter(system, QUESTIONS, stream)
    assert (await system.get(f"/dead-letters/{letter}"))["repeatable"]
    assert (await system.client.get(f"/api/v1/dead-letters/{letter}/message")).json()["code"] == "letter_not_editable"

    done = [await system.client.post(f"/api/v1/dead-letters/{letter}/retry") for _ in range(2)]

    assert [(each.status_code, each.json()["resolution"]) for each in done] == [(200, "retried")] * 2
    before, again = [e for e in await system.journal.read_stream(stream) if e.event_type == QuestionAsked.event_type]
    assert (again.data["query"], again.data["again"]) == ("Why?", asked["question_id"])
    assert (again.user_id, again.correlation_id, again.causation_id) == (
        before.user_id,
        before.correlation_id,
        before.event_id,
    )
    async with system.engine.connect() as connection:
        counted = text("SELECT count(*) FROM app.accepted_questions")
        assert (await connection.execute(counted)).scalar_one() == 2


async def parse_runs(system: System, stream: str) -> list[tuple[int, int, str]]:
    """(shard, attempt, because) of each request of parse."""
    events = (await system.get("/events", stream_id=stream, limit=500))["items"]
    runs = [e["data"] for e in events if e["event_type"] == StageRequested.event_type and e["stage"] == "parse"]
    return [(run["shard"], run["attempt"], run["because"]) for run in runs]


async def test_a_parked_run_is_done_with_other_values_as_its_next_attempt(system: System) -> None:
    system.workers.faults[(Stage.CLONE, 0, 1)] = (FaultKind.PERMANENT, "broken")
    analysis = await system.begin()
    await system.until(analysis, "failed")
    stream = f"analysis/{analysis}"
    clone = await a_letter(system, "stage.clone", stream)

    shown = await system.get(f"/dead-letters/{clone}/message")
    assert shown["values"] == {"history_depth": 0, "inputs": []}  # what is private is not shown

    async def edit(letter: UUID, **changes: object) -> tuple[int, str]:
        reply = await system.client.post(f"/api/v1/dead-letters/{letter}/edit", json={"changes": changes})
        return reply.status_code, reply.json().get("resolution") or reply.json().get("code")

    assert await edit(clone, url="https://elsewhere.example/a/b") == (422, "letter_edit_refused")
    assert await edit(clone, history_depth="many") == (422, "letter_edit_refused")
    assert (await system.get(f"/dead-letters/{clone}"))["resolution"] is None  # a refusal decides nothing
    assert await edit(clone, ref="a-branch", history_depth=9) == (200, "edited")
    assert await edit(clone, ref="another") == (200, "edited")  # the first one stands
    assert (await system.until(analysis, "refined"))["state"] == "refined"

    events = (await system.get("/events", stream_id=stream, limit=500))["items"]
    [told] = [event for event in events if event["event_type"] == MessageEdited.event_type]
    assert told["user_id"] == (await system.get("/me"))["user_id"]
    assert told["data"]["before"] == {"ref": None, "history_depth": 0}
    assert told["data"]["after"] == {"ref": "a-branch", "history_depth": 9}
    runs = [e["data"] for e in events if e["event_type"] == StageRequested.event_type and e["stage"] == "clone"]
    assert [(run["attempt"], run["ref"], run["because"]) for run in runs] == [(1, None, ""), (2, "a-branch", "edited")]

    stranger, parse = await a_letter(system, QUESTIONS, NO_STREAM), await a_letter(system, "stage.parse", stream)
    assert await edit(stranger, ref="x") == (409, "letter_not_editable")
    assert await edit(parse, ref="x") == (422, "letter_edit_refused")  # it was done long ago
    assert await edit(uuid4(), ref="x") == (404, "not_found")
