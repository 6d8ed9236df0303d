"""Parked messages can be named: what a person decides is about one of them."""

from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE es.dead_letters ADD COLUMN letter_id uuid NOT NULL DEFAULT gen_random_uuid() UNIQUE")


def downgrade() -> None:
    op.execute("ALTER TABLE es.dead_letters DROP COLUMN letter_id")
