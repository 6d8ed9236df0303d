"""The assistant's service takes the runs of shadows that answer questions again."""

from importlib import import_module

from alembic import op

revision = "0049"
down_revision = "0048"
branch_labels = None
depends_on = None

_tenants = import_module("migrations.versions.0007_tenants")
_BEFORE = f"{_tenants.BACKGROUND}, {_tenants.PROCESSOR}, {_tenants.RAG_MANAGER}"


def upgrade() -> None:
    op.execute(f"GRANT USAGE ON SCHEMA sandbox TO {_tenants.AI_ENGINE}")
    op.execute(f"GRANT SELECT, UPDATE ON sandbox.runs TO {_tenants.AI_ENGINE}")
    op.execute(f"ALTER POLICY all_tenants ON sandbox.runs TO {_BEFORE}, {_tenants.AI_ENGINE}")
    op.execute("CREATE INDEX runs_stream ON sandbox.runs ((request ->> 'stream_id'))")


def downgrade() -> None:
    op.execute("DROP INDEX sandbox.runs_stream")
    op.execute(f"ALTER POLICY all_tenants ON sandbox.runs TO {_BEFORE}")
    op.execute(f"REVOKE ALL ON sandbox.runs FROM {_tenants.AI_ENGINE}")
    op.execute(f"REVOKE USAGE ON SCHEMA sandbox FROM {_tenants.AI_ENGINE}")
