"""Collections that vectors are written into while others of the analysis are still embedded: nobody's orphans so long.

A row goes once the analysis' generation is there, which then says whose the collection is; or with what is deleted.
"""

from importlib import import_module

from alembic import op

revision = "0056"
down_revision = "0055"
branch_labels = None
depends_on = None

_tenants = import_module("migrations.versions.0007_tenants")


def upgrade() -> None:
    op.execute("""
    CREATE TABLE rag.ahead (
      collection text PRIMARY KEY,
      tenant_id uuid NOT NULL,
      repository_id uuid NOT NULL,
      analysis_id uuid NOT NULL,
      written_at timestamptz NOT NULL DEFAULT clock_timestamp() -- the last time
    )
    """)
    op.execute("CREATE INDEX ahead_repository ON rag.ahead (repository_id)")
    op.execute("CREATE INDEX ahead_analysis ON rag.ahead (analysis_id)")
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON rag.ahead TO {_tenants.RAG_MANAGER}")
    op.execute(f"GRANT SELECT ON rag.ahead TO {_tenants.SEARCH}")
    for statement in _tenants.protect("rag.ahead", _tenants.SEARCH, _tenants.RAG_MANAGER):
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE rag.ahead")
