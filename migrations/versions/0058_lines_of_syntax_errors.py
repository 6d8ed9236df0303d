"""Where the first syntax errors of a file are, by line. An older release leaves the column out, which is none."""

from alembic import op

revision = "0058"
down_revision = "0057"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE app.outcomes ADD COLUMN error_lines text[] NOT NULL DEFAULT '{}'")


def downgrade() -> None:
    op.execute("ALTER TABLE app.outcomes DROP COLUMN error_lines")
