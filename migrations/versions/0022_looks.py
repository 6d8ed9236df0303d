"""When a repository was last looked at: what retention goes by. All that are here count as looked at now."""

from importlib import import_module

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_tenants = import_module("migrations.versions.0007_tenants")
_STATEMENTS = (
    """
    CREATE TABLE app.looks (
      repository_id uuid PRIMARY KEY,
      tenant_id uuid NOT NULL,
      looked_at timestamptz NOT NULL -- kept to the hour
    )
    """,
    "INSERT INTO app.looks SELECT repository_id, tenant_id, now() FROM app.repositories",
    *_tenants.protect("app.looks", _tenants.REQUESTS, _tenants.BACKGROUND),
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE app.looks")
