"""Webhooks: where a tenant wants to hear of its analyses, what is to be delivered, and how each attempt went."""

from importlib import import_module

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_tenants = import_module("migrations.versions.0007_tenants")

_STATEMENTS = (
    """
    CREATE TABLE app.webhooks (
      webhook_id uuid PRIMARY KEY,
      tenant_id uuid NOT NULL,
      url text NOT NULL,
      events text[] NOT NULL,
      secret bytea NOT NULL, -- sealed
      enabled boolean NOT NULL,
      disabled_reason text, -- gone, failing
      since_seq bigint NOT NULL, -- what happened before is not delivered
      failing_since timestamptz, -- the first attempt that failed since one succeeded
      created_at timestamptz NOT NULL,
      created_by uuid NOT NULL
    )
    """,
    "CREATE INDEX webhooks_tenant ON app.webhooks (tenant_id)",
    """
    CREATE TABLE app.webhook_deliveries (
      delivery_id uuid PRIMARY KEY, -- derives from webhook and event: it is there once, however often it is projected
      webhook_id uuid NOT NULL REFERENCES app.webhooks ON DELETE CASCADE,
      tenant_id uuid NOT NULL,
      type text NOT NULL,
      payload text NOT NULL, -- the body, byte for byte
      state text NOT NULL, -- pending, delivered, failed
      attempts integer NOT NULL, -- begun, over all rounds
      round integer NOT NULL, -- attempts begun since it was last asked for
      created_at timestamptz NOT NULL,
      due_at timestamptz NOT NULL -- of a pending one; while an attempt runs, when it counts as lost
    )
    """,
    "CREATE INDEX webhook_deliveries_due ON app.webhook_deliveries (due_at) WHERE state = 'pending'",
    "CREATE INDEX webhook_deliveries_webhook ON app.webhook_deliveries (webhook_id, created_at DESC)",
    """
    CREATE TABLE app.webhook_attempts (
      delivery_id uuid NOT NULL REFERENCES app.webhook_deliveries ON DELETE CASCADE,
      number integer NOT NULL,
      tenant_id uuid NOT NULL,
      at timestamptz NOT NULL,
      duration double precision NOT NULL, -- seconds
      status integer, -- of HTTP; null where there was no answer
      code text NOT NULL, -- why it failed; empty where it did not
      answer text NOT NULL, -- its first bytes
      PRIMARY KEY (delivery_id, number)
    )
    """,
)
_TABLES = ("app.webhooks", "app.webhook_deliveries", "app.webhook_attempts")


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
    for table in _TABLES:
        for statement in _tenants.protect(table, _tenants.REQUESTS, _tenants.BACKGROUND):
            op.execute(statement)


def downgrade() -> None:
    for table in reversed(_TABLES):
        op.execute(f"DROP TABLE {table}")
