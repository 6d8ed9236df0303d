"""Collections of vectors that are built again, and what was found of each. A row goes with its generation."""

from importlib import import_module

from alembic import op

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None

_tenants = import_module("migrations.versions.0007_tenants")


def upgrade() -> None:
    op.execute("""
    CREATE TABLE rag.rebuilds (
      rebuild_id uuid PRIMARY KEY,
      generation_id uuid NOT NULL REFERENCES rag.generations ON DELETE CASCADE,
      asked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      replace boolean NOT NULL,
      collection text, -- that is built; nobody's orphan while the state is 'asked'
      former text, -- that it took the place of
      state text NOT NULL DEFAULT 'asked' CHECK (state IN ('asked', 'done', 'failed')),
      ended_at timestamptz,
      message text,
      report jsonb NOT NULL DEFAULT '{}'
    )
    """)
    op.execute("CREATE UNIQUE INDEX rebuilds_asked ON rag.rebuilds (generation_id, replace) WHERE state = 'asked'")
    op.execute("CREATE INDEX rebuilds_generation ON rag.rebuilds (generation_id)")
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON rag.rebuilds TO {_tenants.RAG_MANAGER}")


def downgrade() -> None:
    op.execute("DROP TABLE rag.rebuilds")
