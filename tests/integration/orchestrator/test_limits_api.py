"""Limits as a client meets them: 429 with a sentence, headers on every answer, nobody stopped by somebody else."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from orchestrator.api.limiting import Gate
from orchestrator.api.problems import MEDIA_TYPE
from orchestrator.auth.identity import Identity
from runtime.sealing import fresh_key
from tests.conftest import Servers
from tests.support.limits import People, a_person, let_in
from tests.support.orchestrator import System, a_system, eventually

LIMITS = {
    "REQUESTS": "key:4/hour user:10/hour tenant:15/hour",
    "ANALYSES": "user:2/hour",
    "QUESTIONS": "tenant:1/hour",
    "BYTES": "user:30000/hour",
    "STREAMS": "user:2 tenant:3",
    "FAILURES": "address:5/hour",
    "TRUSTED_PROXIES": "127.0.0.0/8",
}


@pytest.fixture
async def system(
    database_url: str, redis_url: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[System]:
    for name, rules in LIMITS.items():
        monkeypatch.setenv(f"REPOSTREAM_LIMITS_{name}", rules)
    async with a_system(
        monkeypatch, database_url=database_url, redis_url=redis_url, home=home, working=False
    ) as system:
        yield system


@pytest.fixture
def people(system: System) -> People:
    return let_in(system)


async def asks(system: System, people: People) -> Gate:
    """Let somebody else ask; who counts it."""
    await me(system, people, a_person())
    gate: Gate = system.app.state.services.gate
    return gate


async def me(system: System, people: People, who: Identity) -> httpx.Response:
    return await system.client.get("/api/v1/me", headers=people.headers(who))


async def test_of_many_at_once_exactly_the_allowed_number_is_answered(system: System, people: People) -> None:
    who = a_person()
    replies = await asyncio.gather(*(me(system, people, who) for _ in range(40)))

    assert sorted({reply.status_code for reply in replies}) == [200, 429]
    assert sum(reply.status_code == 200 for reply in replies) == 10


async def test_answers_say_what_is_left_and_a_refusal_which_limit_it_was_and_when_to_come_back(
    system: System, people: People
) -> None:
    who = a_person(key=True)
    good = [await me(system, people, who) for _ in range(4)]
    refused = await me(system, people, who)

    assert [reply.headers["ratelimit-remaining"] for reply in good] == ["3", "2", "1", "0"]
    assert {reply.headers["ratelimit-limit"] for reply in good} == {"4"}
    assert all(0 < int(reply.headers["ratelimit-reset"]) <= 3_600 for reply in good)
    assert not any("retry-after" in reply.headers for reply in good)
    assert refused.status_code == 429
    assert refused.headers["content-type"] == MEDIA_TYPE
    assert refused.headers["ratelimit-remaining"] == "0"
    assert 0 < int(refused.headers["retry-after"]) == int(refused.headers["ratelimit-reset"]) <= 7_200
    assert refused.json()["code"] == "rate_limited"
    assert refused.json()["detail"].startswith("The limit is 4 requests by one key each hour.")


async def test_one_tenant_cannot_starve_another_nor_one_person_their_colleagues(system: System, people: People) -> None:
    team = uuid4()
    loud, colleague, stranger = a_person(team), a_person(team), a_person()
    assert [(await me(system, people, loud)).status_code for _ in range(30)].count(200) == 10

    theirs = [(await me(system, people, colleague)).status_code for _ in range(10)]
    others = [(await me(system, people, stranger)).status_code for _ in range(10)]

    assert theirs.count(200) == 5  # the tenant's fifteen less the ten
    assert others.count(200) == 10


async def test_the_person_of_this_machine_is_not_limited(system: System) -> None:
    replies = [await system.client.get("/api/v1/me") for _ in range(20)]

    assert {reply.status_code for reply in replies} == {200}
    assert not any("ratelimit-limit" in reply.headers for reply in replies)


async def test_analyses_and_questions_have_limits_of_their_own(system: System, people: People) -> None:
    headers = people.headers(a_person())
    urls = [f"https://github.com/a/b{n}" for n in range(3)]
    replies = [await system.client.post("/api/v1/analyses", json={"url": url}, headers=headers) for url in urls]
    assert [reply.status_code for reply in replies] == [202, 202, 429]
    assert "2 analyses by one user each hour" in replies[2].json()["detail"]
    assert replies[1].headers["ratelimit-limit"] == "2"
    retry = f"/api/v1/analyses/{replies[0].json()['analysis_id']}/retry"
    assert (await system.client.post(retry, headers=headers)).json()["code"] == "rate_limited"

    body = {"repository_id": replies[0].json()["repository_id"]}
    talk = (await system.client.post("/api/v1/conversations", json=body, headers=headers)).json()["conversation_id"]
    path = f"/api/v1/conversations/{talk}/questions"
    asked = [await system.client.post(path, json={"query": "Why?"}, headers=headers) for _ in range(2)]
    assert [reply.status_code for reply in asked] == [202, 429]
    assert "1 questions by one tenant each hour" in asked[1].json()["detail"]


async def test_traffic_is_counted_with_the_next_request(system: System, people: People) -> None:
    headers = people.headers(a_person())
    first = await system.client.get("/api/v1/me", headers=headers)
    body = {"url": "nonsense", "ref": "x" * 40_000}
    assert (await system.client.post("/api/v1/analyses", json=body, headers=headers)).status_code == 422

    refused = await system.client.get("/api/v1/me", headers=headers)

    assert first.status_code == 200
    assert refused.status_code == 429
    assert "30,000 bytes by one user each hour" in refused.json()["detail"]


async def test_requests_without_an_identity_are_stopped_by_address_also_before_they_are_looked_at(
    system: System, people: People
) -> None:
    async def guess(address: str, headers: dict[str, str]) -> httpx.Response:
        return await system.client.get("/api/v1/me", headers={"x-forwarded-for": address, **headers})

    guesses = [await guess("203.0.113.5", {"x-test-person": "999"}) for _ in range(7)]
    right = await guess("203.0.113.5", people.headers(a_person()))
    elsewhere = await guess("203.0.113.6", people.headers(a_person()))
    wrong_elsewhere = await guess("203.0.113.6", {})

    assert [reply.status_code for reply in guesses] == [401] * 5 + [429] * 2
    assert "5 failed requests from one address each hour" in guesses[5].json()["detail"]
    assert int(guesses[6].headers["retry-after"]) > 0
    assert right.status_code == 429
    assert elsewhere.status_code == 200
    assert wrong_elsewhere.status_code == 401


@pytest.mark.timeout(60)
async def test_open_streams_are_counted_while_they_are_open(system: System, people: People) -> None:
    team = uuid4()
    one, other = a_person(team), a_person(team)
    reply = await system.client.post(
        "/api/v1/analyses", json={"url": "https://github.com/a/b"}, headers=people.headers(one)
    )
    path = f"/api/v1/analyses/{reply.json()['analysis_id']}/events"

    def open_stream(who: Identity) -> httpx.Request:
        return system.client.build_request("GET", path, headers=people.headers(who))

    held = [await system.client.send(open_stream(one), stream=True) for _ in range(2)]
    third = await system.client.send(open_stream(one))
    by_other = await system.client.send(open_stream(other), stream=True)
    fourth = await system.client.send(open_stream(other))
    assert [stream.status_code for stream in (*held, third, by_other, fourth)] == [200, 200, 429, 200, 429]
    assert "2 open streams by one user at the same time" in third.json()["detail"]
    assert "3 open streams by one tenant at the same time" in fourth.json()["detail"]
    assert third.headers["retry-after"] == "5"

    await held[0].aclose()
    async with asyncio.timeout(10):
        while (again := await system.client.send(open_stream(other), stream=True)).status_code != 200:
            await again.aclose()
            await asyncio.sleep(0.1)
    for stream in (held[1], by_other, again):
        await stream.aclose()


async def test_without_valkey_the_limits_hold_in_the_process_and_come_back_with_it(
    system: System, people: People, servers: Servers
) -> None:
    assert (await me(system, people, a_person())).status_code == 200
    servers.valkey.kill()
    who = a_person()
    during = [(await me(system, people, who)) for _ in range(15)]
    assert [reply.status_code for reply in during] == [200] * 10 + [429] * 5
    assert "ratelimit-remaining" in during[0].headers
    assert system.app.state.services.gate._rates.local

    servers.valkey.start()
    await eventually(lambda: asks(system, people), lambda gate: not gate._rates.local)
    after = [(await me(system, people, who)).status_code for _ in range(15)]
    assert after.count(200) == 10  # counted in Valkey, which had heard nothing of the others
    assert not system.app.state.services.gate._rates.local


def test_a_limit_that_cannot_be_read_stops_the_start_with_a_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from orchestrator.app import create_app

    monkeypatch.setenv("REPOSTREAM_HOME", str(tmp_path))
    monkeypatch.setenv("REPOSTREAM_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nothing")
    monkeypatch.setenv("REPOSTREAM_REDIS_URL", "redis://127.0.0.1:1/0")
    monkeypatch.setenv("REPOSTREAM_LOCAL_SIGN_IN", "true")
    monkeypatch.setenv("REPOSTREAM_SECRET_KEY", fresh_key())
    monkeypatch.setenv("REPOSTREAM_LIMITS_REQUESTS", "user:many")

    with pytest.raises(SystemExit, match="The limit of requests has 'user:many'"):
        create_app()
