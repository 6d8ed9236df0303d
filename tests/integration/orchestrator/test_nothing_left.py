"""Requests that were let in before a deletion leave nothing behind, however their writes and the deletion fall."""

import asyncio
from collections.abc import AsyncIterator
from itertools import cycle
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from orchestrator.adapters.belongings import BELONGINGS, Fate
from tests.support.github import GitHubStandIn
from tests.support.orchestrator import eventually
from tests.support.people import Here, Person, a_place, a_team, enter

_SESSION = """
INSERT INTO auth.sessions (session_id, secret_hash, user_id, tenant_id, expires_at, address, agent)
VALUES ($1, $2, $3, $4, now() + interval '1 hour', '192.0.2.7', 'late')
"""


@pytest.fixture
async def here(
    monkeypatch: pytest.MonkeyPatch, github: GitHubStandIn, database_url: str, redis_url: str, home: Path
) -> AsyncIterator[Here]:
    async with a_place(monkeypatch, github, database_url, redis_url, home) as place:
        yield place


@pytest.fixture
async def owner(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


def wishes(repository: str, analysis: str, talk: str) -> list[tuple[str, str, dict[str, Any] | None]]:
    """Requests that write, one for each kind of row that a person or a team may have."""
    return [
        ("POST", "/me/keys", {"name": "late", "scopes": ["read:repositories"]}),
        ("POST", "/me/grants", {"scopes": ["read:repositories"]}),
        ("POST", "/webhooks", {"url": "https://example.org/late"}),
        ("POST", "/me/credentials", {"host": "github.com", "name": "late", "token": "ghp_late"}),
        ("POST", "/tenants", {"name": "late"}),
        ("POST", f"/repositories/{repository}/shares", {}),
        ("POST", "/analyses", {"url": "https://github.com/late/repository"}),
        ("POST", "/conversations", {"repository_id": repository}),
        ("POST", f"/conversations/{talk}/questions", {"query": "late?"}),
        ("GET", f"/analyses/{analysis}", None),
    ]


async def left(owner: asyncpg.Connection, *, tenant: UUID, user: UUID | None) -> dict[str, int]:
    """How many rows each table has of who was deleted, where it should have none."""
    found = {}
    for each in BELONGINGS:
        if each.fate is Fate.DELETED:
            for condition, id_ in ((each.tenant, tenant), (each.user, user)):
                if condition and id_ is not None:
                    where = condition.replace(":tenant", "$1").replace(":user", "$1")
                    count = await owner.fetchval(f"SELECT count(*) FROM {each.table} WHERE {where}", id_)
                    found |= {each.table: count} if count else {}
    return found


async def racing(person: Person, made: dict[str, Any], begun: asyncio.Event) -> list[int]:
    """Ask for one thing after another until the person is nobody any more; what was answered."""
    answers: list[int] = []
    view, talk = made["view"], made["talk"]["conversation_id"]
    for method, path, body in cycle(wishes(view["repository_id"], view["analysis_id"], talk)):
        reply = await person.call(method, path, body, **({"idempotency-key": uuid4().hex} if body else {}))
        answers.append(reply.status_code)
        if len(answers) > 2:
            begun.set()
        if reply.status_code == 401:
            return answers
    raise AssertionError("cycles for ever")


async def test_writers_that_race_the_deletion_of_their_account_leave_nothing(
    here: Here, owner: asyncpg.Connection
) -> None:
    leaver = await here.person("heron")
    made = await leaver.works()
    begun = [asyncio.Event() for _ in range(6)]
    writers = [asyncio.create_task(racing(leaver, made, event)) for event in begun]
    for event in begun:
        await event.wait()

    reply = await leaver.call("DELETE", "/me", {"confirm": "heron"})

    assert reply.status_code == 202, reply.text
    async with asyncio.timeout(60):
        answers = {status for each in await asyncio.gather(*writers) for status in each}
    assert {201, 401} <= answers
    assert answers <= {200, 201, 202, 401, 404, 503}, "503: PostgreSQL let the deletion go first"
    await here.done("auth.users", leaver.user_id)
    tenants = [UUID(each) for each in reply.json()["tenants"]]
    for tenant in tenants:
        await here.done("auth.tenants", tenant)
        assert await left(owner, tenant=tenant, user=leaver.user_id) == {}


async def test_erasing_waits_for_who_writes_unaware_of_it_and_for_nobody_else(
    here: Here, owner: asyncpg.Connection, database_url: str
) -> None:
    leaver, other = await here.person("heron"), await here.person("otter")
    team = await a_team(here, "Otters", (leaver, "owner"), (other, "member"))
    await enter(here, leaver, team)
    late, later = await asyncpg.connect(database_url), await asyncpg.connect(database_url)
    try:
        writing = late.transaction()
        await writing.start()
        await late.execute("INSERT INTO app.looks VALUES ($1, $2, now())", uuid4(), team)

        reply = await asyncio.wait_for(leaver.call("DELETE", f"/tenants/{team}", {"confirm": "Otters"}), 20)

        assert reply.status_code == 202, reply.text
        unrelated = later.transaction()  # of a table that nobody's deletion needs
        await unrelated.start()
        await later.execute("CREATE TABLE public.unrelated (id int)")
        assert await owner.fetchval("SELECT auth.unaware_of_deletions()"), "the fault fired"
        for _ in range(20):  # twice as long as it takes otherwise
            assert await owner.fetchval("SELECT erased_at FROM auth.tenants WHERE tenant_id = $1", team) is None
            await asyncio.sleep(0.1)
        await writing.commit()
        await here.done("auth.tenants", team)
        await unrelated.rollback()
    finally:
        await late.close()
        await later.close()
    assert await left(owner, tenant=team, user=None) == {}


async def test_a_row_for_somebody_who_is_deleted_is_refused_by_its_table(here: Here, owner: asyncpg.Connection) -> None:
    leaver, other = await here.person("heron"), await here.person("otter")
    reply = await leaver.call("DELETE", "/me", {"confirm": "heron"})
    assert reply.status_code == 202, reply.text
    await here.done("auth.users", leaver.user_id)

    for user, tenant in ((leaver, other), (other, leaver), (leaver, leaver)):
        with pytest.raises(asyncpg.PostgresError, match="somebody who is deleted") as refused:
            await owner.execute(_SESSION, uuid4(), uuid4().bytes, user.user_id, tenant.tenant_id)
        assert refused.value.sqlstate == "RS404"
    await owner.execute(_SESSION, uuid4(), uuid4().bytes, other.user_id, other.tenant_id)
    with pytest.raises(asyncpg.PostgresError, match="somebody who is deleted"):
        await owner.execute(
            "UPDATE auth.sessions SET tenant_id = $1 WHERE user_id = $2", leaver.tenant_id, other.user_id
        )
    sessions = await eventually(lambda: other.get("/me"), lambda found: "user_id" in found)
    assert sessions["user_id"] == str(other.user_id)


async def test_a_request_that_was_let_in_before_is_told_so(here: Here, owner: asyncpg.Connection) -> None:
    """Its account is remembered for some seconds: the table is what refuses."""
    leaver = await here.person("heron")
    assert (await leaver.call("GET", "/me")).status_code == 200
    await owner.execute("UPDATE auth.users SET deleted_at = now() WHERE user_id = $1", leaver.user_id)

    reply = await leaver.call("POST", "/me/keys", {"name": "late", "scopes": ["read:repositories"]})

    assert (reply.status_code, reply.json()["code"]) in {(404, "not_found"), (401, "not_signed_in")}
    assert await owner.fetchval("SELECT count(*) FROM auth.api_keys") == 0
