"""Which analysis a repository's searches go to, as its index said last. Read models are built again for it."""

from alembic import op

revision = "0059"
down_revision = "0058"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE app.repositories ADD COLUMN serving uuid")


def downgrade() -> None:
    op.execute("ALTER TABLE app.repositories DROP COLUMN serving")
