"""How many syntax errors the parser met in each file, beside its outcome."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE app.outcomes ADD COLUMN errors int NOT NULL DEFAULT 0")


def downgrade() -> None:
    op.execute("ALTER TABLE app.outcomes DROP COLUMN errors")
