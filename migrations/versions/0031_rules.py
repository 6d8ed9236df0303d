"""Which line of a repository's rules decided on a file, where one did."""

from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE app.files ADD COLUMN rule text NOT NULL DEFAULT ''")


def downgrade() -> None:
    op.execute("ALTER TABLE app.files DROP COLUMN rule")
