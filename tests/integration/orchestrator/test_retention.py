"""What nobody used for long goes by policy: never what is used, running or younger, and not without a word."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from events.base import LOCAL_TENANT, LOCAL_USER
from events.processing import Stage
from orchestrator.adapters.policy import Policy
from orchestrator.adapters.retention import Retention
from orchestrator.audit.entry import Entry
from runtime.sealing import fresh_key
from tests.support.orchestrator import System, a_system, eventually

DAYS = 30
URL = "https://github.com/pallets/kept"


@pytest.fixture
async def system(
    database_url: str, redis_url: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[System]:
    monkeypatch.setenv("REPOSTREAM_SECRET_KEY", fresh_key())
    async with a_system(monkeypatch, database_url=database_url, redis_url=redis_url, home=home) as system:
        yield system


def retention(system: System, policy: Policy, entries: list[Entry]) -> Retention:
    async def record(entry: Entry) -> None:
        entries.append(entry)

    return Retention(system.engine, system.app.state.services.intake._wake, record, policy)


async def execute(system: System, statement: str, **values: object) -> list[Any]:
    async with system.engine.begin() as connection:
        done = await connection.execute(text(statement), values)
        return list(done) if done.returns_rows else []


async def a_repository(system: System, name: str) -> tuple[str, str]:
    """Its id, and that of its refined analysis."""
    view = await system.until(await system.begin(f"{URL}-{name}"), "refined")
    repository: str = view["repository_id"]
    await system.followed()
    return repository, view["analysis_id"]


async def listed(system: System) -> set[str]:
    return {item["repository_id"] for item in (await system.get("/repositories"))["items"]}


async def test_a_repository_that_nobody_looked_at_goes_and_every_other_stays(system: System) -> None:
    unused, looked_at = await a_repository(system, "unused"), await a_repository(system, "looked-at")
    system.workers.held = {Stage.INDEX}
    running = await system.begin(f"{URL}-running")
    view = await system.get(f"/analyses/{running}")
    await system.followed()
    now = datetime.now(UTC)
    later = now + timedelta(days=DAYS, minutes=1)
    entries: list[Entry] = []
    policy = retention(system, Policy(repository_days=DAYS), entries)
    await execute(
        system, "UPDATE app.looks SET looked_at = :at WHERE repository_id = :id", at=later, id=UUID(looked_at[0])
    )

    assert await policy.carry_out(now + timedelta(days=DAYS - 1)) == [], "nothing is old enough"
    assert await retention(system, Policy(), entries).carry_out(later) == [], "by default nothing goes"
    gone = await policy.carry_out(later)

    assert gone == [UUID(unused[0])]
    assert await listed(system) == {looked_at[0], view["repository_id"]}
    assert (await system.client.get(f"/api/v1/analyses/{unused[1]}")).status_code == 404
    assert [(e.action, e.target, e.tenant_id) for e in entries] == [
        ("retention.repository", f"repositories/{unused[0]}", LOCAL_TENANT)
    ]
    [deleted] = [
        event
        for event in await system.journal.read_stream(f"repository/{unused[0]}")
        if event.event_type == "repository.deleted"
    ]
    assert deleted.data["policy"] == f"REPOSTREAM_RETENTION_REPOSITORY_DAYS={DAYS}"
    assert deleted.user_id is None
    erased = "SELECT 1 FROM app.deleted_repositories WHERE erased_at IS NOT NULL"
    await eventually(lambda: execute(system, erased), bool, 30)
    assert (await system.get(f"/analyses/{running}"))["state"] != "cancelled"
    assert await policy.carry_out(later) == []


async def test_a_look_keeps_a_repository(system: System) -> None:
    repository, analysis = await a_repository(system, "a")
    before = await execute(system, "SELECT looked_at FROM app.looks WHERE repository_id = :id", id=UUID(repository))
    tag = (await system.client.get(f"/api/v1/analyses/{analysis}")).headers["etag"]
    services = system.app.state.services
    services.looks._clock = lambda: datetime.now(UTC) + timedelta(days=2)

    known = {"if-none-match": tag}
    assert (await system.client.get(f"/api/v1/analyses/{analysis}", headers=known)).status_code == 304

    [[looked_at]] = await execute(
        system, "SELECT looked_at FROM app.looks WHERE repository_id = :id", id=UUID(repository)
    )
    assert looked_at - before[0][0] > timedelta(days=1)


async def test_what_ended_long_ago_goes_and_what_lives_or_ended_lately_stays(system: System) -> None:
    now = datetime.now(UTC)
    long_ago, lately, ahead = now - timedelta(days=DAYS + 1), now - timedelta(days=1), now + timedelta(days=9)
    ends = {"old": (long_ago, ahead), "over": (None, long_ago), "late": (lately, ahead), "lives": (None, ahead)}
    for name, (revoked, expires) in ends.items():
        key = {"user": LOCAL_USER, "tenant": LOCAL_TENANT, "revoked": revoked, "expires": expires, "name": name}
        await execute(
            system,
            "INSERT INTO auth.sessions (session_id, secret_hash, user_id, tenant_id, expires_at, revoked_at, address,"
            " agent) VALUES (:id, :hash, :user, :tenant, :expires, :revoked, '', :name)",
            **key,
            id=uuid4(),
            hash=uuid4().bytes,
        )
        await execute(
            system,
            "INSERT INTO auth.api_keys (key_id, prefix, secret_hash, user_id, tenant_id, name, scopes, expires_at,"
            " revoked_at) VALUES (:id, :name, 'x', :user, :tenant, :name, '{}', :expires, :revoked)",
            **key,
            id=uuid4(),
        )
        await execute(
            system,
            "INSERT INTO auth.refresh_tokens (token_hash, family_id, user_id, tenant_id, scopes, expires_at,"
            " revoked_at) VALUES (:hash, :id, :user, :tenant, ARRAY[:name], :expires, :revoked)",
            **key,
            id=uuid4(),
            hash=uuid4().bytes,
        )
    entries: list[Entry] = []

    await retention(system, Policy(ended_days=DAYS), entries).carry_out(now)

    for column, table in (("agent", "sessions"), ("name", "api_keys"), ("scopes[1]", "refresh_tokens")):
        rows = await execute(system, f"SELECT {column} FROM auth.{table} ORDER BY 1")
        assert [row[0] for row in rows] == ["late", "lives"], table
    assert [(e.action, e.times) for e in entries] == [
        ("retention.sessions", 2),
        ("retention.keys", 2),
        ("retention.grants", 2),
    ]


async def test_two_processes_that_carry_it_out_delete_each_repository_once(system: System) -> None:
    await a_repository(system, "a")
    entries: list[Entry] = []
    policy = retention(system, Policy(repository_days=DAYS), entries)
    later = datetime.now(UTC) + timedelta(days=DAYS, hours=1)

    gone = await asyncio.gather(policy.carry_out(later), policy.carry_out(later))

    assert sorted(map(len, gone)) == [0, 1]
    assert len(entries) == 1
