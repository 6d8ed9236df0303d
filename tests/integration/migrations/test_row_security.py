"""The database keeps tenants apart by itself: whatever a statement forgets, it sees one tenant's rows or none."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import asyncpg
import pytest
from sqlalchemy import text

from runtime.database import create_engine
from runtime.settings import DatabaseSettings
from runtime.tenancy import DatabaseRole, TenantDatabase
from tests.support.orchestrator import eventually
from tests.support.row_security import OURS, THEIRS, Seen, fill, insert, leaks, protected_tables, reader_of, seen

_BOOKS = "the kernel's books hold no tenant's content; requests may not read them"
_ORDER = "the order of events by number and topic; what an event says is in es.events, which is protected"
_DOOR = "read to find out who is asking, and so of which tenant a request is; the orchestrator alone may read it"
WITHOUT = {
    "audit.entries": "refusals of strangers have no tenant; the role of requests cannot reach it",
    "audit.head": "the end of the one chain of all tenants",
    "es.migrations": "which revisions the database has",
    "es.outbox": _BOOKS,
    "es.feed": _ORDER,
    "es.feed_head": _ORDER,
    "es.consumers": _BOOKS,
    "es.inbox": _BOOKS,
    "es.dead_letters": _BOOKS,
    "es.leases": _BOOKS,
    "es.timers": _BOOKS,
    "es.payload_keys": "sealed, and no role may read it: services come to keys by functions alone",
    "es.artifact_owners": "hashes and ids of repositories: whoever stores a content sees who else has it",
    "es.projections": "how far each read model is",
    "es.rebuilds": "counts, checksums and ids, for administrators of the installation",
    "rag.rebuilds": "counts, checksums and ids, for administrators of the installation; goes with its generation",
    "rag.installation": "one row: the installation's id",
    "auth.tenants": _DOOR,
    "auth.users": _DOOR,
    "auth.members": _DOOR,
    "auth.sessions": _DOOR,
    "auth.sign_in_tokens": "a person's in every tenant of theirs, sealed with whom it is for; the orchestrator alone",
    "auth.api_keys": _DOOR,
    "auth.refresh_tokens": _DOOR,
    "auth.signing_keys": _DOOR,
    "auth.revocations": _DOOR,
}


@pytest.fixture
async def owner(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


async def test_every_table_is_protected_or_on_the_list_with_its_reason(owner: asyncpg.Connection) -> None:
    rows = await owner.fetch("""
        SELECT n.nspname || '.' || c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p', 'm', 'f') AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
    """)
    every = {row["name"] for row in rows}
    protected = set(await protected_tables(owner))

    assert every - protected - WITHOUT.keys() == set()
    assert protected & WITHOUT.keys() == set()
    assert {name for name in WITHOUT if name not in every} == set()
    assert len(protected) >= 20


async def test_no_view_reads_with_more_rights_than_its_reader(owner: asyncpg.Connection) -> None:
    views = await owner.fetch("""
        SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind = 'v' AND n.nspname IN ('app', 'rag', 'es', 'auth', 'sandbox')
          AND NOT coalesce('security_invoker=true' = ANY (c.reloptions), false)
    """)

    assert views == []


async def test_no_role_of_a_service_owns_anything_or_passes_by_the_policies(owner: asyncpg.Connection) -> None:
    roles = await owner.fetch(
        """
        SELECT rolname, rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication AS mighty,
          (SELECT count(*) FROM pg_class WHERE relowner = r.oid) AS owned
        FROM pg_roles r WHERE rolname = ANY ($1)
        """,
        [role.value for role in DatabaseRole],
    )

    assert len(roles) == len(DatabaseRole)
    assert {(row["mighty"], row["owned"]) for row in roles} == {(False, 0)}


@pytest.mark.parametrize("role", list(DatabaseRole))
async def test_no_role_can_change_or_delete_an_event(owner: asyncpg.Connection, role: DatabaseRole) -> None:
    may = await owner.fetchrow(
        "SELECT has_table_privilege($1, 'es.events', 'UPDATE, DELETE, TRUNCATE') AS change,"
        " has_any_column_privilege($1, 'es.events', 'UPDATE') AS column",
        role.value,
    )

    assert may is not None
    assert (may["change"], may["column"]) == (False, False)


async def test_no_function_that_works_with_the_owners_rights_is_open_to_everybody(owner: asyncpg.Connection) -> None:
    every = await owner.fetch("""
        SELECT p.oid::regprocedure::text AS name, has_function_privilege('public', p.oid, 'EXECUTE') AS open,
          p.prorettype = 'trigger'::regtype AS is_trigger
        FROM pg_proc p WHERE p.prosecdef
    """)
    assert len([row for row in every if not row["is_trigger"]]) >= 6
    assert [row["name"] for row in every if row["open"] and not row["is_trigger"]] == []


async def test_who_serves_requests_cannot_erase(owner: asyncpg.Connection) -> None:
    erase = "SELECT es.erase_subject('tenant', gen_random_uuid(), '{}')"
    async with owner.transaction():
        await owner.execute("SET LOCAL ROLE repostream_background")
        await owner.execute(erase)
    await owner.execute("SET ROLE repostream_requests")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await owner.execute(erase)


async def test_requests_cannot_read_the_kernels_books(owner: asyncpg.Connection) -> None:
    for table, reason in WITHOUT.items():
        for role in (DatabaseRole.REQUESTS, DatabaseRole.SEARCH):
            may = await owner.fetchval("SELECT has_table_privilege($1, $2, 'SELECT')", role.value, table)
            assert not (may and reason == _BOOKS), (role, table)
            assert not (may and reason == _DOOR and role is DatabaseRole.SEARCH), (role, table)


async def test_a_tenant_sees_its_own_rows_alone_and_no_tenant_sees_none(owner: asyncpg.Connection) -> None:
    tables = await protected_tables(owner)
    await fill(owner, tables)

    assert await leaks(owner, tables) == {}
    for table in tables:
        assert await seen(owner, table, None) == Seen(0, 0), table
        assert await seen(owner, table, uuid4()) == Seen(0, 0), table


async def test_a_transaction_that_had_a_tenant_leaves_none_behind(database_url: str) -> None:
    settings = DatabaseSettings.model_validate({"url": database_url, "pool_size": 1, "max_overflow": 0})
    engine = create_engine(settings, application="test", role=DatabaseRole.REQUESTS)
    count = text("SELECT count(*), current_setting('app.tenant', true) FROM app.repositories")
    owner = await asyncpg.connect(database_url)
    await fill(owner, ["app.repositories"])
    async with TenantDatabase(engine).of(OURS) as connection:
        during = (await connection.execute(count)).one()
    async with engine.connect() as connection:  # the pool has one: it is the same
        after = (await connection.execute(count)).one()
    await owner.close()
    await engine.dispose()

    assert tuple(during) == (1, str(OURS))
    assert tuple(after) == (0, "")


async def test_what_is_asked_of_the_driver_is_of_the_tenant_and_leaves_nothing_behind_however_it_ends(
    database_url: str,
) -> None:
    settings = DatabaseSettings.model_validate({"url": database_url, "pool_size": 1, "max_overflow": 0})
    engine = create_engine(settings, application="test", role=DatabaseRole.REQUESTS)
    owner = await asyncpg.connect(database_url)
    await fill(owner, ["app.repositories"])
    ours = TenantDatabase(engine)
    count = "SELECT count(*), current_setting('app.tenant', true), pg_backend_pid() FROM app.repositories"

    async def of_nobody() -> tuple[int, str, int]:
        async with engine.connect() as connection:
            found = (await connection.execute(text(count))).one()
        return found[0], found[1], found[2]

    [during] = await ours.rows(OURS, count)
    after = await of_nobody()
    with pytest.raises(asyncpg.DivisionByZeroError):
        await ours.rows(OURS, "SELECT 1 / $1::int", 0)
    after_error = await of_nobody()
    with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
        await ours.rows(OURS, "DELETE FROM app.questions")
    waiting = asyncio.create_task(ours.rows(OURS, "SELECT pg_sleep(30)"))
    begun = "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(30)'"
    await eventually(lambda: owner.fetchval(begun), bool)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    after_end = await of_nobody()
    await owner.close()
    await engine.dispose()

    assert tuple(during)[:2] == (1, str(OURS))
    assert after == (0, "", during[2])  # the same connection
    assert after_error[:2] == after_end[:2] == (0, None)  # connections that never had a tenant
    assert len({after[2], after_error[2], after_end[2]}) == 3


@pytest.mark.parametrize("table", ["es.streams", "es.events", "app.intake", "app.idempotency"])
async def test_a_row_of_another_tenant_is_refused(owner: asyncpg.Connection, table: str) -> None:
    await owner.execute("ALTER TABLE es.events DROP CONSTRAINT events_stream_id_fkey")
    async with owner.transaction():
        await owner.execute(f"SET LOCAL ROLE {reader_of(table)}")
        await owner.execute("SELECT set_config('app.tenant', $1, true)", str(OURS))
        await insert(owner, table, OURS)

        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
            async with owner.transaction():
                await insert(owner, table, THEIRS)


async def test_the_check_notices_every_policy_that_is_missing_or_open(owner: asyncpg.Connection) -> None:
    """The mutants: each table without its policy, without row security, and with a policy for everybody."""
    tables = await protected_tables(owner)
    await fill(owner, tables)
    for table in tables:
        for harm in (
            f"DROP POLICY own_tenant ON {table}",
            f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY",
            f"CREATE POLICY too_much ON {table} USING (true)",
        ):
            change = owner.transaction()
            await change.start()
            await owner.execute(harm)
            noticed = await leaks(owner, tables)
            await change.rollback()

            assert set(noticed) == {table}, harm
