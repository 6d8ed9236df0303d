"""A push hook keeps the branch that it was made for; one of before this, and where it is null, follows the newest."""

from alembic import op

revision = "0060"
down_revision = "0059"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE app.push_hooks ADD COLUMN branch text")


def downgrade() -> None:
    op.execute("ALTER TABLE app.push_hooks DROP COLUMN branch")
