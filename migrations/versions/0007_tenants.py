"""Tenants apart: whose every row is, who may see it, and the roles that services work as.

The roles own nothing and cannot sign in by themselves (`logins.py` gives the embedded server's a password; elsewhere
an administrator does, or one user takes them with SET ROLE). They belong to the whole PostgreSQL server, so another
database of it may have made them already.

`repostream_requests` and `repostream_search` see the rows of the transaction's tenant (`app.tenant`, set locally) and,
where it is not set, none. The others carry out the work of all tenants. Nobody but the owner changes or deletes events.

New tables in `app` and `auth` are open to the orchestrator's two roles by default; one that has a tenant's rows also
needs its two policies (`protect` below), and a test finds it if it has not.
"""

from alembic import op

from events.base import LOCAL_TENANT

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

REQUESTS, SEARCH = "repostream_requests", "repostream_search"
BACKGROUND, PROCESSOR = "repostream_background", "repostream_processor"
RAG_MANAGER, AI_ENGINE = "repostream_rag_manager", "repostream_ai_engine"
_ROLES = (REQUESTS, SEARCH, BACKGROUND, PROCESSOR, RAG_MANAGER, AI_ENGINE)
_WORKERS = f"{BACKGROUND}, {PROCESSOR}, {RAG_MANAGER}, {AI_ENGINE}"
_ORCHESTRATOR = f"{REQUESTS}, {BACKGROUND}"

_READ_MODELS = ("repositories", "analyses", "conversations", "questions", "files", "outcomes", "symbols", "edges")
_APP = (*_READ_MODELS, "loaded", "intake", "idempotency")
_RAG = ("analyses", "chunks", "files", "symbols", "generations", "pointers", "embeddings")
# The stream that says whose a row is. One tenant is the default at first: a column with a constant default costs
# nothing to add, and until now nobody but the local tenant could have written.
_WHOSE = {
    "app.files": "'analysis/' || t.analysis_id",
    "app.outcomes": "'analysis/' || t.analysis_id",
    "app.symbols": "'analysis/' || t.analysis_id",
    "app.edges": "'analysis/' || t.analysis_id",
    "app.loaded": "'analysis/' || t.analysis_id",
    "app.intake": "'repository/' || t.repository_id",
    "rag.chunks": "'analysis/' || t.analysis_id",
    "rag.files": "'analysis/' || t.analysis_id",
    "rag.symbols": "'analysis/' || t.analysis_id",
    "rag.generations": "'analysis/' || t.analysis_id",
    "rag.pointers": "'repository/' || t.repository_id",
}
# In a sub-select, so that it is worked out once a statement. After a transaction that had one the setting is ''.
_MINE = "tenant_id = (SELECT nullif(current_setting('app.tenant', true), '')::uuid)"


def _create_role(role: str) -> str:
    return f"""
    DO $$
    BEGIN
      IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN
        BEGIN
          CREATE ROLE {role} NOLOGIN;
        EXCEPTION
          WHEN duplicate_object OR unique_violation THEN NULL; -- another database's upgrade was faster
          WHEN insufficient_privilege THEN
            RAISE EXCEPTION 'the database user % may not create the role {role}: give it CREATEROLE for this upgrade, '
              'or let an administrator run CREATE ROLE {role} NOLOGIN; GRANT {role} TO % WITH ADMIN TRUE',
              current_user, current_user;
        END;
      END IF;
      IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
         AND NOT (pg_has_role(current_user, '{role}', 'SET') AND pg_has_role(current_user, '{role}', 'USAGE')) THEN
        GRANT {role} TO CURRENT_USER WITH INHERIT TRUE, SET TRUE; -- so that its policies hold for the owner as well
      END IF;
    END $$
    """  # noqa: S608  # our own names


def protect(table: str, tenants: str, workers: str) -> tuple[str, ...]:
    """Let `tenants` (roles) see and write the rows of the transaction's tenant alone, and `workers` all rows."""
    return (
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
        f"CREATE POLICY own_tenant ON {table} TO {tenants} USING ({_MINE}) WITH CHECK ({_MINE})",
        f"CREATE POLICY all_tenants ON {table} TO {workers} USING (true) WITH CHECK (true)",
    )


