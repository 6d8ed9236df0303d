"""Tokens for private repositories: kept sealed for one person, given to nobody but the service that clones."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import text

from events.base import LOCAL_TENANT, LOCAL_USER
from events.processing import Stage
from orchestrator.adapters.repository_credentials import RepositoryCredentials, sweep
from orchestrator.api.problems import ApiProblem
from orchestrator.auth.identity import ALL_SCOPES, Identity
from runtime.faults import Permanent
from runtime.sealing import fresh_key
from runtime.tenancy import TenantDatabase
from tests.support.orchestrator import System, a_system, eventually
from tests.support.service_keys import PUBLIC_KEYS, signer

TOKEN = "canary-token-of-no-known-shape"
URL = "https://github.com/acme/secret"
ME = Identity(LOCAL_USER, LOCAL_TENANT, "You", ALL_SCOPES)


@pytest.fixture
async def system(
    monkeypatch: pytest.MonkeyPatch, database_url: str, redis_url: str, home: Path
) -> AsyncIterator[System]:
    monkeypatch.setenv("REPOSTREAM_SECRET_KEY", fresh_key())
    monkeypatch.setenv("REPOSTREAM_SERVICE_PUBLIC_KEYS", PUBLIC_KEYS)
    async with a_system(monkeypatch, database_url=database_url, redis_url=redis_url, home=home) as running:
        running.workers.held = {Stage.CLONE}
        yield running


async def keep(system: System, token: str = TOKEN, host: str = "github.com", name: str = "mine") -> dict[str, str]:
    reply = await system.client.post("/api/v1/me/credentials", json={"host": host, "name": name, "token": token})
    assert reply.status_code == 201, reply.text
    assert token not in reply.text
    return dict(reply.json())


async def begin(system: System, **more: object) -> UUID:
    reply = await system.client.post("/api/v1/analyses", json={"url": URL, **more})
    assert reply.status_code == 202, reply.text
    assert TOKEN not in reply.text
    return UUID(reply.json()["analysis_id"])


async def login(system: System, analysis_id: UUID, caller: str = "processor") -> httpx.Response:
    return await system.client.post(
        "/internal/clone-login",
        json={"analysis_id": str(analysis_id)},
        headers=signer(caller).headers("orchestrator"),
    )


async def rows(system: System, query: str) -> list[dict[str, object]]:
    async with system.engine.connect() as connection:
        return [dict(row._mapping) for row in await connection.execute(text(query))]


async def swept(system: System) -> list[dict[str, object]]:
    """What is left after a sweep; the orchestrator's own, each minute, may have been first."""
    await sweep(system.engine, datetime.now(UTC))
    return await rows(system, "SELECT analysis_id FROM auth.repository_credentials")


async def refusal(system: System, path: str, body: dict[str, object]) -> str:
    reply = await system.client.post(f"/api/v1{path}", json=body)
    assert reply.is_client_error
    assert TOKEN not in reply.text
    return str(reply.json()["code"])


async def test_a_kept_token_is_listed_without_its_value_used_and_forgotten(system: System) -> None:
    kept = await keep(system)
    analysis = await begin(system)

    reply = await login(system, analysis)
    [listed] = (await system.client.get("/api/v1/me/credentials")).json()["items"]
    assert reply.json() == {"username": "x-access-token", "password": TOKEN}
    assert listed["credential_id"] == kept["credential_id"]
    assert listed["used_at"] is not None
    assert TOKEN not in str(listed)
    [stored] = await rows(system, "SELECT sealed FROM auth.repository_credentials")
    assert TOKEN.encode() not in stored["sealed"]  # type: ignore[operator]  # bytes

    gone = await system.client.delete(f"/api/v1/me/credentials/{kept['credential_id']}")
    again = await system.client.delete(f"/api/v1/me/credentials/{kept['credential_id']}")
    refused = await login(system, analysis)
    assert (gone.status_code, again.status_code) == (204, 404)
    assert (refused.status_code, refused.json()["code"]) == (409, "credential_gone")


async def test_a_token_for_one_analysis_is_gone_once_the_commit_is_there(system: System) -> None:
    analysis = await begin(system, token=TOKEN)

    assert (await login(system, analysis)).json()["password"] == TOKEN
    assert (await system.client.get("/api/v1/me/credentials")).json()["items"] == []
    assert await sweep(system.engine, datetime.now(UTC)) == 0

    system.workers.held = set()
    await eventually(lambda: swept(system), lambda left: not left, 40)


async def test_a_token_that_nobody_came_for_is_gone_after_a_day(system: System) -> None:
    analysis = await begin(system, token=TOKEN)
    tomorrow = datetime.now(UTC) + timedelta(hours=25)

    assert await sweep(system.engine, tomorrow) == 1
    assert (await login(system, analysis)).json()["code"] == "credential_gone"


async def test_no_other_service_and_no_stranger_is_given_a_login(system: System) -> None:
    analysis = await begin(system, token=TOKEN)
    address, body = "/internal/clone-login", {"analysis_id": str(analysis)}

    others = [await login(system, analysis, name) for name in ("ai_engine", "rag_manager", "web_ui")]
    bare = await system.client.post(address, json=body)
    elsewhere = await system.client.post(address, json=body, headers=signer("processor").headers("rag_manager"))

    for reply in (*others, bare, elsewhere):
        assert (reply.status_code, reply.json()["code"]) == (401, "unauthorized")
        assert TOKEN not in reply.text


