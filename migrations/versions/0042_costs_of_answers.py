"""What an answer cost stays with its question as it was accepted, for the month that it is counted in."""

from alembic import op

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE app.accepted_questions ADD COLUMN cost_usd numeric(16, 8)")  # null where nobody knows


def downgrade() -> None:
    op.execute("ALTER TABLE app.accepted_questions DROP COLUMN cost_usd")
