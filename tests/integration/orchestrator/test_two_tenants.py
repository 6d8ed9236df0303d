"""Two tenants on one orchestrator: whatever one asks, with whatever ids, nothing of the other comes back."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.orchestrator import System, a_system, eventually
from tests.support.row_security import protected_tables, reader_of
from tests.support.two_tenants import Operation, Tenant, asked_by_header, operations, settle, shown_of

EXAMPLES = 100
Ask = Callable[[Operation, dict[str, str], Tenant], tuple[httpx.Response, dict[str, Any]]]


@pytest.fixture
async def system(
    database_url: str, redis_url: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[System]:
    async with a_system(monkeypatch, database_url=database_url, redis_url=redis_url, home=home) as system:
        asked_by_header(system)
        yield system


@pytest.fixture
async def tenants(system: System) -> tuple[Tenant, Tenant]:
    """Two tenants with a ready analysis, a conversation and a question each."""
    both = Tenant(UUID(int=0xA0), "amber-otter"), Tenant(UUID(int=0xB0), "cobalt-heron")
    for tenant in both:
        await settle(system, tenant)
    for tenant in both:
        await eventually(lambda tenant=tenant: _state(system, tenant), lambda state: state in {"ready", "refined"}, 60)  # type: ignore[misc]  # bound now
    return both


async def _state(system: System, tenant: Tenant) -> str:
    path = f"/api/v1/analyses/{tenant.ids['analysis_id']}"
    return str((await system.client.get(path, headers=tenant.headers)).json()["state"])


@contextmanager
def _asker(system: System) -> Iterator[Ask]:
    """Ask as a tenant, over the wire, from another thread."""
    # Nothing is encrypted on loopback, and loading certificates takes longer than the test.
    client = httpx.Client(base_url=str(system.client.base_url), timeout=20, trust_env=False, verify=False)

    def ask(operation: Operation, ids: dict[str, str], who: Tenant) -> tuple[httpx.Response, dict[str, Any]]:
        asked = operation.request(ids, who.word)
        with client.stream(**asked, headers=who.headers) as reply:
            if reply.headers.get("content-type", "").startswith("text/event-stream"):
                reply._content = next(reply.iter_bytes())
            else:
                reply.read()
        return reply, asked

    with client:
        yield ask


async def test_whatever_a_tenant_asks_it_is_shown_nothing_of_another(
    system: System, tenants: tuple[Tenant, Tenant], database_url: str
) -> None:
    """Both checks on one system, for making two analyses takes longer than either; then the tables themselves."""
    # Of the whole installation: for its administrators alone, as the tests of suspension and of dead letters show.
    overseen = (
        "/api/v1/people",
        "/api/v1/dead-letters",
        "/api/v1/rebuilds",
        "/api/v1/collections",
        "/api/v1/installation",
    )
    every = [one for one in operations(system.app.openapi()) if not one.path.startswith(overseen)]
    with _asker(system) as ask:
        refused = await asyncio.to_thread(_ask_for_all_of_the_other, ask, every, tenants)
        foreign, own = await asyncio.to_thread(_ask_anything, ask, every, tenants)

    assert {"/api/v1/analyses/{analysis_id}", "/api/v1/conversations", "/api/v1/events"} <= set(refused)
    assert {"/api/v1/tenants/{tenant_id}/members/{user_id}", "/api/v1/shares/{share_id}"} <= set(refused)
    assert len(refused) >= 40
    assert foreign > EXAMPLES / 20
    assert own > EXAMPLES / 50
    assert await _mixed(database_url, tenants) == {}


def _ask_for_all_of_the_other(ask: Ask, every: list[Operation], tenants: tuple[Tenant, Tenant]) -> list[str]:
    """Every operation that takes ids, asked by each tenant with the other's: 404, never 403, and not one word."""
    done = []
    for operation in [one for one in every if "{" in one.path or one.names]:
        for who, other in (tenants, tenants[::-1]):
            reply, asked = ask(operation, {name: other.ids.get(name, str(uuid4())) for name in operation.names}, who)
            is_about_one = "{" in operation.path or operation.method == "post"
            assert reply.status_code in ({404} if is_about_one else {200, 404}), (asked, reply.text)
            assert shown_of(other, reply, asked) == set(), (asked, reply.text)
            done.append(operation.path)
    return done


def _ask_anything(ask: Ask, every: list[Operation], tenants: tuple[Tenant, Tenant]) -> tuple[int, int]:
    """Any operations in any order, with ids of one's own, of the other's, and of nobody's.

    Returns how often there was an id of the other's, and how often a tenant was shown something of its own.
    """
    seen = {"foreign": 0, "own": 0}
    likely = every + 4 * [one for one in every if one.names]

    @settings(
        max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), database=None, derandomize=True
    )
    @given(st.data())
    def check(data: st.DataObject) -> None:
        operation = data.draw(st.sampled_from(likely))
        who, other = data.draw(st.sampled_from([tenants, tenants[::-1]]))
        owners = data.draw(st.sampled_from([[who], [who], [other], [who, other, None]]))
        whose = {name: data.draw(st.sampled_from(owners)) for name in operation.names}
        ids = {name: (tenant.ids.get(name) if tenant else None) or str(uuid4()) for name, tenant in whose.items()}
        reply, asked = ask(operation, ids, who)
        seen["foreign"] += other in whose.values()
        seen["own"] += reply.is_success and who.word in reply.text

        # Neither a processor runs here, which could ask hosts, nor a rag_manager, which could search.
        is_without = any(f'"{code}"' in reply.text for code in ("preflight_unavailable", "search_unavailable"))
        assert reply.status_code not in {403, 500, 503} or is_without, (asked, reply.text)
        assert shown_of(other, reply, asked) == set(), (asked, reply.text)
        if any(whose[name] is not who for name in operation.names if f"{{{name}}}" in operation.path):
            assert not reply.is_success, asked

    check()
    return seen["foreign"], seen["own"]


async def _mixed(database_url: str, tenants: tuple[Tenant, Tenant]) -> dict[str, int]:
    """The tables in which a tenant's reader sees rows with a word of the other's: every table, as it is stored."""
    connection = await asyncpg.connect(database_url)
    found = {}
    total = 0
    for table in await protected_tables(connection):
        for who, other in (tenants, tenants[::-1]):
            async with connection.transaction():
                await connection.execute(f"SET LOCAL ROLE {reader_of(table)}")
                await connection.execute("SELECT set_config('app.tenant', $1, true)", str(who.tenant_id))
                rows = [row["row"] for row in await connection.fetch(f"SELECT t::text AS row FROM {table} t")]
            total += len(rows)
            if mixed := sum(any(mark in row for mark in other.marks) for row in rows):
                found[table] = mixed
    await connection.close()
    assert total > 40
    return found
