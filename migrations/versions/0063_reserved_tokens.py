"""What a question may take is kept of the day's tokens until its answer is there.

The default is what every question counted for before: an older release that runs beside this one goes on with it.
"""

from alembic import op

revision = "0063"
down_revision = "0062"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE app.accepted_questions ADD COLUMN reserved bigint NOT NULL DEFAULT 4000")


def downgrade() -> None:
    op.execute("ALTER TABLE app.accepted_questions DROP COLUMN reserved")
