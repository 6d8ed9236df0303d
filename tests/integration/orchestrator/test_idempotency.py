"""A POST that comes twice under one key is done once, whatever the route, and however many come at the same time."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import text

from orchestrator.adapters.idempotency import Answer, Answers, Asked, Claim, sweep
from orchestrator.adapters.intake import Intake
from orchestrator.api.problems import ApiProblem
from orchestrator.auth.identity import ALL_SCOPES, Identity
from runtime.faults import Fault
from runtime.sealing import Sealer, fresh_key
from runtime.tenancy import TenantDatabase
from tests.support.orchestrator import System, a_system, eventually
from tests.support.two_tenants import Tenant, asked_by_header

URL = "https://github.com/pallets/flask"
WHO = Identity(UUID(int=1), UUID(int=2), "Somebody", ALL_SCOPES)


@pytest.fixture
async def system(
    database_url: str, redis_url: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[System]:
    async with a_system(
        monkeypatch, database_url=database_url, redis_url=redis_url, home=home, working=False
    ) as system:
        yield system


async def rows(system: System, statement: str, **values: object) -> list[Any]:
    async with system.engine.begin() as connection:
        found = await connection.execute(text(statement), values)
        return list(found) if found.returns_rows else []


async def post(system: System, path: str, body: object, key: str, **headers: str) -> httpx.Response:
    return await system.client.post(f"/api/v1{path}", json=body, headers={"Idempotency-Key": key, **headers})


async def requests(system: System) -> dict[str, tuple[str, dict[str, object], str]]:
    """Path, body and a query that counts the effects, of routes of every kind."""
    analysis = (await system.client.post("/api/v1/analyses", json={"url": URL})).json()
    talk = await system.client.post("/api/v1/conversations", json={"repository_id": analysis["repository_id"]})
    asked = f"/conversations/{talk.json()['conversation_id']}/questions"
    streams = "SELECT 1 FROM es.streams WHERE stream_id LIKE "
    return {
        "analysis": ("/analyses", {"url": f"{URL}-2"}, streams + "'analysis/%'"),
        "conversation": (
            "/conversations", {"repository_id": analysis["repository_id"]}, streams + "'conversation/%'"
        ),
        "question": (asked, {"query": "Why?"}, "SELECT 1 FROM es.events WHERE type = 'ai.query.requested'"),
        "key": ("/me/keys", {"name": "k", "scopes": ["read:events"]}, "SELECT 1 FROM auth.api_keys"),
        "webhook": ("/webhooks", {"url": "https://example.com/hook"}, "SELECT 1 FROM app.webhooks"),
        "cancel": (
            f"/analyses/{analysis['analysis_id']}/cancel", {"reason": "x"},
            "SELECT 1 FROM es.events WHERE type LIKE '%cancel_requested'",
        ),
    }  # fmt: skip


async def test_of_twenty_equal_requests_at_once_one_is_done_and_all_learn_what_it_came_to(system: System) -> None:
    for what, (path, body, effects) in (await requests(system)).items():
        before = len(await rows(system, effects))
        replies = await asyncio.gather(*[post(system, path, body, f"race-{what}") for _ in range(20)])
        after = await post(system, path, body, f"race-{what}")

        first = [r for r in replies if r.is_success and "idempotency-replayed" not in r.headers]
        rest = [r for r in replies if r not in first]
        assert len(first) == 1, (what, [r.text for r in replies])
        assert len(await rows(system, effects)) == before + 1, what
        assert {(r.status_code, r.json().get("code")) for r in rest if not r.is_success} <= {
            (409, "idempotency_in_flight")
        }
        assert all(r.headers["retry-after"] == "1" for r in rest if r.status_code == 409)
        repeated = [*(r for r in rest if r.is_success), after]
        assert {(r.status_code, r.content) for r in repeated} == {(first[0].status_code, first[0].content)}
        assert {r.headers.get("location") for r in repeated} == {first[0].headers.get("location")}
        assert {r.headers["idempotency-replayed"] for r in repeated} == {"true"}


async def test_a_key_is_of_one_request_of_one_person_at_one_route(system: System) -> None:
    first = await post(system, "/analyses", {"url": URL}, "k")
    other = await post(system, "/analyses", {"url": URL, "ref": "x"}, "k")
    elsewhere = await post(system, "/me/keys", {"name": "k", "scopes": ["read:events"]}, "k")
    assert (first.status_code, elsewhere.status_code) == (202, 201)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")

    asked_by_header(system)
    for tenant in (Tenant(UUID(int=0xA0), "a"), Tenant(UUID(int=0xB0), "b")):
        reply = await post(system, "/analyses", {"url": URL}, "k", **tenant.headers)
        assert reply.status_code == 202
        assert "idempotency-replayed" not in reply.headers
        assert reply.json()["analysis_id"] != first.json()["analysis_id"]


@pytest.mark.parametrize("key", ["", "k" * 201, "with blank", "umlaut-\xfc"])
async def test_a_key_that_is_none_is_refused_before_anything_is_done(system: System, key: str) -> None:
    reply = await system.client.post(
        "/api/v1/analyses", json={"url": URL}, headers={"Idempotency-Key": key.encode("latin-1")}
    )

    assert (reply.status_code, reply.json()["code"]) == (422, "invalid_request")
    assert await rows(system, "SELECT 1 FROM es.streams") == []


async def test_a_secret_that_is_shown_once_is_sealed_and_a_repeat_shows_it_again(system: System) -> None:
    body = {"name": "ci", "scopes": ["read:events"]}
    made, again = [await post(system, "/me/keys", body, "k1") for _ in range(2)]
    [kept] = await rows(system, "SELECT answer, ids FROM app.idempotency")

    assert again.json()["secret"] == made.json()["secret"]
    assert made.json()["secret"].encode() not in bytes(kept.answer)
    assert b"secret" not in bytes(kept.answer)
    assert UUID(made.json()["key_id"]) in kept.ids
    trail = (await system.get("/audit", action="credentials.create_key"))["items"]
    assert [entry["action"] for entry in trail] == ["credentials.create_key.repeated", "credentials.create_key"]


@pytest.mark.parametrize("code", ["rate_limited", "forbidden", "database_unavailable", "internal_error", "not_found"])
async def test_what_failed_is_done_when_it_comes_again_and_what_was_decided_stays(system: System, code: str) -> None:
    class Refusing:
        asked = 0

        async def accept(self, *_: object, **__: object) -> None:
            self.asked += 1
            raise ApiProblem(code, "No.") if code != "internal_error" else ZeroDivisionError

    good, bad = system.app.state.services, Refusing()
    system.app.state.services = replace(good, intake=bad)
    first = await post(system, "/analyses", {"url": URL}, "k")
    system.app.state.services = good
    second = await post(system, "/analyses", {"url": URL}, "k")

    assert (bad.asked, first.json()["code"]) == (1, code)
    if code == "not_found":
        assert (second.status_code, second.content) == (404, first.content)
    else:
        assert (second.status_code, "idempotency-replayed" in second.headers) == (202, False)


class CutOff:
    """The commit of one analysis is done, and its answer is lost; or the deadline comes before it is known."""

    def __init__(self, real: Intake, end: BaseException) -> None:
        self.real, self.end, self.committed = real, end, 0

    async def accept(self, *asked: Any, **more: Any) -> None:
        await self.real.accept(*asked, **more)
        self.committed += 1
        raise self.end


@pytest.mark.parametrize("end", [ConnectionResetError(), TimeoutError(), asyncio.CancelledError(), ZeroDivisionError()])
async def test_what_may_have_been_done_is_not_done_again(system: System, end: BaseException) -> None:
    good = system.app.state.services
    cut = CutOff(good.intake, end)
    system.app.state.services = replace(good, intake=cut)
    try:
        first = await post(system, "/analyses", {"url": URL}, "k")
        assert first.status_code >= 500
    except httpx.HTTPError:
        assert isinstance(end, asyncio.CancelledError)  # the connection ends with the task
    system.app.state.services = good

    again = await post(system, "/analyses", {"url": URL}, "k")

    assert cut.committed == 1
    assert (again.status_code, again.json()["code"]) == (409, "idempotency_unknown")
    assert len(await rows(system, "SELECT 1 FROM es.streams WHERE stream_id LIKE 'analysis/%'")) == 1


async def test_an_answer_about_a_repository_goes_with_it(system: System) -> None:
    first = await post(system, "/analyses", {"url": URL}, "k")
    await eventually(lambda: system.get("/repositories"), lambda page: len(page["items"]) == 1)
    gone = await system.client.delete(f"/api/v1/repositories/{first.json()['repository_id']}")
    again = await post(system, "/analyses", {"url": URL}, "k")

    assert gone.status_code == 202
    assert (again.status_code, again.json()["code"]) == (409, "idempotency_answer_gone")
    assert [row.answer for row in await rows(system, "SELECT answer FROM app.idempotency")] == [None]


@pytest.mark.parametrize(
    ("path", "body", "differs", "id_"),
    [
        ("/webhooks", {"url": "https://example.com/canary-hook"}, "url", "webhook_id"),
        ("/me/keys", {"name": "canary", "scopes": ["read:events"]}, "name", "key_id"),
        ("/me/credentials", {"host": "github.com", "name": "canary", "token": "ghp_canary"}, "name", "credential_id"),
    ],
)
async def test_an_answer_with_a_secret_goes_with_what_it_made(
    system: System, path: str, body: dict[str, object], differs: str, id_: str
) -> None:
    made = await post(system, path, body, "made")
    other = await post(system, path, {**body, differs: f"{body[differs]}-other"}, "other")
    repeated = await post(system, path, body, "made")

    ended = await system.client.delete(f"/api/v1{path}/{made.json()[id_]}")

    assert ended.is_success, ended.text
    assert repeated.content == made.content
    gone = await post(system, path, body, "made")
    assert (gone.status_code, gone.json()["code"]) == (409, "idempotency_answer_gone")
    kept = await rows(system, "SELECT key FROM app.idempotency WHERE answer IS NOT NULL")
    assert [row.key for row in kept] == (["other"] if other.is_success else [])


async def test_a_claim_is_held_given_up_kept_and_forgotten(system: System) -> None:
    answers = Answers(TenantDatabase(system.engine), Sealer(fresh_key()))
    unsealed = Answers(TenantDatabase(system.engine), None)
    asked = Asked("a.b", "k", b"f")

    async def refusal(table: Answers = answers, of: Asked = asked) -> str:
        try:
            found = await table.claim(WHO, of)
        except (ApiProblem, Fault) as problem:
            return problem.code
        return "claimed" if isinstance(found, Claim) else found.body

    claim = await answers.claim(WHO, asked)
    assert isinstance(claim, Claim)
    assert await refusal() == "idempotency_in_flight"
    await rows(system, "UPDATE app.idempotency SET claimed_at = now() - interval '61 seconds'")
    assert await refusal() == "idempotency_unknown"
    await answers.release(claim)
    second = await answers.claim(WHO, asked)
    assert isinstance(second, Claim)
    await answers.keep(claim, Answer(201, {}, "old"), [])  # a claim that was given up keeps nothing
    assert await refusal() == "idempotency_in_flight"
    await answers.keep(second, Answer(201, {}, "told"), [uuid4()])
    assert await refusal() == "told"
    assert await refusal(unsealed) == "idempotency_answer_gone"
    assert await refusal(Answers(TenantDatabase(system.engine), Sealer(fresh_key()))) == "idempotency_answer_gone"

    await rows(system, "UPDATE app.idempotency SET claimed_at = now() - interval '25 hours'")
    third = await unsealed.claim(WHO, asked)
    assert isinstance(third, Claim)
    await unsealed.keep(third, Answer(201, {}, "told"), [])
    assert await refusal(unsealed) == "idempotency_answer_gone"
    await rows(system, "UPDATE app.idempotency SET claimed_at = now() - interval '25 hours'")
    sweeping = asyncio.create_task(sweep(system.engine))
    await eventually(lambda: rows(system, "SELECT 1 FROM app.idempotency"), lambda found: not found)
    sweeping.cancel()
    await asyncio.gather(sweeping, return_exceptions=True)
