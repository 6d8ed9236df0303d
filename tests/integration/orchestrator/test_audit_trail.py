"""Who did what is on record before they hear of it; nobody can change the record unseen."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from events.base import LOCAL_TENANT, LOCAL_USER
from orchestrator.adapters.audit import AuditTable
from orchestrator.api.audit_models import AuditQuery
from orchestrator.audit.chain import START, first_broken
from orchestrator.audit.entry import Entry, Outcome
from orchestrator.audit.trail import Trail
from orchestrator.auth.identity import ALL_SCOPES, SCOPES_OF, Identity, Proof, Role
from runtime.faults import Permanent
from tests.support.orchestrator import System, a_system, eventually

URL = "https://github.com/pallets/flask"
SECRET = "s3cr3t-that-nobody-records"


class Somebody:
    """A provider that lets in whoever it is told to."""

    def __init__(self) -> None:
        self.who: Identity | None = Identity(LOCAL_USER, LOCAL_TENANT, "You", ALL_SCOPES)

    async def identify(self, _connection: object) -> Identity:
        if self.who is None:
            raise Permanent("not_signed_in", "Sign in.")
        return self.who


@pytest.fixture
async def system(
    database_url: str, redis_url: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[System]:
    async with a_system(
        monkeypatch, database_url=database_url, redis_url=redis_url, home=home, working=False
    ) as system:
        yield system


@pytest.fixture
def door(system: System) -> Somebody:
    door = Somebody()
    system.app.state.services = replace(system.app.state.services, provider=door)
    return door


async def recorded(system: System, **query: str) -> list[dict[str, Any]]:
    """Entries as the table has them, oldest first, without those of looking at the trail."""
    table = AuditTable(system.engine)
    found = [entry.model_dump(mode="json") async for entry in table.all(AuditQuery(**query), None)]  # type: ignore[arg-type]
    return [entry for entry in found if not entry["action"].startswith("audit.")]


async def test_a_change_is_on_record_when_its_answer_comes(system: System, door: Somebody) -> None:
    session = uuid4()
    door.who = Identity(LOCAL_USER, LOCAL_TENANT, "You", ALL_SCOPES, proof=Proof.SESSION, proof_id=session)
    reply = await system.client.post(
        "/api/v1/analyses", json={"url": URL}, headers={"user-agent": "test/1", "x-correlation-id": str(uuid4())}
    )

    [entry] = await recorded(system)
    assert reply.status_code == 202
    assert {name: entry[name] for name in ("action", "outcome", "status", "code", "target", "address", "agent")} == {
        "action": "analyses.begin",
        "outcome": "allowed",
        "status": 202,
        "code": "",
        "target": f"analyses/{reply.json()['analysis_id']}",
        "address": "127.0.0.1",
        "agent": "test/1",
    }
    assert entry["correlation_id"] == reply.headers["x-correlation-id"]
    assert (entry["user_id"], entry["tenant_id"]) == (str(LOCAL_USER), str(LOCAL_TENANT))
    assert (entry["proof"], entry["proof_id"], entry["login"]) == ("session", str(session), "you")


async def test_refusals_of_strangers_members_and_guards_are_on_record_and_reads_are_not(
    system: System, door: Somebody
) -> None:
    client = system.client
    await client.get("/api/v1/analyses")
    await client.get(f"/api/v1/analyses/{uuid4()}")
    await client.get("/api/v1/nothing-here")
    await client.post("/api/v1/analyses", json={"url": URL}, headers={"origin": "https://evil.example"})
    await client.post("/api/v1/analyses", json={"url": SECRET})
    door.who = Identity(LOCAL_USER, LOCAL_TENANT, "You", SCOPES_OF[Role.VIEWER], Role.VIEWER)
    await client.post("/api/v1/analyses", json={"url": URL}, params={"token": SECRET})
    door.who = None
    await client.get("/api/v1/analyses", headers={"authorization": f"Bearer {SECRET}"})

    entries = await eventually(lambda: recorded(system), lambda found: len(found) == 5)
    assert [(e["action"], e["outcome"], e["status"], e["code"]) for e in entries] == [
        ("analyses.one", "refused", 404, "not_found"),
        ("request", "refused", 403, "cross_site"),
        ("analyses.begin", "failed", 422, "bad_url"),
        ("analyses.begin", "refused", 403, "forbidden"),
        ("analyses.newest", "refused", 401, "not_signed_in"),
    ]
    assert [e["user_id"] for e in entries] == [str(LOCAL_USER), None, str(LOCAL_USER), str(LOCAL_USER), None]
    assert SECRET not in json.dumps(entries)


async def test_owners_see_their_tenants_entries_administrators_all_others_none(system: System, door: Somebody) -> None:
    other = Identity(uuid4(), uuid4(), "Other", SCOPES_OF[Role.OWNER], Role.OWNER)
    await system.begin()
    door.who = other
    await system.client.post("/api/v1/analyses", json={"url": "nonsense"})
    await eventually(lambda: recorded(system), lambda found: len(found) == 2)

    theirs = await system.get("/audit", tenant_id=str(LOCAL_TENANT))
    assert {entry["tenant_id"] for entry in theirs["items"]} == {str(other.tenant_id)}
    assert (await system.client.get("/api/v1/audit/verification")).status_code == 403
    door.who = replace(other, role=Role.MEMBER)
    for path in ("/audit", "/audit/export"):
        reply = await system.client.get(f"/api/v1{path}")
        assert (reply.status_code, reply.json()["code"]) == (403, "forbidden")
    door.who = Identity(LOCAL_USER, LOCAL_TENANT, "You", ALL_SCOPES)
    assert len({entry["tenant_id"] for entry in (await system.get("/audit"))["items"]}) == 2


async def test_entries_are_found_by_who_what_when_and_how_it_ended_and_come_in_pages(
    system: System, door: Somebody
) -> None:
    first = await system.begin()
    for n in range(4):
        await system.client.post("/api/v1/analyses", json={"url": f"nonsense {n}"})
    await eventually(lambda: recorded(system), lambda found: len(found) == 5)

    async def count(**query: object) -> int:
        return len([e for e in (await system.get("/audit", **query))["items"] if not e["action"].startswith("audit.")])

    later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    expected: list[tuple[dict[str, object], int]] = [
        ({"user": "YOU"}, 5), ({"user": str(LOCAL_USER)}, 5), ({"user": "nobody"}, 0),
        ({"action": "analyses."}, 5), ({"outcome": "failed"}, 4), ({"code": "bad_url"}, 4),
        ({"target": f"analyses/{first}"}, 1), ({"address": "127.0.0.1"}, 5), ({"address": "192.0.2.1"}, 0),
        ({"since": later}, 0), ({"until": later}, 5),
    ]  # fmt: skip
    assert [(query, await count(**query)) for query, _ in expected] == expected
    seen: list[int] = []
    cursor: dict[str, object] = {}
    for _ in range(3):
        page = await system.get("/audit", action="analyses.", limit=2, **cursor)
        seen += [entry["position"] for entry in page["items"]]
        cursor = {"cursor": page["next"]}
    assert page["next"] is None
    assert len(seen) == 5
    assert seen == sorted(seen, reverse=True)
    assert await count(outcome="failed", action="analyses.") == 4
    bad = await system.client.get("/api/v1/audit", params={"outcome": "perhaps"})
    assert (bad.status_code, bad.json()["code"]) == (422, "invalid_request")


async def test_the_export_is_json_lines_that_prove_themselves_and_is_itself_on_record(
    system: System, door: Somebody
) -> None:
    table = AuditTable(system.engine)
    many = [Entry(uuid4(), datetime.now(UTC), "test.many", Outcome.ALLOWED, agent=f"Größe {n}") for n in range(1_203)]
    await table.append(many)
    reply = await system.client.get("/api/v1/audit/export")
    lines = [json.loads(line) for line in reply.text.splitlines()]

    assert reply.headers["content-type"] == "application/x-ndjson"
    assert [line["action"] for line in lines] == ["test.many"] * 1_203 + ["audit.export"]
    assert first_broken(lines, after=0, previous=START) is None
    assert (lines[-1]["outcome"], lines[-1]["user_id"]) == ("allowed", str(LOCAL_USER))


async def test_nobody_changes_or_removes_an_entry_and_what_an_owner_of_the_database_forces_is_found(
    system: System, door: Somebody
) -> None:
    table = AuditTable(system.engine)
    await table.append([Entry(uuid4(), datetime.now(UTC), "test.one", Outcome.ALLOWED) for _ in range(10)])
    for statement in (
        "UPDATE audit.entries SET user_id = NULL",
        "DELETE FROM audit.entries",
        "TRUNCATE audit.entries",
    ):
        with pytest.raises(DBAPIError, match="append-only"):
            async with system.engine.begin() as connection:
                await connection.execute(text(statement))

    async def checked() -> Any:
        return await system.get("/audit/verification", limit=4, after=3)

    whole = await checked()
    assert (whole["checked"], whole["broken_at"], whole["next"]) == (4, None, 7)
    async with system.engine.begin() as connection:
        await connection.execute(text("ALTER TABLE audit.entries DISABLE TRIGGER USER"))
        await connection.execute(text("UPDATE audit.entries SET outcome = 'failed' WHERE position = 6"))
    assert (await checked())["broken_at"] == 6
    async with system.engine.begin() as connection:
        await connection.execute(text("DELETE FROM audit.entries WHERE position > 8"))
    broken = await system.get("/audit/verification", after=7)
    assert broken["broken_at"] == 9


async def test_old_entries_expire_from_the_beginning_and_the_rest_still_proves_itself(
    system: System, door: Somebody
) -> None:
    table, now = AuditTable(system.engine), datetime.now(UTC)
    for days in (90, 60, 20, 1):
        await table.append([Entry(uuid4(), now - timedelta(days=days), "test.old", Outcome.ALLOWED)])

    assert await table.expire(now - timedelta(days=50)) == 2
    assert await table.expire(now) == 0  # nothing younger than thirty days
    check = await table.check(0, 100)
    assert (check.first, check.last, check.checked, check.broken_at) == (3, 4, 2, None)


async def test_many_writers_make_one_chain_and_an_entry_written_twice_is_there_once(
    system: System, door: Somebody
) -> None:
    table = AuditTable(system.engine)
    twice = [Entry(uuid4(), datetime.now(UTC), "test.twice", Outcome.ALLOWED) for _ in range(5)]
    await asyncio.gather(
        *(
            table.append([Entry(uuid4(), datetime.now(UTC), "test.race", Outcome.ALLOWED) for _ in range(7)])
            for _ in range(10)
        ),
        *(table.append(twice) for _ in range(3)),
    )
    check = await table.check(0, 1_000)

    assert (check.checked, check.broken_at, check.last) == (75, None, 75)


async def test_a_change_that_cannot_be_recorded_is_not_answered_as_done_and_is_recorded_later(
    system: System, door: Somebody
) -> None:
    async with system.engine.connect() as connection:
        lock = await connection.begin()
        await connection.execute(text("SELECT FROM audit.head FOR UPDATE"))
        reply = await system.client.post("/api/v1/analyses", json={"url": URL}, timeout=httpx.Timeout(20))
        assert (reply.status_code, reply.json()["code"]) == (503, "audit_unavailable")
        assert "location" not in reply.headers
        assert reply.headers["retry-after"] == "2"
        await lock.rollback()

    [entry] = await eventually(lambda: recorded(system), len)
    assert (entry["action"], entry["outcome"]) == ("analyses.begin", "allowed")


async def test_refusals_are_flushed_when_the_service_ends(
    database_url: str, redis_url: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = Trail.run

    async def too_late(_trail: Trail) -> None:
        await asyncio.sleep(600)

    monkeypatch.setattr(Trail, "run", too_late)
    async with a_system(
        monkeypatch, database_url=database_url, redis_url=redis_url, home=home, working=False
    ) as system:
        for _ in range(20):
            await system.client.get(f"/api/v1/analyses/{uuid4()}")
        assert await recorded(system) == []
    monkeypatch.setattr(Trail, "run", running)

    found = await recorded(system)
    await system.engine.dispose()
    assert len(found) == 20


async def test_nothing_that_anybody_can_send_fills_the_trail_and_a_full_line_stops_changes_before_they_are_made(
    system: System, door: Somebody, monkeypatch: pytest.MonkeyPatch
) -> None:
    door.who = None
    for _ in range(20):
        await system.client.post("/auth/revoke", json={"refresh_token": "rsr_" + "A" * 43})
        await system.client.get("/api/v1/analyses", headers={"authorization": f"Bearer {SECRET}"})
    await eventually(lambda: recorded(system), len)
    await asyncio.sleep(0.3)  # more could come
    entries = await recorded(system)
    door.who = Identity(LOCAL_USER, LOCAL_TENANT, "You", ALL_SCOPES)
    monkeypatch.setattr(Trail, "full", property(lambda _trail: True))
    refused = await system.client.post("/api/v1/analyses", json={"url": URL})
    listed = await system.get("/analyses")

    assert [(e["action"], e["code"], e["times"]) for e in entries] == [("analyses.newest", "not_signed_in", 1)]
    assert (refused.status_code, refused.json()["code"], listed["items"]) == (503, "audit_unavailable", [])


async def test_looks_at_the_trail_that_take_long_take_no_connection_from_the_background(
    system: System, door: Somebody
) -> None:
    count = """SELECT application_name, count(*) FROM pg_stat_activity
               WHERE wait_event_type = 'Lock' AND query LIKE '%audit.entries%' GROUP BY 1"""
    async with system.engine.connect() as holding, system.engine.connect() as looking:
        lock = await holding.begin()
        await holding.execute(text("LOCK TABLE audit.entries"))
        looks = [asyncio.create_task(system.client.get("/api/v1/audit", params={"limit": 1})) for _ in range(12)]

        async def waiting() -> dict[str, int]:
            found = {row.application_name: row[1] for row in await looking.execute(text(count))}
            await looking.rollback()  # within one transaction it would always look the same
            return found

        held_up = await eventually(waiting, lambda found: sum(found.values()) >= 3)
        await asyncio.sleep(0.3)
        held_up = await waiting()
        await lock.rollback()
        replies = await asyncio.gather(*looks)

    assert held_up == {"orchestrator-audit": 3}
    assert {reply.status_code for reply in replies} == {200}
