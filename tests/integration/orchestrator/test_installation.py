"""Administrators see what serves, what waits, what each team uses and what is set; nobody else does."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from redis.asyncio import Redis
from sqlalchemy import text

from orchestrator.adapters.installation import Installation
from orchestrator.auth.identity import ADMIN
from tests.support.limits import a_person, let_in
from tests.support.orchestrator import System, a_system, eventually
from tests.support.readiness import a_service, answers, refuses

PATHS = ("services", "queues", "teams", "settings")


@pytest.fixture
async def system(
    database_url: str, redis_url: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[System]:
    monkeypatch.setenv("REPOSTREAM_RETENTION_ANALYSIS_DAYS", "30")
    async with a_system(
        monkeypatch, database_url=database_url, redis_url=redis_url, home=home, working=False
    ) as system:
        yield system


async def test_administrators_see_how_it_does(system: System, database_url: str) -> None:
    await system.begin()
    queues = await eventually(
        lambda: system.get("/installation/queues"),
        lambda found: any(each["waiting"] for each in found["items"] if each["topic"] == "stage.clone"),
    )
    async with system.engine.begin() as connection:
        await connection.execute(
            text("INSERT INTO auth.tenants (tenant_id, name, personal) VALUES (gen_random_uuid(), 'The others', false)")
        )
    first = await system.get("/installation/teams", limit=1)
    second = await system.get("/installation/teams", limit=1, cursor=first["next"])
    settings = await system.client.get("/api/v1/installation/settings")

    by_consumer = {each["consumer"]: each for each in queues["items"]}
    clone, workflow = by_consumer["processor.clone"], by_consumer["orchestrator.workflow"]
    assert (clone["waiting"], clone["held"], clone["workers"]) == (1, 0, 0)
    assert workflow["workers"] >= 1
    assert (queues["unplaced"], queues["unplaced_seconds"]) == (0, 0.0)
    assert [(page["items"][0]["name"], page["items"][0]["people"]) for page in (first, second)] == [
        ("The others", 0),
        ("This machine", 1),
    ]
    used = {quota["name"]: quota["used"] for quota in second["items"][0]["quotas"]}
    assert (used["running"], used["repositories"], used["cents_month"]) == (1, 1, 0)
    assert {quota["used"] for quota in first["items"][0]["quotas"]} == {0}
    assert second["next"] is None
    said = {each["setting"]: each for each in settings.json()["items"]}
    assert said["REPOSTREAM_DATABASE_URL"]["state"] == "ok"
    assert said["REPOSTREAM_RETENTION_ANALYSIS_DAYS"]["state"] == "note"
    assert (urlsplit(database_url).password or "no password") not in settings.text


async def test_each_service_is_asked_and_a_broker_that_is_away_is_told(system: System) -> None:
    services = system.app.state.services
    with a_service(answers) as good, a_service(refuses) as bad:
        urls = {"rag_manager": good, "processor": bad, "ai_engine": "http://127.0.0.1:9"}
        away = Redis.from_url("redis://127.0.0.1:9/0", socket_connect_timeout=0.5)
        looking = Installation(system.engine, away, services.usage, urls)
        system.app.state.services = replace(services, installation=looking)
        found = await system.get("/installation/services")
        queues = await system.client.get("/api/v1/installation/queues")
        await away.aclose()

    assert found["items"] == [
        {"name": "rag_manager", "ready": True, "reason": ""},
        {"name": "processor", "ready": False, "reason": "database: ConnectionRefusedError: nobody listens"},
        {"name": "ai_engine", "ready": False, "reason": "does not answer: ConnectError"},
    ]
    assert (queues.status_code, queues.json()["code"]) == (503, "store_unavailable")


async def test_nobody_else_sees_any_of_it(system: System) -> None:
    who = a_person()
    headers = let_in(system).headers(replace(who, scopes=who.scopes - {ADMIN}))

    replies = [await system.client.get(f"/api/v1/installation/{path}", headers=headers) for path in PATHS]

    assert [(reply.status_code, reply.json()["code"]) for reply in replies] == [(403, "forbidden")] * 4
