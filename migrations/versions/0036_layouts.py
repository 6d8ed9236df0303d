"""Where the rows of an artifact are, so that the next analysis copies them where it has the same one.

The index says in which order it was put together (analyses from before do not: the first one after them is written as
a whole); what the orchestrator has loaded is found by the artifact's key.
"""

from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE rag.analyses ADD COLUMN layout jsonb")
    op.execute("CREATE INDEX loaded_key ON app.loaded (key)")


def downgrade() -> None:
    op.execute("DROP INDEX app.loaded_key")
    op.execute("ALTER TABLE rag.analyses DROP COLUMN layout")
