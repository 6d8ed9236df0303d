"""Count who began to build a collection again and was never heard of, and since when it fails: over all processes."""

from alembic import op

revision = "0052"
down_revision = "0051"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
    ALTER TABLE rag.rebuilds
      ADD COLUMN begun integer NOT NULL DEFAULT 0, -- processes in a row that did not leave it alive
      ADD COLUMN failing_since timestamptz,
      ADD COLUMN failed_at timestamptz -- the last time
    """)


def downgrade() -> None:
    op.execute("ALTER TABLE rag.rebuilds DROP COLUMN begun, DROP COLUMN failing_since, DROP COLUMN failed_at")