async def test_an_analysis_without_a_token_an_unknown_and_an_ended_one_have_no_login(system: System) -> None:
    without = await begin(system)
    ended = await begin(system, token=TOKEN)
    await system.client.post(f"/api/v1/analyses/{ended}/cancel")
    await system.until(ended, "cancelled")

    assert (await login(system, without)).status_code == 204
    assert (await login(system, uuid4())).status_code == 404
    assert (await login(system, ended)).json()["code"] == "analysis_over"


async def test_the_events_hold_the_id_of_the_token_and_only_the_clone_gets_it(system: System) -> None:
    analysis = await begin(system, token=TOKEN)
    system.workers.held = set()
    await system.until(analysis, "refined")

    history = (await system.get(f"/analyses/{analysis}/history", limit=500))["items"]
    held = {
        (event["event_type"], event["data"].get("stage"))
        for event in history
        if event["data"].get("credential_ref") is not None
    }
    assert held == {("repository.processing.requested", None), ("processing.stage.requested", "clone")}
    assert TOKEN not in str(history)


async def test_a_request_with_a_token_of_its_own_does_not_join_one_without(system: System) -> None:
    running = await begin(system)
    joined = await system.client.post("/api/v1/analyses", json={"url": URL})
    with_token = await begin(system, token=TOKEN)

    assert (joined.status_code, joined.json()["analysis_id"]) == (200, str(running))
    assert with_token != running


async def test_the_same_key_and_token_mean_the_same_analysis_and_keep_one_token(system: System) -> None:
    body, headers = {"url": URL, "token": TOKEN}, {"Idempotency-Key": "k1"}
    first = await system.client.post("/api/v1/analyses", json=body, headers=headers)
    second = await system.client.post("/api/v1/analyses", json=body, headers=headers)
    third = await system.client.post("/api/v1/analyses", json={"url": URL}, headers=headers)

    assert first.json()["analysis_id"] == second.json()["analysis_id"]
    assert third.json()["code"] == "idempotency_key_reused"
    assert len(await rows(system, "SELECT 1 FROM auth.repository_credentials")) == 1


async def test_what_is_no_token_or_not_ones_own_is_refused_by_name(system: System) -> None:
    kept = await keep(system, host="gitlab.com")
    wrong = {"url": URL, "credential": kept["credential_id"]}

    assert await refusal(system, "/analyses", {"url": URL, "token": "has blanks and\nnewlines"}) == "bad_token"
    assert await refusal(system, "/analyses", {"url": URL, "token": ""}) == "bad_token"
    assert await refusal(system, "/analyses", wrong) == "not_found"  # it is for another host
    assert await refusal(system, "/analyses", {**wrong, "token": TOKEN}) == "invalid_request"
    assert await refusal(system, "/me/credentials", {"host": "evil.example", "token": TOKEN}) == "host_not_allowed"
    assert await refusal(system, "/me/credentials", {"host": "github.com/x?", "token": TOKEN}) == "bad_url"


async def test_a_kept_token_opens_nothing_for_another_person_tenant_or_host(system: System) -> None:
    kept = UUID((await keep(system))["credential_id"])
    credentials, at = system.app.state.services.credentials, datetime.now(UTC)
    mine = {"tenant_id": ME.tenant_id, "user_id": ME.user_id, "host": "github.com"}
    assert (await credentials.use(kept, **mine, at=at)) == TOKEN

    for other in ({"tenant_id": uuid4()}, {"user_id": uuid4()}, {"host": "gitlab.com"}):
        with pytest.raises(Permanent, match="credential_gone"):
            await credentials.use(kept, **{**mine, **other}, at=at)
    stranger = replace(ME, user_id=uuid4())
    assert await credentials.of(stranger) == []
    with pytest.raises(ApiProblem, match="not_found"):
        await credentials.choose(stranger, "github.com", token=None, named=kept, at=at)


async def test_a_row_that_was_changed_in_the_database_opens_nothing(system: System) -> None:
    kept = UUID((await keep(system))["credential_id"])
    credentials, at = system.app.state.services.credentials, datetime.now(UTC)
    async with system.engine.begin() as connection:
        await connection.execute(text("UPDATE auth.repository_credentials SET host = 'gitlab.com'"))

    with pytest.raises(Permanent, match="credential_gone"):
        await credentials.use(kept, tenant_id=ME.tenant_id, user_id=ME.user_id, host="gitlab.com", at=at)


async def test_a_suspended_person_and_one_who_left_the_tenant_clone_nothing(system: System) -> None:
    await keep(system)
    analysis = await begin(system)

    async with system.engine.begin() as connection:
        await connection.execute(text("UPDATE auth.users SET suspended_at = now()"))
    suspended = await login(system, analysis)
    async with system.engine.begin() as connection:
        await connection.execute(text("UPDATE auth.users SET suspended_at = NULL"))
        await connection.execute(text("DELETE FROM auth.members"))
    left = await login(system, analysis)

    assert suspended.json()["code"] == left.json()["code"] == "credential_gone"


async def test_no_more_than_fifty_are_kept(system: System) -> None:
    for number in range(50):
        await keep(system, name=str(number))

    body = {"host": "github.com", "token": TOKEN}
    assert await refusal(system, "/me/credentials", body) == "too_many_credentials"


async def test_without_a_sealing_key_nothing_is_kept_and_it_says_so(system: System) -> None:
    services = system.app.state.services
    without = RepositoryCredentials(TenantDatabase(system.engine), None)
    system.app.state.services = replace(services, credentials=without)

    assert await refusal(system, "/analyses", {"url": URL, "token": TOKEN}) == "credentials_not_kept"
    assert (await system.client.post("/api/v1/analyses", json={"url": URL})).status_code == 202
