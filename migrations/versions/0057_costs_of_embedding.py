"""What embedding by a provider cost, shard by shard: a tenant's money is counted from it, as from answers."""

from importlib import import_module

from alembic import op

revision = "0057"
down_revision = "0056"
branch_labels = None
depends_on = None

_tenants = import_module("migrations.versions.0007_tenants")
_STATEMENTS = (
    """
    CREATE TABLE app.embedding_costs (
      event_id uuid PRIMARY KEY,
      tenant_id uuid NOT NULL,
      embedded_at timestamptz NOT NULL,
      cost_usd numeric(16, 8) NOT NULL
    )
    """,
    "CREATE INDEX embedding_costs_tenant ON app.embedding_costs (tenant_id, embedded_at)",
)


def upgrade() -> None:
    policies = _tenants.protect("app.embedding_costs", _tenants.REQUESTS, _tenants.BACKGROUND)
    for statement in (*_STATEMENTS, *policies):
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE app.embedding_costs")
