"""Quotas hold where a request is accepted, however many come at once, and everybody can see what they have."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import text

from events.base import Draft, Event
from events.processing import (
    FaultKind,
    ProcessingCompleted,
    ProcessingFailed,
    ProcessingImported,
    ProcessingRefined,
    Stage,
    StageRequested,
)
from events.question import QuestionAnswered
from orchestrator.adapters.usage import Usage
from orchestrator.api.problems import ApiProblem
from orchestrator.auth.identity import Identity
from orchestrator.limits.quotas import Quota
from orchestrator.projections.beside import rebuild_beside
from orchestrator.projections.overview import Overview
from orchestrator.workflow.decide import run_id_of
from runtime.tenancy import TenantDatabase
from tests.support.analyses import ANALYSIS, cloned, completed
from tests.support.limits import People, a_person, let_in
from tests.support.orchestrator import System, a_system, eventually


@pytest.fixture
async def system(
    database_url: str, redis_url: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[System]:
    quotas = {"RUNNING": 3, "REPOSITORIES": 5, "BYTES": 1_000, "QUESTIONS": 2, "TOKENS": 10_000}
    quotas |= {"CENTS_DAY": 0, "CENTS_MONTH": 400}
    for name, amount in quotas.items():
        monkeypatch.setenv(f"REPOSTREAM_QUOTA_{name}", str(amount))
    async with a_system(
        monkeypatch, database_url=database_url, redis_url=redis_url, home=home, working=False
    ) as system:
        yield system


@pytest.fixture
def people(system: System) -> People:
    return let_in(system)


async def begin(system: System, headers: dict[str, str], number: int) -> httpx.Response:
    url = f"https://github.com/somebody/repository-{number}"
    return await system.client.post("/api/v1/analyses", json={"url": url}, headers=headers)


async def usage(system: System, headers: dict[str, str]) -> dict[str, Any]:
    reply = await system.client.get("/api/v1/usage", headers=headers)
    return {item["name"]: (item["used"], item["allowed"]) for item in reply.json()["quotas"]}


async def end(system: System, headers: dict[str, str], reply: httpx.Response) -> None:
    path = f"/api/v1/analyses/{reply.json()['analysis_id']}/cancel"
    assert (await system.client.post(path, headers=headers)).status_code == 202


async def test_of_many_at_once_no_more_are_begun_than_may_run(system: System, people: People) -> None:
    mine, other = people.headers(a_person()), people.headers(a_person())

    replies = await asyncio.gather(*(begin(system, mine, number) for number in range(8)))
    accepted = [reply for reply in replies if reply.status_code == 202]
    refused = [reply for reply in replies if reply.status_code == 429]

    assert sorted(reply.status_code for reply in replies) == [202] * 3 + [429] * 5, [r.text for r in replies]
    assert refused[0].json()["code"] == "quota_reached"
    assert refused[0].json()["detail"].startswith("Your team has its 3 running analyses.")
    assert refused[0].headers["retry-after"] == "30"
    assert (await begin(system, other, 0)).status_code == 202
    assert (await usage(system, mine))["running"] == (3, 3)

    again = await system.client.post("/api/v1/analyses", json={"url": accepted[0].json()["url"]}, headers=mine)
    assert again.status_code == 200  # the one that runs is joined

    await end(system, mine, accepted[0])
    await eventually(lambda: usage(system, mine), lambda found: found["running"] == (2, 3))
    assert (await begin(system, mine, 99)).status_code == 202


async def test_what_is_let_go_on_counts_as_what_is_begun_however_many_at_once(system: System, people: People) -> None:
    mine = people.headers(a_person())
    failed: list[str] = []
    for batch in (range(3), range(3, 5)):
        failed += [(await begin(system, mine, number)).json()["analysis_id"] for number in batch]
        for analysis_id in failed[batch.start :]:
            await _fails(system, analysis_id)
        await eventually(lambda: usage(system, mine), lambda found: found["running"] == (0, 3))

    retries = [f"/api/v1/analyses/{analysis_id}/retry" for analysis_id in failed]
    replies = await asyncio.gather(*(system.client.post(path, headers=mine) for path in retries))

    assert sorted(reply.status_code for reply in replies) == [202] * 3 + [429] * 2, [r.text for r in replies]
    assert {r.json()["code"] for r in replies if r.status_code == 429} == {"quota_reached"}
    events = await rows(system, "SELECT stream_id FROM es.events WHERE type LIKE '%retry_requested'")
    assert len(events) == 3
    assert (await usage(system, mine))["running"] == (3, 3)


async def test_what_runs_again_of_a_ready_analysis_counts_while_it_does(system: System, people: People) -> None:
    mine = people.headers(a_person())
    ready = (await begin(system, mine, 0)).json()
    runs: list[Event] = [_asked(Stage.CLONE), cloned(1)]
    for stage in (each for each in Stage if each not in {Stage.CLONE, Stage.HISTORY}):
        runs += [_asked(stage), completed(stage)]
    over = ProcessingCompleted(commit="c", totals={}, skipped={}, failed={}, duration=1.0)
    await _happens(system, ready, *runs, over, ProcessingRefined(duration=1.0))
    await eventually(lambda: usage(system, mine), lambda found: found["running"] == (0, 3))
    path = f"/api/v1/analyses/{ready['analysis_id']}/retry"
    others = [await begin(system, mine, number) for number in (1, 2, 3)]

    refused = await system.client.post(path, json={"stage": "link"}, headers=mine)
    assert (refused.status_code, refused.json()["code"]) == (429, "quota_reached")
    await end(system, mine, others[0])
    await eventually(lambda: usage(system, mine), lambda found: found["running"] == (2, 3))
    assert (await system.client.post(path, json={"stage": "link"}, headers=mine)).status_code == 202
    assert (await usage(system, mine))["running"] == (3, 3)  # before its rows say so, and then
    await _happens(system, ready, _asked(Stage.LINK, attempt=2))
    await system.followed()
    assert (await usage(system, mine))["running"] == (3, 3)
    assert (await system.client.post(path, json={"stage": "metadata"}, headers=mine)).status_code == 202  # it runs
    assert (await begin(system, mine, 4)).status_code == 429
    await _happens(system, ready, completed(Stage.LINK, attempt=2), ProcessingRefined(duration=1.0))
    await eventually(lambda: usage(system, mine), lambda found: found["running"] == (2, 3))


def _asked(stage: Stage, attempt: int = 1) -> StageRequested:
    run_id = run_id_of(ANALYSIS, stage, 0, attempt)
    return StageRequested(analysis_id=ANALYSIS, run_id=run_id, stage=stage, shard=0, shards=1, attempt=attempt, url="u")


async def _fails(system: System, analysis_id: str) -> None:
    stream = f"analysis/{analysis_id}"
    first = (await system.journal.read_stream(stream))[0]
    event = ProcessingFailed(stage=Stage.CLONE, kind=FaultKind.RESOURCE, code="disk_full", message="It broke.")
    draft = Draft(event_id=uuid4(), occurred_at=datetime.now(UTC), context=first.context, event=event)
    await system.journal.append(stream, [draft])


async def rows(system: System, statement: str) -> list[Any]:
    async with system.engine.connect() as connection:
        return list(await connection.execute(text(statement)))


async def test_another_repository_does_not_fit_and_one_that_is_there_does(system: System, people: People) -> None:
    headers = people.headers(a_person())
    for number in range(5):
        reply = await begin(system, headers, number)
        assert reply.status_code == 202
        await end(system, headers, reply)
        await eventually(lambda: usage(system, headers), lambda found: found["running"][0] == 0)

    sixth, first_again = await begin(system, headers, 5), await begin(system, headers, 0)

    assert sixth.status_code == 409
    assert sixth.json()["code"] == "quota_full"
    assert "retry-after" not in sixth.headers
    assert first_again.status_code == 202
    assert (await usage(system, headers))["repositories"] == (5, 5)


async def a_talk(system: System, headers: dict[str, str]) -> str:
    reply = await begin(system, headers, 0)
    repository_id = reply.json()["repository_id"]
    await end(system, headers, reply)
    await eventually(lambda: usage(system, headers), lambda found: found["running"] == (0, 3))
    reply = await system.client.post("/api/v1/conversations", json={"repository_id": repository_id}, headers=headers)
    return f"/api/v1/conversations/{reply.json()['conversation_id']}/questions"


async def asked(system: System, headers: dict[str, str], number: int) -> None:
    await eventually(lambda: usage(system, headers), lambda found: found["questions"] == (number, 2))


async def test_a_day_has_so_many_questions(system: System, people: People) -> None:
    headers = people.headers(a_person())
    talk = await a_talk(system, headers)
    for number in range(2):
        assert (await system.client.post(talk, json={"query": "Why?"}, headers=headers)).status_code == 202
        await asked(system, headers, number + 1)

    refused = await system.client.post(talk, json={"query": "Why?"}, headers=headers)

    assert refused.status_code == 429
    assert "2 questions today" in refused.json()["detail"]
    assert 0 < int(refused.headers["retry-after"]) <= 86_401


async def test_of_many_questions_at_once_no_more_are_accepted_than_a_day_has(system: System, people: People) -> None:
    mine = people.headers(a_person())
    talk = await a_talk(system, mine)

    replies = await asyncio.gather(*(system.client.post(talk, json={"query": "Why?"}, headers=mine) for _ in range(12)))

    assert sorted(reply.status_code for reply in replies) == [202] * 2 + [429] * 10, [r.text for r in replies]
    assert (await usage(system, mine))["questions"] == (2, 2)  # at once, before the read model knows of them
    await asked(system, mine, 2)


async def test_questions_on_their_way_count_as_the_tokens_that_they_may_take(system: System) -> None:
    who = a_person()
    counted, begun = Usage(TenantDatabase(system.engine), {Quota.TOKENS: 50_000}), asyncio.Event()

    async def ask(reserved: int) -> ApiProblem | None:
        await begun.wait()
        return await _refused(system, counted, who, reserved)

    asking = [asyncio.create_task(ask(20_000)) for _ in range(12)]
    begun.set()
    refused = [problem for problem in await asyncio.gather(*asking) if problem is not None]
    small = [await ask(10_000), await ask(1)]
    await _took(system, tokens=1_000)
    room = [await ask(47_000), await ask(2_001)]

    assert len(refused) == 10  # a third one could go over
    assert {(problem.code, (problem.headers or {})["Retry-After"]) for problem in refused} == {("quota_reached", "15")}
    assert "kept for questions whose answers are on their way" in refused[0].detail
    assert (small[0], small[1] is None) == (None, False)
    assert (room[0], room[1] is None) == (None, False)


async def test_a_question_alone_may_take_what_is_left_and_nobody_else_then(system: System) -> None:
    who = a_person()
    counted = Usage(TenantDatabase(system.engine), {Quota.TOKENS: 10_000})
    alone, beside = [await _refused(system, counted, who, each) for each in (150_000, 0)]
    await _took(system, tokens=9_999)
    again = await _refused(system, counted, who, 150_000)
    await _took(system, tokens=1)
    over = await _refused(system, counted, who, 0)

    assert (alone, again) == (None, None)
    assert beside is not None
    assert over is not None
    assert "10,000 model tokens today. The day ends" in over.detail


async def test_what_nobody_tells_counts_in_part_once_its_answer_must_have_ended(system: System) -> None:
    who = a_person()
    counted = Usage(TenantDatabase(system.engine), {Quota.TOKENS: 10_000})
    noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    for reserved in (9_000, 1_000):
        assert await _refused(system, counted, who, reserved, noon) is None

    assert (await counted.of(who.tenant_id, noon))[Quota.TOKENS] == 0
    assert (await counted.of(who.tenant_id, noon + timedelta(minutes=10)))[Quota.TOKENS] == 5_000


async def _refused(
    system: System, counted: Usage, who: Identity, reserved: int, at: datetime | None = None
) -> ApiProblem | None:
    try:
        async with TenantDatabase(system.engine).of(who.tenant_id) as connection:
            await counted.count_question(connection, who, uuid4(), at or datetime.now(UTC), reserved)
    except ApiProblem as problem:
        return problem
    return None


async def _took(system: System, *, tokens: int) -> None:
    """The answers that were on their way are there: all together took so much."""
    async with system.engine.begin() as connection:
        ended = "UPDATE app.accepted_questions SET tokens = 0 WHERE tokens IS NULL RETURNING question_id"
        first = (await connection.execute(text(ended))).scalars().first()
        row = {"id": first, "tokens": tokens}
        await connection.execute(
            text("UPDATE app.accepted_questions SET tokens = :tokens WHERE question_id = :id"), row
        )


async def test_a_day_has_so_many_tokens_and_sources_so_many_bytes(system: System, people: People) -> None:
    who = a_person()
    headers = people.headers(who)
    talk = await a_talk(system, headers)
    assert (await system.client.post(talk, json={"query": "Why?"}, headers=headers)).status_code == 202
    await asked(system, headers, 1)
    await _is_answered(system, talk)
    await _has_used(system, who)
    await eventually(lambda: usage(system, headers), lambda found: found["tokens"] == (12_000, 10_000))

    question = await system.client.post(talk, json={"query": "Why?"}, headers=headers)
    analysis = await begin(system, headers, 1)

    assert question.status_code == 429
    assert "10,000 model tokens today" in question.json()["detail"]
    assert analysis.status_code == 409
    assert "1,000 bytes of stored sources" in analysis.json()["detail"]
    found = await usage(system, headers)
    assert found["bytes"] == (5_000, 1_000)
    assert (found["cents_day"], found["cents_month"]) == ((123, None), (123, 400))

    [repository] = (await system.client.get("/api/v1/repositories", headers=headers)).json()["items"]
    path = f"/api/v1/repositories/{repository['repository_id']}"
    assert (await system.client.delete(path, headers=headers)).status_code == 202
    await eventually(lambda: rows(system, "SELECT 1 FROM app.questions"), lambda found: not found)
    found = await usage(system, headers)
    assert (found["questions"], found["tokens"]) == ((1, 2), (12_000, 10_000))  # the day's are used, all the same
    assert found["cents_month"] == (123, 400)


@pytest.mark.parametrize(
    ("quota", "days", "refused"),
    [
        (Quota.CENTS_DAY, 0, True),
        (Quota.CENTS_DAY, 1, False),
        (Quota.CENTS_MONTH, 1, True),
        (Quota.CENTS_MONTH, 31, False),
    ],
)
async def test_money_is_counted_for_its_day_and_its_month(
    system: System, quota: Quota, days: int, *, refused: bool
) -> None:
    who, rows = a_person(), TenantDatabase(system.engine)
    counted, at = Usage(rows, {quota: 100}), datetime(2026, 3, 31, 12, tzinfo=UTC)
    async with rows.of(who.tenant_id) as connection:
        await counted.count_question(connection, who, question := uuid4(), at - timedelta(days=days), 0)
        paid = {"question": question}
        await connection.execute(
            text("UPDATE app.accepted_questions SET tokens = 1, cost_usd = 1.001 WHERE question_id = :question"), paid
        )
    codes = []
    async with rows.of(who.tenant_id) as connection:
        try:
            await counted.count_question(connection, who, uuid4(), at, 0)
        except ApiProblem as problem:
            codes = [problem.code, problem.detail, (problem.headers or {})["Retry-After"]]

    until = "43201"  # the day and the month end at the same midnight
    named = f"Your team has its 100 {quota}. The {'day' if quota is Quota.CENTS_DAY else 'month'} ends at midnight"
    assert (codes[:1], codes[2:]) == ((["quota_reached"], [until]) if refused else ([], []))
    assert not refused or str(codes[1]).startswith(named)


async def test_what_embedding_cost_counts_as_money_and_what_came_with_a_bundle_does_not(
    system: System, people: People
) -> None:
    mine, other = people.headers(a_person()), people.headers(a_person())
    first, second = [(await begin(system, mine, number)).json() for number in range(2)]
    elsewhere = ProcessingImported(analysis_id=uuid4(), bundle="0" * 64, events=1)
    await _happens(system, first, paid(0, 0.505), paid(1, 0.25), completed(Stage.LINK))
    await _happens(system, second, paid(0, 9.0), elsewhere, paid(1, 0.25))

    found = await eventually(lambda: usage(system, mine), lambda found: found["cents_day"][0] >= 100)
    assert (found["cents_day"], found["cents_month"]) == ((100, None), (100, 400))
    assert (await usage(system, other))["cents_day"] == (0, None)

    built = await rebuild_beside(system.engine, system.journal, Overview())
    path = f"/api/v1/repositories/{first['repository_id']}"
    assert (await system.client.delete(path, headers=mine)).status_code == 202
    await eventually(lambda: rows(system, "SELECT 1 FROM app.analyses"), lambda left: len(left) == 1)
    assert built.agrees
    assert (await usage(system, mine))["cents_month"] == (100, 400)  # counted once, and kept


def paid(shard: int, dollars: float) -> Event:
    return completed(Stage.EMBED, shard, facts={"cost_usd": dollars})


async def _happens(system: System, analysis: dict[str, Any], *events: Event) -> None:
    stream = f"analysis/{analysis['analysis_id']}"
    context = (await system.journal.read_stream(stream))[0].context
    drafts = [Draft(event_id=uuid4(), occurred_at=datetime.now(UTC), context=context, event=event) for event in events]
    await system.journal.append(stream, drafts)


async def _is_answered(system: System, talk: str) -> None:
    stream = f"conversation/{talk.split('/')[-2]}"
    asked_for = (await system.journal.read_stream(stream))[-1]
    event = QuestionAnswered(
        question_id=UUID(str(asked_for.data["question_id"])),
        query="Why?",
        answer="So.",
        mode="generated",
        response_time=0.1,
        rag_hits=0,
        confidence=0.5,
        citations=(),
        removed_citations=0,
        passages=(),
        analysis_id=uuid4(),
        commit="c0ffee",
        generation_kind="model",
        provider="test",
        model="test",
        prompt="test",
        input_tokens=8_000,
        output_tokens=4_000,
        cost_usd=1.239,
    )
    draft = Draft(event_id=uuid4(), occurred_at=datetime.now(UTC), context=asked_for.context, event=event)
    await system.journal.append(stream, [draft])


async def _has_used(system: System, who: Identity) -> None:
    """As the projections write it once an answer and a clone are there."""

    await system.followed()
    async with system.engine.begin() as connection:
        for statement in (
            """UPDATE app.analyses SET record = jsonb_set(record, '{view,totals}', '{"bytes": 5000}')
            WHERE tenant_id = :tenant""",
        ):
            assert (await connection.execute(text(statement), {"tenant": who.tenant_id})).rowcount == 1


async def test_the_person_of_this_machine_has_no_quota(system: System) -> None:
    replies = [await begin(system, {}, number) for number in range(7)]

    assert {reply.status_code for reply in replies} == {202}
    assert (await usage(system, {}))["running"] == (7, None)
