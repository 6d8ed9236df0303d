"""An upgrade waits briefly for locks, says who holds them, loses nothing, and goes on from where it was."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from uuid import uuid4

import asyncpg
import pytest

import migrations
from cli import child
from migrations import UpgradeBlocked
from orchestrator.projections.contents import Contents
from runtime.sealing import Sealer, fresh_key
from tests.conftest import Servers
from tests.support.delivery import until

_BEFORE, _LAST_FREE, _BLOCKED = "0023", "0025", "0026"  # 0026 changes app.invitations, 0024 and 0025 do not
_TABLES = """
SELECT table_schema, table_name, column_name, data_type, is_nullable, column_default FROM information_schema.columns
WHERE table_schema IN ('es', 'app', 'rag', 'auth', 'audit') ORDER BY 1, 2, 3
"""
_FUNCTIONS = """
SELECT p.oid::regprocedure::text, md5(pg_get_functiondef(p.oid)), p.proacl::text FROM pg_proc p
JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname IN ('es', 'app', 'rag', 'auth', 'audit') ORDER BY 1
"""
_RIGHTS = """
SELECT c.oid::regclass::text, c.relacl::text, c.relrowsecurity, c.relforcerowsecurity FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname IN ('es', 'app', 'rag', 'auth', 'audit') ORDER BY 1
"""


class Database:
    """A fresh database, and a session that watches it."""

    def __init__(self, url: str, watching: asyncpg.Connection) -> None:
        self.url = url
        self.watching = watching

    async def revision(self) -> str:
        return str(await self.watching.fetchval("SELECT version_num FROM es.migrations"))

    async def waits_for_a_table(self) -> bool:
        return bool(
            await self.watching.fetchval("""
            SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid)
            WHERE NOT l.granted AND l.locktype = 'relation' AND a.application_name = 'repostream-migrations'
              AND a.datname = current_database()
            """)
        )

    async def builds_an_index(self) -> bool:
        return bool(
            await self.watching.fetchval("""
            SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid)
            WHERE NOT l.granted AND a.application_name = 'repostream-migrations' AND a.query LIKE 'CREATE INDEX%'
              AND a.datname = current_database()
            """)
        )

    async def shape(self) -> list[list[str]]:
        return [[str(tuple(row)) for row in await self.watching.fetch(what)] for what in (_TABLES, _FUNCTIONS, _RIGHTS)]


@pytest.fixture
async def database(servers: Servers) -> AsyncIterator[Database]:
    name = f"upgrading_{uuid4().hex[:8]}"
    admin = await asyncpg.connect(servers.postgres.start())
    await admin.execute(f"CREATE DATABASE {name}")
    url = servers.postgres.url.rsplit("/", 1)[0] + f"/{name}"
    watching = await asyncpg.connect(url)
    try:
        yield Database(url, watching)
    finally:
        await watching.close()
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await admin.close()


@pytest.fixture(autouse=True)
def _briefly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("migrations.run._LOCK_TIMEOUT", 0.5)
    monkeypatch.setattr("migrations.run._PAUSE", 0.1)


async def an_installation(database: Database) -> asyncpg.Connection:
    """One of an earlier release, with a row; and somebody's session, which holds a table that a revision changes."""
    await asyncio.to_thread(migrations.upgrade, database.url, to=_BEFORE)
    user, tenant = uuid4(), uuid4()
    await database.watching.execute(
        "INSERT INTO auth.tenants (tenant_id, name, personal) VALUES ($1, 'ours', false)", tenant
    )
    await database.watching.execute(
        "INSERT INTO auth.users (user_id, provider, subject, login, name) VALUES ($1, 'github', '1', 'ann', '')", user
    )
    await database.watching.execute(
        """INSERT INTO app.invitations (invitation_id, tenant_id, secret_hash, role, login, created_by, expires_at)
        VALUES ($1, $2, '\\xaa', 'member', 'bob', $3, now() + interval '1 day')""",
        uuid4(), tenant, user,
    )  # fmt: skip
    return await asyncpg.connect(database.url, server_settings={"application_name": "a person's psql"})


async def test_a_lock_that_is_held_gives_a_sentence_and_loses_nothing(database: Database) -> None:
    holder = await an_installation(database)
    async with holder.transaction():
        await holder.fetch("SELECT * FROM app.invitations")
        with pytest.raises(UpgradeBlocked) as blocked:
            await asyncio.to_thread(migrations.upgrade, database.url, patience=0.0)

    assert f"is at revision {_LAST_FREE}; the next one waits for a lock" in str(blocked.value)
    assert f"session {holder.get_server_pid()} (a person's psql, idle in transaction, for " in str(blocked.value)
    assert len(str(blocked.value)) < 300  # what the start of a system shows of it
    assert await database.revision() == _LAST_FREE
    assert await database.watching.fetchval("SELECT login FROM app.invitations") == "bob"
    await holder.close()

    await asyncio.to_thread(migrations.upgrade, database.url)
    assert (
        await database.watching.fetchval("SELECT login || ' at ' || provider FROM app.invitations") == "bob at github"
    )


