"""rag_manager says of a shadow that its index was promoted, in the transaction in which it was."""

from importlib import import_module

from alembic import op

revision = "0050"
down_revision = "0049"
branch_labels = None
depends_on = None

_tenants = import_module("migrations.versions.0007_tenants")


def upgrade() -> None:
    op.execute(f"GRANT SELECT, UPDATE (promoted_at) ON sandbox.shadows TO {_tenants.RAG_MANAGER}")


def downgrade() -> None:
    op.execute(f"REVOKE ALL ON sandbox.shadows FROM {_tenants.RAG_MANAGER}")