def _with_tenant(table: str, stream: str) -> tuple[str, ...]:
    return (
        f"ALTER TABLE {table} ADD COLUMN tenant_id uuid NOT NULL DEFAULT '{LOCAL_TENANT}'",
        f"""
        UPDATE {table} t SET tenant_id = s.tenant_id FROM es.streams s
        WHERE s.stream_id = {stream} AND s.tenant_id <> t.tenant_id
        """,  # noqa: S608  # our own names
        f"ALTER TABLE {table} ALTER COLUMN tenant_id DROP DEFAULT",
    )


_EMBEDDINGS = (
    # What was embedded for one tenant is not looked up for another: it goes when that tenant's repository goes.
    f"ALTER TABLE rag.embeddings ADD COLUMN tenant_id uuid NOT NULL DEFAULT '{LOCAL_TENANT}'",
    "ALTER TABLE rag.embeddings ALTER COLUMN tenant_id DROP DEFAULT",
    "ALTER TABLE rag.embeddings DROP CONSTRAINT embeddings_pkey",
    "ALTER TABLE rag.embeddings ADD PRIMARY KEY (tenant_id, model, text_sha256)",
)

_KERNEL = (
    f"GRANT USAGE ON SCHEMA es TO {_WORKERS}, {REQUESTS}",
    f"GRANT SELECT, INSERT ON es.events TO {_WORKERS}, {REQUESTS}",
    f"GRANT SELECT, INSERT, UPDATE ON es.streams TO {_WORKERS}, {REQUESTS}",  # UPDATE: the version, under a lock
    f"GRANT INSERT ON es.outbox TO {REQUESTS}",
    f"GRANT SELECT ON es.feed, es.feed_head TO {_WORKERS}, {REQUESTS}",
    f"""
    GRANT SELECT, INSERT, UPDATE, DELETE ON es.outbox, es.consumers, es.inbox, es.dead_letters, es.leases, es.timers,
      es.stage_queue, es.snapshots TO {_WORKERS}
    """,
    f"GRANT INSERT, UPDATE, DELETE ON es.feed, es.feed_head TO {BACKGROUND}",
    f"GRANT SELECT, INSERT, UPDATE, DELETE ON es.projections TO {BACKGROUND}",
    f"GRANT SELECT ON es.migrations TO {_WORKERS}, {REQUESTS}",
)

_SERVICES = (
    f"GRANT USAGE ON SCHEMA app, auth TO {_ORCHESTRATOR}",
    f"GRANT SELECT ON ALL TABLES IN SCHEMA app TO {REQUESTS}",
    f"GRANT INSERT, UPDATE, DELETE ON app.intake, app.idempotency TO {REQUESTS}",
    f"GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON ALL TABLES IN SCHEMA app TO {BACKGROUND}",
    f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA auth TO {_ORCHESTRATOR}",
    f"ALTER DEFAULT PRIVILEGES IN SCHEMA app, auth GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {_ORCHESTRATOR}",
    f"ALTER DEFAULT PRIVILEGES IN SCHEMA app, auth GRANT USAGE, SELECT ON SEQUENCES TO {_ORCHESTRATOR}",
    f"GRANT USAGE ON SCHEMA rag TO {RAG_MANAGER}, {SEARCH}",
    f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA rag TO {RAG_MANAGER}",
    f"GRANT SELECT ON ALL TABLES IN SCHEMA rag TO {SEARCH}",
    f"GRANT {SEARCH} TO {RAG_MANAGER} WITH INHERIT FALSE, SET TRUE",  # one process, one user, two pools
)


def upgrade() -> None:
    for role in _ROLES:
        op.execute(_create_role(role))
    for table, stream in _WHOSE.items():
        for statement in _with_tenant(table, stream):
            op.execute(statement)
    for statement in (*_EMBEDDINGS, *_KERNEL, *_SERVICES):
        op.execute(statement)
    protected = [
        *(protect(f"es.{table}", REQUESTS, _WORKERS) for table in ("events", "streams")),
        *(protect(f"app.{table}", REQUESTS, BACKGROUND) for table in _APP),
        *(protect(f"rag.{table}", SEARCH, RAG_MANAGER) for table in _RAG),
    ]
    for statements in protected:
        for statement in statements:
            op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("tenants' rows are not mixed again by a migration: restore a backup")
