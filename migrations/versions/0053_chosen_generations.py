"""A person may have an earlier generation serve again: the pointer says over which model that was chosen."""

from alembic import op

revision = "0053"
down_revision = "0052"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE rag.pointers ADD COLUMN chosen_over text")


def downgrade() -> None:
    op.execute("ALTER TABLE rag.pointers DROP COLUMN chosen_over")
