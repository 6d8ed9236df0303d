"""Idempotency keys of every POST: whose, of which route, and the first answer, sealed.

What was remembered before named an analysis and no person. It is not carried over: a request that is sent again across
this upgrade finds the analysis that it began as long as that runs.
"""

from importlib import import_module

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_tenants = import_module("migrations.versions.0007_tenants")
_TABLE = "app.idempotency"

_STATEMENTS = (
    f"DROP TABLE {_TABLE}",
    f"""
    CREATE TABLE {_TABLE} (
      tenant_id uuid NOT NULL,
      user_id uuid NOT NULL,
      route text NOT NULL, -- the operation's name
      key text NOT NULL,
      fingerprint bytea NOT NULL, -- of the request
      claim uuid NOT NULL, -- of the request that is being answered
      claimed_at timestamptz NOT NULL DEFAULT now(),
      status int, -- of the first answer; null while there is none
      answer bytea, -- sealed; null where it is not kept, or what it tells of was deleted
      ids uuid[] NOT NULL DEFAULT '{{}}', -- what it tells of
      PRIMARY KEY (tenant_id, user_id, route, key)
    )
    """,
    f"CREATE INDEX idempotency_claimed ON {_TABLE} (claimed_at)",
)
_BEFORE = (
    f"DROP TABLE {_TABLE}",
    f"""
    CREATE TABLE {_TABLE} (
      tenant_id uuid NOT NULL,
      key text NOT NULL,
      fingerprint text NOT NULL,
      analysis_id uuid NOT NULL,
      accepted_at timestamptz NOT NULL DEFAULT now(),
      PRIMARY KEY (tenant_id, key)
    )
    """,
)


def _make(statements: tuple[str, ...]) -> None:
    for statement in (*statements, *_tenants.protect(_TABLE, _tenants.REQUESTS, _tenants.BACKGROUND)):
        op.execute(statement)


def upgrade() -> None:
    _make(_STATEMENTS)


def downgrade() -> None:
    _make(_BEFORE)