async def test_it_goes_on_by_itself_once_the_lock_is_free_and_lets_readers_through_meanwhile(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    holder = await an_installation(database)
    reading = await asyncpg.connect(database.url, server_settings={"application_name": "pages"})
    holding = holder.transaction()
    await holding.start()
    await holder.fetch("SELECT * FROM app.invitations")
    upgrading = asyncio.create_task(asyncio.to_thread(migrations.upgrade, database.url))
    await until(database.waits_for_a_table)

    assert len(await reading.fetch("SELECT * FROM app.invitations")) == 1  # it stood behind the upgrade, not for ever
    assert not upgrading.done()
    await holding.rollback()
    await upgrading

    assert "The upgrade tries again." in caplog.text
    assert await database.watching.fetchval("SELECT provider FROM app.invitations") == "github"
    for each in (holder, reading):
        await each.close()


async def test_an_upgrade_that_is_killed_goes_on_behind_the_last_revision_it_applied(database: Database) -> None:
    holder = await an_installation(database)
    async with holder.transaction():
        await holder.fetch("SELECT * FROM app.invitations")
        command = "import sys, migrations; migrations.upgrade(sys.argv[1])"
        doomed = await asyncio.create_subprocess_exec(sys.executable, "-c", command, database.url)
        await until(database.waits_for_a_table)
        doomed.kill()
        await doomed.wait()
        assert await database.revision() == _LAST_FREE
    await holder.close()
    await asyncio.to_thread(migrations.upgrade, database.url)
    interrupted, revision = await database.shape(), await database.revision()

    await database.watching.execute("DROP SCHEMA es, app, rag, auth, audit, sandbox CASCADE")
    await asyncio.to_thread(migrations.upgrade, database.url)

    assert await database.shape() == interrupted
    assert await database.revision() == revision >= _BLOCKED


async def test_an_index_on_the_log_is_built_while_others_write_and_two_upgrade_at_once(database: Database) -> None:
    await asyncio.to_thread(migrations.upgrade, database.url, to="0047")
    writing = await asyncpg.connect(database.url)
    transaction = writing.transaction()
    await transaction.start()
    await writing.execute("LOCK TABLE es.events IN ROW EXCLUSIVE MODE")  # as whoever appends
    await writing.fetch("SELECT pg_current_xact_id()")
    upgrading = asyncio.create_task(asyncio.to_thread(migrations.upgrade, database.url))
    command = "import sys, migrations; migrations.upgrade(sys.argv[1])"
    another = await asyncio.create_subprocess_exec(sys.executable, "-c", command, database.url)
    await until(database.builds_an_index)
    await asyncio.sleep(0.6)  # longer than a revision waits for a lock

    async with database.watching.transaction():
        await database.watching.execute("LOCK TABLE es.events IN ROW EXCLUSIVE MODE NOWAIT")
    assert not upgrading.done()
    await transaction.rollback()
    async with asyncio.timeout(30):
        await upgrading
        assert await another.wait() == 0
    valid = await database.watching.fetchval(
        "SELECT indisvalid FROM pg_index WHERE indexrelid = 'es.events_answered'::regclass"
    )
    assert valid
    await writing.close()


async def test_the_step_of_a_start_ends_with_the_sentence_alone(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    holder = await an_installation(database)
    monkeypatch.setattr("cli.child.pass_gate", lambda: None)
    monkeypatch.setattr("migrations.run.upgrade.__kwdefaults__", {"to": "head", "patience": 0.0})
    monkeypatch.setenv("REPOSTREAM_DATABASE_URL", database.url)
    async with holder.transaction():
        await holder.fetch("SELECT * FROM app.invitations")
        with pytest.raises(SystemExit, match=r"^The database is at revision .* start again\.$"):
            await asyncio.to_thread(child.main, child.MIGRATE)
    await holder.close()


_BEFORE_PARTS = "0039"
_INDEXED = """
INSERT INTO rag.analyses (analysis_id, repository_id, tenant_id, commit, requested_at, chunks, files, lexicon_key,
  lexicon_sha256, lexicon_bytes, layout)
  VALUES ($1, $2, $3, 'c', now(), 3, 1, 'k', 's', 1, '{"recipe": "of then"}');
INSERT INTO rag.chunks (tenant_id, analysis_id, ordinal, chunk_id, path, file_class, first_line, last_line, symbols,
  text)
  SELECT $3, $1, n, 'c' || n, 'a.py', 'code', n, n, '{f}', 'text ' || n FROM generate_series(0, 2) n;
INSERT INTO rag.symbols (tenant_id, analysis_id, ordinal, name, qualified_name, kind, path, first_line, last_line)
  SELECT $3, $1, n, 'f', 'f', 'function', 'a.py', n, n FROM generate_series(0, 1) n;
INSERT INTO rag.files (tenant_id, analysis_id, path, file_class, lines, source_key, source_sha256, source_row)
  VALUES ($3, $1, 'a.py', 'code', 3, 'sources/s', 's', 0);
INSERT INTO app.loaded (tenant_id, analysis_id, kind, shard, key, rows, code)
  SELECT $3, $1, kind, shard, kind || shard, 2, CASE WHEN shard = 2 THEN 'gone' END
  FROM unnest('{symbols,edges}'::text[]) kind, generate_series(0, 2) shard;
INSERT INTO app.symbols (tenant_id, analysis_id, shard, ordinal, path, language, kind, name, qualified_name, signature,
  docstring, first_line, last_line)
  SELECT $3, $1, shard, n, 'a.py', 'python', 'function', 'f', 'f', 's', 'd', n, n
  FROM generate_series(0, 1) shard, generate_series(0, 1) n;
INSERT INTO app.edges (tenant_id, analysis_id, shard, ordinal, path, kind, target, line)
  SELECT $3, $1, shard, n, 'a.py', 'call', 'g', n FROM generate_series(0, 1) shard, generate_series(0, 1) n;
INSERT INTO es.projections (name, version, status, cursor_seq) VALUES ('contents', 2, 'live', 7) ON CONFLICT DO NOTHING
"""
_PLACES = "SELECT version, status, cursor_seq FROM es.projections WHERE name = 'contents' ORDER BY version"
_ROWS = "SELECT '{0}', to_jsonb(t)::text FROM {0} t"
_SHARED = ("rag.chunks", "rag.symbols", "rag.files", "app.symbols", "app.edges")


async def test_rows_of_analyses_from_before_they_shared_any_are_found_as_before_and_after_going_back(
    database: Database,
) -> None:
    await asyncio.to_thread(migrations.upgrade, database.url, to=_BEFORE_PARTS)
    for _ in range(2):
        ids = [f"'{uuid4()}'::uuid" for _ in range(3)]
        statements = _INDEXED
        for number, each in enumerate(ids, 1):
            statements = statements.replace(f"${number}", each)
        await database.watching.execute(statements)

    async def rows() -> list[tuple[str, str]]:
        query = " UNION ALL ".join(_ROWS.format(table) for table in _SHARED)  # our own names
        return sorted((str(table), str(row)) for table, row in await database.watching.fetch(query))

    before, shape = await rows(), await database.shape()
    await asyncio.to_thread(migrations.upgrade, database.url)

    assert await rows() == before
    assert len(before) == 2 * (3 + 2 + 1 + 4 + 4)
    assert await database.watching.fetchval("SELECT min(recipe) FROM rag.analyses") == "of then"
    *older, newer = await database.watching.fetch(_PLACES)  # nothing is built again, and no older release writes
    assert tuple(newer) == (Contents.version, "live", 7)
    assert [one["status"] for one in older] == ["superseded"] * len(older) != []

    back = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "migrations", "downgrade", _BEFORE_PARTS),
        env=os.environ | {"REPOSTREAM_DATABASE_URL": database.url},
    )
    assert await back.wait() == 0
    assert await rows() == before
    assert await database.shape() == shape


async def test_a_secret_key_that_opens_nothing_is_said_before_a_service_starts(database: Database) -> None:
    """A folder that was copied without its `secret-key` would come up, and fail at the first event that it reads."""
    of_then, another = fresh_key(), fresh_key()

    async def upgraded(keys: str) -> tuple[int | None, str]:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "migrations", "upgrade"),
            env=os.environ | {"REPOSTREAM_DATABASE_URL": database.url, "REPOSTREAM_SECRET_KEY": keys},
            stderr=asyncio.subprocess.PIPE,
        )
        said = (await process.communicate())[1].decode()
        return process.returncode, said

    assert await upgraded("") == (0, "")  # nothing is sealed yet
    await database.watching.execute(
        "INSERT INTO es.payload_keys (subject, sealed) VALUES ('tenant/1', $1)", Sealer(of_then).seal(b"k" * 32)
    )

    code, said = await upgraded(another)
    assert code == 1
    assert said.startswith("The database was sealed with another secret key: put the file secret-key")
    code, said = await upgraded("")
    assert code == 1
    assert "no secret key is set" in said
    assert await upgraded(of_then) == (0, "")
    assert await upgraded(f"{another},{of_then}") == (0, "")  # while it is replaced
