"""The schema of sandboxes: shadows that were asked for, their runs, and what these made. No live row is in it."""

from importlib import import_module

from alembic import op

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None

_tenants = import_module("migrations.versions.0007_tenants")
_WORKERS = f"{_tenants.BACKGROUND}, {_tenants.PROCESSOR}, {_tenants.RAG_MANAGER}"
_ORCHESTRATOR = f"{_tenants.REQUESTS}, {_tenants.BACKGROUND}"
_STATEMENTS = (
    "CREATE SCHEMA sandbox",
    """
    CREATE TABLE sandbox.shadows (
      shadow_id uuid PRIMARY KEY,
      tenant_id uuid NOT NULL,
      repository_id uuid NOT NULL,
      analysis_id uuid NOT NULL,
      stage text NOT NULL,
      asked_by uuid NOT NULL,
      asked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      state text NOT NULL DEFAULT 'asked', -- done, failed
      tries int NOT NULL DEFAULT 0, -- of comparing it
      held_until timestamptz, -- by the process that compares it
      ended_at timestamptz,
      promoted_at timestamptz,
      code text,
      message text,
      base jsonb NOT NULL DEFAULT '{}', -- the run of each shard that it is compared with
      report jsonb NOT NULL DEFAULT '{}'
    )
    """,
    "CREATE INDEX shadows_tenant ON sandbox.shadows (tenant_id, asked_at)",
    "CREATE INDEX shadows_analysis ON sandbox.shadows (analysis_id)",
    "CREATE INDEX shadows_asked ON sandbox.shadows (asked_at) WHERE state = 'asked'",
    """
    CREATE TABLE sandbox.runs (
      shadow_id uuid NOT NULL REFERENCES sandbox.shadows ON DELETE CASCADE,
      shard int NOT NULL,
      tenant_id uuid NOT NULL,
      stage text NOT NULL,
      request jsonb NOT NULL,
      state text NOT NULL DEFAULT 'asked', -- done, failed
      tries int NOT NULL DEFAULT 0,
      held_until timestamptz, -- by the worker that has this try
      code text,
      message text,
      result jsonb,
      PRIMARY KEY (shadow_id, shard)
    )
    """,
    "CREATE INDEX runs_asked ON sandbox.runs (stage, shadow_id, shard) WHERE state = 'asked'",
    """
    CREATE TABLE sandbox.artifacts (
      shadow_id uuid NOT NULL,
      shard int NOT NULL,
      kind text NOT NULL,
      tenant_id uuid NOT NULL,
      sha256 text NOT NULL,
      content bytea NOT NULL,
      PRIMARY KEY (shadow_id, shard, kind),
      FOREIGN KEY (shadow_id, shard) REFERENCES sandbox.runs ON DELETE CASCADE
    )
    """,
    f"GRANT USAGE ON SCHEMA sandbox TO {_WORKERS}, {_tenants.REQUESTS}",
    f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA sandbox TO {_ORCHESTRATOR}",
    f"GRANT SELECT, UPDATE ON sandbox.runs TO {_WORKERS}",
    f"GRANT SELECT, INSERT, DELETE ON sandbox.artifacts TO {_WORKERS}",
    """
    CREATE TRIGGER refuse_deleted AFTER INSERT ON sandbox.shadows
    FOR EACH ROW EXECUTE FUNCTION auth.refuse_deleted('tenant_id', 'asked_by')
    """,
)
_TABLES = ("sandbox.shadows", "sandbox.runs", "sandbox.artifacts")


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
    for table in _TABLES:
        for statement in _tenants.protect(table, _tenants.REQUESTS, _WORKERS):
            op.execute(statement)


def downgrade() -> None:
    for table in reversed(_TABLES):
        op.execute(f"DROP TABLE {table}")
    op.execute("DROP SCHEMA sandbox")
