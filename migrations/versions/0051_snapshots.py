"""States of long streams are kept beside the log; the table that was to hold them, and a queue without use, go."""

from importlib import import_module

from alembic import op

revision = "0051"
down_revision = "0050"
branch_labels = None
depends_on = None

_tenants = import_module("migrations.versions.0007_tenants")
_STATEMENTS = (
    "DROP TABLE es.stage_queue",
    "DROP TABLE es.snapshots",
    """
    CREATE TABLE es.snapshots (
      stream_id text NOT NULL,
      fold text NOT NULL, -- what it is a state of: past, workflow
      code text NOT NULL, -- digest of the code that folded it, which alone reads it
      version int NOT NULL, -- the last event that is in it
      tenant_id uuid NOT NULL,
      repository_id uuid NOT NULL,
      made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      is_sealed boolean NOT NULL, -- with the keys of tenant and repository, as the events are
      state bytea NOT NULL,
      PRIMARY KEY (stream_id, fold, code, version)
    )
    """,
    "CREATE INDEX snapshots_repository ON es.snapshots (repository_id)",
    f"GRANT SELECT ON es.snapshots TO {_tenants.REQUESTS}, {_tenants.BACKGROUND}",
    f"GRANT INSERT, DELETE ON es.snapshots TO {_tenants.BACKGROUND}",
    *_tenants.protect("es.snapshots", _tenants.REQUESTS, _tenants.BACKGROUND),
)
_BEFORE = (
    "DROP TABLE es.snapshots",
    """
    CREATE TABLE es.snapshots (
      stream_id text PRIMARY KEY,
      version int NOT NULL,
      code_version int NOT NULL,
      state jsonb NOT NULL
    )
    """,
    """
    CREATE TABLE es.stage_queue (
      run_id uuid PRIMARY KEY,
      stage text NOT NULL,
      priority smallint NOT NULL,
      pass bigint NOT NULL,
      ord bigint GENERATED ALWAYS AS IDENTITY,
      tenant_id uuid NOT NULL,
      cost int NOT NULL DEFAULT 1,
      admitted_at timestamptz
    )
    """,
    "CREATE INDEX stage_queue_next ON es.stage_queue (stage, priority, pass, ord) WHERE admitted_at IS NULL",
    f"GRANT SELECT, INSERT, UPDATE, DELETE ON es.stage_queue, es.snapshots TO {_tenants._WORKERS}",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    for statement in _BEFORE:
        op.execute(statement)
