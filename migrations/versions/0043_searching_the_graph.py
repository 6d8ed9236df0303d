"""Searches may read the graph: definitions, links and imports of the transaction's tenant."""

from importlib import import_module

from alembic import op

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None

_tenants = import_module("migrations.versions.0007_tenants")
_TABLES = ("loaded", "part_symbols", "links", "imports")
_VIEW = "app.symbols"  # over the first two, by the rights of who reads it


def upgrade() -> None:
    op.execute(f"GRANT USAGE ON SCHEMA app TO {_tenants.SEARCH}")
    op.execute(f"GRANT SELECT ON {_VIEW} TO {_tenants.SEARCH}")
    for table in _TABLES:
        op.execute(f"GRANT SELECT ON app.{table} TO {_tenants.SEARCH}")
        op.execute(
            f"CREATE POLICY searched_tenant ON app.{table} FOR SELECT TO {_tenants.SEARCH} USING ({_tenants._MINE})"
        )


def downgrade() -> None:
    op.execute(f"REVOKE SELECT ON {_VIEW} FROM {_tenants.SEARCH}")  # noqa: S608  # our own names
    for table in _TABLES:
        op.execute(f"DROP POLICY searched_tenant ON app.{table}")
        op.execute(f"REVOKE SELECT ON app.{table} FROM {_tenants.SEARCH}")  # noqa: S608  # our own names
    op.execute(f"REVOKE USAGE ON SCHEMA app FROM {_tenants.SEARCH}")
