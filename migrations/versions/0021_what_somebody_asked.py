"""Find what somebody asked: for an export of all that is theirs, and for its deletion."""

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE INDEX events_asked ON es.events (user_id) WHERE type = 'ai.query.requested'")


def downgrade() -> None:
    op.execute("DROP INDEX es.events_asked")
