"""Find the streams that were begun because of an event of another one."""

from alembic import op

from migrations.beside import make_index

revision = "0061"
down_revision = "0060"
branch_labels = None
depends_on = None


def upgrade() -> None:
    make_index("events_begun_by", "es.events (causation_id) WHERE version = 1 AND causation_id IS NOT NULL")


def downgrade() -> None:
    op.execute("DROP INDEX es.events_begun_by")
